//! What must stand in the object, and the next step: for a connection that is not there, for one that cannot be
//! looked at, and for an object that is being deleted. `presence` is about one that is there.
//!
//! **Whose a connection is.** `status.applied` says that this object has created it or taken it over. It is
//! written after the creation, and before the creation stands the intent (`status.creation`), written only when
//! there was none of that name: so one that is there after a crash between the two, and is what was intended, is
//! this object's. All others are somebody else's, and what becomes of them the adoption policy says.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::CallOutcome;
use super::calls::Call;
use super::existing;
use super::preconditions::{before_change, deletes};
use super::status::{
    CREATING, ConnectionFacts, ConnectionPlan, DELETING, DRIFTED, HELD_BY_ANOTHER, base, draft, keep, show, stopped,
};
use crate::api::GlueConnectionStatus;
use crate::api::connection::status::{Creation, Drift};
use crate::api::declared::DriftPolicy;
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::runtime::ownership::{ASK_AGAIN, Ownership};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::step::Step;
use crate::controllers::runtime::time;
use crate::glue::poller::Observation;

/// Decides.
#[must_use]
pub fn plan(facts: &ConnectionFacts<'_>) -> ConnectionPlan {
    let ConnectionPlan { status, step } = decide(facts);
    let reread = facts.inputs.and_then(|inputs| inputs.reread);
    let step = match (step, reread) {
        (Step::AwaitChange, Some(reread)) => Step::RequeueAfter(reread),
        (Step::RequeueAfter(after), Some(reread)) => Step::RequeueAfter(after.min(reread)),
        (step, _) => step,
    };
    ConnectionPlan { status, step }
}

fn decide(facts: &ConnectionFacts<'_>) -> ConnectionPlan {
    if facts.deleting() {
        return deletion(facts);
    }
    let mut status = base(facts);
    match &facts.ownership {
        Ownership::Owned => {}
        Ownership::Undetermined => return keep(facts, Step::RequeueAfter(ASK_AGAIN)),
        Ownership::OwnedBy((namespace, name)) => {
            let message = format!(
                "GlueConnection {namespace}/{name} is older and about the same connection: delete one of the two"
            );
            return draft(facts, status, SyncState::Stalled, HELD_BY_ANOTHER, &message, Step::AwaitChange);
        }
    }
    if let Some(problem) = facts.blocked.as_ref().or(facts.unprepared.as_ref()) {
        return stopped(facts, status, problem, Step::Backoff);
    }
    if let Some(problem) = facts.unseen() {
        // The poller goes on asking, and wakes the object when it gets an answer.
        return stopped(facts, status, problem, Step::AwaitChange);
    }
    match &facts.observation {
        Some(Observation::Present(seen)) => existing::there(facts, status, seen),
        Some(Observation::NotFound) => {
            show(&mut status, None, None);
            absent(facts, status)
        }
        // What this pass has state stands; the poller is about to look.
        None if facts.state.has_created() => {
            draft(facts, status, SyncState::Progressing, CREATING, "Glue has taken the connection", Step::AwaitChange)
        }
        None => match &facts.problem {
            Some(problem) => stopped(facts, status, problem, Step::AwaitChange),
            None => ConnectionPlan { status: learnt_only(facts, status), step: Step::AwaitChange },
        },
    }
}

/// Before the first observation nothing is said, so that no tool takes the object for seen.
fn learnt_only(facts: &ConnectionFacts<'_>, status: GlueConnectionStatus) -> GlueConnectionStatus {
    let before = || facts.object.status.clone().unwrap_or_default();
    if facts.state.outcomes.is_empty() { before() } else { status }
}

