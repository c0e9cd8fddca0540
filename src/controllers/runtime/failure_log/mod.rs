//! The end of the log of a failed run, in its status and as an Event.
//!
//! It is read once, in the background, some seconds after the end of the run, and as well as it can be: no pass waits for
//! it. A crash, a full queue or an AWS that does not answer leaves the status without it. The credentials are those that
//! followed the run; what is read passes the run's own redactor.

mod queue;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tracing::debug;

use self::queue::{Next, Queue, Waiting};
use super::Leadership;
use super::events::{Events, of_reason};
use super::kind::Kind;
use super::patch::MANAGER;
use super::reason::Reason;
use crate::api::run::Failure;
use crate::glue::logs::PageStart;
use crate::glue::logs::excerpt::{self, MAX_LINES};
use crate::glue::logs::failure::{EVENTS, FailureSource};
use crate::glue::rate_limiter::ClientId;
use crate::glue::{Error, ErrorKind, Glue};
use crate::redaction::Redactor;

/// The longest time that reading one log takes.
const LONGEST: Duration = Duration::from_secs(30);
/// How long an identity is not asked for logs after AWS refused it: the right may come.
const DENIED_FOR: Duration = Duration::from_mins(10);
/// The most identities that are remembered as refused.
const REMEMBERED: usize = 1000;
/// The most bytes of the log in an Event, of which the note has 1,024.
const NOTE: usize = 900;

/// Reads the logs of failed runs. Cheap to clone.
#[derive(Clone)]
pub struct FailureLogs {
    /// `None` where the operator switched them off.
    shared: Option<Arc<Shared>>,
}

struct Shared {
    queue: Mutex<Queue<Request>>,
    changed: Notify,
    denied: Mutex<Denied>,
    events: Events,
    leadership: Leadership,
}

/// A run that has failed.
pub struct Request {
    /// Whose credentials read the log.
    pub client: Glue,
    /// Where to read.
    pub source: FailureSource,
    /// What removes the values of Secrets.
    pub redactor: Redactor,
    /// The object.
    pub object: ObjectReference,
    /// Writes the status of the object.
    write: Box<dyn Fn(Failure) -> BoxFuture<'static, Result<(), kube::Error>> + Send + Sync>,
}

impl Request {
    /// The request for an object of this kind, through `api`.
    #[must_use]
    pub fn new<K: Kind>(
        client: Glue,
        source: FailureSource,
        redactor: Redactor,
        object: ObjectReference,
        api: Api<K>,
    ) -> Self {
        let (name, uid) = (object.name.clone().unwrap_or_default(), object.uid.clone());
        let write = move |failure| -> BoxFuture<'static, Result<(), kube::Error>> {
            let (api, name) = (api.clone(), name.clone());
            // Another object of the name has another uid, which the API server refuses to change.
            let patch = Patch::Merge(json!({ "metadata": { "uid": uid }, "status": { "failure": failure } }));
            let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
            Box::pin(async move { api.patch_status(&name, &params, &patch).await.map(drop) })
        };
        Self { client, source, redactor, object, write: Box::new(write) }
    }
}

/// What was read.
enum Read {
    /// The end of a log, and its stream.
    Found {
        text: String,
        group: String,
        stream: String,
    },
    /// No line yet.
    Nothing,
    Refused(Error),
}

impl FailureLogs {
    /// Reads logs in the background while this replica leads; nothing, where the operator switched it off.
    #[must_use]
    pub fn new(events: Events, leadership: Leadership, is_enabled: bool) -> Self {
        let shared = is_enabled.then(|| {
            let shared = Arc::new(Shared {
                queue: Mutex::default(),
                changed: Notify::new(),
                denied: Mutex::default(),
                events,
                leadership,
            });
            tokio::spawn(read_all(Arc::clone(&shared)));
            shared
        });
        Self { shared }
    }

