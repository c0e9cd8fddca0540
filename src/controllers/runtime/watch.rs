//! From the API server's watch to the reconcile loop.
//!
//! One watch for the cluster, or one for each namespace in namespaced mode. What a cache holds is
//! stripped of what no decision needs; an object that cannot be decoded is reported and stalls nobody else.

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

use super::cache_sync::Watch;
use super::context::Context;
use super::kind::Kind;
use super::lifecycle::Lifecycle;
use super::reconciler;
use super::requeue::RequeueStream;

/// One reconcile loop, until `stop`. `watch` is told whether its watch stands.
pub fn reconcile_loop<K: Kind>(
    client: &Client,
    context: Arc<Context<K>>,
    woken: RequeueStream<K>,
    watch: Watch,
    stop: CancellationToken,
) -> impl Future<Output = ()> + use<K> {
    let api: Api<DeserializeGuard<K>> = match &woken.namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let (reader, writer) = reflector::store();
    let cleaner = Arc::clone(&context);
    let (known, mut listed) = (reader.clone(), HashMap::new());
    let objects = watcher(api, watcher::Config::default())
        .default_backoff()
        .filter_map(|event| future::ready(event.map(decoded).transpose()))
        .inspect(move |event| match event {
            Ok(Event::Apply(object)) => K::Lifecycle::on_applied(&cleaner, object, false),
            Ok(Event::InitApply(object)) => {
                listed.insert(ObjectRef::from_obj(object), object.uid());
                K::Lifecycle::on_applied(&cleaner, object, true);
            }
            Ok(Event::Delete(object)) => gone(&cleaner, object),
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitDone) => {
                for swallowed in swallowed(&listed, known.state()) {
                    match swallowed {
                        Swallowed::Gone(object) => gone(&cleaner, &object),
                        Swallowed::Replaced(object) => cleaner.replaced(&object),
                    }
                }
                listed = HashMap::new();
                watch.stands();
            }
            Err(error) => watch.broke(error),
        })
        .modify(strip)
        .reflect(writer)
        .applied_objects();
    Controller::for_stream(objects, reader)
        .reconcile_on(woken.objects)
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(reconciler::reconcile, reconciler::error_policy, context)
        .for_each(|result| {
            if let Err(error) = result {
                debug!(error = &error as &dyn std::error::Error, "a pass ended early");
            }
            future::ready(())
        })
}

/// The object is gone from the API server.
fn gone<K: Kind>(context: &Context<K>, object: &K) {
    context.gone(object);
    K::Lifecycle::on_deleted(context, object);
}

/// An object whose deletion no event told of: the watch was down meanwhile, and the new list has it no more.
enum Swallowed<K> {
    Gone(Arc<K>),
    /// Another one of its name is there.
    Replaced(Arc<K>),
}

/// What was known, and is not in the new list (names and uids).
fn swallowed<K: Kind>(listed: &HashMap<ObjectRef<K>, Option<String>>, known: Vec<Arc<K>>) -> Vec<Swallowed<K>> {
    let swallowed = known.into_iter().filter_map(|object| match listed.get(&ObjectRef::from_obj(&*object)) {
        Some(uid) if *uid == object.uid() => None,
        Some(_) => Some(Swallowed::Replaced(object)),
        None => Some(Swallowed::Gone(object)),
    });
    swallowed.collect()
}

/// The event without the objects that cannot be decoded.
fn decoded<K: Kind>(event: Event<DeserializeGuard<K>>) -> Option<Event<K>> {
    let object = |guard: DeserializeGuard<K>| match guard.0 {
        Ok(object) => Some(object),
        Err(invalid) => {
            warn!(
                kind = K::KIND,
                namespace = invalid.metadata.namespace,
                name = invalid.metadata.name,
                error = invalid.error,
                "an object cannot be decoded and is left alone: compare it with the CRD of this version"
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

/// Drops what no decision needs: field ownership and the last applied manifest are most of an object.
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
    fn what_a_new_list_has_no_more_is_gone_or_replaced() {
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
        let of = |swallowed: Swallowed<GlueJobRun>| match swallowed {
            Swallowed::Gone(object) => ("gone", object.uid().unwrap()),
            Swallowed::Replaced(object) => ("replaced", object.uid().unwrap()),
        };
        let found: Vec<_> = swallowed(&listed, known).into_iter().map(of).collect();
        assert_eq!(found, [("gone", "2".to_owned()), ("replaced", "3".to_owned())]);
        assert!(swallowed::<GlueJobRun>(&listed, Vec::new()).is_empty(), "the first list");
    }
}
