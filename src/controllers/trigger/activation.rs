//! A trigger that has a state: brought to the one that the spec asks for, and back to it.

use std::time::Duration;

use super::local_state::Call;
use super::status::{
    DRIFTED, TriggerFacts, TriggerPlan, blocked, draft, is_blocked, keep, needs_finalizer, reason_of, rest_for, step,
};
use crate::api::declared::DriftPolicy;
use crate::api::trigger::{Activation, GlueTriggerStatus};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::time;
use crate::glue::ErrorKind;
use crate::glue::triggers::{Trigger, TriggerState};

/// Decides about a trigger of a type that has a state.
pub(super) fn plan(facts: &TriggerFacts<'_>, mut status: GlueTriggerStatus, trigger: &Trigger) -> TriggerPlan {
    // What is asked of it cannot be: nothing waits for it to become of another type.
    status.pending_fires.clear();
    status.requires_history_check = false;
    let spec = &facts.object.spec;
    let name = &spec.trigger_name;
    if spec.fire.is_some() {
        let type_ = trigger.type_.as_str();
        let message = format!(
            "trigger {name} is of type {type_}, and only those of type ON_DEMAND are fired: remove spec.fire to have it held in spec.state"
        );
        return Plan {
            status: draft(facts, status, SyncState::Stalled, "NotOnDemand", &message),
            step: Step::AwaitChange,
        };
    }
    if needs_finalizer(facts, trigger) != facts.has_finalizer() {
        let put = if facts.has_finalizer() { Step::RemoveFinalizer { left_behind: None } } else { Step::AddFinalizer };
        return step(facts, put);
    }
    let wanted = spec.state.unwrap_or_default();
    let actual = match trigger.state {
        TriggerState::Activated => Activation::Activated,
        TriggerState::Created | TriggerState::Deactivated => Activation::Deactivated,
        TriggerState::Creating
        | TriggerState::Activating
        | TriggerState::Deactivating
        | TriggerState::Deleting
        | TriggerState::Updating
        | TriggerState::Unknown(_) => return on_the_way(facts, status, trigger, wanted),
    };
    if trigger.state == TriggerState::Created && wanted == Activation::Activated {
        // Nothing becomes CREATED again: this is another trigger of the same name.
        status.last_applied_state = None;
    }
    if actual == wanted {
        status.last_applied_state = Some(wanted);
        let message = format!("trigger {name} is {} in Glue", trigger.state.as_str());
        let next = status.schedule.as_ref().and_then(|schedule| schedule.next.as_ref()).map(|next| next.0);
        let status = draft(facts, status, SyncState::Synced, reason_of(&trigger.state), &message);
        return Plan {
            status,
            step: Step::requeue(next.map(|next| time::since(next, facts.now) + Duration::from_secs(1))),
        };
    }
    let drifted = status.last_applied_state == Some(wanted);
    if drifted && spec.drift_policy == Some(DriftPolicy::Report) {
        let state = trigger.state.as_str();
        let message =
            format!("somebody has changed trigger {name}: it is {state} in Glue; with driftPolicy: Report it stays so");
        return Plan { status: draft(facts, status, SyncState::Stalled, DRIFTED, &message), step: Step::AwaitChange };
    }
    switch(facts, status, trigger, wanted, drifted)
}

/// It is on its way to another state: that is waited out.
fn on_the_way(
    facts: &TriggerFacts<'_>,
    status: GlueTriggerStatus,
    trigger: &Trigger,
    wanted: Activation,
) -> TriggerPlan {
    let told =
        status.declared.condition("Ready").is_some_and(|ready| ready.reason == DRIFTED && ready.status != "True");
    let coming_back = told && wanted == Activation::Activated && trigger.state == TriggerState::Activating
        || told && wanted == Activation::Deactivated && trigger.state == TriggerState::Deactivating;
    if coming_back || trigger.state == TriggerState::Updating && status.last_applied_state == Some(wanted) {
        return Plan { status: keep(facts, status), step: Step::AwaitChange };
    }
    let message = format!("trigger {} is {} in Glue", facts.object.spec.trigger_name, trigger.state.as_str());
    let status = draft(facts, status, SyncState::Progressing, reason_of(&trigger.state), &message);
    Plan { status, step: Step::AwaitChange }
}

/// It is in the other state.
fn switch(
    facts: &TriggerFacts<'_>,
    mut status: GlueTriggerStatus,
    trigger: &Trigger,
    wanted: Activation,
    drifted: bool,
) -> TriggerPlan {
    if !drifted {
        // From here on it is we who change it, whatever the spec says next.
        status.last_applied_state = None;
    }
    let name = &facts.object.spec.trigger_name;
    let (act, reason, being) = match wanted {
        Activation::Activated => (Call::Activate, "Activating", "activated"),
        Activation::Deactivated => (Call::Deactivate, "Deactivating", "deactivated"),
    };
    // Others change the same workflow just now: that is no error, and passes.
    if let Some(problem) = facts.problem.as_ref().filter(|problem| problem.kind != Some(ErrorKind::Conflict)) {
        return blocked(facts, status, problem, Step::Backoff);
    }
    let status = if is_blocked(facts) {
        // What stands in the way is not known to be gone.
        keep(facts, status)
    } else if drifted {
        let state = trigger.state.as_str();
        let message =
            format!("somebody has changed trigger {name}: it was {state} in Glue, and is being {being} again");
        draft(facts, status, SyncState::Progressing, DRIFTED, &message)
    } else {
        draft(facts, status, SyncState::Progressing, reason, &format!("trigger {name} is being {being}"))
    };
    let step = match facts.rest {
        _ if facts.problem.is_some() => Step::Backoff,
        Some(pause) => rest_for(pause),
        None if facts.behind => Step::AwaitChange,
        None => Step::Call(act),
    };
    Plan { status, step }
}
