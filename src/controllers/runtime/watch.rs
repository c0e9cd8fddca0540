//! From the API server's watches to the reconcile loop.
//!
//! One watch for the cluster, or one per namespace in namespaced mode. The cache holds objects without what no plan
//! reads, and no finished runs for which nothing is left to do. An object that cannot be decoded is logged and stalls only itself.
//!
//! The API server streams the first list object by object where it can (from 1.34), so that no page of it is held in
//! memory; otherwise the list is read in pages.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, future};
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use tracing::{debug, warn};

use super::cache_size;
use super::cache_sync::WatchHandle;
use super::context::{Context, Name, name_of};
use super::existing_objects::ExistingObjects;
use super::kind::Kind;
use super::lifecycle::Lifecycle;
use super::local_state::{self, LocalState};
use super::panics::contained_event;

/// How many objects a page of a list has, where the API server does not stream it. All of them are in memory together,
/// and each may have 1.5 MB.
pub const PAGE_SIZE: u32 = 25;

/// What a watch showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These objects are new or have changed.
    Applied(Vec<Name>),
    /// This object was deleted.
    Deleted(Name),
}

/// The objects of one kind, as the watches showed them last.
pub struct Cache<K: Kind> {
    /// By the namespace of the watch; `None` for all.
    by_namespace: HashMap<Option<String>, Store<K>>,
}

impl<K: Kind> Cache<K> {
    /// The object of this name, once its watch has listed.
    #[must_use]
    pub fn get(&self, name: &Name) -> Option<Arc<K>> {
        let store = self.by_namespace.get(&Some(name.0.clone())).or_else(|| self.by_namespace.get(&None))?;
        store.get(&ObjectRef::new(&name.1).within(&name.0))
    }
}

#[cfg(test)]
impl<K: Kind> Cache<K> {
    /// A cache with these objects, without a watch.
    pub(super) fn holding(objects: impl IntoIterator<Item = K>) -> Self {
        let (store, mut writer) = reflector::store();
        writer.apply_watcher_event(&Event::Init);
        objects.into_iter().for_each(|object| writer.apply_watcher_event(&Event::InitApply(object)));
        writer.apply_watcher_event(&Event::InitDone);
        Self { by_namespace: HashMap::from([(None, store)]) }
    }
}

/// Watches these namespaces, `None` for all: what they change, and the objects as they showed them last.
pub fn watch<K: Kind>(
    client: &Client,
    context: &Arc<Context<K>>,
    scopes: Vec<(Option<String>, WatchHandle)>,
) -> (Cache<K>, impl Stream<Item = Change> + Send + use<K>) {
    let mut by_namespace = HashMap::new();
    let mut watched = Vec::new();
    for (namespace, handle) in scopes {
        let api: Api<DeserializeGuard<K>> = match &namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        };
        let (store, changes) = watch_one(api, Arc::clone(context), namespace.clone(), handle);
        by_namespace.insert(namespace, store);
        watched.push(changes);
    }
    (Cache { by_namespace }, futures::stream::select_all(watched))
}

fn watch_one<K: Kind>(
    api: Api<DeserializeGuard<K>>,
    context: Arc<Context<K>>,
    namespace: Option<String>,
    handle: WatchHandle,
) -> (Store<K>, BoxStream<'static, Change>) {
    let (store, writer) = reflector::store();
    let (before, mut listed) = (store.clone(), HashMap::new());
    let metrics = context.shared.metrics.clone();
    let mut existing = ExistingObjects::default();
    let shown = events(api)
        .filter_map(|event| future::ready(event.map(decoded).transpose()))
        .inspect(move |event| match event {
            Ok(Event::Apply(object)) => {
                let before = existing.count();
                contained_event(&metrics, object, || on_applied(&context, object, false, &mut existing));
                if existing.count() != before {
                    context.report_existing(namespace.as_deref(), &existing);
                }
            }
            Ok(Event::InitApply(object)) => {
                listed.insert(ObjectRef::from_obj(object), object.uid());
                contained_event(&metrics, object, || on_applied(&context, object, true, &mut existing));
            }
            Ok(Event::Delete(object)) => {
                existing.remove(&object.uid().unwrap_or_default());
                contained_event(&metrics, object, || on_deleted(&context, object));
                context.report_existing(namespace.as_deref(), &existing);
            }
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitDone) => {
                for missed in missed_deletions(&listed, before.state()) {
                    let (MissedDeletion::Deleted(object) | MissedDeletion::Replaced(object)) = &missed;
                    contained_event(&metrics, &**object, || match &missed {
                        MissedDeletion::Deleted(object) => on_deleted(&context, &**object),
                        MissedDeletion::Replaced(object) => context.on_replaced(object),
                    });
                }
                existing.retain(&listed.values().flatten().map(String::as_str).collect());
                context.report_existing(namespace.as_deref(), &existing);
                listed = HashMap::new();
                handle.synced();
            }
            Err(error) => handle.failed(error),
        })
        .filter_map(|event| future::ready(event.map(without_done).transpose()))
        .modify(cache_size::strip)
        .reflect(writer);
    let (before, mut in_list) = (store.clone(), Vec::new());
    let changes =
        shown.filter_map(move |event| future::ready(event.ok().and_then(|event| change(event, &before, &mut in_list))));
    (store, changes.boxed())
}

