//! A run whose id is known: its state becomes the object's, it is stopped when that is asked for, and its end decides
//! what follows.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::attempts::{active_deadline, may_retry, needs_finalizer, with_attempt};
use super::calls::{Call, Plan, Step};
use super::conditions::ready_reason;
use super::facts::{Facts, Observation, ObservedRun};
use super::lineage::LOST;
use super::resume;
use super::start::next_start;
use super::status::{blocked, keep, started_message, status, unchanged, wait};
use crate::api::run::{Attempt, Phase, RunStatus, StopCause};
use crate::controllers::runtime::conditions::reason_of;
use crate::controllers::runtime::reason::Reason;

/// Follows the run until it has ended.
pub(super) fn follow(facts: &Facts<'_>, attempt: &Attempt, id: &str) -> Plan {
    let common = &facts.common;
    if needs_finalizer(facts) != common.has_finalizer() {
        let add = needs_finalizer(facts);
        let step = if add { Step::AddFinalizer } else { Step::RemoveFinalizer { left_behind: None } };
        return unchanged(facts, step);
    }
    if let Some(problem) = &common.credentials_problem {
        return blocked(facts, facts.status.phase.unwrap_or_default(), problem);
    }
    if let Some(run) = facts.ended_run() {
        return ended(facts, attempt, run);
    }
    let mut deadline = active_deadline(facts, &attempt.active_since);
    let cause = attempt.stop_cause.or_else(|| stop_cause(facts, deadline));
    let awaits_origin = facts.awaits_origin() && !facts.is_unknown_to_glue();
    if cause.is_some() && awaits_origin {
        // The next poll, or the end of the settle time, decides.
        deadline = Some(common.settle.saturating_sub(facts.id_age).max(Duration::from_secs(1)));
    }
    if let Some(cause) = cause.filter(|_| !awaits_origin) {
        if facts.is_foreign {
            return let_go(facts, attempt, id, cause);
        }
        if facts.is_unknown_to_glue() {
            let attempt = Attempt { stop_cause: Some(cause), ..attempt.clone() };
            return ended(facts, &attempt, &unknown_to_glue(id));
        }
        return stop(facts, attempt, id, cause);
    }
    if let Some(problem) = &common.poll_problem {
        // The poller tries again by itself, and requeues the object when it succeeds.
        return Plan {
            step: Step::requeue(deadline),
            ..blocked(facts, facts.status.phase.unwrap_or_default(), problem)
        };
    }
    match &facts.observation {
        None => Plan { status: keep(facts), step: Step::requeue(deadline) },
        Some(Observation::NotFound) => {
            let message = format!("Glue does not know {} {id}; looking on", facts.noun);
            wait(facts, Phase::Unknown, Reason::RunNotFound, &message, deadline)
        }
        Some(Observation::Present(run)) => live(facts, attempt, run, deadline),
    }
}

fn live(facts: &Facts<'_>, attempt: &Attempt, run: &ObservedRun, deadline: Option<Duration>) -> Plan {
    let noun = facts.noun;
    let attempts = with_attempt(facts.status, Attempt { id: Some(run.id.clone()), ..attempt.clone() });
    let (phase, reason, message) = if run.retry_expected {
        (Phase::Waiting, Reason::GlueRetries, format!("{noun} {} failed and Glue retries it by itself", run.id))
    } else if run.phase == Phase::Starting {
        // The message of the start, or of the adoption, stays: that Glue has accepted the run is worth no write.
        let ready = facts.status.condition("Ready");
        match ready.filter(|ready| reason_of(ready) == Some(Reason::Adopted)) {
            Some(adopted) => (Phase::Starting, Reason::Adopted, adopted.message.clone()),
            None => (Phase::Starting, Reason::Starting, started_message(facts, &run.id)),
        }
    } else {
        let why = run.message.as_deref().filter(|_| run.phase == Phase::Waiting);
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        (run.phase, phase_reason(run.phase), format!("{noun} {} is {} in Glue{why}", run.id, run.state))
    };
    Plan { status: status(facts, phase, reason, &message, attempts), step: Step::requeue(deadline) }
}

