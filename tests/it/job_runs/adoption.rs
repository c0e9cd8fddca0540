//! Runs that exist already: started elsewhere, by an object with the same key, or by an object that lost its status.

use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, Outcome};
use serde_json::json;

use crate::harness::{
    SHORT_TIMEOUTS, STEP, TestEnv, attempts, endless, has_finalizer, merged, ready_condition, run_id, stepwise,
};

#[tokio::test]
async fn a_run_started_elsewhere_is_followed_and_never_started() {
    let env = TestEnv::new("foreign").await;
    env.double.clock().hold();
    env.define_job(JobDefinition::new("steps").script(stepwise(Outcome::Failed("boom".to_owned()))));
    let started = env.call_glue("StartJobRun", &json!({"JobName": "steps"}));
    env.create_run("one", "steps", json!({"runId": started["JobRunId"]})).await;
    env.double.clock().step(STEP);
    let run = env.wait_for_phase("one", Phase::Running).await;
    assert_eq!(run_id(&run), started["JobRunId"].as_str());
    assert!(!has_finalizer(&run), "the controller does not own the run");
    env.double.clock().step(STEP);
    let run = env.wait_for_phase("one", Phase::Failed).await;
    assert_eq!(ready_condition(&run).1, "boom");
    assert_eq!(env.start_calls(), 0);
}

#[tokio::test]
async fn a_followed_run_that_does_not_exist_is_unknown_and_stays_polled() {
    let env = TestEnv::with_flags("no-run", SHORT_TIMEOUTS).await;
    env.define_job(JobDefinition::new("steps").script(endless()));
    env.create_run("one", "steps", json!({"runId": "jr_nobody"})).await;
    let run = env.wait_for_phase("one", Phase::Unknown).await;
    assert_eq!(
        ready_condition(&run),
        ("RunNotFound".to_owned(), "Glue does not know run jr_nobody; looking on".to_owned())
    );
    env.patch_spec("one", json!({"stop": true})).await;
    env.wait_for_phase("one", Phase::Stopped).await;
    assert_eq!(env.start_calls(), 0);
}

#[tokio::test]
async fn deleting_the_object_of_a_followed_run_stops_the_run_only_with_deletion_policy_stop() {
    let env = TestEnv::new("foreign-end").await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(2).script(endless()));
    let mut ids = Vec::new();
    for (name, spec) in [("left", json!({})), ("stopped", json!({"deletionPolicy": "Stop"}))] {
        let id = env.call_glue("StartJobRun", &json!({"JobName": "endless"}))["JobRunId"].clone();
        let run = env.create_run(name, "endless", merged(json!({"runId": id}), spec)).await;
        env.wait_for_phase(name, Phase::Running).await;
        env.delete(name).await;
        env.wait_deleted(&run).await;
        ids.push(id);
    }
    // The first deletion was handled long ago.
    let runs = env.glue_runs("endless");
    for (id, state) in ids.iter().zip(["RUNNING", "STOPPED"]) {
        let seen = runs.iter().find(|run| run["Id"] == *id).expect("the run");
        assert_eq!(seen["JobRunState"], state);
    }
}

#[tokio::test]
async fn a_recreated_object_with_the_same_key_adopts_the_run() {
    let env = TestEnv::new("key").await;
    env.double.clock().hold();
    env.define_job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    let spec = json!({"idempotencyKey": "orders-2026-01-31", "deletionPolicy": "Orphan"});
    let first = env.create_run("first", "steps", spec.clone()).await;
    env.wait_for_run_id("first").await;
    env.double.clock().step(STEP);
    let before = env.wait_for_phase("first", Phase::Running).await;
    env.delete("first").await;
    env.wait_deleted(&first).await;

    let second = env.create_run("second", "steps", spec.clone()).await;
    let running = env.wait_for_phase("second", Phase::Running).await;
    assert_eq!(run_id(&running), run_id(&before));
    env.double.clock().step(STEP);
    env.wait_finished("second", Phase::Succeeded).await;
    env.delete("second").await;
    env.wait_deleted(&second).await;

    env.create_run("third", "steps", spec).await;
    let finished = env.wait_finished("third", Phase::Succeeded).await;
    assert_eq!(run_id(&finished), run_id(&before));
    assert_eq!((env.start_calls(), env.glue_runs("steps").len()), (1, 1));
}

