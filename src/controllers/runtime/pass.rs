//! One pass over one object: the object as it stands by now, and what was learnt on the way.

use std::time::Instant;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::Event;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};

use super::context::{self, Context, QueueKey};
use super::credentials::resolver::ResolvedClient;
use super::kind::Kind;
use super::local_state::LocalState;
use super::patch;
use super::problem::Problem;
use crate::glue::{Error, Glue};

/// One pass: the object as it stands by now, and what was learnt on the way.
pub struct Pass<'a, K: Kind> {
    /// What all objects of the kind share.
    pub context: &'a Context<K>,
    /// The object.
    pub object: K,
    /// Its name, as poller and lines know it.
    pub reference: ObjectRef<K>,
    /// What was learnt so far.
    pub state: K::PassState,
    pub(crate) api: Api<K>,
    pub(crate) uid: String,
    pub(crate) connection: Option<Result<ResolvedClient, Problem>>,
    pub(crate) inputs: Option<Result<K::Inputs, Problem>>,
    /// What the last act of this pass was refused for.
    pub problem: Option<Problem>,
    /// Others have to go first.
    pub behind: bool,
    /// The intent that stands in the status was written by this pass, and nothing was sent since.
    pub fresh_intent: bool,
    /// When the write of that intent was begun.
    pub(crate) intended: Option<Instant>,
    pub(crate) writes: u32,
}

impl<'a, K: Kind> Pass<'a, K> {
    pub(crate) fn new(object: &K, context: &'a Context<K>, begin: fn(&K, &mut K::LocalState) -> K::PassState) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        let uid = object.uid().unwrap_or_default();
        Self {
            state: context.local_states.with(&uid, |local| begin(object, &mut local.kind_state)),
            context,
            api: Api::namespaced(context.shared.client.clone(), &namespace),
            object: object.clone(),
            uid,
            reference: ObjectRef::from_obj(object),
            connection: None,
            inputs: None,
            problem: None,
            behind: false,
            fresh_intent: false,
            intended: None,
            writes: 0,
        }
    }

    /// The client, when there is one.
    pub fn client(&self) -> Option<&Glue> {
        self.connection().map(|connection| &connection.client)
    }

    fn connection(&self) -> Option<&ResolvedClient> {
        self.connection.as_ref().and_then(|connection| connection.as_ref().ok())
    }

    /// What AWS answered, in words for whom this object belongs to.
    pub fn explain(&self, error: &Error) -> Problem {
        Problem::of(error, self.connection().map(|connection| &*connection.provenance))
    }

    /// Why there is none.
    pub fn blocked(&self) -> Option<&Problem> {
        self.connection.as_ref().and_then(|connection| connection.as_ref().err())
    }

    /// The inputs, when they could be read.
    pub fn inputs(&self) -> Option<&K::Inputs> {
        self.inputs.as_ref().and_then(|inputs| inputs.as_ref().ok())
    }

    /// Why they could not.
    pub fn unprepared(&self) -> Option<&Problem> {
        self.inputs.as_ref().and_then(|inputs| inputs.as_ref().err())
    }

    /// Whether our finalizer is on the object.
    pub fn has_finalizer(&self) -> bool {
        patch::has_finalizer(self.object.meta())
    }

    /// When the object was created.
    pub fn created(&self) -> Timestamp {
        context::created(&self.object)
    }

    /// `target` for this object's client.
    pub fn place(&self, target: &str) -> Option<QueueKey> {
        self.client().map(|client| QueueKey { client: client.clone(), target: target.to_owned() })
    }

    /// Works on what is remembered of the object.
    pub fn with_local<T>(&self, work: impl FnOnce(&mut LocalState<K::LocalState>) -> T) -> T {
        self.context.local_states.with(&self.uid, work)
    }

    /// Whether what must not be sent twice may be sent: right after this pass has written the intent, in time, and
    /// with the lease held at this very moment.
    pub(crate) fn may_send(&self) -> bool {
        let timely = self.intended.is_some_and(|at| at.elapsed() < self.context.shared.settings.send_within());
        self.fresh_intent && timely && self.context.shared.leadership.holds()
    }

    /// Takes in the object as the API server has it after a write of ours.
    pub(crate) fn took(&mut self, written: K, part: &'static str) {
        let version = written.resource_version().and_then(|version| version.parse().ok());
        self.with_local(|local| local.written = version);
        self.context.shared.metrics.object_written(K::KIND, part);
        self.object = written;
        self.writes += 1;
    }

    /// Files an event about the object.
    pub fn tell(&self, event: Event) {
        self.context.shared.events.tell(self.object_reference(), event);
    }

    fn object_reference(&self) -> ObjectReference {
        self.object.object_ref(&())
    }
}
