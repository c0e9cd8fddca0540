//! The calls about workflow runs.

use std::collections::BTreeMap;

use aws_sdk_glue::types::{
    Crawl as SdkCrawl, CrawlState as SdkCrawlState, Edge, JobRun as SdkJobRun, Node as SdkNode, NodeType,
    WorkflowRun as SdkRun, WorkflowRunStatistics, WorkflowRunStatus,
};

use super::{Glue, errors, newest_first, non_empty, timestamp};
use crate::glue::job_runs::{JobRunState, namespace_of_key};
use crate::glue::poller::listing::Page;
use crate::glue::rate_limiter::Priority;
use crate::glue::workflow_runs::{
    Node, NodeKind, NodeOutcome, NodeRun, Statistics, WorkflowRun, WorkflowRunItem, WorkflowRunState,
};
use crate::glue::{Error, ErrorKind};

/// The run property that carries a run's key where the operator has switched the job argument off: no script gets a run
/// property that it does not ask for.
const DEFAULT_KEY_PROPERTY: &str = "kube-glue-run";

impl Glue {
    /// The run property that carries a run's key: the name of the job argument without its dashes.
    #[must_use]
    pub fn run_key_property(&self) -> &str {
        key_property(self.run_key_argument())
    }

    /// `StartWorkflowRun`, sent once; returns the run id. The caller has acquired a token with [`Glue::queue_for_start`].
    pub async fn start_workflow_run(&self, name: &str, properties: BTreeMap<String, String>) -> Result<String, Error> {
        let properties = (!properties.is_empty()).then(|| properties.into_iter().collect());
        let request = self.inner.sdk.start_workflow_run().name(name).set_run_properties(properties).send();
        let response = self.send("StartWorkflowRun", workflow(name), request).await?;
        let incomplete = || errors::incomplete("StartWorkflowRun", workflow(name), ErrorKind::Ambiguous, "run id");
        response.run_id.ok_or_else(incomplete)
    }

    /// `ResumeWorkflowRun`, sent once; returns the id of the new run. The caller has acquired a token with
    /// [`Glue::queue_for_start`].
    pub async fn resume_workflow_run(&self, name: &str, id: &str, nodes: &[String]) -> Result<String, Error> {
        let request =
            self.inner.sdk.resume_workflow_run().name(name).run_id(id).set_node_ids(Some(nodes.to_vec())).send();
        let response = self.send("ResumeWorkflowRun", run_of(name, id), request).await?;
        let incomplete = || errors::incomplete("ResumeWorkflowRun", run_of(name, id), ErrorKind::Ambiguous, "run id");
        response.run_id.ok_or_else(incomplete)
    }

    /// `StopWorkflowRun`. It succeeds as well where the run is stopping or has ended.
    pub async fn stop_workflow_run(&self, name: &str, id: &str) -> Result<(), Error> {
        let request = self.inner.sdk.stop_workflow_run().name(name).run_id(id).send();
        match self.call("StopWorkflowRun", run_of(name, id), Priority::Stop, request).await {
            Err(error) if error.code == "IllegalWorkflowStateException" => Ok(()),
            response => response.map(drop),
        }
    }

    /// One run of a workflow (`GetWorkflowRun`), without its nodes.
    pub async fn workflow_run(&self, name: &str, id: &str) -> Result<WorkflowRun, Error> {
        self.get_workflow_run(name, id, false, Priority::Poll).await.map(|item| item.run)
    }

    /// One run of a workflow with its nodes (`GetWorkflowRun` with its graph).
    pub async fn workflow_run_with_nodes(
        &self,
        name: &str,
        id: &str,
        priority: Priority,
    ) -> Result<WorkflowRunItem, Error> {
        self.get_workflow_run(name, id, true, priority).await
    }

    async fn get_workflow_run(
        &self,
        name: &str,
        id: &str,
        with_nodes: bool,
        priority: Priority,
    ) -> Result<WorkflowRunItem, Error> {
        let request = self.inner.sdk.get_workflow_run().name(name).run_id(id).include_graph(with_nodes).send();
        let object = run_of(name, id);
        let response = self.call("GetWorkflowRun", object.clone(), priority, request).await?;
        let incomplete = |what| errors::incomplete("GetWorkflowRun", object.clone(), ErrorKind::Transient, what);
        let mut run = response.run.ok_or_else(|| incomplete("run"))?;
        if run.status.is_none() {
            return Err(incomplete("status of the run"));
        }
        let graph = run.graph.take();
        let run = self.workflow_run_of(run).ok_or_else(|| incomplete("id of the run"))?;
        if !with_nodes {
            return Ok(WorkflowRunItem::without_nodes(run));
        }
        let graph = graph.ok_or_else(|| incomplete("graph"))?;
        let edges = graph.edges.unwrap_or_default();
        let nodes = graph.nodes.ok_or_else(|| incomplete("graph"))?.into_iter().filter_map(node);
        let nodes = nodes.map(|node| Node { upstream: upstream(&node.id, &edges), ..self.redacted_node(node) });
        Ok(WorkflowRunItem {
            nodes: nodes.collect(),
            nodes_of: Some((run.state.clone(), run.statistics)),
            ..WorkflowRunItem::without_nodes(run)
        })
    }

