//! Retries: ours, by `retry`, and Glue's own, which are followed.

use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, Outcome, RunScript};
use serde_json::json;

use crate::harness::{STEP, World, attempts, phase_of, ready, run_id, stepwise};

fn at_once(script: RunScript) -> RunScript {
    script.starting(std::time::Duration::ZERO).running(std::time::Duration::ZERO)
}

#[tokio::test]
async fn a_failed_run_is_started_again_up_to_the_limit() {
    let world = World::new("retry").await;
    let twice = RunScript::fails("first").then(Outcome::Failed("second".to_owned())).then(Outcome::Succeeded);
    world.job(JobDefinition::new("third-time").max_concurrent_runs(9).script(at_once(twice.clone())));
    world.job(JobDefinition::new("too-often").max_concurrent_runs(9).script(at_once(RunScript::fails("always"))));
    let retry = json!({"retry": {"limit": 2, "backoffSeconds": 0}});
    world.run("third-time", "third-time", retry.clone()).await;
    world.run("too-often", "too-often", retry).await;

    let run = world.over("third-time", Phase::Succeeded).await;
    let states: Vec<_> = attempts(&run).iter().map(|attempt| attempt.state.as_deref().unwrap_or_default()).collect();
    assert_eq!(states, ["FAILED", "FAILED", "SUCCEEDED"]);
    assert_eq!(world.glue_runs("third-time").len(), 3);

    let run = world.over("too-often", Phase::Failed).await;
    assert_eq!((attempts(&run).len(), ready(&run).1.as_str()), (3, "always"));
    assert_eq!(world.glue_runs("too-often").len(), 3);
}

#[tokio::test]
async fn only_the_named_states_are_tried_again() {
    let world = World::new("on").await;
    let cases = [
        ("failed", Outcome::Failed("boom".to_owned()), json!(["TIMEOUT"]), Phase::Failed, 1),
        ("error", Outcome::Error("Glue broke".to_owned()), json!(["ERROR", "TIMEOUT"]), Phase::Error, 2),
        ("timeout", Outcome::Timeout, json!(["TIMEOUT"]), Phase::TimedOut, 2),
    ];
    for (name, outcome, on, ..) in &cases {
        world.job(JobDefinition::new(name).max_concurrent_runs(9).script(at_once(RunScript::ends(outcome.clone()))));
        world.run(name, name, json!({"retry": {"limit": 1, "backoffSeconds": 0, "states": on}})).await;
    }
    for (name, .., phase, starts) in cases {
        world.over(name, phase).await;
        assert_eq!(world.glue_runs(name).len(), starts, "{name}");
    }
}

#[tokio::test]
async fn a_retry_waits_for_its_time_and_says_what_failed() {
    let world = World::new("pause").await;
    world.job(JobDefinition::new("boom").max_concurrent_runs(9).script(at_once(RunScript::fails("boom"))));
    world.run("one", "boom", json!({"retry": {"limit": 1, "backoffSeconds": 2}})).await;
    world.over("one", Phase::Failed).await;
    // It waited for a second or two, which a watch may miss; the event stays, with the words of the status.
    let waited = world.event("RetryScheduled").await;
    assert_eq!(waited.action.as_deref(), Some("Waiting"));
    assert!(waited.note.as_ref().is_some_and(|note| note.ends_with("ended as FAILED: boom")), "{waited:?}");
    let [first, second] = &world.double.requests().of("StartJobRun")[..] else { panic!("two starts") };
    assert!(
        second.received.duration_since(first.received).as_millis() >= 1000,
        "whole seconds, of which a part may have passed"
    );
}

