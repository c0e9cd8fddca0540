//! Which values of fire are new: each one that the watch has shown, in its order, since the status was written.
//!
//! The value that stands there when the object is first seen counts as done. With `fireOnCreation` it is fired
//! when the object is new: when this process saw it come to be. An object that may have lived before fires it
//! only when Glue shows that its trigger has never started anything; one that has lived before, never.

use super::status::{TriggerFacts, generation_of};
use crate::api::trigger::{GlueTriggerStatus, MAX_PENDING_FIRES};

/// The status with the new values among those that wait.
pub(super) fn take_in(facts: &TriggerFacts<'_>, mut status: GlueTriggerStatus) -> GlueTriggerStatus {
    let observed = status.declared.observed_generation;
    let generation = generation_of(facts);
    if observed >= generation {
        return status;
    }
    if observed < 0 && facts.state.lived {
        // Which of its values were fired is lost with the status: none of them is fired again.
        status.last_handled_fire.clone_from(&facts.object.spec.fire);
        return status;
    }
    let earlier = facts.state.seen.iter().filter(|(seen, _)| *seen > observed && *seen < generation);
    let mut values = earlier.map(|(_, value)| value.as_ref()).chain([facts.object.spec.fire.as_ref()]);
    if observed < 0
        && let Some(first) = values.next().flatten()
    {
        status.last_handled_fire = Some(first.clone());
        if facts.object.spec.fire_on_creation == Some(true) {
            status.pending_fires.push(first.clone());
            status.requires_history_check = !facts.state.born;
        }
    }
    for value in values.flatten() {
        if status.last_handled_fire.as_ref() == Some(value) {
            continue;
        }
        if status.pending_fires.len() >= MAX_PENDING_FIRES {
            // The newest is what somebody wants now.
            status.pending_fires.pop();
            status.dropped_fires = status.dropped_fires.saturating_add(1);
        }
        status.pending_fires.push(value.clone());
        status.last_handled_fire = Some(value.clone());
    }
    status
}
