//! Many live runs: how many calls to AWS they take, and how long a change in Glue takes to be in the status.

use std::time::{Duration, Instant};

use kube_glue_double::{AccessKey, DEFAULT_ACCOUNT, Keep, RunScript};
use serde_json::json;

use super::{Context, count};
use crate::{
    error::LoadError,
    progress::{reach, say},
    row::{Row, Unit},
    sample::spec,
    statistics::percentile,
    world::{JOBS, OBJECTS, REGION, Setup, World, job, objects},
};

pub(super) const NAME: &str = "polls";
pub(super) const MORE_CALLS: &str = "polls-300";
pub(super) const MANY: &str = "polls-10000";
pub(super) const ONE_JOB: &str = "polls-one-job";
pub(super) const IDENTITIES: &str = "identities";
/// The live runs of a full measurement, and the many of them.
const RUNS: usize = 1000;
const MANY_RUNS: usize = 10_000;
/// The identities of a full measurement.
const TENANTS: usize = 200;
/// How long calls are counted.
const WINDOW: Duration = Duration::from_mins(3);
/// How long the polls may settle before that.
const SETTLE: Duration = Duration::from_secs(20);
/// How long a change may take to be seen.
const LIMIT: Duration = Duration::from_mins(3);
/// What the poll itself may add to the pause, in seconds.
const POLL: f64 = 1.0;
/// The values of an operator who allows more calls.
const ALLOWED: Setup = Setup { values: &["controller.pollCallsPerMinute=300"], ..Setup::USUAL };

/// The runs of one measurement.
#[derive(Debug, Clone, Copy)]
struct Population {
    runs: usize,
    jobs: usize,
    /// Namespaces, each with an access key of its own.
    identities: usize,
}

impl Population {
    /// The namespace and the name of the nth run. Each namespace has the same number of them.
    fn key(&self, nth: usize) -> (String, String) {
        (namespace(nth % self.identities), objects::name(nth / self.identities))
    }

    /// Its job.
    fn job(&self, nth: usize) -> usize {
        (nth / self.identities + nth % self.identities) % self.jobs
    }
}

/// What was measured.
struct Measured {
    /// Calls to AWS for each minute.
    calls: f64,
    /// From changes in Glue to the statuses that show them.
    lags: Vec<Duration>,
    /// Changes that were not shown in time.
    missed: usize,
    /// Between two polls of a job.
    intervals: Vec<Duration>,
}

impl Measured {
    /// The lag that so large a part of the changes does not exceed, in seconds.
    fn lag(&self, part: f64) -> f64 {
        percentile(&self.lags, part).unwrap_or_default().as_secs_f64()
    }

    /// The same of the time between two polls.
    fn pause(&self, part: f64) -> f64 {
        percentile(&self.intervals, part).unwrap_or_default().as_secs_f64()
    }
}

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let population = Population { runs: context.settings.size(RUNS), jobs: JOBS, identities: 1 };
    let measured = observe(context, Setup::USUAL, population).await?;
    Ok(rows(context, NAME, &measured, 100.0, 16.0))
}

pub(super) async fn measure_more_calls(context: &Context) -> Result<Vec<Row>, LoadError> {
    let population = Population { runs: context.settings.size(RUNS), jobs: JOBS, identities: 1 };
    let measured = observe(context, ALLOWED, population).await?;
    Ok(rows(context, MORE_CALLS, &measured, 300.0, 6.0))
}

pub(super) async fn measure_many(context: &Context) -> Result<Vec<Row>, LoadError> {
    many(context, MANY, JOBS, 250.0).await
}

pub(super) async fn measure_one_job(context: &Context) -> Result<Vec<Row>, LoadError> {
    many(context, ONE_JOB, 1, 600.0).await
}

async fn many(context: &Context, scenario: &'static str, jobs: usize, calls: f64) -> Result<Vec<Row>, LoadError> {
    let population = Population { runs: context.settings.size(MANY_RUNS), jobs, identities: 1 };
    let measured = observe(context, Setup::USUAL, population).await?;
    Ok(rows(context, scenario, &measured, calls, measured.pause(0.99) + POLL))
}

pub(super) async fn measure_identities(context: &Context) -> Result<Vec<Row>, LoadError> {
    let identities = context.settings.size(TENANTS);
    let runs = (context.settings.size(RUNS) / identities).max(1) * identities;
    say("  one identity");
    let one = observe(context, Setup::USUAL, Population { runs, jobs: JOBS, identities: 1 }).await?;
    say(&format!("  {identities} identities"));
    let all = observe(context, Setup::USUAL, Population { runs, jobs: JOBS, identities }).await?;
    let calls = context.row(IDENTITIES, "calls to AWS", all.calls, Unit::PerMinute);
    let calls = calls.against("one identity", one.calls).at_most(2.0).at_full_size();
    Ok(vec![calls, lag(context, IDENTITIES, &all).against("one identity", one.lag(0.99))])
}

/// The calls in a minute, the lag in seconds, each with its goal, and the pauses that explain them.
fn rows(context: &Context, scenario: &'static str, measured: &Measured, calls: f64, seconds: f64) -> Vec<Row> {
    let pause = |measure: &str, part| context.row(scenario, measure, measured.pause(part), Unit::Seconds);
    vec![
        context.row(scenario, "calls to AWS", measured.calls, Unit::PerMinute).at_most(calls).at_full_size(),
        lag(context, scenario, measured).at_most(seconds),
        pause("between two polls of a job, median", 0.5),
        pause("between two polls of a job, p99", 0.99),
    ]
}

