//! The status builder of declared resources, and the plans that several steps end with.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::conditions::{self, SyncState};
use super::facts::Facts;
use super::kind::{DeclaredKind, DeclaredPlan};
use crate::api::declared::{DeclaredStatus, DriftPolicy};
use crate::controllers::runtime::conditions::reason_of;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};

/// The status for this generation, with the conditions of `sync`.
pub fn report<K: DeclaredKind>(
    facts: &Facts<'_, K>,
    mut status: K::Status,
    sync: SyncState,
    reason: Reason,
    message: &str,
) -> K::Status {
    let (before, now) = (conditions_of(facts), facts.common.now);
    let mut conditions = conditions::of(sync, reason, message, before, now);
    conditions.extend(K::own_conditions(facts, &status, before));
    let declared = K::declared_mut(&mut status);
    declared.observed_generation = facts.common.generation();
    declared.conditions = conditions;
    status
}

/// The conditions that the object has.
pub(super) fn conditions_of<'a, K: DeclaredKind>(facts: &'a Facts<'_, K>) -> &'a [Condition] {
    facts.object.status().map(|status| K::declared(status).conditions.as_slice()).unwrap_or_default()
}

/// A status for this generation whose conditions stay.
pub fn keep<K: DeclaredKind>(facts: &Facts<'_, K>, mut status: K::Status) -> K::Status {
    K::declared_mut(&mut status).observed_generation = facts.common.generation();
    status
}

/// A step that leaves the status as it is.
pub fn unchanged<K: DeclaredKind<Status: Default>>(facts: &Facts<'_, K>, step: Step<K::Call>) -> DeclaredPlan<K> {
    Plan { status: current(facts), step }
}

/// The status as the object has it.
pub fn current<K: DeclaredKind<Status: Default>>(facts: &Facts<'_, K>) -> K::Status {
    facts.object.status().cloned().unwrap_or_else(|| {
        let mut status = K::Status::default();
        *K::declared_mut(&mut status) = DeclaredStatus::unobserved();
        status
    })
}

/// A problem that may heal; a spec that AWS refuses does not.
pub fn blocked<K: DeclaredKind>(
    facts: &Facts<'_, K>,
    status: K::Status,
    problem: &Problem,
    step: Step<K::Call>,
) -> DeclaredPlan<K> {
    let sync = if problem.reason == Reason::InvalidSpec { SyncState::Stalled } else { SyncState::Progressing };
    Plan { status: report(facts, status, sync, problem.reason, &problem.message), step }
}

/// Whether the status reports, for this generation, that AWS refused the call that is to be made. The report stays until
/// a call succeeds.
pub fn reports_refusal<K: DeclaredKind>(facts: &Facts<'_, K>) -> bool {
    let status = facts.object.status().map(K::declared);
    let status = status.filter(|status| status.observed_generation == facts.common.generation());
    let ready = status.and_then(|status| status.condition("Ready")).filter(|ready| ready.status != "True");
    ready.and_then(reason_of).is_some_and(Reason::is_refusal)
}

/// Somebody changed the resource in Glue, as `what` says: `correct` corrects it, unless the policy is to report it only.
pub fn drifted<K: DeclaredKind>(
    facts: &Facts<'_, K>,
    status: K::Status,
    policy: Option<DriftPolicy>,
    what: &str,
    correct: impl FnOnce(K::Status) -> DeclaredPlan<K>,
) -> DeclaredPlan<K> {
    match policy.unwrap_or_default() {
        DriftPolicy::Correct => correct(status),
        DriftPolicy::Report => {
            let message = format!("{what}; driftPolicy: Report leaves it as it is");
            let status = report(facts, status, SyncState::Stalled, Reason::Drifted, &message);
            Plan { status, step: Step::AwaitChange }
        }
    }
}
