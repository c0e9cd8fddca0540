//! `StartJobRun`, `GetJobRun`, `GetJobRuns`, `BatchStopJobRun`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    JobRun, RunNumber, Start,
    lifecycle::{WithoutSlot, missing_job},
    start::StartJobRun,
};
use crate::{
    clock::Time,
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Operation, Reply, operations, reply},
        page::Paging,
    },
};

/// The default and the maximum size of a page.
const DEFAULT_PAGE: usize = 200;

/// The operations on job runs.
pub const OPERATIONS: &[Operation] = operations! { "job":
    StartJobRun("/JobName") => start,
    GetJobRun("/JobName") => get,
    GetJobRuns("/JobName") => get_all,
    BatchStopJobRun("/JobName") => batch_stop,
};

fn start(region: &mut Region, input: &Input<'_>) -> Reply {
    let request: StartJobRun = input.read()?;
    let job = region.job(&request.job_name).ok_or_else(|| missing_job(&request.job_name))?;
    let previous = match &request.job_run_id {
        None => None,
        Some(id) => {
            let number = region.runs.find(&request.job_name, id).ok_or_else(|| run_not_found(id))?;
            let state = region.runs.get(number).state;
            if !state.is_final() {
                return Err(AwsError::modelled(
                    "JobRunNotInTerminalStateException",
                    format!("Job run {id} is not in a terminal state: {}", state.as_str()),
                ));
            }
            Some(number)
        }
    };
    let start = Start::read(request, job)?;
    let number = region.start_run(start, previous, WithoutSlot::Refuse)?;
    reply(&json!({ "JobRunId": region.runs.get(number).id }))
}

fn get(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        job_name: String,
        run_id: String,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        job_run: JobRun<'a>,
    }
    let Request { job_name, run_id } = input.read()?;
    let number = region.shown_run(&job_name, &run_id, input.as_of).ok_or_else(|| run_not_found(&run_id))?;
    reply(&Answer { job_run: region.view(number, input.as_of) })
}

fn get_all(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        job_name: String,
        #[serde(flatten)]
        paging: Paging,
    }
    let Request { job_name, paging } = input.read()?;
    let runs = &region.job(&job_name).ok_or_else(|| crate::glue::jobs::not_found(&job_name))?.runs;
    let visible = match input.as_of {
        None => runs.len(),
        Some(as_of) => runs.partition_point(|number| region.runs.get(*number).started_on <= as_of),
    };
    let list = format!("GetJobRuns {job_name}");
    let view = |number: &RunNumber| region.view(*number, input.as_of);
    if region.runs.any_hidden {
        let now = input.as_of.unwrap_or(region.now());
        let is_visible = |number: &RunNumber| region.runs.get(*number).is_visible(now);
        let shown: Vec<RunNumber> = runs[..visible].iter().copied().filter(is_visible).collect();
        return paging.newest_first(&list, &shown, DEFAULT_PAGE, view)?.reply("JobRuns");
    }
    paging.newest_first(&list, &runs[..visible], DEFAULT_PAGE, view)?.reply("JobRuns")
}

fn batch_stop(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        job_name: Arc<str>,
        job_run_ids: Vec<String>,
    }
    let Request { job_name, job_run_ids } = input.read()?;
    let mut stopped = Vec::new();
    let mut errors = Vec::new();
    for id in job_run_ids {
        let outcome = region
            .shown_run(&job_name, &id, None)
            .ok_or_else(|| run_not_found(&id))
            .and_then(|number| region.stop_run(number));
        match outcome {
            Ok(()) => stopped.push(json!({ "JobName": job_name, "JobRunId": id })),
            Err(error) => errors.push(json!({
                "JobName": job_name,
                "JobRunId": id,
                "ErrorDetail": { "ErrorCode": error.code, "ErrorMessage": error.message },
            })),
        }
    }
    reply(&json!({ "SuccessfulSubmissions": stopped, "Errors": errors }))
}

impl Region {
    /// The run that Glue shows by its id, now or at an earlier time.
    fn shown_run(&self, job: &str, id: &str, as_of: Option<Time>) -> Option<RunNumber> {
        let number = self.runs.find(job, id)?;
        let run = self.runs.get(number);
        let is_of_a_job = self.job(job).is_some_and(|job| job.uid == run.start.job_uid);
        let is_known = is_of_a_job || !self.runs.forgets_runs_of_deleted_jobs;
        (is_known && run.is_visible(as_of.unwrap_or(self.now()))).then_some(number)
    }

    /// Sets whether the runs of a deleted job are no longer found by their ids. By default they are: AWS documents
    /// neither.
    pub fn forget_runs_of_deleted_jobs(&mut self, forget: bool) {
        self.runs.forgets_runs_of_deleted_jobs = forget;
    }
}

fn run_not_found(id: &str) -> AwsError {
    AwsError::not_found(format!("Job run {id} not found."))
}
