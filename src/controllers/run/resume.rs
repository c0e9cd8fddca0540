//! A run that has ended is continued: what failed of it runs again, as a new attempt of the same object.
//!
//! Each new value of `spec.resume` asks for it once, as each value of `spec.fire` fires a trigger once: the value that the
//! object is created with, or restored with, counts as handled. Before the intent the plan reads what there is to resume
//! ([`Call::ReadResumable`]), and whether somebody has resumed the run by now: then that run is adopted. The intent records
//! the run and its nodes. A lost answer leads to a lookup for a run that resumes the same one.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::attempts::with_attempt;
use super::calls::{Call, Plan, Step};
use super::conditions::ready_reason;
use super::facts::Facts;
use super::start::record_intent;
use super::status::{follow_run, keep, status, unchanged};
use crate::api::run::{Attempt, Phase, Resumption, RunStatus, StopCause};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::glue::ErrorKind;

/// Whether `value` of `spec.resume` asks an object with this status for something that it has not done. A run that has
/// succeeded leaves nothing to resume.
#[must_use]
pub fn is_requested(status: &RunStatus, value: Option<&str>) -> bool {
    let last = status.attempt();
    // An attempt that was ended by suspend: true goes on by itself.
    let is_suspended = last.is_some_and(|last| last.stop_cause == Some(StopCause::Suspended));
    let has_ended = is_over(status) || last.is_some_and(|last| last.ended_at.is_some()) && !is_suspended;
    value.is_some()
        && has_ended
        && status.phase != Some(Phase::Succeeded)
        && status.observed_generation >= 0
        && value != status.last_handled_resume.as_deref()
}

fn is_over(status: &RunStatus) -> bool {
    status.phase.is_some_and(Phase::is_final)
}

/// The value that the status records as handled. One that the object is created with is.
pub(super) fn handled(facts: &Facts<'_>) -> Option<String> {
    let is_first = facts.status.observed_generation < 0;
    let value = if is_first { facts.resume.map(str::to_owned) } else { None };
    value.or_else(|| facts.status.last_handled_resume.clone())
}

/// The plan where the spec asks to resume the run that has ended; `None` where it does not.
pub(super) fn plan(facts: &Facts<'_>) -> Option<Plan> {
    let value = facts.resume.filter(|value| is_requested(facts.status, Some(value)))?;
    Some(resume(facts, value))
}

fn resume(facts: &Facts<'_>, value: &str) -> Plan {
    let common = &facts.common;
    let attempts = &facts.status.attempts;
    let ended = attempts.iter().rev().find_map(|attempt| Some((attempt.id.as_deref()?, attempt.retry)));
    let Some((run, retry)) = ended else {
        return not_resumed(facts, value, &format!("no {} was started", facts.noun));
    };
    if facts.policy.stop == Some(true) {
        return not_resumed(facts, value, "spec.stop is true");
    }
    if facts.policy.suspend == Some(true) {
        return Plan { status: keep(facts), step: Step::AwaitChange };
    }
    if let Some(pause) = common.backoff.filter(|_| facts.state.resumable.is_none()) {
        return Plan { status: keep(facts), step: Step::RequeueAfter(pause) };
    }
    if let Some(problem) = common.credentials_problem.as_ref().or(common.inputs_problem.as_ref()) {
        return obstacle(facts, problem);
    }
    if !common.leading {
        return unchanged(facts, Step::AwaitChange);
    }
    let resumable = match &facts.state.resumable {
        None => return unchanged(facts, Step::Call(Call::ReadResumable { run: run.to_owned() })),
        Some(Err(problem)) if problem.kind == Some(ErrorKind::NotFound) => {
            return not_resumed(facts, value, &problem.message);
        }
        Some(Err(problem)) => return obstacle(facts, problem),
        Some(Ok(resumable)) => resumable,
    };
    let number = facts.status.attempt().map_or(0, |last| last.number + 1);
    let next = Attempt {
        retry,
        resumes: Some(Resumption { run_id: run.to_owned(), node_ids: resumable.nodes.clone() }),
        ..Attempt::intended(number, facts.key(number), Time(common.now))
    };
    let plan = if let Some(other) = &resumable.resumed_by {
        let message = adopted_message(facts, run, &other.id);
        follow_run(facts, Attempt { adopted: true, ..next }, other, Reason::Adopted, &message)
    } else if let Some(obstacle) = &resumable.obstacle {
        return not_resumed(facts, value, obstacle);
    } else {
        record_intent(facts, next)
    };
    if plan.step == Step::AddFinalizer {
        return plan;
    }
    Plan { status: RunStatus { last_handled_resume: Some(value.to_owned()), ..plan.status }, ..plan }
}

/// What the status says of a run that somebody else resumed.
pub(super) fn adopted_message(facts: &Facts<'_>, before: &str, run: &str) -> String {
    format!("{} {run} resumes {before} and was adopted", facts.noun)
}

/// The value counts as handled, and the run stays as it ended.
fn not_resumed(facts: &Facts<'_>, value: &str, why: &str) -> Plan {
    let attempts = facts.status.attempts.clone();
    let plan = refused(facts, facts.status.phase.unwrap_or_default(), why, attempts);
    Plan { status: RunStatus { last_handled_resume: Some(value.to_owned()), ..plan.status }, ..plan }
}

/// Nothing is resumed, because of `why`.
fn refused(facts: &Facts<'_>, phase: Phase, why: &str, attempts: Vec<Attempt>) -> Plan {
    let ready = facts.status.condition("Ready").filter(|_| is_over(facts.status));
    let before = ready.map(|ready| ready.message.as_str()).filter(|message| !message.is_empty());
    let before = before.map(|before| format!("; before: {before}")).unwrap_or_default();
    let message = format!("the {} is not resumed: {why}{before}", facts.noun);
    Plan { status: status(facts, phase, Reason::NotResumed, &message, attempts), step: Step::AwaitChange }
}

/// Why the run cannot be resumed now. It stays as it ended until then.
fn obstacle(facts: &Facts<'_>, problem: &Problem) -> Plan {
    let phase = facts.status.phase.unwrap_or_default();
    let attempts = facts.status.attempts.clone();
    let status = if ready_reason(facts.status) == Some(problem.reason) {
        keep(facts)
    } else {
        status(facts, phase, problem.reason, &problem.message, attempts)
    };
    Plan { status, step: Step::Backoff }
}

/// The attempt's end after Glue has refused to resume a run; `None` where the refusal may pass.
pub(super) fn refused_for_good(facts: &Facts<'_>, attempt: &Attempt, problem: &Problem) -> Option<Plan> {
    attempt.resumes.as_ref()?;
    let is_for_good = matches!(problem.kind, Some(ErrorKind::Invalid | ErrorKind::NotFound));
    is_for_good.then(|| {
        let rejected = Attempt { rejected_reason: Some(problem.reason.as_str().to_owned()), ..attempt.clone() };
        refused(facts, Phase::Failed, &problem.message, with_attempt(facts.status, without_nodes(rejected)))
    })
}

/// The attempt without the nodes that it was to start.
pub(super) fn without_nodes(mut attempt: Attempt) -> Attempt {
    if let Some(resumes) = &mut attempt.resumes {
        resumes.node_ids.clear();
    }
    attempt
}
