//! The building blocks of plans: statuses for the concurrency that a life can take.

use std::time::Duration;

use super::attempts::{next_attempt, with_attempt};
use super::conditions;
use super::facts::{Facts, ObservedRun, Problem};
use super::step::{Plan, Step};
use crate::api::run::{Attempt, Phase, ReadyWhen, RunStatus};
use crate::glue::ErrorKind;

pub(super) fn adopt_foreign(facts: &Facts<'_>, id: &str) -> Plan {
    let attempt = Attempt { key: String::new(), id: Some(id.to_owned()), ..next_attempt(facts) };
    let attempts = with_attempt(facts.status, attempt);
    let message = format!("following {} {id}, which was started elsewhere", facts.noun);
    Plan { status: status(facts, Phase::Pending, "Following", &message, attempts), step: Step::AwaitChange }
}

pub(super) fn adopt(facts: &Facts<'_>, attempt: Attempt, run: &ObservedRun) -> Plan {
    let attempt = Attempt { id: Some(run.id.clone()), rejected_reason: None, ..attempt };
    let attempts = with_attempt(facts.status, attempt);
    let message = format!("run {} carries this object's key and was adopted", run.id);
    let phase = if run.phase.is_final() { Phase::Starting } else { run.phase };
    Plan { status: status(facts, phase, "Adopted", &message, attempts), step: Step::AwaitChange }
}

pub(super) fn record_id(facts: &Facts<'_>, attempt: &Attempt, id: &str) -> Plan {
    let attempt = Attempt { id: Some(id.to_owned()), accepted: false, ..attempt.clone() };
    let attempts = with_attempt(facts.status, attempt);
    let message = was_started(facts, id);
    Plan { status: status(facts, Phase::Starting, "Starting", &message, attempts), step: Step::AwaitChange }
}

pub(super) fn was_started(facts: &Facts<'_>, id: &str) -> String {
    format!("{} {id} was started", facts.noun)
}

pub(super) fn refused(facts: &Facts<'_>, attempt: &Attempt, problem: &Problem) -> Plan {
    let attempt = Attempt { rejected_reason: Some(problem.reason.clone()), ..attempt.clone() };
    let attempts = with_attempt(facts.status, attempt);
    let phase = if matches!(problem.kind, Some(ErrorKind::Busy | ErrorKind::LimitExceeded)) {
        Phase::Waiting
    } else {
        Phase::Pending
    };
    Plan { status: status(facts, phase, &problem.reason, &problem.message, attempts), step: Step::Backoff }
}

pub(super) fn blocked(facts: &Facts<'_>, phase: Phase, problem: &Problem) -> Plan {
    let attempts = facts.status.attempts.clone();
    Plan { status: status(facts, phase, &problem.reason, &problem.message, attempts), step: Step::Backoff }
}

pub(super) fn rest(facts: &Facts<'_>, phase: Phase, reason: &str, message: &str, after: Option<Duration>) -> Plan {
    let attempts = facts.status.attempts.clone();
    Plan { status: status(facts, phase, reason, message, attempts), step: Step::requeue(after) }
}

pub(super) fn end(facts: &Facts<'_>, phase: Phase, reason: &str, message: &str) -> Plan {
    rest(facts, phase, reason, message, None)
}

pub(super) fn status(
    facts: &Facts<'_>,
    phase: Phase,
    reason: &str,
    message: &str,
    attempts: Vec<Attempt>,
) -> RunStatus {
    let ready_when = facts.policy.ready_when.unwrap_or(ReadyWhen::Completed);
    RunStatus {
        observed_generation: facts.meta.generation.unwrap_or_default(),
        phase: Some(phase),
        attempts,
        identity: facts.status.identity.clone(),
        conditions: conditions::of(phase, reason, message, ready_when, &facts.status.conditions, facts.now),
    }
}

/// The status as it stands, for this generation.
pub(super) fn keep(facts: &Facts<'_>) -> RunStatus {
    RunStatus { observed_generation: facts.meta.generation.unwrap_or_default(), ..facts.status.clone() }
}

pub(super) fn reason_of(phase: Phase) -> &'static str {
    match phase {
        Phase::TimedOut => "TimedOut",
        Phase::Error => "GlueError",
        Phase::Expired => "Expired",
        _ => "Failed",
    }
}
