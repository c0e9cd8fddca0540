//! The state of one pass over one object.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::Event;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use tokio::time::Instant;

use super::context::{self, Context, QueueKey};
use super::credentials::resolver::ResolvedClient;
use super::facts::CommonFacts;
use super::failure_log::Request;
use super::kind::{Inputs, Item, Kind};
use super::lifecycle::{Earlier, Lifecycle};
use super::local_state::{self, LocalState};
use super::problem::Problem;
use super::start_once::StartOutcome;
use super::{cache_size, patch, time};
use crate::glue::identity::Provenance;
use crate::glue::logs::failure::FailureSource;
use crate::glue::{Error, Glue};
use crate::redaction::{Redactor, Sensitive, Withheld};

/// One pass: the object as it is by now, and what was observed on the way.
pub struct Pass<'a, K: Kind> {
    /// What the objects of the kind share.
    pub context: &'a Context<K>,
    /// The object.
    pub object: K,
    /// Its name, as the poller and the queues know it.
    pub reference: ObjectRef<K>,
    /// What this pass has observed.
    pub state: K::PassState,
    pub(super) api: Api<K>,
    pub(super) uid: String,
    pub(super) client: Option<Result<ResolvedClient, Problem>>,
    pub(super) inputs: Option<Result<K::Inputs, Problem>>,
    /// Why AWS refused the last call of this pass.
    pub problem: Option<Problem>,
    /// What the last plan knew of other items that the object waits for.
    pub related: Vec<Item<K>>,
    /// Whether other objects come first.
    pub behind: bool,
    /// Whether this pass wrote the intent in the status and has sent nothing since.
    pub(super) fresh_intent: bool,
    /// When the write of that intent began.
    pub(super) intended: Option<Instant>,
    pub(super) writes: u32,
    /// After which time the status gets the words of this process.
    pub(super) reword_after: Option<Duration>,
}

impl<'a, K: Kind> Pass<'a, K> {
    pub(super) fn new(object: &K, context: &'a Context<K>) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        let uid = object.uid().unwrap_or_default();
        let state = context.local_states.with(&uid, |local| {
            observe_intent(object, local);
            let trace = local.was_done || patch::has_finalizer(object.meta()) && !local.finalizer_is_own;
            let earlier = Earlier { outcome: local.intent.outcome(), trace };
            K::Lifecycle::begin_pass(object, &mut local.kind_state, earlier)
        });
        Self {
            state,
            context,
            api: Api::namespaced(context.shared.client.clone(), &namespace),
            object: object.clone(),
            uid,
            reference: ObjectRef::from_obj(object),
            client: None,
            inputs: None,
            problem: None,
            related: Vec::new(),
            behind: false,
            fresh_intent: false,
            intended: None,
            writes: 0,
            reword_after: None,
        }
    }

    /// The client, when there is one.
    pub fn client(&self) -> Option<&Glue> {
        self.resolved().map(|resolved| &resolved.client)
    }

    /// Where the object's credentials come from.
    pub fn provenance(&self) -> Option<&Provenance> {
        self.resolved().map(|resolved| &*resolved.provenance)
    }

    fn resolved(&self) -> Option<&ResolvedClient> {
        self.client.as_ref().and_then(|client| client.as_ref().ok())
    }

    /// AWS's error, with the remedy for the owner of this object's credentials. The request did not contain values from
    /// Secrets.
    pub fn explain(&self, error: &Error) -> Problem {
        let redactor = self.redactor(Ok(Vec::new()));
        Problem::of(&error.clone().hidden(&redactor), self.provenance())
    }

    /// What removes from AWS's words the values from Secrets that this object has, or had before. `given` are more of
    /// them, or why they are not known.
    pub fn redactor(&self, given: Result<Vec<Sensitive>, Withheld>) -> Redactor {
        let (given, unknown) = match given {
            Ok(given) => (given, None),
            Err(unknown) => (Vec::new(), Some(unknown)),
        };
        let current = self.inputs().map(Inputs::sensitive).unwrap_or_default();
        let is_unread = self.inputs().is_none() && !K::Inputs::secrets(&self.object).is_empty();
        self.with_local(|local| {
            let seen = &local.seen_secrets;
            let unknown = unknown
                .or(is_unread.then_some(Withheld::Unreadable))
                .or((!seen.is_complete()).then_some(Withheld::UnknownVersion));
            Redactor::new(current.iter().chain(seen.values()).chain(&given)).withholding(unknown)
        })
    }

