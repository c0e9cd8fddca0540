//! The kind `GlueWorkflowRun`: how its run is found, started, resumed, stopped and shown.
//!
//! | module | what it does |
//! |---|---|
//! | [`properties`] | the run properties, with the values from Secrets and ConfigMaps |
//! | `lineage` | the run and the runs of its nodes, for lineage |
//! | `nodes` | which nodes of an ended run are run again |
//! | `render` | the run as Glue shows it, in the status |

mod lineage;
mod nodes;
pub mod properties;
mod render;

use jiff::{SignedDuration, Timestamp};

use self::properties::RunProperties;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::run::{Attempt, RunPolicy, RunStatus};
use crate::api::workflow_run::{GlueWorkflowRunSpec, SucceedWhen};
use crate::api::{GlueWorkflowRun, GlueWorkflowRunStatus};
use crate::controllers::run::RunKind;
use crate::controllers::run::calls::RunQuery;
use crate::controllers::run::facts::{ObservedRun, Resumable, RunPass, base_key};
use crate::controllers::run::kind::{ByKey, strip_finished};
use crate::controllers::run::lifecycle::{RunLifecycle, asks_to_resume};
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::lineage::sights;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::text::truncated;
use crate::glue::job_runs::parse_attempt_key;
use crate::glue::rate_limiter::Priority;
use crate::glue::workflow_runs::search::{self, OfAttempt};
use crate::glue::workflow_runs::source::{ReadNodes, WorkflowRunSource};
use crate::glue::workflow_runs::{PAGE_SIZE, WorkflowRunItem, WorkflowRunState};
use crate::glue::{Error, ErrorKind, Glue};
use crate::lineage::run::{JobKind, RunSight};
use crate::redaction::{Sensitive, Withheld};

/// How much earlier than the intent, by Glue's clock, a run may have started and still be ours: more than any two clocks
/// differ. It bounds how far a lookup goes back, and decides no start.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_hours(1);

/// When the run of `query` started at the earliest, by Glue's clock.
pub(crate) fn earliest_start(query: &RunQuery) -> Option<Timestamp> {
    query.since.and_then(|since| since.checked_sub(CLOCK_SLACK).ok())
}

impl Kind for GlueWorkflowRun {
    const KIND: &'static str = "GlueWorkflowRun";
    type Source = WorkflowRunSource;
    type Inputs = RunProperties;
    type PassState = RunPass<Self>;
    type LocalState = RunLocalState;
    type Lifecycle = RunLifecycle;

    fn aws(&self) -> &Aws {
        &self.spec.aws
    }

    fn identity(status: &mut GlueWorkflowRunStatus) -> &mut Option<AwsIdentity> {
        &mut status.run.identity
    }

    fn strip(&mut self) {
        if asks_to_resume(self) {
            return;
        }
        let Some(status) = self.status.as_mut() else { return };
        if strip_finished(&mut status.run) {
            let (run, run_id) = (std::mem::take(&mut status.run), status.run_id.take());
            *status = GlueWorkflowRunStatus { run, run_id, ..GlueWorkflowRunStatus::default() };
            let GlueWorkflowRunSpec { workflow_name, run_id, aws, resume, policy, .. } = std::mem::take(&mut self.spec);
            self.spec =
                GlueWorkflowRunSpec { workflow_name, run_id, aws, resume, policy, ..GlueWorkflowRunSpec::default() };
        }
    }

    fn words(item: &mut WorkflowRunItem) -> Vec<&mut String> {
        let of_nodes = item.nodes.iter_mut().flat_map(|node| node.newest.iter_mut().chain(&mut node.earlier));
        let of_nodes = of_nodes.filter_map(|run| run.error_message.as_mut());
        // A job may have copied a value into any property.
        item.run.error_message.iter_mut().chain(item.run.properties.values_mut()).chain(of_nodes).collect()
    }

    fn strip_to_head(&mut self) {
        let GlueWorkflowRunSpec { workflow_name, run_id, resume, policy, .. } = std::mem::take(&mut self.spec);
        self.spec = GlueWorkflowRunSpec { workflow_name, run_id, resume, policy, ..GlueWorkflowRunSpec::default() };
    }
}

impl RunKind for GlueWorkflowRun {
    const NOUN: &'static str = "workflow run";
    const TARGET: &'static str = "workflow";
    const JOB_KIND: JobKind = JobKind::Workflow;
    type Identification = ByKey;

    fn policy(&self) -> &RunPolicy {
        &self.spec.policy
    }

    fn follow(&self) -> Option<&str> {
        self.spec.run_id.as_deref()
    }

    fn target(&self) -> &str {
        &self.spec.workflow_name
    }

    fn run_status(status: &GlueWorkflowRunStatus) -> &RunStatus {
        &status.run
    }

    fn source(&self, client: &Glue) -> WorkflowRunSource {
        let workflow = self.spec.workflow_name.clone();
        WorkflowRunSource { client: client.clone(), workflow, read_nodes: ReadNodes::OnChange }
    }

    fn resume(&self) -> Option<&str> {
        self.spec.resume.as_deref()
    }

    /// Run properties disturb no script: they are sent even where job runs carry no key.
    fn carries_key(_: &Glue) -> bool {
        true
    }

    fn observe(&self, item: &WorkflowRunItem) -> Option<ObservedRun> {
        let failure = match (&item.run.state, self.spec.succeed_when.unwrap_or_default()) {
            (WorkflowRunState::Completed, SucceedWhen::Completed) => None,
            _ => item.failure(),
        };
        let failed = item.run.state == WorkflowRunState::Completed && failure.is_some();
        Some(ObservedRun {
            id: item.run.id.clone(),
            state: item.run.state.as_str().to_owned(),
            phase: render::phase(&item.run.state, failed),
            attempt: item.attempt,
            retry_expected: false,
            message: failure.filter(|message| !message.is_empty()).as_deref().map(truncated),
            reason: failed.then_some(Reason::ActionsFailed),
        })
    }

