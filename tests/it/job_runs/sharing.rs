//! What several objects share: the places of a job, and runs.

use kube::api::DeleteParams;
use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, Outcome};
use serde_json::json;

use crate::harness::{STEP, TestEnv, attempts, endless, run_id, stepwise};

/// The first of two waiting objects loses the Secret of its argument.
#[tokio::test]
async fn an_object_that_is_blocked_leaves_the_free_place_to_the_next() {
    let env = TestEnv::new("blocked-head").await;
    env.double.clock().hold();
    env.define_job(JobDefinition::new("single").script(stepwise(Outcome::Succeeded)));
    env.put_secret("arguments", &[("password", "correct horse")]).await;
    env.create_run("live", "single", json!({})).await;
    env.wait_for_run_id("live").await;
    let from = json!([{"name": "--password", "secretKeyRef": {"name": "arguments", "key": "password"}}]);
    env.create_run("first", "single", json!({"argumentsFrom": from})).await;
    env.wait_for_phase("first", Phase::Waiting).await;
    env.create_run("second", "single", json!({})).await;
    env.wait_for_phase("second", Phase::Waiting).await;
    env.secret_api().delete("arguments", &DeleteParams::default()).await.expect("deleted");
    env.wait_for_reason("first", "ArgumentNotFound").await;
    env.double.clock().step(STEP * 2);
    env.wait_finished("live", Phase::Succeeded).await;
    env.double.clock().step(STEP);
    env.wait_for_run_id("second").await;
    // The Secret of the first one is back, and it waits for the place.
    env.put_secret("arguments", &[("password", "correct horse")]).await;
    env.wait_for_reason("first", "ConcurrentRunsExceeded").await;
    env.double.clock().step(STEP * 2);
    env.wait_finished("second", Phase::Succeeded).await;
    env.double.clock().step(STEP);
    env.wait_for_run_id("first").await;
}

/// Flux and Argo CD replace an object whose immutable field changed: they delete it and create it again.
#[tokio::test]
async fn an_object_that_is_replaced_during_its_run_does_its_work_in_the_end() {
    let env = TestEnv::new("replaced").await;
    env.double.clock().hold();
    env.define_job(JobDefinition::new("steps").max_concurrent_runs(9).script(stepwise(Outcome::Succeeded)));
    let spec = json!({"idempotencyKey": "orders"});
    let first = env.create_run("one", "steps", spec.clone()).await;
    let stopped = env.wait_for_run_id("one").await;
    env.delete("one").await;
    env.wait_for_calls("BatchStopJobRun", 1).await;
    env.double.clock().step(STEP);
    env.wait_deleted(&first).await;
    env.create_run("one", "steps", spec.clone()).await;
    let again = env.wait_for_run_id("one").await;
    assert_ne!(run_id(&again), run_id(&stopped));
    env.double.clock().step(STEP * 2);
    let done = env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!((attempts(&done).len(), attempts(&done)[0].number), (1, 1));
    // Once the work is done, another replacement does nothing.
    env.delete("one").await;
    env.wait_deleted(&done).await;
    env.create_run("one", "steps", spec).await;
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!(env.start_calls(), 2);
}

#[tokio::test]
async fn a_run_that_objects_share_is_stopped_when_the_last_of_them_is_deleted() {
    let env = TestEnv::new("sharers").await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(9).script(endless()));
    env.put_credentials("other-keys").await;
    let spec = json!({"idempotencyKey": "one"});
    let other = json!({"idempotencyKey": "one", "credentials": {"secretName": "other-keys"}});
    let mut objects = Vec::new();
    for (name, spec) in [("a", &spec), ("b", &other), ("c", &spec)] {
        objects.push(env.create_run(name, "endless", spec.clone()).await);
        env.wait_for_run_id(name).await;
    }
    env.delete("a").await;
    env.wait_deleted(&objects[0]).await;
    assert_eq!((env.start_calls(), env.stop_calls("endless")), (1, 0));
    // Both are deleted together.
    env.delete("b").await;
    env.delete("c").await;
    env.wait_deleted(&objects[1]).await;
    env.wait_deleted(&objects[2]).await;
    assert_eq!(env.glue_runs("endless")[0]["JobRunState"], "STOPPED");
}

/// Two objects with one key are created at the same moment.
#[tokio::test]
async fn one_key_starts_one_run_however_many_objects_have_it() {
    let env = TestEnv::new("one-key").await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(9).script(endless()));
    let names = ["a", "b", "c", "d", "e"];
    let create = |name| env.create_run(name, "endless", json!({"idempotencyKey": "one"}));
    futures::future::join_all(names.map(create)).await;
    for name in names {
        env.wait_for_phase(name, Phase::Running).await;
    }
    assert_eq!(env.start_calls(), 1);
}

/// Its first attempt was stopped by a suspension, and its second one runs.
#[tokio::test]
async fn a_lost_status_is_found_by_its_newest_attempt() {
    let env = TestEnv::new("lost-second").await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(9).script(endless()));
    env.create_run("one", "endless", json!({})).await;
    env.wait_for_phase("one", Phase::Running).await;
    env.patch_spec("one", json!({"suspend": true})).await;
    env.wait_for_phase("one", Phase::Suspended).await;
    env.patch_spec("one", json!({"suspend": false})).await;
    let second = env.wait_for_phase("one", Phase::Running).await;
    assert_eq!(attempts(&second).last().map(|attempt| attempt.number), Some(1));
    env.clear_status("one").await;
    let found = env.wait_for_phase("one", Phase::Running).await;
    assert_eq!((run_id(&found), attempts(&found)[0].number), (run_id(&second), 1));
    assert_eq!(env.start_calls(), 2);
}
