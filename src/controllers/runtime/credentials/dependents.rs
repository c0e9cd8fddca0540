//! Which objects depend on which Secret, so that a changed Secret requeues those and no others.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::secrets::SecretKey;

/// The objects `R` that depend on each Secret.
pub struct Dependents<R> {
    by_secret: Mutex<HashMap<SecretKey, HashSet<R>>>,
}

impl<R> Default for Dependents<R> {
    fn default() -> Self {
        Self { by_secret: Mutex::default() }
    }
}

impl<R: Clone + Eq + Hash> Dependents<R> {
    /// The object depends on this Secret.
    pub fn add(&self, secret: SecretKey, object: &R) {
        self.lock().entry(secret).or_default().insert(object.clone());
    }

    /// The object does not depend on it any more.
    pub fn remove(&self, secret: &SecretKey, object: &R) {
        let mut by_secret = self.lock();
        if let Some(dependents) = by_secret.get_mut(secret) {
            dependents.remove(object);
            if dependents.is_empty() {
                by_secret.remove(secret);
            }
        }
    }

    /// The object does not depend on any Secret any more.
    pub fn remove_from_all(&self, object: &R) {
        self.lock().retain(|_, dependents| {
            dependents.remove(object);
            !dependents.is_empty()
        });
    }

    /// The objects that depend on this Secret.
    #[must_use]
    pub fn of(&self, secret: &SecretKey) -> Vec<R> {
        self.lock().get(secret).map(|dependents| dependents.iter().cloned().collect()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretKey, HashSet<R>>> {
        self.by_secret.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
