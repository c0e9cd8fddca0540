//! What the process keeps about a trigger's object, and what one pass observes. All of it may be lost: after a restart
//! the controller looks up once more, and fires nothing once more.

use std::time::Duration;

use kube::ResourceExt;

use crate::api::GlueTrigger;
use crate::api::trigger::{Baseline, Started};
use crate::controllers::runtime::lifecycle::Earlier;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::StartState;

/// A generation of the object, and the value of `spec.fire` that it had.
pub type DeliveredFire = (i64, Option<String>);

/// What is kept about one object.
#[derive(Clone, Debug, Default)]
pub struct TriggerLocalState {
    /// The values that the watch has delivered, oldest first, as far as the status does not account for them.
    delivered_fires: Vec<DeliveredFire>,
    /// Whether the watch has delivered the object before.
    known: bool,
    /// Whether this process saw the creation of the object.
    saw_creation: bool,
    /// Whether the object ever had a status of ours: one that is empty now was lost.
    had_status: bool,
}

/// The newest run of everything that a trigger starts.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineReading {
    /// The newest run of each target.
    pub baseline: Vec<Baseline>,
    /// Whether the trigger has, or may have, started a run that Glue still lists; where that was asked.
    pub has_started: bool,
}

/// The runs that are newer than a baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundRuns {
    /// The runs that the trigger may have started.
    pub started: Vec<Started>,
    /// For how long this process had known of the intent when Glue was asked.
    pub intent_age: Duration,
}

/// What one pass observes.
#[derive(Clone, Debug, Default)]
pub struct PassState {
    /// The values of `spec.fire` that the watch has delivered.
    pub delivered_fires: Vec<DeliveredFire>,
    /// Whether this process saw the creation of the object.
    pub saw_creation: bool,
    /// Whether the object certainly existed before: when its status is empty, the status was lost.
    pub existed_before: bool,
    /// Whether this pass has sent a firing: it sends one at most.
    pub sent: bool,
    /// What was started last, before a firing.
    pub baseline: Option<Result<BaselineReading, Problem>>,
    /// The start protocol.
    pub start: StartState<FoundRuns>,
}

/// The annotation of an object that has fired for the value it was created with. It is no part of the status, so that it
/// survives a backup without status.
pub const FIRED_ANNOTATION: &str = "kube-glue.dev/fired";

impl TriggerLocalState {
    /// The watch delivered the object; `listed` when it came with a list.
    pub fn on_applied(&mut self, object: &GlueTrigger, listed: bool) {
        self.saw_creation |= !self.known && !listed;
        self.known = true;
        let observed = object.status.as_ref().map_or(-1, |status| status.declared.observed_generation);
        self.had_status |= observed >= 0;
        let generation = object.metadata.generation.unwrap_or_default();
        if self.delivered_fires.last().is_none_or(|(last, _)| *last < generation) {
            self.delivered_fires.push((generation, object.spec.fire.clone()));
        }
        self.delivered_fires.retain(|(generation, _)| *generation > observed);
    }

    /// The state that a pass begins with.
    #[must_use]
    pub fn begin_pass(&self, object: &GlueTrigger, earlier: Earlier<'_>) -> PassState {
        let has_trace = object.annotations().contains_key(FIRED_ANNOTATION) || earlier.trace;
        PassState {
            delivered_fires: self.delivered_fires.clone(),
            saw_creation: self.saw_creation,
            existed_before: self.had_status || has_trace,
            start: StartState::resume(earlier.outcome),
            ..PassState::default()
        }
    }
}
