//! A run as `GetJobRun` shows it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{JobRunState, Run, RunNumber, capacity::dpus};
use crate::{clock::Time, glue::Region};

/// Glue's `JobRun` structure.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the names and meanings are those of Glue's JobRun structure")]
pub struct JobRun<'a> {
    pub id: &'a str,
    pub attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_run_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_name: Option<&'a str>,
    pub job_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_run_queuing_enabled: Option<bool>,
    pub started_on: Time,
    pub last_modified_on: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_on: Option<Time>,
    pub job_run_state: JobRunState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<&'a str>,
    pub predecessor_runs: Vec<Predecessor<'a>>,
    pub allocated_capacity: u32,
    /// In seconds.
    pub execution_time: u64,
    /// In minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    pub max_capacity: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_workers: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_configuration: Option<&'a str>,
    pub log_group_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_property: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glue_version: Option<&'a str>,
    #[serde(rename = "DPUSeconds", skip_serializing_if = "Option::is_none")]
    pub dpu_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_class: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_role_session_policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance_window: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_name: Option<&'a str>,
}

/// A run that met a condition of the trigger that started this run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Predecessor<'a> {
    /// The run's job.
    pub job_name: &'a str,
    /// The run's id.
    pub run_id: &'a str,
}

impl Run {
    /// The run as it is at `now`, which is the current or an earlier time.
    pub(super) fn view(&self, now: Time) -> JobRun<'_> {
        let (state, modified_on) = self.state_at(now);
        let ended = state.is_final();
        let executed = self
            .running_since
            .filter(|since| *since <= now)
            .map_or(0, |since| if ended { modified_on } else { now }.since(since).as_secs());
        let start = &*self.start;
        let workers = start.capacity.workers.as_ref();
        let factor = workers.map_or(1.0, |(kind, _)| dpus(kind));
        let executors = workers.map_or(start.capacity.max_capacity, |(_, number)| f64::from(*number));
        JobRun {
            id: &self.id,
            attempt: self.attempt,
            previous_run_id: self.previous.as_deref(),
            trigger_name: start.trigger.as_deref(),
            job_name: &start.job,
            job_mode: start.job_mode.as_deref(),
            job_run_queuing_enabled: start.queuing,
            started_on: self.started_on,
            last_modified_on: modified_on,
            completed_on: self.completed_on.filter(|_| ended),
            job_run_state: state,
            arguments: start.arguments.as_ref().filter(|arguments| !arguments.is_empty()),
            error_message: self.error.as_deref().filter(|_| ended),
            predecessor_runs: start
                .predecessors
                .iter()
                .map(|(job, run)| Predecessor { job_name: job, run_id: run })
                .collect(),
            allocated_capacity: start.capacity.allocated(),
            execution_time: executed,
            timeout: start.timeout,
            max_capacity: start.capacity.max_capacity,
            worker_type: workers.map(|(kind, _)| kind.as_str()),
            number_of_workers: workers.map(|(_, number)| *number),
            security_configuration: start.security_configuration.as_deref(),
            log_group_name: &start.log_group,
            notification_property: start.notification_property.as_ref(),
            glue_version: start.glue_version.as_deref(),
            #[expect(clippy::cast_precision_loss, reason = "seconds of a run are few")]
            dpu_seconds: start.shows_dpu_seconds.then_some(executed as f64 * factor * executors),
            execution_class: start.execution_class.as_deref(),
            state_detail: (state == JobRunState::Waiting).then_some("Max concurrent job runs per job exceeded"),
            execution_role_session_policy: start.session_policy.as_deref(),
            maintenance_window: start.maintenance_window.as_deref(),
            profile_name: start.profile_name.as_deref(),
        }
    }

    fn state_at(&self, time: Time) -> (JobRunState, Time) {
        let past = self.history.iter().rev().find(|(since, _)| *since <= time);
        past.map_or((self.state, self.modified_on), |(since, state)| (*state, *since))
    }
}

impl Region {
    /// The runs of a job as `GetJobRun` shows them now, oldest first.
    #[must_use]
    pub fn job_runs(&self, job: &str) -> Vec<JobRun<'_>> {
        let Some(job) = self.job(job) else {
            return Vec::new();
        };
        job.runs.iter().map(|number| self.runs.get(*number).view(self.now())).collect()
    }

    /// The arguments that the run's script gets: the job's defaults, overridden by the run's own, overridden by the
    /// job's non-overridable ones.
    #[must_use]
    pub fn effective_arguments(&self, job: &str, run: &str) -> BTreeMap<String, String> {
        let mut arguments = BTreeMap::new();
        if let (Some(job), Some(run)) = (self.job(job), self.runs.find(job, run)) {
            let settings = &job.settings;
            for layer in [
                settings.default_arguments.as_ref(),
                self.runs.get(run).start.arguments.as_ref(),
                settings.non_overridable_arguments.as_ref(),
            ] {
                arguments.extend(layer.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
            }
        }
        arguments
    }

    /// The run as it is now.
    pub(in crate::glue) fn job_run_now(&self, number: RunNumber) -> JobRun<'_> {
        self.view(number, None)
    }

    pub(super) fn view(&self, number: RunNumber, as_of: Option<Time>) -> JobRun<'_> {
        self.runs.get(number).view(as_of.unwrap_or(self.now()))
    }
}
