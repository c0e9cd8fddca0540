//! The runs of one workflow as a source of the poller: one page shows them all, and the graph of a run is read only when
//! what Glue counts of it has changed, or while a job of it starts, which Glue counts as running.

use std::future::Future;
use std::sync::Arc;

use jiff::Timestamp;

use super::{PAGE_SIZE, WorkflowRun, WorkflowRunItem, WorkflowRunState};
use crate::glue::error::if_found;
use crate::glue::poller::calls::Calls;
use crate::glue::poller::client::PollClient;
use crate::glue::poller::listing::{Page, list};
use crate::glue::poller::{Extras, Observation, PollRequest, PollResult, Polled, Source, UsualDuration};
use crate::glue::rate_limiter::{ClientId, News, Priority, RateLimiter};
use crate::glue::{Error, Glue};

/// What reads the runs of workflows: a [`Glue`] client.
pub trait WorkflowRunReader: PollClient {
    /// One page of the list, newest first.
    fn page(
        &self,
        workflow: &str,
        token: Option<String>,
    ) -> impl Future<Output = Result<Page<WorkflowRun>, Error>> + Send;
    /// One run, without its nodes.
    fn run(&self, workflow: &str, id: &str) -> impl Future<Output = Result<WorkflowRun, Error>> + Send;
    /// One run with its nodes.
    fn run_with_nodes(&self, workflow: &str, id: &str) -> impl Future<Output = Result<WorkflowRunItem, Error>> + Send;
}

impl WorkflowRunReader for Glue {
    async fn page(&self, workflow: &str, token: Option<String>) -> Result<Page<WorkflowRun>, Error> {
        self.workflow_runs(workflow, PAGE_SIZE, token, Priority::Poll).await
    }

    async fn run(&self, workflow: &str, id: &str) -> Result<WorkflowRun, Error> {
        self.workflow_run(workflow, id).await
    }

    async fn run_with_nodes(&self, workflow: &str, id: &str) -> Result<WorkflowRunItem, Error> {
        self.workflow_run_with_nodes(workflow, id, Priority::Poll).await
    }
}

/// When the nodes of a run are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadNodes {
    /// Whenever its state or its statistics change, and while a node of it is STARTING.
    OnChange,
    /// When it has ended and some of its actions ended badly.
    OnFailure,
}

/// All runs of one workflow, for one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkflowRunSource<C = Glue> {
    pub client: C,
    /// The name of the workflow.
    pub workflow: String,
    pub read_nodes: ReadNodes,
}

impl<C: WorkflowRunReader> Source for WorkflowRunSource<C> {
    type Item = WorkflowRunItem;

    fn limiter(&self) -> Arc<RateLimiter> {
        self.client.limiter()
    }

    fn client_id(&self) -> ClientId {
        self.client.client_id()
    }

    fn is_finished(item: &WorkflowRunItem) -> bool {
        item.run.state.is_final()
    }

    fn started_at(item: &WorkflowRunItem) -> Option<Timestamp> {
        item.run.started_on
    }

    fn is_sibling_of(&self, other: &Self) -> bool {
        let is_same = self.workflow == other.workflow && self.read_nodes == other.read_nodes;
        is_same && self.client != other.client && self.client.is_of_same_account(&other.client)
    }

    fn news(last: Option<&WorkflowRunItem>, seen: &WorkflowRunItem) -> Option<News> {
        Some(match last {
            Some(last) if last.run == seen.run => News::Nothing,
            None if !seen.run.state.is_final() => News::Unseen,
            Some(_) | None => News::Changed,
        })
    }

    async fn poll(&self, requests: Vec<PollRequest<WorkflowRunItem>>, extras: Extras) -> Polled<WorkflowRunItem> {
        let mut calls = Calls::default();
        let wanted = requests.iter().map(|request| (request.id.clone(), request.page));
        let read = async |token| self.client.page(&self.workflow, token).await;
        let list = list(&mut calls, wanted, extras, |run: &WorkflowRun| &run.id, read).await;
        let completed = list.items.values().map(|(run, _)| run).filter(|run| run.state == WorkflowRunState::Completed);
        let usual = UsualDuration::of_runs(completed.map(|run| (run.started_on, run.completed_on)));
        let mut results = Vec::with_capacity(requests.len());
        for request in requests {
            let shown = list.items.get(&request.id);
            let page = shown.map_or_else(|| list.page_of_missing(request.page), |(_, page)| Some(*page));
            let run = match (shown, &list.error) {
                (Some((run, _)), _) => Ok(Some(run.clone())),
                // One that an error hides twice in a row is read by id.
                (None, Some(error)) if request.failures == 0 => Err(Arc::clone(error)),
                (None, _) => {
                    let read = async { if_found(self.client.run(&self.workflow, &request.id).await) };
                    calls.make(read).await
                }
            };
            let answer = match run {
                Ok(Some(run)) => self.with_nodes(&mut calls, run, request.last).await,
                Ok(None) => Ok(Observation::NotFound),
                Err(error) => Err(error),
            };
            results.push(PollResult { id: request.id, answer, page });
        }
        let runs = list.items.into_iter().filter(|_| extras.siblings);
        let seen = runs.map(|(id, (run, _))| (id, WorkflowRunItem::without_nodes(run))).collect();
        Polled { results, calls: calls.made(), usual, seen }
    }
}