    /// Why there is no client.
    pub fn credentials_problem(&self) -> Option<&Problem> {
        self.client.as_ref().and_then(|client| client.as_ref().err())
    }

    /// The inputs, when they could be read.
    pub fn inputs(&self) -> Option<&K::Inputs> {
        self.inputs.as_ref().and_then(|inputs| inputs.as_ref().ok())
    }

    fn inputs_problem(&self) -> Option<&Problem> {
        self.inputs.as_ref().and_then(|inputs| inputs.as_ref().err())
    }

    /// When the object was created.
    pub fn created(&self) -> Timestamp {
        context::created(&self.object)
    }

    /// The queue of `target` for this object's client.
    pub fn queue_key(&self, target: &str) -> Option<QueueKey> {
        self.client().map(|client| QueueKey { client: client.clone(), target: target.to_owned() })
    }

    /// Works on what the process keeps about the object.
    pub fn with_local<T>(&self, work: impl FnOnce(&mut LocalState<K::LocalState>) -> T) -> T {
        self.context.local_states.with(&self.uid, work)
    }

    /// For how long this process has known of the intent in the status.
    pub fn intent_age(&self) -> Duration {
        self.with_local(|local| observe_intent(&self.object, local))
    }

    /// Keeps the outcome of the start until the status records it.
    pub fn record_outcome(&self, outcome: &StartOutcome) {
        self.with_local(|local| local.intent.record(outcome));
    }

    /// The facts that every plan needs; `poll_error` is that of the last poll.
    pub fn common_facts(&self, poll_error: Option<&Error>) -> CommonFacts<'_> {
        let settings = &self.context.shared.settings;
        CommonFacts {
            now: time::now(),
            meta: self.object.meta(),
            leading: self.context.shared.leadership.holds(),
            credentials_problem: self.credentials_problem().cloned(),
            inputs_problem: self.inputs_problem().cloned(),
            poll_problem: poll_error.map(|error| self.explain(error)),
            fresh_intent: self.fresh_intent,
            intent_age: self.intent_age(),
            backoff: self.with_local(|local| local.backoff.remaining()),
            settle: settings.start_settle,
            deletion_timeout: settings.deletion_timeout,
        }
    }

    /// Whether a call that must not be sent twice may be sent: this pass wrote the intent, in time, and holds the lease
    /// at this moment.
    pub(super) fn may_send(&self) -> bool {
        let timely = self.intended.is_some_and(|at| at.elapsed() < self.context.shared.settings.send_within());
        self.fresh_intent && timely && self.context.shared.leadership.holds()
    }

    /// Takes the object as the API server has it after our write.
    pub(super) fn on_written(&mut self, mut written: K, part: &'static str) {
        cache_size::strip_metadata(written.meta_mut());
        self.with_local(|local| local.expected_version = local_state::version(&written));
        self.context.shared.metrics.object_written(K::KIND, part);
        self.object = written;
        self.writes += 1;
    }

    /// Whether our finalizer is on the object.
    pub fn has_finalizer(&self) -> bool {
        patch::has_finalizer(self.object.meta())
    }

    /// Whether the object is being deleted.
    pub(super) fn is_deleting(&self) -> bool {
        self.object.meta().deletion_timestamp.is_some()
    }

    /// Files an Event about the object.
    pub fn publish(&self, event: Event) {
        self.context.shared.events.publish(self.object_reference(), event);
    }

    /// Has the log of the failed run read in the background.
    pub fn request_failure_log(&self, client: Glue, source: FailureSource, redactor: Redactor) {
        let request = Request::new(client, source, redactor, self.object_reference(), self.api.clone());
        self.context.shared.failure_logs.request(request);
    }

    fn object_reference(&self) -> ObjectReference {
        self.object.object_ref(&())
    }
}

fn observe_intent<K: Kind>(object: &K, local: &mut LocalState<K::LocalState>) -> Duration {
    let intent = object.status().and_then(K::Lifecycle::intent);
    local.intent.observe(intent.as_ref(), Instant::now())
}
