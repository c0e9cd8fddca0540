//! A workflow run and the runs of its nodes, for lineage. Pure.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::api::GlueWorkflowRunStatus;
use crate::api::workflow_run::{NodeStatus, NodeType};
use crate::glue::workflow_runs::{Node, NodeKind, NodeRun, WorkflowRunItem};
use crate::lineage::progress::{End, Stage};
use crate::lineage::run::{JobKind, ParentRun, RunSight, Target};

/// The run, and the job runs and crawls that it has started. `failed` when it did not end well.
pub(super) fn runs(workflow: &str, item: &WorkflowRunItem, failed: bool) -> Vec<RunSight> {
    let run = &item.run;
    let (target, state) = (Target::new(JobKind::Workflow, workflow), run.state.as_str());
    let reached = Stage::of_workflow_run(state, if failed { End::Fail } else { End::Complete });
    let parent = ParentRun::Glue { target: target.clone(), id: run.id.clone(), root: None };
    let own = RunSight {
        started: run.started_on,
        ended: run.completed_on,
        message: run.error_message.clone(),
        ..RunSight::new(target, &run.id, state, reached)
    };
    let by_id: HashMap<&str, &Node> = item.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let of_node = |node| of_node(&run.id, node, &by_id, &parent);
    std::iter::once(own).chain(item.nodes.iter().flat_map(of_node)).collect()
}

/// The runs of a node, oldest first: Glue retries jobs by itself.
fn of_node(workflow_run: &str, node: &Node, by_id: &HashMap<&str, &Node>, parent: &ParentRun) -> Vec<RunSight> {
    let upstream = node.upstream.iter().filter_map(|before| {
        let before = by_id.get(before.as_str())?;
        Some((target(before), before.newest.as_ref().map(|run| id(workflow_run, before.kind, &before.name, run))))
    });
    let upstream: Vec<_> = upstream.collect();
    let sight = |run: &NodeRun| {
        let stage = match node.kind {
            NodeKind::Job => Stage::of_job_run(&run.state),
            NodeKind::Crawler => Stage::of_crawl(&run.state),
        };
        RunSight {
            started: run.started_on,
            ended: run.completed_on,
            message: run.error_message.clone(),
            parent: Some(parent.clone()),
            upstream: upstream.clone(),
            ..RunSight::new(target(node), id(workflow_run, node.kind, &node.name, run), &run.state, stage)
        }
    };
    node.earlier.iter().chain(&node.newest).map(sight).collect()
}

fn target(node: &Node) -> Target {
    let kind = match node.kind {
        NodeKind::Job => JobKind::Job,
        NodeKind::Crawler => JobKind::Crawler,
    };
    Target::new(kind, &node.name)
}

/// Glue's id of a job run. It shows none of a crawl: that is identified by its workflow run, its crawler and its start.
fn id(workflow_run: &str, kind: NodeKind, name: &str, run: &NodeRun) -> String {
    run.id.clone().unwrap_or_else(|| crawl_id(workflow_run, kind.noun(), name, run.started_on))
}

fn crawl_id(workflow_run: &str, noun: &str, name: &str, started: Option<Timestamp>) -> String {
    let started = started.map(|started| started.as_second().to_string()).unwrap_or_default();
    format!("{workflow_run}/{noun}/{name}/{started}")
}

