//! Tests of a trigger that several objects declare.

use std::time::Duration;

use super::plan::Fixture;
use crate::controllers::runtime::context::Name;
use crate::controllers::runtime::ownership::{Ownership, Unknown};
use crate::controllers::runtime::step::Step;
use crate::glue::triggers::TriggerState;

pub(crate) fn owned_by_another() -> Ownership<Name> {
    Ownership::OwnedBy { owner: ("other".to_owned(), "older".to_owned()), at_most: None, regaining: false }
}

pub(crate) fn undetermined(waited: u64) -> Ownership<Name> {
    Ownership::Undetermined {
        other: ("other".to_owned(), "older".to_owned()),
        unknown: Unknown::OtherAccount,
        waited: Duration::from_secs(waited),
    }
}

/// An object that waits for another says so once the wait has lasted, and one that gets its resource back waits as well.
#[test]
fn an_object_that_waits_for_another_says_for_which_and_why() {
    let fixture = Fixture::scheduled(TriggerState::Deactivated);
    let message_of = |ownership: Ownership<Name>| {
        let (after, step) = Fixture { ownership, ..fixture.clone() }.settled();
        let status = after.object.status.expect("a status");
        let reconciling = status.declared.condition("Reconciling").is_some();
        status.declared.condition("Ready").map(|ready| (ready.reason.clone(), reconciling, ready.message.clone(), step))
    };
    assert_eq!(message_of(undetermined(9)), None, "after a restart every object waits for a moment");
    let (reason, reconciling, message, step) = message_of(undetermined(10)).expect("a condition");
    assert_eq!((reason.as_str(), reconciling, step), ("OwnershipUnknown", true, Step::Backoff));
    assert!(message.contains("GlueTrigger other/older") && message.contains("which account"), "{message}");
    let owner = ("other".to_owned(), "younger".to_owned());
    let at_most = Some(Duration::from_mins(5));
    let (reason, reconciling, message, step) =
        message_of(Ownership::OwnedBy { owner, at_most, regaining: true }).expect("a condition");
    assert_eq!(
        (reason.as_str(), reconciling, step),
        ("OwnedByAnother", true, Step::RequeueAfter(Duration::from_mins(5)))
    );
    assert!(message.contains("other/younger") && message.contains("takes it back"), "{message}");
    let (reason, reconciling, _, step) = message_of(Ownership::Lapsed { manager: None }).expect("a condition");
    assert_eq!((reason.as_str(), reconciling, step), ("CredentialsNotAccepted", true, Step::Backoff));
}
