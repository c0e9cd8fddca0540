//! What comes before something is changed in Glue: the finalizer, the lease, a pause, a test.

use super::calls::Call;
use super::status::{ConnectionFacts, ConnectionPlan, TEST_FAILED, draft, keep, stopped};
use crate::api::GlueConnectionStatus;
use crate::api::connection::DeletionPolicy;
use crate::api::connection::status::{TestOutcome, TestResult};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::runtime::step::Step;

/// What comes before any change of what stands in Glue; nothing, when it may be made.
pub(super) fn before_change(
    facts: &ConnectionFacts<'_>,
    status: &GlueConnectionStatus,
    doing: &str,
) -> Option<ConnectionPlan> {
    let current = |test: &&TestResult| facts.inputs.is_some_and(|inputs| inputs.fingerprint == test.fingerprint);
    let test = status.last_test.as_ref().filter(|test| test.before_create).filter(current);
    let failed_first = test.filter(|test| test.result == TestOutcome::Failed);
    if let (Some(_), Some(test)) = (&facts.problem, failed_first) {
        let why = test.message.as_deref().unwrap_or_default();
        let message = format!("nothing was brought to Glue, since it could not connect: {why}");
        return Some(draft(facts, status.clone(), SyncState::Stalled, TEST_FAILED, &message, Step::Backoff));
    }
    if let Some(decision) = waits(facts, status) {
        return Some(decision);
    }
    if deletes(facts) && !facts.has_finalizer() {
        return Some(keep(facts, Step::AddFinalizer));
    }
    let is_tested = test.is_some_and(|test| test.result == TestOutcome::Succeeded);
    if facts.object.spec.is_tested_before() && !facts.fresh_intent && !is_tested {
        let message = "the connection is being tested before it is brought to Glue";
        return Some(draft(facts, status.clone(), SyncState::Progressing, doing, message, Step::Call(Call::TestInput)));
    }
    None
}

/// Whether the connection goes with the object.
pub(super) fn deletes(facts: &ConnectionFacts<'_>) -> bool {
    facts.object.spec.deletion_policy.unwrap_or_default() == DeletionPolicy::Delete
}

/// What holds up a call that may be made later as well.
pub(super) fn waits(facts: &ConnectionFacts<'_>, status: &GlueConnectionStatus) -> Option<ConnectionPlan> {
    if let Some(problem) = &facts.problem {
        return Some(stopped(facts, status.clone(), problem, Step::Backoff));
    }
    if let Some(pause) = facts.rest.filter(|_| !facts.state.edited) {
        return Some(keep(facts, Step::RequeueAfter(pause)));
    }
    (!facts.leading).then(|| keep(facts, Step::AwaitChange))
}
