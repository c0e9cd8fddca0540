//! A trigger that has a state: switched to the state of the spec, and back to it.

use std::time::Duration;

use super::calls::Call;
use super::facts::{TriggerFacts, TriggerPlan, state_reason};
use crate::api::trigger::{Activation, GlueTriggerStatus, TriggerDeletionPolicy};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::declared::status::{blocked, drifted, keep, report, reports_refusal, unchanged};
use crate::controllers::runtime::conditions::reason_of;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::time;
use crate::glue::ErrorKind;
use crate::glue::triggers::{Trigger, TriggerState};

/// Decides about a trigger of a type that has a state.
pub(super) fn plan(facts: &TriggerFacts<'_>, mut status: GlueTriggerStatus, trigger: &Trigger) -> TriggerPlan {
    forget_fires(&mut status);
    if facts.object.spec.fire.is_some() {
        return not_on_demand(facts, status, trigger);
    }
    let spec = &facts.object.spec;
    let name = &spec.trigger_name;
    let needs_finalizer = spec.deletion_policy == Some(TriggerDeletionPolicy::Deactivate);
    if needs_finalizer != facts.common.has_finalizer() {
        let remove = Step::RemoveFinalizer { left_behind: None };
        return unchanged(facts, if needs_finalizer { Step::AddFinalizer } else { remove });
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
        | TriggerState::Unknown(_) => return changing(facts, status, trigger, wanted),
    };
    if trigger.state == TriggerState::Created && wanted == Activation::Activated {
        // No trigger becomes CREATED again: this is another trigger of the same name.
        status.last_applied_state = None;
    }
    if actual == wanted {
        return synced(facts, status, trigger, wanted);
    }
    if status.last_applied_state != Some(wanted) {
        // From here on it is the controller that changes the trigger, whatever the spec asks for next.
        status.last_applied_state = None;
        let (reason, being) = switching(wanted);
        let message = format!("trigger {name} is being {being}");
        return switch(facts, status, wanted, reason, &message);
    }
    let state = trigger.state.as_str();
    let what = format!("somebody changed trigger {name}: it is {state} in Glue");
    drifted(facts, status, spec.drift_policy, &what, |status| {
        let message = format!("{what}; it is being {} again", switching(wanted).1);
        switch(facts, status, wanted, Reason::Drifted, &message)
    })
}

/// A trigger of this type is not fired: the values do not wait for its type to change.
pub(super) fn forget_fires(status: &mut GlueTriggerStatus) {
    status.pending_fires.clear();
    status.requires_history_check = false;
}

/// The spec has a value of `spec.fire`, and the trigger is of another type.
pub(super) fn not_on_demand(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger) -> TriggerPlan {
    let message = format!(
        "trigger {} is of type {}, and only triggers of type ON_DEMAND are fired: remove spec.fire",
        facts.object.spec.trigger_name,
        trigger.type_.as_str()
    );
    let status = report(facts, status, SyncState::Stalled, Reason::NotOnDemand, &message);
    Plan { status, step: Step::AwaitChange }
}

fn switching(wanted: Activation) -> (Reason, &'static str) {
    match wanted {
        Activation::Activated => (Reason::Activating, "activated"),
        Activation::Deactivated => (Reason::Deactivating, "deactivated"),
    }
}

/// The trigger is in the state of the spec; the next time of its schedule is shown anew when it has passed.
fn synced(
    facts: &TriggerFacts<'_>,
    mut status: GlueTriggerStatus,
    trigger: &Trigger,
    wanted: Activation,
) -> TriggerPlan {
    status.last_applied_state = Some(wanted);
    let message = format!("trigger {} is {} in Glue", facts.object.spec.trigger_name, trigger.state.as_str());
    let next = status.schedule.as_ref().and_then(|schedule| schedule.next.as_ref()).map(|next| next.0);
    let status = report(facts, status, SyncState::Synced, state_reason(&trigger.state), &message);
    let after = next.map(|next| time::since(next, facts.common.now) + Duration::from_secs(1));
    Plan { status, step: Step::requeue(after) }
}

/// The trigger is changing its state: the controller waits.
fn changing(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger, wanted: Activation) -> TriggerPlan {
    let ready = status.declared.condition("Ready");
    let drift_reported = ready.is_some_and(|ready| ready.status != "True" && reason_of(ready) == Some(Reason::Drifted));
    let towards_wanted = match wanted {
        Activation::Activated => trigger.state == TriggerState::Activating,
        Activation::Deactivated => trigger.state == TriggerState::Deactivating,
    };
    let updating = trigger.state == TriggerState::Updating && status.last_applied_state == Some(wanted);
    if drift_reported && towards_wanted || updating {
        return Plan { status: keep(facts, status), step: Step::AwaitChange };
    }
    let message = format!("trigger {} is {} in Glue", facts.object.spec.trigger_name, trigger.state.as_str());
    let status = report(facts, status, SyncState::Progressing, state_reason(&trigger.state), &message);
    Plan { status, step: Step::AwaitChange }
}

/// The trigger is in the other state: switch it, and report why with `reason`.
fn switch(
    facts: &TriggerFacts<'_>,
    status: GlueTriggerStatus,
    wanted: Activation,
    reason: Reason,
    message: &str,
) -> TriggerPlan {
    // A conflict with a change of the same workflow is no error: it passes.
    if let Some(problem) = facts.problem.as_ref().filter(|problem| problem.kind != Some(ErrorKind::Conflict)) {
        return blocked(facts, status, problem, Step::Backoff);
    }
    let status = if reports_refusal(facts) {
        keep(facts, status)
    } else {
        report(facts, status, SyncState::Progressing, reason, message)
    };
    let call = match wanted {
        Activation::Activated => Call::Activate,
        Activation::Deactivated => Call::Deactivate,
    };
    let step = match facts.common.backoff {
        _ if facts.problem.is_some() => Step::Backoff,
        Some(pause) => Step::RequeueAfter(pause),
        None if facts.behind => Step::AwaitChange,
        None => Step::Call(call),
    };
    Plan { status, step }
}
