//! How many calls the polls of many runs take, and what an error of one call hides. A fake stands for Glue.

#![allow(clippy::unwrap_used)]

mod scale;

use std::hash::Hash;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::glue::poller::{Poller, Report};

/// Jobs with runs, newest first, and errors by script, for one of their clients.
#[derive(Clone, Debug)]
struct FakeGlue {
    inner: Arc<Inner>,
    client: ClientId,
    /// How many calls this client has made, and whether Glue refuses them.
    own_calls: Arc<AtomicUsize>,
    is_denied: bool,
}

#[derive(Debug)]
struct Inner {
    page_size: usize,
    runs: Mutex<HashMap<String, Vec<JobRun>>>,
    /// The errors of pages by number, and of runs by id.
    page_errors: Mutex<HashMap<usize, ErrorKind>>,
    run_errors: Mutex<HashMap<String, ErrorKind>>,
    calls: AtomicUsize,
    /// How long a call takes.
    latency: Duration,
    limiter: Arc<RateLimiter>,
}

impl PartialEq for FakeGlue {
    fn eq(&self, other: &Self) -> bool {
        self.client == other.client
    }
}

impl Eq for FakeGlue {}

impl Hash for FakeGlue {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.client.hash(state);
    }
}

fn error(kind: ErrorKind) -> Error {
    let (code, message) = (format!("{kind:?}"), String::new());
    Error { operation: "GetJobRuns", object: "job etl".to_owned(), kind, code, message }
}

impl FakeGlue {
    fn new(page_size: usize) -> Self {
        Self::with(page_size, Duration::ZERO, None)
    }

    fn with(page_size: usize, latency: Duration, poll_calls_per_minute: Option<u32>) -> Self {
        let inner = Inner {
            page_size,
            runs: Mutex::default(),
            page_errors: Mutex::default(),
            run_errors: Mutex::default(),
            calls: AtomicUsize::new(0),
            latency,
            limiter: Arc::new(RateLimiter::new(poll_calls_per_minute)),
        };
        Self { inner: Arc::new(inner), client: ClientId::next(), own_calls: Arc::default(), is_denied: false }
    }

    /// The same account for another client.
    fn another_client(&self) -> Self {
        Self { client: ClientId::next(), own_calls: Arc::default(), ..self.clone() }
    }

    /// What every call begins with.
    async fn call(&self) -> Result<(), Error> {
        self.inner.calls.fetch_add(1, Ordering::SeqCst);
        self.own_calls.fetch_add(1, Ordering::SeqCst);
        if !self.inner.latency.is_zero() {
            tokio::time::sleep(self.inner.latency).await;
        }
        if self.is_denied { Err(error(ErrorKind::Denied)) } else { Ok(()) }
    }

    /// The newest run of `job` ends.
    fn end(&self, job: &str) {
        self.inner.runs.lock().unwrap().get_mut(job).unwrap()[0].state = JobRunState::Succeeded;
    }

    /// Starts `count` runs of `job`.
    fn start(&self, job: &str, count: usize) -> Vec<String> {
        let mut runs = self.inner.runs.lock().unwrap();
        let runs = runs.entry(job.to_owned()).or_default();
        let ids: Vec<_> = (runs.len()..runs.len() + count).map(|number| format!("jr_{number}")).collect();
        runs.splice(0..0, ids.iter().rev().map(|id| JobRun::fixture(id, JobRunState::Running)));
        ids
    }

    fn calls(&self) -> usize {
        self.inner.calls.load(Ordering::SeqCst)
    }
}

impl PollClient for FakeGlue {
    fn limiter(&self) -> Arc<RateLimiter> {
        Arc::clone(&self.inner.limiter)
    }

    fn client_id(&self) -> ClientId {
        self.client
    }

