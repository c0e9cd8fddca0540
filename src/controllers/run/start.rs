//! The start of an attempt: what must come before it, and what an open intent leads to.
//!
//! For kinds whose starts carry no key, [`concurrency`] decides whether the object may start now.

use std::time::Duration;

use super::attempts::{
    active_deadline, needs_finalizer, never_ran, next_attempt, retry_pause, start_deadline, with_attempt,
};
use super::calls::{Call, Plan, RunQuery, Step};
use super::facts::{Facts, ObservedRun, base_key};
use super::status::{adopt, adopt_foreign, blocked, end, keep, record_id, rejected, status, unchanged, wait};
use super::{concurrency, resume, waiting};
use crate::api::run::{Attempt, Phase, RunStatus};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{AnswerRules, Decision, Lookup, OpenIntent, StartOutcome, decide};
use crate::glue::ErrorKind;

/// How often an open intent is looked up until it settles.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(5);
/// How soon after the loss of a status the second search for what it listed comes. Each search after it waits twice as long as the
/// one before.
const LOOK_UP_LOST_AGAIN: Duration = Duration::from_secs(15);
/// An object that is older than this and has no attempt may have lost its status.
const NEW_OBJECT: Duration = Duration::from_mins(2);

/// No attempt is under way: start the next one, unless something prevents it.
pub(super) fn next_start(facts: &Facts<'_>) -> Plan {
    if let Some(id) = facts.follow {
        return adopt_foreign(facts, id);
    }
    let never_ran = never_ran(facts.status);
    if let Some(plan) = ended_without_start(facts, never_ran) {
        return plan;
    }
    if facts.policy.suspend == Some(true) {
        let message = format!("held by spec.suspend; set it to false to start the {}", facts.noun);
        let attempts = concurrency::without_baseline(facts);
        return Plan {
            status: status(facts, Phase::Suspended, Reason::Suspended, &message, attempts),
            step: Step::AwaitChange,
        };
    }
    let next = next_attempt(facts);
    if active_deadline(facts, &next.active_since).is_some_and(|left| left.is_zero()) {
        let message = format!("activeDeadlineSeconds passed before the {} could be tried again", facts.noun);
        return end(facts, Phase::Failed, Reason::DeadlineExceeded, &message);
    }
    if let Some(left) = retry_pause(facts, next.retry) {
        let message = format!("retry {} is due after a pause", next.retry);
        return wait(facts, Phase::Waiting, Reason::RetryScheduled, &message, Some(left));
    }
    let deadline = start_deadline(facts).filter(|_| never_ran);
    if let Some(pause) = facts.common.backoff.filter(|_| facts.state.start.lookup.is_none()) {
        let pause = deadline.map_or(pause, |left| left.min(pause));
        return Plan { status: keep(facts), step: Step::RequeueAfter(pause) };
    }
    if let Some(problem) = facts.common.credentials_problem.as_ref().or(facts.common.inputs_problem.as_ref()) {
        return blocked(facts, facts.status.phase.unwrap_or_default(), problem);
    }
    if !facts.common.leading {
        return unchanged(facts, Step::AwaitChange);
    }
    // While lookups fail, the object waits for no turn: the status would change with every try.
    let looks_first = waiting::is_blocked(facts.status);
    if looks_first && let Err(plan) = earlier_run(facts, next.clone()) {
        return *plan;
    }
    if let Some(plan) = waiting::wait_for_turn(facts, deadline) {
        return plan;
    }
    let admitted = match facts.concurrency {
        None => earlier_run(facts, next),
        Some(policy) => concurrency::admit(facts, policy, next, deadline),
    };
    admitted.map_or_else(|plan| *plan, |next| record_intent(facts, next))
}

/// The end of a run that was stopped, or too late, before it was started.
fn ended_without_start(facts: &Facts<'_>, never_ran: bool) -> Option<Plan> {
    if facts.policy.stop == Some(true) {
        let message = if never_ran { "stopped before it was started" } else { "stopped" };
        return Some(end(facts, Phase::Stopped, Reason::StopRequested, message));
    }
    let is_late = never_ran && start_deadline(facts).is_some_and(|left| left.is_zero());
    is_late.then(|| {
        let message = format!("startDeadlineSeconds passed before the {} could be started", facts.noun);
        end(facts, Phase::Expired, Reason::StartDeadlineExceeded, &message)
    })
}

