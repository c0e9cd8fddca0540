//! The runs of one job as a source of the poller: the cheapest calls that show what is wanted, and
//! Glue's own retries followed to the run that counts.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{JobRun, JobRunState};
use crate::glue::poll_plan;
use crate::glue::poller::{Observation, Observed, Source, Wanted};
use crate::glue::{Error, ErrorKind, Glue};

/// How long after a failure Glue may take to show the run that retries it. No page of AWS's documentation
/// gives a bound; in practice it is seconds.
const RETRY_GRACE: Duration = Duration::from_mins(1);

/// The runs of one job, as one client sees them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobRunSource {
    /// Who asks.
    pub client: Glue,
    /// The job's name.
    pub job: String,
}

/// The run that counts for an id: the run itself, or the last of Glue's own retries of it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRunItem {
    /// The run.
    pub run: JobRun,
    /// It failed, and Glue is about to retry it by itself.
    pub retry_expected: bool,
}

impl Source for JobRunSource {
    type Item = JobRunItem;
    type Client = Glue;

    fn client(&self) -> &Glue {
        &self.client
    }

    fn is_finished(item: &JobRunItem) -> bool {
        item.run.state.is_final() && !item.retry_expected
    }

    async fn ask(&self, wanted: Vec<Wanted<JobRunItem>>) -> Result<Vec<Observed<JobRunItem>>, Error> {
        let ranks: Vec<_> = wanted.iter().map(|one| (current_id(one).to_owned(), one.page)).collect();
        let ask = poll_plan::cheapest(&ranks);
        let listed = self.list(ask.pages).await?;
        let mut seen = Vec::with_capacity(wanted.len());
        let mut failed = Vec::new();
        for one in &wanted {
            let id = current_id(one);
            let (observation, page) = match listed.get(id) {
                Some((run, page)) => (Observation::Present(run.clone()), Some(*page)),
                None => (self.one(id).await?, None),
            };
            match observation {
                Observation::NotFound => {
                    seen.push(Observed { id: one.id.clone(), observation: Observation::NotFound, page })
                }
                Observation::Present(run) if run.state == JobRunState::Failed => failed.push((one, run, page)),
                Observation::Present(run) => seen.push(here(one, run, false, page)),
            }
        }
        if !failed.is_empty() {
            seen.extend(self.follow_retries(failed).await?);
        }
        Ok(seen)
    }
}

impl JobRunSource {
    /// The first `pages` of the list, by run id.
    async fn list(&self, pages: usize) -> Result<HashMap<String, (JobRun, usize)>, Error> {
        let mut listed = HashMap::new();
        let mut token = None;
        for page in 0..pages {
            let answer = self.client.job_runs(&self.job, token.take(), None).await?;
            listed.extend(answer.runs.into_iter().map(|run| (run.id.clone(), (run, page))));
            token = answer.next;
            if token.is_none() {
                break;
            }
        }
        Ok(listed)
    }

    async fn one(&self, id: &str) -> Result<Observation<JobRun>, Error> {
        match self.client.job_run(&self.job, id).await {
            Ok(run) => Ok(Observation::Present(run)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Observation::NotFound),
            Err(error) => Err(error),
        }
    }

    /// A run that Glue retries by itself is not over: the run that retries it counts (`PreviousRunId`).
    /// "Jobs that reach the timeout limit are not restarted" (Glue user guide, "Configuring job
    /// properties"), so only FAILED is followed.
    async fn follow_retries(
        &self,
        failed: Vec<(&Wanted<JobRunItem>, JobRun, Option<usize>)>,
    ) -> Result<Vec<Observed<JobRunItem>>, Error> {
        let retries = match self.client.job_max_retries(&self.job).await {
            Ok(retries) => retries,
            // The job is gone, or its definition may not be read: nothing to expect then.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => 0,
            Err(error) => return Err(error),
        };
        let listed =
            if failed.iter().any(|(_, run, _)| run.attempt < retries) { self.list(1).await? } else { HashMap::new() };
        let mut taken = HashSet::new();
        let seen = failed
            .into_iter()
            .map(|(one, run, page)| {
                let next = listed.values().find(|(next, _)| {
                    next.previous.as_deref() == Some(run.id.as_str()) && taken.insert(next.id.clone())
                });
                if let Some((next, page)) = next {
                    let again = next.state == JobRunState::Failed && next.attempt < retries;
                    return here(one, next.clone(), again, Some(*page));
                }
                let since = if already_failed(one, &run) { one.unchanged_for } else { Duration::ZERO };
                let expected = run.attempt < retries && since < RETRY_GRACE;
                here(one, run, expected, page)
            })
            .collect();
        Ok(seen)
    }
}

/// The run to ask for: the last one of the chain that was seen.
fn current_id(one: &Wanted<JobRunItem>) -> &str {
    match &one.last {
        Some(Observation::Present(last)) => &last.run.id,
        Some(Observation::NotFound) | None => &one.id,
    }
}

fn already_failed(one: &Wanted<JobRunItem>, run: &JobRun) -> bool {
    matches!(&one.last, Some(Observation::Present(last)) if last.run.id == run.id && last.run.state == JobRunState::Failed)
}

fn here(one: &Wanted<JobRunItem>, run: JobRun, retry_expected: bool, page: Option<usize>) -> Observed<JobRunItem> {
    Observed { id: one.id.clone(), observation: Observation::Present(JobRunItem { run, retry_expected }), page }
}
