//! An item whose polls fail: when the poller reports it to the subscribers, and when it polls again. Pure.
//!
//! A passing error needs no report: the poller reports it only when it has lasted [`POLLS`] polls, and unless Glue refuses
//! the item for good also [`INTERVALS`] base intervals (30 s by default). It is reported once, and its end once more.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::glue::{Error, ErrorKind};

/// An error is reported when so many polls in a row had it.
const POLLS: u32 = 3;
/// An error that may pass by itself is reported when it has lasted so many base intervals.
const INTERVALS: u32 = 6;
/// An item that Glue refuses is polled after so many base intervals at last.
const LONGEST_PAUSE: u32 = 12;

/// What is known of an item whose last poll failed.
#[derive(Clone, Debug)]
pub(super) struct Failing {
    error: Arc<Error>,
    /// Since when polls fail with this kind of error.
    since: Instant,
    /// How many polls in a row failed with it.
    polls: u32,
    /// What the subscribers know.
    reported: Option<Arc<Error>>,
    /// The item is not polled before.
    pub(super) pauses_until: Instant,
}

impl Failing {
    /// Adds the error of a poll to what was known. Whether the poller must requeue the subscribers.
    pub(super) fn record(before: Option<Self>, error: Arc<Error>, now: Instant, base: Duration) -> (Self, bool) {
        let mut failing = match before {
            Some(before) if before.error.kind == error.kind => Self { error, polls: before.polls + 1, ..before },
            Some(before) => Self { error, since: now, polls: 1, ..before },
            None => Self { error, since: now, polls: 1, reported: None, pauses_until: now },
        };
        if !failing.has_lasted(now, base) {
            return (failing, false);
        }
        if failing.error.kind != ErrorKind::Throttled {
            // The rate limiter answers a throttle. What else Glue refuses is polled after pauses that grow.
            let doublings = (failing.polls - POLLS).min(LONGEST_PAUSE.ilog2() + 1);
            failing.pauses_until = now + base * (1 << doublings).min(LONGEST_PAUSE);
        }
        let is_news = failing.reported.as_ref().is_none_or(|reported| reported.kind != failing.error.kind);
        if is_news {
            failing.reported = Some(Arc::clone(&failing.error));
        }
        (failing, is_news)
    }

    /// The error, once it has lasted.
    pub(super) fn reported(&self) -> Option<&Arc<Error>> {
        self.reported.as_ref()
    }

    /// How many polls in a row failed.
    pub(super) fn polls(&self) -> u32 {
        self.polls
    }

    fn has_lasted(&self, now: Instant, base: Duration) -> bool {
        let is_refusal = matches!(
            self.error.kind,
            ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::ExpiredCredentials | ErrorKind::Invalid
        );
        self.polls >= POLLS && (is_refusal || now.saturating_duration_since(self.since) >= base * INTERVALS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_secs(5);

    fn error(kind: ErrorKind) -> Arc<Error> {
        let (code, message) = (format!("{kind:?}"), String::new());
        Arc::new(Error { operation: "GetJobRun", object: "job etl run jr_1".to_owned(), kind, code, message })
    }

    #[test]
    fn an_error_is_reported_once_when_it_has_lasted() {
        use ErrorKind::{Ambiguous, Denied, Throttled};
        for (kinds, reported) in [
            (vec![Denied; 6], vec![3]),
            (vec![Throttled; 9], vec![7]),
            (vec![Ambiguous; 9], vec![7]),
            (vec![Denied, Throttled, Denied, Throttled, Denied], vec![]),
            ([vec![Denied; 3], vec![Throttled], vec![Denied; 4]].concat(), vec![3]),
            ([vec![Denied; 4], vec![Throttled; 7]].concat(), vec![3, 11]),
        ] {
            let (mut failing, mut now, mut news) = (None, Instant::now(), Vec::new());
            for (poll, kind) in kinds.iter().enumerate() {
                let (next, is_news) = Failing::record(failing.take(), error(*kind), now, BASE);
                news.extend(is_news.then_some(poll + 1));
                failing = Some(next);
                now += BASE;
            }
            assert_eq!(news, reported, "{kinds:?}");
        }
    }

    #[test]
    fn what_glue_refuses_is_polled_after_growing_pauses() {
        let (mut failing, now) = (None, Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let (next, _) = Failing::record(failing.take(), error(ErrorKind::Denied), now, BASE);
            pauses.push((next.pauses_until - now).as_secs());
            failing = Some(next);
        }
        assert_eq!(pauses, [0, 0, 5, 10, 20, 40, 60, 60, 60, 60]);
    }
}
