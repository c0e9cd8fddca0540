//! From the sync state of a declared resource to its conditions.
//!
//! | sync state | Ready | Reconciling | Stalled |
//! |---|---|---|---|
//! | Synced | True | | |
//! | Progressing, or a problem that may heal | False | True | |
//! | Stalled: the spec is wrong, or another object manages the resource | False | | True |

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::controllers::runtime::conditions::condition;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;

/// The type of the condition that warns of properties that Glue does not document. Tools that wait do not read it.
pub const UNKNOWN_PROPERTIES: &str = "UnknownProperties";
/// The type of the condition that warns of what Glue's description of a connection type asks for. Tools that wait do not read
/// it.
pub const UNMET_REQUIREMENTS: &str = "UnmetRequirements";
/// The types of the conditions that warn.
pub const WARNINGS: [&str; 2] = [UNKNOWN_PROPERTIES, UNMET_REQUIREMENTS];

/// How a declared resource compares with its spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// Glue has what the spec describes.
    Synced,
    /// Not yet; the controller goes on by itself.
    Progressing,
    /// Nothing follows before a person acts.
    Stalled,
}

/// The conditions for `sync`. Those of `before` whose status stays keep their transition time.
#[must_use]
pub fn of(sync: SyncState, reason: Reason, message: &str, before: &[Condition], now: Timestamp) -> Vec<Condition> {
    let conditions = [
        Some(("Ready", sync == SyncState::Synced)),
        (sync == SyncState::Progressing).then_some(("Reconciling", true)),
        (sync == SyncState::Stalled).then_some(("Stalled", true)),
    ];
    let conditions = conditions.into_iter().flatten();
    conditions.map(|(type_, status)| condition(type_, status, reason, message, before, now)).collect()
}

/// The conditions that report a problem that no plan knows. Those of the kind stay.
#[must_use]
pub fn with_problem(before: &[Condition], problem: &Problem, now: Timestamp) -> Vec<Condition> {
    with_sync_of(&of(SyncState::Progressing, problem.reason, &problem.message, before, now), before)
}

/// The sync state of `shared`, with the conditions of the kind in `own`.
#[must_use]
pub fn with_sync_of(shared: &[Condition], own: &[Condition]) -> Vec<Condition> {
    let is_shared = |condition: &&Condition| matches!(&*condition.type_, "Ready" | "Reconciling" | "Stalled");
    let own = own.iter().filter(|condition| !is_shared(condition));
    shared.iter().filter(is_shared).chain(own).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_that_no_plan_knows_leaves_the_conditions_of_the_kind() {
        let now = Timestamp::UNIX_EPOCH;
        let tested = condition("Tested", true, Reason::TestSucceeded, "", &[], now);
        let before = [of(SyncState::Synced, Reason::InSync, "", &[], now), vec![tested]].concat();
        let problem = Problem::new(Reason::InternalError, "a defect");
        let after = with_problem(&before, &problem, now);
        let shape: Vec<_> = after.iter().map(|one| format!("{}={} {}", one.type_, one.status, one.reason)).collect();
        let expected = ["Ready=False InternalError", "Reconciling=True InternalError", "Tested=True TestSucceeded"];
        assert_eq!(shape, expected);
    }

    #[test]
    fn each_sync_state_has_the_documented_conditions() {
        for (sync, expected) in [
            (SyncState::Synced, vec!["Ready=True"]),
            (SyncState::Progressing, vec!["Ready=False", "Reconciling=True"]),
            (SyncState::Stalled, vec!["Ready=False", "Stalled=True"]),
        ] {
            let conditions = of(sync, Reason::Updating, "", &[], Timestamp::UNIX_EPOCH);
            let shape: Vec<_> = conditions.iter().map(|one| format!("{}={}", one.type_, one.status)).collect();
            assert_eq!(shape, expected);
        }
    }
}
