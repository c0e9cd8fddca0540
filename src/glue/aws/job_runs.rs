//! The calls about job runs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::errors;
use super::large_stack::on_large_stack;
use super::{Glue, newest_first, non_empty, timestamp};
use crate::glue::job_runs::fingerprint::Fingerprint;
use crate::glue::job_runs::history::{HistoryPage, HistoryRun};
use crate::glue::job_runs::{
    JobRun, JobRunState, JobSettings, PAGE_SIZE, RunDetails, RunMatcher, StartJobRun, StopOutcome, namespace_of_key,
};
use crate::glue::logs::arguments::LogArguments;
use crate::glue::poller::listing::Page;
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, ErrorKind};
use crate::redaction::Sensitive;
use aws_sdk_glue::types::{
    ExecutionClass, Job, JobRun as SdkJobRun, JobRunState as SdkState, NotificationProperty, WorkerType,
};

impl Glue {
    /// `StartJobRun`, sent once; returns the run id. The caller has acquired a token with [`Glue::queue_for_start`].
    pub async fn start_job_run(&self, run: &StartJobRun) -> Result<String, Error> {
        let request = self
            .inner
            .sdk
            .start_job_run()
            .job_name(&run.job)
            .set_arguments((!run.arguments.is_empty()).then(|| exposed(&run.arguments)))
            .set_worker_type(run.workers.as_ref().map(|(type_, _)| WorkerType::from(type_.as_str())))
            .set_number_of_workers(run.workers.as_ref().map(|(_, count)| *count))
            .set_max_capacity(run.max_capacity)
            .set_timeout(run.timeout_minutes)
            .set_notification_property(
                run.notify_delay_after_minutes
                    .map(|minutes| NotificationProperty::builder().notify_delay_after(minutes).build()),
            )
            .set_security_configuration(run.security_configuration.clone())
            .set_execution_class(run.execution_class.map(ExecutionClass::from))
            .set_job_run_queuing_enabled(run.job_run_queuing_enabled)
            .set_execution_role_session_policy(run.execution_role_session_policy.clone());
        // AWS has deprecated it, but older jobs still use it.
        #[allow(deprecated)]
        let request = request.set_allocated_capacity(run.allocated_capacity);
        let object = job(&run.job);
        let response = self.send("StartJobRun", object.clone(), request.send()).await?;
        response.job_run_id.ok_or_else(|| errors::incomplete("StartJobRun", object, ErrorKind::Ambiguous, "run id"))
    }

    /// `GetJobRun`.
    pub async fn job_run(&self, job_name: &str, id: &str) -> Result<JobRun, Error> {
        self.get_job_run(job_name, id, None, Priority::Poll).await
    }

    /// One page of `GetJobRuns`, newest first.
    pub async fn job_runs(&self, job_name: &str, token: Option<String>) -> Result<Page<JobRun>, Error> {
        let (runs, next) = self.list_job_runs(job_name, token, Priority::Poll).await?;
        Ok(Page { items: runs.into_iter().filter_map(|run| self.job_run_of(run, None)).collect(), next })
    }

    /// One page of `GetJobRuns` for a search, newest first.
    pub(in crate::glue) async fn job_run_history(
        &self,
        job_name: &str,
        token: Option<String>,
        urgency: Priority,
    ) -> Result<HistoryPage, Error> {
        let (runs, next) = self.list_job_runs(job_name, token, urgency).await?;
        let run = |run: SdkJobRun| {
            let arguments = run.arguments.unwrap_or_default();
            Some(HistoryRun {
                id: run.id?.into(),
                started_on: run.started_on.and_then(timestamp),
                is_final: state(run.job_run_state).is_final(),
                fingerprint: Fingerprint::of(&arguments, run.trigger_name.is_some(), self.run_key_argument()),
            })
        };
        Ok(HistoryPage { runs: runs.into_iter().filter_map(run).collect(), next })
    }

    /// `GetJobRun` for a search; `matcher` sets [`JobRun::matched`].
    pub(in crate::glue) async fn matching_job_run(
        &self,
        job_name: &str,
        id: &str,
        matcher: &RunMatcher,
        urgency: Priority,
    ) -> Result<JobRun, Error> {
        self.get_job_run(job_name, id, Some(matcher), urgency).await
    }

    async fn list_job_runs(
        &self,
        job_name: &str,
        token: Option<String>,
        priority: Priority,
    ) -> Result<(Vec<SdkJobRun>, Option<String>), Error> {
        let request =
            self.inner.sdk.get_job_runs().job_name(job_name).max_results(PAGE_SIZE).set_next_token(token).send();
        let response = self.call("GetJobRuns", job(job_name), priority, request).await?;
        let runs = newest_first(response.job_runs, |run| run.started_on);
        Ok((runs.collect(), non_empty(response.next_token)))
    }

    async fn get_job_run(
        &self,
        job_name: &str,
        id: &str,
        matcher: Option<&RunMatcher>,
        priority: Priority,
    ) -> Result<JobRun, Error> {
        let object = format!("job {job_name} run {id}");
        let request = self.inner.sdk.get_job_run().job_name(job_name).run_id(id).send();
        let response = self.call("GetJobRun", object.clone(), priority, request).await?;
        response
            .job_run
            .and_then(|run| self.job_run_of(run, matcher))
            .ok_or_else(|| errors::incomplete("GetJobRun", object, ErrorKind::Transient, "run"))
    }

