//! The Event of a run's transition, from the status before and after it.

use kube::runtime::events::{Event, EventType};

use super::conditions::ready_reason;
use crate::api::run::{Phase, RunStatus};
use crate::controllers::runtime::reason::Reason;

/// The Event of the transition from `before` to `after`; `None` when it is not worth one.
#[must_use]
pub fn of_transition(before: &RunStatus, after: &RunStatus) -> Option<(Reason, Event)> {
    let phase = after.phase?;
    let reason = ready_reason(after)?;
    let is_same_run = run_id(before) == run_id(after);
    let is_unchanged = before.phase == Some(phase) && ready_reason(before) == Some(reason) && is_same_run;
    // An intent gets no Event: people want to know that the run was started.
    let is_intent = phase == Phase::Starting && reason == Reason::Starting && is_same_run;
    if is_unchanged || is_intent {
        return None;
    }
    let reason = if reason == Reason::Starting { Reason::Started } else { reason };
    let ended_badly = phase.is_final() && !matches!(phase, Phase::Succeeded | Phase::Stopped);
    let event = Event {
        type_: if ended_badly { EventType::Warning } else { reason.severity().into() },
        reason: reason.as_str().to_owned(),
        note: after.condition("Ready").map(|ready| ready.message.clone()),
        action: format!("{phase:?}"),
        secondary: None,
    };
    Some((reason, event))
}

/// Whether the first attempt begins: once for each object.
#[must_use]
pub fn begins(before: &RunStatus, after: &RunStatus) -> bool {
    before.attempts.is_empty() && !after.attempts.is_empty()
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

    fn status(phase: Phase, reason: Reason) -> RunStatus {
        let conditions = conditions::of(phase, reason, "message", ReadyWhen::Completed, &[], Timestamp::UNIX_EPOCH);
        RunStatus { phase: Some(phase), conditions, ..RunStatus::default() }
    }

    #[test]
    fn each_transition_has_one_event_and_a_failure_is_a_warning() {
        let running = status(Phase::Running, Reason::Running);
        for (after, type_) in [
            (status(Phase::Succeeded, Reason::Succeeded), EventType::Normal),
            (status(Phase::Failed, Reason::Failed), EventType::Warning),
            (status(Phase::Failed, Reason::CrawlerRunning), EventType::Warning),
            (status(Phase::Waiting, Reason::CrawlerRunning), EventType::Normal),
            (status(Phase::Stopping, Reason::StopRequested), EventType::Normal),
            (status(Phase::Stopped, Reason::StopRequested), EventType::Normal),
            (status(Phase::Stopped, Reason::Stopped), EventType::Warning),
            (status(Phase::Waiting, Reason::ConcurrentRunsExceeded), EventType::Warning),
            (status(Phase::Pending, Reason::SecretNotFound), EventType::Warning),
        ] {
            let (_, event) = of_transition(&running, &after).unwrap();
            assert_eq!(
                matches!(event.type_, EventType::Warning),
                matches!(type_, EventType::Warning),
                "{}",
                event.reason
            );
            assert!(of_transition(&after, &after).is_none());
        }
        let intent = status(Phase::Starting, Reason::Starting);
        assert!(of_transition(&RunStatus::default(), &intent).is_none(), "an intent has no Event");
    }
}
