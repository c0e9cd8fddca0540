//! The plan of a declared resource whose object is being deleted: the kind releases the resource first.
//!
//! Whatever Glue does, this ends at the deletion timeout. A process that did not know of the deletion before has the
//! settle time to try at least.

use super::facts::Facts;
use super::kind::{DeclaredKind, DeclaredPlan, Release};
use super::status::{blocked, unchanged};
use super::waiting;
use crate::controllers::runtime::ownership::Ownership;
use crate::controllers::runtime::step::{Plan, Step};

/// Decides.
pub(super) fn plan<K: DeclaredKind<Status: Default>>(facts: &Facts<'_, K>) -> DeclaredPlan<K> {
    let common = &facts.common;
    if !common.has_finalizer() || !common.leading {
        return unchanged(facts, Step::AwaitChange);
    }
    let remove_finalizer = |left_behind| unchanged(facts, Step::RemoveFinalizer { left_behind });
    let left_behind = || Some(facts.object.id().to_owned());
    if matches!(facts.ownership, Ownership::OwnedBy { .. } | Ownership::Lapsed { manager: Some(_) }) {
        return remove_finalizer(None);
    }
    let needed = match K::release(facts) {
        Release::Done => return remove_finalizer(None),
        Release::LeaveBehind => return remove_finalizer(left_behind()),
        Release::Needs(plan) => plan,
    };
    let problem = facts.problem.as_ref().or(common.credentials_problem.as_ref()).or(facts.unobservable());
    let timeout = common.deletion_time_left();
    let has_failed = problem.is_some() || common.backoff.is_some();
    let left = if has_failed { timeout } else { timeout.max(common.settle.saturating_sub(facts.deleting_for)) };
    if left.is_zero() {
        return remove_finalizer(left_behind());
    }
    let Plan { status, step } = if let Some(problem) = problem {
        blocked(facts, K::base_status(facts), problem, Step::Backoff)
    } else {
        match &facts.ownership {
            Ownership::Undetermined { other, unknown, waited } => {
                waiting::undetermined(facts, K::base_status(facts), other, *unknown, *waited)
            }
            Ownership::Lapsed { .. } => waiting::lapsed(facts, K::base_status(facts)),
            Ownership::Unregistered => unchanged(facts, Step::AwaitChange),
            Ownership::Owned | Ownership::OwnedBy { .. } => match common.backoff {
                Some(pause) => unchanged(facts, Step::RequeueAfter(pause)),
                None => needed,
            },
        }
    };
    Plan { status, step: step.within(left) }
}
