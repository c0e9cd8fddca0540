//! The runs of one job as a source of the poller. It follows Glue's own retries to the last run of the chain.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{JobRun, JobRunState};
use crate::glue::error::if_found;
use crate::glue::poll_plan;
use crate::glue::poller::{Observation, PollRequest, PollResult, Source};
use crate::glue::{Error, ErrorKind, Glue};

/// How long after a failure Glue may take to show the retry. AWS's documentation gives no bound; in practice it takes
/// seconds.
const RETRY_GRACE: Duration = Duration::from_mins(1);

/// All runs of one job, for one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobRunSource {
    pub client: Glue,
    /// The name of the job.
    pub job: String,
}

/// The last run of the chain that begins with the watched run and continues with Glue's own retries of it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRunItem {
    pub run: JobRun,
    /// Whether the run failed and Glue is about to retry it.
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

    async fn poll(&self, requests: Vec<PollRequest<JobRunItem>>) -> Result<Vec<PollResult<JobRunItem>>, Error> {
        let runs: Vec<_> = requests.iter().map(|request| (current_id(request).to_owned(), request.page)).collect();
        let listed = self.list(poll_plan::cheapest_calls(&runs).pages).await?;
        let mut results = Vec::with_capacity(requests.len());
        let mut failed = Vec::new();
        for request in &requests {
            let id = current_id(request);
            let (observation, page) = match listed.get(id) {
                Some((run, page)) => (Observation::Present(run.clone()), Some(*page)),
                None => (self.get(id).await?, None),
            };
            match observation {
                Observation::NotFound => {
                    results.push(PollResult { id: request.id.clone(), observation: Observation::NotFound, page });
                }
                Observation::Present(run) if run.state == JobRunState::Failed => failed.push((request, run, page)),
                Observation::Present(run) => results.push(present(request, run, false, page)),
            }
        }
        if !failed.is_empty() {
            results.extend(self.follow_retries(failed).await?);
        }
        Ok(results)
    }
}

impl JobRunSource {
    /// The runs on the first `pages` of the list, by id, each with its page.
    async fn list(&self, pages: usize) -> Result<HashMap<String, (JobRun, usize)>, Error> {
        let mut listed = HashMap::new();
        let mut token = None;
        for page in 0..pages {
            let list = self.client.job_runs(&self.job, token.take(), None).await?;
            listed.extend(list.runs.into_iter().map(|run| (run.id.clone(), (run, page))));
            token = list.next;
            if token.is_none() {
                break;
            }
        }
        Ok(listed)
    }

    async fn get(&self, id: &str) -> Result<Observation<JobRun>, Error> {
        Ok(if_found(self.client.job_run(&self.job, id).await)?.into())
    }

    /// Replaces each failed run by Glue's retry of it (`PreviousRunId`), where there is one.
    /// "Jobs that reach the timeout limit are not restarted" (Glue user guide, "Configuring job
    /// properties"), so only FAILED is followed.
    async fn follow_retries(
        &self,
        failed: Vec<(&PollRequest<JobRunItem>, JobRun, Option<usize>)>,
    ) -> Result<Vec<PollResult<JobRunItem>>, Error> {
        let max_retries = match self.client.job_max_retries(&self.job).await {
            Ok(max_retries) => max_retries,
            // Without the job, or the right to read it, no retry can be expected.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => 0,
            Err(error) => return Err(error),
        };
        let may_retry = failed.iter().any(|(_, run, _)| run.attempt < max_retries);
        let listed = if may_retry { self.list(1).await? } else { HashMap::new() };
        let mut assigned = HashSet::new();
        let results = failed
            .into_iter()
            .map(|(request, run, page)| {
                let retry = listed.values().find(|(retry, _)| {
                    retry.previous.as_deref() == Some(run.id.as_str()) && assigned.insert(retry.id.clone())
                });
                if let Some((retry, page)) = retry {
                    let retry_expected = retry.state == JobRunState::Failed && retry.attempt < max_retries;
                    return present(request, retry.clone(), retry_expected, Some(*page));
                }
                let failed_for = if had_failed(request, &run) { request.unchanged_for } else { Duration::ZERO };
                let retry_expected = run.attempt < max_retries && failed_for < RETRY_GRACE;
                present(request, run, retry_expected, page)
            })
            .collect();
        Ok(results)
    }
}

/// The id of the last run of the chain that was observed.
fn current_id(request: &PollRequest<JobRunItem>) -> &str {
    match &request.last {
        Some(Observation::Present(last)) => &last.run.id,
        Some(Observation::NotFound) | None => &request.id,
    }
}

/// Whether the last observation showed the same run as failed.
fn had_failed(request: &PollRequest<JobRunItem>, run: &JobRun) -> bool {
    matches!(
        &request.last,
        Some(Observation::Present(last)) if last.run.id == run.id && last.run.state == JobRunState::Failed
    )
}

fn present(
    request: &PollRequest<JobRunItem>,
    run: JobRun,
    retry_expected: bool,
    page: Option<usize>,
) -> PollResult<JobRunItem> {
    let observation = Observation::Present(JobRunItem { run, retry_expected });
    PollResult { id: request.id.clone(), observation, page }
}
