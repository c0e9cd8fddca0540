//! Workflow runs. Each has one action.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{KEY_ARGUMENT, Searching, Simulated, Wanted};
use crate::api::GlueWorkflowRun;
use crate::api::run::RunStatus;
use crate::api::workflow_run::GlueWorkflowRunSpec;
use crate::controllers::run::RunKind;
use crate::controllers::run::facts::ObservedRun;
use crate::controllers::run::sharing;
use crate::controllers::runtime::shared_runs::Need;
use crate::controllers::workflow_run::earliest_start;
use crate::glue::Error;
use crate::glue::aws::key_property;
use crate::glue::job_runs::{JobRunState, namespace_of_key};
use crate::glue::poller::listing::{LONGEST_SEARCH, Page};
use crate::glue::workflow_runs::search::{OfAttempt, find_in};
use crate::glue::workflow_runs::source::{ReadNodes, WorkflowRunReader, WorkflowRunSource};
use crate::glue::workflow_runs::{Statistics, WorkflowRun, WorkflowRunItem, WorkflowRunState};
use crate::simulation::cluster::Object;
use crate::simulation::glue::episode::Operation;
use crate::simulation::glue::job::Listed;
use crate::simulation::mailbox::Mailbox;
use crate::simulation::mutations::Mutation;
use crate::simulation::polls::Reads;
use crate::simulation::process::Process;

/// The objects of the world are workflow runs.
#[derive(Debug)]
pub struct WorkflowRuns;

impl Simulated for WorkflowRuns {
    type Object = GlueWorkflowRun;
    type Source = WorkflowRunSource<Reads>;
    type Item = WorkflowRunItem;
    type Found = Option<WorkflowRunItem>;

    const LONGEST_SEARCH: Duration = LONGEST_SEARCH;
    /// The graph.
    const CALLS_FOR_CHANGE: usize = 1;

    fn operation(operation: Operation) -> &'static str {
        match operation {
            Operation::Start => "StartWorkflowRun",
            Operation::Stop => "StopWorkflowRun",
            Operation::List => "GetWorkflowRuns",
            Operation::Get => "GetWorkflowRun",
            Operation::GetTarget => "GetWorkflow",
        }
    }

    fn source(client: Reads, workflow: String) -> WorkflowRunSource<Reads> {
        WorkflowRunSource { client, workflow, read_nodes: ReadNodes::OnChange }
    }

    fn parts(source: &WorkflowRunSource<Reads>) -> (&Reads, &str) {
        (&source.client, &source.workflow)
    }

    fn need(object: &Object, status: &RunStatus) -> Need {
        let spec = GlueWorkflowRunSpec {
            workflow_name: object.target.clone(),
            policy: object.policy.clone(),
            ..GlueWorkflowRunSpec::default()
        };
        sharing::need(&GlueWorkflowRun { metadata: object.meta.clone(), spec, status: None }, status)
    }

    fn observed(item: &WorkflowRunItem) -> Option<ObservedRun> {
        GlueWorkflowRun::new("", GlueWorkflowRunSpec::default()).observe(item)
    }

    /// As `look_up` of the kind.
    fn search(_: &mut Process<Self>, mailbox: Mailbox, wanted: &Wanted<'_>) -> Searching<Option<WorkflowRunItem>> {
        let (workflow, query) = (wanted.object.target.clone(), wanted.query.clone());
        let ends_early = wanted.mutation == Some(Mutation::SearchesReadOnePage);
        let only_first = wanted.mutation == Some(Mutation::OnlyTheFirstAttemptIsFound);
        let attempts = wanted.object.status.attempts.clone();
        Box::pin(async move {
            let read = async |token| {
                let (runs, next) = mailbox.list(&workflow, token).await?;
                let items = runs.into_iter().map(workflow_run).collect();
                Ok(Page { items, next: next.filter(|_| !ends_early) })
            };
            let number = query.attempt.or(only_first.then_some(0));
            let wanted = OfAttempt { property: key_property(Some(KEY_ARGUMENT)), base: &query.base_key, number };
            let is_recorded = |id: &str| attempts.iter().any(|attempt| attempt.id.as_deref() == Some(id));
            find_in(read, &workflow, wanted, earliest_start(&query), is_recorded).await
        })
    }

    fn pick(found: Option<WorkflowRunItem>, _: Option<u32>, _: impl Fn(&str) -> bool) -> Option<ObservedRun> {
        Self::observed(&found?)
    }
}

impl WorkflowRunReader for Reads {
    async fn page(&self, workflow: &str, token: Option<String>) -> Result<Page<WorkflowRun>, Error> {
        let (runs, next) = self.mailbox.list(workflow, token).await?;
        Ok(Page { items: runs.into_iter().map(workflow_run).collect(), next })
    }

    async fn run(&self, workflow: &str, id: &str) -> Result<WorkflowRun, Error> {
        Ok(workflow_run(self.mailbox.get(workflow, id).await?))
    }

    async fn run_with_nodes(&self, workflow: &str, id: &str) -> Result<WorkflowRunItem, Error> {
        let run = WorkflowRunReader::run(self, workflow, id).await?;
        let nodes_of = Some((run.state.clone(), run.statistics));
        Ok(WorkflowRunItem { nodes_of, ..WorkflowRunItem::without_nodes(run) })
    }
}

/// The run of the model as a run of a workflow with one action, which starts with it: Glue completes it, whatever becomes of
/// the action.
fn workflow_run((run, key): Listed) -> WorkflowRun {
    let mut statistics = Statistics { total: 1, ..Statistics::default() };
    let state = match run.state {
        JobRunState::Succeeded => {
            statistics.succeeded = 1;
            WorkflowRunState::Completed
        }
        JobRunState::Stopping => WorkflowRunState::Stopping,
        JobRunState::Stopped => {
            statistics.stopped = 1;
            WorkflowRunState::Stopped
        }
        state if state.is_final() => {
            statistics.failed = 1;
            WorkflowRunState::Completed
        }
        _ => {
            statistics.running = 1;
            WorkflowRunState::Running
        }
    };
    WorkflowRun {
        id: run.id,
        state,
        started_for: namespace_of_key(&key).map(str::to_owned),
        previous: None,
        properties: BTreeMap::from([(key_property(Some(KEY_ARGUMENT)).to_owned(), key)]),
        started_on: run.started_on,
        completed_on: run.completed_on,
        error_message: None,
        statistics: Some(statistics),
    }
}
