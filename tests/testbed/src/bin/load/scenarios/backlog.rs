//! Many objects that exist when the controller starts, as after an upgrade or the death of a node.

use super::{
    Context, Strain,
    burst::{self, JOBS, all_recorded, lasting, started},
};
use crate::{error::LoadError, progress::reach, row::Row, sample::spec, world::OBJECTS};

pub(super) const NAME: &str = "backlog";
pub(super) const SLOW: &str = "slow-api-server";
/// The objects of a full measurement.
const RUNS: usize = 5000;
/// An API server with a twentieth of the default's seats.
const FEW_SEATS: &[&str] = &["--max-requests-inflight=20", "--max-mutating-requests-inflight=10"];

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    with(context, NAME, &[]).await
}

pub(super) async fn measure_slow(context: &Context) -> Result<Vec<Row>, LoadError> {
    with(context, SLOW, FEW_SEATS).await
}

async fn with(context: &Context, scenario: &'static str, flags: &[&str]) -> Result<Vec<Row>, LoadError> {
    let world = context.world(flags).await?;
    let baseline = context.baseline(&world).await?;
    world.define_jobs(JOBS, &lasting());
    let runs = context.settings.size(RUNS);
    world.create_runs(OBJECTS, runs, |nth| spec(nth % JOBS)).await?;
    let strain = Strain::begin(&world).await?;
    let begun = world.start_controller().await?.began;
    let reached = reach("started", runs, begun, || started(&world)).await;
    all_recorded(&world, runs).await;
    let mut rows = vec![burst::rate(context, scenario, "at the start: starts", &reached, baseline.rate / 3.0)];
    rows.extend(strain.rows(context, &world, scenario, "at the start").await?);
    Ok(rows)
}
