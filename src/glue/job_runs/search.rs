//! The search for the runs of one object among all runs of a job.
//!
//! All searches of one client in one job share what was listed, see [`history`](super::history): one that is throttled
//! goes on where it stopped, and many objects that look for their runs at the same time take one listing. What was
//! listed is forgotten [`KEPT_FOR`] after the last search.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::fingerprint::recognizer;
use super::history::{Entry, History, HistoryPage, Next};
use super::{JobRun, RunMatcher};
use crate::glue::error::if_found;
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, ErrorKind, Glue};

/// The operation that lists runs.
const OPERATION: &str = "GetJobRuns";
/// How long what was listed is kept after the last search.
pub(crate) const KEPT_FOR: Duration = Duration::from_mins(10);
/// How long one search takes at most: meanwhile its object is not stopped or deleted.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);
/// How many runs of all jobs of a client are kept between searches: some 6 MB.
const MOST_KEPT: usize = 50_000;
/// How many ended runs of one search are returned; the newest.
const MOST_ENDED: usize = 20;
/// How many runs of one search are returned that have not ended.
const MOST_ACTIVE: usize = 100;

/// Every run of `job` that satisfies `matcher` and that Glue shows as started at `since` or later; without `since`, as
/// far back as Glue keeps them, and among the newest 250 pages of runs. Those that have not ended come first (the newest
/// 100), and newer runs before older ones (the newest 20 that have ended). [`JobRun::matched`] has the number of the
/// attempt.
///
/// The answer has what Glue shows after the call. `urgency` is the priority of its calls: [`Priority::Search`], or
/// [`Priority::Stop`] where the object is being deleted and what is found will be stopped.
///
/// # Errors
///
/// Glue refuses or does not answer, or the search finds none among more runs since `since` than it reads. Then nothing is known:
/// a run that is not in a part of the answer may exist.
pub async fn matching_runs(
    client: &Glue,
    job: &str,
    matcher: &RunMatcher,
    since: Option<Timestamp>,
    urgency: Priority,
) -> Result<Vec<JobRun>, Error> {
    let reader = Reader { client, urgency };
    let found = client.histories().search(&reader, job, matcher, since).await;
    forget_later(client);
    found
}

/// Forgets what was listed some time after the last search.
fn forget_later(client: &Glue) {
    if !client.histories().begin_forgetting() {
        return;
    }
    let client = client.downgrade();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(KEPT_FOR).await;
            if client.upgrade().is_none_or(|client| !client.histories().forget_old()) {
                return;
            }
        }
    });
}

/// What reads the history of jobs.
pub(crate) trait HistoryReader: Sync {
    /// Whether a search does not wait for others that are under way: they may be less urgent.
    fn is_urgent(&self) -> bool {
        false
    }
    /// A page of the history.
    fn page(&self, job: &str, token: Option<String>) -> impl Future<Output = Result<HistoryPage, Error>> + Send;
    /// One run, with [`JobRun::matched`].
    fn run(&self, job: &str, id: &str, matcher: &RunMatcher) -> impl Future<Output = Result<JobRun, Error>> + Send;
}

/// A client, and the priority of its calls.
struct Reader<'a> {
    client: &'a Glue,
    urgency: Priority,
}

impl HistoryReader for Reader<'_> {
    fn is_urgent(&self) -> bool {
        self.urgency == Priority::Stop
    }

    async fn page(&self, job: &str, token: Option<String>) -> Result<HistoryPage, Error> {
        self.client.job_run_history(job, token, self.urgency).await
    }

    async fn run(&self, job: &str, id: &str, matcher: &RunMatcher) -> Result<JobRun, Error> {
        self.client.matching_job_run(job, id, matcher, self.urgency).await
    }
}

/// The histories that searches of one client share, by job.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    state: Mutex<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    by_job: HashMap<String, Kept>,
    /// Whether a task forgets what is old.
    is_forgetting: bool,
}

#[derive(Clone, Debug)]
struct Kept {
    history: Arc<tokio::sync::Mutex<History>>,
    searched_at: Instant,
    /// How many runs it had after the last search.
    runs: usize,
}

impl Histories {
    /// See [`matching_runs`]. It takes [`LONGEST`] at most.
    pub(crate) async fn search(
        &self,
        reader: &impl HistoryReader,
        job: &str,
        matcher: &RunMatcher,
        since: Option<Timestamp>,
    ) -> Result<Vec<JobRun>, Error> {
        let search = tokio::time::timeout(LONGEST, self.search_to_the_end(reader, job, matcher, since)).await;
        search.unwrap_or_else(|_| {
            let message =
                "the search through the history of the job's runs takes long; the next try goes on from there";
            Err(Error::search_not_finished(OPERATION, object(job), message))
        })
    }

