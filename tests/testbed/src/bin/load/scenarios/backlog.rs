//! Many objects that exist when the controller starts, as after an upgrade or the death of a node.

use std::time::Duration;

use super::{
    Context,
    burst::{all_recorded, lasting, rate, started},
    count,
    strain::Strain,
};
use crate::{
    error::LoadError,
    progress::reach,
    row::{Row, Unit},
    sample::spec,
    world::{JOBS, OBJECTS, Setup},
};

pub(super) const NAME: &str = "backlog";
pub(super) const FEW_SEATS: &str = "few-seats";
pub(super) const FAR_AWAY: &str = "far-away";
/// The objects of a full measurement.
const RUNS: usize = 5000;
/// An API server with a twentieth of the requests in flight that are usual.
const SEATS: &[&str] = &["--max-requests-inflight=20", "--max-mutating-requests-inflight=10"];
/// How much longer each answer takes from an API server that is far away.
const DELAY: Duration = Duration::from_millis(100);

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    with(context, NAME, Setup::USUAL).await
}

pub(super) async fn measure_few_seats(context: &Context) -> Result<Vec<Row>, LoadError> {
    with(context, FEW_SEATS, Setup { api_server_flags: SEATS, ..Setup::USUAL }).await
}

pub(super) async fn measure_far_away(context: &Context) -> Result<Vec<Row>, LoadError> {
    with(context, FAR_AWAY, Setup { delay: Some(DELAY), ..Setup::USUAL }).await
}

async fn with(context: &Context, scenario: &'static str, setup: Setup) -> Result<Vec<Row>, LoadError> {
    let world = context.world(setup).await?;
    let baseline = context.baseline(&world).await?;
    world.define_jobs(JOBS, &lasting());
    let runs = context.settings.size(RUNS);
    world.create_runs(OBJECTS, runs, |nth| spec(nth % JOBS)).await?;
    let strain = Strain::begin(&world).await?;
    let begun = world.start_controller().await?.began;
    let reached = reach("started", runs, begun, || started(&world)).await;
    let recorded = all_recorded(&world, runs).await;
    let starts = rate(context, scenario, "starts", &reached, baseline.rate / 3.0);
    let missing = count(runs - recorded.count.min(runs));
    let mut rows = vec![
        // The goal is for an API server as it is measured alone.
        if scenario == NAME { starts } else { starts.without_goal() },
        context.row(scenario, "runs not started", missing, Unit::Count).at_most(0.0),
    ];
    rows.extend(strain.rows(context, &world, scenario, "").await?);
    Ok(rows)
}
