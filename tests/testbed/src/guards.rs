//! The guards that can be taken away from the program under test when it has the feature `failpoints`: a method that does
//! not find their absence shows nothing. `src/failpoints.rs` has what each of them keeps.

/// Their names.
pub const NAMES: &[&str] =
    &["lookup", "settle-time", "unclear-answers", "finalizer", "versions", "generation", "lease", "stale-cache"];

/// What takes these away, each as `FAILPOINTS` has it.
pub(crate) fn taken_away(guards: &[String]) -> impl Iterator<Item = String> {
    guards.iter().map(|guard| format!("without {guard}=return"))
}
