//! Kubernetes Events about objects, filed in the background.
//!
//! An Event that cannot be filed changes nothing and delays no start. Which Event a transition leads to is decided by
//! each lifecycle from two statuses ([`run::events`](crate::controllers::run::events)).

mod queue;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event as FiledEvent;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::runtime::events::{Event, EventType};
use kube::{Api, Client};
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::{debug, warn};

use self::queue::{EventQueue, Waiting};
use super::reason::Reason;
use crate::metrics::Metrics;

/// The controller's name in Events.
const CONTROLLER: &str = "kube-glue";
/// The most bytes of a note. Source: `k8s.io/kubernetes/pkg/apis/core/validation/events.go`, `NoteLengthLimit`.
const MAX_NOTE: usize = 1024;
/// The most bytes of a reason and of an action. Source: the same file, `ReasonLengthLimit` and `ActionLengthLimit`.
const MAX_WORD: usize = 128;
/// The most bytes of the object's name within an Event's name: a dot and 16 digits of the time follow, and a name has 253
/// bytes at most.
const MAX_NAME: usize = 236;
/// What a note that was cut ends with.
const SHORTENED: &str = "… (shortened)";

/// Where an Event about an object without a namespace is filed.
const DEFAULT_NAMESPACE: &str = "default";

/// Files Events one after the other, so that they take a small part of what the API server does for the controller.
/// Cheap to clone.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<EventQueue>,
    added: Notify,
    metrics: Metrics,
}

impl Events {
    /// Files Events as the controller `kube-glue`.
    #[must_use]
    pub fn new(client: Client, metrics: Metrics) -> Self {
        let shared = Arc::new(Shared { queue: Mutex::default(), added: Notify::new(), metrics });
        tokio::spawn(file_all(client, Arc::clone(&shared)));
        Self { shared }
    }

    /// Files `event` about `object`, with a note that is cut to what the API server admits.
    pub fn publish(&self, object: ObjectReference, event: Event) {
        let waiting = Waiting { object, event: admitted(event), at: Timestamp::now() };
        let lost = self.shared.queue().push(waiting, Instant::now());
        self.shared.metrics.events_lost(lost);
        self.shared.added.notify_one();
    }
}

impl Shared {
    fn queue(&self) -> std::sync::MutexGuard<'_, EventQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn file_all(client: Client, shared: Arc<Shared>) {
    loop {
        let next = shared.queue().pop();
        match next {
            Some(waiting) => file(&client, waiting).await,
            None => shared.added.notified().await,
        }
    }
}

async fn file(client: &Client, Waiting { object, event, at }: Waiting) {
    let Err(error) = create(client, &object, &event, at).await else { return };
    let (kind, namespace, name) = (object.kind.clone(), object.namespace.clone(), object.name.clone());
    let (reason, is_left_behind) = (&event.reason, event.reason == Reason::LeftBehind.as_str());
    if !is_terminating(&error) {
        warn!(%error, kind, namespace, name, reason, "the API server refused an Event");
    } else if !is_left_behind {
        debug!(kind, namespace, name, reason, "an Event is not filed: its namespace is being deleted");
    }
    // Nothing can be created in a namespace that is being deleted, but this Event must not be lost: it is filed about the
    // namespace itself.
    let Some(namespace) = namespace.filter(|_| is_left_behind) else { return };
    let about = ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Namespace".to_owned()),
        name: Some(namespace),
        ..ObjectReference::default()
    };
    let event = Event { secondary: Some(object), ..event };
    if let Err(error) = create(client, &about, &event, at).await {
        warn!(%error, "the Event about what goes on in Glue could not be filed");
    }
}

async fn create(client: &Client, object: &ObjectReference, event: &Event, at: Timestamp) -> Result<(), kube::Error> {
    let api: Api<FiledEvent> =
        Api::namespaced(client.clone(), object.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE));
    api.create(&PostParams::default(), &filed(event, object, at)).await.map(drop)
}

