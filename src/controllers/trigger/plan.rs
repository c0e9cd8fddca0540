//! What is to be done about a trigger, as a pure function: from what is known to the status that must stand in
//! the object, and the one step that may be taken once it does.
//!
//! States on the way are waited out and never fought. Nothing is decided on a observation of the trigger from before
//! we did something to it: until it is seen again, nothing happens.

use super::local_state::Call;
use super::render::{show, show_none};
use super::status::{TriggerFacts, TriggerPlan, blocked, draft, rest, rest_for, status_of, step};
use super::{activation, firing, requests};
use crate::api::trigger::TriggerDeletionPolicy;
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::runtime::ownership::{ASK_AGAIN, Ownership};
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::ErrorKind;
use crate::glue::poller::Observation;
use crate::glue::triggers::source::TriggerItem;
use crate::glue::triggers::{TriggerState, TriggerType};

/// Decides.
#[must_use]
pub fn plan(facts: &TriggerFacts<'_>) -> TriggerPlan {
    if facts.deleting() {
        return deletion(facts);
    }
    if !facts.leading {
        return rest(facts, None);
    }
    let before = status_of(facts);
    let status = requests::take_in(facts, before.clone());
    let name = &facts.object.spec.trigger_name;
    if let Some(problem) = &facts.blocked {
        return blocked(facts, status, problem, Step::Backoff);
    }
    match &facts.ownership {
        Ownership::OwnedBy((namespace, holder)) => {
            if facts.has_finalizer() {
                return step(facts, Step::RemoveFinalizer { left_behind: None });
            }
            let message =
                format!("trigger {name} is held by the older GlueTrigger {namespace}/{holder}: delete one of the two");
            let status = draft(facts, status, SyncState::Stalled, "HeldByAnother", &message);
            return Plan { status, step: Step::AwaitChange };
        }
        Ownership::Undetermined => return rest(facts, Some(ASK_AGAIN)),
        Ownership::Owned => {}
    }
    if let Some(problem) = facts.unseen() {
        return blocked(facts, status, problem, Step::AwaitChange);
    }
    match &facts.observation {
        Some(Observation::Present(TriggerItem::Trigger(trigger))) => {
            let status = show(status, trigger, facts.now);
            match &trigger.type_ {
                TriggerType::OnDemand => firing::plan(facts, status, trigger),
                TriggerType::Scheduled | TriggerType::Conditional | TriggerType::Event => {
                    activation::plan(facts, status, trigger)
                }
                TriggerType::Unknown(type_) => {
                    let message = format!("trigger {name} is of type {type_}, which this version does not know");
                    Plan {
                        status: draft(facts, status, SyncState::Stalled, "TypeUnknown", &message),
                        step: Step::AwaitChange,
                    }
                }
            }
        }
        Some(Observation::NotFound) => {
            let message = format!(
                "there is no trigger {name} in this account and region; it is taken up when it is there: create it, or check the name, spec.region and spec.credentials"
            );
            let status =
                draft(facts, show_none(status), SyncState::Progressing, ErrorKind::NotFound.reason(), &message);
            Plan { status, step: Step::AwaitChange }
        }
        Some(Observation::Present(_)) | None => match &facts.problem {
            // The outcome to a switch is open: what became of it is seen soon.
            Some(problem) => blocked(facts, status, problem, Step::AwaitChange),
            None if status.pending_fires != before.pending_fires => {
                let message = format!("Glue is being asked about trigger {name}");
                Plan {
                    status: draft(facts, status, SyncState::Progressing, "Looking", &message),
                    step: Step::AwaitChange,
                }
            }
            None => rest(facts, None),
        },
    }
}

/// The object is being deleted: the trigger is deactivated first, where that was asked for.
fn deletion(facts: &TriggerFacts<'_>) -> TriggerPlan {
    if !facts.has_finalizer() {
        return rest(facts, None);
    }
    let name = &facts.object.spec.trigger_name;
    let let_go =
        |left_behind: Option<&String>| step(facts, Step::RemoveFinalizer { left_behind: left_behind.cloned() });
    let wanted = facts.object.spec.deletion_policy == Some(TriggerDeletionPolicy::Deactivate);
    if !wanted || matches!(facts.ownership, Ownership::OwnedBy(_)) {
        return let_go(None);
    }
    let trigger = match &facts.observation {
        Some(Observation::NotFound) => return let_go(None),
        Some(Observation::Present(TriggerItem::Trigger(trigger))) => Some(trigger),
        Some(Observation::Present(_)) | None => None,
    };
    if trigger.is_some_and(|trigger| {
        trigger.type_ == TriggerType::OnDemand
            || matches!(trigger.state, TriggerState::Created | TriggerState::Deactivated)
    }) {
        return let_go(None);
    }
    let left = facts.deletion_timeout.saturating_sub(facts.deleted_for());
    if left.is_zero() {
        return let_go(Some(name));
    }
    let status = status_of(facts);
    if let Some(problem) = facts.blocked.as_ref().or(facts.poll_problem.as_ref()).or(facts.problem.as_ref()) {
        return blocked(facts, status, problem, Step::Backoff);
    }
    let Some(trigger) = trigger.filter(|_| facts.leading) else {
        let pause = if facts.ownership == Ownership::Undetermined { ASK_AGAIN } else { left };
        return rest(facts, Some(pause));
    };
    let status = show(status, trigger, facts.now);
    let message = format!("trigger {name} is being deactivated: the object is deleted");
    let status = draft(facts, status, SyncState::Progressing, "Deactivating", &message);
    let step = if trigger.state.is_transitional() || facts.behind {
        Step::RequeueAfter(left)
    } else {
        Step::Call(Call::Deactivate)
    };
    Plan { status, step: facts.rest.filter(|_| step == Step::Call(Call::Deactivate)).map_or(step, rest_for) }
}