    /// One page of a workflow's runs (`GetWorkflowRuns`), newest first, of up to `size`.
    pub async fn workflow_runs(
        &self,
        name: &str,
        size: i32,
        token: Option<String>,
        priority: Priority,
    ) -> Result<Page<WorkflowRun>, Error> {
        let request = self.inner.sdk.get_workflow_runs().name(name).max_results(size).set_next_token(token).send();
        let response = self.call("GetWorkflowRuns", workflow(name), priority, request).await?;
        let runs = newest_first(response.runs, |run| run.started_on);
        Ok(Page {
            items: runs.filter_map(|run| self.workflow_run_of(run)).collect(),
            next: non_empty(response.next_token),
        })
    }

    /// How many runs of the workflow may be live at once (`GetWorkflow`: `MaxConcurrentRuns`); `None` for any number.
    pub async fn workflow_max_concurrent_runs(&self, name: &str) -> Result<Option<i32>, Error> {
        let request = self.inner.sdk.get_workflow().name(name).send();
        let response = self.call("GetWorkflow", workflow(name), Priority::Poll, request).await?;
        let incomplete = || errors::incomplete("GetWorkflow", workflow(name), ErrorKind::Transient, "workflow");
        Ok(response.workflow.ok_or_else(incomplete)?.max_concurrent_runs)
    }

    /// The newest run of a workflow without what may be of another namespace: properties, and what Glue says of jobs that
    /// have the properties or arguments of their own.
    pub(super) fn last_run_from_sdk(&self, mut run: SdkRun) -> Option<WorkflowRunItem> {
        let nodes = run.graph.take().and_then(|graph| graph.nodes).unwrap_or_default();
        let mut run = self.workflow_run_of(run)?;
        run.properties.clear();
        run.error_message = run.error_message.filter(|_| run.started_for.is_none());
        let nodes = nodes.into_iter().filter_map(node).map(|mut node| {
            node.newest.iter_mut().chain(&mut node.earlier).for_each(|run| run.error_message = None);
            node
        });
        let (nodes, nodes_of) = (nodes.collect(), Some((run.state.clone(), run.statistics)));
        Some(WorkflowRunItem { nodes, nodes_of, ..WorkflowRunItem::without_nodes(run) })
    }

    fn workflow_run_of(&self, run: SdkRun) -> Option<WorkflowRun> {
        let properties: BTreeMap<_, _> = run.workflow_run_properties.unwrap_or_default().into_iter().collect();
        let key = properties.get(self.run_key_property());
        let started_for = key.and_then(|key: &String| namespace_of_key(key)).map(str::to_owned);
        Some(WorkflowRun {
            id: run.workflow_run_id?,
            state: state(run.status),
            started_for,
            previous: non_empty(run.previous_run_id),
            properties,
            started_on: run.started_on.and_then(timestamp),
            completed_on: run.completed_on.and_then(timestamp),
            error_message: self.redact(run.error_message),
            statistics: run.statistics.as_ref().map(statistics),
        })
    }

    /// The node with what may be shown of Glue's words.
    fn redacted_node(&self, mut node: Node) -> Node {
        for run in node.newest.iter_mut().chain(&mut node.earlier) {
            run.error_message = self.redact(run.error_message.take());
        }
        node
    }
}

/// The run property that carries a run's key, where this job argument does.
#[must_use]
pub fn key_property(argument: Option<&str>) -> &str {
    argument
        .map(|argument| argument.trim_start_matches('-'))
        .filter(|name| !name.is_empty())
        .unwrap_or(DEFAULT_KEY_PROPERTY)
}

fn workflow(name: &str) -> String {
    format!("workflow {name}")
}

fn run_of(name: &str, id: &str) -> String {
    format!("workflow {name} run {id}")
}

fn state(status: Option<WorkflowRunStatus>) -> WorkflowRunState {
    match status {
        Some(WorkflowRunStatus::Running) => WorkflowRunState::Running,
        Some(WorkflowRunStatus::Completed) => WorkflowRunState::Completed,
        Some(WorkflowRunStatus::Stopping) => WorkflowRunState::Stopping,
        Some(WorkflowRunStatus::Stopped) => WorkflowRunState::Stopped,
        Some(WorkflowRunStatus::Error) => WorkflowRunState::Error,
        Some(unknown) => WorkflowRunState::Unknown(unknown.as_str().to_owned()),
        None => WorkflowRunState::Unknown("none".to_owned()),
    }
}

fn statistics(statistics: &WorkflowRunStatistics) -> Statistics {
    Statistics {
        total: statistics.total_actions,
        succeeded: statistics.succeeded_actions,
        failed: statistics.failed_actions,
        errored: statistics.errored_actions,
        timed_out: statistics.timeout_actions,
        stopped: statistics.stopped_actions,
        running: statistics.running_actions,
        waiting: statistics.waiting_actions,
    }
}

