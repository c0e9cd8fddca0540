//! The life of a run as a pure function: from what is known to the status that must stand in the object,
//! and the one step that may be taken once it does.
//!
//! The shell writes [`Plan::status`] first, when it differs, and plans again; only then does it take
//! [`Plan::step`]. So an intent is always in the object before a start is sent, and a run id before
//! anything else happens.
//!
//! **What keeps a run from being started twice**
//!
//! 1. [`Call::Start`](super::step::Call::Start) comes only right after this very pass has written the intent
//!    ([`Facts::fresh_intent`]). That write carries the resource version that it was decided on: of two
//!    controllers, or of a controller and its own stale cache, one fails, and sends nothing.
//! 2. An intent that was not written by this pass, or whose outcome was unclear, leads to looking for
//!    the key. Found: adopted. Not to be asked: nothing happens. Not found: a *new* intent, once this
//!    process has known of the old one for longer than a sent call can take.
//! 3. A clear no is written down (`refused`), so that it is known without looking.
//!
//! Where starts carry no key, what is looked for is whatever was not there before ([`super::turn`]).

use super::facts::Facts;
use super::finish::{deletion, finished};
use super::follow::follow;
use super::start::{begin, unclear};
use super::step::Plan;
use crate::api::run::Phase;

/// Decides.
#[must_use]
pub fn plan(facts: &Facts<'_>) -> Plan {
    if facts.deleting() {
        return deletion(facts);
    }
    if facts.status.phase.is_some_and(Phase::is_final) {
        return finished(facts);
    }
    match facts.status.attempt() {
        Some(attempt) if attempt.ended_at.is_some() || attempt.rejected_reason.is_some() => begin(facts),
        Some(attempt) => match &attempt.id {
            Some(id) => follow(facts, attempt, id),
            None => unclear(facts, attempt),
        },
        None => begin(facts),
    }
}
