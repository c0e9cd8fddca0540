//! How a workflow run ended. Pure.

use super::{Node, Statistics, WorkflowRunItem, WorkflowRunState};
use crate::glue::triggers::join_items;

/// How many failed nodes a description names.
const MOST_NAMED: usize = 10;

impl Statistics {
    /// How many actions ended badly.
    #[must_use]
    pub fn bad(&self) -> i32 {
        self.failed + self.errored + self.timed_out + self.stopped
    }

    /// The actions that ended badly, such as `of 7 actions 1 failed and 2 timed out`; `None` when there are none.
    fn describe_bad(&self) -> Option<String> {
        let counts = [
            (self.failed, "failed"),
            (self.errored, "errored"),
            (self.timed_out, "timed out"),
            (self.stopped, "stopped"),
        ];
        let bad: Vec<_> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, how)| format!("{count} {how}")).collect();
        (!bad.is_empty()).then(|| format!("of {} actions {}", self.total, join_items(&bad)))
    }
}

impl WorkflowRunItem {
    /// Why the run did not end well, in Glue's words where it has some; `None` while it runs, and when all of its actions
    /// that were started succeeded.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let message = self.run.error_message.clone();
        match self.run.state {
            WorkflowRunState::Completed => {
                let actions = self.has_failed_actions().then(|| self.describe());
                match (actions, message) {
                    (Some(actions), Some(message)) => Some(format!("{actions}: {message}")),
                    (actions, message) => actions.or(message),
                }
            }
            WorkflowRunState::Stopped | WorkflowRunState::Error => Some(message.unwrap_or_else(|| self.describe())),
            WorkflowRunState::Running | WorkflowRunState::Stopping | WorkflowRunState::Unknown(_) => None,
        }
    }

    /// The nodes whose newest run or crawl ended badly.
    pub fn failed_nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.failure().is_some())
    }

    /// Whether an action ended badly for good. Glue's statistics count each of its own retries of a job, so failures are
    /// forgiven where the graph shows that the retry of them succeeded; and they do not count what EXPIRED, which the
    /// graph shows.
    fn has_failed_actions(&self) -> bool {
        if self.failed_nodes().next().is_some() {
            return true;
        }
        let bad = self.run.statistics.map_or(0, |statistics| statistics.bad());
        let retried: usize = self.nodes.iter().map(Node::earlier_failures).sum();
        let forgiven = if self.has_current_nodes() { i32::try_from(retried).unwrap_or(i32::MAX) } else { 0 };
        bad > forgiven
    }

    /// The counts, and the failed nodes with Glue's words; empty when nothing failed.
    fn describe(&self) -> String {
        let counts = self.run.statistics.and_then(|statistics| statistics.describe_bad());
        let failed: Vec<_> = self.failed_nodes().collect();
        let named = failed.iter().take(MOST_NAMED).filter_map(|node| {
            let run = node.failure()?;
            let why = run.error_message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
            Some(format!("{} {} ({}{why})", node.kind.noun(), node.name, run.state))
        });
        let mut named: Vec<_> = named.collect();
        if failed.len() > named.len() {
            named.push(format!("{} more", failed.len() - named.len()));
        }
        let named = (!named.is_empty()).then(|| join_items(&named));
        [counts, named].into_iter().flatten().collect::<Vec<_>>().join(": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::workflow_runs::{NodeOutcome, NodeRun, WorkflowRun};

    fn statistics([failed, errored, timed_out, stopped]: [i32; 4]) -> Statistics {
        Statistics { total: 5, succeeded: 1, failed, errored, timed_out, stopped, ..Statistics::default() }
    }

    fn item(state: WorkflowRunState, counts: [i32; 4], message: Option<&str>) -> WorkflowRunItem {
        WorkflowRunItem::without_nodes(WorkflowRun {
            statistics: Some(statistics(counts)),
            error_message: message.map(str::to_owned),
            ..WorkflowRun::fixture("wr_1", state)
        })
    }

    fn node(name: &str, state: &str, outcome: NodeOutcome, message: Option<&str>, earlier_failures: usize) -> Node {
        let run = NodeRun { error_message: message.map(str::to_owned), ..NodeRun::fixture(state, outcome) };
        let failed = NodeRun { outcome: NodeOutcome::Failed, ..run.clone() };
        let earlier = vec![failed; earlier_failures];
        Node { earlier, ..Node::fixture(name, Some(run)) }
    }

    #[test]
    fn a_completed_run_failed_when_one_of_its_actions_did() {
        use WorkflowRunState::{Completed, Error, Running, Stopped, Stopping};
        for (state, counts, message, failure) in [
            (Completed, [0, 0, 0, 0], None, None),
            (Completed, [1, 0, 0, 0], None, Some("of 5 actions 1 failed")),
            (Completed, [0, 1, 0, 0], None, Some("of 5 actions 1 errored")),
            (Completed, [0, 0, 1, 0], None, Some("of 5 actions 1 timed out")),
            (Completed, [1, 0, 1, 2], Some("why"), Some("of 5 actions 1 failed, 1 timed out and 2 stopped: why")),
            (Completed, [0, 0, 0, 0], Some("why"), Some("why")),
            (Stopped, [0, 0, 0, 1], None, Some("of 5 actions 1 stopped")),
            (Error, [0, 0, 0, 0], Some("why"), Some("why")),
            (Error, [0, 0, 0, 0], None, Some("")),
            (Running, [1, 0, 0, 0], None, None),
            (Stopping, [0, 0, 0, 1], None, None),
        ] {
            let found = item(state.clone(), counts, message).failure();
            assert_eq!(found.as_deref(), failure, "{state:?} {counts:?}");
        }
    }

    #[test]
    fn the_failed_nodes_are_named_and_what_a_retry_healed_is_forgiven() {
        use NodeOutcome::{Failed, Live, Succeeded};
        let good = || node("load", "SUCCEEDED", Succeeded, None, 0);
        let bad = node("clean", "FAILED", Failed, Some("no such path"), 0);
        let expired = node("late", "EXPIRED", Failed, None, 0);
        let healed = node("clean", "SUCCEEDED", Succeeded, None, 1);
        let named = "of 5 actions 1 failed: job clean (FAILED: no such path)";
        for (nodes, counts, failure) in [
            (vec![good(), bad.clone()], [1, 0, 0, 0], Some(named)),
            (vec![good(), expired], [0, 0, 0, 0], Some("job late (EXPIRED)")),
            (vec![good(), healed.clone()], [1, 0, 0, 0], None),
            // A failure that no node explains counts.
            (vec![healed], [2, 0, 0, 0], Some("of 5 actions 2 failed")),
            (vec![good(), node("last", "RUNNING", Live, None, 0)], [0, 0, 0, 0], None),
        ] {
            let mut item = item(WorkflowRunState::Completed, counts, None);
            item.nodes = nodes;
            item.nodes_of = Some((item.run.state.clone(), item.run.statistics));
            assert_eq!(item.failure().as_deref(), failure);
        }
        let mut many = item(WorkflowRunState::Completed, [12, 0, 0, 0], None);
        many.nodes = vec![bad; 12];
        assert!(many.failure().is_some_and(|failure| failure.ends_with(" and 2 more")));
    }
}