/// Looks for a run that the status does not list, where there may be one: by an idempotency key, or because the status
/// was lost. The attempt to intend now, when there is none to adopt.
fn earlier_run(facts: &Facts<'_>, next: Attempt) -> Result<Attempt, Box<Plan>> {
    let shared_key = facts.policy.idempotency_key.is_some();
    // Without a key there is nothing to look for.
    if facts.concurrency.is_some() || !shared_key && !may_have_lost_status(facts) {
        return Ok(next);
    }
    match &facts.state.start.lookup {
        None => {
            // No run of an object is older than the object, unless it shares its key.
            let created = facts.common.meta.creation_timestamp.as_ref().map(|created| created.0);
            let query = RunQuery {
                base_key: base_key(facts.common.meta, facts.policy),
                attempt: None,
                since: created.filter(|_| !shared_key),
                baseline: None,
                resumes: None,
            };
            Err(Box::new(unchanged(facts, Step::Call(Call::LookUp(query)))))
        }
        Some(Lookup::Failed(problem)) if problem.reason == Reason::KeyInUse && waiting::is_blocked(facts.status) => {
            // It would come and go with the tries of the objects of the key.
            Err(Box::new(Plan { status: keep(facts), step: Step::Backoff }))
        }
        Some(Lookup::Failed(problem)) => Err(Box::new(blocked(facts, Phase::Pending, problem))),
        // An attempt before those that the status lists.
        Some(Lookup::Found(run)) if run.attempt.is_some_and(|number| number < next.number) => Ok(next),
        Some(Lookup::Found(run)) => {
            let number = run.attempt.unwrap_or(next.number);
            if shared_key && matches!(run.phase, Phase::Stopping | Phase::Stopped) {
                // It was stopped before its work was done, such as by the deletion of the object before this one.
                let number = next.number.max(number + 1);
                return Ok(Attempt { number, key: facts.key(number), ..next });
            }
            // The attempts before it count as retries: an object that is created again has no more of them.
            let retry = next.retry.max(number);
            Err(Box::new(adopt(facts, Attempt { number, key: facts.key(number), retry, ..next }, run)))
        }
        Some(Lookup::NotFound { .. }) => settle_loss(facts).map_or(Ok(next), |plan| Err(Box::new(plan))),
    }
}

/// Whether the status may have listed attempts that it does not list now.
fn may_have_lost_status(facts: &Facts<'_>) -> bool {
    // A run without a key is found by its arguments. Another object's run may have the same, so age is no reason to look.
    let is_old = facts.carries_key && facts.common.age() > NEW_OBJECT;
    facts.status.attempts.is_empty() && (facts.state.had_earlier_attempt || is_old)
}

/// Waits for the rest of the settle time after the loss of the status: until then Glue may not show what was started before it.
/// After a restart, an object with a finalizer and no attempt does not wait: the rate limiter may have held up many.
fn settle_loss(facts: &Facts<'_>) -> Option<Plan> {
    let lost_for = facts.state.lost_for.filter(|_| facts.status.attempts.is_empty())?;
    let left = facts.common.settle.checked_sub(lost_for).filter(|left| !left.is_zero())?;
    let message = format!(
        "the status has lost what was started before; looking for the {} before it is started again",
        facts.noun
    );
    let again = left.min(lost_for.max(LOOK_UP_LOST_AGAIN));
    Some(wait(facts, Phase::Pending, Reason::AnswerUnclear, &message, Some(again)))
}

/// The finalizer, then the intent; the start follows when both are in the object.
pub(super) fn record_intent(facts: &Facts<'_>, next: Attempt) -> Plan {
    if needs_finalizer(facts) && !facts.common.has_finalizer() {
        return unchanged(facts, Step::AddFinalizer);
    }
    let attempts = with_attempt(facts.status, next);
    let status = if reports_obstacle(facts) {
        RunStatus { attempts, ..keep(facts) }
    } else {
        status(facts, Phase::Starting, Reason::Starting, "the start is being sent to Glue", attempts)
    };
    Plan { status, step: Step::Call(Call::Start) }
}

/// Whether the status reports, for this generation, why the object has no run yet. The report stays until a start
/// succeeds: otherwise it would come and go with every try.
fn reports_obstacle(facts: &Facts<'_>) -> bool {
    facts.common.meta.generation == Some(facts.status.observed_generation)
        && match facts.status.phase {
            Some(Phase::Waiting) => true,
            Some(Phase::Pending) => facts.status.attempt().is_some_and(|attempt| attempt.rejected_reason.is_some()),
            _ => false,
        }
}