    async fn search_to_the_end(
        &self,
        reader: &impl HistoryReader,
        job: &str,
        matcher: &RunMatcher,
        since: Option<Timestamp>,
    ) -> Result<Vec<JobRun>, Error> {
        let asked = Instant::now();
        let history = self.of(job, asked);
        let listed = match history.try_lock() {
            Err(_) if reader.is_urgent() => {
                let mut own = History::default();
                list(reader, job, &mut own, asked, since).await?;
                newest(&own, job, matcher, since)
            }
            guard => {
                let mut history = match guard {
                    Ok(history) => history,
                    Err(_) => history.lock().await,
                };
                let listed = list(reader, job, &mut history, asked, since).await;
                self.keep(job, history.len());
                listed.and_then(|()| newest(&history, job, matcher, since))
            }
        };
        let mut runs = Vec::new();
        for entry in listed? {
            let run = if_found(reader.run(job, &entry.id, matcher).await)?;
            runs.extend(run.filter(|run| run.matched.is_some()));
        }
        runs.sort_by_key(|run| run.state.is_final());
        Ok(runs)
    }

    fn of(&self, job: &str, now: Instant) -> Arc<tokio::sync::Mutex<History>> {
        let mut state = self.state();
        let kept = state.by_job.entry(job.to_owned()).or_insert_with(|| Kept {
            history: Arc::default(),
            searched_at: now,
            runs: 0,
        });
        kept.searched_at = now;
        Arc::clone(&kept.history)
    }

    /// Records how many runs the history of `job` has, and forgets others while there are too many.
    fn keep(&self, job: &str, runs: usize) {
        let by_job = &mut self.state().by_job;
        if let Some(kept) = by_job.get_mut(job) {
            kept.runs = runs;
        }
        while by_job.values().map(|kept| kept.runs).sum::<usize>() > MOST_KEPT {
            let others = by_job.iter().filter(|(other, _)| *other != job);
            let Some(oldest) = others.min_by_key(|(_, kept)| kept.searched_at).map(|(job, _)| job.clone()) else {
                return;
            };
            by_job.remove(&oldest);
        }
    }

    /// Whether the caller is to forget what is old from now on.
    pub(crate) fn begin_forgetting(&self) -> bool {
        !std::mem::replace(&mut self.state().is_forgetting, true)
    }

    /// Forgets the histories that were not searched for [`KEPT_FOR`]. Whether some are left to forget later.
    pub(crate) fn forget_old(&self) -> bool {
        let mut state = self.state();
        state.by_job.retain(|_, kept| kept.searched_at.elapsed() < KEPT_FOR);
        state.is_forgetting = !state.by_job.is_empty();
        state.is_forgetting
    }

