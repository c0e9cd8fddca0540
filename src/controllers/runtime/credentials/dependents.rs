//! Which objects depend on which Secret, so that a changed Secret requeues those and no others.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::secrets::SecretKey;

/// Who depends on which Secret, so that a change wakes those and nobody else.
pub struct Dependents<R> {
    by_secret: Mutex<HashMap<SecretKey, HashSet<R>>>,
}

impl<R> Default for Dependents<R> {
    fn default() -> Self {
        Self { by_secret: Mutex::default() }
    }
}

impl<R: Clone + Eq + Hash> Dependents<R> {
    /// `who` depends on this Secret.
    pub fn add(&self, secret: SecretKey, who: &R) {
        self.lock().entry(secret).or_default().insert(who.clone());
    }

    /// `who` does not any more.
    pub fn remove(&self, secret: &SecretKey, who: &R) {
        let mut by_secret = self.lock();
        if let Some(dependents) = by_secret.get_mut(secret) {
            dependents.remove(who);
            if dependents.is_empty() {
                by_secret.remove(secret);
            }
        }
    }

    /// Who depends on this Secret.
    #[must_use]
    pub fn of(&self, secret: &SecretKey) -> Vec<R> {
        self.lock().get(secret).map(|dependents| dependents.iter().cloned().collect()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretKey, HashSet<R>>> {
        self.by_secret.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