/// There is no such connection.
fn absent(facts: &ConnectionFacts<'_>, mut status: GlueConnectionStatus) -> ConnectionPlan {
    if let Some(left) = unsettled(facts, &status).filter(|_| !facts.fresh_intent) {
        // Glue may show later what it has taken in already.
        return ConnectionPlan { status, step: Step::RequeueAfter(left) };
    }
    if status.applied.is_some() {
        let message = "the connection was deleted in Glue";
        let fields = vec!["connection".to_owned()];
        let told = status.drift.as_ref().is_some_and(|drift| drift.fields == fields);
        status.drift = Some(Drift { fields, by: None, at: None });
        if facts.object.spec.drift_policy == Some(DriftPolicy::Report) {
            let message = format!("{message}; driftPolicy Report leaves it so");
            return draft(facts, status, SyncState::Stalled, DRIFTED, &message, Step::AwaitChange);
        }
        if !told {
            return draft(facts, status, SyncState::Progressing, DRIFTED, message, Step::Backoff);
        }
    }
    if let Some(decision) = before_change(facts, &status, CREATING) {
        return decision;
    }
    let Some(inputs) = facts.inputs else { return keep(facts, Step::AwaitChange) };
    if facts.fresh_intent {
        return keep(facts, Step::Call(Call::Create));
    }
    let creation = Creation {
        intended_at: Time(facts.now),
        fingerprint: inputs.fingerprint.clone(),
        unclear: status.creation.is_some(),
    };
    status.creation = Some(creation);
    draft(facts, status, SyncState::Progressing, CREATING, "the connection is being created", Step::Call(Call::Create))
}

/// The object is being deleted.
fn deletion(facts: &ConnectionFacts<'_>) -> ConnectionPlan {
    if !facts.has_finalizer() {
        return keep(facts, Step::AwaitChange);
    }
    let status = base(facts);
    let has_any = status.applied.is_some() || status.creation.is_some();
    let is_ours = facts.ownership == Ownership::Owned || facts.ownership == Ownership::Undetermined;
    if !deletes(facts) || !has_any || !is_ours || facts.state.has(&CallOutcome::Deleted) {
        return keep(facts, Step::RemoveFinalizer { left_behind: None });
    }
    let overdue = facts.deleted_for() >= facts.deletion_timeout;
    let left_behind = Step::RemoveFinalizer { left_behind: Some(facts.object.connection_name().to_owned()) };
    let stuck = |problem: &Problem| {
        if overdue {
            return keep(facts, left_behind.clone());
        }
        stopped(facts, status.clone(), problem, Step::Backoff)
    };
    if let Some(problem) = facts.problem.as_ref().or(facts.blocked.as_ref()).or(facts.unseen()) {
        return stuck(problem);
    }
    if facts.ownership == Ownership::Undetermined {
        return keep(facts, Step::RequeueAfter(ASK_AGAIN));
    }
    if let Some(pause) = facts.rest {
        return keep(facts, if overdue { left_behind } else { Step::RequeueAfter(pause) });
    }
    match &facts.observation {
        None => keep(facts, Step::AwaitChange),
        Some(Observation::NotFound) => match unsettled(facts, &status) {
            Some(left) => keep(facts, Step::RequeueAfter(left)),
            None => keep(facts, Step::RemoveFinalizer { left_behind: None }),
        },
        Some(Observation::Present(_)) if !facts.leading => keep(facts, Step::AwaitChange),
        Some(Observation::Present(seen)) => match existing::ours(facts, &status, seen) {
            Some(_) => {
                let message = "the connection is being deleted";
                draft(facts, status, SyncState::Progressing, DELETING, message, Step::Call(Call::Delete))
            }
            // It may be what was intended, and that cannot be told any more.
            None if status.creation.is_some() && facts.inputs.is_none() => keep(facts, left_behind),
            None => keep(facts, Step::RemoveFinalizer { left_behind: None }),
        },
    }
}

/// How long a creation that was sent, and that nobody has seen yet, can still come through.
fn unsettled(facts: &ConnectionFacts<'_>, status: &GlueConnectionStatus) -> Option<Duration> {
    let unseen = status.applied.as_ref().filter(|applied| applied.created_at.is_none());
    let created = unseen.and_then(|applied| applied.at.as_ref());
    let at = status.creation.as_ref().map(|creation| &creation.intended_at).or(created)?;
    facts.settle.checked_sub(time::since(facts.now, at.0)).filter(|left| !left.is_zero())
}
