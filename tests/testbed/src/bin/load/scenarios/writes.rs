//! The writes to one object in its life, by the API server's audit log.

use std::time::{Duration, Instant};

use kube::api::{Patch, PatchParams};
use kube_glue_double::RunScript;
use kube_glue_testbed::Error;
use serde_json::json;

use super::{Context, count};
use crate::{
    error::LoadError,
    progress::reach,
    row::{Row, Unit},
    sample::spec,
    world::{OBJECTS, Setup, World, objects},
};

pub(super) const NAME: &str = "writes";
/// How long each state lasts on the double's clock, which is held.
const STEP: Duration = Duration::from_mins(1);
/// How long Glue stands still, so that the controller sees each state.
const SEEN: Duration = Duration::from_secs(12);

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let world = context.world(Setup { audit: true, ..Setup::USUAL }).await?;
    world.double.clock().hold();
    world.define_jobs(2, &RunScript::succeeds().starting(STEP).running(STEP).stopping(STEP));
    world.start_controller().await?;
    world.create_runs(OBJECTS, 2, spec).await?;
    let recorded = || world.tracker.count(|seen| seen.run_id.is_some());
    reach("recorded", 2, Instant::now(), recorded).await;
    let [ends, stopped] = [objects::name(0), objects::name(1)];
    // STARTING, RUNNING; one of them is stopped, STOPPING; the end of both.
    pass(&world).await;
    let stop = Patch::Merge(json!({ "spec": { "stop": true } }));
    let runs = objects::runs(world.admin.clone(), OBJECTS);
    runs.patch(&stopped, &PatchParams::default(), &stop).await.map_err(Error::kube("stopping a run"))?;
    pass(&world).await;
    pass(&world).await;
    let finished = || world.tracker.count(|seen| seen.is_finished);
    if !reach("finished", 2, Instant::now(), finished).await.is_complete() {
        return Err(LoadError::Outcome("the runs did not end".to_owned()));
    }
    let row = async |measure: &str, name: &str| {
        let (writes, which) = writes(&world, name).await?;
        Ok::<_, LoadError>(context.row(NAME, measure, count(writes), Unit::Count).at_most(6.0).note(which))
    };
    Ok(vec![row("a run's life", &ends).await?, row("a stopped run's life", &stopped).await?])
}

/// Shows the controller the state, and moves the runs into the next.
async fn pass(world: &World) {
    tokio::time::sleep(SEEN).await;
    world.double.clock().step(STEP);
    tokio::time::sleep(SEEN).await;
}

/// The controller's writes to an object, and which parts it wrote.
async fn writes(world: &World, name: &str) -> Result<(usize, String), LoadError> {
    let mut writes = world.plane.audit().writes("gluejobruns", OBJECTS, name).await?;
    writes.retain(|entry| entry.user.starts_with("system:serviceaccount:"));
    let part = |subresource: &str| if subresource.is_empty() { "metadata" } else { subresource }.to_owned();
    let parts: Vec<_> = writes.iter().map(|entry| part(&entry.subresource)).collect();
    Ok((writes.len(), parts.join(", ")))
}
