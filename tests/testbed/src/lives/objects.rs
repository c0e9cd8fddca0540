//! A watch over all objects of all kinds, which outlives restarts of the API server.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt as _;
use kube::{
    Api, Client, ResourceExt as _,
    core::{ApiResource, DynamicObject, GroupVersionKind},
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet, time::timeout};

use super::{KINDS, Kind};

/// Plural, namespace and name.
type Key = (&'static str, String, String);
type Seen = HashMap<Key, watch::Sender<Value>>;

/// The objects as the watch shows them. It runs until it is dropped.
#[derive(Debug)]
pub struct Objects {
    seen: Arc<Mutex<Seen>>,
    /// Dropping it aborts the tasks.
    _tasks: JoinSet<()>,
}

/// How the API server knows a kind.
#[must_use]
pub fn resource(kind: &Kind) -> ApiResource {
    let gvk = GroupVersionKind::gvk("kube-glue.dev", "v1alpha1", kind.kind);
    ApiResource::from_gvk_with_plural(&gvk, kind.plural)
}

impl Objects {
    /// Begins to watch.
    #[must_use]
    pub fn watch(client: &Client) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let mut tasks = JoinSet::new();
        for kind in KINDS {
            tasks.spawn(follow(client.clone(), kind, Arc::clone(&seen)));
        }
        Self { seen, _tasks: tasks }
    }

    /// The object as it is now; null when there is none.
    #[must_use]
    pub fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Value {
        self.states(kind, namespace, name).borrow().clone()
    }

    /// The states of an object, from the present one on.
    #[must_use]
    pub fn states(&self, kind: &Kind, namespace: &str, name: &str) -> watch::Receiver<Value> {
        sender(&mut lock(&self.seen), (kind.plural, namespace.to_owned(), name.to_owned())).subscribe()
    }

    /// Waits until `holds` for the object. Returns the state for which it does, or the last one after `limit`.
    pub async fn wait(
        &self,
        kind: &Kind,
        [namespace, name]: [&str; 2],
        limit: Duration,
        holds: impl FnMut(&Value) -> bool,
    ) -> Result<Value, Value> {
        let mut states = self.states(kind, namespace, name);
        let waited = timeout(limit, states.wait_for(holds)).await;
        match waited {
            Ok(Ok(state)) => Ok(state.clone()),
            _ => Err(self.get(kind, namespace, name)),
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sender(seen: &mut Seen, key: Key) -> &watch::Sender<Value> {
    seen.entry(key).or_insert_with(|| watch::Sender::new(Value::Null))
}

/// Runs until it is aborted.
async fn follow(client: Client, kind: &'static Kind, seen: Arc<Mutex<Seen>>) {
    let api: Api<DynamicObject> = Api::all_with(client, &resource(kind));
    let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
    let key = |object: &DynamicObject| (kind.plural, object.namespace().unwrap_or_default(), object.name_any());
    let mut listed = Vec::new();
    while let Some(event) = events.next().await {
        let mut seen = lock(&seen);
        match event {
            Ok(Event::Apply(object)) => {
                sender(&mut seen, key(&object)).send_replace(json(&object));
            }
            Ok(Event::InitApply(object)) => {
                listed.push(key(&object));
                sender(&mut seen, key(&object)).send_replace(json(&object));
            }
            Ok(Event::Delete(object)) => {
                sender(&mut seen, key(&object)).send_replace(Value::Null);
            }
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitDone) => {
                // What was deleted while there was no watch.
                for (known, state) in seen.iter().filter(|(known, _)| known.0 == kind.plural) {
                    if !listed.contains(known) && !state.borrow().is_null() {
                        state.send_replace(Value::Null);
                    }
                }
            }
            // It is tried again.
            Err(_) => {}
        }
    }
}

fn json(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}
