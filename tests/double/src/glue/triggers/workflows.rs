//! Workflows and their runs. A run of a workflow is a chain of firings, and has what that chain started.
//!
//! Nothing ends a run early: it is COMPLETED when nothing of its chain is live any more, whatever failed on the way ("Even
//! if one or more nodes in a workflow run don't complete, the workflow run status is shown as COMPLETED", Repairing and
//! resuming a workflow run, AWS Glue developer guide). The statistics count what failed.

mod graph;
mod lifecycle;
mod operations;
#[cfg(test)]
mod tests;
mod view;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) use self::operations::OPERATIONS;
use super::Origin;
use crate::{
    clock::Time,
    error::AwsError,
    glue::{Region, runs::RunNumber},
};

/// Run properties by name.
type Properties = BTreeMap<String, String>;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_run_properties: Option<Properties>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_concurrent_runs: Option<usize>,
    #[serde(skip_serializing)]
    tags: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Glue's `WorkflowRunStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum RunState {
    Running,
    Completed,
    Stopping,
    Stopped,
    Error,
}

/// A run of a workflow.
#[derive(Debug)]
struct WorkflowRun {
    id: String,
    /// The chain that it is.
    origin: Origin,
    /// The run that it resumes.
    previous: Option<String>,
    properties: Properties,
    started_on: Time,
    completed_on: Option<Time>,
    state: RunState,
    error: Option<String>,
    /// How many actions the workflow had at the start. Glue counts those, too, that are never started: its own example of
    /// a COMPLETED run has 11 actions, of which 9 succeeded and none failed ("Viewing blueprint runs", AWS Glue developer
    /// guide).
    actions: usize,
    /// The job runs of its chain, with Glue's own retries of them.
    job_runs: Vec<RunNumber>,
    /// The crawls of its chain: crawler and id.
    crawls: Vec<(Arc<str>, String)>,
    /// How many actions could not be started.
    refused: usize,
}

#[derive(Debug)]
pub(super) struct Workflow {
    settings: Settings,
    created_on: Time,
    runs: Vec<WorkflowRun>,
}

/// The workflows of a region by name.
#[derive(Debug, Default)]
pub struct Workflows {
    by_name: BTreeMap<Arc<str>, Workflow>,
    /// The workflow run of a chain: the workflow's name and the index of the run.
    of_origin: HashMap<Origin, (Arc<str>, usize)>,
    /// How many firings are under way. Meanwhile no run is complete.
    firing: usize,
}

fn not_found(name: &str) -> AwsError {
    AwsError::not_found(format!("Workflow {name} not found."))
}

fn run_not_found(id: &str) -> AwsError {
    AwsError::not_found(format!("Workflow run {id} not found."))
}

impl Workflows {
    pub(super) fn of_origin(&self, origin: Origin) -> Option<Arc<str>> {
        self.of_origin.get(&origin).map(|(name, _)| name.clone())
    }

    fn run(&self, origin: Origin) -> Option<&WorkflowRun> {
        let (name, run) = self.of_origin.get(&origin)?;
        self.by_name.get(name)?.runs.get(*run)
    }

    fn run_mut(&mut self, origin: Origin) -> Option<&mut WorkflowRun> {
        let (name, run) = self.of_origin.get(&origin)?;
        self.by_name.get_mut(name)?.runs.get_mut(*run)
    }

    /// Whether the run of a chain is being stopped, or was: nothing fires in it any more.
    pub(super) fn is_stopped(&self, origin: Origin) -> bool {
        self.run(origin).is_some_and(|run| matches!(run.state, RunState::Stopping | RunState::Stopped))
    }

    /// A job run, or a retry of one, was started in a chain.
    pub(in crate::glue) fn on_job_run(&mut self, origin: Origin, number: RunNumber) {
        if let Some(run) = self.run_mut(origin) {
            run.job_runs.push(number);
        }
    }

    /// A crawl was started in a chain.
    pub(in crate::glue) fn on_crawl(&mut self, origin: Origin, crawler: &str, id: &str) {
        if let Some(run) = self.run_mut(origin) {
            run.crawls.push((crawler.into(), id.to_owned()));
        }
    }
}

impl Region {
    pub(super) fn workflow(&self, name: &str) -> Result<&Workflow, AwsError> {
        self.workflows.by_name.get(name).ok_or_else(|| not_found(name))
    }

    fn workflow_run(&self, name: &str, id: &str) -> Result<&WorkflowRun, AwsError> {
        self.workflow(name)?.runs.iter().rev().find(|run| run.id == id).ok_or_else(|| run_not_found(id))
    }

    /// The triggers of a workflow.
    fn triggers_of<'a>(&'a self, workflow: &'a str) -> impl Iterator<Item = (&'a Arc<str>, &'a super::Trigger)> {
        let is_of = move |trigger: &super::Trigger| trigger.settings.workflow_name.as_deref() == Some(workflow);
        self.triggers.by_name.iter().filter(move |(_, trigger)| is_of(trigger))
    }
}
