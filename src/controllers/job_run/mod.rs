//! The kind `GlueJobRun`: how its run is found, started, stopped and shown.
//!
//! | module | what it does |
//! |---|---|
//! | [`arguments`] | the arguments of the run, and which of them may not be set |
//! | [`lookup`] | which of the job's runs a lookup considers, and which it is about |
//! | `render` | the run as Glue shows it, in the status |

pub mod arguments;
pub(crate) mod lookup;
mod render;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;

use self::arguments::Arguments;
use self::lookup::attempt_of;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::job_run::ExecutionClass;
use crate::api::job_run::GlueJobRunSpec;
use crate::api::run::{Attempt, RunPolicy, RunStatus};
use crate::api::{GlueJobRun, GlueJobRunStatus};
use crate::controllers::run::RunKind;
use crate::controllers::run::calls::RunQuery;
use crate::controllers::run::facts::{ObservedRun, RunPass};
use crate::controllers::run::given::Given;
use crate::controllers::run::kind::{ByKey, strip_finished};
use crate::controllers::run::lifecycle::RunLifecycle;
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::lineage::sights;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::text::truncated;
use crate::glue::job_runs::places::has_free_place;
use crate::glue::job_runs::search::matching_runs;
use crate::glue::job_runs::source::{JobRunItem, JobRunSource};
use crate::glue::job_runs::{JobRun, RunMatcher, StartJobRun, StopOutcome};
use crate::glue::logs::arguments::LogArguments;
use crate::glue::logs::failure::FailureSource;
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, ErrorKind, Glue};
use crate::lineage::run::{JobKind, RunSight};
use crate::redaction::{Sensitive, Withheld};

impl Kind for GlueJobRun {
    const KIND: &'static str = "GlueJobRun";
    type Source = JobRunSource;
    type Inputs = Arguments;
    type PassState = RunPass<Self>;
    type LocalState = RunLocalState;
    type Lifecycle = RunLifecycle;

    fn aws(&self) -> &Aws {
        &self.spec.aws
    }

    fn identity(status: &mut GlueJobRunStatus) -> &mut Option<AwsIdentity> {
        &mut status.run.identity
    }

    fn strip(&mut self) {
        let Some(status) = self.status.as_mut() else { return };
        if strip_finished(&mut status.run) {
            let (run, run_id) = (std::mem::take(&mut status.run), status.run_id.take());
            *status = GlueJobRunStatus { run, run_id, ..GlueJobRunStatus::default() };
            let GlueJobRunSpec { job_name, run_id, aws, policy, .. } = std::mem::take(&mut self.spec);
            self.spec = GlueJobRunSpec { job_name, run_id, aws, policy, ..GlueJobRunSpec::default() };
        }
    }

    fn words(item: &mut JobRunItem) -> Vec<&mut String> {
        [&mut item.run.error_message, &mut item.run.state_detail].into_iter().flatten().collect()
    }

    fn strip_to_head(&mut self) {
        let GlueJobRunSpec { job_name, run_id, policy, .. } = std::mem::take(&mut self.spec);
        self.spec = GlueJobRunSpec { job_name, run_id, policy, ..GlueJobRunSpec::default() };
    }
}

impl RunKind for GlueJobRun {
    const NOUN: &'static str = "run";
    const TARGET: &'static str = "job";
    const JOB_KIND: JobKind = JobKind::Job;
    type Identification = ByKey;

    fn policy(&self) -> &RunPolicy {
        &self.spec.policy
    }

    fn follow(&self) -> Option<&str> {
        self.spec.run_id.as_deref()
    }

    fn target(&self) -> &str {
        &self.spec.job_name
    }

    fn run_status(status: &GlueJobRunStatus) -> &RunStatus {
        &status.run
    }

    fn source(&self, client: &Glue) -> JobRunSource {
        JobRunSource { client: client.clone(), job: self.spec.job_name.clone() }
    }

    fn warning(&self) -> Option<(Reason, String)> {
        arguments::reserved_warning(&self.spec).map(|note| (Reason::ReservedArgument, note))
    }

    fn observe(&self, item: &JobRunItem) -> Option<ObservedRun> {
        Some(ObservedRun {
            id: item.run.id.clone(),
            state: item.run.state.as_str().to_owned(),
            phase: render::phase(&item.run.state),
            attempt: attempt_of(&item.run),
            retry_expected: item.retry_expected,
            message: item.run.error_message.as_ref().or(item.run.state_detail.as_ref()).map(|text| truncated(text)),
            reason: None,
        })
    }

    fn ended_on(item: &JobRunItem) -> Option<Timestamp> {
        item.run.completed_on
    }

    fn render(&self, client: Option<&Glue>, run: RunStatus, item: Option<&JobRunItem>) -> GlueJobRunStatus {
        let region = client.map(|client| client.identity().region.as_str());
        render::status(self, region, run, item.map(|item| &item.run))
    }

    fn started_for(item: &JobRunItem) -> Option<&str> {
        item.run.started_for.as_deref()
    }

    fn given(&self, item: &JobRunItem) -> Result<Vec<Sensitive>, Withheld> {
        let JobRun { started_for, arguments, error_message, state_detail, .. } = &item.run;
        let given = Given {
            namespace: self.metadata.namespace.as_deref(),
            literal: self.spec.arguments.as_ref(),
            from: self.spec.arguments_from.as_deref().unwrap_or_default(),
            may_be_of_another: self.spec.run_id.is_some() || self.spec.policy.idempotency_key.is_some(),
        };
        if arguments.is_none() && error_message.is_none() && state_detail.is_none() {
            // Nothing is said that could quote a value.
            return given.check_namespace(started_for.as_deref()).map(|()| Vec::new());
        }
        given.values(started_for.as_deref(), arguments.as_deref())
    }

