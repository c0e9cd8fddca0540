//! Many objects that have finished: what they cost while nothing happens, at a restart, and at a new list.

use std::time::{Duration, Instant};

use super::{
    Context, count,
    restart::Restart,
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
/// Within this time all clients of a restarted API server have listed anew.
const RELIST: Duration = Duration::from_secs(40);

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let row = |measure: &str, value, unit| context.row(NAME, measure, value, unit);
    let memory = |measure: &str, value, most| row(measure, value, Unit::Mebibytes).at_most(most).at_full_size();
    let mut world = context.world(Setup::USUAL).await?;
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
    world.plane.restart_api_server().await?;
    tokio::time::sleep(RELIST).await;
    world.at_rest(Instant::now()).await?;
    rows.extend([
        memory("relist: peak memory", world.meter.peak(), 80.0),
        memory("relist: memory", world.resident(), 64.0),
        row("relist: CPU time", world.meter.cpu(), Unit::Seconds).note(lists(&world).await?),
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

/// How many lists of GlueJobRuns the restarted API server has answered, to all its clients.
async fn lists(world: &World) -> Result<String, LoadError> {
    let text = world.server_metrics().await?;
    let of = |name: &str, verb: &str| {
        metrics::sum(&text, name, |labels| {
            labels.get("resource") == "gluejobruns" && ["", verb].contains(&labels.get("verb"))
        })
    };
    let plain = of("apiserver_request_total", "LIST");
    let streamed = of("apiserver_watch_list_duration_seconds_count", "");
    Ok(format!("the API server answered {plain} lists and {streamed} streamed lists, the benchmark's own among them"))
}
