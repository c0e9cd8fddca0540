//! What this process remembers of a run beyond what stands in the object.

use std::time::Duration;

use tokio::time::Instant;

use super::facts::StartOutcome;
use crate::api::run::{Attempt, RunStatus};

/// How long an accepted stop is taken for granted before it is sent again.
const STOP_AGAIN: Duration = Duration::from_mins(1);

/// What is remembered of one run.
#[derive(Clone, Debug, Default)]
pub struct RunLocalState {
    /// The status has told of an attempt: one that tells of none by now has lost it.
    attempted: bool,
    /// The open intent, and since when this process has known of it.
    intent: Option<(Attempt, Instant)>,
    /// Glue's outcome to it, until it stands in the object.
    outcome: Option<StartOutcome>,
    /// The run for which a stop was accepted, and when.
    stopped: Option<(String, Instant)>,
}

impl RunLocalState {
    /// Takes note of the status as the object has it, and answers for how long its open intent has been known.
    pub fn open_for(&mut self, status: &RunStatus) -> Duration {
        self.attempted |= !status.attempts.is_empty();
        let open = status.attempt().filter(|attempt| attempt.is_open());
        match (open, &self.intent) {
            (Some(open), Some((known, since))) if open.is_same_intent(known) => since.elapsed(),
            (Some(open), _) => {
                self.intent = Some((open.clone(), Instant::now()));
                self.outcome = None;
                Duration::ZERO
            }
            (None, _) => {
                self.intent = None;
                self.outcome = None;
                Duration::ZERO
            }
        }
    }

    /// Whether the status has ever told of an attempt.
    #[must_use]
    pub fn attempted(&self) -> bool {
        self.attempted
    }

    /// Glue's outcome to the open intent, when it could not be written yet.
    #[must_use]
    pub fn outcome(&self) -> Option<StartOutcome> {
        self.outcome.clone()
    }

    /// Glue answered.
    pub fn answered(&mut self, outcome: &StartOutcome) {
        self.outcome = (!matches!(outcome, StartOutcome::Unclear(_))).then(|| outcome.clone());
    }

    /// A stop of run `id` was accepted.
    pub fn stop_accepted(&mut self, id: &str) {
        self.stopped = Some((id.to_owned(), Instant::now()));
    }

    /// Whether a stop of run `id` is under way.
    #[must_use]
    pub fn stop_sent(&self, id: &str) -> bool {
        self.stopped.as_ref().is_some_and(|(stopped, at)| stopped == id && at.elapsed() < STOP_AGAIN)
    }
}
