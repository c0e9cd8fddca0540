//! The life of a run as a pure function: from what is known to the status that must stand in the object,
//! and the one step that may be taken once it does.
//!
//! The shell writes [`Plan::status`] first, when it differs, and plans again; only then does it take
//! [`Plan::step`]. So an intent is always in the object before a start is sent, and a run id before
//! anything else happens.
//!
//! **What keeps a run from being started twice**
//!
//! 1. [`Step::Start`] comes only right after this very pass has written the intent
//!    ([`Learnt::fresh_intent`]). That write carries the resource version that it was decided on: of two
//!    controllers, or of a controller and its own stale cache, one fails, and sends nothing.
//! 2. An intent that was not written by this pass, or whose answer was unclear, leads to looking for
//!    the key. Found: adopted. Not to be asked: nothing happens. Not found: a *new* intent, once this
//!    process has known of the old one for longer than a sent call can take.
//! 3. A clear no is written down (`refused`), so that it is known without looking.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::attempts::{
    active_deadline, left, may_retry, next_attempt, retry_pause, since, start_deadline, with_attempt,
};
use super::conditions;
use super::facts::{Answer, Facts, Look, Observed, Problem, Sight};
use super::learnt::Learnt;
use crate::api::run::{Attempt, DeletionPolicy, Phase, ReadyWhen, RunStatus, StopCause};
use crate::glue::Class;

/// What must stand in the object, and what may be done once it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The status.
    pub status: RunStatus,
    /// The step.
    pub step: Step,
}

/// One step. After each but the last two the shell plans again with what it learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put our finalizer on the object.
    Hold,
    /// Take our finalizer off; `left_behind` names a live run that nobody could stop.
    Release {
        /// The run's id, or the key of a start whose outcome is not known.
        left_behind: Option<String>,
    },
    /// Look for the current attempt's key in Glue.
    Look {
        /// The key.
        key: String,
        /// When the intent was recorded; `None` looks through everything that Glue remembers.
        since: Option<Timestamp>,
    },
    /// Send the start of the current attempt, once.
    Start,
    /// Stop this run.
    Stop(String),
    /// Delete the object: its time after the end is over.
    Delete,
    /// Something stands in the way: come back after a pause that grows each time.
    Retry,
    /// Nothing to do before something changes, or this time has passed.
    Rest(Option<Duration>),
}

/// How often an open intent is looked for until it is settled.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// An object that was created longer ago than this, and has no attempt, may have lost its status.
const FRESH: Duration = Duration::from_secs(120);

/// Decides.
#[must_use]
pub fn plan(facts: &Facts<'_>) -> Plan {
    if facts.deleting() {
        return deletion(facts);
    }
    if facts.status.phase.is_some_and(Phase::is_final) {
        return finished(facts);
    }
    match facts.status.attempt() {
        Some(attempt) if attempt.ended_at.is_some() || attempt.refused.is_some() => begin(facts),
        Some(attempt) => match &attempt.id {
            Some(id) => follow(facts, attempt, id),
            None => unclear(facts, attempt),
        },
        None => begin(facts),
    }
}

/// Whether the object must carry our finalizer: only while there is, or may soon be, something to stop.
fn needs_finalizer(facts: &Facts<'_>) -> bool {
    let default = if facts.follow.is_some() { DeletionPolicy::Orphan } else { DeletionPolicy::Stop };
    facts.policy.deletion_policy.unwrap_or(default) == DeletionPolicy::Stop
}