    fn runs(&self, item: &JobRunItem) -> Vec<RunSight> {
        let arguments = self.spec.arguments.clone().unwrap_or_default();
        vec![RunSight { arguments, ..sights::of_job_run(self.target(), &item.run) }]
    }

    fn failure_source(item: &JobRunItem) -> Option<FailureSource> {
        let run = &item.run;
        let arguments = run.details.as_ref().map(|details| details.logs.clone()).unwrap_or_default();
        Some(FailureSource::of_job_run(run.logged(), &arguments, run.started_on, run.completed_on))
    }

    fn clear_names(item: &mut JobRunItem, is_shown: impl Fn(&str) -> bool) {
        // The places of the logs are what arguments of the run say.
        let Some(logs) = item.run.details.as_mut().map(|details| &mut details.logs) else { return };
        if !logs.names().all(is_shown) {
            *logs = LogArguments::default();
        }
    }

    async fn look_up(
        &self,
        client: &Glue,
        query: &RunQuery,
        is_taken: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<Option<JobRunItem>, Error> {
        let matcher = self.matcher(client, &query.base_key);
        let is_deleted = self.metadata.deletion_timestamp.is_some();
        let urgency = if is_deleted { Priority::Stop } else { Priority::Search };
        let earliest = lookup::earliest_start(query, &matcher);
        let found = matching_runs(client, &self.spec.job_name, &matcher, earliest, urgency).await?;
        let has_key = matches!(matcher, RunMatcher::Argument { .. });
        let is_other = |id: &str| self.has_run(id) || !has_key && is_taken(id);
        Ok(lookup::newest(found, query.attempt, is_other).map(item))
    }

    async fn has_place(&self, client: &Glue) -> Result<bool, Error> {
        has_free_place(client, &self.spec.job_name).await
    }

    async fn start(&self, client: &Glue, attempt: &Attempt, inputs: &Arguments) -> Result<Option<String>, Error> {
        client.start_job_run(&self.request(client, &attempt.key, inputs)).await.map(Some)
    }

    async fn stop(&self, client: &Glue, id: &str) -> Result<(), Error> {
        match client.stop_job_run(&self.spec.job_name, id).await? {
            // The run has ended, or Glue does not know it: the poller will show that.
            StopOutcome::Refused(error) if !matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => {
                Err(error)
            }
            StopOutcome::Accepted | StopOutcome::Refused(_) => Ok(()),
        }
    }
}

impl GlueJobRun {
    /// Whether an attempt has this run already.
    fn has_run(&self, id: &str) -> bool {
        let attempts = self.status.as_ref().map(|status| status.run.attempts.as_slice()).unwrap_or_default();
        attempts.iter().any(|attempt| attempt.id.as_deref() == Some(id))
    }

    /// What identifies this object's runs among the runs of the job.
    fn matcher(&self, client: &Glue, base_key: &str) -> RunMatcher {
        if let Some(name) = client.run_key_argument() {
            return RunMatcher::Argument { name: name.to_owned(), base: base_key.to_owned() };
        }
        let from: BTreeSet<String> = self.spec.arguments_from.iter().flatten().map(|from| from.name.clone()).collect();
        let literal = self.spec.arguments.clone().unwrap_or_default();
        let literal = literal.into_iter().filter(|(name, _)| !from.contains(name)).collect();
        RunMatcher::Arguments { literal, from }
    }

    /// The execution class of the attempt with this key: retries may have another than the attempts before them.
    fn execution_class(&self, key: &str) -> Option<ExecutionClass> {
        let attempts = self.status.iter().flat_map(|status| &status.run.attempts);
        let is_retry = attempts.rev().find(|attempt| attempt.key == key).is_some_and(|attempt| attempt.retry > 0);
        let of_retries = self.spec.policy.retry.as_ref().and_then(|retry| retry.execution_class);
        of_retries.filter(|_| is_retry).or(self.spec.execution_class)
    }

    fn request(&self, client: &Glue, key: &str, inputs: &Arguments) -> StartJobRun {
        let spec = &self.spec;
        let mut arguments = inputs.values();
        if let Some(name) = client.run_key_argument() {
            arguments.insert(name.to_owned(), Sensitive::new(key.to_owned()));
        }
        StartJobRun {
            job: spec.job_name.clone(),
            arguments,
            workers: spec.workers.as_ref().map(|workers| (workers.type_.clone(), workers.count)),
            max_capacity: spec.max_capacity,
            allocated_capacity: spec.allocated_capacity,
            timeout_minutes: spec.timeout_minutes,
            notify_delay_after_minutes: spec.notify_delay_after_minutes,
            security_configuration: spec.security_configuration.clone(),
            execution_class: self.execution_class(key).map(ExecutionClass::as_str),
            job_run_queuing_enabled: spec.job_run_queuing_enabled,
            execution_role_session_policy: spec.execution_role_session_policy.clone(),
        }
    }
}

/// The number of the attempt that the run's key names.
fn item(run: JobRun) -> JobRunItem {
    JobRunItem { run, retry_expected: false }
}
