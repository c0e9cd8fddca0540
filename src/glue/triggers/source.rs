//! The triggers of one client, and the runs that they started, as sources of the poller.

use super::{BATCH_SIZE, RunSummary, Trigger};
use crate::glue::error::if_found;
use crate::glue::job_runs::JobRunState;
use crate::glue::job_runs::source::{JobRunItem, JobRunSource};
use crate::glue::poller::{Observation, PollRequest, PollResult, Source};
use crate::glue::{Error, Glue};

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
    Workflow(Glue, String),
}

/// A trigger or a run as Glue shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerItem {
    Trigger(Trigger),
    JobRun(JobRunItem),
    /// A crawl, or a run of a workflow.
    Run(RunSummary),
}

impl TriggerItem {
    /// The summary of a run; `None` for a trigger.
    #[must_use]
    pub fn run(&self) -> Option<RunSummary> {
        match self {
            Self::Trigger(_) => None,
            Self::Run(run) => Some(run.clone()),
            Self::JobRun(item) => {
                let ended = JobRunSource::is_finished(item);
                let failed = ended && item.run.state != JobRunState::Succeeded;
                Some(RunSummary {
                    id: item.run.id.clone(),
                    state: item.run.state.as_str().to_owned(),
                    ended,
                    failure: failed.then(|| item.run.error_message.clone().unwrap_or_default()),
                    is_triggered: true,
                })
            }
        }
    }
}

impl Source for TriggerSource {
    type Item = TriggerItem;
    type Client = Glue;

    fn client(&self) -> &Glue {
        match self {
            Self::Triggers(client) | Self::Crawler(client, _) | Self::Workflow(client, _) => client,
            Self::Job(source) => &source.client,
        }
    }

    fn is_finished(item: &TriggerItem) -> bool {
        match item {
            // A trigger may change at any time.
            TriggerItem::Trigger(_) => false,
            TriggerItem::JobRun(item) => JobRunSource::is_finished(item),
            TriggerItem::Run(run) => run.ended,
        }
    }

    async fn poll(&self, requests: Vec<PollRequest<TriggerItem>>) -> Result<Vec<PollResult<TriggerItem>>, Error> {
        match self {
            Self::Triggers(client) => poll_triggers(client, &requests).await,
            Self::Job(source) => poll_job_runs(source, requests).await,
            Self::Crawler(client, crawler) => poll_crawls(client, crawler, requests).await,
            Self::Workflow(client, workflow) => poll_workflow_runs(client, workflow, requests).await,
        }
    }
}

async fn poll_triggers(
    client: &Glue,
    requests: &[PollRequest<TriggerItem>],
) -> Result<Vec<PollResult<TriggerItem>>, Error> {
    let mut results = Vec::with_capacity(requests.len());
    for batch in requests.chunks(BATCH_SIZE) {
        let names: Vec<_> = batch.iter().map(|request| request.id.clone()).collect();
        let found = client.triggers(&names).await?;
        results.extend(names.into_iter().map(|name| {
            let trigger = found.iter().find(|trigger| trigger.name == name);
            PollResult { id: name, observation: trigger.cloned().map(TriggerItem::Trigger).into(), page: None }
        }));
    }
    Ok(results)
}

async fn poll_job_runs(
    source: &JobRunSource,
    requests: Vec<PollRequest<TriggerItem>>,
) -> Result<Vec<PollResult<TriggerItem>>, Error> {
    let requests = requests.into_iter().map(|request| PollRequest {
        last: match request.last {
            Some(Observation::Present(TriggerItem::JobRun(run))) => Some(Observation::Present(run)),
            Some(Observation::NotFound) => Some(Observation::NotFound),
            _ => None,
        },
        id: request.id,
        unchanged_for: request.unchanged_for,
        page: request.page,
    });
    let results = source.poll(requests.collect()).await?;
    let item = |observation: Observation<JobRunItem>| match observation {
        Observation::Present(run) => Observation::Present(TriggerItem::JobRun(run)),
        Observation::NotFound => Observation::NotFound,
    };
    Ok(results
        .into_iter()
        .map(|result| PollResult { id: result.id, observation: item(result.observation), page: result.page })
        .collect())
}

async fn poll_crawls(
    client: &Glue,
    crawler: &str,
    requests: Vec<PollRequest<TriggerItem>>,
) -> Result<Vec<PollResult<TriggerItem>>, Error> {
    let mut results = Vec::with_capacity(requests.len());
    for request in requests {
        let crawl = if_found(client.crawl(crawler, &request.id).await)?.flatten();
        let item = crawl.as_ref().map(RunSummary::from).map(TriggerItem::Run);
        results.push(PollResult { id: request.id, observation: item.into(), page: None });
    }
    Ok(results)
}

async fn poll_workflow_runs(
    client: &Glue,
    workflow: &str,
    requests: Vec<PollRequest<TriggerItem>>,
) -> Result<Vec<PollResult<TriggerItem>>, Error> {
    let mut results = Vec::with_capacity(requests.len());
    for request in requests {
        let run = if_found(client.workflow_run(workflow, &request.id).await)?.flatten().map(TriggerItem::Run);
        results.push(PollResult { id: request.id, observation: run.into(), page: None });
    }
    Ok(results)
}
