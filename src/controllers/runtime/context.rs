//! What the objects of one kind share, and what is released when one of them is deleted.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use kube::{Client, ResourceExt};
use tokio::sync::Semaphore;

use super::credentials::dependents::Dependents;
use super::credentials::identity_queue::Waiter;
use super::credentials::resolver::{self, ClientResolver};
use super::credentials::secrets::SecretKey;
use super::events::Events;
use super::exclusive::Exclusive;
use super::existing_objects::ExistingObjects;
use super::failure_log::FailureLogs;
use super::kind::{Inputs, Kind};
use super::lineage::Lineage;
use super::local_state::LocalStates;
use super::ownership::{AwsLocation, Owners};
use super::queue::{Queues, Target};
use super::requeue::Requeuer;
use super::shared_runs::SharedRuns;
use super::{Leadership, Settings, cache_size, time};
use crate::glue::Glue;
use crate::glue::poller::Poller;
use crate::metrics::Metrics;

/// An object's namespace and name, in the order that breaks ties in queues.
pub type Name = (String, String);

/// What the controllers of all kinds share. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// The API server.
    pub client: Client,
    /// AWS clients by object.
    pub resolver: ClientResolver,
    /// The lease.
    pub leadership: Leadership,
    /// What the operator configured.
    pub settings: Settings,
    /// Counters.
    pub metrics: Metrics,
    /// Events.
    pub events: Events,
    /// Reads the logs of failed runs.
    pub failure_logs: FailureLogs,
    /// Sends events of lineage.
    pub lineage: Lineage,
}

/// What the objects of one kind share.
pub struct Context<K: Kind> {
    pub(crate) shared: Shared,
    pub(crate) poller: Poller<K::Source, ObjectRef<K>>,
    /// The objects that depend on each Secret, with their uids.
    pub(crate) dependents: Dependents<(ObjectRef<K>, String)>,
    pub(crate) local_states: LocalStates<K::LocalState>,
    /// The objects that wait until a start of their job or crawler may succeed.
    queues: Mutex<Queues<QueueKey, Name>>,
    /// The objects that change the triggers of one workflow, one at a time.
    exclusive: Mutex<Exclusive<QueueKey, Name>>,
    /// The objects that start runs of one `idempotencyKey`, one at a time.
    keys: Mutex<Exclusive<String, Name>>,
    /// The objects that need the same run.
    shared_runs: Mutex<SharedRuns<Name>>,
    /// The objects that declare the same Glue resource.
    pub(crate) owners: Owners<AwsLocation, Name>,
    /// Who may read a large object now.
    pub(super) whole_objects: Semaphore,
    /// How many objects exist, and how many the largest namespace has, by the namespace of the watch.
    existing: Mutex<HashMap<Option<String>, (usize, usize)>>,
    requeuer: Requeuer,
}

impl<K: Kind> Context<K> {
    /// An empty context. The poller requeues objects through `requeuer`.
    #[must_use]
    pub fn new(shared: Shared, requeuer: Requeuer) -> Self {
        let poller = {
            let (requeuer, metrics) = (requeuer.clone(), shared.metrics.clone());
            let requeue = move |object: ObjectRef<K>| requeuer.requeue_object(&object);
            Poller::new(shared.settings.poll_interval, requeue, move |pause| metrics.poll_paused(K::KIND, pause))
        };
        Self {
            shared,
            poller,
            dependents: Dependents::default(),
            local_states: LocalStates::default(),
            queues: Mutex::default(),
            exclusive: Mutex::default(),
            keys: Mutex::default(),
            shared_runs: Mutex::default(),
            owners: Owners::default(),
            whole_objects: Semaphore::new(cache_size::MOST_READ),
            existing: Mutex::default(),
            requeuer,
        }
    }

    /// The watch of this namespace, `None` for all, shows so many objects.
    pub(super) fn report_existing(&self, watched: Option<&str>, existing: &ExistingObjects) {
        let mut by_watch = lock(&self.existing);
        by_watch.insert(watched.map(str::to_owned), (existing.count(), existing.most_of_namespace()));
        let count = by_watch.values().map(|(count, _)| count).sum();
        let most = by_watch.values().map(|(_, most)| *most).max().unwrap_or_default();
        self.shared.metrics.objects(K::KIND, count, most);
    }

    /// The object was deleted: nothing of it is kept.
    pub fn on_deleted(&self, object: &K) {
        self.release(object);
        self.local_states.forget(&object.uid().unwrap_or_default());
    }

    /// The object was deleted and another one created under its name: what is kept by name belongs to the new one.
    pub fn on_replaced(&self, object: &K) {
        self.remove_dependent(object);
        self.stop_waiting_for_client(object);
        self.local_states.forget(&object.uid().unwrap_or_default());
    }

    /// A Secret changed: its objects are tried again at once.
    pub fn on_secret_changed(&self, secret: &SecretKey) {
        for (dependent, uid) in self.dependents.of(secret) {
            self.local_states.with(&uid, |local| local.backoff.reset());
            self.requeuer.requeue_object(&dependent);
        }
    }

    /// The object waits for nothing any more: no poll, no Secret, no client, no queue.
    pub(crate) fn release(&self, object: &K) {
        let reference = ObjectRef::from_obj(object);
        self.poller.forget(&reference);
        self.remove_dependent(object);
        self.stop_waiting_for_client(object);
        self.with_queues(|queues| queues.remove(&name_of(&reference)));
        self.with_shared_runs(|runs| runs.remove(&name_of(&reference)));
        self.leave_exclusive(&reference);
        self.leave_key(&reference);
    }

