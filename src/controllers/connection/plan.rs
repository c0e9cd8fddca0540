//! What must stand in the object, and the next step: for a connection that is not there, for one that cannot be
//! looked at, and for an object that is being deleted. `presence` is about one that is there.
//!
//! **Whose a connection is.** `status.applied` says that this object has created it or taken it over. It is
//! written after the creation, and before the creation stands the intent (`status.creation`), written only when
//! there was none of that name: so one that is there after a crash between the two, and is what was intended, is
//! this object's. All others are somebody else's, and what becomes of them the adoption policy says.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Came;
use super::actions::Act;
use super::before::{before_change, deletes};
use super::drafts::{About, CREATING, DELETING, DRIFTED, Decision, HELD_BY_ANOTHER, base, draft, keep, show, stopped};
use super::presence;
use crate::api::GlueConnectionStatus;
use crate::api::connection::status::{Creation, Drift};
use crate::api::declared::DriftPolicy;
use crate::controllers::claims::{ASK_AGAIN, Claim};
use crate::controllers::declared::conditions::Stand;
use crate::controllers::problem::Problem;
use crate::controllers::step::Step;
use crate::controllers::times;
use crate::glue::poller::Sight;

/// Decides.
#[must_use]
pub fn plan(facts: &About<'_>) -> Decision {
    let Decision { status, step } = decide(facts);
    let reread = facts.inputs.and_then(|inputs| inputs.reread);
    let step = match (step, reread) {
        (Step::Rest(after), Some(reread)) => Step::Rest(Some(after.map_or(reread, |after| after.min(reread)))),
        (step, _) => step,
    };
    Decision { status, step }
}

fn decide(facts: &About<'_>) -> Decision {
    if facts.deleting() {
        return deletion(facts);
    }
    let mut status = base(facts);
    match &facts.claim {
        Claim::Ours => {}
        Claim::Open => return keep(facts, Step::Rest(Some(ASK_AGAIN))),
        Claim::HeldBy((namespace, name)) => {
            let message = format!(
                "GlueConnection {namespace}/{name} is older and about the same connection: delete one of the two"
            );
            return draft(facts, status, Stand::Stalled, HELD_BY_ANOTHER, &message, Step::Rest(None));
        }
    }
    if let Some(problem) = facts.blocked.as_ref().or(facts.unprepared.as_ref()) {
        return stopped(facts, status, problem, Step::Retry);
    }
    if let Some(problem) = facts.unseen() {
        // The poller goes on asking, and wakes the object when it gets an answer.
        return stopped(facts, status, problem, Step::Rest(None));
    }
    match &facts.sight {
        Some(Sight::Here(seen)) => presence::there(facts, status, seen),
        Some(Sight::Gone) => {
            show(&mut status, None, None);
            absent(facts, status)
        }
        // What this pass has learnt stands; the poller is about to look.
        None if facts.learnt.has_created() => {
            draft(facts, status, Stand::OnItsWay, CREATING, "Glue has taken the connection", Step::Rest(None))
        }
        None => match &facts.problem {
            Some(problem) => stopped(facts, status, problem, Step::Rest(None)),
            None => Decision { status: learnt_only(facts, status), step: Step::Rest(None) },
        },
    }
}

/// Before the first sight nothing is said, so that no tool takes the object for seen.
fn learnt_only(facts: &About<'_>, status: GlueConnectionStatus) -> GlueConnectionStatus {
    let before = || facts.object.status.clone().unwrap_or_default();
    if facts.learnt.came.is_empty() { before() } else { status }
}

