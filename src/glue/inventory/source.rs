//! All inventories of one client as one group of the poller: they share the reads of the account.
//!
//! A read takes many calls, so the group makes a few of them at each of its turns, among all other groups that poll the
//! account, and yields to them. Between two reads it does not poll.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::demand::{Demand, Union};
use super::reading::{Answer, Ask, Reading, TagTimes};
use super::{Crawler, Job, Picture, Tags, Workflow};
use crate::api::inventory::ItemType;
use crate::glue::crawls::Crawl;
use crate::glue::job_runs::JobRun;
use crate::glue::poller::client::PollClient;
use crate::glue::poller::listing::Page;
use crate::glue::poller::{Extras, Observation, Pause, PollRequest, PollResult, Polled, Source};
use crate::glue::rate_limiter::{ClientId, RateLimiter};
use crate::glue::triggers::Trigger;
use crate::glue::{Error, Glue};

/// How many calls the group makes at each turn.
const CALLS_OF_A_TURN: usize = 5;
/// The shortest pause between two reads.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest time between the beginnings of two reads.
const LONGEST_PERIOD: Duration = Duration::from_hours(24);
/// A read in which something was refused is made again soon, if it took at most so many calls.
const MOST_CALLS_AGAIN: usize = 200;
/// A read that nobody wanted for so long begins anew.
const MOST_INTERRUPTED: Duration = Duration::from_mins(5);

/// What reads an account: a [`Glue`] client.
pub trait InventoryReader: PollClient {
    /// What the inventories of the client share.
    fn progress(&self) -> &Progress;
    /// A page of all jobs, without their runs.
    fn jobs_page(&self, token: Option<String>) -> impl Future<Output = Result<Page<(String, Job)>, Error>> + Send;
    /// The newest runs of a job, so many.
    fn newest_job_runs(&self, job: &str, count: usize) -> impl Future<Output = Result<Vec<JobRun>, Error>> + Send;
    /// A page of all crawlers, without their crawls.
    fn crawlers_page(
        &self,
        token: Option<String>,
    ) -> impl Future<Output = Result<Page<(String, Crawler)>, Error>> + Send;
    /// The newest crawls of a crawler, so many.
    fn newest_crawls_of(&self, crawler: &str, count: usize) -> impl Future<Output = Result<Vec<Crawl>, Error>> + Send;
    /// A page of all triggers.
    fn triggers_page(&self, token: Option<String>) -> impl Future<Output = Result<Page<Trigger>, Error>> + Send;
    /// A page of the names of all workflows.
    fn workflow_names_page(&self, token: Option<String>) -> impl Future<Output = Result<Page<String>, Error>> + Send;
    /// Those of some workflows that exist, with their graphs and last runs.
    fn workflows(&self, names: &[String]) -> impl Future<Output = Result<Vec<(String, Workflow)>, Error>> + Send;
    /// One workflow.
    fn workflow(&self, name: &str) -> impl Future<Output = Result<Workflow, Error>> + Send;
    /// The tags of an item.
    fn tags(&self, type_: ItemType, name: &str) -> impl Future<Output = Result<Tags, Error>> + Send;
}

/// The reads of one client.
#[derive(Debug, Default)]
pub struct Progress {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The read that is under way, and the ids that it is for.
    reading: Option<(Reading, HashSet<String>)>,
    /// What the last one showed, as long as somebody watches it, and the ids that it was for.
    last: (Weak<Picture>, HashSet<String>),
    tag_times: TagTimes,
    /// When the last read began.
    began_at: Option<Instant>,
    /// When the group last polled.
    polled_at: Option<Instant>,
    /// Whether the last call failed for a passing reason.
    has_failed: bool,
}

impl State {
    /// Whether the last read showed what this id wants.
    fn shows(&self, id: &str) -> bool {
        let (picture, shown) = &self.last;
        if picture.strong_count() == 0 || shown.contains(id) {
            return picture.strong_count() > 0;
        }
        let Some(wanted) = Demand::parse(id) else { return false };
        // Another pace changes nothing of what is shown.
        wanted.refresh().is_none()
            && shown.iter().filter_map(|id| Demand::parse(id)).any(|shown| shown.content() == wanted.content())
    }

    /// How long after the last poll the group polls again.
    fn pause(&self, ids: &[String]) -> Pause {
        if self.has_failed {
            return Pause::Usual;
        }
        let (Some(began_at), Some(polled_at)) = (self.began_at, self.polled_at) else { return Pause::Short };
        if self.reading.is_some() || !ids.iter().all(|id| self.shows(id)) {
            return Pause::Short;
        }
        // A read that cost little is made again soon, to notice that what was refused is allowed.
        let last = self.last.0.upgrade();
        if last.is_some_and(|last| !last.refused.is_empty() && last.calls <= MOST_CALLS_AGAIN) {
            return Pause::Long;
        }
        let period = ids.iter().filter_map(|id| Demand::parse(id)).map(|demand| demand.period()).min();
        let next_at = began_at + period.unwrap_or(LONGEST_PERIOD);
        Pause::For(next_at.saturating_duration_since(polled_at).max(SHORTEST_PAUSE))
    }

