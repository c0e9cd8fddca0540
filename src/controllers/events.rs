//! The story of an object as Kubernetes Events: one for each transition, filed in the background.
//!
//! What to tell is read off two statuses by a pure function; an event that cannot be filed changes
//! nothing, and never holds up a start.

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tracing::{debug, warn};

use crate::api::run::{Phase, RunStatus};

/// The reason of the event of a run that was left behind.
const LEFT_BEHIND: &str = "LeftBehind";

/// Files events, one after the other, in the background. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    queue: UnboundedSender<(ObjectReference, Event)>,
}

impl Events {
    /// Files events as `kube-glue`, from `instance`.
    #[must_use]
    pub fn new(client: Client, instance: Option<String>) -> Self {
        let (queue, waiting) = unbounded();
        let reporter = Reporter { controller: "kube-glue".to_owned(), instance };
        tokio::spawn(file(Recorder::new(client, reporter), waiting));
        Self { queue }
    }

    /// Files `event` about `object`.
    pub fn tell(&self, object: ObjectReference, event: Event) {
        // It fails only when the filing task is gone, at the very end.
        let _ = self.queue.unbounded_send((object, event));
    }
}

async fn file(recorder: Recorder, mut waiting: UnboundedReceiver<(ObjectReference, Event)>) {
    while let Some((object, event)) = waiting.next().await {
        let Err(error) = recorder.publish(&event, &object).await else { continue };
        debug!(%error, reason = event.reason, "an event could not be filed");
        if event.reason != LEFT_BEHIND {
            continue;
        }
        // Nothing can be created in a namespace that is being deleted, and this one must not be lost: it is
        // filed about the namespace itself, whose events stand in the namespace default.
        let Some(namespace) = object.namespace.clone() else { continue };
        let about = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Namespace".to_owned()),
            name: Some(namespace),
            ..ObjectReference::default()
        };
        if let Err(error) = recorder.publish(&event, &about).await {
            warn!(%error, "the event of a run that was left behind could not be filed");
        }
    }
}

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
    let warning = !good && !neutral.contains(&reason);
    Some(Event {
        type_: if warning { EventType::Warning } else { EventType::Normal },
        reason: reason.to_owned(),
        note: Some(message.to_owned()),
        action: format!("{phase:?}"),
        secondary: None,
    })
}

/// The event of an object that was let go with a live run behind it.
#[must_use]
pub fn left_behind(object: &str, run: &str) -> Event {
    Event {
        type_: EventType::Warning,
        reason: LEFT_BEHIND.to_owned(),
        note: Some(format!(
            "{object} was let go after the deletion timeout, and run {run} could not be stopped in Glue: stop it by hand"
        )),
        action: "Deleting".to_owned(),
        secondary: None,
    }
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

    use super::*;
    use crate::api::run::ReadyWhen;
    use crate::controllers::run::conditions;

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