/// Whether the status has the end of a run of a node.
pub(super) fn has_ended(status: &GlueWorkflowRunStatus, run: &str) -> bool {
    let of_workflow = status.run_id.as_deref().unwrap_or_default();
    let is_it = |node: &NodeStatus| match (node.type_, &node.run_id) {
        (NodeType::Job, id) => id.as_deref() == Some(run),
        (NodeType::Crawler, _) => {
            let started = node.started_at.as_ref().map(|started| started.0);
            crawl_id(of_workflow, NodeKind::Crawler.noun(), &node.name, started) == run
        }
    };
    let stage = |node: &NodeStatus| {
        let state = node.state.as_deref().unwrap_or_default();
        match node.type_ {
            NodeType::Job => Stage::of_job_run(state),
            NodeType::Crawler => Stage::of_crawl(state),
        }
    };
    status.nodes.iter().any(|node| is_it(node) && matches!(stage(node), Stage::Ended(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::run::RunStatus;
    use crate::controllers::run::RunKind;
    use crate::glue::workflow_runs::{NodeOutcome, WorkflowRun, WorkflowRunState};

    fn run(id: Option<&str>, state: &str, outcome: NodeOutcome, started: i64) -> NodeRun {
        NodeRun {
            id: id.map(str::to_owned),
            state: state.to_owned(),
            outcome,
            started_on: Timestamp::from_second(started).ok(),
            completed_on: None,
            error_message: None,
        }
    }

    fn item() -> WorkflowRunItem {
        let crawler = Node {
            id: "wnode_1".to_owned(),
            kind: NodeKind::Crawler,
            name: "raw".to_owned(),
            newest: Some(run(None, "SUCCEEDED", NodeOutcome::Succeeded, 100)),
            earlier: Vec::new(),
            upstream: Vec::new(),
        };
        let job = Node {
            id: "wnode_2".to_owned(),
            kind: NodeKind::Job,
            name: "etl".to_owned(),
            newest: Some(run(Some("jr_1_attempt_1"), "RUNNING", NodeOutcome::Live, 300)),
            earlier: vec![run(Some("jr_1"), "FAILED", NodeOutcome::Failed, 200)],
            upstream: vec!["wnode_1".to_owned(), "wnode_9".to_owned()],
        };
        let later = Node {
            id: "wnode_3".to_owned(),
            name: "publish".to_owned(),
            newest: None,
            earlier: Vec::new(),
            ..job.clone()
        };
        WorkflowRunItem {
            nodes: vec![crawler, job, later],
            nodes_of: Some((WorkflowRunState::Running, None)),
            ..WorkflowRunItem::without_nodes(WorkflowRun::fixture("wr_1", WorkflowRunState::Running))
        }
    }

    #[test]
    fn each_run_of_a_node_has_the_workflow_run_as_its_parent_and_knows_what_came_before() {
        let runs = runs("nightly", &item(), false);
        let reported: Vec<_> = runs.iter().map(|run| (run.target.name.as_str(), run.id.as_str(), run.stage)).collect();
        assert_eq!(
            reported,
            [
                ("nightly", "wr_1", Stage::Running),
                ("raw", "wr_1/crawler/raw/100", Stage::Ended(End::Complete)),
                ("etl", "jr_1", Stage::Ended(End::Fail)),
                ("etl", "jr_1_attempt_1", Stage::Running),
            ]
        );
        assert_eq!(runs[0].parent, None);
        for run in &runs[1..] {
            let Some(ParentRun::Glue { target, id, .. }) = &run.parent else { panic!("{:?}", run.parent) };
            assert_eq!((target.name.as_str(), id.as_str()), ("nightly", "wr_1"));
        }
        let before = (Target::new(JobKind::Crawler, "raw"), Some("wr_1/crawler/raw/100".to_owned()));
        assert_eq!((&runs[1].upstream, &runs[3].upstream), (&Vec::new(), &vec![before]));
    }

    #[test]
    fn a_workflow_run_that_glue_completed_ends_as_its_actions_did() {
        let item = WorkflowRunItem::without_nodes(WorkflowRun::fixture("wr_1", WorkflowRunState::Completed));
        for (failed, end) in [(false, End::Complete), (true, End::Fail)] {
            assert_eq!(runs("nightly", &item, failed)[0].stage, Stage::Ended(end));
        }
    }

    #[test]
    fn what_the_status_shows_as_ended_is_not_sent_again() {
        let object = crate::api::GlueWorkflowRun::new("a", crate::api::GlueWorkflowRunSpec::default());
        let attempt = crate::api::run::Attempt {
            id: Some("wr_1".to_owned()),
            ..crate::api::run::Attempt::intended(0, "a/u/0".to_owned(), k8s_time())
        };
        let shared = RunStatus { attempts: vec![attempt], ..RunStatus::unobserved() };
        let status = object.render(None, shared, Some(&item()));
        let ended: Vec<_> = ["wr_1/crawler/raw/100", "jr_1_attempt_1", "wr_1/crawler/raw/101", "jr_9"]
            .map(|run| has_ended(&status, run))
            .into();
        assert_eq!(ended, [true, false, false, false]);
    }

    fn k8s_time() -> k8s_openapi::apimachinery::pkg::apis::meta::v1::Time {
        k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Timestamp::UNIX_EPOCH)
    }
}
