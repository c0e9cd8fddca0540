//! The end of an object: a finished one loses its finalizer and, after its TTL, is deleted; a deleted one leaves no run
//! behind in Glue.

use super::attempts::{left, needs_finalizer};
use super::calls::{Plan, Step};
use super::facts::{Facts, Observation};
use super::follow::stop;
use super::start::open_intent;
use super::status::{blocked, keep, record_id, unchanged};
use crate::api::run::{Attempt, Phase, StopCause};
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::problem::Problem;
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

/// The object is being deleted: its live run is stopped first, unless it is to go on.
pub(super) fn deletion(facts: &Facts<'_>) -> Plan {
    let release = || unchanged(facts, Step::RemoveFinalizer { left_behind: None });
    if !facts.common.has_finalizer() {
        return unchanged(facts, Step::AwaitChange);
    }
    let Some(attempt) = live_attempt(facts) else { return release() };
    // A run that serves other objects too goes on for them, unless this object says explicitly that it is stopped.
    let shared = facts.shared && attempt.id.is_some() && facts.policy.deletion_policy.is_none();
    if !needs_finalizer(facts) || shared {
        return release();
    }
    if obstacle(facts).is_some() && facts.common.deletion_time_left().is_zero() {
        let left_behind = Some(attempt.id.clone().unwrap_or_else(|| attempt.key.clone()));
        return unchanged(facts, Step::RemoveFinalizer { left_behind });
    }
    let Some(id) = &attempt.id else {
        let start = &facts.state.start;
        return match (&start.outcome, &start.lookup) {
            (Some(StartOutcome::Started(id)), _) => record_id(facts, attempt, id),
            (Some(StartOutcome::Rejected(_)), _) => release(),
            (_, Some(Lookup::NotFound { intent_age })) if *intent_age >= facts.common.settle => release(),
            _ => {
                // Nothing is started any more, not even by the pass that wrote the intent.
                let common = CommonFacts { fresh_intent: false, ..facts.common.clone() };
                open_intent(&Facts { common, ..facts.clone() }, attempt)
            }
        };
    };
    if facts.observation == Some(Observation::NotFound) || facts.ended_run().is_some() {
        return release();
    }
    match &facts.common.credentials_problem {
        Some(problem) => blocked(facts, Phase::Stopping, problem),
        None => stop(facts, attempt, id, attempt.stop_cause.unwrap_or(StopCause::Deleted)),
    }
}

/// The attempt that may have a live run.
fn live_attempt<'a>(facts: &'a Facts<'_>) -> Option<&'a Attempt> {
    let over = facts.status.phase.is_some_and(Phase::is_final);
    let attempt = facts.status.attempt().filter(|_| !over)?;
    (attempt.ended_at.is_none() && attempt.rejected_reason.is_none()).then_some(attempt)
}

/// What keeps the run from being stopped.
fn obstacle<'a>(facts: &'a Facts<'_>) -> Option<&'a Problem> {
    let lookup = match &facts.state.start.lookup {
        Some(Lookup::Failed(problem)) => Some(problem),
        _ => None,
    };
    facts.common.credentials_problem.as_ref().or(facts.state.stop_problem.as_ref()).or(lookup)
}
