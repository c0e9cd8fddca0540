//! From the API server's watch to the reconcile loop.
//!
//! One watch for the cluster, or one per namespace in namespaced mode. The cache holds objects without what no plan
//! reads. An object that cannot be decoded is logged and stalls only itself.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use futures::{StreamExt, future};
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{Controller, WatchStreamExt};
use kube::{Api, Client, ResourceExt};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::cache_sync::WatchHandle;
use super::context::Context;
use super::kind::Kind;
use super::lifecycle::Lifecycle;
use super::reconciler;
use super::requeue::RequeueStream;

/// Runs one reconcile loop until `stop`, and reports the state of its watch to `watch`.
pub fn reconcile_loop<K: Kind>(
    client: &Client,
    context: Arc<Context<K>>,
    requeued: RequeueStream<K>,
    watch: WatchHandle,
    stop: CancellationToken,
) -> impl Future<Output = ()> + use<K> {
    let api: Api<DeserializeGuard<K>> = match &requeued.namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let (reader, writer) = reflector::store();
    let observer = Arc::clone(&context);
    let (cache, mut listed) = (reader.clone(), HashMap::new());
    let objects = watcher(api, watcher::Config::default())
        .default_backoff()
        .filter_map(|event| future::ready(event.map(decoded).transpose()))
        .inspect(move |event| match event {
            Ok(Event::Apply(object)) => on_applied(&observer, object, false),
            Ok(Event::InitApply(object)) => {
                listed.insert(ObjectRef::from_obj(object), object.uid());
                on_applied(&observer, object, true);
            }
            Ok(Event::Delete(object)) => on_deleted(&observer, object),
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitDone) => {
                for missed in missed_deletions(&listed, cache.state()) {
                    match missed {
                        MissedDeletion::Deleted(object) => on_deleted(&observer, &object),
                        MissedDeletion::Replaced(object) => observer.on_replaced(&object),
                    }
                }
                listed = HashMap::new();
                watch.synced();
            }
            Err(error) => watch.failed(error),
        })
        .modify(strip)
        .reflect(writer)
        .applied_objects();
    Controller::for_stream(objects, reader)
        .reconcile_on(requeued.objects)
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(reconciler::reconcile, reconciler::error_policy, context)
        .for_each(|result| {
            if let Err(error) = result {
                debug!(error = &error as &dyn std::error::Error, "a pass ended early");
            }
            future::ready(())
        })
}

fn on_applied<K: Kind>(context: &Context<K>, object: &K, listed: bool) {
    context.local_states.register(&object.uid().unwrap_or_default());
    K::Lifecycle::on_applied(context, object, listed);
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

/// Removes what no plan reads: field ownership and the last applied manifest are most of an object.
fn strip<K: Kind>(object: &mut K) {
    object.managed_fields_mut().clear();
    object.annotations_mut().remove("kubectl.kubernetes.io/last-applied-configuration");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::GlueJobRun;

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
