//! `CreateJob`, `GetJob`, `GetJobs`, `ListJobs`, `BatchGetJobs`, `UpdateJob`, `DeleteJob`.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Job, JobSettings};
use crate::{
    clock::Time,
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Named, Operation, Reply, operations, reply, reply_to_batch},
        page::{Page, Paging},
        runs::capacity,
    },
};

const DEFAULT_PAGE: usize = 100;

/// The operations on job definitions.
pub const OPERATIONS: &[Operation] = operations! { "job":
    CreateJob("/Name") => create,
    GetJob("/JobName") => get,
    GetJobs("") => get_all,
    ListJobs("") => list,
    BatchGetJobs("") => batch_get,
    UpdateJob("/JobName") => update,
    DeleteJob("/JobName") => delete,
};

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

fn create(region: &mut Region, input: &Input<'_>) -> Reply {
    let settings = check(input.read()?)?;
    let name = settings.name.clone();
    if region.job(&name).is_some() {
        return Err(AwsError::exists(format!("Job with name: {name} already exists.")));
    }
    let script = region.default_script.clone();
    region.add_job(settings, script);
    reply(&json!({ "Name": name }))
}

fn get(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    let job = region.job(&name).ok_or_else(|| not_found(&name))?;
    reply(&json!({ "Job": JobView::of(job) }))
}

fn page<'a, T>(
    region: &'a Region,
    list: &str,
    input: &Input<'_>,
    view: impl Fn(&'a Job) -> T,
) -> Result<Page<T>, AwsError> {
    let paging: Paging = input.read()?;
    let jobs = region.jobs.by_name.iter();
    let tagged = jobs.filter(|(name, _)| region.has_tags("job", name, paging.tags.as_ref()));
    paging.by_name(list, tagged.map(|(name, job)| (&**name, view(job))), DEFAULT_PAGE)
}

fn get_all(region: &mut Region, input: &Input<'_>) -> Reply {
    page(region, "GetJobs", input, JobView::of)?.reply("Jobs")
}

fn list(region: &mut Region, input: &Input<'_>) -> Reply {
    page(region, "ListJobs", input, |job| job.settings.name.as_str())?.reply("JobNames")
}

fn batch_get(region: &mut Region, input: &Input<'_>) -> Reply {
    reply_to_batch(input, ["Jobs", "JobsNotFound"], |name| region.job(name).map(JobView::of))
}

fn update(region: &mut Region, input: &Input<'_>) -> Reply {
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

fn delete(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    // "If the job definition is not found, no exception is thrown" (DeleteJob, Glue API reference).
    region.jobs.by_name.remove(name.as_str());
    region.forget_tags("job", &name);
    reply(&json!({ "JobName": name }))
}
