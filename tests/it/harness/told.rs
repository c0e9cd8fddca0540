//! What was told about the objects: Events, and the API server's own audit log.
//!
//! Events are filed in the background, in their order; who waits for one may rely on those that were told before it.

use std::future::ready;
use std::pin::pin;

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube_glue::controllers::runtime::kind::Kind;
use kube_glue_testbed::audit::Entry;
use tokio::time::timeout;

use super::of::Of;
use super::{PATIENCE, World};

/// The first of `events` that `is_it`, if one comes in time.
pub async fn told(events: Api<Event>, is_it: impl Fn(&Event) -> bool) -> Option<Event> {
    let seen = watcher(events, watcher::Config::default()).default_backoff().applied_objects();
    let mut told = pin!(seen.filter_map(|event| ready(event.ok().filter(&is_it))));
    timeout(PATIENCE, told.next()).await.ok().flatten()
}

/// Whether an event has this reason, and is about the object of this name.
pub fn is_told(event: &Event, name: &str, reason: &str) -> bool {
    event.reason.as_deref() == Some(reason) && about(event) == Some(name)
}

/// The name of the object that an event is about.
pub fn about(event: &Event) -> Option<&str> {
    event.regarding.as_ref().and_then(|about| about.name.as_deref())
}

impl World {
    /// Waits for an event with this reason.
    pub async fn event(&self, reason: &str) -> Event {
        let event = told(self.event_api(), |event| event.reason.as_deref() == Some(reason)).await;
        event.unwrap_or_else(|| panic!("no event {reason}\n{}", self.tail()))
    }

    /// Waits for an event with this reason about the object of this name.
    pub async fn told(&self, name: &str, reason: &str) {
        let event = told(self.event_api(), |event| is_told(event, name, reason)).await;
        assert!(event.is_some(), "no event {reason} about {name}\n{}", self.tail());
    }

    /// The events of the namespace so far.
    pub async fn events(&self) -> Vec<Event> {
        self.event_api().list(&ListParams::default()).await.expect("the events").items
    }

    fn event_api(&self) -> Api<Event> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

impl<K: Kind> Of<'_, K> {
    /// What was written to an object, and by whom, oldest first; so many writes by a controller at least. Who watches
    /// may see what a write did before it is in the log.
    async fn written(&self, name: &str, count: usize) -> Vec<Entry> {
        let (plural, audit) = (K::plural(&()), self.world.plane.audit());
        let written = async {
            loop {
                let writes = audit.writes(&plural, &self.world.namespace, name).await.expect("the audit log");
                if writes.iter().filter(|write| is_ours(write)).count() >= count {
                    return writes;
                }
            }
        };
        timeout(PATIENCE, written)
            .await
            .unwrap_or_else(|_| panic!("{name}: less than {count} writes\n{}", self.world.tail()))
    }

    /// What a controller wrote to an object: each write as its verb, the part it wrote, and the answer; `count` of
    /// them, or more.
    pub async fn writes(&self, name: &str, count: usize) -> Vec<String> {
        let ours = self.written(name, count).await.into_iter().filter(is_ours);
        ours.map(|write| format!("{} {}: {}", write.verb, write.subresource, write.code)).collect()
    }

    /// When a controller first wrote the status of an object after it was last changed by anybody else: an intent.
    pub async fn intended(&self, name: &str) -> Timestamp {
        let writes = self.written(name, 1).await;
        let changed = writes.iter().rposition(|write| !is_ours(write)).map_or(0, |last| last + 1);
        let intent = writes[changed..].iter().find(|write| write.subresource == "status" && write.code == 200);
        intent.expect("a status").at.parse().expect("a time")
    }
}

fn is_ours(write: &Entry) -> bool {
    write.user_agent.starts_with("kube-glue/")
}
