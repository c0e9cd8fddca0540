//! The Event of a declared resource's transition: one each time that its Ready condition changes.

use kube::runtime::events::Event;

use crate::api::declared::DeclaredStatus;
use crate::controllers::runtime::conditions::reason_of;

/// The Event of the transition from `before` to `after`; `None` when neither the status nor the reason of Ready changed.
#[must_use]
pub fn of_transition(before: Option<&DeclaredStatus>, after: &DeclaredStatus) -> Option<Event> {
    let ready = after.condition("Ready")?;
    let was = before.and_then(|before| before.condition("Ready"));
    if was.is_some_and(|was| was.status == ready.status && was.reason == ready.reason) {
        return None;
    }
    Some(Event {
        type_: reason_of(ready)?.severity().into(),
        reason: ready.reason.clone(),
        note: Some(ready.message.clone()),
        action: ready.reason.clone(),
        secondary: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::Timestamp;
    use kube::runtime::events::EventType;

    use super::super::conditions::{self, SyncState};
    use super::*;
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
            (status(SyncState::Synced, Reason::CompletedWithFailures), true),
            (status(SyncState::Synced, Reason::InSync), false),
        ] {
            let event = of_transition(Some(&synced), &after).unwrap();
            assert_eq!(matches!(event.type_, EventType::Warning), warns);
            assert!(of_transition(Some(&after), &after).is_none());
        }
        assert!(of_transition(None, &synced).is_some());
    }
}
