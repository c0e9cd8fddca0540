//! Runs as Glue shows them, for lineage. Pure.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::api::inventory::ItemType;
use crate::glue::crawls::Crawl;
use crate::glue::job_runs::JobRun;
use crate::glue::workflow_runs::{Node, NodeKind, NodeRun, WorkflowRunItem};
use crate::lineage::progress::{End, Stage};
use crate::lineage::run::{JobKind, ParentRun, RunSight, Target};

/// A run of a job.
#[must_use]
pub fn of_job_run(job: &str, run: &JobRun) -> RunSight {
    let predecessors = run.details.iter().flat_map(|details| &details.predecessors);
    let upstream = predecessors.map(|(job, id)| (Target::new(JobKind::Job, job), Some(id.clone())));
    let state = run.state.as_str();
    RunSight {
        started: run.started_on,
        ended: run.completed_on,
        message: run.error_message.clone(),
        glue_version: run.glue_version.clone(),
        upstream: upstream.collect(),
        ..RunSight::new(Target::new(JobKind::Job, job), &run.id, state, Stage::of_job_run(state))
    }
}

/// A crawl.
#[must_use]
pub fn of_crawl(crawler: &str, crawl: &Crawl) -> RunSight {
    let state = crawl.state.as_str();
    RunSight {
        started: crawl.started_on,
        ended: crawl.ended_on,
        message: crawl.error_message.clone(),
        ..RunSight::new(Target::new(JobKind::Crawler, crawler), &crawl.id, state, Stage::of_crawl(state))
    }
}

/// A workflow run, and the job runs and crawls that it has started. `failed` when it did not end well.
#[must_use]
pub fn of_workflow_run(workflow: &str, item: &WorkflowRunItem, failed: bool) -> Vec<RunSight> {
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
        Some((target(before), before.newest.as_ref().map(|run| id(workflow_run, before, run))))
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
            ..RunSight::new(target(node), id(workflow_run, node, run), &run.state, stage)
        }
    };
    node.earlier.iter().chain(&node.newest).map(sight).collect()
}

/// The type of items of the account that it is; `None` for the firing of a trigger, which is a run of an object only.
#[must_use]
pub fn item_type(kind: JobKind) -> Option<ItemType> {
    match kind {
        JobKind::Job => Some(ItemType::Job),
        JobKind::Crawler => Some(ItemType::Crawler),
        JobKind::Workflow => Some(ItemType::Workflow),
        JobKind::Trigger => None,
    }
}

fn target(node: &Node) -> Target {
    let kind = match node.kind {
        NodeKind::Job => JobKind::Job,
        NodeKind::Crawler => JobKind::Crawler,
    };
    Target::new(kind, &node.name)
}

/// Glue's id of a job run, or what stands for it.
fn id(workflow_run: &str, node: &Node, run: &NodeRun) -> String {
    run.id.clone().unwrap_or_else(|| own_id(workflow_run, node.kind, &node.name, run.started_on))
}

/// What identifies a crawl of a workflow run, of which Glue shows no id: its workflow run, its crawler and its start.
#[must_use]
pub fn own_id(workflow_run: &str, kind: NodeKind, name: &str, started: Option<Timestamp>) -> String {
    let started = started.map(|started| started.as_second().to_string()).unwrap_or_default();
    format!("{workflow_run}/{}/{name}/{started}", kind.noun())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::glue::workflow_runs::{NodeOutcome, WorkflowRun, WorkflowRunState};

    fn run(id: Option<&str>, state: &str, outcome: NodeOutcome, started: i64) -> NodeRun {
        let started_on = Timestamp::from_second(started).ok();
        NodeRun { id: id.map(str::to_owned), started_on, ..NodeRun::fixture(state, outcome) }
    }

    /// A workflow run with a crawl, and a job that Glue retries.
    pub(crate) fn item() -> WorkflowRunItem {
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
        let runs = of_workflow_run("nightly", &item(), false);
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
            assert_eq!(of_workflow_run("nightly", &item, failed)[0].stage, Stage::Ended(end));
        }
    }
}
