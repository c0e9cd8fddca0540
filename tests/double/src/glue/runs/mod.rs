//! Job runs: their start, state changes, end and view.
//!
//! Events of the region's queue change a run's state (`lifecycle.rs`): from STARTING through RUNNING to the outcome, or
//! through STOPPING to STOPPED. A queued run is WAITING until a slot is free. The job's [`RunScript`] gives each run a
//! [`RunPlan`] with the outcome and the time in each state.

pub mod capacity;
mod lifecycle;
mod logs;
mod operations;
mod script;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

pub(super) use lifecycle::{RunEvent, WithoutSlot};
pub use logs::{Log, LogLine};
pub use operations::OPERATIONS;
pub use script::{Outcome, RunPlan, RunScript};
use serde_json::Value;
pub use state::JobRunState;
pub use view::JobRun;

use self::capacity::Capacity;
use super::triggers::Origin;
use crate::clock::Time;

/// The index of a run in its region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunNumber(usize);

/// The parameters of a start. All attempts of a run share them.
#[derive(Debug)]
pub(super) struct Start {
    pub job: Arc<str>,
    pub job_uid: u64,
    pub arguments: Option<BTreeMap<String, String>>,
    pub capacity: Capacity,
    pub timeout: Option<u32>,
    pub security_configuration: Option<String>,
    pub notification_property: Option<Value>,
    pub execution_class: Option<String>,
    pub session_policy: Option<String>,
    pub queuing: Option<bool>,
    pub trigger: Option<Arc<str>>,
    pub origin: Option<Origin>,
    pub predecessors: Vec<(Arc<str>, Arc<str>)>,
    pub glue_version: Option<String>,
    pub job_mode: Option<String>,
    pub maintenance_window: Option<String>,
    pub profile_name: Option<String>,
    pub log_group: String,
    pub logs: logs::Destinations,
    pub shows_dpu_seconds: bool,
    pub retries: u32,
}

/// A run, or a later attempt of it.
#[derive(Debug)]
pub(super) struct Run {
    pub id: Arc<str>,
    /// The id without `_attempt_n`.
    pub base_id: Arc<str>,
    pub attempt: u32,
    pub previous: Option<Arc<str>>,
    pub start: Arc<Start>,
    pub plan: RunPlan,
    pub state: JobRunState,
    /// Each state it had, with the time at which the state began.
    pub history: Vec<(Time, JobRunState)>,
    pub started_on: Time,
    pub modified_on: Time,
    pub completed_on: Option<Time>,
    /// When it became RUNNING.
    pub running_since: Option<Time>,
    pub error: Option<String>,
    pub holds_slot: bool,
    /// Incremented when the run ends, is stopped or gets a slot. Events of an earlier generation are ignored.
    pub generation: u32,
    /// The number of retries that Glue still makes.
    pub retries_left: u32,
}

impl Run {
    /// Whether Glue shows the run at a time.
    fn is_visible(&self, at: Time) -> bool {
        self.started_on + self.plan.hidden <= at
    }
}

/// The runs of a region.
#[derive(Debug, Default)]
pub struct Runs {
    all: Vec<Run>,
    by_id: HashMap<Arc<str>, RunNumber>,
    /// Whether any run was hidden at its start.
    any_hidden: bool,
    /// Whether Glue no longer knows the runs of a deleted job by their ids. AWS does not document it.
    forgets_runs_of_deleted_jobs: bool,
}

impl Runs {
    pub(super) fn get(&self, number: RunNumber) -> &Run {
        &self.all[number.0]
    }

    pub(super) fn get_mut(&mut self, number: RunNumber) -> &mut Run {
        &mut self.all[number.0]
    }

    /// The run of a job with this id.
    pub(super) fn find(&self, job: &str, id: &str) -> Option<RunNumber> {
        let number = *self.by_id.get(id)?;
        (*self.get(number).start.job == *job).then_some(number)
    }

    fn add(&mut self, run: Run) -> RunNumber {
        self.any_hidden |= !run.plan.hidden.is_zero();
        let number = RunNumber(self.all.len());
        self.by_id.insert(run.id.clone(), number);
        self.all.push(run);
        number
    }
}