    fn ended_on(item: &WorkflowRunItem) -> Option<Timestamp> {
        item.run.completed_on
    }

    fn render(&self, client: Option<&Glue>, run: RunStatus, item: Option<&WorkflowRunItem>) -> GlueWorkflowRunStatus {
        let region = client.map(|client| client.identity().region.as_str());
        let key_property = client.map(Glue::run_key_property);
        render::status(self, region, key_property, run, item)
    }

    fn started_for(item: &WorkflowRunItem) -> Option<&str> {
        item.run.started_for.as_deref()
    }

    fn given(&self, item: &WorkflowRunItem) -> Result<Vec<Sensitive>, Withheld> {
        properties::given(self, &item.run)
    }

    fn runs(&self, item: &WorkflowRunItem) -> Vec<RunSight> {
        let failed = self.observe(item).is_some_and(|run| run.phase.is_failure());
        sights::of_workflow_run(self.target(), item, failed)
    }

    fn has_ended(status: &GlueWorkflowRunStatus, run: &str) -> bool {
        lineage::has_ended(status, run)
    }

    async fn look_up(
        &self,
        client: &Glue,
        query: &RunQuery,
        is_taken: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<Option<WorkflowRunItem>, Error> {
        let is_deleted = self.metadata.deletion_timestamp.is_some();
        let urgency = if is_deleted { Priority::Stop } else { Priority::Search };
        if let Some(before) = &query.resumes {
            let found = self.continuation_of(client, before, urgency).await?.map(|(item, _)| item);
            return Ok(found.filter(|item| !is_taken(&item.run.id)));
        }
        let property = client.run_key_property();
        let wanted = OfAttempt { property, base: &query.base_key, number: query.attempt };
        let since = earliest_start(query);
        search::find(client, self.target(), wanted, since, urgency, |id| self.has_run(id)).await
    }

    async fn has_place(&self, client: &Glue) -> Result<bool, Error> {
        let Some(places) = client.workflow_max_concurrent_runs(self.target()).await? else { return Ok(true) };
        let newest = client.workflow_runs(self.target(), PAGE_SIZE, None, Priority::Poll).await?;
        let live = newest.items.iter().filter(|run| !run.state.is_final()).count();
        Ok(live < usize::try_from(places).unwrap_or_default())
    }

    async fn resumable(&self, client: &Glue, run: &str) -> Result<Resumable<WorkflowRunItem>, Error> {
        let (resumed_by, item) = match self.continuation_of(client, run, Priority::Search).await? {
            Some((item, before)) => (Some(item), before),
            None => (None, None),
        };
        let item = match item {
            Some(item) => item,
            None => client.workflow_run_with_nodes(self.target(), run, Priority::Search).await?,
        };
        let nodes = nodes::to_resume(&item, self.spec.resume_nodes.as_deref());
        let (nodes, obstacle) = match nodes {
            Ok(nodes) => (nodes, None),
            Err(obstacle) => (Vec::new(), Some(obstacle)),
        };
        Ok(Resumable { resumed_by, nodes, obstacle })
    }

    async fn start(&self, client: &Glue, attempt: &Attempt, inputs: &RunProperties) -> Result<Option<String>, Error> {
        let workflow = self.target();
        let started = if let Some(resumes) = &attempt.resumes {
            client.resume_workflow_run(workflow, &resumes.run_id, &resumes.node_ids).await
        } else {
            let mut properties = inputs.exposed();
            properties.insert(client.run_key_property().to_owned(), attempt.key.clone());
            client.start_workflow_run(workflow, properties).await
        };
        started.map(Some)
    }

    async fn stop(&self, client: &Glue, id: &str) -> Result<(), Error> {
        match client.stop_workflow_run(self.target(), id).await {
            // Glue does not know it, or not any more: the poller will show that.
            Err(error) if matches!(error.kind, ErrorKind::NotFound) => Ok(()),
            answer => answer,
        }
    }
}

impl GlueWorkflowRun {
    /// A run that resumes `before` and that no attempt has; with `before` as Glue shows it, where that was asked for.
    async fn continuation_of(
        &self,
        client: &Glue,
        before: &str,
        urgency: Priority,
    ) -> Result<Option<(WorkflowRunItem, Option<WorkflowRunItem>)>, Error> {
        let workflow = self.target();
        let followers = search::followers(client, workflow, before, urgency).await?;
        let base = base_key(&self.metadata, &self.spec.policy);
        let mut ended = None;
        for run in followers.into_iter().filter(|run| !self.has_run(&run.id)) {
            match run.properties.get(client.run_key_property()).and_then(|key| parse_attempt_key(key)) {
                Some((of_run, _)) if of_run == base => return Ok(Some((WorkflowRunItem::without_nodes(run), ended))),
                Some(_) => continue,
                None => {}
            }
            // It may be any run that began after it.
            let ended_run = match &ended {
                Some(ended_run) => ended_run,
                None => ended.insert(client.workflow_run_with_nodes(workflow, before, urgency).await?),
            };
            let candidate = client.workflow_run_with_nodes(workflow, &run.id, urgency).await?;
            if nodes::resumes(ended_run, &candidate, self.spec.resume_nodes.as_deref()) {
                return Ok(Some((candidate, ended)));
            }
        }
        Ok(None)
    }

    /// Whether an attempt has this run already.
    fn has_run(&self, id: &str) -> bool {
        let attempts = self.status.as_ref().map(|status| status.run.attempts.as_slice()).unwrap_or_default();
        attempts.iter().any(|attempt| attempt.id.as_deref() == Some(id))
    }
}
