//! The raw speed of the API server: status patches of GlueJobRuns, as the controller's ServiceAccount, without a
//! controller.
//!
//! A patch has the whole status of a finished run, and the resource version on which it was decided.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use kube::{
    Client, ResourceExt as _,
    api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
};
use kube_glue_testbed::Error;
use serde_json::{Value, json};

use crate::{
    error::LoadError,
    progress::say,
    sample::Sample,
    settings::Settings,
    statistics::percentile,
    world::{NAMESPACE, RELEASE, World, objects},
};

/// The patches in flight while the rate is measured.
pub(crate) const IN_FLIGHT: usize = 16;
/// The patches one at a time.
const ROUND_TRIPS: usize = 300;
/// How long the rate is measured.
const LASTS: Duration = Duration::from_secs(8);
/// The namespace of its objects.
const RAW: &str = "raw";

/// The raw speed of the API server in this scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Baseline {
    /// The median time of a status patch, one at a time.
    pub(crate) median: Duration,
    /// The 99th percentile.
    pub(crate) p99: Duration,
    /// Patches for each second, with 16 in flight.
    pub(crate) rate: f64,
    /// The API server's CPU time for one of those patches, in seconds.
    pub(crate) cpu: f64,
}

/// Measures it. No controller may run, and none of the objects is left.
pub(crate) async fn measure(world: &World, settings: &Settings, sample: &Sample) -> Result<Baseline, LoadError> {
    world.add_namespace(RAW).await?;
    let namespace = RAW;
    world.create_runs(namespace, IN_FLIGHT, |_| json!({ "jobName": "raw", "suspend": true })).await?;
    let client = world.plane.client_as(NAMESPACE, RELEASE).await?;
    let runs = objects::runs(client, namespace);
    let listed = runs.list(&ListParams::default()).await.map_err(Error::kube("listing the runs"))?;
    let mut targets: Vec<_> = listed.iter().map(|run| (run.name_any(), run.resource_version())).collect();
    let trips = round_trips(&runs, &mut targets, settings.size(ROUND_TRIPS).max(100), &sample.status).await?;
    let ([cpu_before, _], began) = (world.server_cpu(), Instant::now());
    let count = patches(&runs, targets, settings.window(LASTS), &sample.status).await?;
    let (rate, cpu) = (count / began.elapsed().as_secs_f64(), (world.server_cpu()[0] - cpu_before) / count.max(1.0));
    delete(&world.admin, namespace).await?;
    let of = |part| percentile(&trips, part).unwrap_or_default();
    let baseline = Baseline { median: of(0.5), p99: of(0.99), rate, cpu };
    say(&format!(
        "  raw status patches: median {:.2?}, p99 {:.2?}, {rate:.0}/s with {IN_FLIGHT} in flight",
        baseline.median, baseline.p99
    ));
    Ok(baseline)
}

/// An object to patch: its name and resource version.
type Target = (String, Option<String>);

/// One patch after the other, over all objects in turn.
async fn round_trips(
    runs: &Api<DynamicObject>,
    targets: &mut [Target],
    count: usize,
    status: &Value,
) -> Result<Vec<Duration>, LoadError> {
    let mut trips = Vec::with_capacity(count);
    let objects = targets.len();
    for nth in 0..count {
        let began = Instant::now();
        patch(runs, &mut targets[nth % objects], status, nth).await?;
        trips.push(began.elapsed());
    }
    Ok(trips)
}

/// One patch after the other of each object, all objects at a time, for some time. Returns how many there were.
async fn patches(
    runs: &Api<DynamicObject>,
    targets: Vec<Target>,
    lasts: Duration,
    status: &Value,
) -> Result<f64, LoadError> {
    let began = Instant::now();
    let patched = targets.into_iter().map(|mut target| async move {
        let mut count = 0_u32;
        while began.elapsed() < lasts {
            patch(runs, &mut target, status, count as usize).await?;
            count += 1;
        }
        Ok::<_, LoadError>(count)
    });
    let counts = try_join_all(patched).await?;
    Ok(f64::from(counts.into_iter().sum::<u32>()))
}

/// One patch. `nth` makes it a change.
async fn patch(runs: &Api<DynamicObject>, target: &mut Target, status: &Value, nth: usize) -> Result<(), LoadError> {
    let (name, version) = target;
    let mut status = status.clone();
    status["executionSeconds"] = json!(nth + 1);
    let patch = Patch::Merge(json!({ "metadata": { "resourceVersion": version }, "status": status }));
    let params = PatchParams { field_manager: Some("kube-glue".to_owned()), ..PatchParams::default() };
    let patched = runs.patch_status(name, &params, &patch).await;
    *version = patched.map_err(Error::kube("patching a status"))?.resource_version();
    Ok(())
}

/// Deletes all runs of a namespace, which have no finalizers.
async fn delete(client: &Client, namespace: &str) -> Result<(), LoadError> {
    let runs = objects::runs(client.clone(), namespace);
    let deleted = runs.delete_collection(&DeleteParams::default(), &ListParams::default()).await;
    deleted.map_err(Error::kube("deleting the runs"))?;
    Ok(())
}