    fn state(&self) -> MutexGuard<'_, Shared> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lists what the search needs. After an error, the next search goes on from there.
async fn list(
    reader: &impl HistoryReader,
    job: &str,
    history: &mut History,
    asked: Instant,
    since: Option<Timestamp>,
) -> Result<(), Error> {
    loop {
        let now = Instant::now();
        match history.next(asked, since, now) {
            Next::Done => return Ok(()),
            Next::List(part, token) => {
                let goes_on = token.is_some();
                match reader.page(job, token).await {
                    Ok(page) => history.on_page(part, page, now),
                    Err(error) => {
                        if goes_on && error.kind == ErrorKind::Invalid {
                            // Glue does not take the token any more.
                            *history = History::default();
                        }
                        return Err(error);
                    }
                }
            }
        }
    }
}

/// The newest runs with the matcher's fingerprint; an error where none is known, and the history does not go back to `since`.
fn newest(history: &History, job: &str, matcher: &RunMatcher, since: Option<Timestamp>) -> Result<Vec<Entry>, Error> {
    let (mut ended, mut active) = (0, 0);
    let is_among_newest = |entry: &&Entry| {
        let (count, most) = if entry.is_final { (&mut ended, MOST_ENDED) } else { (&mut active, MOST_ACTIVE) };
        *count += 1;
        *count <= most
    };
    let found: Vec<_> = history.matching(recognizer(matcher), since).filter(is_among_newest).cloned().collect();
    if found.is_empty() && since.is_some_and(|since| !history.goes_back_to(since)) {
        return Err(Error::too_many_newer_runs(OPERATION, object(job)));
    }
    Ok(found)
}

fn object(job: &str) -> String {
    format!("job {job}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::future::join_all;

    use super::*;
    use crate::glue::job_runs::fingerprint::Fingerprint;
    use crate::glue::job_runs::history::HistoryRun;
    use crate::glue::job_runs::{JobRunState, RunMatch, parse_attempt_key};

    /// A job with runs that carry these keys, oldest first; every `throttles`th page is throttled.
    struct FakeGlue {
        keys: Mutex<Vec<String>>,
        throttles: usize,
        calls: Mutex<usize>,
    }

    impl FakeGlue {
        fn call(&self) -> usize {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        }
    }

    fn matcher(base: &str) -> RunMatcher {
        RunMatcher::Argument { name: "--key".to_owned(), base: base.to_owned() }
    }

    impl HistoryReader for FakeGlue {
        async fn page(&self, _: &str, token: Option<String>) -> Result<HistoryPage, Error> {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if self.call().is_multiple_of(self.throttles) {
                let (object, message, code) = ("job etl".to_owned(), String::new(), "ThrottlingException".to_owned());
                return Err(Error { operation: "GetJobRuns", object, kind: ErrorKind::Throttled, code, message });
            }
            let keys = self.keys.lock().unwrap();
            let end = token.map_or(keys.len(), |token| token.parse().unwrap());
            let first = end.saturating_sub(200);
            let runs = (first..end).rev().map(|run| HistoryRun {
                id: run.to_string().into(),
                started_on: Timestamp::from_second(i64::try_from(run).unwrap()).ok(),
                is_final: run < 9_990,
                fingerprint: parse_attempt_key(&keys[run]).map(|(base, _)| Fingerprint::of_base(base)),
            });
            Ok(HistoryPage { runs: runs.collect(), next: (first > 0).then(|| first.to_string()) })
        }

        async fn run(&self, _: &str, id: &str, _: &RunMatcher) -> Result<JobRun, Error> {
            self.call();
            let run: usize = id.parse().unwrap();
            let keys = self.keys.lock().unwrap();
            let state = if run < 9_990 { JobRunState::Succeeded } else { JobRunState::Running };
            let matched = parse_attempt_key(&keys[run]).map(|(_, number)| RunMatch::Attempt(number));
            Ok(JobRun { matched, ..JobRun::fixture(id, state) })
        }
    }

    /// 10,000 runs: ten live ones, and each object has had two attempts.
    fn glue(throttles: usize) -> FakeGlue {
        let keys = (0..10_000).map(|run| format!("object-{}/{}", run % 5000, run / 5000)).collect();
        FakeGlue { keys: Mutex::new(keys), throttles, calls: Mutex::new(0) }
    }

    #[tokio::test(start_paused = true)]
    async fn all_attempts_of_many_objects_are_found_by_one_listing() {
        let (glue, histories) = (glue(usize::MAX), Histories::default());
        let search = async |object: usize| {
            let matcher = matcher(&format!("object-{object}"));
            let found = histories.search(&glue, "etl", &matcher, None).await.unwrap();
            found.into_iter().map(|run| (run.id, run.matched)).collect::<Vec<_>>()
        };
        let found = join_all((0..100).map(search)).await;
        for (object, found) in found.into_iter().enumerate() {
            let run = |number: u32| {
                let id = usize::try_from(number).unwrap() * 5000 + object;
                (id.to_string(), Some(RunMatch::Attempt(number)))
            };
            assert_eq!(found, [run(1), run(0)], "newest first");
        }
        let calls = *glue.calls.lock().unwrap();
        println!("100 searches through 10,000 runs: {calls} calls");
        assert_eq!(calls, 50 + 200, "the pages, and each run that was found");
        // A search that is asked for later lists what is new.
        glue.keys.lock().unwrap().push("object-7/2".to_owned());
        let found = search(7).await;
        assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["10000", "5007", "7"]);
        assert!(*glue.calls.lock().unwrap() <= calls + 3 + 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_search_that_is_throttled_goes_on_where_it_stopped() {
        let (glue, histories) = (glue(10), Histories::default());
        let mut failures = 0;
        let found = loop {
            match histories.search(&glue, "etl", &matcher("object-3"), None).await {
                Ok(found) => break found,
                Err(error) => assert_eq!(error.kind, ErrorKind::Throttled),
            }
            failures += 1;
            tokio::time::sleep(Duration::from_secs(5)).await;
        };
        assert_eq!(found.len(), 2);
        let calls = *glue.calls.lock().unwrap();
        println!("a search through 10,000 runs with {failures} throttles: {calls} calls");
        assert!(failures >= 5 && calls <= 75, "{failures} failures, {calls} calls");
    }

    /// The first start of the job was lost sight of 60,000 runs ago.
    #[tokio::test(start_paused = true)]
    async fn a_search_that_does_not_reach_the_start_knows_nothing() {
        let keys = (0..60_000).map(|run| format!("object-{run}/0")).collect();
        let (glue, histories) =
            (FakeGlue { keys: Mutex::new(keys), throttles: usize::MAX, calls: Mutex::new(0) }, Histories::default());
        let search = async |object: &str, since: Option<i64>| {
            let since = since.and_then(|since| Timestamp::from_second(since).ok());
            histories.search(&glue, "etl", &matcher(object), since).await.map(|found| found.len())
        };
        for _ in 0..2 {
            let error = search("object-5", Some(5)).await.unwrap_err();
            assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Transient, "SearchNotFinished"), "{error}");
        }
        assert_eq!(search("nobody", Some(10_001)).await, Ok(0), "as far back as it reads");
        assert_eq!(search("object-59000", Some(5)).await, Ok(1));
        // Without a time, the newest runs are enough.
        assert_eq!(search("object-5", None).await, Ok(0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_listed_is_forgotten() {
        let (glue, histories) = (glue(usize::MAX), Histories::default());
        for job in 0..8 {
            histories.search(&glue, &job.to_string(), &matcher("object-3"), None).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let kept: Vec<_> = {
            let state = histories.state();
            let mut jobs: Vec<_> = state.by_job.keys().cloned().collect();
            jobs.sort();
            jobs
        };
        assert_eq!(kept, ["3", "4", "5", "6", "7"], "50,000 runs");
        tokio::time::sleep(KEPT_FOR).await;
        assert!(!histories.forget_old());
    }
}
