//! A run that is known: its state becomes the object's, a stop is seen through, its end decides what follows.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::attempts::{active_deadline, may_retry, needs_finalizer, with_attempt};
use super::facts::{Facts, Observation, ObservedRun, PassState};
use super::start::begin;
use super::status::{blocked, keep, reason_of, rest, status, was_started};
use super::step::{Call, Plan, Step};
use crate::api::run::{Attempt, Phase, RunStatus, StopCause};

/// The run is known: its state becomes ours, until it has ended.
pub(super) fn follow(facts: &Facts<'_>, attempt: &Attempt, id: &str) -> Plan {
    if needs_finalizer(facts) != facts.has_finalizer() {
        let step =
            if needs_finalizer(facts) { Step::AddFinalizer } else { Step::RemoveFinalizer { left_behind: None } };
        return Plan { status: facts.status.clone(), step };
    }
    if let Some(problem) = &facts.blocked {
        return blocked(facts, facts.status.phase.unwrap_or_default(), problem);
    }
    if let Some(Observation::Present(run)) = &facts.observation
        && run.phase.is_final()
        && !run.retry_expected
    {
        return ended(facts, attempt, run);
    }
    let deadline = active_deadline(facts, &attempt.active_since);
    if let Some(cause) = attempt.stop_cause.or_else(|| stop_cause(facts, deadline)) {
        if facts.observation == Some(Observation::NotFound) {
            let attempt = Attempt { stop_cause: Some(cause), ..attempt.clone() };
            return ended(facts, &attempt, &nothing_to_stop(id));
        }
        return stop(facts, attempt, id, cause);
    }
    if let Some(problem) = &facts.poll_problem {
        let mut plan = blocked(facts, facts.status.phase.unwrap_or_default(), problem);
        // The poller comes back by itself, and wakes the object when it gets through.
        plan.step = Step::requeue(deadline);
        return plan;
    }
    match &facts.observation {
        None => Plan { status: keep(facts), step: Step::requeue(deadline) },
        Some(Observation::NotFound) => {
            let message = format!("Glue does not know {} {id}; looking on", facts.noun);
            rest(facts, Phase::Unknown, "RunNotFound", &message, deadline)
        }
        Some(Observation::Present(run)) => live(facts, attempt, run, deadline),
    }
}

pub(super) fn live(facts: &Facts<'_>, attempt: &Attempt, run: &ObservedRun, deadline: Option<Duration>) -> Plan {
    let noun = facts.noun;
    let mut attempt = attempt.clone();
    attempt.id = Some(run.id.clone());
    let attempts = with_attempt(facts.status, attempt);
    let (phase, reason, message) = if run.retry_expected {
        (Phase::Waiting, "GlueRetries".to_owned(), format!("{noun} {} failed and Glue retries it by itself", run.id))
    } else if run.phase == Phase::Starting {
        // The words of the start itself, or of the adoption: that Glue is at it is no news worth a write.
        match facts.status.condition("Ready").filter(|ready| ready.reason == "Adopted") {
            Some(adopted) => (Phase::Starting, adopted.reason.clone(), adopted.message.clone()),
            None => (Phase::Starting, "Starting".to_owned(), was_started(facts, &run.id)),
        }
    } else {
        (run.phase, format!("{:?}", run.phase), format!("{noun} {} is {} in Glue", run.id, run.state))
    };
    Plan { status: status(facts, phase, &reason, &message, attempts), step: Step::requeue(deadline) }
}