    /// `BatchStopJobRun` of up to [`crate::glue::job_runs::STOP_BATCH_SIZE`] runs of one job; returns the outcome of each.
    pub async fn stop_job_runs(&self, job_name: &str, ids: &[String]) -> Result<HashMap<String, StopOutcome>, Error> {
        let request = self.inner.sdk.batch_stop_job_run().job_name(job_name).set_job_run_ids(Some(ids.to_vec())).send();
        let response = self.call("BatchStopJobRun", job(job_name), Priority::Stop, request).await?;
        let mut outcomes: HashMap<String, StopOutcome> =
            ids.iter().map(|id| (id.clone(), StopOutcome::Accepted)).collect();
        for refusal in response.errors.unwrap_or_default() {
            let (Some(id), Some(detail)) = (refusal.job_run_id, refusal.error_detail) else {
                continue;
            };
            let error = errors::of_code(
                "BatchStopJobRun",
                format!("job {job_name} run {id}"),
                400,
                detail.error_code.as_deref(),
                detail.error_message.as_deref(),
            );
            outcomes.insert(id, StopOutcome::Refused(self.redact_error(error)));
        }
        Ok(outcomes)
    }

    /// How many times Glue itself retries a run of the job, and what its default arguments say of its logs (`GetJob`).
    pub async fn job_settings(&self, job_name: &str) -> Result<JobSettings, Error> {
        let job = self.job(job_name, Priority::Poll).await?;
        let default = |name: &str| job.default_arguments.as_ref()?.get(name);
        Ok(JobSettings { max_retries: job.max_retries, logs: LogArguments::of(default) })
    }

    /// How many runs of the job may be live at once (`GetJob`: `ExecutionProperty.MaxConcurrentRuns`, by default 1).
    pub async fn job_max_concurrent_runs(&self, job_name: &str) -> Result<i32, Error> {
        let property = self.job(job_name, Priority::Poll).await?.execution_property;
        Ok(property.map_or(1, |property| property.max_concurrent_runs))
    }

    pub(super) async fn job(&self, name: &str, priority: Priority) -> Result<Job, Error> {
        let request = on_large_stack(self.inner.sdk.get_job().job_name(name).send());
        let response = self.call("GetJob", job(name), priority, request).await?;
        response.job.ok_or_else(|| errors::incomplete("GetJob", job(name), ErrorKind::Transient, "job"))
    }

    pub(super) fn job_run_of(&self, run: SdkJobRun, matcher: Option<&RunMatcher>) -> Option<JobRun> {
        let given = run.arguments.is_some();
        let arguments = run.arguments.unwrap_or_default();
        let run_match = matcher.and_then(|matcher| matcher.satisfied_by(&arguments, run.trigger_name.is_some()));
        let key = self.run_key_argument().and_then(|name| arguments.get(name));
        let started_for = key.and_then(|key| namespace_of_key(key)).map(str::to_owned);
        let (error_message, state_detail) = (self.redact(run.error_message), self.redact(run.state_detail));
        let predecessors = run.predecessor_runs.unwrap_or_default().into_iter();
        let details = RunDetails {
            trigger: non_empty(run.trigger_name),
            predecessors: predecessors.filter_map(|run| run.job_name.zip(run.run_id)).collect(),
            profile: non_empty(run.profile_name),
            maintenance_window: non_empty(run.maintenance_window),
            logs: LogArguments::of(|name| arguments.get(name)),
        };
        let arguments = arguments.into_iter().map(|(name, value)| (name, Sensitive::new(value)));
        let state = state(run.job_run_state);
        let has_ended = state.is_final();
        // Only its words may quote them: those of Glue, and the log of a run that failed.
        let has_words = error_message.is_some() || state_detail.is_some() || state.is_failure();
        let arguments = (given && has_words).then(|| Arc::new(arguments.collect()));
        Some(JobRun {
            id: run.id?,
            state,
            matched: run_match,
            started_for,
            arguments,
            attempt: run.attempt,
            previous: run.previous_run_id,
            started_on: run.started_on.and_then(timestamp),
            completed_on: run.completed_on.and_then(timestamp),
            error_message,
            // They change with every poll of a live run. That must not requeue its objects.
            execution_seconds: if has_ended { run.execution_time } else { 0 },
            dpu_seconds: run.dpu_seconds.filter(|_| has_ended),
            glue_version: run.glue_version,
            workers: run
                .worker_type
                .zip(run.number_of_workers)
                .map(|(type_, count)| (type_.as_str().to_owned(), count)),
            max_capacity: run.max_capacity,
            log_group: run.log_group_name,
            execution_class: run.execution_class.map(|class| class.as_str().to_owned()),
            timeout_minutes: run.timeout,
            state_detail,
            details: (details != RunDetails::default()).then(|| Box::new(details)),
        })
    }
}

fn job(name: &str) -> String {
    format!("job {name}")
}

fn exposed(arguments: &BTreeMap<String, Sensitive>) -> HashMap<String, String> {
    arguments.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
}

pub(super) fn state(state: Option<SdkState>) -> JobRunState {
    match state {
        Some(SdkState::Starting) => JobRunState::Starting,
        Some(SdkState::Running) => JobRunState::Running,
        Some(SdkState::Stopping) => JobRunState::Stopping,
        Some(SdkState::Stopped) => JobRunState::Stopped,
        Some(SdkState::Succeeded) => JobRunState::Succeeded,
        Some(SdkState::Failed) => JobRunState::Failed,
        Some(SdkState::Timeout) => JobRunState::Timeout,
        Some(SdkState::Error) => JobRunState::Error,
        Some(SdkState::Waiting) => JobRunState::Waiting,
        Some(SdkState::Expired) => JobRunState::Expired,
        Some(unknown) => JobRunState::Unknown(unknown.as_str().to_owned()),
        None => JobRunState::Unknown("none".to_owned()),
    }
}
