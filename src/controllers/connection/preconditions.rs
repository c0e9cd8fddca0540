//! What must come before a change in Glue: the end of a backoff, the finalizer, Glue's description of the type, a test.

use super::calls::Call;
use super::facts::{ConnectionFacts, ConnectionPlan};
use super::requirements;
use super::status::report;
use crate::api::GlueConnectionStatus;
use crate::api::connection::DeletionPolicy;
use crate::api::connection::status::{TestOutcome, TestResult};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::declared::status::{blocked, unchanged};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::Step;

/// The plan that comes before a change; `None` when the change may be made. `doing` is the reason of the change, and
/// `origin` where the connection comes from once the change is made.
pub(super) fn before_change(
    facts: &ConnectionFacts<'_>,
    status: &GlueConnectionStatus,
    doing: Reason,
    origin: Origin,
) -> Option<ConnectionPlan> {
    let current = |test: &&TestResult| facts.inputs.is_some_and(|inputs| inputs.fingerprint == test.fingerprint);
    let test = status.last_test.as_ref().filter(|test| test.before_create).filter(current);
    let failed = test.filter(|test| test.result == TestOutcome::Failed);
    if let (Some(_), Some(test)) = (&facts.problem, failed) {
        let why = test.message.as_deref().unwrap_or_default();
        let message = format!("the connection was not created or updated, because Glue could not connect: {why}");
        let status = status.clone();
        return Some(report(facts, status, SyncState::Stalled, Reason::TestFailed, &message, Step::Backoff));
    }
    if let Some(plan) = before_call(facts, status) {
        return Some(plan);
    }
    if deletes(facts, origin) && !facts.common.has_finalizer() {
        return Some(unchanged(facts, Step::AddFinalizer));
    }
    let is_asked = requirements::is_asked_about(&facts.object.spec) && !facts.common.fresh_intent;
    if is_asked && facts.state.described.is_none() {
        return Some(unchanged(facts, Step::Call(Call::DescribeType)));
    }
    let has_passed = test.is_some_and(|test| test.result == TestOutcome::Succeeded);
    if facts.object.spec.is_tested_before() && !facts.common.fresh_intent && !has_passed {
        let message = "Glue tests the connection before it is created or updated";
        let step = Step::Call(Call::TestInput);
        return Some(report(facts, status.clone(), SyncState::Progressing, doing, message, step));
    }
    None
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The object created it.
    Created,
    /// It existed before, and the object took it over.
    Adopted,
}

impl Origin {
    /// By the status of the object that owns the connection, or that may own what it is about to create.
    pub(super) fn of(status: &GlueConnectionStatus) -> Self {
        let adopted = status.creation.is_none() && status.applied.as_ref().is_some_and(|applied| applied.adopted);
        if adopted { Self::Adopted } else { Self::Created }
    }
}

/// Whether the connection is deleted with the object.
pub(super) fn deletes(facts: &ConnectionFacts<'_>, origin: Origin) -> bool {
    let default = match origin {
        Origin::Created => DeletionPolicy::Delete,
        Origin::Adopted => DeletionPolicy::Retain,
    };
    facts.object.spec.deletion_policy.unwrap_or(default) == DeletionPolicy::Delete
}

/// The plan that comes before a call: a problem of this pass, or what is left of the backoff. An edited spec is tried at
/// once.
pub(super) fn before_call(facts: &ConnectionFacts<'_>, status: &GlueConnectionStatus) -> Option<ConnectionPlan> {
    if let Some(problem) = &facts.problem {
        return Some(blocked(facts, status.clone(), problem, Step::Backoff));
    }
    let pause = facts.common.backoff.filter(|_| !facts.state.edited)?;
    Some(unchanged(facts, Step::RequeueAfter(pause)))
}
