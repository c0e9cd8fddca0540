//! One pass over one object, for every kind: observe, plan, write the status, take one step, plan again, until the plan
//! waits for a change.
//!
//! The status is written first, when it differs, on the resource version that it was decided on. Only then is the step
//! taken. So whatever must be in the object before a call is sent is there.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kube::ResourceExt;
use tokio::time::Instant;
use tracing::{debug, warn};

use super::cache_size;
use super::context::Context;
use super::events;
use super::kind::{Inputs, Kind};
use super::lifecycle::Lifecycle;
use super::local_state::{self, Stale};
use super::pass::Pass;
use super::patch::{self, WriteError};
use super::problem::Problem;
use super::reason::Reason;
use super::start_once::records_intent;
use super::step::{Plan, Step};
use super::wording::only_words_differ;
use crate::api::credentials::AwsIdentity;
use crate::glue::Glue;
use crate::glue::identity::CallerIdentity;
use crate::glue::rate_limiter::Place;

/// The most steps of one pass. No plan needs nearly as many: it ends a loop that a defect would cause.
pub(crate) const MAX_STEPS: usize = 32;
/// The pause after a write that the API server refused.
pub(crate) const WRITE_AGAIN: Duration = Duration::from_secs(2);
/// The longest pause while an object is being deleted: somebody waits for it.
const DELETING_AGAIN: Duration = Duration::from_secs(15);

/// When an object is reconciled again, if nothing changes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Not by itself.
    AwaitChange,
    /// After this time.
    RequeueAfter(Duration),
}

impl Action {
    /// The same, but after this time at the latest.
    #[must_use]
    pub fn within(self, most: Duration) -> Self {
        match self {
            Self::AwaitChange => Self::RequeueAfter(most),
            Self::RequeueAfter(after) => Self::RequeueAfter(after.min(most)),
        }
    }
}

/// Reconciles one object.
pub async fn reconcile<K: Kind>(object: Arc<K>, context: Arc<Context<K>>) -> Action {
    let started = Instant::now();
    let object = if cache_size::is_whole(&*object) {
        object
    } else {
        match cache_size::read_whole(&*object, &context.shared.client, &context.whole_objects).boxed().await {
            Ok(whole) => Arc::new(whole),
            Err(error) => return after_refused_write(&*object, &error, &*context),
        }
    };
    let result = Pass::<K>::new(&*object, &*context).run().await;
    let outcome = match &result {
        Ok((_, writes)) if *writes > 0 => "changed",
        Ok(_) => "unchanged",
        Err(_) => "error",
    };
    context.shared.metrics.reconciled(K::KIND, outcome, started.elapsed());
    match result {
        Ok((action, _)) => action,
        Err(error) => after_refused_write(&*object, &error, &*context),
    }
}

/// The time until the next pass after this pause: a short one for an object that is being deleted.
pub(crate) fn until_next_pass(pause: Duration, is_deleting: bool) -> Duration {
    if is_deleting { pause.min(DELETING_AGAIN) } else { pause }
}

/// What follows when the API server refused a write, or the read of a large object.
fn after_refused_write<K: Kind>(object: &K, error: &WriteError, context: &Context<K>) -> Action {
    if matches!(error, WriteError::Conflict) {
        // The watch delivers the newer object; this is for the case that it does not.
        debug!(namespace = object.namespace(), name = object.name_any(), "the object changed during the pass");
        return Action::RequeueAfter(WRITE_AGAIN);
    }
    let pause = context.local_states.with(&object.uid().unwrap_or_default(), |local| local.backoff.next_pause());
    warn!(
        namespace = object.namespace(),
        name = object.name_any(),
        error = error as &dyn std::error::Error,
        "the API server refused a request about the object; retrying"
    );
    context.shared.metrics.reconcile_failed(K::KIND, "write");
    Action::RequeueAfter(until_next_pass(pause, object.meta().deletion_timestamp.is_some()))
}

/// What became of a status.
enum StatusWrite {
    /// The object has it already.
    Unchanged,
    Written,
    /// It is not written before the rate limiter allows a start, which requeues the object.
    RateLimited,
}