/// Whether the API server refused an Event because the namespace is being deleted.
fn is_terminating(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

/// The Event as it is filed. Events of one object differ in their time, which is part of the name.
fn filed(event: &Event, object: &ObjectReference, at: Timestamp) -> FiledEvent {
    let name = object.name.as_deref().unwrap_or_default();
    // Neither part of the Event's name ends with a dot or a dash.
    let name = name[..name.floor_char_boundary(MAX_NAME)].trim_end_matches(['.', '-']);
    let type_ = match event.type_ {
        EventType::Normal => "Normal",
        EventType::Warning => "Warning",
    };
    FiledEvent {
        metadata: ObjectMeta {
            namespace: Some(object.namespace.clone().unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned())),
            name: Some(format!("{name}.{:x}", at.as_nanosecond())),
            ..ObjectMeta::default()
        },
        action: Some(event.action.clone()),
        reason: Some(event.reason.clone()),
        note: event.note.clone(),
        type_: Some(type_.to_owned()),
        event_time: Some(MicroTime(at)),
        regarding: Some(object.clone()),
        related: event.secondary.clone(),
        reporting_controller: Some(CONTROLLER.to_owned()),
        reporting_instance: Some(CONTROLLER.to_owned()),
        ..FiledEvent::default()
    }
}

/// The Event, with every field within the bounds of the API server.
fn admitted(event: Event) -> Event {
    Event {
        note: event.note.map(|note| bounded(note, MAX_NOTE, SHORTENED)),
        reason: bounded(event.reason, MAX_WORD, ""),
        action: bounded(event.action, MAX_WORD, ""),
        ..event
    }
}

/// The text, cut to `most` bytes at a character; it ends with `mark` then.
fn bounded(text: String, most: usize, mark: &str) -> String {
    if text.len() <= most {
        return text;
    }
    format!("{}{mark}", &text[..text.floor_char_boundary(most - mark.len())])
}

/// The Event of an object that was deleted although something of it goes on in Glue; `fate` says what.
#[must_use]
pub fn left_behind(object: &str, fate: &str) -> Event {
    let note = format!("{object} was deleted after the deletion timeout, and {fate}");
    of_reason(Reason::LeftBehind, note, "Deleting")
}

/// An Event of this reason, with its severity.
#[must_use]
pub fn of_reason(reason: Reason, note: impl Into<String>, action: impl Into<String>) -> Event {
    Event {
        type_: reason.severity().into(),
        reason: reason.as_str().to_owned(),
        note: Some(note.into()),
        action: action.into(),
        secondary: None,
    }
}

#[cfg(test)]
mod tests {
    use kube::runtime::events::EventType;
    use proptest::prelude::*;

    use super::*;

    fn event(note: &str, word: &str) -> Event {
        Event {
            type_: EventType::Warning,
            reason: word.to_owned(),
            note: Some(note.to_owned()),
            action: word.to_owned(),
            secondary: None,
        }
    }

    #[test]
    fn a_long_note_is_cut_at_a_character_and_says_so() {
        for (note, cut) in [("x".repeat(1500), true), ("失".repeat(400), true), ("x".repeat(1024), false)] {
            let admitted = admitted(event(&note, "Failed")).note.unwrap_or_default();
            assert!(admitted.len() <= MAX_NOTE && admitted.len() > MAX_NOTE - 4, "{}", admitted.len());
            assert_eq!(admitted != note, cut);
            assert_eq!(admitted.ends_with(SHORTENED), cut);
        }
    }

    #[test]
    fn the_events_of_an_object_with_the_longest_name_have_a_valid_name() {
        let now = Timestamp::from_second(4_000_000_000).unwrap_or_default();
        for name in ["x".repeat(253), format!("{}.{}", "x".repeat(235), "y".repeat(10)), "z".repeat(237)] {
            let object = ObjectReference { name: Some(name.clone()), ..ObjectReference::default() };
            let filed = filed(&event("note", "Failed"), &object, now);
            let filed_name = filed.metadata.name.unwrap_or_default();
            assert!(filed_name.len() <= 253 && !filed_name.contains(".."), "{filed_name}");
            assert_eq!(filed.regarding.and_then(|object| object.name), Some(name));
        }
    }

    proptest! {
        #[test]
        fn the_api_server_admits_every_event(note in "\\PC{0,2000}|[a-z]{900,1500}|\\p{Han}{300,400}", word in "\\PC{1,200}") {
            let event = admitted(event(&note, &word));
            let shown = event.note.unwrap_or_default();
            prop_assert!(shown.len() <= MAX_NOTE);
            prop_assert!((1..=MAX_WORD).contains(&event.reason.len()) && (1..=MAX_WORD).contains(&event.action.len()));
            prop_assert_eq!(note.len() <= MAX_NOTE, shown == note);
            prop_assert!(note.starts_with(shown.trim_end_matches(SHORTENED)));
        }
    }
}
