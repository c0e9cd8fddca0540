//! What objects about triggers wait for, as the poller asks for it: the triggers of a client, all of them
//! together, and the runs that firings have started.

use super::job_run_source::{JobRunSight, JobRunSource};
use super::poller::{Seen, Sight, Source, Wanted};
use super::triggers::{BATCH, RunSeen, Trigger};
use super::{Class, Error, Glue};

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
    JobRun(JobRunSight),
    /// A crawl, or a run of a workflow.
    Run(RunSeen),
}

impl TriggerItem {
    /// A run, whatever it is a run of.
    #[must_use]
    pub fn run(&self) -> Option<RunSeen> {
        match self {
            Self::Trigger(_) => None,
            Self::Run(run) => Some(run.clone()),
            Self::JobRun(sight) => Some(RunSeen {
                id: sight.run.id.clone(),
                state: sight.run.state.as_str().to_owned(),
                ended: JobRunSource::is_over(sight),
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

    fn is_over(item: &TriggerItem) -> bool {
        match item {
            // It may be switched by anybody at any time.
            TriggerItem::Trigger(_) => false,
            TriggerItem::JobRun(sight) => JobRunSource::is_over(sight),
            TriggerItem::Run(run) => run.ended,
        }
    }

    async fn ask(&self, wanted: Vec<Wanted<TriggerItem>>) -> Result<Vec<Seen<TriggerItem>>, Error> {
        match self {
            Self::Triggers(client) => triggers(client, &wanted).await,
            Self::Job(source) => job_runs(source, wanted).await,
            Self::Crawler(client, crawler) => crawls(client, crawler, wanted).await,
            Self::Workflow(client, workflow) => workflow_runs(client, workflow, wanted).await,
        }
    }
}

async fn triggers(client: &Glue, wanted: &[Wanted<TriggerItem>]) -> Result<Vec<Seen<TriggerItem>>, Error> {
    let mut seen = Vec::with_capacity(wanted.len());
    for names in wanted.chunks(BATCH) {
        let names: Vec<_> = names.iter().map(|one| one.id.clone()).collect();
        let found = client.triggers(&names).await?;
        seen.extend(names.into_iter().map(|name| {
            let trigger = found.iter().find(|trigger| trigger.name == name);
            Seen { sight: sight(trigger.cloned().map(TriggerItem::Trigger)), id: name, page: None }
        }));
    }
    Ok(seen)
}

async fn job_runs(source: &JobRunSource, wanted: Vec<Wanted<TriggerItem>>) -> Result<Vec<Seen<TriggerItem>>, Error> {
    let wanted = wanted.into_iter().map(|one| Wanted {
        last: match one.last {
            Some(Sight::Here(TriggerItem::JobRun(run))) => Some(Sight::Here(run)),
            Some(Sight::Gone) => Some(Sight::Gone),
            _ => None,
        },
        id: one.id,
        unchanged_for: one.unchanged_for,
        page: one.page,
    });
    let seen = source.ask(wanted.collect()).await?;
    let item = |sight: Sight<JobRunSight>| match sight {
        Sight::Here(run) => Sight::Here(TriggerItem::JobRun(run)),
        Sight::Gone => Sight::Gone,
    };
    Ok(seen.into_iter().map(|one| Seen { id: one.id, sight: item(one.sight), page: one.page }).collect())
}

async fn crawls(
    client: &Glue,
    crawler: &str,
    wanted: Vec<Wanted<TriggerItem>>,
) -> Result<Vec<Seen<TriggerItem>>, Error> {
    let mut seen = Vec::with_capacity(wanted.len());
    for one in wanted {
        let crawl = match client.crawl(crawler, &one.id).await {
            Err(error) if error.class == Class::NotFound => None,
            answer => answer?,
        };
        let item = crawl.as_ref().map(RunSeen::from).map(TriggerItem::Run);
        seen.push(Seen { sight: sight(item), id: one.id, page: None });
    }
    Ok(seen)
}

async fn workflow_runs(
    client: &Glue,
    workflow: &str,
    wanted: Vec<Wanted<TriggerItem>>,
) -> Result<Vec<Seen<TriggerItem>>, Error> {
    let mut seen = Vec::with_capacity(wanted.len());
    for one in wanted {
        let run = match client.workflow_run(workflow, &one.id).await {
            Ok(run) => Sight::Here(TriggerItem::Run(run)),
            Err(error) if error.class == Class::NotFound => Sight::Gone,
            Err(error) => return Err(error),
        };
        seen.push(Seen { id: one.id, sight: run, page: None });
    }
    Ok(seen)
}

fn sight(found: Option<TriggerItem>) -> Sight<TriggerItem> {
    found.map_or(Sight::Gone, Sight::Here)
}
