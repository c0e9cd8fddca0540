//! The calls a minute and the lag with thousands of live runs, on a virtual clock: the figures of docs/operations.md.

#![allow(clippy::cast_precision_loss)]

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;

/// What runs, for as long as the test lasts: a run that has ended is followed by another one.
#[derive(Clone, Copy)]
struct Load {
    jobs: usize,
    /// Live runs in all.
    runs: usize,
    clients: usize,
    /// Pairs of a client and a job. Each has an equal part of the runs.
    groups: usize,
    /// What the operator allows.
    allowed: Option<u32>,
    /// Runs last so many minutes, and up to half as long again.
    minutes: u64,
    /// How many ended runs each job has at the beginning.
    ended: usize,
    /// For how long it is measured.
    measured: Duration,
}

const A_THOUSAND: Load = Load {
    jobs: 20,
    runs: 1000,
    clients: 1,
    groups: 20,
    allowed: None,
    minutes: 10,
    ended: 0,
    measured: Duration::from_mins(5),
};

/// When the world is steady.
const STEADY_AFTER: Duration = Duration::from_mins(3);

/// What was measured.
#[derive(Debug)]
struct Figures {
    calls_a_minute: f64,
    /// From a change in Glue until the poller requeues the run's subscriber, the shortest first.
    lags: Vec<Duration>,
    /// Those of ends.
    ends: Vec<Duration>,
}

impl Figures {
    fn lag(&self, part: f64) -> f64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let index = (self.lags.len() as f64 * part) as usize;
        self.lags[index.min(self.lags.len() - 1)].as_secs_f64()
    }
}

/// A change of a run: when, of which one, and to which state.
type Change = Reverse<(Instant, usize, bool)>;

struct World {
    load: Load,
    account: FakeGlue,
    sources: Vec<JobRunSource<FakeGlue>>,
    poller: Poller<JobRunSource<FakeGlue>, usize>,
    requeued: mpsc::UnboundedReceiver<usize>,
    begun: Instant,
    random: RefCell<fastrand::Rng>,
    /// The source of each run, and when it last changed.
    runs: Vec<(usize, Instant)>,
    changes: BinaryHeap<Change>,
}

impl World {
    fn new(load: Load) -> Self {
        let account = FakeGlue::with(200, Duration::from_millis(50), load.allowed);
        let clients: Vec<_> = (0..load.clients).map(|_| account.another_client()).collect();
        let source = |number: usize| JobRunSource {
            client: clients[number % load.clients].clone(),
            job: ((number / load.clients + number % load.clients) % load.jobs).to_string(),
        };
        let sources = (0..load.groups).map(source).collect();
        let begun = Instant::now();
        let clock = move || Self::timestamp(SignedDuration::try_from(begun.elapsed()).unwrap());
        let (sender, requeued) = mpsc::unbounded_channel();
        let requeue = move |run| sender.send(run).unwrap_or_default();
        let poller = Poller::with_clock(Duration::from_secs(5), clock, requeue, |_| {});
        let (runs, changes) = (Vec::new(), BinaryHeap::new());
        let random = RefCell::new(fastrand::Rng::with_seed(7));
        Self { load, account, sources, poller, requeued, begun, random, runs, changes }
    }

