//! Many runs from the creation of the object to its end. Each ends in Glue as soon as it is started.

use super::{Context, settle, strain::Strain};
use crate::{
    error::LoadError,
    row::{Row, Unit},
    sample::quick,
    world::{JOBS, Setup},
};

pub(super) const NAME: &str = "lives";
/// The objects of a full measurement.
const RUNS: usize = 5000;
/// More runs a second than the best rate that a similar controller publishes, see docs/performance.md.
const LEAST: f64 = 43.0;

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let world = context.world(Setup::USUAL).await?;
    let baseline = context.baseline(&world).await?;
    world.define_jobs(JOBS, &quick());
    world.start_controller().await?;
    settle().await;
    let runs = context.settings.size(RUNS);
    let strain = Strain::begin(&world).await?;
    let finished = || world.tracker.count(|seen| seen.is_finished);
    let reached = world.create_runs_until(runs, "finished", finished).await?;
    let least = if reached.is_complete() { LEAST } else { f64::INFINITY };
    let row = |measure: &str| context.row(NAME, measure, reached.rate(), Unit::PerSecond).note(reached.describe());
    let mut rows = vec![
        row("runs from creation to end").at_least(least).at_full_size(),
        row("the same against raw patches").against("raw patches", baseline.rate),
    ];
    rows.extend(strain.cpu_rows(context, &world, NAME, reached.count));
    rows.extend(strain.rows(context, &world, NAME, "").await?);
    Ok(rows)
}
