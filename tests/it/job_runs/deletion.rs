//! Deletion of active runs, finished runs and whole namespaces, with valid and with revoked credentials.

use std::time::{Duration, Instant};

use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, DeleteParams};
use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Outcome, Then};
use serde_json::json;

use crate::harness::{
    DEFAULT_SECRET, SHORT_TIMEOUTS, STEP, TestEnv, endless, has_finalizer, object_name, run_id, wait_for_event,
};

#[tokio::test]
async fn a_deleted_object_remains_until_its_run_is_stopped() {
    let env = TestEnv::new("deleted").await;
    let run = env.create_running_run(Outcome::Never, json!({})).await;
    env.delete("one").await;
    env.wait_for_phase("one", Phase::Stopping).await;
    env.wait_for_calls("BatchStopJobRun", 1).await;
    env.wait_for_more_calls("GetJobRun", 3).await;
    assert!(
        env.job_runs().get_opt("one").await.expect("an answer").is_some(),
        "the object remains until the run is STOPPED"
    );
    env.double.clock().step(STEP);
    env.wait_deleted(&run).await;
    assert_eq!(env.stop_calls("steps"), 1);
    assert_eq!(env.glue_runs("steps")[0]["JobRunState"], "STOPPED");
}

#[tokio::test]
async fn with_deletion_policy_orphan_the_run_continues_and_the_object_is_deleted_at_once() {
    let env = TestEnv::new("orphan").await;
    let run = env.create_endless_run(json!({"deletionPolicy": "Orphan"})).await;
    assert!(!has_finalizer(&run), "there is nothing to stop");
    env.delete("one").await;
    env.wait_deleted(&run).await;
    // The controller has handled a later object, so it has seen the deletion too.
    env.create_run("next", "etl", json!({})).await;
    env.wait_finished("next", Phase::Succeeded).await;
    assert_eq!(env.stop_calls("endless"), 0);
    assert_eq!(env.glue_runs("endless")[0]["JobRunState"], "RUNNING");
}

#[tokio::test]
async fn changing_the_deletion_policy_of_an_active_run_adds_or_removes_the_finalizer() {
    let env = TestEnv::new("policy").await;
    let run = env.create_endless_run(json!({})).await;
    assert!(has_finalizer(&run));
    env.patch_spec("one", json!({"deletionPolicy": "Orphan"})).await;
    env.wait_until("one", "its finalizer is removed", |run| !has_finalizer(run)).await;
    env.patch_spec("one", json!({"deletionPolicy": "Stop"})).await;
    env.wait_until("one", "its finalizer is back", has_finalizer).await;
    env.delete("one").await;
    env.wait_deleted(&run).await;
    assert_eq!((env.start_calls(), env.stop_calls("endless")), (1, 1));
}

#[tokio::test]
async fn a_finished_run_can_be_deleted_while_no_controller_runs() {
    let mut env = TestEnv::new("finished").await;
    env.create_run("one", "etl", json!({})).await;
    let run = env.wait_finished("one", Phase::Succeeded).await;
    env.kill_controller();
    env.delete("one").await;
    env.wait_deleted(&run).await;
}

/// The object is deleted while StartJobRun is in flight: the controller finds the run and stops it.
#[tokio::test]
async fn deleting_an_object_during_its_start_leaves_no_run_behind() {
    let env = TestEnv::with_flags("starting", SHORT_TIMEOUTS).await;
    for (name, fault) in [("lost", Then::DropAnswerAfterWork), ("late", Then::HoldAnswer)] {
        env.define_job(JobDefinition::new(name).script(endless()));
        env.double.faults().add(Fault::on("StartJobRun").name(name).then(fault));
        let run = env.create_run(name, name, json!({})).await;
        env.wait_for_requests("Glue received the start", |requests| requests.of("StartJobRun").name(name).count() == 1)
            .await;
        env.delete(name).await;
        env.double.faults().clear();
        env.wait_deleted(&run).await;
        let runs = env.glue_runs(name);
        assert_eq!(runs.len(), 1, "{name}");
        assert_eq!(runs[0]["JobRunState"], "STOPPED", "{name}");
    }
}