    fn timestamp(since_beginning: SignedDuration) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1000) + since_beginning
    }

    /// A run of a source begins, or began so long ago.
    fn start(&mut self, source: usize, age: Duration, lasts: Duration) {
        let (number, now) = (self.runs.len(), Instant::now());
        let began = SignedDuration::try_from(self.begun.elapsed()).unwrap() - SignedDuration::try_from(age).unwrap();
        let starts_within = Duration::from_secs(20);
        let state = if age < starts_within { JobRunState::Starting } else { JobRunState::Running };
        let run =
            JobRun { started_on: Some(Self::timestamp(began)), ..JobRun::fixture(&number.to_string(), state.clone()) };
        self.account.inner.runs.lock().unwrap().entry(self.sources[source].job.clone()).or_default().insert(0, run);
        self.runs.push((source, now));
        if state == JobRunState::Starting {
            self.changes.push(Reverse((now + starts_within.saturating_sub(age), number, false)));
        }
        self.changes.push(Reverse((now + lasts.saturating_sub(age), number, true)));
        let _ = self.poller.watch(&self.sources[source], &number.to_string(), &number);
    }

    fn lasts(&self) -> Duration {
        let seconds = self.load.minutes * 60;
        Duration::from_secs(self.random.borrow_mut().u64(seconds..seconds * 3 / 2))
    }

    fn change(&mut self, number: usize, ends: bool) {
        let (source, changed_at) = &mut self.runs[number];
        *changed_at = Instant::now();
        let mut runs = self.account.inner.runs.lock().unwrap();
        let id = number.to_string();
        let run = runs.get_mut(&self.sources[*source].job).unwrap().iter_mut().find(|run| run.id == id).unwrap();
        run.state = if ends { JobRunState::Succeeded } else { JobRunState::Running };
        let now = SignedDuration::try_from(self.begun.elapsed()).unwrap();
        run.completed_on = ends.then(|| Self::timestamp(now));
    }

    /// Lets the world run until it is steady, and measures it.
    async fn measure(mut self) -> Figures {
        for job in 0..self.load.jobs {
            let ended = (0..self.load.ended).map(|number| {
                let lasts = SignedDuration::try_from(self.lasts()).unwrap();
                JobRun {
                    started_on: Some(Self::timestamp(-lasts)),
                    completed_on: Some(Self::timestamp(SignedDuration::ZERO)),
                    ..JobRun::fixture(&format!("ended-{number}"), JobRunState::Succeeded)
                }
            });
            let ended = ended.collect();
            self.account.inner.runs.lock().unwrap().insert(job.to_string(), ended);
        }
        let mut ages: Vec<_> = (0..self.load.runs)
            .map(|number| {
                let lasts = self.lasts();
                (lasts.mul_f64(self.random.borrow_mut().f64()), lasts, number % self.sources.len())
            })
            .collect();
        // The list has the newest first.
        ages.sort_unstable_by_key(|(age, ..)| Reverse(*age));
        for (age, lasts, source) in ages {
            self.start(source, age, lasts);
        }
        let steady = self.begun + STEADY_AFTER;
        let end = steady + self.load.measured;
        let (mut calls_before, mut lags, mut ends) = (None, Vec::new(), Vec::new());
        while Instant::now() < end {
            let next = self.changes.peek().map_or(end, |Reverse((at, ..))| (*at).min(end));
            tokio::select! {
                biased;
                Some(number) = self.requeued.recv() => {
                    let (source, changed_at) = self.runs[number];
                    let watched = self.sources[source].clone();
                    let report = self.poller.watch(&watched, &number.to_string(), &number);
                    let Some(Observation::Present(item)) = report.observation else { continue };
                    if changed_at >= steady {
                        lags.push(changed_at.elapsed());
                    }
                    if item.run.state == JobRunState::Succeeded {
                        if changed_at >= steady {
                            ends.push(changed_at.elapsed());
                        }
                        self.poller.forget(&number);
                        let lasts = self.lasts();
                        self.start(source, Duration::ZERO, lasts);
                    }
                }
                () = tokio::time::sleep_until(next) => {
                    while let Some(Reverse((at, number, ends))) = self.changes.peek().copied() {
                        if at > Instant::now() {
                            break;
                        }
                        self.changes.pop();
                        self.change(number, ends);
                    }
                }
            }
            if Instant::now() >= steady && calls_before.is_none() {
                calls_before = Some(self.account.calls());
            }
        }
        lags.sort_unstable();
        let calls = (self.account.calls() - calls_before.unwrap_or_default()) as f64;
        let calls_a_minute = calls / self.load.measured.as_secs_f64() * 60.0;
        Figures { calls_a_minute, lags, ends }
    }
}

