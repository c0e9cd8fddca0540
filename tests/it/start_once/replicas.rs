//! Several replicas, leader election, and users who overwrite the controller's metadata.

use futures::future::join;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, Patch, PatchParams};
use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Then};
use serde_json::json;

use crate::harness::{TestEnv, endless, has_finalizer, phase_of, run_id};

/// Without leader election the second controller acts on a cache of any age.
#[tokio::test]
async fn two_controllers_without_leader_election_start_each_object_once() {
    let mut env = TestEnv::with_credentials("rivals").await;
    env.set_flags(&[("--leader-election", "false")]);
    env.start_controller_as("a");
    env.start_controller_as("b");
    // Both handle the first object already.
    for identity in ["a", "b"] {
        env.wait_for_log(identity, "watches: all listed").await;
    }
    let names: Vec<_> = (0..30).map(|n| format!("run-{n}")).collect();
    for name in &names {
        env.create_run(name, "etl", json!({})).await;
    }
    for name in &names {
        env.wait_finished(name, Phase::Succeeded).await;
    }
    assert_eq!((env.start_calls(), env.glue_runs("etl").len()), (30, 30));
}

#[tokio::test]
async fn another_replica_takes_over_within_seconds_and_starts_nothing_twice() {
    let mut env = TestEnv::with_credentials("replicas").await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(10).script(endless()));
    env.set_flags(&[("--lease-duration", "6s")]);
    env.start_controller_as("a");
    env.wait_for_leader("a").await;
    // The second waits for the duration of the first one's Lease. Its own is longer: a busy machine must not cost it.
    env.set_flags(&[("--lease-duration", "30s")]);
    env.start_controller_as("b");
    env.wait_for_log("b", "standby; held by a").await;
    for name in ["known", "unknown"] {
        if name == "unknown" {
            env.double.faults().add(Fault::on("StartJobRun").then(Then::HoldAnswer));
        }
        env.create_run(name, "endless", json!({})).await;
        if name == "known" {
            env.wait_for_phase(name, Phase::Running).await;
        }
    }
    env.wait_for_calls("StartJobRun", 2).await;
    let killed = Timestamp::now();
    env.kill_controller_named("a");
    env.wait_for_leader("b").await;
    let unknown = env.wait_for_phase("unknown", Phase::Running).await;
    assert!(run_id(&unknown).is_some());
    assert_eq!((env.start_calls(), env.glue_runs("endless").len()), (2, 2));
    let leases: Api<Lease> = Api::namespaced(env.client.clone(), &env.namespace);
    let lease = leases.get("kube-glue").await.expect("the lease").spec.expect("a spec");
    assert_eq!(lease.holder_identity.as_deref(), Some("b"));
    // By the Lease itself, since the new leader's work takes time too.
    let elapsed = lease.acquire_time.expect("a time").0.duration_since(killed);
    assert!(elapsed.as_secs() < 20, "the takeover took {elapsed:?}");
}

/// The response of its StartJobRun does not arrive before that.
#[tokio::test]
async fn a_controller_that_loses_its_lease_exits_and_the_next_finds_its_run() {
    let mut env = TestEnv::with_credentials("lost").await;
    env.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::HoldAnswer));
    let failing = env.double.faults().add(Fault::on("GetJobRuns").then(Then::Http500));
    env.start_controller_as("a");
    env.create_run("one", "etl", json!({})).await;
    env.wait_for_calls("StartJobRun", 1).await;
    let leases: Api<Lease> = Api::namespaced(env.client.clone(), &env.namespace);
    // A holder that never renews its Lease, which is short.
    let renewed = "2026-01-01T00:00:00.000000Z";
    let other_holder = json!({"spec": {"holderIdentity": "z", "leaseDurationSeconds": 1, "renewTime": renewed}});
    leases.patch("kube-glue", &PatchParams::default(), &Patch::Merge(other_holder)).await.expect("the lease");
    env.wait_for_log("a", "was lost: another replica may act now").await;
    env.kill_controller_named("a");
    env.double.faults().remove(failing);
    env.create_run("later", "etl", json!({})).await;
    env.start_controller_as("b");
    for name in ["one", "later"] {
        env.wait_finished(name, Phase::Succeeded).await;
    }
    assert_eq!((env.start_calls(), env.glue_runs("etl").len()), (2, 2));
}

#[tokio::test]
async fn on_sigterm_the_controller_finishes_calls_in_flight_and_releases_the_lease() {
    let mut env = TestEnv::with_credentials("order").await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(10).script(endless()));
    env.double.faults().add(Fault::on("StartJobRun").then(Then::HoldAnswer));
    env.start_controller_as("a");
    env.create_run("one", "endless", json!({})).await;
    env.wait_for_calls("StartJobRun", 1).await;
    // Glue answers only after the signal.
    let faults = env.double.faults().clone();
    let (status, ()) = join(env.terminate_controller("a"), async { faults.clear() }).await;
    assert_eq!(status.code(), Some(0), "{}", env.log_tail());
    let run = env.job_runs().get("one").await.expect("the object");
    assert_eq!(run_id(&run), env.glue_runs("endless")[0]["Id"].as_str(), "the response after the signal is written");
    let leases: Api<Lease> = Api::namespaced(env.client.clone(), &env.namespace);
    let lease = leases.get("kube-glue").await.expect("the lease").spec.expect("a spec");
    assert!(lease.holder_identity.is_none_or(|holder| holder.is_empty()));
    env.start_controller_as("b");
    env.wait_for_phase("one", Phase::Running).await;
    assert_eq!((env.start_calls(), env.double.requests().count("GetJobRuns")), (1, 0), "no lookup was needed");
}

/// GitOps tools that replace objects remove finalizers and annotations.
#[tokio::test]
async fn a_removed_finalizer_is_added_again_and_nothing_is_started() {
    let env = TestEnv::new("replaced").await;
    env.define_job(JobDefinition::new("endless").script(endless()));
    let manifest = json!({
        "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun",
        "metadata": {"name": "one"}, "spec": {"jobName": "endless"},
    });
    env.try_create(manifest.clone()).await.expect("an object");
    let before = env.wait_for_phase("one", Phase::Running).await;
    assert!(has_finalizer(&before));
    let replace = env.plane.kubectl(["replace", "-n", &env.namespace, "-f", "-"]);
    replace.input(manifest.to_string()).await.expect("a replace");
    let version = before.metadata.resource_version.clone();
    let after = env.wait_until("one", "the finalizer is back", |run| {
        run.metadata.resource_version != version && has_finalizer(run)
    });
    let after = after.await;
    assert_eq!((phase_of(&after), run_id(&after)), (Some(Phase::Running), run_id(&before)));
    assert_eq!((env.start_calls(), env.glue_runs("endless").len()), (1, 1));
    env.delete("one").await;
    env.wait_deleted(&before).await;
    assert_eq!(env.stop_calls("endless"), 1, "the deletion of the replaced object stops the run");
}
