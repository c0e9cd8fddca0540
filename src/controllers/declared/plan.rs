//! The plan of a declared resource: what must be known before the kind decides.

use super::facts::Facts;
use super::kind::{DeclaredKind, DeclaredPlan};
use super::status::{blocked, conditions_of, reports_refusal, unchanged};
use super::{conditions, deletion, waiting};
use crate::controllers::runtime::conditions::reason_of;
use crate::controllers::runtime::kind::Inputs;
use crate::controllers::runtime::ownership::Ownership;
use crate::controllers::runtime::reason::Severity;
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::ErrorKind;
use crate::glue::poller::Observation;

/// Decides.
#[must_use]
pub fn plan<K: DeclaredKind<Status: Default>>(facts: &Facts<'_, K>) -> DeclaredPlan<K> {
    let plan = if facts.common.deleting() { deletion::plan(facts) } else { decide(facts) };
    let Plan { status, step } = keep_refusal(facts, plan);
    // Secrets that are not watched are read again after a while.
    let step = match (step, facts.inputs.and_then(Inputs::reread_after)) {
        (Step::AwaitChange, Some(reread)) => Step::RequeueAfter(reread),
        (Step::RequeueAfter(after), Some(reread)) => Step::RequeueAfter(after.min(reread)),
        (step, _) => step,
    };
    Plan { status, step }
}

/// While a call that AWS refused is repeated, the conditions keep the reason of the refusal: the call may wait for the rate
/// limiter for longer than the pause between two calls.
fn keep_refusal<K: DeclaredKind>(facts: &Facts<'_, K>, mut plan: DeclaredPlan<K>) -> DeclaredPlan<K> {
    let declared = K::declared_mut(&mut plan.status);
    if matches!(plan.step, Step::Call(_)) && !declared.is_ready() && reports_refusal(facts) {
        declared.conditions = conditions::with_sync_of(conditions_of(facts), &declared.conditions);
    }
    plan
}

fn decide<K: DeclaredKind<Status: Default>>(facts: &Facts<'_, K>) -> DeclaredPlan<K> {
    let common = &facts.common;
    if !common.leading {
        return unchanged(facts, Step::AwaitChange);
    }
    let status = K::base_status(facts);
    match &facts.ownership {
        Ownership::Owned | Ownership::Lapsed { .. } => {}
        Ownership::Unregistered => return unchanged(facts, Step::AwaitChange),
        Ownership::Undetermined { other, unknown, waited } => {
            return waiting::undetermined(facts, status, other, *unknown, *waited);
        }
        Ownership::OwnedBy { .. } if common.has_finalizer() => {
            return unchanged(facts, Step::RemoveFinalizer { left_behind: None });
        }
        Ownership::OwnedBy { owner, at_most, regaining } => {
            return waiting::owned_by(facts, status, owner, *at_most, *regaining);
        }
    }
    if let Some(problem) = common.credentials_problem.as_ref().or(common.inputs_problem.as_ref()) {
        return blocked(facts, status, problem, Step::Backoff);
    }
    if let Some(problem) = facts.unobservable() {
        // The poller tries again by itself, and requeues the object when it succeeds.
        return blocked(facts, status, problem, Step::AwaitChange);
    }
    if matches!(facts.ownership, Ownership::Lapsed { .. }) {
        return waiting::lapsed(facts, status);
    }
    let plan = match (&facts.observation, &facts.problem) {
        (Some(Observation::Present(item)), _) => K::present(facts, status, item),
        (Some(Observation::NotFound), _) => K::absent(facts, status),
        // The answer to a change is open: the next poll shows its effect.
        (None, Some(problem)) => blocked(facts, status, problem, Step::AwaitChange),
        (None, None) => K::unobserved(facts, status),
    };
    report_failing_polls(facts, report_refused_call(facts, plan))
}

/// An object that waits and is not in sync says why AWS refused a call of this pass, whatever else it waits for. A conflict
/// passes by itself.
fn report_refused_call<K: DeclaredKind>(facts: &Facts<'_, K>, plan: DeclaredPlan<K>) -> DeclaredPlan<K> {
    let problem = facts.problem.as_ref().filter(|problem| problem.kind != Some(ErrorKind::Conflict));
    let Some(problem) = problem.filter(|_| !matches!(plan.step, Step::Call(_))) else { return plan };
    let declared = K::declared(&plan.status);
    let reason = declared.condition("Ready").and_then(reason_of);
    let has_warning = reason.is_some_and(|reason| reason.severity() == Severity::Warning);
    if declared.is_ready() || has_warning { plan } else { blocked(facts, plan.status, problem, plan.step) }
}

/// An object with nothing to do says when polls fail, since what it says otherwise may be out of date. The poller
/// requeues it when they succeed. What is wrong for good, and what AWS refused, is said first.
fn report_failing_polls<K: DeclaredKind>(facts: &Facts<'_, K>, plan: DeclaredPlan<K>) -> DeclaredPlan<K> {
    let Some(problem) = facts.common.poll_problem.as_ref().or(facts.related_problem.as_ref()) else { return plan };
    let waits = matches!(plan.step, Step::AwaitChange | Step::RequeueAfter(_));
    let stalled = K::declared(&plan.status).condition("Stalled").is_some_and(|stalled| stalled.status == "True");
    if !waits || stalled || facts.problem.is_some() || facts.common.backoff.is_some() {
        return plan;
    }
    blocked(facts, plan.status, problem, plan.step)
}
