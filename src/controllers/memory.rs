//! What this process knows of an object beyond what stands in it. All of it may be lost: a restart
//! makes the controller look once more, never start once more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The first pause after something went wrong, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(2));

/// What is remembered, by the object's uid.
pub struct Memories<M> {
    all: Mutex<HashMap<String, Memory<M>>>,
}

impl<M> Default for Memories<M> {
    fn default() -> Self {
        Self { all: Mutex::default() }
    }
}

/// What is remembered of one object.
#[derive(Clone, Debug, Default)]
pub struct Memory<M> {
    /// The resource version of our last write: an older object is a stale one.
    pub written: Option<u64>,
    /// What only its life remembers.
    pub own: M,
    /// How long something has stood in the way.
    pub patience: Patience,
}

/// The pauses that grow while something stands in the way.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    /// Pauses in a row at whose end something stood in the way.
    failures: u32,
    /// The end of the pause that lasts.
    until: Option<Instant>,
    /// A refused start rests until then.
    not_before: Option<Instant>,
}

impl<M: Default> Memories<M> {
    /// Works on the memory of the object with this uid.
    pub fn with<T>(&self, uid: &str, work: impl FnOnce(&mut Memory<M>) -> T) -> T {
        work(self.all().entry(uid.to_owned()).or_default())
    }

    /// Forgets it.
    pub fn forget(&self, uid: &str) {
        self.all().remove(uid);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Memory<M>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Patience {
    /// What is left of the pause after a refusal.
    #[must_use]
    pub fn rest(&self) -> Option<Duration> {
        let left = self.not_before?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// What stood in the way is gone, or may be: try at once.
    pub fn healed(&mut self) {
        *self = Self::default();
    }

    /// Something stood in the way: the pause before the next pass.
    pub fn failed(&mut self) -> Duration {
        self.pause(Duration::MAX)
    }

    /// Glue refused: rests for a pause that grows each time, up to `longest`.
    pub fn refused(&mut self, longest: Duration) {
        let pause = self.pause(longest);
        self.not_before = Some(Instant::now() + pause);
    }

    /// What is left of the pause that lasts, else the next one, which is longer. So how often an object is woken
    /// meanwhile makes no pause longer.
    fn pause(&mut self, longest: Duration) -> Duration {
        let now = Instant::now();
        let left = self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if left.is_zero() {
            let pause = PAUSES.0.saturating_mul(1 << self.failures.min(16)).min(PAUSES.1);
            let pause = pause.mul_f64(0.8 + 0.4 * fastrand::f64()).min(longest);
            self.failures += 1;
            self.until = Some(now + pause);
            return pause;
        }
        left.min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Within its jitter of a fifth.
    fn is_about(pause: Duration, seconds: u64) -> bool {
        let expected = Duration::from_secs(seconds);
        (expected.mul_f64(0.8)..=expected.mul_f64(1.2)).contains(&pause)
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_with_time_and_not_with_how_often_the_object_is_woken() {
        let mut patience = Patience::default();
        for expected in [1, 2, 4, 8, 16, 32, 64, 120, 120] {
            let pause = patience.failed();
            assert!(is_about(pause, expected), "{pause:?}");
            tokio::time::advance(pause / 2).await;
            assert_eq!(patience.failed(), pause.saturating_sub(pause / 2), "what is left of it");
            tokio::time::advance(pause).await;
        }
        patience.healed();
        assert!(is_about(patience.failed(), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_rests_for_a_pause_that_grows_to_the_longest() {
        let mut patience = Patience::default();
        for expected in [1, 2, 3, 3] {
            patience.refused(Duration::from_secs(3));
            let rest = patience.rest().expect("a rest");
            assert!(is_about(rest, expected), "{rest:?}");
            // Refused once more in the middle of it, where it was asked for all the same.
            tokio::time::advance(rest / 2).await;
            patience.refused(Duration::from_secs(3));
            assert_eq!(patience.rest(), Some(rest.saturating_sub(rest / 2)));
            tokio::time::advance(rest).await;
            assert_eq!(patience.rest(), None);
        }
    }
}
