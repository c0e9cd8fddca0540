//! `GlueJobRun` as a run: how it is found, started, stopped and shown.

pub mod arguments;

use self::arguments::Arguments;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use kube::{Client, ResourceExt};

use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::job_run::{ExecutionClass, Workers};
use crate::api::run::{Phase, RunPolicy, RunStatus};
use crate::api::{GlueJobRun, GlueJobRunStatus};
use crate::controllers::run::RunKind;
use crate::controllers::run::facts::{ObservedRun, RunPass};
use crate::controllers::run::lifecycle::RunLifecycle;
use crate::controllers::run::links;
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::run::step::RunQuery;
use crate::controllers::runtime::Settings;
use crate::controllers::runtime::conditions::bounded;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::problem::Problem;
use crate::glue::job_runs::source::{JobRunItem, JobRunSource};
use crate::glue::job_runs::{JobRun, JobRunState, Mark, StartJobRun, StopAnswer};
use crate::glue::{Error, ErrorKind, Glue};

/// How much earlier than the intent, by Glue's clock, a run may have started and still be ours: more
/// than any two clocks differ. It bounds how far looking goes back, and decides no start.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_hours(1);

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

    fn input_secrets(&self) -> Vec<&str> {
        let from = self.spec.arguments_from.iter().flatten();
        from.filter_map(|from| from.secret_key_ref.as_ref()).map(|key| key.name.as_str()).collect()
    }

    async fn inputs(&self, client: &Client, settings: &Settings) -> Result<Arguments, Problem> {
        let reserved = settings.run_key_argument.as_deref();
        let arguments = arguments::read(client, &self.namespace().unwrap_or_default(), &self.spec).await?;
        arguments::check_reserved(&arguments, reserved)?;
        if reserved.is_none() && self.spec.policy.idempotency_key.is_some() {
            return Err(arguments::no_key());
        }
        Ok(arguments)
    }
}

impl RunKind for GlueJobRun {
    const NOUN: &'static str = "run";

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

    fn observe(item: &JobRunItem) -> Option<ObservedRun> {
        Some(ObservedRun {
            id: item.run.id.clone(),
            state: item.run.state.as_str().to_owned(),
            phase: phase(&item.run.state),
            retry_expected: item.retry_expected,
            message: item.run.error_message.as_deref().map(bounded),
        })
    }

    fn ended_on(item: &JobRunItem) -> Option<Timestamp> {
        item.run.completed_on
    }

    fn render(&self, client: Option<&Glue>, run: RunStatus, item: Option<&JobRunItem>) -> GlueJobRunStatus {
        let id = run.attempt().and_then(|attempt| attempt.id.clone());
        let before = self.status.clone().unwrap_or_default();
        // A run that Glue has only accepted shows nothing yet that is worth a write of its own.
        let seen = item
            .map(|item| &item.run)
            .filter(|seen| Some(&seen.id) == id.as_ref() && seen.state != JobRunState::Starting);
        match seen {
            Some(seen) => {
                let region = client.map(|client| client.identity().region.as_str());
                let links =
                    region.map(|region| links::job_run(region, self.target(), &seen.id, seen.log_group.as_deref()));
                GlueJobRunStatus { links: links.or(before.links), ..shown(run, seen) }
            }
            // Nothing newer is known: what is shown of this run stays.
            None if before.run_id == id => GlueJobRunStatus { run, ..before },
            None => GlueJobRunStatus { run, run_id: id, ..GlueJobRunStatus::default() },
        }
    }

    fn redact(&self, mut item: JobRunItem, inputs: Option<&Arguments>) -> JobRunItem {
        let has_secrets = !self.input_secrets().is_empty();
        item.run.error_message = item.run.error_message.map(|message| match inputs {
            Some(inputs) => inputs.redact(&message),
            None if has_secrets => {
                "Glue's message is withheld: the Secrets of argumentsFrom, whose values it may show, cannot be read"
                    .to_owned()
            }
            None => message,
        });
        item
    }

    async fn look_up(
        &self,
        client: &Glue,
        query: &RunQuery,
        inputs: Option<&Arguments>,
    ) -> Result<Option<JobRunItem>, Error> {
        let mark = self.mark(client, &query.key, inputs)?;
        let oldest = query.since.and_then(|since| since.checked_sub(CLOCK_SLACK).ok());
        let mut token = None;
        let mut found: Option<JobRun> = None;
        loop {
            let page = client.job_runs(&self.spec.job_name, token, Some(&mark)).await?;
            let past =
                page.runs.last().and_then(|run| run.started_on).zip(oldest).is_some_and(|(last, oldest)| last < oldest);
            let ours = |run: &JobRun| run.marked && is_recent(run, oldest) && !self.has_run(&run.id);
            for run in page.runs.into_iter().filter(ours) {
                if !run.state.is_final() {
                    return Ok(Some(observation(run)));
                }
                found = found.or(Some(run));
            }
            token = page.next;
            // Runs come newest first: one that is over is ours for good only when no live one follows.
            if token.is_none() || past || found.is_some() {
                return Ok(found.map(observation));
            }
        }
    }

