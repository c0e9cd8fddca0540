//! The plan of a trigger: by its type, it is kept in a state or fired.
//!
//! A trigger that is changing its state is waited for. Nothing is decided on an observation from before the
//! controller's last change.

use super::calls::Call;
use super::facts::{TriggerFacts, TriggerPlan};
use super::render::{render, render_absent};
use super::{activation, event, firing, requests};
use crate::api::GlueTrigger;
use crate::api::trigger::{GlueTriggerStatus, TriggerDeletionPolicy};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::declared::kind::Release;
use crate::controllers::declared::status::{current, report, unchanged};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::poller::Observation;
use crate::glue::triggers::source::TriggerItem;
use crate::glue::triggers::{Trigger, TriggerState, TriggerType};

/// The plan when Glue has the trigger.
pub(super) fn present(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger) -> TriggerPlan {
    let status = render(status, trigger, facts.common.now);
    match &trigger.type_ {
        TriggerType::OnDemand => firing::plan(facts, status, trigger),
        TriggerType::Scheduled | TriggerType::Conditional => activation::plan(facts, status, trigger),
        TriggerType::Event => event::plan(facts, status, trigger),
        TriggerType::Unknown(type_) => {
            let name = &facts.object.spec.trigger_name;
            let message = format!("trigger {name} is of type {type_}, which this version does not know");
            let status = report(facts, status, SyncState::Stalled, Reason::TypeUnknown, &message);
            Plan { status, step: Step::AwaitChange }
        }
    }
}

/// The plan when Glue does not have the trigger.
pub(super) fn absent(facts: &TriggerFacts<'_>, status: GlueTriggerStatus) -> TriggerPlan {
    let message = format!(
        "there is no trigger {} in this account and region; the controller goes on looking for it: create it, or check the name, spec.region and spec.credentials",
        facts.object.spec.trigger_name
    );
    let status = render_absent(status);
    let status = report(facts, status, SyncState::Progressing, Reason::NotFound, &message);
    Plan { status, step: Step::AwaitChange }
}

/// The plan before the trigger was observed: new values of `spec.fire` are recorded at once.
pub(super) fn unobserved(facts: &TriggerFacts<'_>, status: GlueTriggerStatus) -> TriggerPlan {
    if status.pending_fires == current(facts).pending_fires {
        return unchanged(facts, Step::AwaitChange);
    }
    let message = format!("Glue is being asked about trigger {}", facts.object.spec.trigger_name);
    let status = report(facts, status, SyncState::Progressing, Reason::Observing, &message);
    Plan { status, step: Step::AwaitChange }
}

/// The status that the plan starts from: with the new values of `spec.fire`.
pub(super) fn base_status(facts: &TriggerFacts<'_>) -> GlueTriggerStatus {
    let status = current(facts);
    if facts.common.deleting() { status } else { requests::record(facts, status) }
}

/// What has to be done before the object may be deleted: the trigger is deactivated, where the spec asks for it.
pub(super) fn release(facts: &TriggerFacts<'_>) -> Release<GlueTrigger> {
    if facts.object.spec.deletion_policy != Some(TriggerDeletionPolicy::Deactivate) {
        return Release::Done;
    }
    let trigger = match &facts.observation {
        Some(Observation::NotFound) => return Release::Done,
        Some(Observation::Present(TriggerItem::Trigger(trigger))) => trigger,
        Some(Observation::Present(_)) | None => return Release::Needs(unchanged(facts, Step::AwaitChange)),
    };
    if matches!(trigger.type_, TriggerType::OnDemand | TriggerType::Event)
        || matches!(trigger.state, TriggerState::Created | TriggerState::Deactivated)
    {
        return Release::Done;
    }
    let status = render(current(facts), trigger, facts.common.now);
    let message = format!("trigger {} is being deactivated: the object is deleted", facts.object.spec.trigger_name);
    let status = report(facts, status, SyncState::Progressing, Reason::Deactivating, &message);
    let waits = trigger.state.is_transitional() || facts.behind;
    let step = if waits { Step::AwaitChange } else { Step::Call(Call::Deactivate) };
    Release::Needs(Plan { status, step })
}
