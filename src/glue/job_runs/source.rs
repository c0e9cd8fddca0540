//! The runs of one job as a source of the poller. It follows Glue's own retries to the last run of the chain.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{JobRun, JobRunState, JobSettings, RunDetails};
use crate::glue::error::if_found;
use crate::glue::logs::arguments::LogArguments;
use crate::glue::poller::calls::Calls;
use crate::glue::poller::client::PollClient;
use crate::glue::poller::listing::{Listing, Page, list};
use crate::glue::poller::{Extras, Observation, PollRequest, PollResult, Polled, Source, UsualDuration};
use crate::glue::rate_limiter::{ClientId, News, RateLimiter};
use crate::glue::{Error, ErrorKind, Glue};

/// How long after a failure Glue may take to show the retry. AWS's documentation gives no bound; in practice it takes
/// seconds.
const RETRY_GRACE: Duration = Duration::from_mins(1);

/// What reads the runs of jobs: a [`Glue`] client.
pub trait RunReader: PollClient {
    /// One page of the list, newest first.
    fn page(&self, job: &str, token: Option<String>) -> impl Future<Output = Result<Page<JobRun>, Error>> + Send;
    /// One run.
    fn run(&self, job: &str, id: &str) -> impl Future<Output = Result<JobRun, Error>> + Send;
    /// What a failed run needs of its job.
    fn job(&self, job: &str) -> impl Future<Output = Result<JobSettings, Error>> + Send;
}

impl RunReader for Glue {
    async fn page(&self, job: &str, token: Option<String>) -> Result<Page<JobRun>, Error> {
        self.job_runs(job, token).await
    }

    async fn run(&self, job: &str, id: &str) -> Result<JobRun, Error> {
        self.job_run(job, id).await
    }

    async fn job(&self, job: &str) -> Result<JobSettings, Error> {
        self.job_settings(job).await
    }
}

/// All runs of one job, for one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobRunSource<C = Glue> {
    pub client: C,
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

impl<C: RunReader> Source for JobRunSource<C> {
    type Item = JobRunItem;

    fn limiter(&self) -> Arc<RateLimiter> {
        self.client.limiter()
    }

    fn client_id(&self) -> ClientId {
        self.client.client_id()
    }

    fn is_finished(item: &JobRunItem) -> bool {
        item.run.state.is_final() && !item.retry_expected
    }

    fn started_at(item: &JobRunItem) -> Option<Timestamp> {
        item.run.started_on
    }

    fn is_sibling_of(&self, other: &Self) -> bool {
        self.job == other.job && self.client != other.client && self.client.is_of_same_account(&other.client)
    }

    fn current_id(item: &JobRunItem) -> Option<&str> {
        Some(&item.run.id)
    }

    fn news(last: Option<&JobRunItem>, seen: &JobRunItem) -> Option<News> {
        match last {
            Some(last) if last.retry_expected => None,
            Some(last) if last.run == seen.run => Some(News::Nothing),
            // As every run is after its start.
            None if matches!(seen.run.state, JobRunState::Starting | JobRunState::Waiting) => Some(News::Nothing),
            None if !seen.run.state.is_final() => Some(News::Unseen),
            Some(_) | None => Some(News::Changed),
        }
    }

    async fn poll(&self, requests: Vec<PollRequest<JobRunItem>>, extras: Extras) -> Polled<JobRunItem> {
        let mut calls = Calls::default();
        let wanted = requests.iter().map(|request| (current_id(request).to_owned(), request.page));
        let read = async |token| self.client.page(&self.job, token).await;
        let mut list = list(&mut calls, wanted, extras, |run: &JobRun| &run.id, read).await;
        let mut results = Vec::with_capacity(requests.len());
        let mut failed = Vec::new();
        for request in &requests {
            let id = current_id(request);
            let (answer, page) = if let Some((run, page)) = list.items.get(id) {
                (Ok(Observation::Present(run.clone())), Some(*page))
            } else {
                let answer = match &list.error {
                    Some(error) if !is_read_by_id(request, error) => Err(Arc::clone(error)),
                    _ => self.get(&mut calls, id).await,
                };
                (answer, list.page_of_missing(request.page))
            };
            match answer {
                Ok(Observation::Present(run)) if run.state == JobRunState::Failed => failed.push((request, run, page)),
                Ok(Observation::Present(run)) => results.push(present(request, run, false, page)),
                Ok(Observation::NotFound) => {
                    results.push(PollResult { id: request.id.clone(), answer: Ok(Observation::NotFound), page });
                }
                Err(error) => results.push(PollResult { id: request.id.clone(), answer: Err(error), page }),
            }
        }
        if !failed.is_empty() {
            results.extend(self.follow_retries(&mut calls, &mut list, failed).await);
        }
        let succeeded = list.items.values().map(|(run, _)| run).filter(|run| run.state == JobRunState::Succeeded);
        let usual = UsualDuration::of_runs(succeeded.map(|run| (run.started_on, run.completed_on)));
        let runs = list.items.into_iter().filter(|_| extras.siblings);
        let seen = runs.map(|(id, (run, _))| (id, JobRunItem { run, retry_expected: false })).collect();
        Polled { results, calls: calls.made(), usual, seen }
    }
}

