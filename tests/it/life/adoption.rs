//! Runs that were started before: elsewhere, by an object of the same key, or by an object that lost its status.

use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, Outcome};
use serde_json::json;

use crate::harness::{STEP, World, attempts, endless, is_held, phase_of, ready, run_id, stepwise};

#[tokio::test]
async fn a_run_that_was_started_elsewhere_is_followed_and_never_started() {
    let world = World::new("foreign").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("steps").script(stepwise(Outcome::Failed("boom".to_owned()))));
    let started = world.elsewhere("StartJobRun", &json!({"JobName": "steps"}));
    world.run("one", "steps", json!({"runId": started["JobRunId"]})).await;
    world.double.clock().step(STEP);
    let run = world.phase("one", Phase::Running).await;
    assert_eq!(run_id(&run), started["JobRunId"].as_str());
    assert!(!is_held(&run), "it is not ours to stop");
    world.double.clock().step(STEP);
    let run = world.phase("one", Phase::Failed).await;
    assert_eq!(ready(&run).1, "boom");
    assert_eq!(world.starts(), 0);
}

#[tokio::test]
async fn a_followed_run_that_does_not_exist_is_unknown_and_looked_for_on() {
    let world = World::new("nobody").await;
    world.job(JobDefinition::new("steps").script(endless()));
    world.run("one", "steps", json!({"runId": "jr_nobody"})).await;
    let run = world.phase("one", Phase::Unknown).await;
    assert_eq!(ready(&run), ("RunNotFound".to_owned(), "Glue does not know run jr_nobody; looking on".to_owned()));
    world.edit("one", json!({"stop": true})).await;
    world.phase("one", Phase::Stopped).await;
    assert_eq!(world.starts(), 0);
}

#[tokio::test]
async fn a_followed_run_goes_on_when_its_object_is_deleted_unless_it_is_to_be_stopped() {
    let world = World::new("foreign-end").await;
    world.job(JobDefinition::new("endless").max_concurrent_runs(2).script(endless()));
    let mut ids = Vec::new();
    for (name, spec) in [("left", json!({})), ("stopped", json!({"deletionPolicy": "Stop"}))] {
        let id = world.elsewhere("StartJobRun", &json!({"JobName": "endless"}))["JobRunId"].clone();
        let run = world.run(name, "endless", crate::harness::merged(json!({"runId": id}), spec)).await;
        world.phase(name, Phase::Running).await;
        world.delete(name).await;
        world.gone(&run).await;
        ids.push(id);
    }
    // The first one's deletion is long through by now.
    let runs = world.glue_runs("endless");
    for (id, state) in ids.iter().zip(["RUNNING", "STOPPED"]) {
        let seen = runs.iter().find(|run| run["Id"] == *id).expect("the run");
        assert_eq!(seen["JobRunState"], state);
    }
}

#[tokio::test]
async fn an_object_that_comes_again_with_the_same_key_adopts_the_run() {
    let world = World::new("key").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    let spec = json!({"idempotencyKey": "orders-2026-01-31", "deletionPolicy": "Orphan"});
    let first = world.run("first", "steps", spec.clone()).await;
    world.known("first").await;
    world.double.clock().step(STEP);
    let before = world.phase("first", Phase::Running).await;
    world.delete("first").await;
    world.gone(&first).await;

    let second = world.run("second", "steps", spec.clone()).await;
    let running = world.phase("second", Phase::Running).await;
    assert_eq!(run_id(&running), run_id(&before));
    world.double.clock().step(STEP);
    world.over("second", Phase::Succeeded).await;
    world.delete("second").await;
    world.gone(&second).await;

    world.run("third", "steps", spec).await;
    let finished = world.over("third", Phase::Succeeded).await;
    assert_eq!(run_id(&finished), run_id(&before));
    assert_eq!((world.starts(), world.glue_runs("steps").len()), (1, 1));
}

/// Two objects with one key at the same time: whoever comes second finds the first one's run.
#[tokio::test]
async fn objects_with_one_key_share_one_run() {
    let world = World::new("shared").await;
    world.job(JobDefinition::new("endless").max_concurrent_runs(9).script(endless()));
    let spec = json!({"idempotencyKey": "one"});
    world.run("a", "endless", spec.clone()).await;
    let a = world.phase("a", Phase::Running).await;
    world.run("b", "endless", spec).await;
    let b = world.phase("b", Phase::Running).await;
    assert_eq!(run_id(&a), run_id(&b));
    assert_eq!(world.starts(), 1);
}

#[tokio::test]
async fn without_a_key_each_object_has_a_run_of_its_own() {
    let world = World::new("no-key").await;
    for _ in 0..2 {
        let run = world.run("one", "etl", json!({})).await;
        world.over("one", Phase::Succeeded).await;
        world.delete("one").await;
        world.gone(&run).await;
    }
    assert_eq!((world.starts(), world.glue_runs("etl").len()), (2, 2));
}

/// A failed run under the same key: the retry that follows is the same in every life.
#[tokio::test]
async fn the_attempts_of_an_earlier_life_are_walked_through() {
    let world = World::new("walked").await;
    let zero = std::time::Duration::ZERO;
    let script = kube_glue_double::RunScript::fails("boom").then(Outcome::Succeeded).starting(zero).running(zero);
    world.job(JobDefinition::new("twice").script(script.slot_lag(zero)));
    let spec = json!({"idempotencyKey": "twice", "retry": {"limit": 1, "backoffSeconds": 0}});
    for name in ["first", "second"] {
        let run = world.run(name, "twice", spec.clone()).await;
        let over = world.over(name, Phase::Succeeded).await;
        assert_eq!(attempts(&over).len(), 2, "{name}");
        world.delete(name).await;
        world.gone(&run).await;
    }
    assert_eq!((world.starts(), world.glue_runs("twice").len()), (2, 2));
}

#[tokio::test]
async fn a_lost_status_does_not_start_again() {
    let mut world = World::new("lost").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    world.run("one", "steps", json!({})).await;
    world.known("one").await;
    world.double.clock().step(STEP);
    let before = world.phase("one", Phase::Running).await;
    world.lose_status("one").await;
    let after = world.phase("one", Phase::Running).await;
    assert_eq!(run_id(&after), run_id(&before));
    // Once more while no controller runs, and at the end of the run.
    world.kill_controller();
    world.double.clock().step(STEP);
    world.lose_status("one").await;
    world.start_controller();
    let after = world.over("one", Phase::Succeeded).await;
    assert_eq!(run_id(&after), run_id(&before));
    assert_eq!((world.starts(), world.glue_runs("steps").len()), (1, 1));
}

/// A finished run has no finalizer that would tell of an earlier life.
#[tokio::test]
async fn a_status_that_is_lost_after_the_end_does_not_start_again() {
    let world = World::new("lost-end").await;
    world.run("one", "etl", json!({})).await;
    let before = world.over("one", Phase::Succeeded).await;
    world.lose_status("one").await;
    let after = world.until("one", "it has a status", |run| phase_of(run) == Some(Phase::Succeeded)).await;
    assert_eq!(run_id(&after), run_id(&before));
    assert_eq!((world.starts(), world.glue_runs("etl").len()), (1, 1));
}
