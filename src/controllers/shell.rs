//! One pass over one object, for every kind: gathers what is known, writes what the plan says, takes its step,
//! plans again, until the plan says to rest.
//!
//! The status is written first, when it differs, on the resource version that it was decided on; only then is
//! the step taken. So whatever must stand in the object before something is sent to Glue stands there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::controller::Action;
use kube::runtime::events::Event;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use tracing::{debug, warn};

use super::context::{Context, Place};
use super::events;
use super::kind::{Kind, Learnt, Life, Remembered};
use super::memory::Memory;
use super::problem::Problem;
use super::step::{Plan, Step};
use super::writes::{self, WriteError};
use crate::api::credentials::AwsIdentity;
use crate::glue::Glue;
use crate::glue::aws::Caller;

/// How many steps one pass may take: far more than any life needs, so that a mistake cannot spin.
const MAX_STEPS: usize = 32;
/// The pause after a write that the API server did not take.
pub(super) const WRITE_AGAIN: Duration = Duration::from_secs(2);
/// The longest pause while an object is being deleted: somebody waits for it.
const DELETING_AGAIN: Duration = Duration::from_secs(15);

/// One pass over one object.
pub async fn reconcile<K: Kind>(object: Arc<K>, context: Arc<Context<K>>) -> Result<Action, WriteError> {
    let started = Instant::now();
    let result = Pass::<K>::new(&object, &context).run().await;
    let outcome = match &result {
        Ok((_, writes)) if *writes > 0 => "changed",
        Ok(_) => "unchanged",
        Err(_) => "error",
    };
    context.shared.metrics.reconciled(K::KIND, outcome, started.elapsed());
    result.map(|(action, _)| action)
}

/// What is done about a pass that failed on the API server's side.
#[allow(clippy::needless_pass_by_value, reason = "the signature is kube's")]
pub fn error_policy<K: Kind>(object: Arc<K>, error: &WriteError, context: Arc<Context<K>>) -> Action {
    if matches!(error, WriteError::Conflict) {
        // The watch brings the newer object; this is for the case that it does not.
        return Action::requeue(WRITE_AGAIN);
    }
    let pause = context.memories.with(&object.uid().unwrap_or_default(), |memory| memory.patience.failed());
    warn!(
        namespace = object.namespace(),
        name = object.name_any(),
        error = error as &dyn std::error::Error,
        "the object could not be written; it is tried again"
    );
    context.shared.metrics.reconcile_failed(K::KIND, "write");
    Action::requeue(pause)
}

/// One pass: the object as it stands by now, and what was learnt on the way.
pub struct Pass<'a, K: Kind> {
    /// What all objects of the kind share.
    pub context: &'a Context<K>,
    /// The object.
    pub object: K,
    /// Its name, as poller and lines know it.
    pub reference: ObjectRef<K>,
    /// What was learnt so far.
    pub learnt: Learnt<K>,
    api: Api<K>,
    uid: String,
    client: Option<Result<Glue, Problem>>,
    inputs: Option<Result<K::Inputs, Problem>>,
    /// When the write of the fresh intent was begun.
    intended: Option<Instant>,
    writes: u32,
}

impl<'a, K: Kind> Pass<'a, K> {
    fn new(object: &K, context: &'a Context<K>) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        let uid = object.uid().unwrap_or_default();
        Self {
            learnt: context.memories.with(&uid, |memory| K::Life::begin(object, &mut memory.own)),
            context,
            api: Api::namespaced(context.shared.client.clone(), &namespace),
            object: object.clone(),
            uid,
            reference: ObjectRef::from_obj(object),
            client: None,
            inputs: None,
            intended: None,
            writes: 0,
        }
    }

    async fn run(mut self) -> Result<(Action, u32), WriteError> {
        let version = self.object.resource_version().and_then(|version| version.parse::<u64>().ok());
        if version < self.remember(|memory| memory.written) {
            // The cache has not seen our own last write yet; the event that brings it wakes us again.
            return Ok((Action::requeue(WRITE_AGAIN), 0));
        }
        for _ in 0..MAX_STEPS {
            self.connect().await;
            let Plan { status, step } = K::Life::plan(&mut self);
            if self.write(status).await? {
                continue;
            }
            debug!(namespace = self.reference.namespace, name = self.reference.name, ?step, "next step");
            if let Some(action) = self.take(step).await? {
                return Ok((action, self.writes));
            }
        }
        warn!(namespace = self.reference.namespace, name = self.reference.name, "a pass did not come to rest");
        Ok((Action::requeue(Duration::from_mins(1)), self.writes))
    }