/// The status records an intent and no outcome.
pub(super) fn open_intent(facts: &Facts<'_>, attempt: &Attempt) -> Plan {
    let (common, start) = (&facts.common, &facts.state.start);
    let intent = OpenIntent {
        fresh: common.fresh_intent,
        outcome: start.outcome.as_ref(),
        lookup: start.lookup.as_ref(),
        accepted: attempt.accepted,
        answers: AnswerRules {
            // StartCrawler answers with no id.
            accepted_needs_lookup: true,
            // A crawl of another object serves only those that share.
            busy_needs_lookup: facts.concurrency.is_none_or(|policy| policy.coalesce),
        },
        age: common.intent_age,
        settle: common.settle,
    };
    match decide(&intent) {
        Decision::Send if common.leading => unchanged(facts, Step::Call(Call::Start)),
        Decision::Send => unchanged(facts, Step::AwaitChange),
        Decision::Started(id) => record_id(facts, attempt, id),
        Decision::Accepted => concurrency::accepted(facts, attempt),
        Decision::Found(run) => found(facts, attempt, run),
        Decision::Rejected(problem) if facts.concurrency.is_some() && problem.kind == Some(ErrorKind::Busy) => {
            concurrency::wait_in_queue(facts, concurrency::waiting(attempt.clone()), None)
        }
        Decision::Rejected(problem) => {
            resume::refused_for_good(facts, attempt, problem).unwrap_or_else(|| rejected(facts, attempt, problem))
        }
        Decision::LookUp => look_up(facts, attempt),
        Decision::LookupFailed(problem) => match gives_up(facts, attempt) {
            None => blocked(facts, Phase::Starting, problem),
            Some(why) => {
                let message = format!("{why}; whether a {} was started is not known: {}", facts.noun, problem.message);
                blocked(facts, Phase::Stopping, &Problem { message, ..problem.clone() })
            }
        },
        Decision::StartAgain => next_start(facts),
        Decision::Settling(left) => {
            let noun = facts.noun;
            let (phase, message) = match gives_up(facts, attempt) {
                None => (
                    Phase::Starting,
                    format!("Glue's answer to the start was lost; looking for the {noun} before it is started again"),
                ),
                Some(why) => (
                    Phase::Stopping,
                    format!("{why}; Glue's answer to the start was lost, and a {noun} that it started is stopped"),
                ),
            };
            wait(facts, phase, Reason::AnswerUnclear, &message, Some(left.min(LOOK_UP_AGAIN)))
        }
    }
}

/// Why nothing is started any more, whatever becomes of the open intent. (`activeDeadlineSeconds` counts from the first
/// start that succeeds.)
fn gives_up(facts: &Facts<'_>, attempt: &Attempt) -> Option<&'static str> {
    let is_over = |left: Option<Duration>| left.is_some_and(|left| left.is_zero());
    if facts.policy.stop == Some(true) {
        Some("spec.stop is true")
    } else if facts.policy.suspend == Some(true) {
        Some("spec.suspend is true")
    } else if never_ran(facts.status) && is_over(start_deadline(facts)) {
        Some("startDeadlineSeconds passed")
    } else if attempt.retry > 0 && is_over(active_deadline(facts, &attempt.active_since)) {
        Some("activeDeadlineSeconds passed")
    } else {
        None
    }
}

fn look_up(facts: &Facts<'_>, attempt: &Attempt) -> Plan {
    if let Some(problem) = &facts.common.credentials_problem {
        return blocked(facts, Phase::Starting, problem);
    }
    if let Some(pause) = facts.common.backoff.filter(|_| !facts.common.deleting()) {
        return Plan { status: keep(facts), step: Step::RequeueAfter(pause) };
    }
    let since = Some(attempt.intended_at.0);
    let query = RunQuery {
        base_key: base_key(facts.common.meta, facts.policy),
        attempt: Some(attempt.number),
        since,
        baseline: attempt.baseline.clone(),
        resumes: attempt.resumes.as_ref().map(|resumes| resumes.run_id.clone()),
    };
    Plan { status: keep(facts), step: Step::Call(Call::LookUp(query)) }
}

/// A lookup found the run of an open intent.
fn found(facts: &Facts<'_>, attempt: &Attempt, run: &ObservedRun) -> Plan {
    let outcome = facts.state.start.outcome.as_ref();
    if attempt.accepted || outcome == Some(&StartOutcome::Accepted) {
        return record_id(facts, attempt, &run.id);
    }
    if facts.concurrency.is_none() {
        return adopt(facts, attempt.clone(), run);
    }
    // The crawler was busy with a crawl that began after the object asked: it is not this object's own.
    let adopted = attempt.adopted || matches!(outcome, Some(StartOutcome::Rejected(_)));
    concurrency::covered(facts, Attempt { adopted, ..attempt.clone() }, run)
}
