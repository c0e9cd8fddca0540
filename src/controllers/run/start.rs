//! The start of an attempt: held back, looked for, or intended and sent; and what an open intent leads to.
//! Where starts carry no key, [`turn`] says what stands in the way.

use std::time::Duration;

use super::attempts::{active_deadline, needs_finalizer, next_attempt, retry_pause, start_deadline, with_attempt};
use super::concurrency;
use super::facts::{Facts, Lookup, StartOutcome};
use super::status::{adopt, adopt_foreign, blocked, end, keep, record_id, refused, rest, status};
use super::step::{Call, Plan, RunQuery, Step};
use crate::api::run::{Attempt, Phase, RunStatus};
use crate::controllers::runtime::time;
use crate::glue::ErrorKind;

/// How often an open intent is looked for until it is settled.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(5);
/// An object that was created longer ago than this, and has no attempt, may have lost its status.
const FRESH: Duration = Duration::from_mins(2);

/// No attempt is under way: start the next one, unless something speaks against it.
pub(super) fn begin(facts: &Facts<'_>) -> Plan {
    if let Some(id) = facts.follow {
        return adopt_foreign(facts, id);
    }
    let never_ran = facts.status.attempts.iter().all(|attempt| attempt.id.is_none());
    if facts.policy.stop == Some(true) {
        let message = if never_ran { "stopped before it was started" } else { "stopped" };
        return end(facts, Phase::Stopped, "StopRequested", message);
    }
    if never_ran && start_deadline(facts).is_some_and(|left| left.is_zero()) {
        return end(
            facts,
            Phase::Expired,
            "StartDeadlineExceeded",
            &format!("startDeadlineSeconds passed before the {} could be started", facts.noun),
        );
    }
    if facts.policy.suspend == Some(true) {
        let message = format!("held by spec.suspend; set it to false to start the {}", facts.noun);
        let attempts = concurrency::forgotten(facts);
        return Plan {
            status: status(facts, Phase::Suspended, "Suspended", &message, attempts),
            step: Step::AwaitChange,
        };
    }
    let next = next_attempt(facts);
    if active_deadline(facts, &next.active_since).is_some_and(|left| left.is_zero()) {
        return end(
            facts,
            Phase::Failed,
            "DeadlineExceeded",
            &format!("activeDeadlineSeconds passed before the {} could be tried again", facts.noun),
        );
    }
    if let Some(left) = retry_pause(facts, next.retry) {
        return rest(
            facts,
            Phase::Waiting,
            "RetryScheduled",
            &format!("retry {} is due after a pause", next.retry),
            Some(left),
        );
    }
    let wait = start_deadline(facts).filter(|_| never_ran);
    if let Some(pause) = facts.rest {
        return Plan { status: keep(facts), step: Step::requeue(Some(wait.map_or(pause, |left| left.min(pause)))) };
    }
    if facts.behind && facts.concurrency.is_none() {
        return rest(
            facts,
            Phase::Waiting,
            "ConcurrentRunsExceeded",
            "older objects wait for a place before this one",
            wait,
        );
    }
    if let Some(problem) = facts.blocked.as_ref().or(facts.unprepared.as_ref()) {
        return blocked(facts, facts.status.phase.unwrap_or_default(), problem);
    }
    if !facts.leading {
        return Plan { status: facts.status.clone(), step: Step::AwaitChange };
    }
    if must_look(facts) {
        match &facts.state.lookup {
            None => {
                return Plan {
                    status: facts.status.clone(),
                    step: Step::Call(Call::LookUp(RunQuery { key: next.key, ..RunQuery::default() })),
                };
            }
            Some(Lookup::Failed(problem)) => return blocked(facts, Phase::Pending, problem),
            Some(Lookup::Found(run)) => return adopt(facts, next, run),
            Some(Lookup::NotFound { .. }) => {}
        }
    }
    let next = match facts
        .concurrency
        .map_or(Ok(next.clone()), |concurrency| concurrency::take(facts, concurrency, next, wait))
    {
        Ok(next) => next,
        Err(plan) => return *plan,
    };
    if needs_finalizer(facts) && !facts.has_finalizer() {
        return Plan { status: facts.status.clone(), step: Step::AddFinalizer };
    }
    let attempts = with_attempt(facts.status, next);
    let status = if says_why_not(facts) {
        RunStatus { attempts, ..keep(facts) }
    } else {
        status(facts, Phase::Starting, "Starting", "the start is being sent to Glue", attempts)
    };
    Plan { status, step: Step::Call(Call::Start) }
}

