//! The facts and the plan of a trigger, and what several of its plans ask.

use crate::api::GlueTrigger;
use crate::controllers::declared::{facts, kind};
use crate::controllers::runtime::reason::Reason;
use crate::glue::triggers::TriggerState;

/// The facts about a trigger.
pub type TriggerFacts<'a> = facts::Facts<'a, GlueTrigger>;
/// The plan of a trigger.
pub type TriggerPlan = kind::DeclaredPlan<GlueTrigger>;

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
