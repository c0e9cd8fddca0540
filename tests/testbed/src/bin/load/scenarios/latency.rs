//! From the creation of an object to the StartJobRun that it leads to, one object at a time.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::api::PostParams;

use super::{Context, burst::lasting, settle};
use crate::{
    error::LoadError,
    progress::{Reached, say},
    row::{Row, Unit},
    sample::spec,
    statistics::percentile,
    world::{OBJECTS, Setup, World, objects},
};
use kube_glue_testbed::Error;

pub(super) const NAME: &str = "latency";
/// The objects of a full measurement.
const RUNS: usize = 300;
/// How long one may take.
const LIMIT: Duration = Duration::from_mins(1);

/// The time of one start.
#[derive(Debug, Clone, Copy)]
struct Start {
    /// From before the request that created the object.
    since_request: Duration,
    /// From the answer to that request; zero if StartJobRun came before.
    since_answer: Duration,
}

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let world = context.world(Setup::USUAL).await?;
    let baseline = context.baseline(&world).await?;
    world.define_jobs(20, &lasting());
    world.start_controller().await?;
    settle().await;
    let (total, began) = (context.settings.size(RUNS).max(100), Instant::now());
    let mut starts = Vec::with_capacity(total);
    for nth in 0..total {
        starts.push(start(&world, nth).await?);
    }
    say(&format!("  started: {}", Reached { count: total, total, elapsed: began.elapsed() }.describe()));
    let raw = milliseconds(baseline.median);
    let of = |part, from: fn(&Start) -> Duration| {
        let times: Vec<_> = starts.iter().map(from).collect();
        milliseconds(percentile(&times, part).unwrap_or_default())
    };
    let row =
        |measure: &str, value| context.row(NAME, measure, value, Unit::Milliseconds).against("raw status patch", raw);
    Ok(vec![
        row("create to StartJobRun, median", of(0.5, |start| start.since_request)).at_most(4.0),
        row("create to StartJobRun, p99", of(0.99, |start| start.since_request)).at_most(10.0),
        row("created to StartJobRun, median", of(0.5, |start| start.since_answer)),
        row("created to StartJobRun, p99", of(0.99, |start| start.since_answer)),
        row("raw status patch, p99", milliseconds(baseline.p99)),
    ])
}

/// Creates an object, and waits until its start has arrived and its status has the run's id.
async fn start(world: &World, nth: usize) -> Result<Start, LoadError> {
    let name = objects::name(nth);
    let (runs, run) = (objects::runs(world.admin.clone(), OBJECTS), objects::run(&name, &spec(nth % 20))?);
    let before = world.double.requests().count("StartJobRun");
    let requested = Timestamp::now();
    runs.create(&PostParams::default(), &run).await.map_err(Error::kube("creating a run"))?;
    let answered = Timestamp::now();
    let started = async {
        world.double.requests().wait_for_count("StartJobRun", before + 1).await;
        while world.tracker.get(OBJECTS, &name).is_none_or(|seen| seen.run_id.is_none()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let missing = |_| LoadError::Outcome(format!("{name} was not started within {LIMIT:?}"));
    tokio::time::timeout(LIMIT, started).await.map_err(missing)?;
    let arrived = world.double.requests().of("StartJobRun").last().map_or(answered, |request| request.received);
    let since = |from: Timestamp| Duration::try_from(arrived.duration_since(from)).unwrap_or_default();
    Ok(Start { since_request: since(requested), since_answer: since(answered) })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
