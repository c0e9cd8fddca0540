//! Events about the objects.
//!
//! The controller files events in the background and in order: when one is there, so are all before it.

use std::future::ready;
use std::pin::pin;

use futures::StreamExt;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use kube::runtime::{WatchStreamExt, watcher};
use tokio::time::timeout;

use super::{TestEnv, WAIT_TIMEOUT};

/// The first event for which `condition` holds; none after [`WAIT_TIMEOUT`].
pub async fn wait_for_event(events: Api<Event>, condition: impl Fn(&Event) -> bool) -> Option<Event> {
    let seen = watcher(events, watcher::Config::default()).default_backoff().applied_objects();
    let mut matching = pin!(seen.filter_map(|event| ready(event.ok().filter(&condition))));
    timeout(WAIT_TIMEOUT, matching.next()).await.ok().flatten()
}

/// Whether an event has this reason and regards the object of this name.
pub fn is_event_on(event: &Event, name: &str, reason: &str) -> bool {
    event.reason.as_deref() == Some(reason) && object_name(event) == Some(name)
}

/// The name of the object that an event regards.
pub fn object_name(event: &Event) -> Option<&str> {
    event.regarding.as_ref().and_then(|object| object.name.as_deref())
}

impl TestEnv {
    /// Waits for an event with this reason about any object.
    pub async fn wait_for_event(&self, reason: &str) -> Event {
        let event = wait_for_event(self.event_api(), |event| event.reason.as_deref() == Some(reason)).await;
        event.unwrap_or_else(|| panic!("no event with reason {reason}\n{}", self.log_tail()))
    }

    /// Waits for an event with this reason about the object of this name.
    pub async fn wait_for_event_on(&self, name: &str, reason: &str) {
        let event = wait_for_event(self.event_api(), |event| is_event_on(event, name, reason)).await;
        assert!(event.is_some(), "no event with reason {reason} about {name}\n{}", self.log_tail());
    }

    /// The events of the namespace so far.
    pub async fn events(&self) -> Vec<Event> {
        self.event_api().list(&ListParams::default()).await.expect("the events").items
    }

    fn event_api(&self) -> Api<Event> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}