    /// Whether a read of these ids has to begin now.
    fn is_due(&self, ids: &[String], now: Instant) -> bool {
        match (self.pause(ids), self.polled_at) {
            (Pause::For(pause), Some(polled_at)) => polled_at + pause <= now + SHORTEST_PAUSE,
            _ => true,
        }
    }
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The read that is under way, or a new one for `ids`, where one is due.
    fn begin(&self, ids: &[String], now: Instant) -> Option<(Reading, HashSet<String>)> {
        let mut state = self.state();
        let polled_at = state.polled_at.unwrap_or(now);
        let is_recent = now.saturating_duration_since(polled_at) < MOST_INTERRUPTED;
        if let Some(reading) = state.reading.take().filter(|_| is_recent) {
            return Some(reading);
        }
        if !state.is_due(ids, now) {
            return None;
        }
        state.began_at = Some(now);
        let demands: Vec<_> = ids.iter().filter_map(|id| Demand::parse(id)).collect();
        let (before, tag_times) = (state.last.0.upgrade(), state.tag_times.clone());
        let reading = Reading::new(Union::of(&demands), before, tag_times, Timestamp::now());
        Some((reading, ids.iter().cloned().collect()))
    }

    /// Keeps a read that is not over.
    fn keep(&self, reading: (Reading, HashSet<String>)) {
        self.state().reading = Some(reading);
    }

    /// Keeps what a read has shown. The picture lives as long as somebody has it.
    fn finish(&self, reading: Reading, ids: HashSet<String>) -> Arc<Picture> {
        let (picture, tag_times) = reading.finish(Timestamp::now());
        let mut state = self.state();
        state.tag_times = tag_times;
        // Equal pictures are one, so that nobody compares them again.
        let before = state.last.0.upgrade().filter(|before| **before == picture);
        let picture = before.unwrap_or_else(|| Arc::new(picture));
        state.last = (Arc::downgrade(&picture), ids);
        picture
    }
}

/// All inventories of one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InventorySource<C = Glue> {
    /// The client.
    pub client: C,
}

impl<C: InventoryReader> Source for InventorySource<C> {
    type Item = Arc<Picture>;

    fn limiter(&self) -> Arc<RateLimiter> {
        self.client.limiter()
    }

    fn client_id(&self) -> ClientId {
        self.client.client_id()
    }

    fn is_finished(_: &Arc<Picture>) -> bool {
        false
    }

    fn pause<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Option<Pause> {
        let ids: Vec<_> = ids.map(str::to_owned).collect();
        Some(self.client.progress().state().pause(&ids))
    }

    async fn poll(&self, requests: Vec<PollRequest<Arc<Picture>>>, _: Extras) -> Polled<Arc<Picture>> {
        let ids: Vec<_> = requests.into_iter().map(|request| request.id).collect();
        let progress = self.client.progress();
        let (mut calls, mut failure) = (0, None);
        let mut picture = progress.state().last.0.upgrade();
        if let Some((mut reading, of)) = progress.begin(&ids, Instant::now()) {
            while calls < CALLS_OF_A_TURN && failure.is_none() {
                let Some(ask) = reading.next().cloned() else { break };
                calls += 1;
                // A call is large, and a read makes many.
                let answer = Box::pin(ask_for(&self.client, &ask)).await;
                failure = reading.answer(answer, Instant::now()).err().map(Arc::new);
            }
            if reading.next().is_none() {
                picture = Some(progress.finish(reading, of));
            } else {
                progress.keep((reading, of));
            }
        }
        let mut state = progress.state();
        (state.polled_at, state.has_failed) = (Some(Instant::now()), failure.is_some());
        let results = ids.into_iter().filter_map(|id| {
            let answer = match (&failure, picture.as_ref().filter(|_| state.shows(&id))) {
                (Some(error), _) => Err(Arc::clone(error)),
                (None, Some(picture)) => Ok(Observation::Present(Arc::clone(picture))),
                (None, None) => return None,
            };
            Some(PollResult { id, answer, page: None })
        });
        Polled { results: results.collect(), calls, usual: None, seen: HashMap::new() }
    }
}

async fn ask_for<C: InventoryReader>(client: &C, ask: &Ask) -> Result<Answer, Error> {
    match ask {
        Ask::Jobs(token) => client.jobs_page(token.clone()).await.map(Answer::Jobs),
        Ask::Triggers(token) => client.triggers_page(token.clone()).await.map(Answer::Triggers),
        Ask::Crawlers(token) => client.crawlers_page(token.clone()).await.map(Answer::Crawlers),
        Ask::WorkflowNames(token) => client.workflow_names_page(token.clone()).await.map(Answer::WorkflowNames),
        Ask::Workflows(names) => client.workflows(names).await.map(Answer::Workflows),
        Ask::Workflow(name) => {
            client.workflow(name).await.map(|workflow| Answer::Workflows(vec![(name.clone(), workflow)]))
        }
        Ask::JobRuns(job, count) => client.newest_job_runs(job, *count).await.map(Answer::JobRuns),
        Ask::Crawls(crawler, count) => client.newest_crawls_of(crawler, *count).await.map(Answer::Crawls),
        Ask::Tags(type_, name) => client.tags(*type_, name).await.map(Answer::Tags),
    }
}

#[cfg(test)]
mod tests;
