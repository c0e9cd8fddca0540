//! The Events of a declared resource's transition: one each time that its Ready condition changes, and one when a warning
//! appears or changes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::Event;

use super::conditions::WARNINGS;
use crate::api::declared::DeclaredStatus;
use crate::controllers::runtime::conditions::reason_of;
use crate::controllers::runtime::events::of_reason;

/// The Event of the transition from `before` to `after`; `None` when neither the status nor the reason of Ready changed.
#[must_use]
pub fn of_transition(before: Option<&DeclaredStatus>, after: &DeclaredStatus) -> Option<Event> {
    let ready = after.condition("Ready")?;
    let was = before.and_then(|before| before.condition("Ready"));
    if was.is_some_and(|was| was.status == ready.status && was.reason == ready.reason) {
        return None;
    }
    event(ready)
}

/// The Events of the warnings that `after` has, and `before` has not or with other words.
pub fn of_warnings(before: Option<&DeclaredStatus>, after: &DeclaredStatus) -> impl Iterator<Item = Event> {
    WARNINGS.into_iter().filter_map(move |type_| {
        let warning = after.condition(type_)?;
        let was = before.and_then(|before| before.condition(type_));
        if was.is_some_and(|was| was.message == warning.message) {
            return None;
        }
        event(warning)
    })
}

fn event(condition: &Condition) -> Option<Event> {
    let reason = reason_of(condition)?;
    Some(of_reason(reason, &condition.message, reason.as_str()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::Timestamp;
    use kube::runtime::events::EventType;

    use super::super::conditions::{self, SyncState, UNKNOWN_PROPERTIES};
    use super::*;
    use crate::controllers::runtime::conditions::condition;
    use crate::controllers::runtime::reason::Reason;

    fn status(sync: SyncState, reason: Reason) -> DeclaredStatus {
        let conditions = conditions::of(sync, reason, "message", &[], Timestamp::UNIX_EPOCH);
        DeclaredStatus { conditions, ..DeclaredStatus::default() }
    }

    #[test]
    fn each_transition_has_one_event_with_the_severity_of_its_reason() {
        let synced = status(SyncState::Synced, Reason::Activated);
        for (after, warns) in [
            (status(SyncState::Progressing, Reason::Activating), false),
            (status(SyncState::Progressing, Reason::Drifted), true),
            (status(SyncState::Stalled, Reason::OwnedByAnother), true),
            (status(SyncState::Stalled, Reason::CompletedWithFailures), true),
            (status(SyncState::Synced, Reason::InSync), false),
        ] {
            let event = of_transition(Some(&synced), &after).unwrap();
            assert_eq!(matches!(event.type_, EventType::Warning), warns);
            assert!(of_transition(Some(&after), &after).is_none());
        }
        assert!(of_transition(None, &synced).is_some());
    }

    #[test]
    fn a_warning_has_one_event_until_its_words_change() {
        let plain = status(SyncState::Synced, Reason::InSync);
        let warned = |message: &str| {
            let mut status = plain.clone();
            let now = Timestamp::UNIX_EPOCH;
            status.conditions.push(condition(UNKNOWN_PROPERTIES, true, Reason::UnknownProperty, message, &[], now));
            status
        };
        let count = |before: Option<&DeclaredStatus>, after: &DeclaredStatus| of_warnings(before, after).count();
        assert_eq!(count(None, &plain), 0);
        let event = of_warnings(Some(&plain), &warned("VPC")).next().unwrap();
        assert!(matches!(event.type_, EventType::Warning));
        assert_eq!(count(Some(&warned("VPC")), &warned("VPC")), 0);
        assert_eq!(count(Some(&warned("VPC")), &warned("VPC, HOSTS")), 1);
        assert_eq!(count(Some(&warned("VPC")), &plain), 0);
    }
}
