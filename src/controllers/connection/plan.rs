//! The plan of a connection: for one that does not exist, and for an object that is being deleted. `existing` is about
//! one that exists.
//!
//! **Which object owns a connection.** `status.applied` records that this object created the connection or adopted it.
//! It is written after the creation; before the creation the intent (`status.creation`) is written, and only when no
//! connection of that name existed. So a connection that exists after a crash between the two, and equals the intent, is
//! this object's. Every other one is foreign, and `spec.adoptionPolicy` decides what happens.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::CallOutcome;
use super::calls::Call;
use super::existing;
use super::facts::{ConnectionFacts, ConnectionPlan};
use super::preconditions::{Origin, before_change, deletes};
use super::status::{base_status, render, report};
use crate::api::connection::status::{Creation, Drift};
use crate::api::{GlueConnection, GlueConnectionStatus};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::declared::kind::Release;
use crate::controllers::declared::status::{drifted, unchanged};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{AnswerRules, Decision, Lookup, OpenIntent, decide};
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::time;
use crate::glue::poller::Observation;

/// The plan before the connection was observed.
pub(super) fn unobserved(facts: &ConnectionFacts<'_>, status: GlueConnectionStatus) -> ConnectionPlan {
    if facts.state.has_created() {
        let message = "Glue has accepted the connection";
        return report(facts, status, SyncState::Progressing, Reason::Creating, message, Step::AwaitChange);
    }
    if facts.state.outcomes.is_empty() {
        // Nothing is reported before the first observation, so that no tool takes the object for reconciled.
        return unchanged(facts, Step::AwaitChange);
    }
    Plan { status, step: Step::AwaitChange }
}

/// The plan when Glue does not have the connection.
pub(super) fn absent(facts: &ConnectionFacts<'_>, mut status: GlueConnectionStatus) -> ConnectionPlan {
    render(&mut status, None);
    if let Some(left) = unsettled(facts, &status) {
        // Glue may show a connection later that it has accepted.
        return Plan { status, step: Step::RequeueAfter(left) };
    }
    if status.applied.is_some() {
        let what = "the connection was deleted in Glue";
        let fields = vec!["connection".to_owned()];
        let reported = status.drift.as_ref().is_some_and(|drift| drift.fields == fields);
        status.drift = Some(Drift { fields, by: None, at: None });
        return drifted(facts, status, facts.object.spec.drift_policy, what, |status| {
            if reported {
                create(facts, status)
            } else {
                report(facts, status, SyncState::Progressing, Reason::Drifted, what, Step::Backoff)
            }
        });
    }
    create(facts, status)
}

/// Records the intent, then creates the connection.
fn create(facts: &ConnectionFacts<'_>, mut status: GlueConnectionStatus) -> ConnectionPlan {
    if let Some(plan) = before_change(facts, &status, Reason::Creating, Origin::Created) {
        return plan;
    }
    let Some(inputs) = facts.inputs else { return unchanged(facts, Step::AwaitChange) };
    if facts.common.fresh_intent {
        return unchanged(facts, Step::Call(Call::Create));
    }
    let creation = Creation {
        intended_at: Time(facts.common.now),
        fingerprint: inputs.fingerprint.clone(),
        unclear: status.creation.is_some(),
    };
    status.creation = Some(creation);
    let message = "the connection is being created";
    report(facts, status, SyncState::Progressing, Reason::Creating, message, Step::Call(Call::Create))
}

/// What has to be done before the object may be deleted.
pub(super) fn release(facts: &ConnectionFacts<'_>) -> Release<GlueConnection> {
    let status = base_status(facts);
    let has_any = status.applied.is_some() || status.creation.is_some();
    if !deletes(facts, Origin::of(&status)) || !has_any || facts.state.has(&CallOutcome::Deleted) {
        return Release::Done;
    }
    match &facts.observation {
        None => Release::Needs(unchanged(facts, Step::AwaitChange)),
        Some(Observation::NotFound) => match unsettled(facts, &status) {
            Some(left) => Release::Needs(unchanged(facts, Step::RequeueAfter(left))),
            None => Release::Done,
        },
        Some(Observation::Present(observed)) => match existing::owned(facts, &status, observed) {
            Some(_) => {
                let (message, step) = ("the connection is being deleted", Step::Call(Call::Delete));
                Release::Needs(report(facts, status, SyncState::Progressing, Reason::Deleting, message, step))
            }
            // It may be what was intended, but the Secrets that would tell are gone.
            None if status.creation.is_some() && facts.inputs.is_none() => Release::LeaveBehind,
            None => Release::Done,
        },
    }
}

/// For how long a creation that was sent, and that no poll has shown, can still take effect.
fn unsettled(facts: &ConnectionFacts<'_>, status: &GlueConnectionStatus) -> Option<Duration> {
    if status.creation.is_some() {
        let not_found = Lookup::<()>::NotFound { intent_age: facts.common.intent_age };
        let intent = OpenIntent {
            fresh: facts.common.fresh_intent,
            outcome: None,
            lookup: Some(&not_found),
            accepted: false,
            answers: AnswerRules::default(),
            age: facts.common.intent_age,
            settle: facts.common.settle,
        };
        return match decide(&intent) {
            Decision::Settling(left) => Some(left),
            _ => None,
        };
    }
    let unseen = status.applied.as_ref().filter(|applied| applied.created_at.is_none());
    let at = unseen.and_then(|applied| applied.at.as_ref())?;
    let age = time::since(facts.common.now, at.0);
    facts.common.settle.checked_sub(age).filter(|left| !left.is_zero())
}