    /// Finds the client and reads the inputs, for objects that may need them.
    async fn connect(&mut self) {
        let deleting = self.object.meta().deletion_timestamp.is_some();
        if self.client.is_some() || K::Life::is_over(&self.object) || (deleting && !self.has_finalizer()) {
            return;
        }
        let namespace = self.object.namespace().unwrap_or_default();
        let dependent = (self.reference.clone(), self.uid.clone());
        for secret in Context::secrets_of(&self.object) {
            self.context.dependents.add(secret, &dependent);
        }
        let shared = &self.context.shared;
        let access = &shared.access;
        self.client = Some(access.client(&namespace, self.object.credentials(), self.object.region(), deleting).await);
        self.inputs = Some(self.object.inputs(&shared.client, &shared.settings).await);
    }

    /// The client, when there is one.
    pub fn client(&self) -> Option<&Glue> {
        self.client.as_ref().and_then(|client| client.as_ref().ok())
    }

    /// Why there is none.
    pub fn blocked(&self) -> Option<&Problem> {
        self.client.as_ref().and_then(|client| client.as_ref().err())
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
        writes::has_finalizer(self.object.meta())
    }

    /// When the object was created.
    pub fn created(&self) -> Timestamp {
        self.object.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |created| created.0)
    }

    /// `target` for this object's client.
    pub fn place(&self, target: &str) -> Option<Place> {
        self.client().map(|client| Place { client: client.clone(), target: target.to_owned() })
    }

    /// Works on what is remembered of the object.
    pub fn remember<T>(&self, work: impl FnOnce(&mut Memory<Remembered<K>>) -> T) -> T {
        self.context.memories.with(&self.uid, work)
    }

    /// The time by which statuses are written: without fractions, since with them a status would differ from
    /// itself.
    #[must_use]
    pub fn now() -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// Whether what this pass has written the intent for may still be sent: in time, and with the lease held at
    /// this very moment.
    pub fn may_send(&self) -> bool {
        let timely = self.intended.is_some_and(|at| at.elapsed() < self.context.shared.settings.start_settle / 2);
        timely && self.context.shared.leadership.holds()
    }

    /// Writes the status, unless it stands there already. Whether it was written.
    async fn write(&mut self, mut status: K::Status) -> Result<bool, WriteError> {
        if self.object.status() == Some(&status) {
            return Ok(false);
        }
        // As whom we are known goes along with what is written anyway; it is worth no write of its own.
        let known = self
            .client()
            .and_then(Glue::caller)
            .map(|Caller { account_id, principal_arn }| AwsIdentity { account_id, principal_arn });
        if known.is_some() {
            *K::identity(&mut status) = known;
        }
        let before = self.object.status().cloned();
        if K::Life::intends(before.as_ref(), &status)
            && let Some(client) = self.client()
        {
            // The budget comes before the intent, so that nothing waits between the intent and what is sent.
            client.ready_to_start().await;
            self.intended = Some(Instant::now());
        }
        let written = writes::status(&self.api, &self.object, &status).await?;
        self.took(written, "status");
        K::Life::wrote(self, before.as_ref());
        Ok(true)
    }

    fn took(&mut self, written: K, part: &'static str) {
        let version = written.resource_version().and_then(|version| version.parse().ok());
        self.remember(|memory| memory.written = version);
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

    /// Takes one step. An action ends the pass; none means: plan again.
    async fn take(&mut self, step: Step<<K::Life as Life<K>>::Act>) -> Result<Option<Action>, WriteError> {
        match step {
            Step::Hold => {
                let written = writes::finalizer(&self.api, &self.object, true).await?;
                self.took(written, "metadata");
                Ok(None)
            }
            Step::Release { left_behind } => self.release(left_behind).await,
            Step::Act(act) => Ok(K::Life::act(self, act).await),
            Step::Delete => {
                writes::delete(&self.api, &self.object).await?;
                Ok(Some(Action::await_change()))
            }
            Step::Retry => {
                let pause = self.remember(|memory| memory.patience.rest().unwrap_or_else(|| memory.patience.failed()));
                let deleting = self.object.meta().deletion_timestamp.is_some();
                Ok(Some(Action::requeue(if deleting { pause.min(DELETING_AGAIN) } else { pause })))
            }
            Step::Rest(after) => {
                K::Life::rests(self);
                Ok(Some(after.map_or_else(Action::await_change, Action::requeue)))
            }
        }
    }

    async fn release(&mut self, left_behind: Option<String>) -> Result<Option<Action>, WriteError> {
        if let Some(thing) = left_behind {
            let name = format!("{} {}/{}", K::KIND, self.object.namespace().unwrap_or_default(), self.reference.name);
            let fate = K::Life::left_behind(&thing);
            warn!(
                namespace = self.reference.namespace,
                name = self.reference.name,
                left_behind = thing,
                "let go with something left behind in Glue"
            );
            self.tell(events::left_behind(&name, &fate));
        }
        let deleting = self.object.meta().deletion_timestamp.is_some();
        let written = writes::finalizer(&self.api, &self.object, false).await?;
        self.took(written, "metadata");
        if deleting {
            // What is remembered stays until the watch tells of the end: a cache that lags behind would have
            // the run stopped once more.
            self.context.let_go(&self.object);
            return Ok(Some(Action::await_change()));
        }
        Ok(None)
    }
}
