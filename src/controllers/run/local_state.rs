//! What the process keeps about a run beyond what is in the object.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::run::RunStatus;

/// How long an accepted stop may have no effect before it is sent again.
const STOP_AGAIN: Duration = Duration::from_mins(1);

/// What is kept about one run.
#[derive(Clone, Debug, Default)]
pub struct RunLocalState {
    /// Whether the status has ever listed an attempt: a status that lists none now was lost.
    had_attempt: bool,
    /// Since when it is known that the status was lost.
    lost_since: Option<Instant>,
    /// The live run, and since when its id is known.
    live: Option<(String, Instant)>,
    /// The run of which AWS accepted a stop, and when.
    stopped: Option<(String, Instant)>,
}

impl RunLocalState {
    /// Notes the status as the object has it.
    pub fn observe(&mut self, status: &RunStatus, now: Instant) {
        let is_empty = status.attempts.is_empty();
        self.had_attempt |= !is_empty;
        self.lost_since = (is_empty && self.had_attempt).then(|| self.lost_since.unwrap_or(now));
        let id = status.attempt().and_then(|attempt| attempt.id.as_deref());
        if self.live.as_ref().map(|(live, _)| live.as_str()) != id {
            self.live = id.map(|id| (id.to_owned(), now));
        }
    }

    /// For how long this process has known the id of the live run.
    #[must_use]
    pub fn id_age(&self) -> Duration {
        self.live.as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed())
    }

    /// Whether the status has ever listed an attempt.
    #[must_use]
    pub fn had_attempt(&self) -> bool {
        self.had_attempt
    }

    /// For how long this process has known that the status was lost: that it lists none of the attempts that it listed before.
    #[must_use]
    pub fn lost_for(&self, now: Instant) -> Option<Duration> {
        self.lost_since.map(|since| now.saturating_duration_since(since))
    }

    /// AWS accepted a stop of run `id`.
    pub fn stop_accepted(&mut self, id: &str) {
        self.stopped = Some((id.to_owned(), Instant::now()));
    }

    /// AWS accepted a stop of run `id`: after this time it is sent again. `None` when none was sent, or the time is over.
    #[must_use]
    pub fn stop_sent(&self, id: &str) -> Option<Duration> {
        let (_, at) = self.stopped.as_ref().filter(|(stopped, _)| stopped == id)?;
        STOP_AGAIN.checked_sub(at.elapsed()).filter(|left| !left.is_zero())
    }
}
