//! The plans of an object that does not manage its resource, because of another object: what its conditions say, and when
//! it asks again.

use std::time::Duration;

use super::conditions::SyncState;
use super::facts::Facts;
use super::kind::{DeclaredKind, DeclaredPlan};
use super::status::{blocked, report, unchanged};
use crate::controllers::runtime::context::Name;
use crate::controllers::runtime::ownership::Unknown;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};

/// For how long an object waits to know who manages its resource before its conditions say so. After a restart all
/// objects wait for a moment.
pub const QUIET: Duration = Duration::from_secs(10);

/// It is not known whether `other` manages the resource. The object asks ever more rarely, and is requeued when it is
/// known.
pub(super) fn undetermined<K: DeclaredKind<Status: Default>>(
    facts: &Facts<'_, K>,
    status: K::Status,
    other: &Name,
    unknown: Unknown,
    waited: Duration,
) -> DeclaredPlan<K> {
    if waited < QUIET {
        return unchanged(facts, Step::Backoff);
    }
    let (namespace, name) = other;
    let what = match unknown {
        Unknown::Unreconciled => "the controller has not read that object's credentials yet",
        Unknown::OtherAccount => "AWS has not said to which account that object's credentials belong",
        Unknown::OwnAccount => "AWS has not said to which account this object's credentials belong",
        Unknown::Acceptance => "AWS has neither accepted nor refused that object's credentials yet",
    };
    let message = format!(
        "{} {} may be managed by {} {namespace}/{name}, which goes first: {what}",
        K::NOUN,
        facts.object.id(),
        K::KIND
    );
    let status = report(facts, status, SyncState::Progressing, Reason::OwnershipUnknown, &message);
    Plan { status, step: Step::Backoff }
}

/// Another object manages the resource: the older one, or, for at most `at_most`, a younger one that took it over while
/// AWS refused this object's credentials (`regaining`).
pub(super) fn owned_by<K: DeclaredKind<Status: Default>>(
    facts: &Facts<'_, K>,
    status: K::Status,
    (namespace, name): &Name,
    at_most: Option<Duration>,
    regaining: bool,
) -> DeclaredPlan<K> {
    let (noun, id, kind) = (K::NOUN, facts.object.id(), K::KIND);
    let (sync, message) = if regaining {
        let message = format!(
            "{noun} {id} is managed by {kind} {namespace}/{name}, which took it over while AWS refused this older object's credentials: this object takes it back when AWS has accepted them for a while"
        );
        (SyncState::Progressing, message)
    } else {
        let message = format!("{noun} {id} is managed by the older {kind} {namespace}/{name}: delete one of the two");
        (SyncState::Stalled, message)
    };
    let status = report(facts, status, sync, Reason::OwnedByAnother, &message);
    Plan { status, step: Step::requeue(at_most) }
}

/// AWS refused the credentials of this object, and no error of this pass says so.
pub(super) fn lapsed<K: DeclaredKind<Status: Default>>(facts: &Facts<'_, K>, status: K::Status) -> DeclaredPlan<K> {
    if let Some(problem) = &facts.problem {
        return blocked(facts, status, problem, Step::Backoff);
    }
    let message = "AWS has not accepted the object's credentials, and another object declares the same resource: this \
                   object manages it once AWS accepts them";
    let status = report(facts, status, SyncState::Progressing, Reason::CredentialsNotAccepted, message);
    Plan { status, step: Step::Backoff }
}
