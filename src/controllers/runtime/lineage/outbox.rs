//! Sends the events of [`crate::lineage::queue`] by POST.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

use crate::controllers::runtime::settings::OpenLineage;
use crate::glue::aws::{Answer, CaBundleError, NotSent, Poster};
use crate::lineage::openlineage::{EventType, RunEvent};
use crate::lineage::queue::{Bounds, Entry, Next, Outcome, Queue, Ticket, Time};
use crate::metrics::Metrics;

/// The most that waits for the receiver. An event of a usual job has 2 KB.
const BOUNDS: Bounds = Bounds { events: 20_000, bytes: 32 * 1024 * 1024 };
/// The longest time of one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often the lag is measured while something waits.
const MEASURE_AGAIN: Duration = Duration::from_secs(5);
/// The most characters of the receiver's words in a log line.
const MAX_WORDS: usize = 200;

/// The events that wait, and what sends them.
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    /// Something was added or answered.
    changed: Notify,
    poster: Poster,
    url: String,
    metrics: Metrics,
    epoch: Instant,
}

impl Outbox {
    pub(super) fn new(settings: &OpenLineage, metrics: Metrics) -> Result<Self, CaBundleError> {
        let poster = Poster::new(settings.url.clone(), settings.api_key.clone(), TIMEOUT)?;
        metrics.lineage_queue(0, Duration::ZERO);
        Ok(Self {
            queue: Mutex::new(Queue::new(BOUNDS)),
            changed: Notify::new(),
            poster,
            url: settings.url.clone(),
            metrics,
            epoch: Instant::now(),
        })
    }

    /// Adds an event.
    pub(super) fn push(&self, event: &RunEvent) {
        let run = event.run.run_id;
        let Ok(body) = serde_json::to_string(event) else { return self.not_sent("invalid", 1) };
        let is_minor = event.event_type == EventType::Other;
        let dropped = self.queue().enqueue(Entry { run, body, is_minor, since: self.now() });
        for why in dropped {
            self.metrics.lineage_events(why.as_str(), 1);
        }
        self.notify();
    }

    /// So many events are not sent; `why` is the label in metrics.
    pub(super) fn not_sent(&self, why: &'static str, events: usize) {
        self.metrics.lineage_events(why, events);
    }

    /// How many events wait or are being sent.
    pub(super) fn depth(&self) -> usize {
        self.queue().depth()
    }

    /// Completes when something is added or answered, from now on.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    pub(super) fn notify(&self) {
        self.changed.notify_waiters();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        self.epoch.elapsed()
    }

    fn measure(&self) {
        let (depth, lag) = {
            let queue = self.queue();
            (queue.depth(), queue.lag(self.now()))
        };
        self.metrics.lineage_queue(depth, lag);
    }

    async fn send(&self, ticket: Ticket) {
        let answer = self.poster.post(ticket.body).await;
        let outcome = outcome(&answer);
        let (dropped, was_failing) = {
            let mut queue = self.queue();
            let was_failing = queue.is_failing();
            (queue.answered(ticket.run, outcome, self.now(), fastrand::f64()), was_failing)
        };
        match outcome {
            Outcome::Delivered => {
                self.metrics.lineage_events("sent", 1);
                if was_failing {
                    info!("the OpenLineage receiver at {} takes events again", self.url);
                }
            }
            Outcome::Refused => warn!(answer = words(&answer), "the OpenLineage receiver refused an event"),
            Outcome::Retry(_) if was_failing => debug!(answer = words(&answer), "an event is sent again"),
            Outcome::Retry(_) => {
                let (url, answer) = (&self.url, words(&answer));
                warn!(answer, "the OpenLineage receiver at {url} takes no events; they wait, and are sent again");
            }
        }
        if let Some(why) = dropped {
            self.metrics.lineage_events(why.as_str(), 1);
        }
        self.notify();
    }
}

/// Sends what waits. Never ends.
pub(super) async fn send_all(outbox: Arc<Outbox>) {
    loop {
        let changed = outbox.changed();
        let next = outbox.queue().next(outbox.now());
        outbox.measure();
        let pause = match next {
            Next::Send(ticket) => {
                let outbox = Arc::clone(&outbox);
                tokio::spawn(async move { outbox.send(ticket).await });
                continue;
            }
            Next::WaitUntil(at) => at.saturating_sub(outbox.now()).min(MEASURE_AGAIN),
            Next::Wait if outbox.depth() > 0 => MEASURE_AGAIN,
            Next::Wait => Duration::MAX,
        };
        tokio::select! {
            () = changed => {}
            () = sleep(pause) => {}
        }
    }
}

/// What an answer means. The receiver refuses an event only by a status that is about the event itself. Where the URL or
/// the key is wrong, events wait until the operator has corrected it.
fn outcome(answer: &Result<Answer, NotSent>) -> Outcome {
    match answer {
        Ok(Answer { status: 200..=299, .. }) => Outcome::Delivered,
        Ok(Answer { status: 400 | 409 | 413 | 422, .. }) => Outcome::Refused,
        Ok(Answer { retry_after, .. }) => Outcome::Retry(*retry_after),
        Err(_) => Outcome::Retry(None),
    }
}

/// The answer for a log line.
fn words(answer: &Result<Answer, NotSent>) -> String {
    match answer {
        Ok(Answer { status, text, .. }) => {
            let text: String = text.chars().take(MAX_WORDS).map(|c| if c.is_control() { ' ' } else { c }).collect();
            format!("{status} {text}")
        }
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_with_the_event_itself_ends_it() {
        let seven = Some(Duration::from_secs(7));
        let answer = |status| Ok(Answer { status, retry_after: seven, text: String::new() });
        for (status, expected) in [
            (200, Outcome::Delivered),
            (201, Outcome::Delivered),
            (400, Outcome::Refused),
            (422, Outcome::Refused),
            (302, Outcome::Retry(seven)),
            (401, Outcome::Retry(seven)),
            (404, Outcome::Retry(seven)),
            (429, Outcome::Retry(seven)),
            (503, Outcome::Retry(seven)),
        ] {
            assert_eq!(outcome(&answer(status)), expected, "{status}");
        }
    }

    #[test]
    fn the_receivers_words_are_one_line_of_bounded_length() {
        let text = format!("no\nline{}", "x".repeat(500));
        let shown = words(&Ok(Answer { status: 400, retry_after: None, text }));
        assert!(shown.starts_with("400 no line") && shown.len() == MAX_WORDS + 4, "{shown}");
    }
}
