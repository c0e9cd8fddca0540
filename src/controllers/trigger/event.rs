//! A trigger of type EVENT: Glue fires it on its events, and neither activates nor deactivates it.
//!
//! It stays CREATED: `StartTrigger` is refused for its type, and `StopTrigger` for that state. This is no documented
//! behaviour, but a report from AWS: <https://github.com/hashicorp/terraform-provider-aws/pull/49408>.

use super::activation::{forget_fires, not_on_demand};
use super::facts::{TriggerFacts, TriggerPlan, state_reason};
use crate::api::trigger::{Activation, GlueTriggerStatus};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::declared::status::{keep, report, unchanged};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::triggers::Trigger;

/// Decides about a trigger of type EVENT.
pub(super) fn plan(facts: &TriggerFacts<'_>, mut status: GlueTriggerStatus, trigger: &Trigger) -> TriggerPlan {
    if facts.common.has_finalizer() {
        return unchanged(facts, Step::RemoveFinalizer { left_behind: None });
    }
    forget_fires(&mut status);
    if facts.object.spec.fire.is_some() {
        return not_on_demand(facts, status, trigger);
    }
    status.last_applied_state = None;
    let (name, state) = (&facts.object.spec.trigger_name, trigger.state.as_str());
    let was_synced = status.declared.is_ready();
    let status = if facts.object.spec.state == Some(Activation::Deactivated) {
        let message = format!(
            "trigger {name} is of type EVENT, which Glue neither activates nor deactivates: it is {state} and fires on its events; remove spec.state, and disable the EventBridge rule that sends the events or delete the trigger"
        );
        report(facts, status, SyncState::Stalled, Reason::StateNotApplicable, &message)
    } else if !trigger.state.is_transitional() {
        let message =
            format!("trigger {name} is {state} in Glue and fires on its events: type EVENT needs no activation");
        report(facts, status, SyncState::Synced, Reason::OnEvent, &message)
    } else if was_synced {
        // A change of the trigger's definition does not concern the object.
        keep(facts, status)
    } else {
        let message = format!("trigger {name} is {state} in Glue");
        report(facts, status, SyncState::Progressing, state_reason(&trigger.state), &message)
    };
    Plan { status, step: Step::AwaitChange }
}