/// A node that is a job or a crawler.
fn node(node: SdkNode) -> Option<Node> {
    let (kind, mut runs) = match node.r#type? {
        NodeType::Job => {
            let runs = node.job_details.and_then(|details| details.job_runs).unwrap_or_default();
            (NodeKind::Job, runs.into_iter().map(job_run).collect::<Vec<_>>())
        }
        NodeType::Crawler => {
            let crawls = node.crawler_details.and_then(|details| details.crawls).unwrap_or_default();
            (NodeKind::Crawler, crawls.into_iter().map(crawl).collect())
        }
        _ => return None,
    };
    // Glue does not document their order. Those of one time keep it.
    runs.sort_by_key(|run| run.started_on);
    let newest = runs.pop();
    Some(Node { id: node.unique_id?, kind, name: node.name?, newest, earlier: runs, upstream: Vec::new() })
}

/// The ids of what stands before a node: an edge leads from it to a trigger, and another from that to the node.
fn upstream(node: &str, edges: &[Edge]) -> Vec<String> {
    let sources = |of: &str| {
        let into = edges.iter().filter(move |edge| edge.destination_id.as_deref() == Some(of));
        into.filter_map(|edge| edge.source_id.as_deref()).collect::<Vec<_>>()
    };
    let mut before: Vec<_> = sources(node).into_iter().flat_map(sources).map(str::to_owned).collect();
    before.sort();
    before.dedup();
    before
}

fn job_run(run: SdkJobRun) -> NodeRun {
    let state = super::job_runs::state(run.job_run_state);
    let outcome = match &state {
        JobRunState::Succeeded => NodeOutcome::Succeeded,
        state if state.is_final() => NodeOutcome::Failed,
        _ => NodeOutcome::Live,
    };
    NodeRun {
        id: run.id,
        state: state.as_str().to_owned(),
        outcome,
        started_on: run.started_on.and_then(timestamp),
        completed_on: run.completed_on.and_then(timestamp).filter(|_| outcome != NodeOutcome::Live),
        error_message: non_empty(run.error_message),
    }
}

fn crawl(crawl: SdkCrawl) -> NodeRun {
    let outcome = match &crawl.state {
        Some(SdkCrawlState::Succeeded) => NodeOutcome::Succeeded,
        Some(SdkCrawlState::Failed | SdkCrawlState::Cancelled | SdkCrawlState::Error) => NodeOutcome::Failed,
        _ => NodeOutcome::Live,
    };
    NodeRun {
        id: None,
        state: crawl.state.map_or_else(|| "none".to_owned(), |state| state.as_str().to_owned()),
        outcome,
        started_on: crawl.started_on.and_then(timestamp),
        completed_on: crawl.completed_on.and_then(timestamp).filter(|_| outcome != NodeOutcome::Live),
        error_message: non_empty(crawl.error_message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_property_is_the_argument_without_its_dashes() {
        for (argument, property) in
            [(Some("--kube-glue-run"), "kube-glue-run"), (Some("--team-key"), "team-key"), (None, "kube-glue-run")]
        {
            assert_eq!(key_property(argument), property);
        }
    }

    #[test]
    fn a_node_shows_its_newest_run_and_how_many_failed_before() {
        use aws_sdk_glue::types::{JobNodeDetails, JobRunState as SdkState};
        let run = |id: &str, second, state| {
            let started_on = aws_smithy_types::DateTime::from_secs(second);
            SdkJobRun::builder().id(id).started_on(started_on).job_run_state(state).build()
        };
        let details = JobNodeDetails::builder()
            .job_runs(run("jr_1_attempt_1", 20, SdkState::Succeeded))
            .job_runs(run("jr_1", 10, SdkState::Failed))
            .build();
        let sdk =
            SdkNode::builder().r#type(NodeType::Job).name("etl").unique_id("wnode_1").job_details(details).build();
        let node = node(sdk).expect("a node");
        let newest = node.newest.as_ref().expect("a run");
        assert_eq!((newest.id.as_deref(), newest.outcome), (Some("jr_1_attempt_1"), NodeOutcome::Succeeded));
        assert_eq!(node.earlier_failures(), 1);
        let trigger = SdkNode::builder().r#type(NodeType::Trigger).name("go").unique_id("wnode_2").build();
        assert_eq!(super::node(trigger), None);
    }

    #[test]
    fn what_a_trigger_waits_for_stands_before_what_it_starts() {
        let edge = |from: &str, to: &str| Edge::builder().source_id(from).destination_id(to).build();
        let edges = [edge("start", "a"), edge("start", "b"), edge("a", "both"), edge("b", "both"), edge("both", "c")];
        assert_eq!(upstream("c", &edges), ["a", "b"]);
        assert_eq!(upstream("a", &edges), Vec::<String>::new());
    }
}