/// No attempt is under way: start the next one, unless something speaks against it.
fn begin(facts: &Facts<'_>) -> Plan {
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
            "startDeadlineSeconds passed before the run could be started",
        );
    }
    if facts.policy.suspend == Some(true) {
        return rest(
            facts,
            Phase::Suspended,
            "Suspended",
            "held by spec.suspend; set it to false to start the run",
            None,
        );
    }
    let next = next_attempt(facts);
    if active_deadline(facts, &next.active_since).is_some_and(|left| left.is_zero()) {
        return end(
            facts,
            Phase::Failed,
            "DeadlineExceeded",
            "activeDeadlineSeconds passed before the run could be tried again",
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
        return Plan { status: keep(facts), step: Step::Rest(Some(wait.map_or(pause, |left| left.min(pause)))) };
    }
    if facts.behind {
        return rest(
            facts,
            Phase::Waiting,
            "ConcurrentRunsExceeded",
            "older objects wait for a place before this one",
            wait,
        );
    }
    if let Some(problem) = &facts.blocked {
        return blocked(facts, facts.status.phase.unwrap_or_default(), problem);
    }
    if !facts.leading {
        return Plan { status: facts.status.clone(), step: Step::Rest(None) };
    }
    if must_look(facts) {
        match &facts.learnt.look {
            None => {
                return Plan { status: facts.status.clone(), step: Step::Look { key: next.key, since: None } };
            }
            Some(Look::Failed(problem)) => return blocked(facts, Phase::Pending, problem),
            Some(Look::Found(run)) => return adopt(facts, next, run),
            Some(Look::Nothing { .. }) => {}
        }
    }
    if needs_finalizer(facts) && !facts.has_finalizer() {
        return Plan { status: facts.status.clone(), step: Step::Hold };
    }
    let attempts = with_attempt(facts.status, next);
    Plan {
        status: status(facts, Phase::Starting, "Starting", "the start is being sent to Glue", attempts),
        step: Step::Start,
    }
}

/// The object may have had an earlier life that its status does not tell of: same key, or status lost.
fn must_look(facts: &Facts<'_>) -> bool {
    if facts.policy.idempotency_key.is_some() {
        return true;
    }
    let age = facts.meta.creation_timestamp.as_ref().map_or(Duration::MAX, |created| since(facts.now, created.0));
    facts.status.attempts.is_empty() && (facts.learnt.lived_before || age > FRESH)
}

/// The intent stands, and no answer with it.
fn unclear(facts: &Facts<'_>, attempt: &Attempt) -> Plan {
    match &facts.learnt.answer {
        Some(Answer::Started(id)) => return record_id(facts, attempt, id),
        // The live run that keeps this one out may be our own, from a start whose answer was lost.
        Some(Answer::Refused(problem)) if problem.class != Some(Class::Busy) || facts.learnt.look.is_some() => {
            return match &facts.learnt.look {
                Some(Look::Found(run)) => adopt(facts, attempt.clone(), run),
                _ => refused(facts, attempt, problem),
            };
        }
        None if facts.learnt.fresh_intent => {
            let step = if facts.leading { Step::Start } else { Step::Rest(None) };
            return Plan { status: facts.status.clone(), step };
        }
        Some(Answer::Refused(_) | Answer::Unclear(_)) | None => {}
    }
    if let Some(problem) = &facts.blocked {
        return blocked(facts, Phase::Starting, problem);
    }
    match &facts.learnt.look {
        None => {
            let since = Some(attempt.intended_at.0);
            Plan { status: keep(facts), step: Step::Look { key: attempt.key.clone(), since } }
        }
        Some(Look::Found(run)) => adopt(facts, attempt.clone(), run),
        Some(Look::Failed(problem)) => blocked(facts, Phase::Starting, problem),
        Some(Look::Nothing { known_for }) if *known_for >= facts.settle => begin(facts),
        Some(Look::Nothing { .. }) => {
            let message = "Glue's answer to the start was lost; looking for the run before it is started again";
            let left = facts.settle.saturating_sub(facts.open_for).min(LOOK_AGAIN);
            rest(facts, Phase::Starting, "AnswerUnclear", message, Some(left))
        }
    }
}

