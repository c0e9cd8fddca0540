//! The end of an object: a finished one is let go and cleaned away, a deleted one leaves nothing running.

use std::time::Duration;

use super::attempts::{left, needs_finalizer};
use super::facts::{Facts, Lookup, Observation, StartOutcome};
use super::follow::stop;
use super::start::unclear;
use super::status::{blocked, keep, record_id};
use super::step::{Plan, Step};
use crate::api::run::{Phase, StopCause};
use crate::controllers::runtime::time;

/// Nothing follows any more: the finalizer goes, and the object with it when its time has come.
pub(super) fn finished(facts: &Facts<'_>) -> Plan {
    if facts.has_finalizer() {
        return Plan { status: keep(facts), step: Step::RemoveFinalizer { left_behind: None } };
    }
    let ended_at = facts
        .status
        .attempt()
        .and_then(|attempt| attempt.ended_at.as_ref())
        .map(|time| time.0)
        .or_else(|| facts.status.condition("Ready").map(|ready| ready.last_transition_time.0));
    let left =
        facts.policy.ttl_seconds_after_finished.zip(ended_at).map(|(ttl, ended_at)| left(facts.now, ended_at, ttl));
    let step = match left {
        Some(left) if left.is_zero() => Step::Delete,
        left => Step::requeue(left),
    };
    Plan { status: keep(facts), step }
}

/// The object is being deleted: whatever lives in Glue is stopped first, unless it is to be left.
pub(super) fn deletion(facts: &Facts<'_>) -> Plan {
    let nothing_left = Plan { status: facts.status.clone(), step: Step::RemoveFinalizer { left_behind: None } };
    if !facts.has_finalizer() {
        return Plan { step: Step::AwaitChange, ..nothing_left };
    }
    let over = facts.status.phase.is_some_and(Phase::is_final);
    let Some(attempt) = facts
        .status
        .attempt()
        .filter(|attempt| !over && attempt.ended_at.is_none() && attempt.rejected_reason.is_none())
    else {
        return nothing_left;
    };
    // A run that serves other objects too goes on for them, unless this one says that it is to be stopped.
    let shared = facts.shared && attempt.id.is_some() && facts.policy.deletion_policy.is_none();
    if !needs_finalizer(facts) || shared {
        return nothing_left;
    }
    let problem = facts.blocked.as_ref().or(facts.state.stop_problem.as_ref()).or(match &facts.state.lookup {
        Some(Lookup::Failed(problem)) => Some(problem),
        _ => None,
    });
    let waited =
        facts.meta.deletion_timestamp.as_ref().map_or(Duration::ZERO, |deleted| time::since(facts.now, deleted.0));
    if problem.is_some() && waited >= facts.deletion_timeout {
        let left_behind = Some(attempt.id.clone().unwrap_or_else(|| attempt.key.clone()));
        return Plan { status: facts.status.clone(), step: Step::RemoveFinalizer { left_behind } };
    }
    let Some(id) = &attempt.id else {
        return match (&facts.state.outcome, &facts.state.lookup) {
            (Some(StartOutcome::Started(id)), _) => record_id(facts, attempt, id),
            (Some(StartOutcome::Refused(_)), _) => nothing_left,
            (_, Some(Lookup::NotFound { known_for })) if *known_for >= facts.settle => nothing_left,
            _ => unclear(&Facts { fresh_intent: false, ..facts.clone() }, attempt),
        };
    };
    match &facts.observation {
        Some(Observation::NotFound) => nothing_left,
        Some(Observation::Present(run)) if run.phase.is_final() && !run.retry_expected => nothing_left,
        _ => match &facts.blocked {
            Some(problem) => blocked(facts, Phase::Stopping, problem),
            None => stop(facts, attempt, id, attempt.stop_cause.unwrap_or(StopCause::Deleted)),
        },
    }
}