fn lag(context: &Context, scenario: &'static str, measured: &Measured) -> Row {
    let note = format!(
        "{} changes, {} of them not shown within {LIMIT:?}; median {:.1} s, at most {:.1} s",
        measured.lags.len() + measured.missed,
        measured.missed,
        measured.lag(0.5),
        measured.lag(1.0)
    );
    let p99 = if measured.missed == 0 { measured.lag(0.99) } else { LIMIT.as_secs_f64() };
    context.row(scenario, "from a change in Glue to the status, p99", p99, Unit::Seconds).note(note)
}

/// Brings the runs to RUNNING, counts the calls for some time, and meanwhile ends some of the runs one by one.
async fn observe(context: &Context, setup: Setup, population: Population) -> Result<Measured, LoadError> {
    let world = context.world(setup).await?;
    world.define_jobs(population.jobs, &RunScript::never_ends().starting(Duration::ZERO).stopping(Duration::ZERO));
    add_identities(&world, population.identities).await?;
    world.start_controller().await?;
    world.create_runs_in(population.runs, |nth| population.key(nth), |nth| spec(population.job(nth))).await?;
    let running = || world.tracker.count(|seen| seen.is_running);
    if !reach("running", population.runs, Instant::now(), running).await.is_complete() {
        return Err(LoadError::Outcome("not all runs are seen running".to_owned()));
    }
    tokio::time::sleep(SETTLE).await;

    let (window, began) = (context.settings.window(WINDOW), Instant::now());
    let samples = (population.runs / 10).clamp(population.runs.min(20), 200);
    say(&format!("  {samples} runs end within {} s", window.as_secs()));
    world.double.requests().keep(Keep::All);
    world.double.requests().clear();
    let mut ended = Vec::with_capacity(samples);
    for nth in 0..samples {
        tokio::time::sleep_until((began + window.mul_f64(count(nth) / count(samples))).into()).await;
        ended.push(end_one(&world, population, spread(nth, population.runs))?);
    }
    tokio::time::sleep_until((began + window).into()).await;
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    let calls = count(usize::try_from(world.double.requests().total()).unwrap_or(usize::MAX)) / minutes;
    let intervals = (0..population.jobs).flat_map(|nth| intervals(&world, &job(nth))).collect();

    let is_shown = |(nth, _): &&(usize, Instant)| end_of(&world, population, *nth).is_some();
    let shown = reach("shown", samples, Instant::now(), || ended.iter().filter(is_shown).count()).await.count;
    let lag = |(nth, at): &(usize, Instant)| end_of(&world, population, *nth).map(|end| end - *at);
    Ok(Measured { calls, lags: ended.iter().filter_map(lag).collect(), missed: samples - shown, intervals })
}

/// Namespaces with keys of their own, all of one account.
async fn add_identities(world: &World, identities: usize) -> Result<(), LoadError> {
    let key = |nth: usize| AccessKey {
        id: format!("AKIA{nth:016}"),
        secret: format!("secret-{nth:033}"),
        account: DEFAULT_ACCOUNT.to_owned(),
        user: namespace(nth),
    };
    // The first namespace is there.
    let namespaces: Vec<_> = (1..identities).map(|nth| (namespace(nth), key(nth))).collect();
    for (_, key) in &namespaces {
        world.double.define_access_key(key);
    }
    if namespaces.is_empty() { Ok(()) } else { world.add_namespaces(&namespaces).await }
}

fn namespace(nth: usize) -> String {
    if nth == 0 { OBJECTS.to_owned() } else { format!("{OBJECTS}-{nth}") }
}

/// A different run for each n, all over the jobs and namespaces.
fn spread(nth: usize, runs: usize) -> usize {
    /// A prime that divides no number of runs.
    const STEP: usize = 7919;
    nth * STEP % runs
}

/// Stops a run as somebody else, which ends it at once.
fn end_one(world: &World, population: Population, nth: usize) -> Result<(usize, Instant), LoadError> {
    let (namespace, name) = population.key(nth);
    let run = world.tracker.get(&namespace, &name).and_then(|seen| seen.run_id);
    let body = json!({ "JobName": job(population.job(nth)), "JobRunIds": [run] });
    world.double.call(DEFAULT_ACCOUNT, REGION, "BatchStopJobRun", &body)?;
    Ok((nth, Instant::now()))
}

/// When the nth object was seen to have ended.
fn end_of(world: &World, population: Population, nth: usize) -> Option<Instant> {
    let (namespace, name) = population.key(nth);
    world.tracker.get(&namespace, &name)?.end.map(|(_, at)| at)
}

/// The times between the first pages of the polls of a job.
fn intervals(world: &World, job: &str) -> Vec<Duration> {
    let polls = world.double.requests().of("GetJobRuns").name(job);
    let first = polls.matching(|request| request.field("NextToken").is_none());
    let received: Vec<_> = first.iter().map(|request| request.received).collect();
    received.windows(2).filter_map(|pair| Duration::try_from(pair[1].duration_since(pair[0])).ok()).collect()
}