/// The run is known: its state becomes ours, until it has ended.
fn follow(facts: &Facts<'_>, attempt: &Attempt, id: &str) -> Plan {
    if needs_finalizer(facts) != facts.has_finalizer() {
        let step = if needs_finalizer(facts) { Step::Hold } else { Step::Release { left_behind: None } };
        return Plan { status: facts.status.clone(), step };
    }
    if let Some(problem) = &facts.blocked {
        return blocked(facts, facts.status.phase.unwrap_or_default(), problem);
    }
    if let Some(Sight::Here(run)) = &facts.sight
        && run.phase.is_final()
        && !run.retry_expected
    {
        return ended(facts, attempt, run);
    }
    let deadline = active_deadline(facts, &attempt.active_since);
    if let Some(cause) = attempt.stop_cause.or_else(|| stop_cause(facts, deadline)) {
        if facts.sight == Some(Sight::Gone) {
            let attempt = Attempt { stop_cause: Some(cause), ..attempt.clone() };
            return ended(facts, &attempt, &nothing_to_stop(id));
        }
        return stop(facts, attempt, id, cause);
    }
    if let Some(problem) = &facts.poll_problem {
        let mut plan = blocked(facts, facts.status.phase.unwrap_or_default(), problem);
        // The poller comes back by itself, and wakes the object when it gets through.
        plan.step = Step::Rest(deadline);
        return plan;
    }
    match &facts.sight {
        None => Plan { status: keep(facts), step: Step::Rest(deadline) },
        Some(Sight::Gone) => {
            let message = format!("Glue does not know run {id}; looking on");
            rest(facts, Phase::Unknown, "RunNotFound", &message, deadline)
        }
        Some(Sight::Here(run)) => live(facts, attempt, run, deadline),
    }
}

