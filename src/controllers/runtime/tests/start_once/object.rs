//! The object, what was started in Glue, and the controllers.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::Subject;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::IntentTracker;

/// The object as the API server has it.
#[derive(Clone, Debug)]
pub struct Object<S: Subject> {
    pub version: u32,
    pub finalizer: bool,
    pub spec: S::Spec,
    pub status: S::Status,
    /// A hash of all but the version, made at each change: states are compared far more often than changed.
    pub hash: u64,
}

impl<S: Subject> Object<S> {
    pub fn new(version: u32, finalizer: bool, spec: S::Spec, status: S::Status) -> Self {
        let hash = hash(&format!("{finalizer}{spec:?}{status:?}"));
        Self { version, finalizer, spec, status, hash }
    }
}

/// A start that took effect in Glue.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct Started {
    /// What it is for.
    pub label: String,
    /// Whether a controller of the model sent it.
    pub ours: bool,
    pub live: bool,
    /// Whether every lookup shows it: within the settle time it may not.
    pub settled: bool,
}

/// One pass of a controller.
#[derive(Clone, Debug)]
pub struct Pass<S: Subject> {
    pub object: Arc<Object<S>>,
    pub state: S::PassState,
    pub fresh_intent: bool,
    pub intent_age: Duration,
    /// In a calm: whether it began with the newest observation.
    pub newest: bool,
    /// Why the last call was refused.
    pub problem: Option<Problem>,
}

/// One controller.
#[derive(Clone, Debug)]
pub struct Controller<S: Subject> {
    /// The oldest version that its cache may still show.
    pub cache: u32,
    /// Shared by the states in which it is the same: most of them differ in something else.
    pub pass: Option<Arc<Pass<S>>>,
    pub tracker: IntentTracker,
    pub local: S::Local,
}

impl<S: Subject> Controller<S> {
    pub fn new(cache: u32) -> Self {
        Self { cache, pass: None, tracker: IntentTracker::default(), local: S::Local::default() }
    }
}

/// A hash of a value.
pub fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