/// The second object finds the run of the first.
#[tokio::test]
async fn two_objects_with_one_key_share_one_run() {
    let env = TestEnv::new("shared").await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(9).script(endless()));
    let spec = json!({"idempotencyKey": "one"});
    env.create_run("a", "endless", spec.clone()).await;
    let a = env.wait_for_phase("a", Phase::Running).await;
    env.create_run("b", "endless", spec).await;
    let b = env.wait_for_phase("b", Phase::Running).await;
    assert_eq!(run_id(&a), run_id(&b));
    assert_eq!(env.start_calls(), 1);
}

#[tokio::test]
async fn without_a_key_each_object_starts_its_own_run() {
    let env = TestEnv::new("no-key").await;
    for _ in 0..2 {
        let run = env.create_run("one", "etl", json!({})).await;
        env.wait_finished("one", Phase::Succeeded).await;
        env.delete("one").await;
        env.wait_deleted(&run).await;
    }
    assert_eq!((env.start_calls(), env.glue_runs("etl").len()), (2, 2));
}

/// The second object takes over the first one's retry, which is the newest attempt of the key.
#[tokio::test]
async fn a_recreated_object_with_the_same_key_adopts_its_newest_attempt() {
    let env = TestEnv::new("walked").await;
    let zero = std::time::Duration::ZERO;
    let script = kube_glue_double::RunScript::fails("boom").then(Outcome::Succeeded).starting(zero).running(zero);
    env.define_job(JobDefinition::new("twice").script(script.slot_lag(zero)));
    let spec = json!({"idempotencyKey": "twice", "retry": {"limit": 1, "backoffSeconds": 0}});
    for (name, count) in [("first", 2), ("second", 1)] {
        let run = env.create_run(name, "twice", spec.clone()).await;
        let over = env.wait_finished(name, Phase::Succeeded).await;
        assert_eq!(attempts(&over).len(), count, "{name}");
        assert_eq!(attempts(&over).last().map(|attempt| attempt.number), Some(1), "{name}");
        env.delete(name).await;
        env.wait_deleted(&run).await;
    }
    assert_eq!((env.start_calls(), env.glue_runs("twice").len()), (2, 2));
}

#[tokio::test]
async fn a_cleared_status_does_not_start_the_job_again() {
    let mut env = TestEnv::new("lost").await;
    let before = env.create_running_run(Outcome::Succeeded, json!({})).await;
    env.clear_status("one").await;
    let after = env.wait_for_phase("one", Phase::Running).await;
    assert_eq!(run_id(&after), run_id(&before));
    // Clear it again while no controller runs, and the run ends meanwhile.
    env.kill_controller();
    env.double.clock().step(STEP);
    env.clear_status("one").await;
    env.start_controller();
    let after = env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!(run_id(&after), run_id(&before));
    assert_eq!((env.start_calls(), env.glue_runs("steps").len()), (1, 1));
}

/// The finalizer, which marks an object that may have started something, is removed by then.
#[tokio::test]
async fn a_status_cleared_after_the_end_does_not_start_the_job_again() {
    let env = TestEnv::new("lost-end").await;
    env.create_run("one", "etl", json!({})).await;
    let before = env.wait_finished("one", Phase::Succeeded).await;
    env.clear_status("one").await;
    let after = env.wait_for_phase("one", Phase::Succeeded).await;
    assert_eq!(run_id(&after), run_id(&before));
    assert_eq!((env.start_calls(), env.glue_runs("etl").len()), (1, 1));
}