/// The status has a bound, and the attempts go on past it.
#[tokio::test]
async fn the_last_ten_attempts_are_kept() {
    let world = World::new("ten").await;
    world.job(JobDefinition::new("boom").max_concurrent_runs(99).script(at_once(RunScript::fails("boom"))));
    world.run("one", "boom", json!({"retry": {"limit": 11, "backoffSeconds": 0}})).await;
    let run = world.over("one", Phase::Failed).await;
    let numbers: Vec<_> = attempts(&run).iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, (2..12).collect::<Vec<_>>());
    assert_eq!((world.starts(), world.glue_runs("boom").len()), (12, 12));
}

#[tokio::test]
async fn a_stopped_run_is_not_tried_again() {
    let world = World::new("stopped").await;
    world.job(JobDefinition::new("endless").script(crate::harness::endless()));
    world.run("one", "endless", json!({"retry": {"limit": 3, "backoffSeconds": 0}})).await;
    let run = world.phase("one", Phase::Running).await;
    world.elsewhere("BatchStopJobRun", &json!({"JobName": "endless", "JobRunIds": [run_id(&run)]}));
    let run = world.over("one", Phase::Stopped).await;
    assert_eq!((ready(&run).0.as_str(), world.starts()), ("Stopped", 1));
}

/// A run that Glue itself is about to retry has not failed.
#[tokio::test]
async fn glues_own_retries_are_followed() {
    let world = World::new("followed").await;
    world.double.clock().hold();
    let script = stepwise(Outcome::Failed("first".to_owned())).then(Outcome::Succeeded);
    world.job(JobDefinition::new("second-time").max_retries(1).script(script));
    world.job(JobDefinition::new("never").max_retries(1).script(stepwise(Outcome::Failed("always".to_owned()))));
    let names = ["second-time", "never"];
    for name in names {
        world.run(name, name, json!({})).await;
        world.known(name).await;
    }
    world.double.clock().step(STEP);
    for name in names {
        world.phase(name, Phase::Running).await;
    }
    world.double.clock().step(STEP);
    for name in names {
        assert!(world.reason(name, "GlueRetries").await.ends_with("failed and Glue retries it by itself"));
        let run = world.runs().get(name).await.expect("the object");
        assert_eq!(phase_of(&run), Some(Phase::Waiting));
    }
    world.double.clock().step(STEP);
    for name in names {
        let what = "it is the second attempt";
        let run = world.until(name, what, |run| run_id(run).is_some_and(|id| id.ends_with("_attempt_1"))).await;
        assert!(!phase_of(&run).is_some_and(Phase::is_final));
    }
    world.double.clock().step(STEP);
    world.double.clock().step(STEP);
    let run = world.over("second-time", Phase::Succeeded).await;
    assert_eq!(run.status.and_then(|status| status.glue_attempt), Some(1));
    let run = world.over("never", Phase::Failed).await;
    assert_eq!(ready(&run).1, "always");
    assert_eq!(world.starts(), 2, "all else was Glue's");
    assert_eq!((attempts(&run).len(), world.glue_runs("never").len()), (1, 2));
}

/// Stop means the attempt that lives, not the one that was started.
#[tokio::test]
async fn a_stop_reaches_glues_own_retry() {
    let world = World::new("stops").await;
    world.double.clock().hold();
    let script = stepwise(Outcome::Failed("first".to_owned())).then(Outcome::Never);
    world.job(JobDefinition::new("twice").max_retries(1).script(script));
    world.run("one", "twice", json!({})).await;
    world.known("one").await;
    world.double.clock().step(STEP * 2);
    world.reason("one", "GlueRetries").await;
    world.double.clock().step(STEP * 2);
    let run = world.phase("one", Phase::Running).await;
    world.edit("one", json!({"stop": true})).await;
    world.calls("BatchStopJobRun", 1).await;
    world.double.clock().step(STEP);
    world.over("one", Phase::Stopped).await;
    let stop = &world.double.requests().of("BatchStopJobRun")[0];
    assert_eq!(stop.field("JobRunIds"), Some(json!([run_id(&run)])));
    assert_eq!(world.glue_runs("twice")[1]["JobRunState"], "STOPPED");
}
