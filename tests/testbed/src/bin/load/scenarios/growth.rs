//! How memory and time grow with the number of finished objects.

use super::{Context, count, restart::Restart};
use crate::{
    error::LoadError,
    row::{Row, Unit},
    statistics::exponent,
    world::Setup,
};

pub(super) const NAME: &str = "growth";
/// The objects of a full measurement.
const SIZES: [usize; 4] = [1000, 3000, 10_000, 30_000];

/// What it is, in which unit, and how to read it.
type Figure = (&'static str, Unit, fn(&Restart) -> f64);

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let world = context.world(Setup::USUAL).await?;
    let mut points = Vec::new();
    let mut before = 0;
    for size in SIZES.map(|full| context.settings.size(full)) {
        world.create_finished_runs(before..size, &context.sample).await?;
        before = size;
        points.push((count(size), Restart::observe(&world).await?));
        world.stop_controller().await?;
    }
    let figures: [Figure; 5] = [
        ("memory", Unit::Mebibytes, |start| start.resident),
        ("peak memory", Unit::Mebibytes, |start| start.peak),
        ("CPU time of a start", Unit::Seconds, |start| start.cpu),
        ("until it is ready", Unit::Seconds, |start| start.ready.as_secs_f64()),
        ("until it is quiet", Unit::Seconds, |start| start.quiet.as_secs_f64()),
    ];
    let rows = figures.iter().flat_map(|(what, unit, of)| {
        let values: Vec<_> = points.iter().map(|(size, start)| (*size, of(start))).collect();
        let fitted = exponent(&values).unwrap_or(f64::NAN);
        let each =
            values.into_iter().map(|(size, value)| context.row(NAME, format!("{what}, {size} objects"), value, *unit));
        let exponent = context.row(NAME, format!("{what}, exponent"), fitted, Unit::Count);
        each.chain([exponent.at_most(1.1).at_full_size()]).collect::<Vec<_>>()
    });
    Ok(rows.collect())
}
