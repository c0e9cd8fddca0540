//! Many objects that have finished: what they cost while nothing happens, at a restart, and at a new list.

use std::time::{Duration, Instant};

use super::{
    Context, count,
    restart::Restart,
    settle,
    strain::{Writes, writes_of},
};
use crate::{
    error::LoadError,
    progress::say,
    row::{Row, Unit},
    world::{Setup, World, metrics},
};

pub(super) const NAME: &str = "at-rest";
/// The objects of a full measurement.
const RUNS: usize = 10_000;
/// How long nothing happens.
const IDLE: Duration = Duration::from_mins(2);

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let row = |measure: &str, value, unit| context.row(NAME, measure, value, unit);
    let memory = |measure: &str, value, most| row(measure, value, Unit::Mebibytes).at_most(most).at_full_size();
    let mut world = context.world(Setup::default()).await?;
    let empty = Restart::observe(&world).await?;
    let mut rows = vec![row("memory without objects", empty.resident, Unit::Mebibytes).at_most(25.0)];
    world.stop_controller().await?;

    let runs = context.settings.size(RUNS);
    world.create_finished_runs(0..runs, &context.sample).await?;
    let (before, calls) = (writes_of(&world).await?, world.double.requests().total());
    let start = Restart::observe(&world).await?;
    rows.extend(nothing_done(context, &world, "restart", &before, calls).await?);
    rows.extend([
        row("restart: until it is ready", start.ready.as_secs_f64(), Unit::Seconds),
        row("restart: until it is quiet", start.quiet.as_secs_f64(), Unit::Seconds),
        row("restart: CPU time", start.cpu, Unit::Seconds),
        memory("restart: peak memory", start.peak, 64.0),
        memory("restart: memory", start.resident, 64.0),
    ]);

    let idle = context.settings.window(IDLE);
    say(&format!("  {} s of rest", idle.as_secs()));
    let (before, calls, began) = (writes_of(&world).await?, world.double.requests().total(), Instant::now());
    world.meter.reset(world.controller_pid());
    tokio::time::sleep(idle).await;
    let cpu = world.meter.cpu() / began.elapsed().as_secs_f64() * 100.0;
    rows.extend(nothing_done(context, &world, "idle", &before, calls).await?);
    rows.push(row("idle: CPU time of a core", cpu, Unit::Percent).at_most(0.5));

    say("  the API server restarts");
    world.meter.reset(world.controller_pid());
    let began = Instant::now();
    world.plane.restart_api_server().await?;
    wait_for_list(&world).await?;
    world.at_rest(began).await?;
    settle().await;
    rows.extend([
        memory("relist: peak memory", world.meter.peak(), 80.0),
        memory("relist: memory", world.resident(), 64.0),
        row("relist: exits of the controller", count(world.exits()), Unit::Count).at_most(0.0),
    ]);
    Ok(rows)
}

/// Rows that say that there were no writes and no calls.
async fn nothing_done(
    context: &Context,
    world: &World,
    when: &str,
    before: &Writes,
    calls: u64,
) -> Result<Vec<Row>, LoadError> {
    let now = writes_of(world).await?;
    let calls = world.double.requests().total() - calls;
    let calls = count(usize::try_from(calls).unwrap_or(usize::MAX));
    let row = |what: &str, value| context.row(NAME, format!("{when}: {what}"), value, Unit::Count).at_most(0.0);
    let writes = now.objects - before.objects + now.events - before.events;
    Ok(vec![row("writes", writes), row("calls to AWS", calls)])
}

/// Waits until the restarted API server has listed the GlueJobRuns for the controller, too.
async fn wait_for_list(world: &World) -> Result<(), LoadError> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(1) {
        let text = world.server_metrics().await?;
        let lists = metrics::sum(&text, "apiserver_request_total", |labels| {
            labels.get("resource") == "gluejobruns" && labels.get("verb") == "LIST" && labels.get("code") == "200"
        });
        let streamed = metrics::sum(&text, "apiserver_watch_list_duration_seconds_count", |labels| {
            labels.get("resource") == "gluejobruns"
        });
        // One is the benchmark's own, whose watch is as old.
        if lists + streamed >= 2.0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    say("  there was no new list within a minute");
    Ok(())
}
