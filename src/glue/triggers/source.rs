//! The triggers of one client, and the runs that they started, as sources of the poller.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{BATCH_SIZE, RunSummary, Trigger};
use crate::glue::Glue;
use crate::glue::error::if_found;
use crate::glue::job_runs::JobRunState;
use crate::glue::job_runs::source::{JobRunItem, JobRunSource};
use crate::glue::poller::calls::Calls;
use crate::glue::poller::{Extras, Observation, PollRequest, PollResult, Polled, Source};
use crate::glue::rate_limiter::{ClientId, RateLimiter};
use crate::glue::workflow_runs::WorkflowRunItem;
use crate::glue::workflow_runs::source::WorkflowRunSource;

/// A group of triggers or of runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TriggerSource {
    /// All triggers of one client, by name.
    Triggers(Glue),
    /// The runs of one job, by id.
    Job(JobRunSource),
    /// The crawls of one crawler, by id.
    Crawler(Glue, String),
    /// The runs of one workflow, by id.
    Workflow(WorkflowRunSource),
}

/// A trigger or a run as Glue shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerItem {
    Trigger(Trigger),
    JobRun(JobRunItem),
    WorkflowRun(WorkflowRunItem),
    /// A crawl.
    Crawl(RunSummary),
}

impl TriggerItem {
    /// The summary of a run; `None` for a trigger.
    #[must_use]
    pub fn run(&self) -> Option<RunSummary> {
        match self {
            Self::Trigger(_) => None,
            Self::Crawl(crawl) => Some(crawl.clone()),
            Self::WorkflowRun(item) => Some(item.into()),
            Self::JobRun(item) => {
                let ended = JobRunSource::<Glue>::is_finished(item);
                let failed = ended && item.run.state != JobRunState::Succeeded;
                Some(RunSummary {
                    id: item.run.id.clone(),
                    state: item.run.state.as_str().to_owned(),
                    is_known: !matches!(item.run.state, JobRunState::Unknown(_)),
                    ended,
                    failure: failed.then(|| item.run.error_message.clone().unwrap_or_default()),
                    started_on: item.run.started_on,
                    ended_on: item.run.completed_on,
                    is_triggered: true,
                })
            }
        }
    }
}

impl Source for TriggerSource {
    type Item = TriggerItem;

    fn limiter(&self) -> Arc<RateLimiter> {
        match self {
            Self::Triggers(client) | Self::Crawler(client, _) => client.rate_limiter(),
            Self::Job(source) => source.limiter(),
            Self::Workflow(source) => source.limiter(),
        }
    }

    fn client_id(&self) -> ClientId {
        match self {
            Self::Triggers(client) | Self::Crawler(client, _) => client.client_id(),
            Self::Job(source) => source.client_id(),
            Self::Workflow(source) => source.client_id(),
        }
    }

    fn is_finished(item: &TriggerItem) -> bool {
        match item {
            // A trigger may change at any time.
            TriggerItem::Trigger(_) => false,
            TriggerItem::JobRun(item) => JobRunSource::<Glue>::is_finished(item),
            TriggerItem::WorkflowRun(item) => WorkflowRunSource::<Glue>::is_finished(item),
            TriggerItem::Crawl(crawl) => crawl.ended,
        }
    }

    fn started_at(item: &TriggerItem) -> Option<Timestamp> {
        match item {
            TriggerItem::JobRun(item) => JobRunSource::<Glue>::started_at(item),
            TriggerItem::WorkflowRun(item) => WorkflowRunSource::<Glue>::started_at(item),
            TriggerItem::Trigger(_) | TriggerItem::Crawl(_) => None,
        }
    }

    async fn poll(&self, requests: Vec<PollRequest<TriggerItem>>, extras: Extras) -> Polled<TriggerItem> {
        match self {
            Self::Triggers(client) => poll_triggers(client, &requests).await,
            Self::Job(source) => {
                let run = |item| match item {
                    TriggerItem::JobRun(run) => Some(run),
                    _ => None,
                };
                poll_runs(source, requests, extras, run, TriggerItem::JobRun).await
            }
            Self::Crawler(client, crawler) => poll_crawls(client, crawler, requests).await,
            Self::Workflow(source) => {
                let run = |item| match item {
                    TriggerItem::WorkflowRun(run) => Some(run),
                    _ => None,
                };
                poll_runs(source, requests, extras, run, TriggerItem::WorkflowRun).await
            }
        }
    }
}

async fn poll_triggers(client: &Glue, requests: &[PollRequest<TriggerItem>]) -> Polled<TriggerItem> {
    let mut calls = Calls::default();
    let names = requests.iter().map(|request| (request.id.clone(), request.failures > 0));
    let answers = calls.in_batches(names, BATCH_SIZE, async |batch: Vec<String>| {
        let found = client.triggers(&batch).await?;
        Ok(found.into_iter().map(|trigger| (trigger.name.clone(), trigger)).collect())
    });
    let results = answers.await.into_iter().map(|(id, answer)| {
        let answer = answer.map(|trigger| trigger.map(TriggerItem::Trigger).into());
        PollResult { id, answer, page: None }
    });
    Polled { results: results.collect(), calls: calls.made(), usual: None, seen: HashMap::new() }
}

/// Polls by the source of the runs of another kind: `inner` is the run in an item, and `outer` the item of a run.
async fn poll_runs<S: Source>(
    source: &S,
    requests: Vec<PollRequest<TriggerItem>>,
    extras: Extras,
    inner: impl Fn(TriggerItem) -> Option<S::Item>,
    outer: impl Fn(S::Item) -> TriggerItem,
) -> Polled<TriggerItem> {
    let requests = requests.into_iter().map(|request| PollRequest {
        last: match request.last {
            Some(Observation::Present(item)) => inner(item).map(Observation::Present),
            Some(Observation::NotFound) => Some(Observation::NotFound),
            None => None,
        },
        id: request.id,
        unchanged_for: request.unchanged_for,
        page: request.page,
        failures: request.failures,
    });
    let requests = requests.collect();
    let Polled { results, calls, usual, .. } = source.poll(requests, extras).await;
    let item = |observation| match observation {
        Observation::Present(run) => Observation::Present(outer(run)),
        Observation::NotFound => Observation::NotFound,
    };
    let results = results.into_iter().map(|result| PollResult {
        id: result.id,
        answer: result.answer.map(&item),
        page: result.page,
    });
    Polled { results: results.collect(), calls, usual, seen: HashMap::new() }
}

async fn poll_crawls(client: &Glue, crawler: &str, requests: Vec<PollRequest<TriggerItem>>) -> Polled<TriggerItem> {
    let (mut calls, mut results) = (Calls::default(), Vec::with_capacity(requests.len()));
    for request in requests {
        let read = async { if_found(client.crawl(crawler, &request.id).await) };
        let answer = calls.make(read).await.map(|crawl| {
            let item = crawl.flatten().as_ref().map(RunSummary::from).map(TriggerItem::Crawl);
            item.into()
        });
        results.push(PollResult { id: request.id, answer, page: None });
    }
    Polled { results, calls: calls.made(), usual: None, seen: HashMap::new() }
}
