//! The plan of a declared resource: what must be known before the kind decides, and the end of the object.

use super::conditions::SyncState;
use super::facts::Facts;
use super::kind::{DeclaredKind, DeclaredPlan, Release};
use super::status::{blocked, report, unchanged};
use crate::controllers::runtime::kind::Inputs;
use crate::controllers::runtime::ownership::{DETERMINE_AGAIN, Ownership};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::poller::Observation;

/// Decides.
#[must_use]
pub fn plan<K: DeclaredKind<Status: Default>>(facts: &Facts<'_, K>) -> DeclaredPlan<K> {
    let Plan { status, step } = if facts.common.deleting() { deletion(facts) } else { decide(facts) };
    // Secrets that are not watched are read again after a while.
    let step = match (step, facts.inputs.and_then(Inputs::reread_after)) {
        (Step::AwaitChange, Some(reread)) => Step::RequeueAfter(reread),
        (Step::RequeueAfter(after), Some(reread)) => Step::RequeueAfter(after.min(reread)),
        (step, _) => step,
    };
    Plan { status, step }
}

fn decide<K: DeclaredKind<Status: Default>>(facts: &Facts<'_, K>) -> DeclaredPlan<K> {
    let common = &facts.common;
    if !common.leading {
        return unchanged(facts, Step::AwaitChange);
    }
    let status = K::base_status(facts);
    match &facts.ownership {
        Ownership::Owned => {}
        Ownership::Undetermined => return unchanged(facts, Step::RequeueAfter(DETERMINE_AGAIN)),
        Ownership::OwnedBy(_) if common.has_finalizer() => {
            return unchanged(facts, Step::RemoveFinalizer { left_behind: None });
        }
        Ownership::OwnedBy((namespace, name)) => {
            let message = format!(
                "{} {} is managed by the older {} {namespace}/{name}: delete one of the two",
                K::NOUN,
                facts.object.id(),
                K::KIND
            );
            let status = report(facts, status, SyncState::Stalled, Reason::OwnedByAnother, &message);
            return Plan { status, step: Step::AwaitChange };
        }
    }
    if let Some(problem) = common.credentials_problem.as_ref().or(common.inputs_problem.as_ref()) {
        return blocked(facts, status, problem, Step::Backoff);
    }
    if let Some(problem) = facts.unobservable() {
        // The poller tries again by itself, and requeues the object when it succeeds.
        return blocked(facts, status, problem, Step::AwaitChange);
    }
    match (&facts.observation, &facts.problem) {
        (Some(Observation::Present(item)), _) => K::present(facts, status, item),
        (Some(Observation::NotFound), _) => K::absent(facts, status),
        // The answer to a change is open: the next poll shows its effect.
        (None, Some(problem)) => blocked(facts, status, problem, Step::AwaitChange),
        (None, None) => K::unobserved(facts, status),
    }
}

/// The object is being deleted: the kind releases its resource first, until the deletion timeout.
fn deletion<K: DeclaredKind<Status: Default>>(facts: &Facts<'_, K>) -> DeclaredPlan<K> {
    let common = &facts.common;
    if !common.has_finalizer() {
        return unchanged(facts, Step::AwaitChange);
    }
    let remove_finalizer = |left_behind| unchanged(facts, Step::RemoveFinalizer { left_behind });
    let left_behind = || Some(facts.object.id().to_owned());
    if matches!(facts.ownership, Ownership::OwnedBy(_)) {
        return remove_finalizer(None);
    }
    let needed = match K::release(facts) {
        Release::Done => return remove_finalizer(None),
        Release::LeaveBehind => return remove_finalizer(left_behind()),
        Release::Needs(plan) => plan,
    };
    let left = common.deletion_time_left();
    let problem = facts.problem.as_ref().or(common.credentials_problem.as_ref()).or(facts.unobservable());
    if left.is_zero() && (problem.is_some() || common.backoff.is_some()) {
        return remove_finalizer(left_behind());
    }
    if let Some(problem) = problem {
        return blocked(facts, K::base_status(facts), problem, Step::Backoff);
    }
    if facts.ownership == Ownership::Undetermined {
        return unchanged(facts, Step::RequeueAfter(DETERMINE_AGAIN));
    }
    if let Some(pause) = common.backoff {
        return unchanged(facts, Step::RequeueAfter(pause));
    }
    match needed.step {
        Step::Call(_) if !common.leading => unchanged(facts, Step::AwaitChange),
        Step::AwaitChange if !left.is_zero() => Plan { status: needed.status, step: Step::RequeueAfter(left) },
        // Before the first observation nothing was tried, and a poll that fails is a problem, above.
        Step::AwaitChange if facts.observation.is_some() => remove_finalizer(left_behind()),
        step => Plan { status: needed.status, step },
    }
}
