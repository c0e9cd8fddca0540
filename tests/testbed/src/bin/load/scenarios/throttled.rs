//! An account that allows few starts.

use super::{Context, burst::lasting, count, strain::writes_of};
use crate::{
    error::LoadError,
    row::{Row, Unit},
    world::{JOBS, Setup},
};

pub(super) const NAME: &str = "throttled";
/// The objects of a full measurement.
const RUNS: usize = 500;
/// The starts that the account allows for each second, and at once.
const STARTS: u32 = 10;

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let world = context.world(Setup::USUAL).await?;
    world.define_jobs(JOBS, &lasting());
    world.double.limits().set("StartJobRun", f64::from(STARTS), STARTS);
    world.start_controller().await?;
    super::settle().await;
    let runs = context.settings.size(RUNS);
    let before = writes_of(&world).await?;
    let recorded = || world.tracker.count(|seen| seen.run_id.is_some());
    let reached = world.create_runs_until(runs, "started", recorded).await?;
    // Creations are writes too.
    let writes = (writes_of(&world).await?.objects - before.objects) / count(runs) - 1.0;
    let failed = world.tracker.count(|seen| seen.end.is_some());
    let calls = world.double.requests().count("StartJobRun");
    let floor = (count(runs) / f64::from(STARTS) - 1.0).max(1.0);
    let row = |measure: &str, value, unit| context.row(NAME, measure, value, unit);
    Ok(vec![
        row("runs not started", count(runs - reached.count), Unit::Count).at_most(0.0),
        row("runs that failed", count(failed), Unit::Count).at_most(0.0),
        row("until all are started", reached.elapsed.as_secs_f64(), Unit::Seconds).against("what is allowed", floor),
        row("writes to each object", writes, Unit::Count),
        row("calls of StartJobRun", count(usize::try_from(calls).unwrap_or(usize::MAX)), Unit::Count)
            .against("runs", count(runs)),
    ])
}
