//! From how a declared thing stands to the conditions that tools read.
//!
//! | stand | Ready | Reconciling | Stalled |
//! |---|---|---|---|
//! | in line | True | | |
//! | on its way, or something that may heal stands in the way | False | True | |
//! | the spec is wrong, or the thing is somebody else's | False | | True |

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::controllers::conditions::condition;

/// How a declared thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Glue has what the spec says.
    InLine,
    /// Not yet; it goes on by itself.
    OnItsWay,
    /// Nothing follows before a person does something.
    Stalled,
}

/// The conditions for `stand`. Those of `before` whose status stays keep their transition time; those of types
/// that are not named here stay as they are.
#[must_use]
pub fn of(stand: Stand, reason: &str, message: &str, before: &[Condition], now: Timestamp) -> Vec<Condition> {
    let ours = [
        Some(("Ready", stand == Stand::InLine)),
        (stand == Stand::OnItsWay).then_some(("Reconciling", true)),
        (stand == Stand::Stalled).then_some(("Stalled", true)),
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
        for (stand, expected) in [
            (Stand::InLine, vec!["Ready=True", "Tested=True"]),
            (Stand::OnItsWay, vec!["Ready=False", "Reconciling=True", "Tested=True"]),
            (Stand::Stalled, vec!["Ready=False", "Stalled=True", "Tested=True"]),
        ] {
            let conditions = of(stand, "Any", "", std::slice::from_ref(&own), Timestamp::UNIX_EPOCH);
            assert_eq!(shape(&conditions), expected);
        }
    }
}