    fn is_of_same_account(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl RunReader for FakeGlue {
    async fn page(&self, job: &str, token: Option<String>) -> Result<Page<JobRun>, Error> {
        self.call().await?;
        let page: usize = token.map_or(0, |token| token.parse().unwrap());
        if let Some(kind) = self.inner.page_errors.lock().unwrap().get(&page) {
            return Err(error(*kind));
        }
        let runs = self.inner.runs.lock().unwrap();
        let mut pages =
            runs.get(job).ok_or_else(|| error(ErrorKind::NotFound))?.chunks(self.inner.page_size).skip(page);
        let runs = pages.next().unwrap_or_default().to_vec();
        Ok(Page { items: runs, next: pages.next().map(|_| (page + 1).to_string()) })
    }

    async fn run(&self, job: &str, id: &str) -> Result<JobRun, Error> {
        self.call().await?;
        if !self.inner.latency.is_zero() {
            tokio::time::sleep(self.inner.latency).await;
        }
        if let Some(kind) = self.inner.run_errors.lock().unwrap().get(id) {
            return Err(error(*kind));
        }
        let runs = self.inner.runs.lock().unwrap();
        let run = runs.get(job).and_then(|runs| runs.iter().find(|run| run.id == id));
        run.cloned().ok_or_else(|| error(ErrorKind::NotFound))
    }

    async fn job(&self, _: &str) -> Result<JobSettings, Error> {
        Ok(JobSettings::default())
    }
}

/// The calls a minute for `runs` live runs of each of `jobs` jobs, over two minutes after the first two, while `churn` newer runs
/// start in each job in every minute.
async fn calls_a_minute(jobs: usize, runs: usize, page_size: usize, churn: usize) -> usize {
    let glue = FakeGlue::new(page_size);
    let poller = Poller::new(Duration::from_secs(5), |_: String| {}, |_| {});
    let watch = |job: &str, ids: Vec<String>| {
        let source = JobRunSource { client: glue.clone(), job: job.to_owned() };
        for id in ids {
            let _ = poller.watch(&source, &id, &format!("{job}/{id}"));
        }
    };
    for job in 0..jobs {
        watch(&job.to_string(), glue.start(&job.to_string(), runs));
    }
    let mut before = 0;
    for minute in 0..4 {
        if minute == 2 {
            before = glue.calls();
        }
        for job in 0..jobs {
            glue.start(&job.to_string(), churn);
        }
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    (glue.calls() - before) / 2
}

#[tokio::test(start_paused = true)]
async fn the_calls_a_minute_are_those_that_pages_need() {
    for (jobs, runs, page_size, churn, most) in [
        (20, 1, 200, 0, 100),
        (20, 50, 200, 0, 100),
        (20, 500, 200, 100, 100),
        (1, 10_000, 200, 200, 110),
        (1, 1000, 50, 0, 100),
        (1000, 1, 200, 0, 850),
    ] {
        let calls = calls_a_minute(jobs, runs, page_size, churn).await;
        println!(
            "{jobs} jobs with {runs} runs each, pages of {page_size}, {churn} new a minute: {calls} calls a minute"
        );
        assert!(calls <= most, "{calls} calls, {most} at most");
    }
}

fn requests(ids: &[String]) -> Vec<PollRequest<JobRunItem>> {
    let request = |id: &String| PollRequest {
        id: id.clone(),
        last: None,
        unchanged_for: Duration::ZERO,
        page: None,
        failures: 0,
    };
    ids.iter().map(request).collect()
}

/// What one poll shows: how many runs are present, not found, and of which error kinds the others are.
async fn poll(glue: &FakeGlue, requests: Vec<PollRequest<JobRunItem>>) -> (usize, usize, Vec<ErrorKind>) {
    let source = JobRunSource { client: glue.clone(), job: "etl".to_owned() };
    let (mut present, mut absent, mut errors) = (0, 0, Vec::new());
    for result in source.poll(requests, Extras::default()).await.results {
        match result.answer {
            Ok(Observation::Present(_)) => present += 1,
            Ok(Observation::NotFound) => absent += 1,
            Err(error) => errors.push(error.kind),
        }
    }
    (present, absent, errors)
}

#[tokio::test]
async fn an_error_hides_only_what_it_is_about() {
    let glue = FakeGlue::new(10);
    let ids = glue.start("etl", 30);
    assert_eq!(poll(&glue, requests(&ids)).await, (30, 0, vec![]));
    // The second page cannot be read: the first counts.
    glue.inner.page_errors.lock().unwrap().insert(1, ErrorKind::Ambiguous);
    assert_eq!(poll(&glue, requests(&ids)).await, (10, 0, vec![ErrorKind::Ambiguous; 20]));
    // The next poll does without it, also where Glue refuses one run.
    let mut again = requests(&ids);
    for request in again.iter_mut().take(20) {
        request.failures = 1;
    }
    glue.inner.run_errors.lock().unwrap().insert(ids[3].clone(), ErrorKind::Denied);
    assert_eq!(poll(&glue, again.clone()).await, (29, 0, vec![ErrorKind::Denied]));
    // A throttle ends the poll.
    glue.inner.page_errors.lock().unwrap().insert(1, ErrorKind::Throttled);
    let calls = glue.calls();
    assert_eq!(poll(&glue, again).await, (10, 0, vec![ErrorKind::Throttled; 20]));
    assert_eq!(glue.calls() - calls, 2);
}

#[tokio::test]
async fn without_the_job_its_runs_are_read_by_id() {
    let glue = FakeGlue::new(10);
    let ids = glue.start("etl", 30);
    glue.inner.page_errors.lock().unwrap().insert(0, ErrorKind::NotFound);
    assert_eq!(poll(&glue, requests(&ids)).await, (30, 0, vec![]));
    glue.inner.runs.lock().unwrap().clear();
    assert_eq!(poll(&glue, requests(&ids)).await, (0, 30, vec![]));
}

/// What the poller shows of the end of the newest of two runs of a job, for the second of two clients of an account, and
/// how many calls both clients have made.
async fn end_seen_by_second(is_denied: bool) -> (Report<JobRunItem>, [usize; 2]) {
    let first = FakeGlue::with(200, Duration::ZERO, Some(6));
    let second = FakeGlue { is_denied, ..first.another_client() };
    let poller = Poller::new(Duration::from_secs(5), |_: usize| {}, |_| {});
    let ids = first.start("etl", 2);
    let sources = [first.clone(), second.clone()].map(|client| JobRunSource { client, job: "etl".to_owned() });
    for (number, source) in sources.iter().enumerate() {
        let _ = poller.watch(source, &ids[number], &number);
    }
    tokio::time::sleep(Duration::from_mins(10)).await;
    let before = [&first, &second].map(|client| client.own_calls.load(Ordering::SeqCst));
    first.end("etl");
    tokio::time::sleep(Duration::from_mins(2)).await;
    let after = [&first, &second].map(|client| client.own_calls.load(Ordering::SeqCst));
    (poller.watch(&sources[1], &ids[1], &1), std::array::from_fn(|client| after[client] - before[client]))
}

#[tokio::test(start_paused = true)]
async fn a_client_asks_for_itself_when_another_was_shown_a_change() {
    let (report, calls) = end_seen_by_second(false).await;
    let Some(Observation::Present(item)) = report.observation else { panic!("{report:?}") };
    assert_eq!(item.run.state, JobRunState::Succeeded);
    assert!(calls[1] >= 1, "{calls:?}");
    let (report, _) = end_seen_by_second(true).await;
    assert_eq!(report.observation, None, "what AWS answers to one client is not shown to another");
    assert_eq!(report.error.map(|error| error.kind), Some(ErrorKind::Denied));
}
