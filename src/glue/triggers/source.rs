//! What objects about triggers wait for, as the poller asks for it: the triggers of a client, all of them
//! together, and the runs that firings have started.

use super::{BATCH, RunSummary, Trigger};
use crate::glue::job_runs::source::{JobRunItem, JobRunSource};
use crate::glue::poller::{Observation, Observed, Source, Wanted};
use crate::glue::{Error, ErrorKind, Glue};

/// Things about triggers that one call, or a few, can show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TriggerSource {
    /// The triggers of one client, by name.
    Triggers(Glue),
    /// Runs of one job, by id; Glue's own retries are followed.
    Job(JobRunSource),
    /// Crawls of one crawler, by id.
    Crawler(Glue, String),
    /// Runs of one workflow, by id.
    Workflow(Glue, String),
}

/// One of these things as Glue shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerItem {
    /// A trigger.
    Trigger(Trigger),
    /// A run of a job.
    JobRun(JobRunItem),
    /// A crawl, or a run of a workflow.
    Run(RunSummary),
}

impl TriggerItem {
    /// A run, whatever it is a run of.
    #[must_use]
    pub fn run(&self) -> Option<RunSummary> {
        match self {
            Self::Trigger(_) => None,
            Self::Run(run) => Some(run.clone()),
            Self::JobRun(observation) => Some(RunSummary {
                id: observation.run.id.clone(),
                state: observation.run.state.as_str().to_owned(),
                ended: JobRunSource::is_finished(observation),
                is_triggered: true,
            }),
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
            // It may be switched by anybody at any time.
            TriggerItem::Trigger(_) => false,
            TriggerItem::JobRun(observation) => JobRunSource::is_finished(observation),
            TriggerItem::Run(run) => run.ended,
        }
    }

    async fn ask(&self, wanted: Vec<Wanted<TriggerItem>>) -> Result<Vec<Observed<TriggerItem>>, Error> {
        match self {
            Self::Triggers(client) => triggers(client, &wanted).await,
            Self::Job(source) => job_runs(source, wanted).await,
            Self::Crawler(client, crawler) => crawls(client, crawler, wanted).await,
            Self::Workflow(client, workflow) => workflow_runs(client, workflow, wanted).await,
        }
    }
}

async fn triggers(client: &Glue, wanted: &[Wanted<TriggerItem>]) -> Result<Vec<Observed<TriggerItem>>, Error> {
    let mut seen = Vec::with_capacity(wanted.len());
    for names in wanted.chunks(BATCH) {
        let names: Vec<_> = names.iter().map(|one| one.id.clone()).collect();
        let found = client.triggers(&names).await?;
        seen.extend(names.into_iter().map(|name| {
            let trigger = found.iter().find(|trigger| trigger.name == name);
            Observed { observation: observation(trigger.cloned().map(TriggerItem::Trigger)), id: name, page: None }
        }));
    }
    Ok(seen)
}

async fn job_runs(
    source: &JobRunSource,
    wanted: Vec<Wanted<TriggerItem>>,
) -> Result<Vec<Observed<TriggerItem>>, Error> {
    let wanted = wanted.into_iter().map(|one| Wanted {
        last: match one.last {
            Some(Observation::Present(TriggerItem::JobRun(run))) => Some(Observation::Present(run)),
            Some(Observation::NotFound) => Some(Observation::NotFound),
            _ => None,
        },
        id: one.id,
        unchanged_for: one.unchanged_for,
        page: one.page,
    });
    let seen = source.ask(wanted.collect()).await?;
    let item = |observation: Observation<JobRunItem>| match observation {
        Observation::Present(run) => Observation::Present(TriggerItem::JobRun(run)),
        Observation::NotFound => Observation::NotFound,
    };
    Ok(seen
        .into_iter()
        .map(|one| Observed { id: one.id, observation: item(one.observation), page: one.page })
        .collect())
}

async fn crawls(
    client: &Glue,
    crawler: &str,
    wanted: Vec<Wanted<TriggerItem>>,
) -> Result<Vec<Observed<TriggerItem>>, Error> {
    let mut seen = Vec::with_capacity(wanted.len());
    for one in wanted {
        let crawl = match client.crawl(crawler, &one.id).await {
            Err(error) if error.kind == ErrorKind::NotFound => None,
            answer => answer?,
        };
        let item = crawl.as_ref().map(RunSummary::from).map(TriggerItem::Run);
        seen.push(Observed { observation: observation(item), id: one.id, page: None });
    }
    Ok(seen)
}

async fn workflow_runs(
    client: &Glue,
    workflow: &str,
    wanted: Vec<Wanted<TriggerItem>>,
) -> Result<Vec<Observed<TriggerItem>>, Error> {
    let mut seen = Vec::with_capacity(wanted.len());
    for one in wanted {
        let run = match client.workflow_run(workflow, &one.id).await {
            Ok(run) => Observation::Present(TriggerItem::Run(run)),
            Err(error) if error.kind == ErrorKind::NotFound => Observation::NotFound,
            Err(error) => return Err(error),
        };
        seen.push(Observed { id: one.id, observation: run, page: None });
    }
    Ok(seen)
}

fn observation(found: Option<TriggerItem>) -> Observation<TriggerItem> {
    found.map_or(Observation::NotFound, Observation::Present)
}
