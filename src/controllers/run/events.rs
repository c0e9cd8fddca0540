//! What is told of a run: one event for each transition, read off two statuses.

use kube::runtime::events::{Event, EventType};

use super::concurrency::CRAWLER_RUNNING;
use crate::api::run::{Phase, RunStatus};

/// What the step from `before` to `after` is worth telling.
#[must_use]
pub fn of_transition(before: &RunStatus, after: &RunStatus) -> Option<Event> {
    let phase = after.phase?;
    let (reason, message) = ready(after)?;
    let unchanged = before.phase == Some(phase)
        && ready(before).is_some_and(|(old, _)| old == reason)
        && run_id(before) == run_id(after);
    // The intent is our own affair: what people want to know is that the run was started.
    let is_told = phase == Phase::Starting && reason == "Starting" && run_id(after) == run_id(before);
    if unchanged || is_told {
        return None;
    }
    let reason = if phase == Phase::Starting && reason == "Starting" { "Started" } else { reason };
    let good = phase == Phase::Succeeded || reason == format!("{phase:?}") && !phase.is_final();
    let neutral = ["Started", "Adopted", "Following", "Suspended", "StopRequested", "Deleted", "GlueRetries"];
    let in_line = phase == Phase::Waiting && reason == CRAWLER_RUNNING;
    let warning = !good && !in_line && !neutral.contains(&reason);
    Some(Event {
        type_: if warning { EventType::Warning } else { EventType::Normal },
        reason: reason.to_owned(),
        note: Some(message.to_owned()),
        action: format!("{phase:?}"),
        secondary: None,
    })
}

/// Reason and message of the Ready condition.
fn ready(status: &RunStatus) -> Option<(&str, &str)> {
    status.condition("Ready").map(|ready| (ready.reason.as_str(), ready.message.as_str()))
}

fn run_id(status: &RunStatus) -> Option<&str> {
    status.attempt().and_then(|attempt| attempt.id.as_deref())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::Timestamp;

    use super::super::conditions;
    use super::*;
    use crate::api::run::ReadyWhen;

    fn status(phase: Phase, reason: &str) -> RunStatus {
        let conditions = conditions::of(phase, reason, "words", ReadyWhen::Completed, &[], Timestamp::UNIX_EPOCH);
        RunStatus { phase: Some(phase), conditions, ..RunStatus::default() }
    }

    #[test]
    fn each_transition_is_told_once_and_bad_news_as_a_warning() {
        let running = status(Phase::Running, "Running");
        for (after, type_) in [
            (status(Phase::Succeeded, "Succeeded"), EventType::Normal),
            (status(Phase::Failed, "Failed"), EventType::Warning),
            (status(Phase::Stopping, "StopRequested"), EventType::Normal),
            (status(Phase::Waiting, "ConcurrentRunsExceeded"), EventType::Warning),
            (status(Phase::Pending, "SecretNotFound"), EventType::Warning),
        ] {
            let event = of_transition(&running, &after).unwrap();
            assert!(matches!(
                (event.type_, type_),
                (EventType::Normal, EventType::Normal) | (EventType::Warning, EventType::Warning)
            ));
            assert!(of_transition(&after, &after).is_none());
        }
        assert!(
            of_transition(&RunStatus::default(), &status(Phase::Starting, "Starting")).is_none(),
            "the intent is not told"
        );
    }
}
