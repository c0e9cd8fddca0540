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
    let number = region
        .runs
        .find(&job_name, &run_id)
        .filter(|number| input.as_of.is_none_or(|as_of| region.runs.get(*number).started_on <= as_of))
        .ok_or_else(|| run_not_found(&run_id))?;
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
            .runs
            .find(&job_name, &id)
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

fn run_not_found(id: &str) -> AwsError {
    AwsError::not_found(format!("Job run {id} not found."))
}
