//! The guards that can be taken away from the program under test when it has the feature `failpoints`: a method that does
//! not find their absence shows nothing. `src/failpoints.rs` has what each of them keeps.

/// Their names.
pub const NAMES: &[&str] =
    &["lookup", "settle-time", "unclear-answers", "finalizer", "versions", "generation", "lease", "stale-cache"];

/// What takes one of them away, as `FAILPOINTS` has it.
#[must_use]
pub(crate) fn taken_away(guard: &str) -> String {
    format!("without {guard}=return")
}
