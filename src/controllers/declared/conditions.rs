//! From how a declared thing stands to the conditions that tools read.
//!
//! | sync | Ready | Reconciling | Stalled |
//! |---|---|---|---|
//! | in line | True | | |
//! | on its way, or something that may heal stands in the way | False | True | |
//! | the spec is wrong, or the thing is somebody else's | False | | True |

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::controllers::runtime::conditions::condition;

/// How a declared thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// Glue has what the spec says.
    Synced,
    /// Not yet; it goes on by itself.
    Progressing,
    /// Nothing follows before a person does something.
    Stalled,
}

/// The conditions for `sync`. Those of `before` whose status stays keep their transition time; those of types
/// that are not named here stay as they are.
#[must_use]
pub fn of(sync: SyncState, reason: &str, message: &str, before: &[Condition], now: Timestamp) -> Vec<Condition> {
    let ours = [
        Some(("Ready", sync == SyncState::Synced)),
        (sync == SyncState::Progressing).then_some(("Reconciling", true)),
        (sync == SyncState::Stalled).then_some(("Stalled", true)),
    ];
    let ours = ours.into_iter().flatten().map(|(type_, holds)| condition(type_, holds, reason, message, before, now));
    let theirs = before.iter().filter(|one| !["Ready", "Reconciling", "Stalled"].contains(&one.type_.as_str()));
    ours.chain(theirs.cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(conditions: &[Condition]) -> Vec<String> {
        conditions.iter().map(|condition| format!("{}={}", condition.type_, condition.status)).collect()
    }

    #[test]
    fn the_table_of_the_contract() {
        let own = condition("Tested", true, "Tested", "", &[], Timestamp::UNIX_EPOCH);
        for (sync, expected) in [
            (SyncState::Synced, vec!["Ready=True", "Tested=True"]),
            (SyncState::Progressing, vec!["Ready=False", "Reconciling=True", "Tested=True"]),
            (SyncState::Stalled, vec!["Ready=False", "Stalled=True", "Tested=True"]),
        ] {
            let conditions = of(sync, "Any", "", std::slice::from_ref(&own), Timestamp::UNIX_EPOCH);
            assert_eq!(shape(&conditions), expected);
        }
    }
}
