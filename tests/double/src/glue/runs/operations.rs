//! `StartJobRun`, `GetJobRun`, `GetJobRuns`, `BatchStopJobRun`.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    JobRun, Start,
    capacity::{CapacityRequest, granted},
    lifecycle::{WithoutSlot, missing_job},
};
use crate::{
    error::AwsError,
    glue::{
        Region,
        jobs::Job,
        operation::{Input, Operation, reply},
        page,
        triggers::{Action, Origin},
    },
};

/// A page of runs holds at most so many, and so many when no number is requested for.
const LARGEST_PAGE: usize = 200;

/// The operations of this room.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "StartJobRun", resource: "job", subject: "/JobName", run: start },
    Operation { name: "GetJobRun", resource: "job", subject: "/JobName", run: get },
    Operation { name: "GetJobRuns", resource: "job", subject: "/JobName", run: get_all },
    Operation { name: "BatchStopJobRun", resource: "job", subject: "/JobName", run: batch_stop },
];

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct StartJobRun {
    job_name: String,
    job_run_id: Option<String>,
    arguments: Option<BTreeMap<String, String>>,
    allocated_capacity: Option<u32>,
    max_capacity: Option<f64>,
    worker_type: Option<String>,
    number_of_workers: Option<u32>,
    timeout: Option<u32>,
    notification_property: Option<Value>,
    security_configuration: Option<String>,
    execution_class: Option<String>,
    job_run_queuing_enabled: Option<bool>,
    execution_role_session_policy: Option<String>,
}

impl Start {
    /// What a trigger's action starts a run with.
    pub(in crate::glue) fn of_action(job: &Job, action: &Action) -> Result<Self, AwsError> {
        let request = StartJobRun {
            job_name: job.settings.name.clone(),
            arguments: action.arguments.clone(),
            timeout: action.timeout,
            security_configuration: action.security_configuration.clone(),
            notification_property: action.notification_property.clone(),
            ..StartJobRun::default()
        };
        Self::read(request, job)
    }

    /// The same as started by a trigger, in a chain of firings, after these runs.
    pub(in crate::glue) fn triggered(
        self,
        trigger: &str,
        origin: Origin,
        predecessors: &[(Arc<str>, Arc<str>)],
    ) -> Self {
        Self { trigger: Some(trigger.into()), origin: Some(origin), predecessors: predecessors.to_vec(), ..self }
    }

    fn read(request: StartJobRun, of: &Job) -> Result<Self, AwsError> {
        let job = &of.settings;
        let requested = CapacityRequest {
            allocated: request.allocated_capacity,
            max: request.max_capacity,
            worker_type: request.worker_type.as_deref(),
            workers: request.number_of_workers,
        };
        let capacity = granted(job, &requested)?;
        if request.timeout.is_some_and(|minutes| minutes > 10_080) {
            return Err(AwsError::invalid("Timeout must be less than or equal to 10080 minutes (7 days)."));
        }
        let execution_class = request.execution_class.or_else(|| job.execution_class.clone());
        if execution_class.as_deref() == Some("FLEX") && (job.command.name != "glueetl" || job.major_version() < 3) {
            return Err(AwsError::invalid(
                "Only jobs with Glue version 3.0 and above and command type glueetl can set ExecutionClass to FLEX.",
            ));
        }
        let argument = |key: &str| {
            let of_run = request.arguments.as_ref().and_then(|arguments| arguments.get(key));
            of_run.or_else(|| job.default_arguments.as_ref()?.get(key)).map(String::as_str)
        };
        let flexible = execution_class.as_deref() == Some("FLEX") || argument("--enable-auto-scaling") == Some("true");
        let logs = if job.is_spark() { "/aws-glue/jobs" } else { "/aws-glue/python-jobs" };
        let security = request.security_configuration.or_else(|| job.security_configuration.clone());
        let role = job.role.as_deref().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        Ok(Self {
            job: request.job_name.into(),
            job_uid: of.uid,
            capacity,
            timeout: request.timeout.or(job.timeout),
            log_group: security.as_ref().map_or_else(|| logs.to_owned(), |name| format!("{logs}-{role}-{name}")),
            security_configuration: security,
            notification_property: request.notification_property.or_else(|| job.notification_property.clone()),
            session_policy: request.execution_role_session_policy,
            queuing: request.job_run_queuing_enabled.or(job.job_run_queuing_enabled),
            trigger: None,
            origin: None,
            predecessors: Vec::new(),
            glue_version: job.glue_version.clone(),
            job_mode: job.job_mode.clone(),
            shows_dpu_seconds: flexible && job.is_spark(),
            retries: job.max_retries,
            execution_class,
            arguments: request.arguments,
        })
    }
}

fn start(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
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

fn get(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
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

fn get_all(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        job_name: String,
        next_token: Option<String>,
        max_results: Option<usize>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        job_runs: Vec<JobRun<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    }
    let Request { job_name, next_token, max_results } = input.read()?;
    let list = format!("GetJobRuns {job_name}");
    let runs = &region.job(&job_name).ok_or_else(|| crate::glue::jobs::not_found(&job_name))?.runs;
    // Runs stand in the order of their start, so a page is a slice, read backwards.
    let visible = match input.as_of {
        None => runs.len(),
        Some(as_of) => runs.partition_point(|number| region.runs.get(*number).started_on <= as_of),
    };
    let end = match &next_token {
        None => visible,
        Some(token) => page::position(&list, token)?.parse().unwrap_or(0).min(visible),
    };
    let begin = end.saturating_sub(max_results.unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE));
    reply(&Answer {
        job_runs: runs[begin..end].iter().rev().map(|number| region.view(*number, input.as_of)).collect(),
        next_token: (begin > 0).then(|| page::token(&list, &begin.to_string())),
    })
}

fn batch_stop(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
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