fn stop_cause(facts: &Facts<'_>, deadline: Option<Duration>) -> Option<StopCause> {
    if facts.policy.stop == Some(true) {
        Some(StopCause::StopRequested)
    } else if facts.policy.suspend == Some(true) {
        Some(StopCause::Suspended)
    } else if deadline.is_some_and(|left| left.is_zero()) {
        Some(StopCause::DeadlineExceeded)
    } else {
        None
    }
}

/// The object is not to follow the run any more, and may not stop it: the run belongs to another namespace, and goes on.
fn let_go(facts: &Facts<'_>, attempt: &Attempt, id: &str, cause: StopCause) -> Plan {
    let state = match &facts.observation {
        Some(Observation::Present(run)) => Some(run.state.clone()),
        Some(Observation::NotFound) | None => None,
    };
    let attempt = Attempt { stop_cause: Some(cause), state, ended_at: Some(Time(facts.common.now)), ..attempt.clone() };
    let attempts = with_attempt(facts.status, attempt);
    let (phase, reason, why) = match cause {
        StopCause::Suspended => return next_attempt_after(facts, attempts),
        StopCause::DeadlineExceeded => (Phase::Failed, Reason::DeadlineExceeded, "activeDeadlineSeconds have passed"),
        StopCause::StopRequested => (Phase::Stopped, Reason::StopRequested, "spec.stop is true"),
        StopCause::Deleted => (Phase::Stopped, Reason::Deleted, "the object is deleted"),
    };
    let noun = facts.noun;
    let message = format!(
        "{noun} {id} is not followed any more: {why}; it goes on, since it was started for another namespace, and only an object there stops it"
    );
    Plan { status: status(facts, phase, reason, &message, attempts), step: Step::AwaitChange }
}

/// Records the cause, then sends the stop, then waits for the end of the run.
pub(super) fn stop(facts: &Facts<'_>, attempt: &Attempt, id: &str, cause: StopCause) -> Plan {
    let noun = facts.noun;
    let mut attempt = Attempt { stop_cause: Some(cause), ..attempt.clone() };
    let mut stopping = false;
    if let Some(Observation::Present(run)) = &facts.observation {
        attempt.id = Some(run.id.clone());
        stopping = run.phase == Phase::Stopping;
    }
    let id = attempt.id.clone().unwrap_or_else(|| id.to_owned());
    let attempts = with_attempt(facts.status, attempt);
    let is_unanswered = facts.stop_sent.is_none() && facts.state.stop_problem.is_none();
    let pause = facts.common.backoff.filter(|_| is_unanswered);
    let step = match (facts.stop_sent, &facts.state.stop_problem) {
        _ if pause.is_some() => Step::requeue(pause),
        _ if stopping => Step::AwaitChange,
        // A stop that has no effect is sent again.
        (Some(again), _) if facts.observation == Some(Observation::NotFound) => {
            Step::RequeueAfter(again.min(facts.common.settle.saturating_sub(facts.id_age)))
        }
        (Some(again), _) => Step::RequeueAfter(again),
        (None, Some(_)) => Step::Backoff,
        (None, None) => Step::Call(Call::Stop(id.clone())),
    };
    if pause.is_some() || is_unanswered && !stopping && reports_refused_stop(facts) {
        // The status says why AWS refused the stop until a stop is accepted.
        return Plan { status: RunStatus { attempts, ..keep(facts) }, step };
    }
    let (reason, message) = match (&facts.state.stop_problem, cause) {
        (Some(problem), _) => (problem.reason, problem.message.clone()),
        (None, StopCause::Suspended) => {
            (Reason::Suspended, format!("{noun} {id} is being stopped: spec.suspend is true"))
        }
        (None, StopCause::StopRequested) => {
            (Reason::StopRequested, format!("{noun} {id} is being stopped: spec.stop is true"))
        }
        (None, StopCause::DeadlineExceeded) => {
            (Reason::DeadlineExceeded, format!("{noun} {id} is being stopped: activeDeadlineSeconds have passed"))
        }
        (None, StopCause::Deleted) => (Reason::Deleted, format!("{noun} {id} is being stopped: the object is deleted")),
    };
    Plan { status: status(facts, Phase::Stopping, reason, &message, attempts), step }
}

/// Whether the status says why AWS refused the stop.
fn reports_refused_stop(facts: &Facts<'_>) -> bool {
    facts.status.phase == Some(Phase::Stopping) && ready_reason(facts.status).is_some_and(Reason::is_refusal)
}

