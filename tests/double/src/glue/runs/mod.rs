//! Job runs: how they start, live and end, and what is shown of them.
//!
//! A run moves by events on its region's agenda (`life.rs`): STARTING to RUNNING to its outcome, or by way of
//! STOPPING to STOPPED; a run without a slot waits its turn. What its outcome is, and how long each part takes,
//! stands in its [`RunPlan`], which the job's [`RunScript`] gives it when it starts.

pub mod capacity;
mod lifecycle;
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
pub use operations::OPERATIONS;
pub use script::{Outcome, RunPlan, RunScript};
use serde_json::Value;
pub use state::JobRunState;
pub use view::JobRun;

use self::capacity::Capacity;
use super::triggers::Origin;
use crate::clock::Time;

/// A run's place in its region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunNumber(usize);

/// What a run was started with, common to all its attempts.
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
    pub log_group: String,
    pub shows_dpu_seconds: bool,
    pub retries: u32,
}

/// A run, or one attempt of it.
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
    /// Each state it was in, with the time it came to it.
    pub history: Vec<(Time, JobRunState)>,
    pub started_on: Time,
    pub modified_on: Time,
    pub completed_on: Option<Time>,
    /// When it began to use resources.
    pub running_since: Option<Time>,
    pub error: Option<String>,
    pub holds_slot: bool,
    /// Moves on whenever the run is diverted, so that events planned before mean nothing any more.
    pub generation: u32,
    /// How often Glue itself will still try again.
    pub retries_left: u32,
}

/// The runs of a region.
#[derive(Debug, Default)]
pub struct Runs {
    all: Vec<Run>,
    by_id: HashMap<Arc<str>, RunNumber>,
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
        let number = RunNumber(self.all.len());
        self.by_id.insert(run.id.clone(), number);
        self.all.push(run);
        number
    }
}