/// Measures, and checks the calls a minute and the lag of all but one in a hundred changes, in seconds.
async fn check(what: &str, load: Load, most_calls: f64, longest_lag: f64) {
    let figures = World::new(load).measure().await;
    let (median, p99) = (figures.lag(0.5), figures.lag(0.99));
    println!(
        "{what}: {:.0} calls a minute, lag {median:.1} s (median), {p99:.1} s (p99), {:.1} s (longest) of {} changes",
        figures.calls_a_minute,
        figures.lag(1.0),
        figures.lags.len()
    );
    assert!(figures.calls_a_minute <= most_calls, "{what}: {:.1} calls a minute", figures.calls_a_minute);
    assert!(p99 <= longest_lag, "{what}: a lag of {p99:.1} s");
    assert!(figures.lags.len() > 300, "{what}: {} changes", figures.lags.len());
}

#[tokio::test(start_paused = true)]
async fn a_thousand_runs_of_twenty_jobs_take_a_hundred_calls_a_minute() {
    check("1,000 runs of 20 jobs", A_THOUSAND, 100.0, 16.0).await;
}

#[tokio::test(start_paused = true)]
async fn more_allowed_calls_shorten_the_lag() {
    check("1,000 runs of 20 jobs, 300 calls allowed", Load { allowed: Some(300), ..A_THOUSAND }, 300.0, 6.0).await;
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_runs_take_the_calls_that_pages_need() {
    let load = Load { runs: 10_000, minutes: 120, measured: Duration::from_mins(4), ..A_THOUSAND };
    // Sixty pages, or fifty, at 95 calls a minute.
    check("10,000 runs of 20 jobs", load, 100.0, 60.0 / 95.0 * 60.0 + 1.0).await;
    check("10,000 runs of one job", Load { jobs: 1, groups: 1, ..load }, 100.0, 50.0 / 95.0 * 60.0 + 3.5).await;
    let load = Load { allowed: Some(600), ..load };
    check("10,000 runs of 20 jobs, 600 calls allowed", load, 600.0, 60.0 / 570.0 * 60.0 + 1.0).await;
    // The pause of 5 s, the poll of 2.5 s before it, and that after it.
    check("10,000 runs of one job, 600 calls allowed", Load { jobs: 1, groups: 1, ..load }, 600.0, 10.0).await;
}

#[tokio::test(start_paused = true)]
async fn two_hundred_identities_take_less_than_twice_the_calls_of_one() {
    let load = Load { jobs: 200, clients: 200, groups: 200, ..A_THOUSAND };
    check("1,000 runs of 200 identities, of a job each", load, 190.0, 76.0).await;
    let allowed = Load { allowed: Some(600), ..load };
    check("1,000 runs of 200 identities, 600 calls allowed", allowed, 600.0, 23.0).await;
}

/// The poll of one shows the others whether they have to ask.
#[tokio::test(start_paused = true)]
async fn identities_that_run_the_same_jobs_ask_when_something_has_changed() {
    let load = Load { clients: 200, groups: 1000, minutes: 30, measured: Duration::from_mins(10), ..A_THOUSAND };
    check("1,000 runs of 200 identities, of 20 jobs that they share", load, 190.0, 40.0).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_jobs_are_each_polled_within_about_a_minute() {
    check("1,000 runs of 1,000 jobs", Load { jobs: 1000, groups: 1000, ..A_THOUSAND }, 850.0, 76.0).await;
}

/// Where calls are few, a job of which ended runs are known is polled more often when its run is about to end.
#[tokio::test(start_paused = true)]
async fn what_runs_usually_last_shortens_the_lag_of_their_ends() {
    let mut means = Vec::new();
    for ended in [0, 5] {
        let load = Load {
            jobs: 300,
            groups: 300,
            runs: 300,
            minutes: 60,
            ended,
            measured: Duration::from_mins(20),
            ..A_THOUSAND
        };
        let figures = World::new(load).measure().await;
        let mean = figures.ends.iter().sum::<Duration>().as_secs_f64() / figures.ends.len() as f64;
        let calls = figures.calls_a_minute;
        println!("300 jobs with {ended} ended runs: {calls:.0} calls a minute, mean lag of an end {mean:.1} s");
        means.push(mean);
    }
    assert!(means[1] < means[0] * 0.75, "{means:?}");
}