/// A run that Glue does not know any more counts as stopped.
fn unknown_to_glue(id: &str) -> ObservedRun {
    ObservedRun {
        id: id.to_owned(),
        state: LOST.to_owned(),
        phase: Phase::Stopped,
        attempt: None,
        retry_expected: false,
        message: None,
        reason: None,
    }
}

/// The run has ended: so does the object, or another attempt follows.
fn ended(facts: &Facts<'_>, attempt: &Attempt, run: &ObservedRun) -> Plan {
    let noun = facts.noun;
    let (cause, retry) = (attempt.stop_cause, attempt.retry);
    let attempt = Attempt {
        id: Some(run.id.clone()),
        state: Some(run.state.clone()),
        ended_at: Some(Time(facts.common.now)),
        ..attempt.clone()
    };
    let attempts = with_attempt(facts.status, attempt);
    // A value of spec.resume has waited for the end: it continues the run, and no retry starts it anew.
    let with_end = RunStatus { attempts: attempts.clone(), ..facts.status.clone() };
    let asks_to_resume = resume::is_requested(&with_end, facts.resume);
    let glue_message = run.message.as_deref();
    let message_or = |default: String| glue_message.map_or(default, str::to_owned);
    let (phase, reason, message) = match (run.phase, cause) {
        // What follows, suspension or another attempt, is decided from the end of the attempt as it is written.
        (Phase::Stopped, Some(StopCause::Suspended)) => return next_attempt_after(facts, attempts),
        (Phase::Stopped, Some(StopCause::DeadlineExceeded)) => (
            Phase::Failed,
            Reason::DeadlineExceeded,
            format!("{noun} {} was stopped: activeDeadlineSeconds had passed", run.id),
        ),
        (Phase::Stopped, Some(StopCause::StopRequested)) => {
            (Phase::Stopped, Reason::StopRequested, format!("{noun} {} was stopped: spec.stop is true", run.id))
        }
        (Phase::Stopped, _) => {
            (Phase::Stopped, Reason::Stopped, message_or(format!("{noun} {} was stopped in Glue", run.id)))
        }
        (Phase::Succeeded, _) => (Phase::Succeeded, Reason::Succeeded, format!("{noun} {} succeeded", run.id)),
        (phase, None) if may_retry(facts.policy.retry.as_ref(), phase, retry) && !asks_to_resume => {
            let why = glue_message.map(|message| format!(": {message}")).unwrap_or_default();
            let message = format!("{noun} {} ended as {}{why}", run.id, run.state);
            let mut plan = next_attempt_after(facts, attempts.clone());
            if plan.status.phase == Some(Phase::Waiting) {
                plan.status = status(facts, Phase::Waiting, Reason::RetryScheduled, &message, attempts);
            }
            return plan;
        }
        (phase, _) => {
            let reason = run.reason.unwrap_or_else(|| phase_reason(phase));
            (phase, reason, message_or(format!("{noun} {} ended as {} in Glue", run.id, run.state)))
        }
    };
    Plan { status: status(facts, phase, reason, &message, attempts), step: Step::AwaitChange }
}

/// The plan once the attempt's end is recorded.
fn next_attempt_after(facts: &Facts<'_>, attempts: Vec<Attempt>) -> Plan {
    let status = RunStatus { attempts, ..facts.status.clone() };
    let mut state = facts.state.clone();
    state.forget_attempt();
    next_start(&Facts { status: &status, state: &state, observation: None, ..facts.clone() })
}

/// The reason of a phase that Glue's state leads to.
fn phase_reason(phase: Phase) -> Reason {
    match phase {
        Phase::Pending => Reason::Pending,
        Phase::Suspended => Reason::Suspended,
        Phase::Waiting => Reason::Waiting,
        Phase::Starting => Reason::Starting,
        Phase::Running => Reason::Running,
        Phase::Stopping => Reason::Stopping,
        Phase::Succeeded => Reason::Succeeded,
        Phase::Failed => Reason::Failed,
        Phase::TimedOut => Reason::TimedOut,
        Phase::Error => Reason::GlueError,
        Phase::Stopped => Reason::Stopped,
        Phase::Expired => Reason::Expired,
        Phase::Unknown => Reason::Unknown,
    }
}
