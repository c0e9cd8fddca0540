//! The model of workflow runs.
//!
//! Glue's status of a run is not its outcome: a run is COMPLETED although actions of it failed ("Even if one or more nodes
//! in a workflow run don't complete, the workflow run status is shown as COMPLETED", Glue developer guide, "Repairing and
//! resuming a workflow run"). [`WorkflowRunItem::failure`] has the outcome, for whoever asks for it.

mod outcome;
pub(crate) mod search;
pub(crate) mod source;

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Glue's `WorkflowRunStatus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkflowRunState {
    Running,
    /// Nothing of it is live any more, whatever failed.
    Completed,
    Stopping,
    Stopped,
    /// It was not started: "Concurrent runs exceeded for workflow".
    Error,
    /// A state that this program does not know.
    Unknown(String),
}

impl WorkflowRunState {
    /// The state as Glue spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Error => "ERROR",
            Self::Unknown(state) => state,
        }
    }

    /// Whether the run has ended. An unknown state counts as not ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Completed | Self::Stopped | Self::Error => true,
            Self::Running | Self::Stopping | Self::Unknown(_) => false,
        }
    }
}

/// Glue's `WorkflowRunStatistics`: its actions by state. `total` counts those, too, that are never started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub total: i32,
    pub succeeded: i32,
    pub failed: i32,
    pub errored: i32,
    pub timed_out: i32,
    pub stopped: i32,
    pub running: i32,
    pub waiting: i32,
}

/// What a node of a workflow starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    Job,
    Crawler,
}

impl NodeKind {
    /// Its noun, such as in `job etl`.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Crawler => "crawler",
        }
    }
}

/// How a job run or a crawl of a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeOutcome {
    Live,
    Succeeded,
    /// It ended in any other way.
    Failed,
}

/// A job run or a crawl of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRun {
    /// The id of a job run. Glue names no crawl here.
    pub id: Option<String>,
    /// The state as Glue spells it.
    pub state: String,
    pub outcome: NodeOutcome,
    /// By Glue's clock.
    pub started_on: Option<Timestamp>,
    /// By Glue's clock.
    pub completed_on: Option<Timestamp>,
    pub error_message: Option<String>,
}

/// A job or a crawler of a workflow, and what a run of the workflow has started of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Glue's id of the node in the workflow.
    pub id: String,
    pub kind: NodeKind,
    pub name: String,
    /// The newest; `None` when nothing was started.
    pub newest: Option<NodeRun>,
    /// Those before it, oldest first: Glue retries jobs by itself.
    pub earlier: Vec<NodeRun>,
    /// The ids of the nodes whose end a trigger waits for before it starts this one.
    pub upstream: Vec<String>,
}

impl Node {
    /// Its newest run or crawl, if that ended badly.
    #[must_use]
    pub fn failure(&self) -> Option<&NodeRun> {
        self.newest.as_ref().filter(|newest| newest.outcome == NodeOutcome::Failed)
    }

    /// How many before its newest run or crawl ended badly.
    #[must_use]
    pub fn earlier_failures(&self) -> usize {
        self.earlier.iter().filter(|run| run.outcome == NodeOutcome::Failed).count()
    }
}

#[cfg(test)]
impl NodeRun {
    /// A run of which only the state is known.
    pub(crate) fn fixture(state: &str, outcome: NodeOutcome) -> Self {
        let state = state.to_owned();
        Self { id: None, state, outcome, started_on: None, completed_on: None, error_message: None }
    }
}

#[cfg(test)]
impl Node {
    /// A job, and its newest run.
    pub(crate) fn fixture(name: &str, newest: Option<NodeRun>) -> Self {
        let (id, name) = (format!("wnode_{name}"), name.to_owned());
        Self { id, kind: NodeKind::Job, name, newest, earlier: Vec::new(), upstream: Vec::new() }
    }
}

/// A run of a workflow as Glue shows it without its graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowRun {
    pub id: String,
    pub state: WorkflowRunState,
    /// The namespace of the object that the run was started for, by its key; `None` for a run that kube-glue did not start.
    pub started_for: Option<String>,
    /// The run that it resumes.
    pub previous: Option<String>,
    /// By name. Jobs can change them while it runs.
    pub properties: BTreeMap<String, String>,
    /// By Glue's clock.
    pub started_on: Option<Timestamp>,
    /// By Glue's clock.
    pub completed_on: Option<Timestamp>,
    pub error_message: Option<String>,
    pub statistics: Option<Statistics>,
}

#[cfg(test)]
impl WorkflowRun {
    /// A run of which only the ID and the state are known.
    pub(crate) fn fixture(id: &str, state: WorkflowRunState) -> Self {
        Self {
            id: id.to_owned(),
            state,
            started_for: None,
            previous: None,
            properties: BTreeMap::new(),
            started_on: None,
            completed_on: None,
            error_message: None,
            statistics: None,
        }
    }
}

/// A run of a workflow with its jobs and crawlers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowRunItem {
    pub run: WorkflowRun,
    /// In Glue's order.
    pub nodes: Vec<Node>,
    /// What the run looked like when Glue showed the nodes; `None` when it has not shown them.
    pub nodes_of: Option<(WorkflowRunState, Option<Statistics>)>,
    /// The number of the attempt that its key names, when it was looked up by its key.
    pub attempt: Option<u32>,
}

impl WorkflowRunItem {
    /// A run without its nodes.
    #[must_use]
    pub fn without_nodes(run: WorkflowRun) -> Self {
        Self { run, nodes: Vec::new(), nodes_of: None, attempt: None }
    }

    /// Whether the nodes are those of the run as it is.
    #[must_use]
    pub fn has_current_nodes(&self) -> bool {
        self.nodes_of
            .as_ref()
            .is_some_and(|(state, statistics)| *state == self.run.state && *statistics == self.run.statistics)
    }

    /// Whether a job run of a node was in its first state when the nodes were read. Glue's statistics count it as running, so
    /// they do not change when it begins to run.
    #[must_use]
    pub(crate) fn has_starting_node(&self) -> bool {
        self.nodes.iter().filter_map(|node| node.newest.as_ref()).any(|run| run.state == "STARTING")
    }
}

/// The size of a page of `GetWorkflowRuns` (Glue API reference, `GetWorkflowRuns`: `MaxResults` 1 to 1000).
pub(crate) const PAGE_SIZE: i32 = 100;
