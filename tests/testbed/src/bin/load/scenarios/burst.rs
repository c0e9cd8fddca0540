//! Many objects that are created while the controller runs, and whose runs then all end at once.

use std::time::{Duration, Instant};

use kube_glue_double::RunScript;

use super::{Context, settle, strain::Strain};
use crate::{
    error::LoadError,
    progress::{Reached, reach, say},
    row::{Row, Unit},
    world::{JOBS, Setup, World},
};

pub(super) const NAME: &str = "burst";
/// The objects of a full measurement.
const RUNS: usize = 5000;
/// How long the runs last, on the double's clock, which is stepped to end them.
pub(super) const LASTS: Duration = Duration::from_hours(1);
/// How long after a burst the memory is read.
const REST: Duration = Duration::from_mins(2);

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let world = context.world(Setup::USUAL).await?;
    let baseline = context.baseline(&world).await?;
    world.define_jobs(JOBS, &lasting());
    world.start_controller().await?;
    settle().await;

    let runs = context.settings.size(RUNS);
    let strain = Strain::begin(&world).await?;
    let reached = world.create_runs_until(runs, "started", || started(&world)).await?;
    let mut rows = vec![rate(context, NAME, "created: starts", &reached, baseline.rate / 3.0)];
    rows.extend(strain.rows(context, &world, NAME, "created: ").await?);

    all_recorded(&world, runs).await;
    let strain = Strain::begin(&world).await?;
    let began = Instant::now();
    world.double.clock().step(2 * LASTS);
    let finished = || world.tracker.count(|seen| seen.is_finished);
    let reached = reach("ended", runs, began, finished).await;
    // With few objects the pause between two polls is most of it.
    rows.push(rate(context, NAME, "ended at once: ends", &reached, baseline.rate / 3.0).at_full_size());
    rows.extend(strain.rows(context, &world, NAME, "ended at once: ").await?);

    let rest = context.settings.window(REST);
    say(&format!("  {} s of rest", rest.as_secs()));
    tokio::time::sleep(rest).await;
    let measure = format!("memory {} s later", rest.as_secs());
    rows.push(context.row(NAME, measure, world.resident(), Unit::Mebibytes).at_most(64.0).at_full_size());
    Ok(rows)
}

/// Runs that stay in STARTING until the double's clock is stepped.
pub(super) fn lasting() -> RunScript {
    RunScript::succeeds().starting(LASTS).running(Duration::ZERO)
}

/// How many starts have arrived at Glue.
pub(super) fn started(world: &World) -> usize {
    usize::try_from(world.double.requests().count("StartJobRun")).unwrap_or(usize::MAX)
}

/// Waits until the status of all objects has the id of their run.
pub(super) async fn all_recorded(world: &World, runs: usize) -> Reached {
    let recorded = || world.tracker.count(|seen| seen.run_id.is_some());
    reach("recorded", runs, Instant::now(), recorded).await
}

/// The rate of something that takes three writes, against a third of the raw patch rate.
pub(super) fn rate(context: &Context, scenario: &'static str, measure: &str, reached: &Reached, third: f64) -> Row {
    let row = context.row(scenario, measure, reached.rate(), Unit::PerSecond).note(reached.describe());
    let row = row.against("a third of raw patches", third);
    // What was not done within the limit is not met, whatever the rate.
    row.at_least(if reached.is_complete() { 0.6 } else { f64::INFINITY })
}