    /// The log of this run is read soon, if there is room for it. A log that has to be withheld is not read.
    pub fn request(&self, request: Request) {
        let Some(shared) = self.shared.as_ref().filter(|_| !request.redactor.withholds()) else { return };
        let namespace = request.object.namespace.clone().unwrap_or_default();
        let is_added = shared.queue().add(namespace, request, Instant::now());
        if is_added {
            shared.changed.notify_one();
        } else {
            debug!("the log of a failed run is not read: too many wait");
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue<Request>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn denied(&self) -> MutexGuard<'_, Denied> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Never ends.
async fn read_all(shared: Arc<Shared>) {
    loop {
        let next = shared.queue().next(Instant::now());
        match next {
            Next::Read(waiting) => {
                tokio::spawn(serve(Arc::clone(&shared), waiting));
            }
            Next::At(at) => tokio::select! {
                () = tokio::time::sleep_until(at) => {}
                () = shared.changed.notified() => {}
            },
            Next::Nothing => shared.changed.notified().await,
        }
    }
}

/// Serves one request.
async fn serve(shared: Arc<Shared>, waiting: Waiting<Request>) {
    let namespace = waiting.namespace.clone();
    // Its place is free again, whatever happens there.
    let again = tokio::spawn(serve_one(Arc::clone(&shared), waiting)).await.unwrap_or_default();
    shared.queue().done(&namespace, again, Instant::now());
    shared.changed.notify_one();
}

/// Reads the log of one run, and writes what it found. The request again, where nothing was there yet.
async fn serve_one(shared: Arc<Shared>, waiting: Waiting<Request>) -> Option<Waiting<Request>> {
    let request = &waiting.request;
    if !shared.leadership.holds() {
        return None;
    }
    if shared.denied().has(request.client.client_id(), Instant::now()) {
        debug!("the log of a failed run is not read: AWS refused it to this identity before");
        return None;
    }
    let read = timeout(LONGEST, read(request)).await.unwrap_or(Read::Nothing);
    match read {
        Read::Nothing => return Some(waiting),
        Read::Refused(error) if error.kind == ErrorKind::Denied => {
            if shared.denied().add(request.client.client_id(), Instant::now()) {
                let error = error.hidden(&request.redactor);
                shared
                    .events
                    .publish(request.object.clone(), of_reason(Reason::FailureLogDenied, note(&error), "Reading"));
            }
        }
        Read::Refused(error) if is_passing(&error) => return Some(waiting),
        Read::Refused(error) => {
            debug!(error = %error.hidden(&request.redactor), "the log of a failed run cannot be read");
        }
        Read::Found { text, group, stream } => {
            let text = request.redactor.redact(&request.client.hide_secrets(&text));
            let log = excerpt::bounded(&text);
            let about = format!("the end of {stream} in log group {group}:\n{}", excerpt::last_bytes(&log, NOTE));
            let event = of_reason(Reason::FailureLog, request.redactor.hide(&about), "Reading");
            if !shared.leadership.holds() {
                return None;
            }
            match (request.write)(Failure { log, log_group: group, log_stream: stream }).await {
                Ok(()) => shared.events.publish(request.object.clone(), event),
                // The object is gone, or the status stays without it.
                Err(error) => debug!(%error, "the log of a failed run cannot be written"),
            }
        }
    }
    None
}

/// Reads the end of the first stream that has something.
async fn read(request: &Request) -> Read {
    for (group, stream) in &request.source.streams {
        let page = match request.client.log_events(group, stream, &PageStart::Last(EVENTS)).await {
            Ok(page) => page,
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            Err(error) => return Read::Refused(error),
        };
        let events = page.events.iter().filter(|event| request.source.has(event));
        let text = excerpt::end_of_log(events.map(|event| event.message.as_str()));
        if !text.is_empty() {
            return Read::Found { text, group: group.clone(), stream: stream.clone() };
        }
    }
    Read::Nothing
}

/// Whether the same read may succeed later.
fn is_passing(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Ambiguous | ErrorKind::ExpiredCredentials
    )
}

fn note(error: &Error) -> String {
    format!(
        "the log of the failed run cannot be read: {error}. Allow logs:GetLogEvents on its log group, and the status of \
         failed runs shows the last {MAX_LINES} lines of it"
    )
}

/// The identities that AWS refused.
#[derive(Debug, Default)]
struct Denied(VecDeque<(ClientId, Instant)>);

impl Denied {
    /// Whether the identity is not asked now.
    fn has(&self, client: ClientId, now: Instant) -> bool {
        let last = self.0.iter().rev().find(|(denied, _)| *denied == client);
        last.is_some_and(|(_, at)| now.saturating_duration_since(*at) < DENIED_FOR)
    }

    /// Whether that is the first time.
    fn add(&mut self, client: ClientId, now: Instant) -> bool {
        let before = self.0.len();
        self.0.retain(|(denied, _)| *denied != client);
        let is_first = self.0.len() == before;
        self.0.push_back((client, now));
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
        is_first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_said_once_and_tried_again_after_a_while() {
        let (mut denied, now) = (Denied::default(), Instant::now());
        let [one, other] = [ClientId::next(), ClientId::next()];
        assert!(!denied.has(one, now) && denied.add(one, now));
        assert!(denied.has(one, now) && !denied.has(other, now));
        let later = now + DENIED_FOR;
        assert!(!denied.has(one, later) && !denied.add(one, later), "said once");
        assert!(denied.has(one, later));
        for _ in 0..2 * REMEMBERED {
            denied.add(ClientId::next(), later);
        }
        assert_eq!(denied.0.len(), REMEMBERED);
    }
}
