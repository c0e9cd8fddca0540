//! Who wakes an object: the poller, a Secret that changed, a line that moved; each through a [`Requeuer`].

use std::collections::HashMap;
use std::sync::Arc;

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use kube::runtime::reflector::ObjectRef;

/// What can be woken: any namespaced resource.
pub trait Addressed: Resource<DynamicType = (), Scope = NamespaceResourceScope> {}

impl<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>> Addressed for K {}

/// Wakes objects: sends them to the reconcile loop that has them. Cheap to clone.
pub struct Requeuer<K: Addressed> {
    loops: Arc<HashMap<Option<String>, UnboundedSender<ObjectRef<K>>>>,
}

impl<K: Addressed> Clone for Requeuer<K> {
    fn clone(&self) -> Self {
        Self { loops: Arc::clone(&self.loops) }
    }
}

/// The objects that a reconcile loop is woken for, with the namespace it watches; `None` for all of them.
pub struct RequeueStream<K: Addressed> {
    pub(crate) namespace: Option<String>,
    pub(crate) objects: UnboundedReceiver<ObjectRef<K>>,
}

impl<K: Addressed> Requeuer<K> {
    /// A requeuer for the loops of these namespaces; none means one loop for all.
    #[must_use]
    pub fn new(namespaces: &[String]) -> (Self, Vec<RequeueStream<K>>) {
        let (loops, woken) = scopes(namespaces)
            .map(|namespace| {
                let (sender, objects) = unbounded();
                ((namespace.clone(), sender), RequeueStream { namespace, objects })
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
