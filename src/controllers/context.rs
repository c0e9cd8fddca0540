//! What all objects of a kind share, and what is done when one of them leaves.

use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use kube::{Client, ResourceExt};

use super::access::{self, Access, Dependents};
use super::claims::{AwsPlace, Claims};
use super::events::Events;
use super::kind::Kind;
use super::line::Lines;
use super::memory::Memories;
use super::secrets::SecretKey;
use super::times;
use super::turns::Turns;
use super::waker::Waker;
use super::{Leadership, Settings};
use crate::glue::Glue;
use crate::glue::poller::Poller;
use crate::metrics::Metrics;

/// Namespace and name, which stand in an order in the lines.
pub type Name = (String, String);

/// What the controllers of all kinds share. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// The API server.
    pub client: Client,
    /// AWS, for each object as itself.
    pub access: Access,
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
    pub(super) shared: Shared,
    /// Glue as a watch.
    pub(super) poller: Poller<K::Source, ObjectRef<K>>,
    /// Who depends on which Secret, with its uid.
    pub(super) dependents: Dependents<(ObjectRef<K>, String)>,
    pub(super) memories: Memories<K::Memory>,
    pub(super) lines: Lines<Place, Name>,
    /// Who holds what, where several objects may be about one thing.
    pub(super) claims: Claims<AwsPlace, Name>,
    /// Whose turn it is, where Glue takes one change at a time.
    pub(super) turns: Turns<Place, Name>,
    waker: Waker<K>,
}

impl<K: Kind> Context<K> {
    /// A context that remembers nothing yet. What changes in Glue wakes objects by `waker`.
    #[must_use]
    pub fn new(shared: Shared, waker: Waker<K>) -> Self {
        let poller = {
            let waker = waker.clone();
            Poller::new(shared.settings.poll_interval, move |object| waker.wake(object))
        };
        Self {
            shared,
            poller,
            dependents: Dependents::default(),
            memories: Memories::default(),
            lines: Lines::default(),
            claims: Claims::default(),
            turns: Turns::default(),
            waker,
        }
    }

    /// The object is gone from the API server: nothing of it is kept.
    pub fn gone(&self, object: &K) {
        self.let_go(object);
        self.memories.forget(&object.uid().unwrap_or_default());
    }

    /// The object is gone, and another one has its name: what goes by the name is that one's.
    pub fn replaced(&self, object: &K) {
        self.undepend(object);
        self.memories.forget(&object.uid().unwrap_or_default());
    }

    /// A Secret has changed: what stood in the way of its objects may be gone, and they try at once.
    pub fn secret_changed(&self, secret: &SecretKey) {
        for (dependent, uid) in self.dependents.of(secret) {
            self.memories.with(&uid, |memory| memory.patience.healed());
            self.waker.wake(dependent);
        }
    }

    /// The object waits for nothing any more.
    pub(super) fn let_go(&self, object: &K) {
        let reference = ObjectRef::from_obj(object);
        self.poller.forget(&reference);
        self.undepend(object);
        self.leave_line(&reference);
        self.leave_turn(&reference);
    }

    fn undepend(&self, object: &K) {
        let dependent = (ObjectRef::from_obj(object), object.uid().unwrap_or_default());
        for secret in Self::secrets_of(object) {
            self.dependents.remove(&secret, &dependent);
        }
    }

    /// The Secrets that the object depends on: that of its credentials, and those of its inputs.
    pub(super) fn secrets_of(object: &K) -> Vec<SecretKey> {
        let namespace = object.namespace().unwrap_or_default();
        let names = std::iter::once(access::secret_name(object.aws())).chain(object.input_secrets());
        names.map(|name| (namespace.clone(), name.to_owned())).collect()
    }

    /// `reference` waits for `place`.
    pub(super) fn join_line(&self, place: &Place, created: Timestamp, reference: &ObjectRef<K>) {
        self.lines.join(place, created, &name_of(reference));
        self.measure_lines();
    }

    fn measure_lines(&self) {
        let (depth, oldest) = self.lines.depth();
        let age = oldest.map(|oldest| times::since(Timestamp::now(), oldest));
        self.shared.metrics.queue(K::KIND, depth, age.unwrap_or_default());
    }

    pub(super) fn leave_line(&self, reference: &ObjectRef<K>) {
        for name in self.lines.leave(&name_of(reference)) {
            self.wake(&name);
        }
        self.measure_lines();
    }

    /// It is not the turn of `reference` any more, nor does it wait for one.
    pub(super) fn leave_turn(&self, reference: &ObjectRef<K>) {
        for name in self.turns.leave(&name_of(reference)) {
            self.wake(&name);
        }
    }

    /// Has the object of this name reconciled.
    pub(super) fn wake(&self, (namespace, name): &Name) {
        self.waker.wake(ObjectRef::new(name).within(namespace));
    }
}

/// How an object stands in a line.
pub(super) fn name_of<K: Kind>(reference: &ObjectRef<K>) -> Name {
    (reference.namespace.clone().unwrap_or_default(), reference.name.clone())
}

/// When an object was created.
pub(super) fn created<K: Kind>(object: &K) -> Timestamp {
    object.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |created| created.0)
}

/// What waits in one line: objects that need one thing of one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The client.
    pub client: Glue,
    /// The job, the crawler or the workflow.
    pub target: String,
}
