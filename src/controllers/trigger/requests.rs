//! Which values of `spec.fire` are new: each value that the watch has delivered, in order, since the status was written.
//!
//! The value that the object has when it is first seen counts as handled. With `fireOnCreation` it is fired when the
//! object is new, that is, when this process saw its creation. For an object that may have existed before, it is fired
//! only when Glue shows that the trigger has never started anything; for one that certainly existed before, never.

use super::facts::TriggerFacts;
use crate::api::trigger::{GlueTriggerStatus, MAX_PENDING_FIRES};

/// The status with the new values among the pending ones.
pub(super) fn record(facts: &TriggerFacts<'_>, mut status: GlueTriggerStatus) -> GlueTriggerStatus {
    let observed = status.declared.observed_generation;
    let generation = facts.common.generation();
    if observed >= generation {
        return status;
    }
    let spec = &facts.object.spec;
    if observed < 0 && facts.state.existed_before {
        // Which values were fired is lost with the status: none is fired again.
        status.last_handled_fire.clone_from(&spec.fire);
        return status;
    }
    let delivered = facts.state.delivered_fires.iter();
    let earlier = delivered.filter(|(delivered, _)| *delivered > observed && *delivered < generation);
    let mut values = earlier.map(|(_, value)| value.as_ref()).chain([spec.fire.as_ref()]);
    if observed < 0
        && let Some(first) = values.next().flatten()
    {
        status.last_handled_fire = Some(first.clone());
        if spec.fire_on_creation == Some(true) {
            status.pending_fires.push(first.clone());
            status.requires_history_check = !facts.state.saw_creation;
        }
    }
    for value in values.flatten() {
        if status.last_handled_fire.as_ref() == Some(value) {
            continue;
        }
        if status.pending_fires.len() >= MAX_PENDING_FIRES {
            // The newest value is the one that somebody wants now.
            status.pending_fires.pop();
            status.dropped_fires = status.dropped_fires.saturating_add(1);
        }
        status.pending_fires.push(value.clone());
        status.last_handled_fire = Some(value.clone());
    }
    status
}
