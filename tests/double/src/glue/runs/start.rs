//! What a run is started with: the request or the trigger's action, completed from the job's definition.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::Value;

use super::{
    Start,
    capacity::{CapacityRequest, granted},
    logs::Destinations,
};
use crate::{
    error::AwsError,
    glue::{
        jobs::Job,
        triggers::{Action, Origin},
    },
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct StartJobRun {
    pub(super) job_name: String,
    pub(super) job_run_id: Option<String>,
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
    /// The parameters of a start by a trigger's action.
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

    /// Adds the trigger, the origin and the runs that met the trigger's conditions.
    pub(in crate::glue) fn triggered(
        self,
        trigger: &str,
        origin: Origin,
        predecessors: &[(Arc<str>, Arc<str>)],
    ) -> Self {
        Self { trigger: Some(trigger.into()), origin: Some(origin), predecessors: predecessors.to_vec(), ..self }
    }

    pub(super) fn read(request: StartJobRun, of: &Job) -> Result<Self, AwsError> {
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
        // "260 KB" (Using job parameters in AWS Glue jobs, AWS Glue developer guide); the error is not known.
        let bytes: usize = request.arguments.iter().flatten().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > 260 * 1024 {
            return Err(AwsError::invalid("The arguments are larger than 260 KB."));
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
        let other = |member: &str| job.rest.get(member).and_then(Value::as_str).map(ToOwned::to_owned);
        let flexible = execution_class.as_deref() == Some("FLEX") || argument("--enable-auto-scaling") == Some("true");
        let logs = if job.is_spark() { "/aws-glue/jobs" } else { "/aws-glue/python-jobs" };
        let security = request.security_configuration.or_else(|| job.security_configuration.clone());
        let role = job.role.as_deref().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let log_group = security.as_ref().map_or_else(|| logs.to_owned(), |name| format!("{logs}-{role}-{name}"));
        Ok(Self {
            job: request.job_name.into(),
            job_uid: of.uid,
            capacity,
            timeout: request.timeout.or(job.timeout),
            logs: Destinations::read(&log_group, job, argument),
            log_group,
            security_configuration: security,
            notification_property: request.notification_property.or_else(|| job.notification_property.clone()),
            session_policy: request.execution_role_session_policy,
            queuing: request.job_run_queuing_enabled.or(job.job_run_queuing_enabled),
            trigger: None,
            origin: None,
            predecessors: Vec::new(),
            glue_version: job.glue_version.clone(),
            job_mode: job.job_mode.clone(),
            maintenance_window: other("MaintenanceWindow"),
            profile_name: other("ProfileName"),
            shows_dpu_seconds: flexible && job.is_spark(),
            retries: job.max_retries,
            execution_class,
            arguments: request.arguments,
        })
    }
}