    async fn start(&self, client: &Glue, key: &str, inputs: &Arguments) -> Result<Option<String>, Error> {
        client.start_job_run(&self.request(client, key, inputs)).await.map(Some)
    }

    async fn stop(&self, client: &Glue, id: &str) -> Result<(), Error> {
        match client.stop_job_run(&self.spec.job_name, id).await? {
            // Over, or not known any more: there is nothing left to stop, and the poller will say so.
            StopAnswer::Refused(error) if !matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => Err(error),
            StopAnswer::Accepted | StopAnswer::Refused(_) => Ok(()),
        }
    }
}

impl GlueJobRun {
    /// Whether this is the run of an attempt that is known already: where runs carry no key, the next attempt
    /// looks like the one before.
    fn has_run(&self, id: &str) -> bool {
        let attempts = self.status.as_ref().map(|status| status.run.attempts.as_slice()).unwrap_or_default();
        attempts.iter().any(|attempt| attempt.id.as_deref() == Some(id))
    }

    /// What tells this object's run from all others of the job.
    fn mark(&self, client: &Glue, key: &str, inputs: Option<&Arguments>) -> Result<Mark, Error> {
        match (client.run_key_argument(), inputs) {
            (Some(name), _) => Ok(Mark::Argument { name: name.to_owned(), value: key.to_owned() }),
            (None, Some(inputs)) => Ok(Mark::Arguments(inputs.exposed())),
            (None, None) => Err(Error {
                operation: "GetJobRuns",
                object: format!("job {}", self.spec.job_name),
                kind: ErrorKind::Transient,
                code: "NotSent".to_owned(),
                message: "a run without a key is found by its arguments, and those of argumentsFrom cannot be read"
                    .to_owned(),
            }),
        }
    }

    fn request(&self, client: &Glue, key: &str, inputs: &Arguments) -> StartJobRun {
        let spec = &self.spec;
        let mut arguments = inputs.exposed();
        if let Some(name) = client.run_key_argument() {
            arguments.insert(name.to_owned(), key.to_owned());
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
            execution_class: spec.execution_class.map(|class| match class {
                ExecutionClass::Flex => "FLEX",
                ExecutionClass::Standard => "STANDARD",
            }),
            job_run_queuing_enabled: spec.job_run_queuing_enabled,
            execution_role_session_policy: spec.execution_role_session_policy.clone(),
        }
    }
}

fn observation(run: JobRun) -> JobRunItem {
    JobRunItem { run, retry_expected: false }
}

fn is_recent(run: &JobRun, oldest: Option<Timestamp>) -> bool {
    run.started_on.zip(oldest).is_none_or(|(started, oldest)| started >= oldest)
}

fn phase(state: &JobRunState) -> Phase {
    match state {
        JobRunState::Starting => Phase::Starting,
        JobRunState::Running => Phase::Running,
        JobRunState::Stopping => Phase::Stopping,
        JobRunState::Stopped => Phase::Stopped,
        JobRunState::Succeeded => Phase::Succeeded,
        JobRunState::Failed => Phase::Failed,
        JobRunState::Timeout => Phase::TimedOut,
        JobRunState::Error => Phase::Error,
        JobRunState::Waiting => Phase::Waiting,
        JobRunState::Expired => Phase::Expired,
        JobRunState::Unknown(_) => Phase::Unknown,
    }
}

/// The status of a run as Glue shows it.
fn shown(run: RunStatus, seen: &JobRun) -> GlueJobRunStatus {
    let over = seen.state.is_final();
    GlueJobRunStatus {
        run,
        run_id: Some(seen.id.clone()),
        started_at: seen.started_on.map(Time),
        completed_at: seen.completed_on.filter(|_| over).map(Time),
        duration: seen.started_on.zip(seen.completed_on).filter(|_| over).map(|(from, to)| links::duration(from, to)),
        execution_seconds: over.then_some(seen.execution_seconds),
        dpu_seconds: seen.dpu_seconds.filter(|_| over),
        glue_version: seen.glue_version.clone(),
        workers: seen.workers.clone().map(|(type_, count)| Workers { type_, count }),
        max_capacity: seen.max_capacity,
        glue_attempt: (seen.attempt > 0).then_some(seen.attempt),
        log_group: seen.log_group.clone(),
        links: None,
        error_message: seen.error_message.as_deref().map(bounded),
    }
}