    /// Requeues the object when its client exists, or its namespace may have it.
    pub(super) fn wait_for_client(&self, object: &K) {
        let wake = self.requeue_later(&ObjectRef::from_obj(object));
        let namespace = object.namespace().unwrap_or_default();
        self.shared.resolver.wait(&namespace, waiter(object), object.aws(), wake);
    }

    /// The object does not wait for a client any more.
    pub(super) fn stop_waiting_for_client(&self, object: &K) {
        self.shared.resolver.stop_waiting(&object.namespace().unwrap_or_default(), &waiter(object));
    }

    fn remove_dependent(&self, object: &K) {
        let dependent = (ObjectRef::from_obj(object), object.uid().unwrap_or_default());
        if !cache_size::is_whole(object) {
            // What it names is not known any more.
            return self.dependents.remove_from_all(&dependent);
        }
        for secret in Self::secrets_of(object) {
            self.dependents.remove(&secret, &dependent);
        }
    }

    /// The Secrets that the object depends on: that of its credentials, and those of its inputs.
    pub(crate) fn secrets_of(object: &K) -> Vec<SecretKey> {
        let namespace = object.namespace().unwrap_or_default();
        let names = std::iter::once(resolver::secret_name(object.aws())).chain(K::Inputs::secrets(object));
        names.map(|name| (namespace.clone(), name.to_owned())).collect()
    }

    /// Works on the queues, and requeues the objects whose turn it is by that.
    pub(crate) fn with_queues(&self, work: impl FnOnce(&mut Queues<QueueKey, Name>) -> Vec<Name>) {
        let (woken, (depth, oldest)) = {
            let mut queues = lock(&self.queues);
            (work(&mut queues), queues.depth())
        };
        for name in woken {
            self.requeue(&name);
        }
        let age = oldest.map(|oldest| time::since(Timestamp::now(), oldest));
        self.shared.metrics.queue(K::KIND, depth, age.unwrap_or_default());
    }

    /// Reads the queues.
    pub(crate) fn queues<T>(&self, read: impl FnOnce(&Queues<QueueKey, Name>) -> T) -> T {
        read(&lock(&self.queues))
    }

    /// The runs that several objects need.
    pub(crate) fn with_shared_runs<T>(&self, work: impl FnOnce(&mut SharedRuns<Name>) -> T) -> T {
        work(&mut lock(&self.shared_runs))
    }

    /// Gives the object the right to change what `key` names, unless another object has it.
    #[must_use]
    pub(crate) fn acquire_exclusive(&self, key: &QueueKey, created: Timestamp, reference: &ObjectRef<K>) -> bool {
        let name = name_of(reference);
        let mut exclusive = lock(&self.exclusive);
        let next = exclusive.leave_other(key, &name);
        let acquired = exclusive.acquire(key, created, &name);
        drop(exclusive);
        if let Some(name) = next {
            self.requeue(&name);
        }
        acquired
    }

    /// The object has finished its change, or does not wait to make one; the next object is requeued.
    pub(crate) fn leave_exclusive(&self, reference: &ObjectRef<K>) {
        let next = lock(&self.exclusive).leave(&name_of(reference));
        if let Some(name) = next {
            self.requeue(&name);
        }
    }

    /// Gives the object the right to start a run of the key, unless another object has it.
    #[must_use]
    pub(crate) fn acquire_key(&self, key: &str, created: Timestamp, reference: &ObjectRef<K>) -> bool {
        lock(&self.keys).acquire(&key.to_owned(), created, &name_of(reference))
    }

    /// The object starts no run of its key now; the next object is requeued.
    pub(crate) fn leave_key(&self, reference: &ObjectRef<K>) {
        let next = lock(&self.keys).leave(&name_of(reference));
        if let Some(name) = next {
            self.requeue(&name);
        }
    }

    /// Requeues the object when it is called.
    pub(crate) fn requeue_later(&self, reference: &ObjectRef<K>) -> impl FnOnce() + Send + use<K> {
        let (requeuer, name) = (self.requeuer.clone(), name_of(reference));
        move || requeuer.requeue(name)
    }

    /// Requeues the object of this name.
    pub(crate) fn requeue(&self, name: &Name) {
        self.requeuer.requeue(name.clone());
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An object's name as queues have it.
pub(crate) fn name_of<K: Kind>(reference: &ObjectRef<K>) -> Name {
    (reference.namespace.clone().unwrap_or_default(), reference.name.clone())
}

fn waiter<K: Kind>(object: &K) -> Waiter {
    Waiter { created: created(object), kind: K::KIND, name: object.name_any() }
}

/// When an object was created.
pub(crate) fn created<K: Kind>(object: &K) -> Timestamp {
    object.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |created| created.0)
}

/// What the objects of one queue wait for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueKey {
    /// The AWS client.
    pub client: Glue,
    /// The job, the crawler or the workflow.
    pub target: String,
}

impl Target for QueueKey {
    fn name(&self) -> &str {
        &self.target
    }

    fn has_same_places(&self, other: &Self) -> bool {
        self.target == other.target && self.client.is_of_same_account(&other.client)
    }
}
