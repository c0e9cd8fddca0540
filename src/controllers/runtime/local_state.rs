//! What this process keeps about each object beyond the object itself. All of it may be lost: after a restart the
//! controller looks up once more, and starts nothing once more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::ResourceExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::seen_secrets::SeenSecrets;
use super::start_once::IntentTracker;
use super::wording::Wording;
use crate::failpoints::without;
use crate::glue::rate_limiter::Place;

/// The local state of all objects of a kind, by uid. `S` is the kind's own part.
pub struct LocalStates<S> {
    by_uid: Mutex<HashMap<String, LocalState<S>>>,
}

impl<S> Default for LocalStates<S> {
    fn default() -> Self {
        Self { by_uid: Mutex::default() }
    }
}

/// The local state of one object.
#[derive(Debug, Default)]
pub struct LocalState<S> {
    /// The resource version of our last write (client-go calls this an expectation): an older object is stale.
    pub expected_version: Option<u64>,
    /// The pause before a failed step is tried again.
    pub backoff: Backoff,
    /// What is done about the words of the status that the object had when this process began.
    pub wording: Wording,
    /// The intent that the status records.
    pub intent: IntentTracker,
    /// Whether it waits because its namespace has as many AWS clients as it may.
    pub awaits_client: bool,
    /// Every version of the values from its Secrets.
    pub seen_secrets: SeenSecrets,
    /// Whether the object was done before: its status has been lost or changed since.
    pub was_done: bool,
    /// Whether this process added the finalizer that is on the object.
    pub finalizer_is_own: bool,
    /// The place in the rate limiter's queue, while the object waits to start something.
    pub start_place: Option<Place>,
    /// Since when this process has known that the object is being deleted.
    pub deleting_since: Option<Instant>,
    /// Cancelled when the watch shows that the object is being deleted, once somebody waits for that.
    deletion: Option<CancellationToken>,
    /// The kind's own part.
    pub kind_state: S,
}

/// The version of an object: a higher one is newer (KEP-5504, "Comparable Resource Version").
#[must_use]
pub fn version(object: &impl ResourceExt) -> Option<u64> {
    object.resource_version()?.parse().ok()
}

/// Why an object of the cache or of the watch is not the one to decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// This process has written it since; the watch will show that.
    Written,
    /// It is gone, or nothing is left to do for it: the watch has shown that since the pass began.
    Forgotten,
}

impl<S> LocalState<S> {
    /// The watch shows that the object is being deleted.
    pub fn on_deletion(&mut self) {
        self.deletion.get_or_insert_default().cancel();
    }

    /// Cancelled from when the watch shows that the object is being deleted: the object of the pass may be older.
    pub fn deletion(&mut self) -> CancellationToken {
        self.deletion.get_or_insert_default().clone()
    }
}

impl<S: Default> LocalStates<S> {
    /// The watch shows the object with this uid; `was_done` when nothing was left to do for it before.
    pub fn register(&self, uid: &str, was_done: bool) {
        let new = || LocalState { was_done, ..LocalState::default() };
        self.by_uid().entry(uid.to_owned()).or_insert_with(new);
    }

    /// Whether this version of the object with this uid is stale. An object that the cache has is known here before: the
    /// watch registers it first, and forgets it first.
    pub fn stale(&self, uid: &str, version: Option<u64>) -> Option<Stale> {
        if without("stale-cache") {
            return None;
        }
        match self.by_uid().get(uid) {
            None => Some(Stale::Forgotten),
            Some(state) => (version < state.expected_version).then_some(Stale::Written),
        }
    }

    /// Works on the state of the object with this uid. Nothing is kept of an object that is gone: a pass over it may
    /// still be under way.
    pub fn with<T>(&self, uid: &str, work: impl FnOnce(&mut LocalState<S>) -> T) -> T {
        match self.by_uid().get_mut(uid) {
            Some(state) => work(state),
            None => work(&mut LocalState::default()),
        }
    }

    /// Forgets the object.
    pub fn forget(&self, uid: &str) {
        self.by_uid().remove(uid);
    }

    fn by_uid(&self) -> MutexGuard<'_, HashMap<String, LocalState<S>>> {
        self.by_uid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_of_an_object_that_is_gone() {
        let states = LocalStates::<u8>::default();
        states.register("uid", false);
        states.with("uid", |state| state.kind_state = 7);
        states.register("uid", false);
        assert_eq!(states.with("uid", |state| state.kind_state), 7);
        states.forget("uid");
        states.with("uid", |state| state.kind_state = 9);
        assert!(states.by_uid().is_empty());
    }

    /// The last write makes the object done, and the watch has it forgotten, before a pass over the version before begins.
    #[test]
    fn what_was_forgotten_is_as_stale_as_what_was_written_since() {
        let states = LocalStates::<u8>::default();
        states.register("uid", false);
        assert_eq!(states.stale("uid", Some(6)), None);
        states.with("uid", |state| state.expected_version = Some(7));
        assert_eq!([6, 7, 8].map(|version| states.stale("uid", Some(version))), [Some(Stale::Written), None, None]);
        states.forget("uid");
        assert_eq!(states.stale("uid", Some(6)), Some(Stale::Forgotten));
    }
}
