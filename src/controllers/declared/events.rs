//! What is told of a declared thing: one event each time that it comes into line, or falls out of it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::{Event, EventType};

use crate::api::declared::DeclaredStatus;

/// What the step from `before` to `after` is worth telling. `neutral` are the reasons that are no bad news though
/// the thing is not in line, `bad` those that are although it is.
#[must_use]
pub fn of_transition(
    before: Option<&DeclaredStatus>,
    after: &DeclaredStatus,
    neutral: &[&str],
    bad: &[&str],
) -> Option<Event> {
    let ready = after.condition("Ready")?;
    let was = before.and_then(|before| before.condition("Ready"));
    let same = |was: &Condition| was.status == ready.status && was.reason == ready.reason;
    if was.is_some_and(same) {
        return None;
    }
    let (is_in_line, reason) = (ready.status == "True", ready.reason.as_str());
    let warns = if is_in_line { bad.contains(&reason) } else { !neutral.contains(&reason) };
    Some(Event {
        type_: if warns { EventType::Warning } else { EventType::Normal },
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

    use super::super::conditions::{self, SyncState};
    use super::*;

    fn status(sync: SyncState, reason: &str) -> DeclaredStatus {
        let conditions = conditions::of(sync, reason, "words", &[], Timestamp::UNIX_EPOCH);
        DeclaredStatus { conditions, ..DeclaredStatus::default() }
    }

    #[test]
    fn each_turn_is_told_once_and_bad_news_as_a_warning() {
        let in_line = status(SyncState::Synced, "Activated");
        for (after, warns) in [
            (status(SyncState::Progressing, "Activating"), false),
            (status(SyncState::Progressing, "Drifted"), true),
            (status(SyncState::Stalled, "HeldByAnother"), true),
            (status(SyncState::Synced, "Drifted"), true),
            (status(SyncState::Synced, "Tested"), false),
        ] {
            let event = of_transition(Some(&in_line), &after, &["Activating"], &["Drifted"]).unwrap();
            assert_eq!(matches!(event.type_, EventType::Warning), warns);
            assert!(of_transition(Some(&after), &after, &["Activating"], &["Drifted"]).is_none());
        }
        assert!(of_transition(None, &in_line, &[], &[]).is_some());
    }
}
