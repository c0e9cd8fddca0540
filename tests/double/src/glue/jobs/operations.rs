//! `CreateJob`, `GetJob`, `GetJobs`, `ListJobs`, `BatchGetJobs`, `UpdateJob`, `DeleteJob`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Job, JobSettings};
use crate::{
    clock::Time,
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Operation, reply},
        page,
        runs::capacity,
    },
};

const DEFAULT_PAGE: usize = 100;

/// The operations of this room.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateJob", resource: "job", subject: "/Name", run: create },
    Operation { name: "GetJob", resource: "job", subject: "/JobName", run: get },
    Operation { name: "GetJobs", resource: "job", subject: "", run: get_all },
    Operation { name: "ListJobs", resource: "job", subject: "", run: list },
    Operation { name: "BatchGetJobs", resource: "job", subject: "", run: batch_get },
    Operation { name: "UpdateJob", resource: "job", subject: "/JobName", run: update },
    Operation { name: "DeleteJob", resource: "job", subject: "/JobName", run: delete },
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    job_name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Paging {
    next_token: Option<String>,
    max_results: Option<usize>,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct JobView<'a> {
    #[serde(flatten)]
    settings: &'a JobSettings,
    created_on: Time,
    last_modified_on: Time,
}

impl<'a> JobView<'a> {
    fn of(job: &'a Job) -> Self {
        Self { settings: &job.settings, created_on: job.created_on, last_modified_on: job.modified_on }
    }
}

pub(in crate::glue) fn not_found(name: &str) -> AwsError {
    AwsError::not_found(format!("Job {name} not found."))
}

fn check(mut settings: JobSettings) -> Result<JobSettings, AwsError> {
    settings = settings.with_defaults();
    if settings.timeout.is_some_and(|minutes| minutes > 10_080) {
        return Err(AwsError::invalid("Timeout must be less than or equal to 10080 minutes (7 days)."));
    }
    if settings.max_retries > 10 {
        return Err(AwsError::invalid("MaxRetries must be between 0 and 10."));
    }
    let granted = capacity::of_job(&settings)?;
    settings.max_capacity = Some(granted.max_capacity);
    settings.allocated_capacity = Some(granted.allocated());
    Ok(settings)
}

fn create(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let settings = check(input.read()?)?;
    let name = settings.name.clone();
    if region.job(&name).is_some() {
        return Err(AwsError::exists(format!("Job with name: {name} already exists.")));
    }
    let script = region.default_script.clone();
    region.add_job(settings, script);
    reply(&json!({ "Name": name }))
}

fn get(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { job_name } = input.read()?;
    let job = region.job(&job_name).ok_or_else(|| not_found(&job_name))?;
    reply(&json!({ "Job": JobView::of(job) }))
}

fn page_of<'a, T>(
    region: &'a Region,
    list: &str,
    input: &Input<'_>,
    view: impl Fn(&'a Job) -> T,
) -> Result<(Vec<T>, Option<String>), AwsError> {
    let paging: Paging = input.read()?;
    let tagged = |name: &str| region.tags.carries(&region.arn("job", name), paging.tags.as_ref());
    let jobs = region.jobs.by_name.iter().filter(|(name, _)| tagged(name)).map(|(name, job)| (&**name, view(job)));
    page::by_name(list, jobs, paging.next_token.as_deref(), paging.max_results.unwrap_or(DEFAULT_PAGE))
}

fn get_all(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let (jobs, next) = page_of(region, "GetJobs", input, JobView::of)?;
    reply(&page::answer("Jobs", &jobs, next))
}

fn list(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let (names, next) = page_of(region, "ListJobs", input, |job| job.settings.name.as_str())?;
    reply(&page::answer("JobNames", &names, next))
}

fn batch_get(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        job_names: Vec<String>,
    }
    let Request { job_names } = input.read()?;
    let (found, missing): (Vec<_>, Vec<_>) = job_names.iter().partition(|name| region.job(name).is_some());
    let jobs: Vec<_> = found.iter().filter_map(|name| region.job(name)).map(JobView::of).collect();
    reply(&json!({ "Jobs": jobs, "JobsNotFound": missing }))
}

fn update(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        job_name: String,
        job_update: JobSettings,
    }
    let Request { job_name, job_update } = input.read()?;
    let now = region.now();
    let settings = check(JobSettings { name: job_name.clone(), ..job_update })?;
    let job = region.job_mut(&job_name).ok_or_else(|| not_found(&job_name))?;
    // "The previous job definition is completely overwritten" (UpdateJob, Glue API reference).
    job.settings = settings;
    job.modified_on = now;
    reply(&json!({ "JobName": job_name }))
}

fn delete(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { job_name } = input.read()?;
    // "If the job definition is not found, no exception is thrown" (DeleteJob, Glue API reference).
    region.jobs.by_name.remove(job_name.as_str());
    let arn = region.arn("job", &job_name);
    region.tags.forget(&arn);
    reply(&json!({ "JobName": job_name }))
}
