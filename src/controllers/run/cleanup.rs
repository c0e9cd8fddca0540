//! The end of an object: a finished one loses its finalizer and, after its TTL, is deleted; a deleted one leaves no run
//! behind in Glue.

use kube::core::ObjectMeta;

use super::attempts::{left, needs_finalizer};
use super::calls::{Plan, Step};
use super::facts::{Facts, Observation};
use super::follow::stop;
use super::start::open_intent;
use super::status::{blocked, keep, record_id, unchanged};
use crate::api::run::{Attempt, Phase, RunPolicy, StopCause};
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::patch;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome};

/// Nothing follows: the finalizer is removed, and the object when its TTL has passed.
pub(super) fn finished(facts: &Facts<'_>) -> Plan {
    if facts.common.has_finalizer() {
        return Plan { status: keep(facts), step: Step::RemoveFinalizer { left_behind: None } };
    }
    let ended_at = facts
        .status
        .attempt()
        .and_then(|attempt| attempt.ended_at.as_ref())
        .map(|time| time.0)
        .or_else(|| facts.status.condition("Ready").map(|ready| ready.last_transition_time.0));
    let ttl = facts.policy.ttl_seconds_after_finished.zip(ended_at);
    let left = ttl.map(|(ttl, ended_at)| left(facts.common.now, ended_at, ttl));
    let step = match left {
        Some(left) if left.is_zero() => Step::Delete,
        left => Step::requeue(left),
    };
    Plan { status: keep(facts), step }
}

/// Whether nothing is left to do for a finished object, also when it is deleted: it has no finalizer of ours and no TTL,
/// and its status describes the spec.
pub(super) fn is_clean(meta: &ObjectMeta, policy: &RunPolicy, observed_generation: Option<i64>) -> bool {
    !patch::has_finalizer(meta)
        && policy.ttl_seconds_after_finished.is_none()
        && observed_generation == Some(meta.generation.unwrap_or_default())
}

/// The object is being deleted: its live run is stopped first, unless it is to go on. Whatever Glue does, the object is
/// gone after the deletion timeout.
pub(super) fn deletion(facts: &Facts<'_>) -> Plan {
    if !facts.common.has_finalizer() {
        return unchanged(facts, Step::AwaitChange);
    }
    let Plan { status, step } = release_run(facts);
    let left = facts.common.deletion_time_left();
    Plan { status, step: if left.is_zero() { step } else { step.within(left) } }
}

fn release_run(facts: &Facts<'_>) -> Plan {
    let release = || unchanged(facts, Step::RemoveFinalizer { left_behind: None });
    let Some(attempt) = live_attempt(facts) else { return release() };
    // A run that other objects need too goes on for them: the last of them stops it.
    if !needs_finalizer(facts) || facts.shared && attempt.id.is_some() {
        return release();
    }
    let Some(id) = &attempt.id else {
        let start = &facts.state.start;
        return match (&start.outcome, &start.lookup) {
            (Some(StartOutcome::Started(id)), _) => record_id(facts, attempt, id),
            (Some(StartOutcome::Rejected(_)), _) => release(),
            (_, Some(Lookup::NotFound { intent_age })) if *intent_age >= facts.common.settle => release(),
            (_, Some(Lookup::NotFound { .. } | Lookup::Failed(_))) if is_overdue(facts) => leave_behind(facts, attempt),
            _ if is_overdue(facts) && facts.common.credentials_problem.is_some() => leave_behind(facts, attempt),
            _ => {
                // Nothing is started any more, not even by the pass that wrote the intent.
                let common = CommonFacts { fresh_intent: false, ..facts.common.clone() };
                open_intent(&Facts { common, ..facts.clone() }, attempt)
            }
        };
    };
    if facts.is_unknown_to_glue() || facts.ended_run().is_some() || facts.is_foreign {
        return release();
    }
    if is_overdue(facts) && was_stop_tried(facts) {
        return leave_behind(facts, attempt);
    }
    match &facts.common.credentials_problem {
        Some(problem) => blocked(facts, Phase::Stopping, problem),
        None if facts.awaits_origin() => unchanged(facts, Step::AwaitChange),
        None => stop(facts, attempt, id, attempt.stop_cause.unwrap_or(StopCause::Deleted)),
    }
}

/// The attempt that may have a live run.
fn live_attempt<'a>(facts: &'a Facts<'_>) -> Option<&'a Attempt> {
    let over = facts.status.phase.is_some_and(Phase::is_final);
    let attempt = facts.status.attempt().filter(|_| !over)?;
    (attempt.ended_at.is_none() && attempt.rejected_reason.is_none()).then_some(attempt)
}

/// Whether the deletion has waited for Glue for long enough.
fn is_overdue(facts: &Facts<'_>) -> bool {
    facts.common.deletion_time_left().is_zero()
}

/// Whether everything was tried to stop the run, also by a process that began when the deletion was overdue already.
fn was_stop_tried(facts: &Facts<'_>) -> bool {
    let is_stopping = matches!(&facts.observation, Some(Observation::Present(run)) if run.phase == Phase::Stopping);
    is_stopping
        || facts.stop_sent.is_some()
        || facts.common.backoff.is_some()
        || facts.state.stop_problem.is_some()
        || facts.common.credentials_problem.is_some()
        || facts.awaits_origin()
}

fn leave_behind(facts: &Facts<'_>, attempt: &Attempt) -> Plan {
    let left_behind = Some(attempt.id.clone().unwrap_or_else(|| attempt.key.clone()));
    unchanged(facts, Step::RemoveFinalizer { left_behind })
}
