//! Workflows, and their runs: each is a chain of firings.

mod operations;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) use self::operations::OPERATIONS;
use super::Origin;
use crate::{clock::Time, error::AwsError, glue::Region, wire::random_hex};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_concurrent_runs: Option<usize>,
    #[serde(skip_serializing)]
    tags: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "the names are Glue's")]
struct Statistics {
    total_actions: u32,
    timeout_actions: u32,
    failed_actions: u32,
    stopped_actions: u32,
    succeeded_actions: u32,
    running_actions: u32,
    errored_actions: u32,
    waiting_actions: u32,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "the names are Glue's")]
struct WorkflowRun {
    name: String,
    workflow_run_id: String,
    started_on: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_on: Option<Time>,
    status: &'static str,
    statistics: Statistics,
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
}

impl Workflows {
    pub(super) fn of_origin(&self, origin: Origin) -> Option<Arc<str>> {
        self.of_origin.get(&origin).map(|(name, _)| name.clone())
    }

    fn run(&mut self, origin: Origin) -> Option<&mut WorkflowRun> {
        let (name, run) = self.of_origin.get(&origin)?;
        self.by_name.get_mut(name)?.runs.get_mut(*run)
    }
}

impl Region {
    pub(super) fn workflow(&self, name: &str) -> Result<&Workflow, AwsError> {
        self.workflows.by_name.get(name).ok_or_else(|| AwsError::not_found(format!("Workflow {name} not found.")))
    }

    /// Begins a workflow run for a chain; returns its id.
    pub(super) fn begin_workflow_run(&mut self, name: &str, origin: Origin) -> Result<String, AwsError> {
        let now = self.now();
        let workflow = self.workflow(name)?;
        let live = workflow.runs.iter().filter(|run| run.completed_on.is_none()).count();
        if workflow.settings.max_concurrent_runs.is_some_and(|most| live >= most) {
            return Err(AwsError::modelled(
                "ConcurrentRunsExceededException",
                format!("Concurrent runs exceeded for workflow {name}"),
            ));
        }
        let id = format!("wr_{}", random_hex(64));
        let run = workflow.runs.len();
        self.workflows.of_origin.insert(origin, (name.into(), run));
        if let Some(workflow) = self.workflows.by_name.get_mut(name) {
            workflow.runs.push(WorkflowRun {
                name: name.to_owned(),
                workflow_run_id: id.clone(),
                started_on: now,
                completed_on: None,
                status: "RUNNING",
                statistics: Statistics::default(),
            });
        }
        Ok(id)
    }

    pub(super) fn workflow_action_started(&mut self, origin: Origin) {
        if let Some(run) = self.workflows.run(origin) {
            run.statistics.total_actions += 1;
            run.statistics.running_actions += 1;
        }
    }

    pub(super) fn workflow_action_refused(&mut self, origin: Origin) {
        if let Some(run) = self.workflows.run(origin) {
            run.statistics.total_actions += 1;
            run.statistics.errored_actions += 1;
        }
        self.complete_workflow_run(origin);
    }

    pub(super) fn workflow_action_ended(&mut self, origin: Origin, state: &str) {
        if let Some(run) = self.workflows.run(origin) {
            let counts = &mut run.statistics;
            // A run that fails for want of a slot ends before its start is counted.
            counts.running_actions = counts.running_actions.saturating_sub(1);
            match state {
                "SUCCEEDED" => counts.succeeded_actions += 1,
                "TIMEOUT" => counts.timeout_actions += 1,
                "STOPPED" | "CANCELLED" => counts.stopped_actions += 1,
                "ERROR" => counts.errored_actions += 1,
                _ => counts.failed_actions += 1,
            }
        }
        self.complete_workflow_run(origin);
    }

    fn complete_workflow_run(&mut self, origin: Origin) {
        let now = self.now();
        if let Some(run) = self.workflows.run(origin)
            && run.statistics.running_actions == 0
        {
            run.completed_on = Some(now);
            run.status = "COMPLETED";
        }
    }
}
