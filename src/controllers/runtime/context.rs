//! What all objects of a kind share, and what is done when one of them leaves.

use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use kube::{Client, ResourceExt};

use super::credentials::dependents::Dependents;
use super::credentials::resolver::{self, ClientResolver};
use super::credentials::secrets::SecretKey;
use super::events::Events;
use super::kind::Kind;
use super::local_state::LocalStates;
use super::ownership::{AwsLocation, Owners};
use super::queue::Queues;
use super::requeue::Requeuer;
use super::time;
use super::turns::Turns;
use super::{Leadership, Settings};
use crate::glue::Glue;
use crate::glue::poller::Poller;
use crate::metrics::Metrics;

/// Namespace and name, which stand in an order in the queues.
pub type Name = (String, String);

/// What the controllers of all kinds share. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// The API server.
    pub client: Client,
    /// AWS, for each object as itself.
    pub resolver: ClientResolver,
    /// The lease.
    pub leadership: Leadership,
    /// What the operator set.
    pub settings: Settings,
    /// Counters.
    pub metrics: Metrics,
    /// Events.
    pub events: Events,
}

/// What all objects of one kind share.
pub struct Context<K: Kind> {
    /// With those of other kinds.
    pub(crate) shared: Shared,
    /// Glue as a watch.
    pub(crate) poller: Poller<K::Source, ObjectRef<K>>,
    /// Who depends on which Secret, with its uid.
    pub(crate) dependents: Dependents<(ObjectRef<K>, String)>,
    pub(crate) local_states: LocalStates<K::LocalState>,
    pub(crate) queues: Queues<QueueKey, Name>,
    /// Who holds what, where several objects may be about one thing.
    pub(crate) owners: Owners<AwsLocation, Name>,
    /// Whose turn it is, where Glue takes one change at a time.
    pub(crate) turns: Turns<QueueKey, Name>,
    requeuer: Requeuer<K>,
}

impl<K: Kind> Context<K> {
    /// A context that remembers nothing yet. What changes in Glue wakes objects by `requeuer`.
    #[must_use]
    pub fn new(shared: Shared, requeuer: Requeuer<K>) -> Self {
        let poller = {
            let requeuer = requeuer.clone();
            Poller::new(shared.settings.poll_interval, move |object| requeuer.wake(object))
        };
        Self {
            shared,
            poller,
            dependents: Dependents::default(),
            local_states: LocalStates::default(),
            queues: Queues::default(),
            owners: Owners::default(),
            turns: Turns::default(),
            requeuer,
        }
    }

    /// The object is gone from the API server: nothing of it is kept.
    pub fn gone(&self, object: &K) {
        self.let_go(object);
        self.local_states.forget(&object.uid().unwrap_or_default());
    }

    /// The object is gone, and another one has its name: what goes by the name is that one's.
    pub fn replaced(&self, object: &K) {
        self.undepend(object);
        self.local_states.forget(&object.uid().unwrap_or_default());
    }

    /// A Secret has changed: what stood in the way of its objects may be gone, and they try at once.
    pub fn secret_changed(&self, secret: &SecretKey) {
        for (dependent, uid) in self.dependents.of(secret) {
            self.local_states.with(&uid, |local| local.backoff.reset());
            self.requeuer.wake(dependent);
        }
    }

    /// The object waits for nothing any more.
    pub(crate) fn let_go(&self, object: &K) {
        let reference = ObjectRef::from_obj(object);
        self.poller.forget(&reference);
        self.undepend(object);
        self.leave_queue(&reference);
        self.leave_turn(&reference);
    }

    fn undepend(&self, object: &K) {
        let dependent = (ObjectRef::from_obj(object), object.uid().unwrap_or_default());
        for secret in Self::secrets_of(object) {
            self.dependents.remove(&secret, &dependent);
        }
    }

    /// The Secrets that the object depends on: that of its credentials, and those of its inputs.
    pub(crate) fn secrets_of(object: &K) -> Vec<SecretKey> {
        let namespace = object.namespace().unwrap_or_default();
        let names = std::iter::once(resolver::secret_name(object.aws())).chain(object.input_secrets());
        names.map(|name| (namespace.clone(), name.to_owned())).collect()
    }

    /// `reference` waits for `place`.
    pub(crate) fn join_queue(&self, place: &QueueKey, created: Timestamp, reference: &ObjectRef<K>) {
        self.queues.join(place, created, &name_of(reference));
        self.measure_queues();
    }

    fn measure_queues(&self) {
        let (depth, oldest) = self.queues.depth();
        let age = oldest.map(|oldest| time::since(Timestamp::now(), oldest));
        self.shared.metrics.queue(K::KIND, depth, age.unwrap_or_default());
    }

    pub(crate) fn leave_queue(&self, reference: &ObjectRef<K>) {
        for name in self.queues.leave(&name_of(reference)) {
            self.wake(&name);
        }
        self.measure_queues();
    }

    /// It is not the turn of `reference` any more, nor does it wait for one.
    pub(crate) fn leave_turn(&self, reference: &ObjectRef<K>) {
        for name in self.turns.leave(&name_of(reference)) {
            self.wake(&name);
        }
    }

    /// Has the object of this name reconciled.
    pub(crate) fn wake(&self, (namespace, name): &Name) {
        self.requeuer.wake(ObjectRef::new(name).within(namespace));
    }
}

/// How an object stands in a line.
pub(crate) fn name_of<K: Kind>(reference: &ObjectRef<K>) -> Name {
    (reference.namespace.clone().unwrap_or_default(), reference.name.clone())
}

/// When an object was created.
pub(crate) fn created<K: Kind>(object: &K) -> Timestamp {
    object.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |created| created.0)
}

/// What waits in one line: objects that need one thing of one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueKey {
    /// The client.
    pub client: Glue,
    /// The job, the crawler or the workflow.
    pub target: String,
}