impl<C: WorkflowRunReader> WorkflowRunSource<C> {
    /// The run with its nodes: those of the last observation while they are current.
    async fn with_nodes(
        &self,
        calls: &mut Calls,
        run: WorkflowRun,
        last: Option<Observation<WorkflowRunItem>>,
    ) -> Result<Observation<WorkflowRunItem>, Arc<Error>> {
        let mut item = WorkflowRunItem::without_nodes(run);
        if let Some(Observation::Present(last)) = last {
            (item.nodes, item.nodes_of) = (last.nodes, last.nodes_of);
        }
        let has_ended = item.run.state.is_final();
        let reads = match self.read_nodes {
            ReadNodes::OnChange => !item.has_current_nodes() || item.has_starting_node(),
            ReadNodes::OnFailure => item.run.state == WorkflowRunState::Completed && item.failure().is_some(),
        };
        if !reads {
            return Ok(Observation::Present(item));
        }
        let read = async { if_found(self.client.run_with_nodes(&self.workflow, &item.run.id).await) };
        match calls.make(read).await {
            Ok(found) => Ok(found.into()),
            // The next poll reads them. A run that has ended is not polled again.
            Err(_) if !has_ended => Ok(Observation::Present(item)),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::hash::Hash;
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::glue::ErrorKind;
    use crate::glue::workflow_runs::{Node, NodeOutcome, NodeRun, Statistics};

    /// A workflow with runs, newest first.
    #[derive(Clone, Debug)]
    struct FakeGlue(Arc<Mutex<Fake>>);

    #[derive(Debug, Default)]
    struct Fake {
        runs: BTreeMap<usize, WorkflowRun>,
        /// The operations that were called.
        calls: Vec<String>,
        /// Whether the graph cannot be read.
        refuses_graph: bool,
        /// The states of the job runs in each graph.
        job_runs: Vec<&'static str>,
    }

    impl PartialEq for FakeGlue {
        fn eq(&self, _: &Self) -> bool {
            true
        }
    }

    impl Eq for FakeGlue {}

    impl Hash for FakeGlue {
        fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
    }

    fn error(kind: ErrorKind) -> Error {
        let (code, message) = (format!("{kind:?}"), String::new());
        Error { operation: "GetWorkflowRun", object: "workflow daily".to_owned(), kind, code, message }
    }

    impl PollClient for FakeGlue {
        fn limiter(&self) -> Arc<RateLimiter> {
            Arc::new(RateLimiter::new(None))
        }

        fn client_id(&self) -> ClientId {
            ClientId::next()
        }

        fn is_of_same_account(&self, _: &Self) -> bool {
            false
        }
    }

    impl WorkflowRunReader for FakeGlue {
        async fn page(&self, _: &str, _: Option<String>) -> Result<Page<WorkflowRun>, Error> {
            let mut fake = self.0.lock().unwrap();
            fake.calls.push("list".to_owned());
            Ok(Page { items: fake.runs.values().rev().cloned().collect(), next: None })
        }

        async fn run(&self, _: &str, id: &str) -> Result<WorkflowRun, Error> {
            let mut fake = self.0.lock().unwrap();
            fake.calls.push(format!("read {id}"));
            fake.runs.values().find(|run| run.id == id).cloned().ok_or_else(|| error(ErrorKind::NotFound))
        }

        async fn run_with_nodes(&self, _: &str, id: &str) -> Result<WorkflowRunItem, Error> {
            let mut fake = self.0.lock().unwrap();
            fake.calls.push(format!("graph {id}"));
            if fake.refuses_graph {
                return Err(error(ErrorKind::Throttled));
            }
            let run = fake.runs.values().find(|run| run.id == id).cloned().unwrap();
            let nodes_of = Some((run.state.clone(), run.statistics));
            let job_run = |state: &&str| Some(NodeRun::fixture(state, NodeOutcome::Live));
            let nodes = fake.job_runs.iter().map(|state| Node::fixture("etl", job_run(state))).collect();
            Ok(WorkflowRunItem { nodes, nodes_of, ..WorkflowRunItem::without_nodes(run) })
        }
    }

    impl FakeGlue {
        fn set(&self, number: usize, state: WorkflowRunState, succeeded: i32, failed: i32) {
            let statistics = Some(Statistics { total: 3, succeeded, failed, ..Statistics::default() });
            let run = WorkflowRun { statistics, ..WorkflowRun::fixture(&format!("wr_{number}"), state) };
            self.0.lock().unwrap().runs.insert(number, run);
        }

        fn calls(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap().calls)
        }
    }

    /// Polls these runs; each is remembered as it was observed.
    async fn poll(
        source: &WorkflowRunSource<FakeGlue>,
        seen: &mut BTreeMap<String, Observation<WorkflowRunItem>>,
        ids: &[&str],
    ) {
        let request = |id: &&str| PollRequest {
            id: (*id).to_owned(),
            last: seen.get(*id).cloned(),
            unchanged_for: Duration::ZERO,
            page: None,
            failures: 0,
        };
        let polled = source.poll(ids.iter().map(request).collect(), Extras::default()).await;
        for result in polled.results {
            if let Ok(observation) = result.answer {
                seen.insert(result.id, observation);
            }
        }
    }

    fn source(glue: &FakeGlue, read_nodes: ReadNodes) -> WorkflowRunSource<FakeGlue> {
        WorkflowRunSource { client: glue.clone(), workflow: "daily".to_owned(), read_nodes }
    }

    #[tokio::test]
    async fn one_page_shows_all_runs_and_a_graph_is_read_when_the_statistics_have_changed() {
        let (glue, mut seen) = (FakeGlue(Arc::default()), BTreeMap::new());
        let source = source(&glue, ReadNodes::OnChange);
        for number in 0..3 {
            glue.set(number, WorkflowRunState::Running, 0, 0);
        }
        let all = ["wr_0", "wr_1", "wr_2"];
        poll(&source, &mut seen, &all).await;
        assert_eq!(glue.calls(), ["list", "graph wr_0", "graph wr_1", "graph wr_2"]);
        poll(&source, &mut seen, &all).await;
        assert_eq!(glue.calls(), ["list"]);
        glue.set(1, WorkflowRunState::Running, 1, 0);
        poll(&source, &mut seen, &all).await;
        assert_eq!(glue.calls(), ["list", "graph wr_1"]);
        poll(&source, &mut seen, &["wr_1"]).await;
        assert_eq!(glue.calls(), ["read wr_1"], "one run is read by its id");
        poll(&source, &mut seen, &["gone"]).await;
        assert_eq!(seen["gone"], Observation::NotFound);
    }

    /// The statistics count a run that starts as running, so they do not change when it runs.
    #[tokio::test]
    async fn a_graph_is_read_again_while_a_job_starts() {
        let (glue, mut seen) = (FakeGlue(Arc::default()), BTreeMap::new());
        let source = source(&glue, ReadNodes::OnChange);
        glue.set(0, WorkflowRunState::Running, 1, 0);
        for (job_runs, calls) in [
            (["SUCCEEDED", "STARTING"], 2),
            (["SUCCEEDED", "STARTING"], 2),
            (["SUCCEEDED", "RUNNING"], 2),
            (["SUCCEEDED", "RUNNING"], 1),
        ] {
            glue.0.lock().unwrap().job_runs = job_runs.to_vec();
            poll(&source, &mut seen, &["wr_0"]).await;
            assert_eq!(glue.calls().len(), calls, "{job_runs:?}");
            let Observation::Present(item) = &seen["wr_0"] else { panic!("{seen:?}") };
            let states = item.nodes.iter().filter_map(|node| Some(node.newest.as_ref()?.state.as_str()));
            assert_eq!(states.collect::<Vec<_>>(), job_runs);
        }
    }

    #[tokio::test]
    async fn a_run_is_observed_while_its_graph_cannot_be_read_and_its_end_waits_for_the_graph() {
        let (glue, mut seen) = (FakeGlue(Arc::default()), BTreeMap::new());
        let source = source(&glue, ReadNodes::OnChange);
        glue.set(0, WorkflowRunState::Running, 1, 0);
        glue.0.lock().unwrap().refuses_graph = true;
        poll(&source, &mut seen, &["wr_0"]).await;
        let is_present = |seen: &BTreeMap<String, Observation<WorkflowRunItem>>, state| matches!(&seen["wr_0"], Observation::Present(item) if item.run.state == state);
        assert!(is_present(&seen, WorkflowRunState::Running));
        glue.set(0, WorkflowRunState::Completed, 2, 1);
        poll(&source, &mut seen, &["wr_0"]).await;
        assert!(is_present(&seen, WorkflowRunState::Running), "the outcome is in the graph");
        glue.0.lock().unwrap().refuses_graph = false;
        poll(&source, &mut seen, &["wr_0"]).await;
        assert!(is_present(&seen, WorkflowRunState::Completed));
    }

    #[tokio::test]
    async fn where_only_the_outcome_counts_the_graph_is_read_once() {
        let (glue, mut seen) = (FakeGlue(Arc::default()), BTreeMap::new());
        let source = source(&glue, ReadNodes::OnFailure);
        for (state, succeeded, failed, calls) in [
            (WorkflowRunState::Running, 0, 0, 1),
            (WorkflowRunState::Running, 1, 1, 1),
            (WorkflowRunState::Completed, 2, 1, 2),
        ] {
            glue.set(0, state, succeeded, failed);
            poll(&source, &mut seen, &["wr_0"]).await;
            assert_eq!(glue.calls().len(), calls);
        }
        glue.set(0, WorkflowRunState::Completed, 3, 0);
        poll(&source, &mut seen, &["wr_0"]).await;
        assert_eq!(glue.calls(), ["read wr_0"]);
    }
}