/// Whether the status says for this generation why the object has no run yet. That stands until a try gets
/// through: who watches would see it come and go with every one that does not.
fn says_why_not(facts: &Facts<'_>) -> bool {
    facts.meta.generation == Some(facts.status.observed_generation)
        && match facts.status.phase {
            Some(Phase::Waiting) => true,
            Some(Phase::Pending) => facts.status.attempt().is_some_and(|attempt| attempt.rejected_reason.is_some()),
            _ => false,
        }
}

/// The object may have had an earlier life that its status does not tell of: same key, or status lost.
fn must_look(facts: &Facts<'_>) -> bool {
    if facts.concurrency.is_some() {
        // There is no key to look for.
        return false;
    }
    if facts.policy.idempotency_key.is_some() {
        return true;
    }
    let age = facts.meta.creation_timestamp.as_ref().map_or(Duration::MAX, |created| time::since(facts.now, created.0));
    facts.status.attempts.is_empty() && (facts.state.had_earlier_attempt || age > FRESH)
}

/// The intent stands, and no outcome with it.
pub(super) fn unclear(facts: &Facts<'_>, attempt: &Attempt) -> Plan {
    let yes = attempt.accepted || facts.state.outcome == Some(StartOutcome::Accepted);
    // Where objects do not share, a crawl that keeps this one out is not for it.
    let is_other = facts.concurrency.is_some_and(|concurrency| !concurrency.coalesce);
    match &facts.state.outcome {
        Some(StartOutcome::Started(id)) => return record_id(facts, attempt, id),
        // The live run that keeps this one out may be our own, from a start whose outcome was lost; or, where
        // runs carry no key, one that began in time to serve this object too.
        Some(StartOutcome::Refused(problem))
            if problem.kind != Some(ErrorKind::Busy) || is_other || facts.state.lookup.is_some() =>
        {
            return match &facts.state.lookup {
                Some(Lookup::Found(run)) if facts.concurrency.is_none() => adopt(facts, attempt.clone(), run),
                Some(Lookup::Found(run)) if !is_other => {
                    concurrency::covered(facts, Attempt { adopted: true, ..attempt.clone() }, run)
                }
                _ if facts.concurrency.is_some() && problem.kind == Some(ErrorKind::Busy) => {
                    concurrency::wait_in_line(facts, concurrency::record(attempt.clone()), None)
                }
                _ => refused(facts, attempt, problem),
            };
        }
        None if facts.fresh_intent => {
            let step = if facts.leading { Step::Call(Call::Start) } else { Step::AwaitChange };
            return Plan { status: facts.status.clone(), step };
        }
        Some(StartOutcome::Refused(_) | StartOutcome::Unclear(_) | StartOutcome::Accepted) | None => {}
    }
    if let Some(problem) = &facts.blocked {
        return blocked(facts, Phase::Starting, problem);
    }
    match &facts.state.lookup {
        None => {
            let since = Some(attempt.intended_at.0);
            let query = RunQuery { key: attempt.key.clone(), since, baseline: attempt.baseline.clone() };
            Plan { status: keep(facts), step: Step::Call(Call::LookUp(query)) }
        }
        Some(Lookup::Found(run)) if yes => record_id(facts, attempt, &run.id),
        Some(Lookup::Found(run)) if facts.concurrency.is_some() => concurrency::covered(facts, attempt.clone(), run),
        Some(Lookup::Found(run)) => adopt(facts, attempt.clone(), run),
        _ if yes && !attempt.accepted => concurrency::accepted(facts, attempt),
        Some(Lookup::Failed(problem)) => blocked(facts, Phase::Starting, problem),
        Some(Lookup::NotFound { .. }) if yes => concurrency::accepted(facts, attempt),
        Some(Lookup::NotFound { known_for }) if *known_for >= facts.settle => begin(facts),
        Some(Lookup::NotFound { .. }) => {
            let noun = facts.noun;
            let message =
                format!("Glue's outcome to the start was lost; looking for the {noun} before it is started again");
            let left = facts.settle.saturating_sub(facts.open_for).min(LOOK_UP_AGAIN);
            rest(facts, Phase::Starting, "AnswerUnclear", &message, Some(left))
        }
    }
}
