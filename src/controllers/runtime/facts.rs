//! What every plan rests on, whatever the kind: no client, no clock, no lock.

use std::time::Duration;

use jiff::Timestamp;
use kube::core::ObjectMeta;

use super::patch;
use super::problem::Problem;
use super::time;

/// The facts that every plan needs.
#[derive(Clone, Debug)]
pub struct CommonFacts<'a> {
    /// The controller's time, in whole seconds.
    pub now: Timestamp,
    /// The object's metadata, from the cache or from the last write.
    pub meta: &'a ObjectMeta,
    /// Whether this replica holds the lease.
    pub leading: bool,
    /// Why there is no AWS client for the object.
    pub credentials_problem: Option<Problem>,
    /// Why the Secrets and ConfigMaps that the spec names could not be read.
    pub inputs_problem: Option<Problem>,
    /// The error of the last poll, while polls fail.
    pub poll_problem: Option<Problem>,
    /// Whether this pass wrote the intent in the status and has sent nothing since.
    pub fresh_intent: bool,
    /// For how long this process has known of the intent in the status.
    pub intent_age: Duration,
    /// What is left of the pause after AWS refused the last call.
    pub backoff: Option<Duration>,
    /// How long a sent call can take to show its effect.
    pub settle: Duration,
    /// How long a deletion waits for AWS before the finalizer is removed anyway.
    pub deletion_timeout: Duration,
}

impl CommonFacts<'_> {
    /// Whether the object is being deleted.
    #[must_use]
    pub fn deleting(&self) -> bool {
        self.meta.deletion_timestamp.is_some()
    }

    /// Whether the object has our finalizer.
    #[must_use]
    pub fn has_finalizer(&self) -> bool {
        patch::has_finalizer(self.meta)
    }

    /// The object's generation.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.meta.generation.unwrap_or_default()
    }

    /// How long ago the object was created; very long when it does not say.
    #[must_use]
    pub fn age(&self) -> Duration {
        let created = self.meta.creation_timestamp.as_ref();
        created.map_or(Duration::MAX, |created| time::since(self.now, created.0))
    }

    /// What is left until the deletion gives up on AWS; zero when that time has come.
    #[must_use]
    pub fn deletion_time_left(&self) -> Duration {
        let deleted = self.meta.deletion_timestamp.as_ref();
        let waited = deleted.map_or(Duration::ZERO, |deleted| time::since(self.now, deleted.0));
        self.deletion_timeout.saturating_sub(waited)
    }
}