/// Glue throttles all starts, so that tokens are rare, and older objects wait for them first.
#[tokio::test]
async fn an_object_that_waits_for_the_rate_limit_can_be_deleted() {
    let env = TestEnv::new("rate-limited").await;
    env.double.faults().add(Fault::on("StartJobRun").then(Then::Throttle));
    for number in 0..60 {
        env.create_run(&format!("run-{number}"), "etl", json!({})).await;
    }
    env.wait_for_calls("StartJobRun", 45).await;
    let last = env.create_run("last", "etl", json!({})).await;
    env.wait_until("last", "our finalizer", has_finalizer).await;
    let begun = Instant::now();
    env.delete("last").await;
    env.wait_deleted(&last).await;
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

/// Kubernetes' namespace controller deletes in no order: the Secret may be deleted before the runs that need it.
#[tokio::test]
async fn deleting_a_namespace_stops_every_run_even_when_the_secret_is_deleted_first() {
    // Without leader election: the test's Lease would be deleted with the namespace, which no real one is.
    let env = TestEnv::with_flags("space", &[("--leader-election", "false")]).await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(100).script(endless()));
    let names: Vec<_> = (0..50).map(|n| format!("run-{n}")).collect();
    for name in &names {
        env.create_run(name, "endless", json!({})).await;
    }
    for name in &names {
        env.wait_for_phase(name, Phase::Running).await;
    }
    env.secret_api().delete(DEFAULT_SECRET, &DeleteParams::default()).await.expect("the deletion");
    env.delete_namespace().await;
    let runs = env.glue_runs("endless");
    assert_eq!(runs.len(), 50);
    assert!(runs.iter().all(|run| run["JobRunState"] == "STOPPED"), "{runs:?}");
}

#[tokio::test]
async fn with_revoked_credentials_the_finalizer_is_removed_after_the_deletion_timeout_with_a_warning() {
    let env = TestEnv::with_flags("revoked", &[("--deletion-timeout", "3s")]).await;
    let run = env.create_endless_run(json!({})).await;
    env.double.iam().delete_access_key(&env.key.id);
    // The polls fail first and write the reason. The failed stop's reason may be deleted with the object.
    env.wait_for_reason("one", "CredentialsNotAccepted").await;
    let deleted = std::time::Instant::now();
    env.delete("one").await;
    env.wait_deleted(&run).await;
    assert!(deleted.elapsed() >= Duration::from_secs(2), "deleted before --deletion-timeout");
    assert!(env.stop_calls("endless") > 0, "the controller tried to stop the run");
    let id = run_id(&run).expect("an id");
    let event = env.wait_for_event("LeftBehind").await;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    assert!(event.note.as_ref().is_some_and(|note| note.contains(id)), "{event:?}");
}

/// No event can be created in a namespace that is being deleted: the event about the remaining run regards the
/// namespace itself.
#[tokio::test]
async fn deleting_a_namespace_with_revoked_credentials_files_an_event_about_the_remaining_run() {
    let env =
        TestEnv::with_flags("space-revoked", &[("--deletion-timeout", "3s"), ("--leader-election", "false")]).await;
    let run = env.create_endless_run(json!({})).await;
    env.double.iam().delete_access_key(&env.key.id);
    env.delete_namespace().await;
    let events: Api<Event> = Api::namespaced(env.client.clone(), "default");
    let event = wait_for_event(events, |event| object_name(event) == Some(&env.namespace)).await;
    let note = event.expect("an event about the namespace").note.unwrap_or_default();
    assert!(note.contains(run_id(&run).expect("an id")) && note.contains(&format!("{}/one", env.namespace)), "{note}");
}
