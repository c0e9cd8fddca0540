//! The plan of a run: from the facts to the status that must be in the object, and the one step that may follow.
//!
//! The reconciler writes [`Plan::status`] first, when it differs, and plans again; only then does it take
//! [`Plan::step`]. So an intent is always in the object before a start is sent, and a run id before anything else
//! happens. Whether a start is sent is decided by [`start_once`](crate::controllers::runtime::start_once), which has the
//! protocol on one page.

use super::calls::Plan;
use super::cleanup::{deletion, finished};
use super::facts::Facts;
use super::follow::follow;
use super::resume;
use super::start::{next_start, open_intent};
use crate::api::run::Phase;

/// Decides.
#[must_use]
pub fn plan(facts: &Facts<'_>) -> Plan {
    if facts.common.deleting() {
        return deletion(facts);
    }
    if let Some(plan) = resume::plan(facts) {
        return plan;
    }
    if facts.status.phase.is_some_and(Phase::is_final) {
        return finished(facts);
    }
    match facts.status.attempt() {
        Some(attempt) if attempt.ended_at.is_some() || attempt.rejected_reason.is_some() => next_start(facts),
        Some(attempt) => match &attempt.id {
            Some(id) => follow(facts, attempt, id),
            None => open_intent(facts, attempt),
        },
        None => next_start(facts),
    }
}