impl<C: RunReader> JobRunSource<C> {
    async fn get(&self, calls: &mut Calls, id: &str) -> Result<Observation<JobRun>, Arc<Error>> {
        let read = async { if_found(self.client.run(&self.job, id).await) };
        Ok(calls.make(read).await?.into())
    }

    /// Replaces each failed run by Glue's retry of it (`PreviousRunId`), where there is one.
    /// "Jobs that reach the timeout limit are not restarted" (Glue user guide, "Configuring job
    /// properties"), so only FAILED is followed.
    async fn follow_retries(
        &self,
        calls: &mut Calls,
        list: &mut Listing<JobRun>,
        failed: Vec<(&PollRequest<JobRunItem>, JobRun, Option<usize>)>,
    ) -> Vec<PollResult<JobRunItem>> {
        let JobSettings { max_retries, logs } = match self.retries(calls, list, &failed).await {
            Ok(settings) => settings,
            Err(error) => {
                let of = |(request, _, page): (&PollRequest<_>, JobRun, Option<usize>)| PollResult {
                    id: request.id.clone(),
                    answer: Err(Arc::clone(&error)),
                    page,
                };
                return failed.into_iter().map(of).collect();
            }
        };
        let retries: HashMap<_, _> =
            list.items.values().filter_map(|retry| Some((retry.0.previous.as_deref()?, retry))).collect();
        let mut assigned = HashSet::new();
        let results = failed.into_iter().map(|(request, run, page)| {
            let retry = retries.get(run.id.as_str()).filter(|(retry, _)| assigned.insert(retry.id.clone()));
            if let Some((retry, page)) = retry {
                let retry_expected = retry.state == JobRunState::Failed && retry.attempt < max_retries;
                let retry = with_logs_of_job(retry.clone(), &logs);
                return present(request, retry, retry_expected, Some(*page));
            }
            let failed_for = if had_failed(request, &run) { request.unchanged_for } else { Duration::ZERO };
            let retry_expected = run.attempt < max_retries && failed_for < RETRY_GRACE;
            present(request, with_logs_of_job(run, &logs), retry_expected, page)
        });
        results.collect()
    }

    /// The job, with how many times Glue retries a run of it; lists the newest runs, where one may be such a retry.
    async fn retries(
        &self,
        calls: &mut Calls,
        list: &mut Listing<JobRun>,
        failed: &[(&PollRequest<JobRunItem>, JobRun, Option<usize>)],
    ) -> Result<JobSettings, Arc<Error>> {
        let settings = match calls.make(self.client.job(&self.job)).await {
            Ok(settings) => settings,
            // Without the job, or the right to read it, no retry can be expected.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => JobSettings::default(),
            Err(error) => return Err(error),
        };
        let may_retry = failed.iter().any(|(_, run, _)| run.attempt < settings.max_retries);
        if may_retry && list.pages == 0 {
            let page = calls.make(self.client.page(&self.job, None)).await?;
            list.items.extend(page.items.into_iter().map(|run| (run.id.clone(), (run, 0))));
        }
        Ok(settings)
    }
}

/// The run with what the default arguments of its job say of its logs.
fn with_logs_of_job(run: JobRun, logs: &LogArguments) -> JobRun {
    if *logs == LogArguments::default() {
        return run;
    }
    let details = run.details.map(|details| *details).unwrap_or_default();
    let logs = details.logs.clone().or(logs);
    let details = RunDetails { logs, ..details };
    JobRun { details: Some(Box::new(details)), ..run }
}

/// Whether a run is read by id although a page of the list could not be read. A job that does not exist has no list, but
/// Glue may still know its runs. Any other error may pass; a run that it hides twice in a row is read by id.
fn is_read_by_id(request: &PollRequest<JobRunItem>, error: &Error) -> bool {
    error.kind == ErrorKind::NotFound || request.failures > 0
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
    let answer = Ok(Observation::Present(JobRunItem { run, retry_expected }));
    PollResult { id: request.id.clone(), answer, page }
}

#[cfg(test)]
mod tests;
