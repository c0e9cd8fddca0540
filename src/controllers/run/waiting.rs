//! An object that waits until a start of its job, crawler or workflow may succeed: what its status says of that, and what it does
//! meanwhile. Whose turn it is is decided by the [`queue`](crate::controllers::runtime::queue).

use std::time::Duration;

use super::calls::{Call, Plan, Step};
use super::conditions::ready_reason;
use super::facts::Facts;
use super::status::{keep, unchanged, wait};
use crate::api::run::{Phase, RunStatus};
use crate::controllers::runtime::queue::{Cause, Turn};

/// What the object waits for, by its status; `None` when it does not wait for a start that other objects wait for too.
#[must_use]
pub fn waits_for(status: &RunStatus) -> Option<Cause> {
    let phase = status.phase.filter(|phase| matches!(phase, Phase::Waiting | Phase::Pending))?;
    let reason = ready_reason(status)?;
    let attempt = status.attempt();
    let refused = attempt.and_then(|attempt| attempt.rejected_reason.as_deref());
    let has_run = attempt.is_some_and(|attempt| attempt.ended_at.is_none() && attempt.id.is_some());
    // A problem with something else, such as a lookup, may have the same reason.
    let is_waiting = phase == Phase::Waiting || refused == Some(reason.as_str());
    Cause::of_reason(reason).filter(|_| is_waiting && !has_run)
}

/// Where the object waits. One whose spec was refused still says so while it waits for its turn.
#[must_use]
pub fn place(status: &RunStatus, turn: Turn) -> Option<Cause> {
    match (waits_for(status)?, turn) {
        (Cause::Invalid, Turn::Behind(cause) | Turn::After(cause, _)) => Some(cause),
        (recorded, _) => Some(recorded),
    }
}

/// Whether the status says what else keeps the object from a start, such as a lookup that failed.
pub(super) fn is_blocked(status: &RunStatus) -> bool {
    status.phase == Some(Phase::Pending) && waits_for(status).is_none()
}

/// What the object does while it may not try to start; `None` when it may. `deadline` is what is left of
/// `startDeadlineSeconds`.
pub(super) fn wait_for_turn(facts: &Facts<'_>, deadline: Option<Duration>) -> Option<Plan> {
    let (cause, pause) = match facts.turn {
        Turn::Now if facts.concurrency.is_none() && waits_for(facts.status) == Some(Cause::ConcurrentRuns) => {
            // A try costs two writes of the object; most of them are in vain.
            return match facts.state.has_place {
                Some(false) => Some(Plan { status: keep(facts), step: Step::requeue(deadline) }),
                None => Some(unchanged(facts, Step::Call(Call::CheckPlace))),
                Some(true) => None,
            };
        }
        Turn::Now => return None,
        Turn::Behind(cause) => (cause, None),
        Turn::After(cause, pause) => (cause, Some(pause)),
    };
    // A crawler shows by itself when it is idle, and another object's crawl may cover this one.
    if cause == Cause::ConcurrentRuns && facts.concurrency.is_some() {
        return None;
    }
    let again = [pause, deadline].into_iter().flatten().min();
    // What was wrong with the spec stays in the status until a start succeeds: it would come and go with every try.
    if waits_for(facts.status).is_some_and(|recorded| recorded == cause || recorded == Cause::Invalid) {
        return Some(Plan { status: keep(facts), step: Step::requeue(again) });
    }
    let message = match (cause, &facts.refusal) {
        (Cause::ConcurrentRuns, _) => {
            format!("older objects wait for a free run of the {} before this one", facts.target)
        }
        (_, Some(refusal)) => refusal.message.clone(),
        (Cause::Quota | Cause::Denied | Cause::NoTarget | Cause::Invalid, None) => format!(
            "AWS refused to start the same {} for another object with the same credentials, whose status says why; one \
             object tries again, and this one follows when that succeeds",
            facts.target
        ),
    };
    Some(wait(facts, Phase::Waiting, cause.reason(), &message, again))
}
