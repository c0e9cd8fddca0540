//! Job definitions, and the slots and queue of each job's runs.

mod definition;
mod operations;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

pub use definition::{Command, ExecutionProperty, JobDefinition, JobSettings};
pub use operations::OPERATIONS;
pub(in crate::glue) use operations::not_found;

use super::{
    Region,
    runs::{RunNumber, RunScript, Start, capacity},
};
use crate::clock::Time;

/// A job: its definition, runs, slots and queue.
#[derive(Debug)]
pub struct Job {
    /// The definition.
    pub settings: JobSettings,
    /// How its runs change state and end.
    pub script: RunScript,
    /// The number of used plans of the script.
    pub(super) plans_used: usize,
    /// When it was created.
    pub created_on: Time,
    /// When its definition last changed.
    pub modified_on: Time,
    /// The runs in the order of their start.
    pub(super) runs: Vec<RunNumber>,
    /// The runs in WAITING, oldest first.
    pub(super) waiting: VecDeque<RunNumber>,
    /// The number of runs that hold a slot.
    pub(super) slots_taken: u32,
    /// Unique in the region. A job that is deleted and created again has another uid.
    pub(super) uid: u64,
}

impl Job {
    /// Whether all its slots are taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.slots_taken >= self.settings.execution_property.max_concurrent_runs.max(1)
    }

    /// Whether its runs can queue. Only "jobs that have not been configured to retry" can (AWS Glue job run statuses).
    #[must_use]
    pub fn may_queue(&self) -> bool {
        self.settings.max_retries == 0
    }

    /// Whether runs queue by default.
    #[must_use]
    pub fn queues(&self) -> bool {
        self.may_queue() && self.settings.job_run_queuing_enabled.unwrap_or(false)
    }
}

/// The jobs of a region by name.
#[derive(Debug, Default)]
pub struct Jobs {
    pub(super) by_name: BTreeMap<Arc<str>, Job>,
    last_uid: u64,
}

impl Region {
    /// Creates a job, or replaces the definition and script of the job with this name. Its runs stay.
    pub fn define_job(&mut self, definition: JobDefinition) {
        let JobDefinition { settings, script } = definition;
        let now = self.now();
        let mut settings = settings.with_defaults();
        if let Ok(granted) = capacity::of_job(&settings) {
            settings.max_capacity = Some(granted.max_capacity);
            settings.allocated_capacity = Some(granted.allocated());
        }
        match self.jobs.by_name.get_mut(settings.name.as_str()) {
            Some(job) => {
                job.settings = settings;
                job.script = script;
                job.plans_used = 0;
                job.modified_on = now;
            }
            None => self.add_job(settings, script),
        }
    }

    fn add_job(&mut self, mut settings: JobSettings, script: RunScript) {
        let now = self.now();
        // GetTags shows the tags, GetJob does not.
        let tags = settings.rest.remove("Tags").and_then(|tags| serde_json::from_value(tags).ok());
        self.start_tags("job", &settings.name, tags);
        self.jobs.last_uid += 1;
        let job = Job {
            uid: self.jobs.last_uid,
            script,
            plans_used: 0,
            created_on: now,
            modified_on: now,
            runs: Vec::new(),
            waiting: VecDeque::new(),
            slots_taken: 0,
            settings,
        };
        self.jobs.by_name.insert(job.settings.name.as_str().into(), job);
    }

    /// A job by name.
    #[must_use]
    pub fn job(&self, name: &str) -> Option<&Job> {
        self.jobs.by_name.get(name)
    }

    /// The job of a run, unless the job was deleted.
    pub(super) fn job_of(&mut self, start: &Start) -> Option<&mut Job> {
        self.jobs.by_name.get_mut(&start.job).filter(|job| job.uid == start.job_uid)
    }

    pub(super) fn job_mut(&mut self, name: &str) -> Option<&mut Job> {
        self.jobs.by_name.get_mut(name)
    }
}
