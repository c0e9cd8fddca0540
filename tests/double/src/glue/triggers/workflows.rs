//! Workflows: triggers that belong together, and runs of them as a whole.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Origin, TriggerType};
use crate::{
    clock::Time,
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Operation, reply},
        page,
    },
    wire::random_hex,
};

const DEFAULT_PAGE: usize = 25;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateWorkflow", resource: "workflow", subject: "/Name", run: create },
    Operation { name: "GetWorkflow", resource: "workflow", subject: "/Name", run: get },
    Operation { name: "ListWorkflows", resource: "workflow", subject: "", run: list },
    Operation { name: "DeleteWorkflow", resource: "workflow", subject: "/Name", run: delete },
    Operation { name: "StartWorkflowRun", resource: "workflow", subject: "/Name", run: start_run },
    Operation { name: "GetWorkflowRun", resource: "workflow", subject: "/Name", run: get_run },
    Operation { name: "GetWorkflowRuns", resource: "workflow", subject: "/Name", run: get_runs },
];

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
    /// Which run of which workflow began with a firing.
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

    /// Begins a run of a workflow with a firing; returns its id.
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
            // A run that failed at once (no slot) ends before its start is counted.
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

fn create(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let settings: Settings = input.read()?;
    let name = settings.name.clone();
    if region.workflow(&name).is_ok() {
        return Err(AwsError::exists(format!("Workflow with name {name} already exists")));
    }
    let arn = region.arn("workflow", &name);
    region.tags.start(arn, settings.tags.clone());
    let workflow = Workflow { settings, created_on: region.now(), runs: Vec::new() };
    region.workflows.by_name.insert(name.as_str().into(), workflow);
    reply(&json!({ "Name": name }))
}

fn get(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct View<'a> {
        #[serde(flatten)]
        settings: &'a Settings,
        created_on: Time,
        last_modified_on: Time,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_run: Option<&'a WorkflowRun>,
    }
    let Named { name } = input.read()?;
    let Workflow { settings, created_on, runs } = region.workflow(&name)?;
    let view = View { settings, created_on: *created_on, last_modified_on: *created_on, last_run: runs.last() };
    reply(&json!({ "Workflow": view }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Paging {
    next_token: Option<String>,
    max_results: Option<usize>,
}

fn list(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let paging: Paging = input.read()?;
    let names = region.workflows.by_name.keys().map(|name| (&**name, &**name));
    let size = paging.max_results.unwrap_or(DEFAULT_PAGE);
    let (page, next) = page::by_name("ListWorkflows", names, paging.next_token.as_deref(), size)?;
    reply(&page::answer("Workflows", &page, next))
}

fn delete(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { name } = input.read()?;
    region.workflows.by_name.remove(name.as_str());
    let arn = region.arn("workflow", &name);
    region.tags.forget(&arn);
    reply(&json!({ "Name": name }))
}

fn start_run(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { name } = input.read()?;
    let origin = region.new_origin();
    let id = region.begin_workflow_run(&name, origin)?;
    let first: Vec<_> = region
        .triggers
        .by_name
        .iter()
        .filter(|(_, trigger)| {
            trigger.settings.workflow_name.as_deref() == Some(&name)
                && trigger.settings.kind != TriggerType::Conditional
        })
        .map(|(name, _)| name.clone())
        .collect();
    for trigger in &first {
        region.fire(trigger, origin, &[]);
    }
    region.complete_workflow_run(origin);
    reply(&json!({ "RunId": id }))
}

fn get_run(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        run_id: String,
    }
    let Request { name, run_id } = input.read()?;
    let run = region.workflow(&name)?.runs.iter().find(|run| run.workflow_run_id == run_id);
    let run = run.ok_or_else(|| AwsError::not_found(format!("Workflow run {run_id} not found.")))?;
    reply(&json!({ "Run": run }))
}

fn get_runs(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        #[serde(flatten)]
        paging: Paging,
    }
    let Request { name, paging } = input.read()?;
    let runs = &region.workflow(&name)?.runs;
    let list = format!("GetWorkflowRuns {name}");
    let end = match &paging.next_token {
        None => runs.len(),
        Some(token) => page::position(&list, token)?.parse().unwrap_or(0).min(runs.len()),
    };
    let begin = end.saturating_sub(paging.max_results.unwrap_or(DEFAULT_PAGE));
    let page: Vec<_> = runs[begin..end].iter().rev().collect();
    reply(&page::answer("Runs", &page, (begin > 0).then(|| page::token(&list, &begin.to_string()))))
}
