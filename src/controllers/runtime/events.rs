//! Kubernetes Events about objects, filed in the background.
//!
//! An Event that cannot be filed changes nothing and delays no start. Which Event a transition leads to is decided by
//! each lifecycle from two statuses ([`run::events`](crate::controllers::run::events)).

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};
use tracing::{debug, warn};

use super::reason::Reason;

/// Files Events one after the other. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    queue: UnboundedSender<(ObjectReference, Event)>,
}

impl Events {
    /// Files Events as the controller `kube-glue`, from `instance`.
    #[must_use]
    pub fn new(client: Client, instance: Option<String>) -> Self {
        let (queue, waiting) = unbounded();
        let reporter = Reporter { controller: "kube-glue".to_owned(), instance };
        tokio::spawn(file(Recorder::new(client, reporter), waiting));
        Self { queue }
    }

    /// Files `event` about `object`.
    pub fn publish(&self, object: ObjectReference, event: Event) {
        // This fails only when the filing task has ended, with the process.
        let _ = self.queue.unbounded_send((object, event));
    }
}

async fn file(recorder: Recorder, mut waiting: UnboundedReceiver<(ObjectReference, Event)>) {
    while let Some((object, event)) = waiting.next().await {
        let Err(error) = recorder.publish(&event, &object).await else { continue };
        debug!(%error, reason = event.reason, "an Event could not be filed");
        if event.reason != Reason::LeftBehind.as_str() {
            continue;
        }
        // Nothing can be created in a namespace that is being deleted, but this Event must not be lost: it is filed
        // about the namespace itself, whose Events are in the namespace `default`.
        let Some(namespace) = object.namespace.clone() else { continue };
        let about = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Namespace".to_owned()),
            name: Some(namespace),
            ..ObjectReference::default()
        };
        if let Err(error) = recorder.publish(&event, &about).await {
            warn!(%error, "the Event about what goes on in Glue could not be filed");
        }
    }
}

/// The Event of an object that was deleted although something of it goes on in Glue; `fate` says what.
#[must_use]
pub fn left_behind(object: &str, fate: &str) -> Event {
    Event {
        type_: Reason::LeftBehind.severity().into(),
        reason: Reason::LeftBehind.as_str().to_owned(),
        note: Some(format!("{object} was deleted after the deletion timeout, and {fate}")),
        action: "Deleting".to_owned(),
        secondary: None,
    }
}