/// The events of a watch, whatever the API server's version, with few objects of a list in memory at a time.
fn events<K: Kind>(
    api: Api<DeserializeGuard<K>>,
) -> impl Stream<Item = watcher::Result<Event<DeserializeGuard<K>>>> + Send {
    let streaming = watcher(api.clone(), watcher::Config::default().streaming_lists()).default_backoff();
    let paging = watcher(api, watcher::Config::default().page_size(PAGE_SIZE)).default_backoff();
    streaming.take_while(|event| future::ready(!event.as_ref().is_err_and(is_streaming_refused))).chain(paging)
}

/// Whether the API server does not know streaming lists: it takes their parameters for invalid.
fn is_streaming_refused(error: &watcher::Error) -> bool {
    let watcher::Error::WatchStartFailed(kube::Error::Api(status)) = error else { return false };
    let refused = matches!(status.code, 400 | 422);
    if refused {
        debug!(message = status.message, "the API server does not stream lists; they are read in pages");
    }
    refused
}

/// What an event changes. The objects of a list that the cache did not have like this come together, at its end: the
/// cache has them by then. `before` is the cache as it was before the list; `in_list` collects them.
fn change<K: Kind>(event: Event<K>, before: &Store<K>, in_list: &mut Vec<Name>) -> Option<Change> {
    match event {
        Event::Apply(object) => Some(Change::Applied(vec![name_of(&ObjectRef::from_obj(&object))])),
        Event::Delete(object) => Some(Change::Deleted(name_of(&ObjectRef::from_obj(&object)))),
        Event::Init => {
            in_list.clear();
            None
        }
        Event::InitApply(object) => {
            let reference = ObjectRef::from_obj(&object);
            let known = before.get(&reference).and_then(|known| known.resource_version());
            if known.is_none() || known != object.resource_version() {
                in_list.push(name_of(&reference));
            }
            None
        }
        Event::InitDone => Some(Change::Applied(std::mem::take(in_list))),
    }
}

pub(super) fn on_applied<K: Kind>(context: &Context<K>, object: &K, listed: bool, existing: &mut ExistingObjects) {
    let uid = object.uid().unwrap_or_default();
    let done = K::Lifecycle::is_done(object);
    let was_done = existing.insert(&uid, &object.namespace().unwrap_or_default(), done);
    if done {
        on_deleted(context, object);
        return;
    }
    context.local_states.register(&uid, was_done);
    if object.meta().deletion_timestamp.is_some() {
        context.local_states.with(&uid, LocalState::on_deletion);
    }
    // What this process has written since is known, and may concern other objects: a late event does not take its place.
    if context.local_states.stale(&uid, local_state::version(object)).is_none() {
        K::Lifecycle::on_applied(context, object, listed);
    }
}

fn on_deleted<K: Kind>(context: &Context<K>, object: &K) {
    context.on_deleted(object);
    K::Lifecycle::on_deleted(context, object);
}

/// An object that was deleted while the watch was down: no event reported it, and the new list does not have it.
enum MissedDeletion<K> {
    Deleted(Arc<K>),
    /// An object of the same name exists now.
    Replaced(Arc<K>),
}

/// The objects of the cache that the new list, by name and uid, does not have.
fn missed_deletions<K: Kind>(
    listed: &HashMap<ObjectRef<K>, Option<String>>,
    cached: Vec<Arc<K>>,
) -> Vec<MissedDeletion<K>> {
    let missed = cached.into_iter().filter_map(|object| match listed.get(&ObjectRef::from_obj(&*object)) {
        Some(uid) if *uid == object.uid() => None,
        Some(_) => Some(MissedDeletion::Replaced(object)),
        None => Some(MissedDeletion::Deleted(object)),
    });
    missed.collect()
}

/// The event for the cache, which does not hold objects for which nothing is left to do: there may be many.
fn without_done<K: Kind>(event: Event<K>) -> Option<Event<K>> {
    match event {
        Event::Apply(object) if K::Lifecycle::is_done(&object) => Some(Event::Delete(object)),
        Event::InitApply(object) if K::Lifecycle::is_done(&object) => None,
        event => Some(event),
    }
}

