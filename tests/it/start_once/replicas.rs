//! Several controllers, and people who wipe what the controller wrote.

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::Api;
use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Then};
use serde_json::json;

use crate::world::{DEFAULT_SECRET, World, endless, is_held, phase_of, run_id};

/// A second controller without a lease to keep it off, its cache as old as it may be.
#[tokio::test]
async fn two_controllers_without_a_lease_start_each_object_once() {
    let mut world = World::without_controller("rivals").await;
    world.put_credentials(DEFAULT_SECRET).await;
    world.set(&[("--leader-election", "false")]);
    world.start_controller_as("a");
    world.start_controller_as("b");
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
    let killed = std::time::Instant::now();
    world.kill_controller_of("a");
    world.leads("b").await;
    let unknown = world.phase("unknown", Phase::Running).await;
    assert!(killed.elapsed().as_secs() < 20, "it took {:?}", killed.elapsed());
    assert!(run_id(&unknown).is_some());
    assert_eq!((world.starts(), world.glue_runs("endless").len()), (2, 2));
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), &world.namespace);
    let lease = leases.get("kube-glue").await.expect("the lease");
    assert_eq!(lease.spec.and_then(|spec| spec.holder_identity).as_deref(), Some("b"));
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
