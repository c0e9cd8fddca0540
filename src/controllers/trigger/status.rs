//! The building blocks of plans.

use std::time::Duration;

use crate::api::GlueTrigger;
use crate::api::declared::DeclaredStatus;
use crate::api::trigger::{GlueTriggerStatus, TriggerDeletionPolicy};
use crate::controllers::declared::conditions::{self, SyncState};
use crate::controllers::declared::facts::Facts;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::ErrorKind;
use crate::glue::triggers::{Trigger, TriggerState, TriggerType};

use super::local_state::Call;

pub(super) type TriggerFacts<'a> = Facts<'a, GlueTrigger>;
pub(super) type TriggerPlan = Plan<GlueTriggerStatus, Call>;

/// How Glue refuses to switch or to fire what is there.
const REFUSALS: [ErrorKind; 8] = [
    ErrorKind::Busy,
    ErrorKind::Throttled,
    ErrorKind::Denied,
    ErrorKind::ExpiredCredentials,
    ErrorKind::Invalid,
    ErrorKind::LimitExceeded,
    ErrorKind::Ambiguous,
    ErrorKind::Transient,
];

/// The reason of a drift.
pub(super) const DRIFTED: &str = "Drifted";

/// The status as the object has it.
pub(super) fn status_of(facts: &TriggerFacts<'_>) -> GlueTriggerStatus {
    facts.object.status.clone().unwrap_or_else(|| GlueTriggerStatus {
        declared: DeclaredStatus { observed_generation: -1, ..DeclaredStatus::default() },
        ..GlueTriggerStatus::default()
    })
}

pub(super) fn generation_of(facts: &TriggerFacts<'_>) -> i64 {
    facts.object.metadata.generation.unwrap_or_default()
}

/// The status for this generation, standing so.
pub(super) fn draft(
    facts: &TriggerFacts<'_>,
    mut status: GlueTriggerStatus,
    sync: SyncState,
    reason: &str,
    message: &str,
) -> GlueTriggerStatus {
    let before = status_of(facts).declared.conditions;
    status.declared.observed_generation = generation_of(facts);
    status.declared.conditions = conditions::of(sync, reason, message, &before, facts.now);
    status
}

/// The status for this generation, standing as it stands.
pub(super) fn keep(facts: &TriggerFacts<'_>, mut status: GlueTriggerStatus) -> GlueTriggerStatus {
    status.declared.observed_generation = generation_of(facts);
    status
}

/// The object as it is; nothing to do before something changes, or this time has passed.
pub(super) fn rest(facts: &TriggerFacts<'_>, after: Option<Duration>) -> TriggerPlan {
    Plan { status: status_of(facts), step: Step::requeue(after) }
}

/// This step, with the object as it is.
pub(super) fn step(facts: &TriggerFacts<'_>, step: Step<Call>) -> TriggerPlan {
    Plan { status: status_of(facts), step }
}

/// Something stands in the way, and may heal.
pub(super) fn blocked(
    facts: &TriggerFacts<'_>,
    status: GlueTriggerStatus,
    problem: &Problem,
    step: Step<Call>,
) -> TriggerPlan {
    let sync = if problem.kind == Some(ErrorKind::Invalid) { SyncState::Stalled } else { SyncState::Progressing };
    Plan { status: draft(facts, status, sync, &problem.reason, &problem.message), step }
}

/// Whether the status says for this generation that Glue has refused what is to be done.
pub(super) fn is_blocked(facts: &TriggerFacts<'_>) -> bool {
    let status = status_of(facts);
    let ready = status.declared.condition("Ready");
    status.declared.observed_generation == generation_of(facts)
        && ready
            .is_some_and(|ready| ready.status != "True" && REFUSALS.iter().any(|kind| kind.reason() == ready.reason))
}

/// Comes back after this pause.
pub(super) fn rest_for(pause: Duration) -> Step<Call> {
    Step::RequeueAfter(pause)
}

/// The reason of a state on the way.
pub(super) fn reason_of(state: &TriggerState) -> &'static str {
    match state {
        TriggerState::Creating => "Creating",
        TriggerState::Activating => "Activating",
        TriggerState::Deactivating => "Deactivating",
        TriggerState::Deleting => "Deleting",
        TriggerState::Updating => "Updating",
        TriggerState::Activated => "Activated",
        TriggerState::Created | TriggerState::Deactivated => "Deactivated",
        TriggerState::Unknown(_) => "StateUnknown",
    }
}

/// Whether the object must carry our finalizer.
pub(super) fn needs_finalizer(facts: &TriggerFacts<'_>, trigger: &Trigger) -> bool {
    facts.object.spec.deletion_policy == Some(TriggerDeletionPolicy::Deactivate)
        && trigger.type_ != TriggerType::OnDemand
}
