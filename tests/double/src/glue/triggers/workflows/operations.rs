//! The operations on workflows and their runs.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Properties, Settings, Workflow, view::RunView};
use crate::{
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Named, Operation, Reply, operations, reply, reply_to_batch},
        page::Paging,
    },
};

const DEFAULT_PAGE: usize = 25;

pub(in crate::glue::triggers) const OPERATIONS: &[Operation] = operations! { "workflow":
    CreateWorkflow("/Name") => create,
    GetWorkflow("/Name") => get,
    BatchGetWorkflows("") => batch_get,
    ListWorkflows("") => list,
    DeleteWorkflow("/Name") => delete,
    StartWorkflowRun("/Name") => start_run,
    StopWorkflowRun("/Name") => stop_run,
    ResumeWorkflowRun("/Name") => resume_run,
    GetWorkflowRun("/Name") => get_run,
    GetWorkflowRuns("/Name") => get_runs,
    GetWorkflowRunProperties("/Name") => get_properties,
    PutWorkflowRunProperties("/Name") => put_properties,
};

/// A request about one run.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfRun {
    name: String,
    run_id: String,
    include_graph: Option<bool>,
}

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
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        include_graph: Option<bool>,
    }
    let Request { name, include_graph } = input.read()?;
    let view = region.workflow_view(&name, region.workflow(&name)?, include_graph == Some(true));
    reply(&json!({ "Workflow": view }))
}

fn batch_get(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        include_graph: Option<bool>,
    }
    let Request { include_graph } = input.read()?;
    reply_to_batch(input, ["Workflows", "MissingWorkflows"], |name| {
        let (name, workflow) = region.workflows.by_name.get_key_value(name)?;
        Some(region.workflow_view(name, workflow, include_graph == Some(true)))
    })
}

fn list(region: &mut Region, input: &Input<'_>) -> Reply {
    let paging: Paging = input.read()?;
    let names = region.workflows.by_name.keys().map(|name| (&**name, &**name));
    paging.by_name("ListWorkflows", names, DEFAULT_PAGE)?.reply("Workflows")
}

fn delete(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    region.workflows.by_name.remove(name.as_str());
    region.workflows.of_origin.retain(|_, (workflow, _)| **workflow != *name);
    region.forget_tags("workflow", &name);
    reply(&json!({ "Name": name }))
}

fn start_run(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        #[serde(default)]
        run_properties: Properties,
    }
    let Request { name, run_properties } = input.read()?;
    let id = region.start_workflow_run(&name, run_properties)?;
    reply(&json!({ "RunId": id }))
}

fn stop_run(region: &mut Region, input: &Input<'_>) -> Reply {
    let OfRun { name, run_id, .. } = input.read()?;
    region.stop_workflow_run(&name, &run_id)?;
    reply(&json!({}))
}

fn resume_run(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        run_id: String,
        node_ids: Vec<String>,
    }
    let Request { name, run_id, node_ids } = input.read()?;
    if node_ids.is_empty() {
        return Err(AwsError::invalid("NodeIds cannot be null or empty"));
    }
    let id = region.resume_workflow_run(&name, &run_id, &node_ids)?;
    reply(&json!({ "RunId": id, "NodeIds": node_ids }))
}

fn get_run(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        run: RunView<'a>,
    }
    let OfRun { name, run_id, include_graph } = input.read()?;
    let run = region.workflow_run(&name, &run_id)?;
    reply(&Answer { run: region.workflow_run_view(&name, run, include_graph == Some(true)) })
}

fn get_runs(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        include_graph: Option<bool>,
        #[serde(flatten)]
        paging: Paging,
    }
    let Request { name, include_graph, paging } = input.read()?;
    let runs = &region.workflow(&name)?.runs;
    let view = |run| region.workflow_run_view(&name, run, include_graph == Some(true));
    paging.newest_first(&format!("GetWorkflowRuns {name}"), runs, DEFAULT_PAGE, view)?.reply("Runs")
}

fn get_properties(region: &mut Region, input: &Input<'_>) -> Reply {
    let OfRun { name, run_id, .. } = input.read()?;
    reply(&json!({ "RunProperties": region.workflow_run(&name, &run_id)?.properties }))
}

/// "If a property already exists for the specified run, then it overrides the value otherwise adds the property to existing
/// properties" (`PutWorkflowRunProperties`, AWS Glue API reference).
fn put_properties(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        run_id: String,
        run_properties: Properties,
    }
    let Request { name, run_id, run_properties } = input.read()?;
    let origin = region.workflow_run(&name, &run_id)?.origin;
    if let Some(run) = region.workflows.run_mut(origin) {
        run.properties.extend(run_properties);
    }
    reply(&json!({}))
}
