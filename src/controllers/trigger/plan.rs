//! The plan of a trigger: by its type, it is kept in a state or fired.
//!
//! A trigger that is changing its state is waited for. Nothing is decided on an observation from before the
//! controller's last change.

use super::render::{render, render_absent};
use super::{activation, firing, requests};
use crate::api::GlueTrigger;
use crate::api::trigger::{Baseline, GlueTriggerStatus, Target, TriggerDeletionPolicy};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::declared::kind::Release;
use crate::controllers::declared::status::{current, report, unchanged};
use crate::controllers::declared::{facts, kind};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::poller::Observation;
use crate::glue::triggers::source::TriggerItem;
use crate::glue::triggers::{Trigger, TriggerState, TriggerType};

/// The facts about a trigger.
pub type TriggerFacts<'a> = facts::Facts<'a, GlueTrigger>;
/// The plan of a trigger.
pub type TriggerPlan = kind::DeclaredPlan<GlueTrigger>;

/// The calls about a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Activate it.
    Activate,
    /// Deactivate it.
    Deactivate,
    /// Read the newest run of everything that it starts.
    ReadBaseline {
        /// What it starts.
        targets: Vec<Target>,
        /// Whether to look too for any run that it has ever started.
        history: bool,
    },
    /// Look for the runs that it has started since the baseline.
    LookUp(Vec<Baseline>),
    /// Fire it, once.
    Fire,
}

/// The plan when Glue has the trigger.
pub(super) fn present(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger) -> TriggerPlan {
    let status = render(status, trigger, facts.common.now);
    match &trigger.type_ {
        TriggerType::OnDemand => firing::plan(facts, status, trigger),
        TriggerType::Scheduled | TriggerType::Conditional | TriggerType::Event => {
            activation::plan(facts, status, trigger)
        }
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
    if trigger.type_ == TriggerType::OnDemand
        || matches!(trigger.state, TriggerState::Created | TriggerState::Deactivated)
    {
        return Release::Done;
    }
    let status = render(current(facts), trigger, facts.common.now);
    let message = format!("trigger {} is being deactivated: the object is deleted", facts.object.spec.trigger_name);
    let status = report(facts, status, SyncState::Progressing, Reason::Deactivating, &message);
    let waits = trigger.state.is_transitional() || facts.common.behind;
    let step = if waits { Step::AwaitChange } else { Step::Call(Call::Deactivate) };
    Release::Needs(Plan { status, step })
}

/// Whether the status reports, for this generation, that AWS refused the change that is to be made. The report stays
/// until a call succeeds.
pub(super) fn reports_refusal(facts: &TriggerFacts<'_>) -> bool {
    let status = current(facts);
    let ready = status.declared.condition("Ready").filter(|ready| ready.status != "True");
    let reason = ready.and_then(crate::controllers::runtime::conditions::reason_of);
    status.declared.observed_generation == facts.common.generation() && reason.is_some_and(Reason::is_refusal)
}

/// The reason of a trigger's state.
pub(super) fn state_reason(state: &TriggerState) -> Reason {
    match state {
        TriggerState::Creating => Reason::Creating,
        TriggerState::Activating => Reason::Activating,
        TriggerState::Deactivating => Reason::Deactivating,
        TriggerState::Deleting => Reason::Deleting,
        TriggerState::Updating => Reason::Updating,
        TriggerState::Activated => Reason::Activated,
        TriggerState::Created | TriggerState::Deactivated => Reason::Deactivated,
        TriggerState::Unknown(_) => Reason::StateUnknown,
    }
}
