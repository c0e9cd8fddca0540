//! What comes before something is changed in Glue: the finalizer, the lease, a pause, a test.

use super::actions::Act;
use super::drafts::{About, Decision, TEST_FAILED, draft, keep, stopped};
use crate::api::GlueConnectionStatus;
use crate::api::connection::DeletionPolicy;
use crate::api::connection::status::{TestOutcome, TestResult};
use crate::controllers::declared::conditions::Stand;
use crate::controllers::step::Step;

/// What comes before any change of what stands in Glue; nothing, when it may be made.
pub(super) fn before_change(facts: &About<'_>, status: &GlueConnectionStatus, doing: &str) -> Option<Decision> {
    let current = |test: &&TestResult| facts.inputs.is_some_and(|inputs| inputs.fingerprint == test.fingerprint);
    let test = status.last_test.as_ref().filter(|test| test.before_create).filter(current);
    let failed_first = test.filter(|test| test.result == TestOutcome::Failed);
    if let (Some(_), Some(test)) = (&facts.problem, failed_first) {
        let why = test.message.as_deref().unwrap_or_default();
        let message = format!("nothing was brought to Glue, since it could not connect: {why}");
        return Some(draft(facts, status.clone(), Stand::Stalled, TEST_FAILED, &message, Step::Retry));
    }
    if let Some(decision) = waits(facts, status) {
        return Some(decision);
    }
    if deletes(facts) && !facts.has_finalizer() {
        return Some(keep(facts, Step::Hold));
    }
    let is_tested = test.is_some_and(|test| test.result == TestOutcome::Succeeded);
    if facts.object.spec.is_tested_before() && !facts.fresh_intent && !is_tested {
        let message = "the connection is being tested before it is brought to Glue";
        return Some(draft(facts, status.clone(), Stand::OnItsWay, doing, message, Step::Act(Act::TestFirst)));
    }
    None
}

/// Whether the connection goes with the object.
pub(super) fn deletes(facts: &About<'_>) -> bool {
    facts.object.spec.deletion_policy.unwrap_or_default() == DeletionPolicy::Delete
}

/// What holds up a call that may be made later as well.
pub(super) fn waits(facts: &About<'_>, status: &GlueConnectionStatus) -> Option<Decision> {
    if let Some(problem) = &facts.problem {
        return Some(stopped(facts, status.clone(), problem, Step::Retry));
    }
    if let Some(pause) = facts.rest.filter(|_| !facts.learnt.edited) {
        return Some(keep(facts, Step::Rest(Some(pause))));
    }
    (!facts.leading).then(|| keep(facts, Step::Rest(None)))
}
