//! What is to be done about a trigger, as a pure function: from what is known to the status that must stand in
//! the object, and the one step that may be taken once it does.
//!
//! States on the way are waited out and never fought. Nothing is decided on a sight of the trigger from before
//! we did something to it: until it is seen again, nothing happens.

use super::drafts::{TriggerFacts, TriggerPlan, blocked, draft, rest, rest_for, status_of, step};
use super::memory::Act;
use super::showing::{show, show_none};
use super::{firing, holding, intake};
use crate::api::trigger::TriggerDeletionPolicy;
use crate::controllers::claims::{ASK_AGAIN, Claim};
use crate::controllers::declared::conditions::Stand;
use crate::controllers::step::{Plan, Step};
use crate::glue::Class;
use crate::glue::poller::Sight;
use crate::glue::trigger_source::TriggerItem;
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
    let status = intake::take_in(facts, before.clone());
    let name = &facts.object.spec.trigger_name;
    if let Some(problem) = &facts.blocked {
        return blocked(facts, status, problem, Step::Retry);
    }
    match &facts.claim {
        Claim::HeldBy((namespace, holder)) => {
            if facts.has_finalizer() {
                return step(facts, Step::Release { left_behind: None });
            }
            let message =
                format!("trigger {name} is held by the older GlueTrigger {namespace}/{holder}: delete one of the two");
            let status = draft(facts, status, Stand::Stalled, "HeldByAnother", &message);
            return Plan { status, step: Step::Rest(None) };
        }
        Claim::Open => return rest(facts, Some(ASK_AGAIN)),
        Claim::Ours => {}
    }
    if let Some(problem) = facts.unseen() {
        return blocked(facts, status, problem, Step::Rest(None));
    }
    match &facts.sight {
        Some(Sight::Here(TriggerItem::Trigger(trigger))) => {
            let status = show(status, trigger, facts.now);
            match &trigger.type_ {
                TriggerType::OnDemand => firing::plan(facts, status, trigger),
                TriggerType::Scheduled | TriggerType::Conditional | TriggerType::Event => {
                    holding::plan(facts, status, trigger)
                }
                TriggerType::Unknown(type_) => {
                    let message = format!("trigger {name} is of type {type_}, which this version does not know");
                    Plan {
                        status: draft(facts, status, Stand::Stalled, "TypeUnknown", &message),
                        step: Step::Rest(None),
                    }
                }
            }
        }
        Some(Sight::Gone) => {
            let message = format!(
                "there is no trigger {name} in this account and region; it is taken up when it is there: create it, or check the name, spec.region and spec.credentials"
            );
            let status = draft(facts, show_none(status), Stand::OnItsWay, Class::NotFound.reason(), &message);
            Plan { status, step: Step::Rest(None) }
        }
        Some(Sight::Here(_)) | None => match &facts.problem {
            // The answer to a switch is open: what became of it is seen soon.
            Some(problem) => blocked(facts, status, problem, Step::Rest(None)),
            None if status.waiting_fires != before.waiting_fires => {
                let message = format!("Glue is being asked about trigger {name}");
                Plan { status: draft(facts, status, Stand::OnItsWay, "Looking", &message), step: Step::Rest(None) }
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
    let let_go = |left_behind: Option<&String>| step(facts, Step::Release { left_behind: left_behind.cloned() });
    let wanted = facts.object.spec.deletion_policy == Some(TriggerDeletionPolicy::Deactivate);
    if !wanted || matches!(facts.claim, Claim::HeldBy(_)) {
        return let_go(None);
    }
    let trigger = match &facts.sight {
        Some(Sight::Gone) => return let_go(None),
        Some(Sight::Here(TriggerItem::Trigger(trigger))) => Some(trigger),
        Some(Sight::Here(_)) | None => None,
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
        return blocked(facts, status, problem, Step::Retry);
    }
    let Some(trigger) = trigger.filter(|_| facts.leading) else {
        let pause = if facts.claim == Claim::Open { ASK_AGAIN } else { left };
        return rest(facts, Some(pause));
    };
    let status = show(status, trigger, facts.now);
    let message = format!("trigger {name} is being deactivated: the object is deleted");
    let status = draft(facts, status, Stand::OnItsWay, "Deactivating", &message);
    let step = if trigger.state.is_transitional() || facts.behind {
        Step::Rest(Some(left))
    } else {
        Step::Act(Act::Deactivate)
    };
    Plan { status, step: facts.rest.filter(|_| step == Step::Act(Act::Deactivate)).map_or(step, rest_for) }
}