/// There is no such connection.
fn absent(facts: &About<'_>, mut status: GlueConnectionStatus) -> Decision {
    if let Some(left) = unsettled(facts, &status).filter(|_| !facts.fresh_intent) {
        // Glue may show later what it has taken in already.
        return Decision { status, step: Step::Rest(Some(left)) };
    }
    if status.applied.is_some() {
        let message = "the connection was deleted in Glue";
        let fields = vec!["connection".to_owned()];
        let told = status.drift.as_ref().is_some_and(|drift| drift.fields == fields);
        status.drift = Some(Drift { fields, by: None, at: None });
        if facts.object.spec.drift_policy == Some(DriftPolicy::Report) {
            let message = format!("{message}; driftPolicy Report leaves it so");
            return draft(facts, status, Stand::Stalled, DRIFTED, &message, Step::Rest(None));
        }
        if !told {
            return draft(facts, status, Stand::OnItsWay, DRIFTED, message, Step::Retry);
        }
    }
    if let Some(decision) = before_change(facts, &status, CREATING) {
        return decision;
    }
    let Some(inputs) = facts.inputs else { return keep(facts, Step::Rest(None)) };
    if facts.fresh_intent {
        return keep(facts, Step::Act(Act::Create));
    }
    let creation = Creation {
        intended_at: Time(facts.now),
        fingerprint: inputs.fingerprint.clone(),
        unclear: status.creation.is_some(),
    };
    status.creation = Some(creation);
    draft(facts, status, Stand::OnItsWay, CREATING, "the connection is being created", Step::Act(Act::Create))
}

/// The object is being deleted.
fn deletion(facts: &About<'_>) -> Decision {
    if !facts.has_finalizer() {
        return keep(facts, Step::Rest(None));
    }
    let status = base(facts);
    let has_any = status.applied.is_some() || status.creation.is_some();
    let is_ours = facts.claim == Claim::Ours || facts.claim == Claim::Open;
    if !deletes(facts) || !has_any || !is_ours || facts.learnt.has(&Came::Deleted) {
        return keep(facts, Step::Release { left_behind: None });
    }
    let overdue = facts.deleted_for() >= facts.deletion_timeout;
    let left_behind = Step::Release { left_behind: Some(facts.object.connection_name().to_owned()) };
    let stuck = |problem: &Problem| {
        if overdue {
            return keep(facts, left_behind.clone());
        }
        stopped(facts, status.clone(), problem, Step::Retry)
    };
    if let Some(problem) = facts.problem.as_ref().or(facts.blocked.as_ref()).or(facts.unseen()) {
        return stuck(problem);
    }
    if facts.claim == Claim::Open {
        return keep(facts, Step::Rest(Some(ASK_AGAIN)));
    }
    if let Some(pause) = facts.rest {
        return keep(facts, if overdue { left_behind } else { Step::Rest(Some(pause)) });
    }
    match &facts.sight {
        None => keep(facts, Step::Rest(None)),
        Some(Sight::Gone) => match unsettled(facts, &status) {
            Some(left) => keep(facts, Step::Rest(Some(left))),
            None => keep(facts, Step::Release { left_behind: None }),
        },
        Some(Sight::Here(_)) if !facts.leading => keep(facts, Step::Rest(None)),
        Some(Sight::Here(seen)) => match presence::ours(facts, &status, seen) {
            Some(_) => {
                let message = "the connection is being deleted";
                draft(facts, status, Stand::OnItsWay, DELETING, message, Step::Act(Act::Remove))
            }
            // It may be what was intended, and that cannot be told any more.
            None if status.creation.is_some() && facts.inputs.is_none() => keep(facts, left_behind),
            None => keep(facts, Step::Release { left_behind: None }),
        },
    }
}

/// How long a creation that was sent, and that nobody has seen yet, can still come through.
fn unsettled(facts: &About<'_>, status: &GlueConnectionStatus) -> Option<Duration> {
    let unseen = status.applied.as_ref().filter(|applied| applied.created_at.is_none());
    let created = unseen.and_then(|applied| applied.at.as_ref());
    let at = status.creation.as_ref().map(|creation| &creation.intended_at).or(created)?;
    facts.settle.checked_sub(times::since(facts.now, at.0)).filter(|left| !left.is_zero())
}
