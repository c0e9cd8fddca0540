//! The operations on workflows and their runs.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Settings, Workflow, WorkflowRun};
use crate::{
    clock::Time,
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Named, Operation, Reply, operations, reply},
        page::Paging,
        triggers::TriggerType,
    },
};

const DEFAULT_PAGE: usize = 25;

pub(in crate::glue::triggers) const OPERATIONS: &[Operation] = operations! { "workflow":
    CreateWorkflow("/Name") => create,
    GetWorkflow("/Name") => get,
    ListWorkflows("") => list,
    DeleteWorkflow("/Name") => delete,
    StartWorkflowRun("/Name") => start_run,
    GetWorkflowRun("/Name") => get_run,
    GetWorkflowRuns("/Name") => get_runs,
};

fn create(region: &mut Region, input: &Input<'_>) -> Reply {
    let settings: Settings = input.read()?;
    let name = settings.name.clone();
    if region.workflow(&name).is_ok() {
        return Err(AwsError::exists(format!("Workflow with name {name} already exists")));
    }
    region.start_tags("workflow", &name, settings.tags.clone());
    let workflow = Workflow { settings, created_on: region.now(), runs: Vec::new() };
    region.workflows.by_name.insert(name.as_str().into(), workflow);
    reply(&json!({ "Name": name }))
}

fn get(region: &mut Region, input: &Input<'_>) -> Reply {
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

fn list(region: &mut Region, input: &Input<'_>) -> Reply {
    let paging: Paging = input.read()?;
    let names = region.workflows.by_name.keys().map(|name| (&**name, &**name));
    paging.by_name("ListWorkflows", names, DEFAULT_PAGE)?.reply("Workflows")
}

fn delete(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    region.workflows.by_name.remove(name.as_str());
    region.forget_tags("workflow", &name);
    reply(&json!({ "Name": name }))
}

fn start_run(region: &mut Region, input: &Input<'_>) -> Reply {
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

fn get_run(region: &mut Region, input: &Input<'_>) -> Reply {
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

fn get_runs(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        #[serde(flatten)]
        paging: Paging,
    }
    let Request { name, paging } = input.read()?;
    let runs = &region.workflow(&name)?.runs;
    paging.newest_first(&format!("GetWorkflowRuns {name}"), runs, DEFAULT_PAGE, |run| run)?.reply("Runs")
}