fn live(facts: &Facts<'_>, attempt: &Attempt, run: &Observed, deadline: Option<Duration>) -> Plan {
    let mut attempt = attempt.clone();
    attempt.id = Some(run.id.clone());
    let attempts = with_attempt(facts.status, attempt);
    let (phase, reason, message) = if run.retry_expected {
        (Phase::Waiting, "GlueRetries".to_owned(), format!("run {} failed and Glue retries it by itself", run.id))
    } else if run.phase == Phase::Starting {
        // The words of the start itself, or of the adoption: that Glue is at it is no news worth a write.
        match facts.status.condition("Ready").filter(|ready| ready.reason == "Adopted") {
            Some(adopted) => (Phase::Starting, adopted.reason.clone(), adopted.message.clone()),
            None => (Phase::Starting, "Starting".to_owned(), was_started(&run.id)),
        }
    } else {
        (run.phase, format!("{:?}", run.phase), format!("run {} is {} in Glue", run.id, run.state))
    };
    Plan { status: status(facts, phase, &reason, &message, attempts), step: Step::Rest(deadline) }
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

/// The cause is written first, then the stop is sent; the run's own end is waited for.
fn stop(facts: &Facts<'_>, attempt: &Attempt, id: &str, cause: StopCause) -> Plan {
    let mut attempt = attempt.clone();
    attempt.stop_cause = Some(cause);
    let stopping = match &facts.sight {
        Some(Sight::Here(run)) => {
            attempt.id = Some(run.id.clone());
            run.phase == Phase::Stopping
        }
        _ => false,
    };
    let id = attempt.id.clone().unwrap_or_else(|| id.to_owned());
    let attempts = with_attempt(facts.status, attempt);
    let (reason, message) = match (&facts.learnt.stop_problem, cause) {
        (Some(problem), _) => (problem.reason.as_str(), problem.message.clone()),
        (None, StopCause::Suspended) => ("Suspended", format!("run {id} is being stopped: spec.suspend is true")),
        (None, StopCause::StopRequested) => ("StopRequested", format!("run {id} is being stopped: spec.stop is true")),
        (None, StopCause::DeadlineExceeded) => {
            ("DeadlineExceeded", format!("run {id} is being stopped: activeDeadlineSeconds have passed"))
        }
        (None, StopCause::Deleted) => ("Deleted", format!("run {id} is being stopped: the object is deleted")),
    };
    let step = if stopping || facts.stop_sent {
        Step::Rest(None)
    } else if facts.learnt.stop_problem.is_some() {
        Step::Retry
    } else {
        Step::Stop(id)
    };
    Plan { status: status(facts, Phase::Stopping, reason, &message, attempts), step }
}

/// A run that Glue does not know any more is as good as stopped.
fn nothing_to_stop(id: &str) -> Observed {
    Observed {
        id: id.to_owned(),
        state: "GONE".to_owned(),
        phase: Phase::Stopped,
        retry_expected: false,
        message: None,
    }
}

/// The run has ended: so does the object's, or another attempt follows.
fn ended(facts: &Facts<'_>, attempt: &Attempt, run: &Observed) -> Plan {
    let mut attempt = attempt.clone();
    attempt.id = Some(run.id.clone());
    attempt.state = Some(run.state.clone());
    attempt.ended_at = Some(Time(facts.now));
    let cause = attempt.stop_cause;
    let retry = attempt.retry;
    let attempts = with_attempt(facts.status, attempt);
    let words = run.message.as_deref();
    let told = |default: String| words.map_or(default, str::to_owned);
    let (phase, reason, message) = match (run.phase, cause) {
        (Phase::Stopped, Some(StopCause::Suspended)) => {
            let attempts = RunStatus { attempts, ..facts.status.clone() };
            // What follows, held or another attempt, is decided from the attempt's end as it is written.
            return begin(&Facts { status: &attempts, sight: None, ..facts.clone() });
        }
        (Phase::Stopped, Some(StopCause::DeadlineExceeded)) => {
            (Phase::Failed, "DeadlineExceeded", format!("run {} was stopped: activeDeadlineSeconds had passed", run.id))
        }
        (Phase::Stopped, Some(StopCause::StopRequested)) => {
            (Phase::Stopped, "StopRequested", format!("run {} was stopped: spec.stop is true", run.id))
        }
        (Phase::Stopped, _) => (Phase::Stopped, "Stopped", told(format!("run {} was stopped in Glue", run.id))),
        (Phase::Succeeded, _) => (Phase::Succeeded, "Succeeded", format!("run {} succeeded", run.id)),
        (phase, None) if may_retry(facts.policy.retry.as_ref(), phase, retry) => {
            let message = format!(
                "run {} ended as {}{}",
                run.id,
                run.state,
                words.map(|words| format!(": {words}")).unwrap_or_default()
            );
            let attempts = RunStatus { attempts, ..facts.status.clone() };
            let mut plan = begin(&Facts { status: &attempts, sight: None, ..facts.clone() });
            if plan.status.phase == Some(Phase::Waiting) {
                plan.status = status(facts, Phase::Waiting, "RetryScheduled", &message, attempts.attempts);
            }
            return plan;
        }
        (phase, _) => (phase, reason_of(phase), told(format!("run {} ended as {} in Glue", run.id, run.state))),
    };
    Plan { status: status(facts, phase, reason, &message, attempts), step: Step::Rest(None) }
}

/// Nothing follows any more: the finalizer goes, and the object with it when its time has come.
fn finished(facts: &Facts<'_>) -> Plan {
    if facts.has_finalizer() {
        return Plan { status: keep(facts), step: Step::Release { left_behind: None } };
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
        left => Step::Rest(left),
    };
    Plan { status: keep(facts), step }
}

/// The object is being deleted: whatever lives in Glue is stopped first, unless it is to be left.
fn deletion(facts: &Facts<'_>) -> Plan {
    let nothing_left = Plan { status: facts.status.clone(), step: Step::Release { left_behind: None } };
    if !facts.has_finalizer() {
        return Plan { step: Step::Rest(None), ..nothing_left };
    }
    let over = facts.status.phase.is_some_and(Phase::is_final);
    let Some(attempt) =
        facts.status.attempt().filter(|attempt| !over && attempt.ended_at.is_none() && attempt.refused.is_none())
    else {
        return nothing_left;
    };
    if !needs_finalizer(facts) {
        return nothing_left;
    }
    let problem = facts.blocked.as_ref().or(facts.learnt.stop_problem.as_ref()).or(match &facts.learnt.look {
        Some(Look::Failed(problem)) => Some(problem),
        _ => None,
    });
    let waited = facts.meta.deletion_timestamp.as_ref().map_or(Duration::ZERO, |deleted| since(facts.now, deleted.0));
    if problem.is_some() && waited >= facts.deletion_timeout {
        let left_behind = Some(attempt.id.clone().unwrap_or_else(|| attempt.key.clone()));
        return Plan { status: facts.status.clone(), step: Step::Release { left_behind } };
    }
    let Some(id) = &attempt.id else {
        return match (&facts.learnt.answer, &facts.learnt.look) {
            (Some(Answer::Started(id)), _) => record_id(facts, attempt, id),
            (Some(Answer::Refused(_)), _) => nothing_left,
            (_, Some(Look::Nothing { known_for })) if *known_for >= facts.settle => nothing_left,
            _ => unclear(
                &Facts { learnt: &Learnt { fresh_intent: false, ..facts.learnt.clone() }, ..facts.clone() },
                attempt,
            ),
        };
    };
    match &facts.sight {
        Some(Sight::Gone) => nothing_left,
        Some(Sight::Here(run)) if run.phase.is_final() && !run.retry_expected => nothing_left,
        _ => match &facts.blocked {
            Some(problem) => blocked(facts, Phase::Stopping, problem),
            None => stop(facts, attempt, id, attempt.stop_cause.unwrap_or(StopCause::Deleted)),
        },
    }
}

// --- the building blocks ---

fn adopt_foreign(facts: &Facts<'_>, id: &str) -> Plan {
    let attempt = Attempt { key: String::new(), id: Some(id.to_owned()), ..next_attempt(facts) };
    let attempts = with_attempt(facts.status, attempt);
    let message = format!("following run {id}, which was started elsewhere");
    Plan { status: status(facts, Phase::Pending, "Following", &message, attempts), step: Step::Rest(None) }
}

fn adopt(facts: &Facts<'_>, attempt: Attempt, run: &Observed) -> Plan {
    let attempt = Attempt { id: Some(run.id.clone()), refused: None, ..attempt };
    let attempts = with_attempt(facts.status, attempt);
    let message = format!("run {} carries this object's key and was adopted", run.id);
    let phase = if run.phase.is_final() { Phase::Starting } else { run.phase };
    Plan { status: status(facts, phase, "Adopted", &message, attempts), step: Step::Rest(None) }
}

fn record_id(facts: &Facts<'_>, attempt: &Attempt, id: &str) -> Plan {
    let attempt = Attempt { id: Some(id.to_owned()), ..attempt.clone() };
    let attempts = with_attempt(facts.status, attempt);
    Plan { status: status(facts, Phase::Starting, "Starting", &was_started(id), attempts), step: Step::Rest(None) }
}

fn was_started(id: &str) -> String {
    format!("run {id} was started")
}

fn refused(facts: &Facts<'_>, attempt: &Attempt, problem: &Problem) -> Plan {
    let attempt = Attempt { refused: Some(problem.reason.clone()), ..attempt.clone() };
    let attempts = with_attempt(facts.status, attempt);
    let phase =
        if matches!(problem.class, Some(Class::Busy | Class::LimitExceeded)) { Phase::Waiting } else { Phase::Pending };
    Plan { status: status(facts, phase, &problem.reason, &problem.message, attempts), step: Step::Retry }
}

fn blocked(facts: &Facts<'_>, phase: Phase, problem: &Problem) -> Plan {
    let attempts = facts.status.attempts.clone();
    Plan { status: status(facts, phase, &problem.reason, &problem.message, attempts), step: Step::Retry }
}

fn rest(facts: &Facts<'_>, phase: Phase, reason: &str, message: &str, after: Option<Duration>) -> Plan {
    let attempts = facts.status.attempts.clone();
    Plan { status: status(facts, phase, reason, message, attempts), step: Step::Rest(after) }
}

fn end(facts: &Facts<'_>, phase: Phase, reason: &str, message: &str) -> Plan {
    rest(facts, phase, reason, message, None)
}

fn status(facts: &Facts<'_>, phase: Phase, reason: &str, message: &str, attempts: Vec<Attempt>) -> RunStatus {
    let ready_when = facts.policy.ready_when.unwrap_or(ReadyWhen::Completed);
    RunStatus {
        observed_generation: facts.meta.generation.unwrap_or_default(),
        phase: Some(phase),
        attempts,
        conditions: conditions::of(phase, reason, message, ready_when, &facts.status.conditions, facts.now),
    }
}

/// The status as it stands, for this generation.
fn keep(facts: &Facts<'_>) -> RunStatus {
    RunStatus { observed_generation: facts.meta.generation.unwrap_or_default(), ..facts.status.clone() }
}

fn reason_of(phase: Phase) -> &'static str {
    match phase {
        Phase::TimedOut => "TimedOut",
        Phase::Error => "GlueError",
        Phase::Expired => "Expired",
        _ => "Failed",
    }
}
