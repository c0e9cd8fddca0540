//! Sends the events of [`crate::lineage::queue`] by POST.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, info, warn};

use crate::controllers::runtime::settings::OpenLineage;
use crate::glue::aws::{Answer, CaBundleError, NotSent, Poster};
use crate::lineage::openlineage::{EventType, RunEvent};
use crate::lineage::queue::{Bounds, Entry, Next, Outcome, Queue, Ticket, Time};
use crate::metrics::Metrics;
use crate::redaction::Redactor;

/// The most that waits for the operator's receiver. An event of a usual job has 2 KB.
const BOUNDS: Bounds = Bounds { events: 20_000, bytes: 32 * 1024 * 1024 };
/// The most that waits for the receiver of one inventory.
const BOUNDS_OF_INVENTORY: Bounds = Bounds { events: 2_000, bytes: 4 * 1024 * 1024 };
/// The longest time of one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often the lag is measured while something waits.
const MEASURE_AGAIN: Duration = Duration::from_secs(5);
/// After how many failures in a row a receiver is said to take no events: some five seconds.
const MANY_FAILURES: u32 = 3;
/// The most characters of the receiver's words in a log line.
const MAX_WORDS: usize = 200;

/// Whose receiver it is.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// That of the operator.
    Controller,
    /// That of one inventory.
    Inventory { namespace: String, name: String },
}

impl Owner {
    pub(super) fn inventory((namespace, name): (&str, &str)) -> Self {
        Self::Inventory { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn bounds(&self) -> Bounds {
        match self {
            Self::Controller => BOUNDS,
            Self::Inventory { .. } => BOUNDS_OF_INVENTORY,
        }
    }
}

/// The events that wait, and what sends them.
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    /// Something was added or answered.
    changed: Notify,
    poster: Poster,
    url: String,
    /// Hides the API key in the receiver's words.
    redactor: Redactor,
    /// Why the receiver takes no events.
    trouble: Mutex<Option<String>>,
    owner: Owner,
    metrics: Metrics,
    epoch: Instant,
}

impl Outbox {
    /// An outbox, and the task that empties it until the handle is dropped.
    pub(super) fn start(
        settings: &OpenLineage,
        owner: Owner,
        metrics: Metrics,
    ) -> Result<(Arc<Self>, AbortOnDropHandle<()>), CaBundleError> {
        let poster = Poster::new(settings.url.clone(), settings.api_key.clone(), TIMEOUT)?;
        let outbox = Arc::new(Self {
            queue: Mutex::new(Queue::new(owner.bounds())),
            changed: Notify::new(),
            poster,
            url: settings.url.clone(),
            redactor: Redactor::new(&settings.api_key),
            trouble: Mutex::default(),
            owner,
            metrics,
            epoch: Instant::now(),
        });
        info!(?outbox.owner, "lineage is sent to {}", outbox.url);
        let sending = AbortOnDropHandle::new(tokio::spawn(send_all(Arc::clone(&outbox))));
        Ok((outbox, sending))
    }

    /// Adds an event. Returns how many events there were, with this one.
    pub(super) fn push(&self, event: &RunEvent) -> u64 {
        let run = event.run.run_id;
        let Ok(body) = serde_json::to_string(event) else {
            self.not_sent("invalid", 1);
            return 0;
        };
        let is_minor = event.event_type == EventType::Other;
        let (dropped, added) = {
            let mut queue = self.queue();
            let dropped = queue.enqueue(Entry { run, body, is_minor, since: self.now() });
            (dropped, queue.added())
        };
        for why in dropped {
            self.metrics.lineage_events(why.as_str(), 1);
        }
        self.notify();
        added
    }

    /// Whether none of the first so many events waits any more.
    pub(super) fn is_beyond(&self, added: u64) -> bool {
        self.queue().oldest().is_none_or(|oldest| oldest >= added)
    }

    /// Why the receiver has taken no events for a while; `None` while it takes them.
    pub(super) fn trouble(&self) -> Option<String> {
        let is_failing = self.queue().failures() >= MANY_FAILURES;
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone().filter(|_| is_failing)
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
        match &self.owner {
            Owner::Controller => self.metrics.lineage_queue(depth, lag),
            Owner::Inventory { namespace, name } => self.metrics.inventory_lineage(namespace, name, lag),
        }
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
            Outcome::Refused => {
                warn!(answer = self.words(&answer), "the OpenLineage receiver at {} refused an event", self.url);
            }
            Outcome::Retry(_) if was_failing => debug!(answer = self.words(&answer), "an event is sent again"),
            Outcome::Retry(_) => {
                let (url, answer) = (&self.url, self.words(&answer));
                warn!(answer, "the OpenLineage receiver at {url} takes no events; they wait, and are sent again");
            }
        }
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble(&answer);
        if let Some(why) = dropped {
            self.metrics.lineage_events(why.as_str(), 1);
        }
        self.notify();
    }

    /// The answer for a log line.
    fn words(&self, answer: &Result<Answer, NotSent>) -> String {
        match answer {
            Ok(Answer { status, text, .. }) => {
                let text = self.redactor.redact(text);
                let text: String = text.chars().take(MAX_WORDS).map(|c| if c.is_control() { ' ' } else { c }).collect();
                format!("{status} {text}")
            }
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        if let Owner::Inventory { namespace, name } = &self.owner {
            self.metrics.forget_inventory_lineage(namespace, name);
        }
    }
}

/// Sends what waits. Never ends.
async fn send_all(outbox: Arc<Outbox>) {
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

/// Why the receiver takes no events, for its owner: without its words, which may quote anything.
fn trouble(answer: &Result<Answer, NotSent>) -> Option<String> {
    match (outcome(answer), answer) {
        (Outcome::Retry(_), Ok(Answer { status, .. })) => Some(format!("it answers with status {status}")),
        (Outcome::Retry(_), Err(error)) => Some(format!("it does not answer: {error}")),
        (Outcome::Delivered | Outcome::Refused, _) => None,
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

#[cfg(test)]
mod hostile;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redaction::Sensitive;

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

    #[tokio::test]
    async fn the_receivers_words_are_one_line_of_bounded_length_without_the_api_key() {
        let settings = OpenLineage {
            url: "http://127.0.0.1:9".to_owned(),
            api_key: Some(Sensitive::new("swordfish-7".to_owned())),
            namespace: None,
            from_scripts: false,
        };
        let (outbox, _sending) = Outbox::start(&settings, Owner::Controller, Metrics::new()).unwrap();
        let answer = |text: String| Ok(Answer { status: 400, retry_after: None, text });
        let shown = outbox.words(&answer(format!("no\nline{}", "x".repeat(500))));
        assert!(shown.starts_with("400 no line") && shown.len() == MAX_WORDS + 4, "{shown}");
        let shown = outbox.words(&answer("Bearer swordfish-7 is not known".to_owned()));
        assert!(!shown.contains("swordfish") && shown.contains("is not known"), "{shown}");
        let answer = Ok(Answer { status: 401, retry_after: None, text: "Bearer swordfish-7".to_owned() });
        assert_eq!(trouble(&answer).as_deref(), Some("it answers with status 401"));
    }
}