impl<K: Kind> Pass<'_, K> {
    async fn run(mut self) -> Result<(Action, u32), WriteError> {
        match self.context.local_states.stale(&self.uid, local_state::version(&self.object)) {
            None => {}
            // The event that brings our last write requeues the object.
            Some(Stale::Written) => return Ok((Action::RequeueAfter(WRITE_AGAIN), 0)),
            Some(Stale::Forgotten) => return Ok((Action::AwaitChange, 0)),
        }
        let result = self.take_steps().await;
        K::Lifecycle::on_pass_end(&self, result.is_ok());
        let (action, writes) = result?;
        Ok((self.reword_after.map_or(action, |after| action.within(after)), writes))
    }

    async fn take_steps(&mut self) -> Result<(Action, u32), WriteError> {
        for _ in 0..MAX_STEPS {
            self.resolve().await;
            let Plan { status, step } = K::Lifecycle::plan(self);
            let before = self.context.shared.lineage.is_enabled().then(|| self.object.status().cloned());
            let write = self.write_status(status).await?;
            if let Some(before) = before.filter(|_| !matches!(write, StatusWrite::RateLimited)) {
                self.report_runs(before.as_ref());
            }
            match write {
                StatusWrite::Unchanged => {}
                StatusWrite::Written => continue,
                StatusWrite::RateLimited => return Ok((Action::AwaitChange, self.writes)),
            }
            debug!(namespace = self.reference.namespace, name = self.reference.name, ?step, "next step");
            if let Some(action) = self.take(step).await? {
                // It starts nothing now: another object gets its token.
                self.with_local(|local| local.start_place = None);
                return Ok((action, self.writes));
            }
        }
        warn!(namespace = self.reference.namespace, name = self.reference.name, "the pass took too many steps");
        Ok((Action::RequeueAfter(Duration::from_mins(1)), self.writes))
    }

    /// Resolves the client and reads the inputs, for objects that may need them.
    async fn resolve(&mut self) {
        let deleting = self.is_deleting();
        let is_finished = K::Lifecycle::is_finished(&self.object);
        if is_finished {
            self.with_local(|local| local.seen_secrets.clear());
        }
        if self.client.is_some() || is_finished || (deleting && !self.has_finalizer()) {
            return;
        }
        let namespace = self.object.namespace().unwrap_or_default();
        let dependent = (self.reference.clone(), self.uid.clone());
        for secret in Context::secrets_of(&self.object) {
            self.context.dependents.add(secret, &dependent);
        }
        let shared = &self.context.shared;
        let client = shared.resolver.client(&namespace, self.object.aws(), deleting).boxed().await;
        self.wait_for_client(client.as_ref().err());
        self.client = Some(client);
        let glue = self.client();
        let inputs = K::Inputs::read(&self.object, &shared.client, glue, &shared.settings).boxed().await;
        if let Ok(inputs) = &inputs {
            let are_applied = inputs.are_applied(&self.object);
            self.with_local(|local| local.seen_secrets.observe(inputs.sensitive(), are_applied));
        }
        self.inputs = Some(inputs.and_then(|inputs| {
            let origin = self.provenance().map(|provenance| &provenance.credentials);
            let refusal = origin.and_then(|origin| inputs.refusal(&namespace, origin, &shared.settings.identity_rules));
            refusal.map_or(Ok(inputs), Err)
        }));
    }

    /// Has the object requeued when its namespace may have one more client, where that is the problem.
    fn wait_for_client(&self, problem: Option<&Problem>) {
        let waits = problem.is_some_and(|problem| problem.reason == Reason::TooManyIdentities);
        let waited = self.with_local(|local| std::mem::replace(&mut local.awaits_client, waits));
        if waits {
            self.context.wait_for_client(&self.object);
        } else if waited {
            self.context.stop_waiting_for_client(&self.object);
            // The pause was that of the wait.
            self.with_local(|local| local.backoff.reset());
        }
    }

    /// Writes the status unless the object has it already, or it records an intent and the rate limiter allows no start
    /// now. The pass does not wait for the rate limiter, so that its object can be stopped and deleted meanwhile.
    async fn write_status(&mut self, mut status: K::Status) -> Result<StatusWrite, WriteError> {
        if self.object.status() == Some(&status) {
            self.with_local(|local| local.wording.is_as_planned());
            return Ok(StatusWrite::Unchanged);
        }
        let only_words = || self.object.status().is_some_and(|before| only_words_differ(before, &status));
        let postponed = self.with_local(|local| local.wording.postpone(only_words, Instant::now(), fastrand::f64()));
        if postponed.is_some() {
            self.reword_after = postponed;
            return Ok(StatusWrite::Unchanged);
        }
        // The caller identity is written only with another change.
        let known = self
            .client()
            .and_then(Glue::caller_identity)
            .map(|CallerIdentity { account_id, principal_arn }| AwsIdentity { account_id, principal_arn });
        if known.is_some() {
            *K::identity(&mut status) = known;
        }
        let before = self.object.status().cloned();
        let intent = |status: Option<&K::Status>| status.and_then(K::Lifecycle::intent);
        let intends = records_intent(intent(before.as_ref()).as_ref(), intent(Some(&status)).as_ref());
        // The rate limiter comes before the intent, so that nothing waits between the intent and the call.
        let place = if intends { self.place_for_start() } else { None };
        if let Some(waiting) = place.as_ref().filter(|place| !place.is_granted()) {
            waiting.on_granted(self.context.requeue_later(&self.reference));
            self.with_local(|local| local.start_place = place);
            return Ok(StatusWrite::RateLimited);
        }
        self.intended = place.is_some().then(Instant::now).or(self.intended);
        // A write that fails returns the token.
        let written = patch::status(&self.api, &self.object, &status).await?;
        if let Some(place) = place {
            place.take();
        }
        self.on_written(written, "status");
        self.fresh_intent |= intends;
        K::Lifecycle::on_status_written(self, before.as_ref());
        Ok(StatusWrite::Written)
    }

    /// The object's place in the queue for starts: that of an earlier pass, if it is one with the client of this pass.
    fn place_for_start(&self) -> Option<Place> {
        let client = self.client()?;
        Some(client.queue_for_start(self.with_local(|local| local.start_place.take())))
    }

    /// Takes one step. An action ends the pass; `None` means: plan again.
    async fn take(&mut self, step: Step<<K::Lifecycle as Lifecycle<K>>::Call>) -> Result<Option<Action>, WriteError> {
        match step {
            Step::AddFinalizer => {
                let written = patch::finalizer(&self.api, &self.object, true).await?;
                self.on_written(written, "metadata");
                self.with_local(|local| local.finalizer_is_own = true);
                Ok(None)
            }
            Step::Annotate(annotation) => {
                let written = patch::annotation(&self.api, &self.object, annotation).await?;
                self.on_written(written, "metadata");
                Ok(None)
            }
            Step::RemoveFinalizer { left_behind } => self.remove_finalizer(left_behind).await,
            Step::Call(call) => {
                if K::Lifecycle::is_non_idempotent(&call) {
                    if !self.may_send() {
                        return Ok(Some(Action::RequeueAfter(WRITE_AGAIN)));
                    }
                    self.fresh_intent = false;
                }
                // A call is large, and most passes make none.
                K::Lifecycle::call(self, call).boxed().await;
                Ok(None)
            }
            Step::Delete => {
                patch::delete(&self.api, &self.object).await?;
                Ok(Some(Action::AwaitChange))
            }
            Step::Backoff => {
                let pause =
                    self.with_local(|local| local.backoff.remaining().unwrap_or_else(|| local.backoff.next_pause()));
                Ok(Some(Action::RequeueAfter(until_next_pass(pause, self.is_deleting()))))
            }
            Step::AwaitChange => {
                K::Lifecycle::on_idle(self);
                Ok(Some(Action::AwaitChange))
            }
            Step::RequeueAfter(pause) => {
                K::Lifecycle::on_idle(self);
                Ok(Some(Action::RequeueAfter(pause)))
            }
        }
    }

    async fn remove_finalizer(&mut self, left_behind: Option<String>) -> Result<Option<Action>, WriteError> {
        if let Some(left_behind) = left_behind {
            let object = format!("{} {}/{}", K::KIND, self.object.namespace().unwrap_or_default(), self.reference.name);
            warn!(
                namespace = self.reference.namespace,
                name = self.reference.name,
                left_behind,
                "the finalizer is removed although something goes on in Glue"
            );
            self.publish(events::left_behind(&object, &K::Lifecycle::describe_left_behind(&left_behind)));
        }
        let deleting = self.is_deleting();
        let written = patch::finalizer(&self.api, &self.object, false).await?;
        self.on_written(written, "metadata");
        self.with_local(|local| local.finalizer_is_own = false);
        if deleting {
            // The local state stays until the watch reports the deletion: with a stale cache the run would be stopped
            // once more.
            self.context.release(&self.object);
            return Ok(Some(Action::AwaitChange));
        }
        Ok(None)
    }
}
