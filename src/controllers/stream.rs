//! From the API server's watch to the reconcile loop.
//!
//! One watch for the cluster, or one for each namespace in namespaced mode. What a cache holds is
//! stripped of what no decision needs; an object that cannot be decoded is reported and stalls nobody else.

use std::future::Future;
use std::sync::Arc;

use futures::{StreamExt, future};
use kube::core::DeserializeGuard;
use kube::runtime::reflector;
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{Controller, WatchStreamExt};
use kube::{Api, Client, ResourceExt};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::context::Context;
use super::kind::Kind;
use super::life::{Life, Living};
use super::shell;
use super::waker::Woken;
use super::watches::Watch;

/// One reconcile loop, until `stop`. `watch` is told whether its watch stands.
pub fn reconcile_loop<K: Living>(
    client: &Client,
    context: Arc<Context<K>>,
    woken: Woken<K>,
    watch: Watch,
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
        .inspect(move |event| match event {
            Ok(Event::Apply(object)) => K::Life::appears(&cleaner, object, false),
            Ok(Event::InitApply(object)) => K::Life::appears(&cleaner, object, true),
            Ok(Event::Delete(object)) => {
                cleaner.gone(object);
                K::Life::leaves(&cleaner, object);
            }
            Ok(Event::InitDone) => watch.stands(),
            Ok(Event::Init) => {}
            Err(error) => watch.broke(error),
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