/// The event, without objects that cannot be decoded.
fn decoded<K: Kind>(event: Event<DeserializeGuard<K>>) -> Option<Event<K>> {
    let object = |guard: DeserializeGuard<K>| match guard.0 {
        Ok(object) => Some(object),
        Err(invalid) => {
            warn!(
                kind = K::KIND,
                namespace = invalid.metadata.namespace,
                name = invalid.metadata.name,
                error = invalid.error,
                "the object cannot be decoded and is ignored: compare it with the CRD of this version"
            );
            None
        }
    };
    match event {
        Event::Init => Some(Event::Init),
        Event::InitDone => Some(Event::InitDone),
        Event::Apply(guard) => object(guard).map(Event::Apply),
        Event::InitApply(guard) => object(guard).map(Event::InitApply),
        Event::Delete(guard) => object(guard).map(Event::Delete),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::http::StatusCode;
    use serde_json::{Value, json};

    use super::*;
    use crate::api::GlueJobRun;
    use crate::controllers::runtime::tests::api_server;

    /// An API server that does not stream lists, and has as many objects as two pages and a half; and the queries that it
    /// was sent.
    fn before_streaming() -> (Client, Arc<Mutex<Vec<String>>>) {
        let queries = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&queries);
        let client = api_server::client(move |_, uri, _| {
            let query = uri.query().unwrap_or_default();
            seen.lock().unwrap().push(query.to_owned());
            if query.contains("sendInitialEvents") {
                return future::ready(api_server::failure(StatusCode::UNPROCESSABLE_ENTITY, "Invalid"));
            }
            let parameter = |name: &str| {
                let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
                pair.and_then(|value| value.parse::<u32>().ok())
            };
            let (first, all) = (parameter("continue").unwrap_or(0), PAGE_SIZE * 5 / 2);
            let end = all.min(first + parameter("limit").unwrap_or(all));
            let item = |n: u32| -> Value {
                json!({"metadata": {"namespace": "a", "name": format!("run-{n}")}, "spec": {"jobName": "etl"}})
            };
            let next = (end < all).then(|| end.to_string());
            let list = json!({"apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRunList",
                "metadata": {"resourceVersion": "7", "continue": next},
                "items": (first..end).map(item).collect::<Vec<_>>()});
            future::ready((StatusCode::OK, list))
        });
        (client, queries)
    }

    #[tokio::test(start_paused = true)]
    async fn where_lists_are_not_streamed_they_are_read_in_small_pages() {
        let (client, queries) = before_streaming();
        let api: Api<DeserializeGuard<GlueJobRun>> = Api::all(client);
        let until_listed = events(api).take_while(|event| future::ready(!matches!(event, Ok(Event::InitDone))));
        let listed = until_listed.filter(|event| future::ready(matches!(event, Ok(Event::InitApply(_)))));
        assert_eq!(listed.count().await, PAGE_SIZE as usize * 5 / 2);
        let queries = queries.lock().unwrap();
        let lists: Vec<_> = queries.iter().filter(|query| !query.contains("watch=true")).collect();
        assert_eq!(lists.len(), 3, "{queries:?}");
        assert!(lists.iter().all(|query| query.contains(&format!("limit={PAGE_SIZE}"))), "{queries:?}");
    }

    #[test]
    fn a_new_list_reveals_deleted_and_replaced_objects() {
        let object = |name: &str, uid: &str| -> Arc<GlueJobRun> {
            let object = json!({
                "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun",
                "metadata": {"namespace": "a", "name": name, "uid": uid}, "spec": {"jobName": "etl"},
            });
            Arc::new(serde_json::from_value(object).unwrap())
        };
        let known = vec![object("stays", "1"), object("goes", "2"), object("again", "3")];
        let listed = [object("stays", "1"), object("again", "4"), object("new", "5")];
        let listed = listed.iter().map(|object| (ObjectRef::from_obj(&**object), object.uid())).collect();
        let of = |missed: MissedDeletion<GlueJobRun>| match missed {
            MissedDeletion::Deleted(object) => ("deleted", object.uid().unwrap()),
            MissedDeletion::Replaced(object) => ("replaced", object.uid().unwrap()),
        };
        let found: Vec<_> = missed_deletions(&listed, known).into_iter().map(of).collect();
        assert_eq!(found, [("deleted", "2".to_owned()), ("replaced", "3".to_owned())]);
        assert!(missed_deletions::<GlueJobRun>(&listed, Vec::new()).is_empty(), "the first list");
    }
}
