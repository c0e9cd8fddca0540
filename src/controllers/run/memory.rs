//! What this process knows of an object beyond what stands in it. All of it may be lost: a restart
//! makes the controller look once more, never start once more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::facts::Answer;
use crate::api::run::{Attempt, RunStatus};
use crate::glue::Class;

/// How long an accepted stop is taken for granted before it is sent again.
const STOP_AGAIN: Duration = Duration::from_mins(1);
/// The first pause after something went wrong, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(2));

/// The longest pause of the one that is first in line for a place. Glue frees a place some seconds after a
/// run's end and tells nobody.
const ASK_FOR_A_PLACE: Duration = Duration::from_secs(15);

/// What is remembered, by the object's uid.
#[derive(Default)]
pub struct Memories {
    all: Mutex<HashMap<String, Memory>>,
}

/// What is remembered of one object.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The resource version of our last write: an older object is a stale one.
    pub written: Option<u64>,
    /// The status has told of an attempt: one that tells of none by now has lost it.
    attempted: bool,
    /// The open intent, and since when this process has known of it.
    intent: Option<(Attempt, Instant)>,
    /// Glue's answer to it, until it stands in the object.
    answer: Option<Answer>,
    /// The run for which a stop was accepted, and when.
    stopped: Option<(String, Instant)>,
    /// Passes in a row that something stood in the way of.
    failures: u32,
    /// A refused start rests until then.
    not_before: Option<Instant>,
}

impl Memories {
    /// Works on the memory of the object with this uid.
    pub fn with<T>(&self, uid: &str, work: impl FnOnce(&mut Memory) -> T) -> T {
        work(self.all().entry(uid.to_owned()).or_default())
    }

    /// Forgets it.
    pub fn forget(&self, uid: &str) {
        self.all().remove(uid);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Memory>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Takes note of the status as the object has it, and answers for how long its open intent has been known.
    pub fn open_for(&mut self, status: &RunStatus) -> Duration {
        self.attempted |= !status.attempts.is_empty();
        let open = status.attempt().filter(|attempt| attempt.is_open());
        match (open, &self.intent) {
            (Some(open), Some((known, since))) if open.is_same_intent(known) => since.elapsed(),
            (Some(open), _) => {
                self.intent = Some((open.clone(), Instant::now()));
                self.answer = None;
                Duration::ZERO
            }
            (None, _) => {
                self.intent = None;
                self.answer = None;
                Duration::ZERO
            }
        }
    }

    /// Whether the status has ever told of an attempt.
    #[must_use]
    pub fn attempted(&self) -> bool {
        self.attempted
    }

    /// Glue's answer to the open intent, when it could not be written yet.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        self.answer.clone()
    }

    /// Glue answered.
    pub fn answered(&mut self, answer: &Answer) {
        match answer {
            Answer::Started(_) => self.healed(),
            Answer::Refused(problem) => {
                let longest = if problem.class == Some(Class::Busy) { ASK_FOR_A_PLACE } else { Duration::MAX };
                let pause = self.failed().min(longest);
                self.not_before = Some(Instant::now() + pause);
            }
            Answer::Unclear(_) => {}
        }
        self.answer = (!matches!(answer, Answer::Unclear(_))).then(|| answer.clone());
    }

    /// What is left of the pause after a refusal.
    #[must_use]
    pub fn rest(&self) -> Option<Duration> {
        let left = self.not_before?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// What stood in the way is gone, or may be: try at once.
    pub fn healed(&mut self) {
        self.failures = 0;
        self.not_before = None;
    }

    /// Something stood in the way: the pause before the next pass.
    pub fn failed(&mut self) -> Duration {
        let pause = PAUSES.0.saturating_mul(1 << self.failures.min(16)).min(PAUSES.1);
        self.failures += 1;
        pause.mul_f64(0.8 + 0.4 * fastrand::f64())
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
