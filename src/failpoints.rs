//! The points at which `cargo chaos` ends the process: before and after everything that changes the world.
//!
//! They are in the few places that all kinds share: the writes to objects, the calls of AWS, the lease. Without the
//! feature `failpoints` they are nothing. With it, `FAILPOINTS` says which of them ends the process and when, in the words
//! of the `fail` crate: `StartJobRun: before=2*off->return` ends it before the third call.
//!
//! The same feature takes a guard of the product away ([`GUARDS`]), to see that `cargo chaos` and `cargo sieve` find its
//! absence: `without lookup=return`.

/// The guards that can be taken away, each with what it keeps.
pub const GUARDS: &[(&str, &str)] = &[
    ("lookup", "a start whose outcome is not known is looked up before it is repeated"),
    ("settle-time", "a start is repeated only when the one before it can have no effect any more"),
    ("unclear-answers", "an answer that does not come is no refusal"),
    ("finalizer", "an object stays until its run is stopped"),
    ("versions", "a write names the version that it was decided on"),
    ("generation", "a connection whose spec has changed does not wait for the pause after an earlier failure"),
    ("lease", "only the holder of the lease starts anything"),
    ("stale-cache", "an object that is older than the last write of this process is not decided on"),
];

/// Whether this guard is taken away. Never without the feature.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn without(guard: &str) -> bool {
    fail::fail_point!(&format!("without {guard}"), |_| true);
    false
}

/// Never.
#[cfg(not(feature = "failpoints"))]
#[must_use]
pub const fn without(_guard: &str) -> bool {
    false
}

/// Reads `FAILPOINTS`. The points are there until the value is dropped.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn begin() -> impl Sized {
    fail::FailScenario::setup()
}

/// Nothing.
#[cfg(not(feature = "failpoints"))]
#[must_use]
pub fn begin() -> impl Sized {}

/// The change is about to be made.
pub fn before(change: impl Fn() -> String) {
    reach(change, "before");
}

/// The change was made, or refused, and nothing has followed from that yet.
pub fn after(change: impl Fn() -> String) {
    reach(change, "after");
}

#[cfg(feature = "failpoints")]
fn reach(change: impl Fn() -> String, when: &str) {
    use std::collections::BTreeSet;
    use std::sync::{Mutex, PoisonError};

    static REACHED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let name = format!("{}: {when}", change());
    // Whoever sets the points learns from the log which there are.
    if REACHED.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone()) {
        tracing::info!(target: "failpoint", "{name}");
    }
    fail::fail_point!(&name, |_| {
        tracing::info!(target: "failpoint", "ended at {name}");
        std::process::abort()
    });
}

#[cfg(not(feature = "failpoints"))]
fn reach(_change: impl Fn() -> String, _when: &str) {}
