//! One pass over one object, for every kind: gathers what is known, writes what the plan says, takes its step,
//! plans again, until the plan says to rest.
//!
//! The status is written first, when it differs, on the resource version that it was decided on; only then is
//! the step taken. So whatever must stand in the object before something is sent to Glue stands there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::ResourceExt;
use kube::runtime::controller::Action;
use tracing::{debug, warn};

use super::context::Context;
use super::events;
use super::kind::Kind;
use super::lifecycle::Lifecycle;
use super::pass::Pass;
use super::patch::{self, WriteError};
use super::step::{Plan, Step};
use crate::api::credentials::AwsIdentity;
use crate::glue::Glue;
use crate::glue::identity::Caller;

/// How many steps one pass may take: far more than any life needs, so that a mistake cannot spin.
const MAX_STEPS: usize = 32;
/// The pause after a write that the API server did not take.
const WRITE_AGAIN: Duration = Duration::from_secs(2);
/// The longest pause while an object is being deleted: somebody waits for it.
const DELETING_AGAIN: Duration = Duration::from_secs(15);

/// One pass over one object.
pub async fn reconcile<K: Kind>(object: Arc<K>, context: Arc<Context<K>>) -> Result<Action, WriteError> {
    let started = Instant::now();
    let result = Pass::<K>::new(&object, &context, K::Lifecycle::begin).run().await;
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
    let pause = context.local_states.with(&object.uid().unwrap_or_default(), |local| local.backoff.next());
    warn!(
        namespace = object.namespace(),
        name = object.name_any(),
        error = error as &dyn std::error::Error,
        "the object could not be written; it is tried again"
    );
    context.shared.metrics.reconcile_failed(K::KIND, "write");
    Action::requeue(pause)
}

impl<K: Kind> Pass<'_, K> {
    async fn run(mut self) -> Result<(Action, u32), WriteError> {
        let version = self.object.resource_version().and_then(|version| version.parse::<u64>().ok());
        if version < self.with_local(|local| local.written) {
            // The cache has not seen our own last write yet; the event that brings it wakes us again.
            return Ok((Action::requeue(WRITE_AGAIN), 0));
        }
        for _ in 0..MAX_STEPS {
            self.connect().await;
            let Plan { status, step } = K::Lifecycle::plan(&mut self);
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
        if self.connection.is_some() || K::Lifecycle::is_finished(&self.object) || (deleting && !self.has_finalizer()) {
            return;
        }
        let namespace = self.object.namespace().unwrap_or_default();
        let dependent = (self.reference.clone(), self.uid.clone());
        for secret in Context::secrets_of(&self.object) {
            self.context.dependents.add(secret, &dependent);
        }
        let shared = &self.context.shared;
        let resolver = &shared.resolver;
        let found = resolver.client(&namespace, self.object.aws(), deleting).await;
        self.connection = Some(found);
        self.inputs = Some(self.object.inputs(&shared.client, &shared.settings).await);
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
        let records_intent = K::Lifecycle::records_intent(before.as_ref(), &status);
        if records_intent && let Some(client) = self.client() {
            // The budget comes before the intent, so that nothing waits between the intent and what is sent.
            client.ready_to_start().await;
            self.intended = Some(Instant::now());
        }
        let written = patch::status(&self.api, &self.object, &status).await?;
        self.took(written, "status");
        self.fresh_intent |= records_intent;
        K::Lifecycle::on_status_written(self, before.as_ref());
        Ok(true)
    }

    /// Takes one step. An action ends the pass; none means: plan again.
    async fn take(&mut self, step: Step<<K::Lifecycle as Lifecycle<K>>::Call>) -> Result<Option<Action>, WriteError> {
        match step {
            Step::AddFinalizer => {
                let written = patch::finalizer(&self.api, &self.object, true).await?;
                self.took(written, "metadata");
                Ok(None)
            }
            Step::Annotate(mark) => {
                let written = patch::mark(&self.api, &self.object, mark).await?;
                self.took(written, "metadata");
                Ok(None)
            }
            Step::RemoveFinalizer { left_behind } => self.release(left_behind).await,
            Step::Call(act) if K::Lifecycle::is_non_idempotent(&act) && !self.may_send() => {
                Ok(Some(Action::requeue(WRITE_AGAIN)))
            }
            Step::Call(act) => {
                K::Lifecycle::act(self, act).await;
                Ok(None)
            }
            Step::Delete => {
                patch::delete(&self.api, &self.object).await?;
                Ok(Some(Action::await_change()))
            }
            Step::Backoff => {
                let pause = self.with_local(|local| local.backoff.remaining().unwrap_or_else(|| local.backoff.next()));
                let deleting = self.object.meta().deletion_timestamp.is_some();
                Ok(Some(Action::requeue(if deleting { pause.min(DELETING_AGAIN) } else { pause })))
            }
            Step::AwaitChange => {
                K::Lifecycle::on_idle(self);
                Ok(Some(Action::await_change()))
            }
            Step::RequeueAfter(pause) => {
                K::Lifecycle::on_idle(self);
                Ok(Some(Action::requeue(pause)))
            }
        }
    }

    async fn release(&mut self, left_behind: Option<String>) -> Result<Option<Action>, WriteError> {
        if let Some(thing) = left_behind {
            let name = format!("{} {}/{}", K::KIND, self.object.namespace().unwrap_or_default(), self.reference.name);
            let fate = K::Lifecycle::left_behind(&thing);
            warn!(
                namespace = self.reference.namespace,
                name = self.reference.name,
                left_behind = thing,
                "let go with something left behind in Glue"
            );
            self.tell(events::left_behind(&name, &fate));
        }
        let deleting = self.object.meta().deletion_timestamp.is_some();
        let written = patch::finalizer(&self.api, &self.object, false).await?;
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
