//! What this process knows of an object beyond what stands in it. All of it may be lost: a restart
//! makes the controller look once more, never start once more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::backoff::Backoff;
/// What is remembered, by the object's uid.
pub struct LocalStates<M> {
    all: Mutex<HashMap<String, LocalState<M>>>,
}

impl<M> Default for LocalStates<M> {
    fn default() -> Self {
        Self { all: Mutex::default() }
    }
}

/// What is remembered of one object.
#[derive(Clone, Debug, Default)]
pub struct LocalState<M> {
    /// The resource version of our last write: an older object is a stale one.
    pub written: Option<u64>,
    /// What only its life remembers.
    pub kind_state: M,
    /// How long something has stood in the way.
    pub backoff: Backoff,
}

impl<M: Default> LocalStates<M> {
    /// Works on the memory of the object with this uid.
    pub fn with<T>(&self, uid: &str, work: impl FnOnce(&mut LocalState<M>) -> T) -> T {
        work(self.all().entry(uid.to_owned()).or_default())
    }

    /// Forgets it.
    pub fn forget(&self, uid: &str) {
        self.all().remove(uid);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, LocalState<M>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
