//! The run as Glue shows it, in the status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::run::{Phase, RunStatus};
use crate::api::workflow_run::{ActionCounts, MAX_NODES, MAX_SHOWN_PROPERTIES, NodeStatus, NodeType};
use crate::api::{GlueWorkflowRun, GlueWorkflowRunStatus};
use crate::controllers::run::links;
use crate::controllers::runtime::text::{duration, truncated};
use crate::glue::workflow_runs::{Node, NodeKind, NodeOutcome, Statistics, WorkflowRunItem, WorkflowRunState};

/// The most characters of a node's message, and of a property's value.
const MAX_SHORT_TEXT: usize = 256;

/// The status, from the part that all runs share and from the run as it was observed last. `key_property` carries the run's
/// key, and is not shown.
pub(super) fn status(
    object: &GlueWorkflowRun,
    region: Option<&str>,
    key_property: Option<&str>,
    run: RunStatus,
    observed: Option<&WorkflowRunItem>,
) -> GlueWorkflowRunStatus {
    let id = run.attempt().and_then(|attempt| attempt.id.clone());
    let before = object.status.clone().unwrap_or_default();
    // A run that a lookup found comes without its nodes.
    let observed = observed.filter(|item| Some(&item.run.id) == id.as_ref() && item.nodes_of.is_some());
    match observed {
        Some(item) => {
            let links = region.map(|region| links::workflow_run(region, &object.spec.workflow_name, &item.run.id));
            GlueWorkflowRunStatus { links: links.or(before.links), ..shown(run, item, key_property) }
        }
        // Nothing newer is known: what the status shows of this run stays.
        None if before.run_id == id => GlueWorkflowRunStatus { run, ..before },
        None => GlueWorkflowRunStatus { run, run_id: id, ..GlueWorkflowRunStatus::default() },
    }
}

/// The phase of Glue's state; `failed` where Glue has completed the run and that is not enough.
pub(super) fn phase(state: &WorkflowRunState, failed: bool) -> Phase {
    match state {
        WorkflowRunState::Running => Phase::Running,
        WorkflowRunState::Completed if failed => Phase::Failed,
        WorkflowRunState::Completed => Phase::Succeeded,
        WorkflowRunState::Stopping => Phase::Stopping,
        WorkflowRunState::Stopped => Phase::Stopped,
        WorkflowRunState::Error => Phase::Error,
        WorkflowRunState::Unknown(_) => Phase::Unknown,
    }
}

fn shown(run: RunStatus, item: &WorkflowRunItem, key_property: Option<&str>) -> GlueWorkflowRunStatus {
    let observed = &item.run;
    let over = observed.state.is_final();
    let mut nodes: Vec<_> = item.nodes.iter().collect();
    nodes.sort_by_key(|node| rank(node));
    let omitted = nodes.len().saturating_sub(MAX_NODES);
    let properties = observed.properties.iter().filter(|(name, _)| Some(name.as_str()) != key_property);
    GlueWorkflowRunStatus {
        run,
        run_id: Some(observed.id.clone()),
        previous_run_id: observed.previous.clone(),
        started_at: observed.started_on.map(Time),
        completed_at: observed.completed_on.filter(|_| over).map(Time),
        duration: observed.started_on.zip(observed.completed_on).filter(|_| over).map(|(from, to)| duration(from, to)),
        progress: observed.statistics.map(|counts| format!("{}/{}", counts.succeeded, counts.total)),
        statistics: observed.statistics.map(counts),
        nodes: nodes.into_iter().take(MAX_NODES).map(node_status).collect(),
        omitted_nodes: u32::try_from(omitted).unwrap_or(u32::MAX),
        run_properties: properties
            .take(MAX_SHOWN_PROPERTIES)
            .map(|(name, value)| (name.clone(), short(value)))
            .collect(),
        links: None,
        error_message: item.failure().filter(|message| !message.is_empty()).as_deref().map(truncated),
    }
}

/// Those that failed come first, then those that run, that have ended, and that have not begun.
fn rank(node: &Node) -> u8 {
    match node.newest.as_ref().map(|newest| newest.outcome) {
        Some(NodeOutcome::Failed) => 0,
        Some(NodeOutcome::Live) => 1,
        Some(NodeOutcome::Succeeded) => 2,
        None => 3,
    }
}

fn node_status(node: &Node) -> NodeStatus {
    let newest = node.newest.as_ref();
    NodeStatus {
        type_: match node.kind {
            NodeKind::Job => NodeType::Job,
            NodeKind::Crawler => NodeType::Crawler,
        },
        name: node.name.clone(),
        state: newest.map(|newest| newest.state.clone()),
        run_id: newest.and_then(|newest| newest.id.clone()),
        started_at: newest.and_then(|newest| newest.started_on).map(Time),
        completed_at: newest.and_then(|newest| newest.completed_on).map(Time),
        error_message: newest.and_then(|newest| newest.error_message.as_deref()).map(short),
    }
}

fn counts(statistics: Statistics) -> ActionCounts {
    let Statistics { total, succeeded, failed, errored, timed_out, stopped, running, waiting } = statistics;
    ActionCounts { total, succeeded, failed, errored, timed_out, stopped, running, waiting }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_SHORT_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::workflow_runs::{NodeRun, WorkflowRun};

    fn node(number: usize, outcome: Option<NodeOutcome>) -> Node {
        let (id, error_message) = (Some(format!("jr_{}", "x".repeat(64))), Some("é".repeat(5000)));
        let newest = outcome.map(|outcome| NodeRun { id, error_message, ..NodeRun::fixture("ANY", outcome) });
        Node::fixture(&format!("job-{number:03}"), newest)
    }

    #[test]
    fn failed_nodes_come_first_and_the_status_stays_small() {
        let mut nodes: Vec<_> = (0..70).map(|number| node(number, Some(NodeOutcome::Succeeded))).collect();
        nodes.extend([node(70, None), node(71, Some(NodeOutcome::Live)), node(72, Some(NodeOutcome::Failed))]);
        let mut run = WorkflowRun::fixture("wr_1", WorkflowRunState::Running);
        run.statistics = Some(Statistics { total: 73, succeeded: 70, failed: 1, ..Statistics::default() });
        run.properties = (0..200).map(|number| (format!("p{number}"), "v".repeat(60_000))).collect();
        run.properties.insert("kube-glue-run".to_owned(), "uid/0".to_owned());
        let item = WorkflowRunItem { nodes, ..WorkflowRunItem::without_nodes(run) };
        let status = shown(RunStatus::default(), &item, Some("kube-glue-run"));
        let first: Vec<_> = status.nodes.iter().take(3).map(|node| node.name.as_str()).collect();
        assert_eq!(first, ["job-072", "job-071", "job-000"]);
        assert_eq!((status.nodes.len(), status.omitted_nodes), (MAX_NODES, 23));
        assert_eq!(status.progress.as_deref(), Some("70/73"));
        assert!(!status.run_properties.contains_key("kube-glue-run"));
        let bytes = serde_json::to_string(&status).expect("JSON").len();
        assert!(bytes < 64 * 1024, "{bytes} bytes");
    }
}
