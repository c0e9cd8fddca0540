//! The facts and the plan of a trigger, and what several of its plans ask.

use crate::api::GlueTrigger;
use crate::controllers::declared::status::current;
use crate::controllers::declared::{facts, kind};
use crate::controllers::runtime::conditions::reason_of;
use crate::controllers::runtime::reason::Reason;
use crate::glue::triggers::TriggerState;

/// The facts about a trigger.
pub type TriggerFacts<'a> = facts::Facts<'a, GlueTrigger>;
/// The plan of a trigger.
pub type TriggerPlan = kind::DeclaredPlan<GlueTrigger>;

/// Whether the status reports, for this generation, that AWS refused the change that is to be made. The report stays
/// until a call succeeds.
pub(super) fn reports_refusal(facts: &TriggerFacts<'_>) -> bool {
    let status = current(facts);
    let ready = status.declared.condition("Ready").filter(|ready| ready.status != "True");
    let reason = ready.and_then(reason_of);
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
