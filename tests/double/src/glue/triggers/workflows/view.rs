//! A workflow and its runs as Glue shows them.

use serde::Serialize;

use super::{Properties, RunState, Settings, Workflow, WorkflowRun, graph::Graph};
use crate::{clock::Time, glue::Region, glue::runs::JobRunState};

/// Glue's `WorkflowRunStatistics`. A retry that Glue makes by itself counts as another action: seen in a report of a run
/// on AWS with three jobs that failed and were retried, and `FailedActions` of 6.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "the names are Glue's")]
struct Statistics {
    total_actions: usize,
    timeout_actions: usize,
    failed_actions: usize,
    stopped_actions: usize,
    succeeded_actions: usize,
    running_actions: usize,
    errored_actions: usize,
    waiting_actions: usize,
}

/// Glue's `WorkflowRun`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RunView<'a> {
    name: &'a str,
    workflow_run_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_run_id: Option<&'a str>,
    workflow_run_properties: &'a Properties,
    started_on: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_on: Option<Time>,
    status: RunState,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    statistics: Statistics,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<Graph>,
}

/// Glue's `Workflow`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WorkflowView<'a> {
    #[serde(flatten)]
    settings: &'a Settings,
    created_on: Time,
    last_modified_on: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run: Option<RunView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<Graph>,
}

impl Region {
    pub(super) fn workflow_view<'a>(&'a self, name: &'a str, workflow: &'a Workflow, graph: bool) -> WorkflowView<'a> {
        let Workflow { settings, created_on, runs } = workflow;
        WorkflowView {
            settings,
            created_on: *created_on,
            last_modified_on: *created_on,
            last_run: runs.last().map(|run| self.workflow_run_view(name, run, graph)),
            graph: graph.then(|| self.graph(name, None)),
        }
    }

    pub(super) fn workflow_run_view<'a>(&'a self, workflow: &'a str, run: &'a WorkflowRun, graph: bool) -> RunView<'a> {
        RunView {
            name: workflow,
            workflow_run_id: &run.id,
            previous_run_id: run.previous.as_deref(),
            workflow_run_properties: &run.properties,
            started_on: run.started_on,
            completed_on: run.completed_on,
            status: run.state,
            error_message: run.error.as_deref(),
            statistics: self.statistics(run),
            graph: graph.then(|| self.graph(workflow, Some(run))),
        }
    }

    fn statistics(&self, run: &WorkflowRun) -> Statistics {
        let mut counts =
            Statistics { total_actions: run.actions, errored_actions: run.refused, ..Statistics::default() };
        for number in &run.job_runs {
            match self.runs.get(*number).state {
                JobRunState::Starting | JobRunState::Running | JobRunState::Stopping => counts.running_actions += 1,
                JobRunState::Waiting => counts.waiting_actions += 1,
                JobRunState::Succeeded => counts.succeeded_actions += 1,
                JobRunState::Failed => counts.failed_actions += 1,
                JobRunState::Timeout => counts.timeout_actions += 1,
                JobRunState::Stopped => counts.stopped_actions += 1,
                JobRunState::Error => counts.errored_actions += 1,
                // Glue has no count of them.
                JobRunState::Expired => {}
            }
        }
        for (crawler, id) in &run.crawls {
            match self.crawl_of_chain(crawler, id).map(|crawl| crawl.state) {
                Some("SUCCEEDED") => counts.succeeded_actions += 1,
                Some("CANCELLED") => counts.stopped_actions += 1,
                Some("RUNNING" | "CANCELLING") => counts.running_actions += 1,
                Some(_) => counts.failed_actions += 1,
                None => {}
            }
        }
        counts
    }
}
