//! The story of an object as Kubernetes Events, filed in the background.
//!
//! An event that cannot be filed changes nothing, and never holds up a start. What is told is decided by each
//! life, from two statuses ([`run::story`](super::run::story)).

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tracing::{debug, warn};

/// The reason of the event of what was left behind.
const LEFT_BEHIND: &str = "LeftBehind";

/// Files events, one after the other, in the background. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    queue: UnboundedSender<(ObjectReference, Event)>,
}

impl Events {
    /// Files events as `kube-glue`, from `instance`.
    #[must_use]
    pub fn new(client: Client, instance: Option<String>) -> Self {
        let (queue, waiting) = unbounded();
        let reporter = Reporter { controller: "kube-glue".to_owned(), instance };
        tokio::spawn(file(Recorder::new(client, reporter), waiting));
        Self { queue }
    }

    /// Files `event` about `object`.
    pub fn tell(&self, object: ObjectReference, event: Event) {
        // It fails only when the filing task is gone, at the very end.
        let _ = self.queue.unbounded_send((object, event));
    }
}

async fn file(recorder: Recorder, mut waiting: UnboundedReceiver<(ObjectReference, Event)>) {
    while let Some((object, event)) = waiting.next().await {
        let Err(error) = recorder.publish(&event, &object).await else { continue };
        debug!(%error, reason = event.reason, "an event could not be filed");
        if event.reason != LEFT_BEHIND {
            continue;
        }
        // Nothing can be created in a namespace that is being deleted, and this one must not be lost: it is
        // filed about the namespace itself, whose events stand in the namespace default.
        let Some(namespace) = object.namespace.clone() else { continue };
        let about = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Namespace".to_owned()),
            name: Some(namespace),
            ..ObjectReference::default()
        };
        if let Err(error) = recorder.publish(&event, &about).await {
            warn!(%error, "the event of what was left behind could not be filed");
        }
    }
}

/// The event of an object that was let go though something of it lives on in Glue; `fate` says what.
#[must_use]
pub fn left_behind(object: &str, fate: &str) -> Event {
    Event {
        type_: EventType::Warning,
        reason: LEFT_BEHIND.to_owned(),
        note: Some(format!("{object} was let go after the deletion timeout, and {fate}")),
        action: "Deleting".to_owned(),
        secondary: None,
    }
}
