//! Several controllers, and people who wipe what the controller wrote.

use futures::future::join;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, Patch, PatchParams};
use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Then};
use serde_json::json;

use crate::harness::{DEFAULT_SECRET, World, endless, is_held, phase_of, run_id};

/// A second controller without a lease to keep it off, its cache as old as it may be.
#[tokio::test]
async fn two_controllers_without_a_lease_start_each_object_once() {
    let mut world = World::without_controller("rivals").await;
    world.put_credentials(DEFAULT_SECRET).await;
    world.set(&[("--leader-election", "false")]);
    world.start_controller_as("a");
    world.start_controller_as("b");
    // Both are at work from the first object on.
    for identity in ["a", "b"] {
        world.says(identity, "watches: all listed").await;
    }
    let names: Vec<_> = (0..30).map(|n| format!("run-{n}")).collect();
    for name in &names {
        world.run(name, "etl", json!({})).await;
    }
    for name in &names {
        world.over(name, Phase::Succeeded).await;
    }
    assert_eq!((world.starts(), world.glue_runs("etl").len()), (30, 30));
}

#[tokio::test]
async fn another_replica_takes_over_within_seconds_and_starts_nothing_twice() {
    let mut world = World::without_controller("replicas").await;
    world.put_credentials(DEFAULT_SECRET).await;
    world.job(JobDefinition::new("endless").max_concurrent_runs(10).script(endless()));
    world.set(&[("--lease-duration", "6s")]);
    world.start_controller_as("a");
    world.leads("a").await;
    // The other one waits for as long as the lease of the first says, and must not lose its own to a busy machine.
    world.set(&[("--lease-duration", "30s")]);
    world.start_controller_as("b");
    world.says("b", "standby; held by a").await;
    for name in ["known", "unknown"] {
        if name == "unknown" {
            world.double.faults().add(Fault::on("StartJobRun").then(Then::HoldAnswer));
        }
        world.run(name, "endless", json!({})).await;
        if name == "known" {
            world.phase(name, Phase::Running).await;
        }
    }
    world.calls("StartJobRun", 2).await;
    let killed = Timestamp::now();
    world.kill_controller_of("a");
    world.leads("b").await;
    let unknown = world.phase("unknown", Phase::Running).await;
    assert!(run_id(&unknown).is_some());
    assert_eq!((world.starts(), world.glue_runs("endless").len()), (2, 2));
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), &world.namespace);
    let lease = leases.get("kube-glue").await.expect("the lease").spec.expect("a spec");
    assert_eq!(lease.holder_identity.as_deref(), Some("b"));
    // By the lease itself: what the new one then finds to do takes the time it takes.
    let took = lease.acquire_time.expect("a time").0.duration_since(killed);
    assert!(took.as_secs() < 20, "it took {took:?}");
}

/// Somebody else has the lease, and the start is at Glue, which does not say what came of it before the controller has
/// ended: the next one finds the run.
#[tokio::test]
async fn a_lost_lease_ends_the_controller_and_its_run_is_found_by_the_next() {
    let mut world = World::without_controller("lost").await;
    world.put_credentials(DEFAULT_SECRET).await;
    world.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::HoldAnswer));
    let blind = world.double.faults().add(Fault::on("GetJobRuns").then(Then::Http500));
    world.start_controller_as("a");
    world.run("one", "etl", json!({})).await;
    world.calls("StartJobRun", 1).await;
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), &world.namespace);
    // They are silent from then on, and their lease is a short one.
    let renewed = "2026-01-01T00:00:00.000000Z";
    let theirs = json!({"spec": {"holderIdentity": "z", "leaseDurationSeconds": 1, "renewTime": renewed}});
    leases.patch("kube-glue", &PatchParams::default(), &Patch::Merge(theirs)).await.expect("the lease");
    world.says("a", "was lost: another replica may act now").await;
    world.kill_controller_of("a");
    world.double.faults().remove(blind);
    world.run("later", "etl", json!({})).await;
    world.start_controller_as("b");
    for name in ["one", "later"] {
        world.over(name, Phase::Succeeded).await;
    }
    assert_eq!((world.starts(), world.glue_runs("etl").len()), (2, 2));
}

/// SIGTERM: what is in flight is finished, what Glue answers is written, and the lease is free at once.
#[tokio::test]
async fn a_controller_that_is_told_to_end_does_so_in_good_order() {
    let mut world = World::without_controller("order").await;
    world.put_credentials(DEFAULT_SECRET).await;
    world.job(JobDefinition::new("endless").max_concurrent_runs(10).script(endless()));
    world.double.faults().add(Fault::on("StartJobRun").then(Then::HoldAnswer));
    world.start_controller_as("a");
    world.run("one", "endless", json!({})).await;
    world.calls("StartJobRun", 1).await;
    // Glue answers only when the signal has been sent.
    let faults = world.double.faults().clone();
    let (status, ()) = join(world.terminate_controller_of("a"), async { faults.clear() }).await;
    assert_eq!(status.code(), Some(0), "{}", world.tail());
    let run = world.runs().get("one").await.expect("the object");
    assert_eq!(run_id(&run), world.glue_runs("endless")[0]["Id"].as_str(), "the answer came after the signal");
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), &world.namespace);
    let lease = leases.get("kube-glue").await.expect("the lease").spec.expect("a spec");
    assert!(lease.holder_identity.is_none_or(|holder| holder.is_empty()));
    world.start_controller_as("b");
    world.phase("one", Phase::Running).await;
    assert_eq!((world.starts(), world.double.requests().count("GetJobRuns")), (1, 0), "nothing had to be looked for");
}

/// GitOps tools that replace objects wipe finalizers and annotations.
#[tokio::test]
async fn replaced_metadata_comes_back_and_starts_nothing() {
    let world = World::new("replaced").await;
    world.job(JobDefinition::new("endless").script(endless()));
    let manifest = json!({
        "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun",
        "metadata": {"name": "one"}, "spec": {"jobName": "endless"},
    });
    world.create(manifest.clone()).await.expect("an object");
    let before = world.phase("one", Phase::Running).await;
    assert!(is_held(&before));
    let replace = world.plane.kubectl(["replace", "-n", &world.namespace, "-f", "-"]);
    replace.input(manifest.to_string()).await.expect("a replace");
    let version = before.metadata.resource_version.clone();
    let after =
        world.until("one", "the finalizer is back", |run| run.metadata.resource_version != version && is_held(run));
    let after = after.await;
    assert_eq!((phase_of(&after), run_id(&after)), (Some(Phase::Running), run_id(&before)));
    assert_eq!((world.starts(), world.glue_runs("endless").len()), (1, 1));
    world.delete("one").await;
    world.gone(&before).await;
    assert_eq!(world.stops("endless"), 1, "what was replaced is still stopped when it is deleted");
}
