//! From the API server's watch to the reconcile loop.
//!
//! One watch for the cluster, or one for each namespace in namespaced mode. What a cache holds is
//! stripped of what no decision needs; an object that cannot be decoded is reported and stalls nobody else.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::{StreamExt, future};
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{Controller, WatchStreamExt};
use kube::{Api, Client, ResourceExt};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::run::context::Context;
use super::run::kind::RunKind;
use super::run::shell;

/// Wakes objects: sends them to the reconcile loop that has them. Cheap to clone.
pub struct Waker<K: RunKind> {
    loops: Arc<HashMap<Option<String>, UnboundedSender<ObjectRef<K>>>>,
}

impl<K: RunKind> Clone for Waker<K> {
    fn clone(&self) -> Self {
        Self { loops: Arc::clone(&self.loops) }
    }
}

/// The objects that a reconcile loop is woken for, with the namespace it watches; `None` for all of them.
pub struct Woken<K: RunKind> {
    namespace: Option<String>,
    objects: UnboundedReceiver<ObjectRef<K>>,
}

impl<K: RunKind> Waker<K> {
    /// A waker for the loops of these namespaces; none means one loop for all.
    #[must_use]
    pub fn new(namespaces: &[String]) -> (Self, Vec<Woken<K>>) {
        let (loops, woken) = scopes(namespaces)
            .map(|namespace| {
                let (sender, objects) = unbounded();
                ((namespace.clone(), sender), Woken { namespace, objects })
            })
            .unzip();
        (Self { loops: Arc::new(loops) }, woken)
    }

    /// Has the object reconciled.
    pub fn wake(&self, object: ObjectRef<K>) {
        if let Some(queue) = self.loops.get(&object.namespace).or_else(|| self.loops.get(&None)) {
            // Whoever listened is gone only when the controller is: nothing to wake then.
            let _ = queue.unbounded_send(object);
        }
    }
}

/// What is watched: each of `namespaces`, or everything when there are none.
pub fn scopes(namespaces: &[String]) -> impl Iterator<Item = Option<String>> {
    let everything = namespaces.is_empty().then_some(None);
    everything.into_iter().chain(namespaces.iter().cloned().map(Some))
}

/// One reconcile loop, until `stop`.
pub fn reconcile_loop<K: RunKind>(
    client: &Client,
    context: Arc<Context<K>>,
    woken: Woken<K>,
    stop: CancellationToken,
) -> impl Future<Output = ()> + use<K> {
    let api: Api<DeserializeGuard<K>> = match &woken.namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let (reader, writer) = reflector::store();
    let cleaner = Arc::clone(&context);
    let objects = watcher(api, watcher::Config::default())
        .default_backoff()
        .filter_map(|event| future::ready(event.map(decoded).transpose()))
        .inspect(move |event| {
            if let Ok(Event::Delete(object)) = event {
                cleaner.gone(object);
            }
        })
        .modify(strip)
        .reflect(writer)
        .applied_objects();
    Controller::for_stream(objects, reader)
        .reconcile_on(woken.objects)
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(shell::reconcile, shell::error_policy, context)
        .for_each(|result| {
            if let Err(error) = result {
                debug!(error = &error as &dyn std::error::Error, "a pass ended early");
            }
            future::ready(())
        })
}

/// The event without the objects that cannot be decoded.
fn decoded<K: RunKind>(event: Event<DeserializeGuard<K>>) -> Option<Event<K>> {
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
fn strip<K: RunKind>(object: &mut K) {
    object.managed_fields_mut().clear();
    object.annotations_mut().remove("kubectl.kubernetes.io/last-applied-configuration");
}
