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
    /// Passes in a row that something stood in the way of.
    failures: u32,
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
        let pause = PAUSES.0.saturating_mul(1 << self.failures.min(16)).min(PAUSES.1);
        self.failures += 1;
        pause.mul_f64(0.8 + 0.4 * fastrand::f64())
    }

    /// Glue refused: rests for a pause that grows each time, up to `longest`.
    pub fn refused(&mut self, longest: Duration) {
        let pause = self.failed().min(longest);
        self.not_before = Some(Instant::now() + pause);
    }
}
