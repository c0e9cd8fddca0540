//! Sends an object to its reconcile loop. The poller, changed Secrets and queues use it.

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::runtime::reflector::ObjectRef;

use super::context::{Name, name_of};
use super::kind::Kind;

/// Requeues objects. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Requeuer {
    queue: UnboundedSender<Name>,
}

impl Requeuer {
    /// A requeuer, and the objects that it requeues.
    #[must_use]
    pub fn new() -> (Self, UnboundedReceiver<Name>) {
        let (queue, objects) = unbounded();
        (Self { queue }, objects)
    }

    /// Requeues the object of this name.
    pub fn requeue(&self, name: Name) {
        // The receiver is dropped only when the controller ends.
        let _ = self.queue.unbounded_send(name);
    }

    /// Requeues the object.
    pub fn requeue_object<K: Kind>(&self, object: &ObjectRef<K>) {
        self.requeue(name_of(object));
    }
}

/// The scopes of the watches: each of `namespaces`, or all namespaces when there are none.
pub fn scopes(namespaces: &[String]) -> impl Iterator<Item = Option<String>> {
    let all = namespaces.is_empty().then_some(None);
    all.into_iter().chain(namespaces.iter().cloned().map(Some))
}