pub(super) fn stop_cause(facts: &Facts<'_>, deadline: Option<Duration>) -> Option<StopCause> {
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

/// The cause is written first, then the stop is sent; the run's own end is waited for.
pub(super) fn stop(facts: &Facts<'_>, attempt: &Attempt, id: &str, cause: StopCause) -> Plan {
    let noun = facts.noun;
    let mut attempt = attempt.clone();
    attempt.stop_cause = Some(cause);
    let stopping = match &facts.observation {
        Some(Observation::Present(run)) => {
            attempt.id = Some(run.id.clone());
            run.phase == Phase::Stopping
        }
        _ => false,
    };
    let id = attempt.id.clone().unwrap_or_else(|| id.to_owned());
    let attempts = with_attempt(facts.status, attempt);
    let (reason, message) = match (&facts.state.stop_problem, cause) {
        (Some(problem), _) => (problem.reason.as_str(), problem.message.clone()),
        (None, StopCause::Suspended) => ("Suspended", format!("{noun} {id} is being stopped: spec.suspend is true")),
        (None, StopCause::StopRequested) => {
            ("StopRequested", format!("{noun} {id} is being stopped: spec.stop is true"))
        }
        (None, StopCause::DeadlineExceeded) => {
            ("DeadlineExceeded", format!("{noun} {id} is being stopped: activeDeadlineSeconds have passed"))
        }
        (None, StopCause::Deleted) => ("Deleted", format!("{noun} {id} is being stopped: the object is deleted")),
    };
    let step = if stopping || facts.stop_sent {
        Step::AwaitChange
    } else if facts.state.stop_problem.is_some() {
        Step::Backoff
    } else {
        Step::Call(Call::Stop(id))
    };
    Plan { status: status(facts, Phase::Stopping, reason, &message, attempts), step }
}

/// A run that Glue does not know any more is as good as stopped.
pub(super) fn nothing_to_stop(id: &str) -> ObservedRun {
    ObservedRun {
        id: id.to_owned(),
        state: "GONE".to_owned(),
        phase: Phase::Stopped,
        retry_expected: false,
        message: None,
    }
}

/// The run has ended: so does the object's, or another attempt follows.
pub(super) fn ended(facts: &Facts<'_>, attempt: &Attempt, run: &ObservedRun) -> Plan {
    let noun = facts.noun;
    let mut attempt = attempt.clone();
    attempt.id = Some(run.id.clone());
    attempt.state = Some(run.state.clone());
    attempt.ended_at = Some(Time(facts.now));
    let cause = attempt.stop_cause;
    let retry = attempt.retry;
    let attempts = with_attempt(facts.status, attempt);
    // What a look found was this attempt's: the next one has a key of its own.
    let next = PassState { lookup: None, read_baseline: None, ..facts.state.clone() };
    let words = run.message.as_deref();
    let told = |default: String| words.map_or(default, str::to_owned);
    let (phase, reason, message) = match (run.phase, cause) {
        (Phase::Stopped, Some(StopCause::Suspended)) => {
            let attempts = RunStatus { attempts, ..facts.status.clone() };
            // What follows, held or another attempt, is decided from the attempt's end as it is written.
            return begin(&Facts { status: &attempts, state: &next, observation: None, ..facts.clone() });
        }
        (Phase::Stopped, Some(StopCause::DeadlineExceeded)) => (
            Phase::Failed,
            "DeadlineExceeded",
            format!("{noun} {} was stopped: activeDeadlineSeconds had passed", run.id),
        ),
        (Phase::Stopped, Some(StopCause::StopRequested)) => {
            (Phase::Stopped, "StopRequested", format!("{noun} {} was stopped: spec.stop is true", run.id))
        }
        (Phase::Stopped, _) => (Phase::Stopped, "Stopped", told(format!("{noun} {} was stopped in Glue", run.id))),
        (Phase::Succeeded, _) => (Phase::Succeeded, "Succeeded", format!("{noun} {} succeeded", run.id)),
        (phase, None) if may_retry(facts.policy.retry.as_ref(), phase, retry) => {
            let message = format!(
                "{noun} {} ended as {}{}",
                run.id,
                run.state,
                words.map(|words| format!(": {words}")).unwrap_or_default()
            );
            let attempts = RunStatus { attempts, ..facts.status.clone() };
            let mut plan = begin(&Facts { status: &attempts, state: &next, observation: None, ..facts.clone() });
            if plan.status.phase == Some(Phase::Waiting) {
                plan.status = status(facts, Phase::Waiting, "RetryScheduled", &message, attempts.attempts);
            }
            return plan;
        }
        (phase, _) => (phase, reason_of(phase), told(format!("{noun} {} ended as {} in Glue", run.id, run.state))),
    };
    Plan { status: status(facts, phase, reason, &message, attempts), step: Step::AwaitChange }
}
