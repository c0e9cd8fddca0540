//! The status builder, and the plans that several steps end with.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ObjectMeta;

use super::attempts::{next_attempt, with_attempt};
use super::calls::{Plan, Step};
use super::conditions;
use super::facts::{Facts, ObservedRun};
use super::resume::{adopted_message, handled, without_nodes};
use crate::api::run::{Attempt, Phase, ReadyWhen, RunPolicy, RunStatus};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::glue::ErrorKind;

/// The status for this generation.
pub(super) fn status(
    facts: &Facts<'_>,
    phase: Phase,
    reason: Reason,
    message: &str,
    attempts: Vec<Attempt>,
) -> RunStatus {
    let ready_when = facts.policy.ready_when.unwrap_or(ReadyWhen::Completed);
    let (before, now) = (&facts.status.conditions, facts.common.now);
    let finished_at = || facts.status.finished_at.clone().unwrap_or(Time(now));
    RunStatus {
        observed_generation: facts.common.generation(),
        phase: Some(phase),
        finished_at: phase.is_final().then(finished_at),
        last_handled_resume: handled(facts),
        attempts,
        identity: facts.status.identity.clone(),
        conditions: conditions::of(phase, reason, message, ready_when, before, now),
    }
}

/// The status that an object has, with a problem that no plan knows; `None` when the run is over.
pub(super) fn report(
    meta: &ObjectMeta,
    policy: &RunPolicy,
    status: &RunStatus,
    problem: &Problem,
    now: Timestamp,
) -> Option<RunStatus> {
    let phase = status.phase.unwrap_or_default();
    let ready_when = policy.ready_when.unwrap_or(ReadyWhen::Completed);
    (!phase.is_final()).then(|| RunStatus {
        observed_generation: meta.generation.unwrap_or_default(),
        phase: Some(phase),
        conditions: conditions::of(phase, problem.reason, &problem.message, ready_when, &status.conditions, now),
        ..status.clone()
    })
}

/// The status as it is, for this generation.
pub(super) fn keep(facts: &Facts<'_>) -> RunStatus {
    RunStatus {
        observed_generation: facts.common.generation(),
        last_handled_resume: handled(facts),
        ..facts.status.clone()
    }
}

/// A step that leaves the status as it is.
pub(super) fn unchanged(facts: &Facts<'_>, step: Step) -> Plan {
    Plan { status: facts.status.clone(), step }
}

/// A status that waits for a change, or for this time at the most.
pub(super) fn wait(facts: &Facts<'_>, phase: Phase, reason: Reason, message: &str, after: Option<Duration>) -> Plan {
    let attempts = facts.status.attempts.clone();
    Plan { status: status(facts, phase, reason, message, attempts), step: Step::requeue(after) }
}

/// A final status.
pub(super) fn end(facts: &Facts<'_>, phase: Phase, reason: Reason, message: &str) -> Plan {
    wait(facts, phase, reason, message, None)
}

/// A problem that may heal.
pub(super) fn blocked(facts: &Facts<'_>, phase: Phase, problem: &Problem) -> Plan {
    let attempts = facts.status.attempts.clone();
    Plan { status: status(facts, phase, problem.reason, &problem.message, attempts), step: Step::Backoff }
}

/// Follows a run that was started elsewhere.
pub(super) fn adopt_foreign(facts: &Facts<'_>, id: &str) -> Plan {
    let attempt = Attempt { key: String::new(), id: Some(id.to_owned()), ..next_attempt(facts) };
    let attempts = with_attempt(facts.status, attempt);
    let message = format!("following {} {id}, which was started elsewhere", facts.noun);
    Plan { status: status(facts, Phase::Pending, Reason::Following, &message, attempts), step: Step::AwaitChange }
}

/// Adopts the run that carries the attempt's key.
pub(super) fn adopt(facts: &Facts<'_>, attempt: Attempt, run: &ObservedRun) -> Plan {
    let message = match &attempt.resumes {
        Some(before) => adopted_message(facts, &before.run_id, &run.id),
        None => format!("run {} carries this object's key and was adopted", run.id),
    };
    follow_run(facts, attempt, run, Reason::Adopted, &message)
}

/// Records that the attempt is this run.
pub(super) fn follow_run(
    facts: &Facts<'_>,
    attempt: Attempt,
    run: &ObservedRun,
    reason: Reason,
    message: &str,
) -> Plan {
    let attempt = Attempt { id: Some(run.id.clone()), rejected_reason: None, ..without_nodes(attempt) };
    let phase = if run.phase.is_final() { Phase::Starting } else { run.phase };
    let attempts = with_attempt(facts.status, attempt);
    Plan { status: status(facts, phase, reason, message, attempts), step: Step::AwaitChange }
}

/// Records the id that Glue answered with.
pub(super) fn record_id(facts: &Facts<'_>, attempt: &Attempt, id: &str) -> Plan {
    let message = match &attempt.resumes {
        Some(before) => format!("{} {id} was started; it resumes {}", facts.noun, before.run_id),
        None => started_message(facts, id),
    };
    let attempt = Attempt { id: Some(id.to_owned()), accepted: false, ..without_nodes(attempt.clone()) };
    let attempts = with_attempt(facts.status, attempt);
    Plan { status: status(facts, Phase::Starting, Reason::Starting, &message, attempts), step: Step::AwaitChange }
}

pub(super) fn started_message(facts: &Facts<'_>, id: &str) -> String {
    format!("{} {id} was started", facts.noun)
}

/// Records that Glue definitely started nothing.
pub(super) fn rejected(facts: &Facts<'_>, attempt: &Attempt, problem: &Problem) -> Plan {
    let attempt = Attempt { rejected_reason: Some(problem.reason.as_str().to_owned()), ..attempt.clone() };
    let attempts = with_attempt(facts.status, attempt);
    let waits = matches!(problem.kind, Some(ErrorKind::Busy | ErrorKind::LimitExceeded));
    let phase = if waits { Phase::Waiting } else { Phase::Pending };
    Plan { status: status(facts, phase, problem.reason, &problem.message, attempts), step: Step::Backoff }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_that_no_plan_knows_is_reported_unless_the_run_is_over() {
        let meta = ObjectMeta { generation: Some(3), ..ObjectMeta::default() };
        let problem = Problem::new(Reason::InternalError, "a defect");
        let reported = |phase| {
            let status = RunStatus { phase: Some(phase), ..RunStatus::unobserved() };
            report(&meta, &RunPolicy::default(), &status, &problem, Timestamp::UNIX_EPOCH)
        };
        let running = reported(Phase::Running).unwrap();
        let summary: Vec<_> = running.conditions.iter().map(|one| (&*one.type_, &*one.status, &*one.reason)).collect();
        assert_eq!(summary, [("Ready", "False", "InternalError"), ("Reconciling", "True", "InternalError")]);
        assert_eq!((running.phase, running.observed_generation), (Some(Phase::Running), 3));
        assert_eq!(reported(Phase::Succeeded), None);
    }
}
