//! Sends an object to its reconcile loop. The poller, changed Secrets and queues use it.

use std::collections::HashMap;
use std::sync::Arc;

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use kube::runtime::reflector::ObjectRef;

/// A namespaced resource whose type is known at compile time.
pub trait Namespaced: Resource<DynamicType = (), Scope = NamespaceResourceScope> {}

impl<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>> Namespaced for K {}

/// Requeues objects. Cheap to clone.
pub struct Requeuer<K: Namespaced> {
    loops: Arc<HashMap<Option<String>, UnboundedSender<ObjectRef<K>>>>,
}

impl<K: Namespaced> Clone for Requeuer<K> {
    fn clone(&self) -> Self {
        Self { loops: Arc::clone(&self.loops) }
    }
}

/// The objects that are requeued to one reconcile loop, and the namespace that it watches; `None` for all.
pub struct RequeueStream<K: Namespaced> {
    pub(crate) namespace: Option<String>,
    pub(crate) objects: UnboundedReceiver<ObjectRef<K>>,
}

impl<K: Namespaced> Requeuer<K> {
    /// A requeuer for one loop per namespace; for one loop when there are none.
    #[must_use]
    pub fn new(namespaces: &[String]) -> (Self, Vec<RequeueStream<K>>) {
        let (loops, streams) = scopes(namespaces)
            .map(|namespace| {
                let (sender, objects) = unbounded();
                ((namespace.clone(), sender), RequeueStream { namespace, objects })
            })
            .unzip();
        (Self { loops: Arc::new(loops) }, streams)
    }

    /// Requeues the object.
    pub fn requeue(&self, object: ObjectRef<K>) {
        if let Some(queue) = self.loops.get(&object.namespace).or_else(|| self.loops.get(&None)) {
            // The receiver is dropped only when the controller ends.
            let _ = queue.unbounded_send(object);
        }
    }
}

/// The scopes of the watches: each of `namespaces`, or all namespaces when there are none.
pub fn scopes(namespaces: &[String]) -> impl Iterator<Item = Option<String>> {
    let all = namespaces.is_empty().then_some(None);
    all.into_iter().chain(namespaces.iter().cloned().map(Some))
}
