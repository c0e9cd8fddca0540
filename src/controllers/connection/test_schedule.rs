//! When a connection is tested: once it exists, after each change, and at intervals.

use std::time::Duration;

use super::facts::ConnectionFacts;
use crate::api::GlueConnectionStatus;
use crate::api::connection::status::TestOutcome;
use crate::controllers::runtime::time;

/// The interval after a failed test, unless the spec has a shorter one.
const FAILED_AGAIN: Duration = Duration::from_mins(10);

/// When the next test is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Now: the connection as Glue has it was never tested.
    Change,
    /// When this time has passed.
    In(Duration),
    /// No test is due.
    Never,
}

/// When the next test is due.
#[must_use]
pub fn due(facts: &ConnectionFacts<'_>, status: &GlueConnectionStatus) -> Due {
    let spec = &facts.object.spec;
    let Some(applied) = status.applied.as_ref().filter(|_| spec.is_tested()) else { return Due::Never };
    let Some(test) = &status.last_test else { return Due::Change };
    let changed = applied.at.as_ref().is_some_and(|at| test.at.0 < at.0);
    if test.before_create || changed || test.fingerprint != applied.fingerprint {
        return Due::Change;
    }
    let minutes = spec.test.as_ref().and_then(|test| test.every_minutes);
    let every = minutes.map(|minutes| Duration::from_mins(minutes.into()));
    let again = match test.result {
        TestOutcome::Failed => Some(every.map_or(FAILED_AGAIN, |every| every.min(FAILED_AGAIN))),
        TestOutcome::Succeeded => every,
    };
    let Some(again) = again else { return Due::Never };
    let jitter = jitter(facts.object.metadata.uid.as_deref().unwrap_or_default());
    Due::In(again.mul_f64(jitter).saturating_sub(time::since(facts.common.now, test.at.0)))
}

/// A factor from 0.9 to 1.1 by the object's uid, so that objects created together are not tested together.
fn jitter(uid: &str) -> f64 {
    let sum = uid.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    0.9 + 0.2 * f64::from(sum % 1000) / 1000.0
}
