//! Retries by `spec.retry`, and Glue's own retries, which the controller follows.

use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, Outcome, RunScript};
use serde_json::json;

use crate::harness::{STEP, TestEnv, attempts, merged, phase_of, ready_condition, run_id, stepwise};

/// Runs that start and end without delay.
fn instant(script: RunScript) -> RunScript {
    script.starting(std::time::Duration::ZERO).running(std::time::Duration::ZERO)
}

#[tokio::test]
async fn a_failed_run_is_retried_up_to_the_limit() {
    let env = TestEnv::new("retry").await;
    let twice = RunScript::fails("first").then(Outcome::Failed("second".to_owned())).then(Outcome::Succeeded);
    env.define_job(JobDefinition::new("third-time").max_concurrent_runs(9).script(instant(twice.clone())));
    env.define_job(JobDefinition::new("too-often").max_concurrent_runs(9).script(instant(RunScript::fails("always"))));
    let retry = json!({"retry": {"limit": 2, "backoffSeconds": 0}});
    env.create_run("third-time", "third-time", retry.clone()).await;
    env.create_run("too-often", "too-often", retry).await;

    let run = env.wait_finished("third-time", Phase::Succeeded).await;
    let states: Vec<_> = attempts(&run).iter().map(|attempt| attempt.state.as_deref().unwrap_or_default()).collect();
    assert_eq!(states, ["FAILED", "FAILED", "SUCCEEDED"]);
    assert_eq!(env.glue_runs("third-time").len(), 3);

    let run = env.wait_finished("too-often", Phase::Failed).await;
    assert_eq!((attempts(&run).len(), ready_condition(&run).1.as_str()), (3, "always"));
    assert_eq!(env.glue_runs("too-often").len(), 3);
}

#[tokio::test]
async fn retries_may_have_another_execution_class() {
    let env = TestEnv::new("classes").await;
    let twice = RunScript::fails("first").then(Outcome::Failed("second".to_owned())).then(Outcome::Succeeded);
    for name in ["flex-first", "as-the-first"] {
        env.define_job(JobDefinition::new(name).max_concurrent_runs(9).script(instant(twice.clone())));
    }
    let retry = json!({"limit": 2, "backoffSeconds": 0});
    let with_class = merged(retry.clone(), json!({"executionClass": "STANDARD"}));
    env.create_run("flex-first", "flex-first", json!({"executionClass": "FLEX", "retry": with_class})).await;
    env.create_run("as-the-first", "as-the-first", json!({"executionClass": "FLEX", "retry": retry})).await;
    for (name, classes) in
        [("flex-first", ["FLEX", "STANDARD", "STANDARD"]), ("as-the-first", ["FLEX", "FLEX", "FLEX"])]
    {
        let run = env.wait_finished(name, Phase::Succeeded).await;
        let in_glue = env.glue_runs(name);
        // By the ids of the attempts: Glue lists the newest first.
        let class = |id: &str| in_glue.iter().find(|run| run["Id"] == id).expect("a run")["ExecutionClass"].clone();
        let shown: Vec<_> =
            attempts(&run).iter().map(|attempt| class(attempt.id.as_deref().unwrap_or_default())).collect();
        assert_eq!(shown, classes, "{name}");
        assert_eq!(run.status.and_then(|status| status.execution_class).as_deref(), Some(classes[2]));
    }
}

#[tokio::test]
async fn only_the_listed_states_are_retried() {
    let env = TestEnv::new("on").await;
    let cases = [
        ("failed", Outcome::Failed("boom".to_owned()), json!(["TIMEOUT"]), Phase::Failed, 1),
        ("error", Outcome::Error("Glue broke".to_owned()), json!(["ERROR", "TIMEOUT"]), Phase::Error, 2),
        ("timeout", Outcome::Timeout, json!(["TIMEOUT"]), Phase::TimedOut, 2),
    ];
    for (name, outcome, on, ..) in &cases {
        env.define_job(
            JobDefinition::new(name).max_concurrent_runs(9).script(instant(RunScript::ends(outcome.clone()))),
        );
        env.create_run(name, name, json!({"retry": {"limit": 1, "backoffSeconds": 0, "states": on}})).await;
    }
    for (name, .., phase, starts) in cases {
        env.wait_finished(name, phase).await;
        assert_eq!(env.glue_runs(name).len(), starts, "{name}");
    }
}

#[tokio::test]
async fn a_retry_waits_for_its_backoff_and_its_event_has_the_error() {
    let env = TestEnv::new("pause").await;
    env.define_job(JobDefinition::new("boom").max_concurrent_runs(9).script(instant(RunScript::fails("boom"))));
    env.create_run("one", "boom", json!({"retry": {"limit": 1, "backoffSeconds": 2}})).await;
    env.wait_finished("one", Phase::Failed).await;
    // A watch may miss the second or two of waiting. The event has the same message as the status.
    let waited = env.wait_for_event("RetryScheduled").await;
    assert_eq!(waited.action.as_deref(), Some("Waiting"));
    assert!(waited.note.as_ref().is_some_and(|note| note.ends_with("ended as FAILED: boom")), "{waited:?}");
    let [first, second] = &env.double.requests().of("StartJobRun")[..] else { panic!("two calls") };
    assert!(
        second.received.duration_since(first.received).as_millis() >= 1000,
        "the backoff counts whole seconds, so it may be up to a second shorter"
    );
}

/// The status keeps ten attempts; the retries continue beyond that.
#[tokio::test]
async fn the_status_keeps_the_last_ten_attempts() {
    let env = TestEnv::new("ten").await;
    env.define_job(JobDefinition::new("boom").max_concurrent_runs(99).script(instant(RunScript::fails("boom"))));
    env.create_run("one", "boom", json!({"retry": {"limit": 11, "backoffSeconds": 0}})).await;
    let run = env.wait_finished("one", Phase::Failed).await;
    let numbers: Vec<_> = attempts(&run).iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, (2..12).collect::<Vec<_>>());
    assert_eq!((env.start_calls(), env.glue_runs("boom").len()), (12, 12));
}

#[tokio::test]
async fn a_run_stopped_elsewhere_is_not_retried() {
    let env = TestEnv::new("stopped").await;
    let run = env.create_endless_run(json!({"retry": {"limit": 3, "backoffSeconds": 0}})).await;
    env.call_glue("BatchStopJobRun", &json!({"JobName": "endless", "JobRunIds": [run_id(&run)]}));
    let run = env.wait_finished("one", Phase::Stopped).await;
    assert_eq!((ready_condition(&run).0.as_str(), env.start_calls()), ("Stopped", 1));
}

/// While Glue is about to retry a run, the object has not failed.
#[tokio::test]
async fn glues_own_retries_are_followed_without_another_start() {
    let env = TestEnv::new("followed").await;
    env.double.clock().hold();
    let script = stepwise(Outcome::Failed("first".to_owned())).then(Outcome::Succeeded);
    env.define_job(JobDefinition::new("second-time").max_retries(1).script(script));
    env.define_job(JobDefinition::new("never").max_retries(1).script(stepwise(Outcome::Failed("always".to_owned()))));
    let names = ["second-time", "never"];
    for name in names {
        env.create_run(name, name, json!({})).await;
        env.wait_for_run_id(name).await;
    }
    env.double.clock().step(STEP);
    for name in names {
        env.wait_for_phase(name, Phase::Running).await;
    }
    env.double.clock().step(STEP);
    for name in names {
        assert!(env.wait_for_reason(name, "GlueRetries").await.ends_with("failed and Glue retries it by itself"));
        let run = env.job_runs().get(name).await.expect("the object");
        assert_eq!(phase_of(&run), Some(Phase::Waiting));
    }
    env.double.clock().step(STEP);
    for name in names {
        let what = "it follows Glue's second attempt";
        let run = env.wait_until(name, what, |run| run_id(run).is_some_and(|id| id.ends_with("_attempt_1"))).await;
        assert!(!phase_of(&run).is_some_and(Phase::is_final));
    }
    env.double.clock().step(STEP);
    env.double.clock().step(STEP);
    let run = env.wait_finished("second-time", Phase::Succeeded).await;
    assert_eq!(run.status.and_then(|status| status.glue_attempt), Some(1));
    let run = env.wait_finished("never", Phase::Failed).await;
    assert_eq!(ready_condition(&run).1, "always");
    assert_eq!(env.start_calls(), 2, "the other runs are Glue's retries");
    assert_eq!((attempts(&run).len(), env.glue_runs("never").len()), (1, 2));
}

/// A stop is for the active attempt, not for the one that the controller started.
#[tokio::test]
async fn a_stop_stops_glues_own_retry() {
    let env = TestEnv::new("stops").await;
    env.double.clock().hold();
    let script = stepwise(Outcome::Failed("first".to_owned())).then(Outcome::Never);
    env.define_job(JobDefinition::new("twice").max_retries(1).script(script));
    env.create_run("one", "twice", json!({})).await;
    env.wait_for_run_id("one").await;
    env.double.clock().step(STEP * 2);
    env.wait_for_reason("one", "GlueRetries").await;
    env.double.clock().step(STEP * 2);
    let run = env.wait_for_phase("one", Phase::Running).await;
    env.patch_spec("one", json!({"stop": true})).await;
    env.wait_for_calls("BatchStopJobRun", 1).await;
    env.double.clock().step(STEP);
    env.wait_finished("one", Phase::Stopped).await;
    let stop = &env.double.requests().of("BatchStopJobRun")[0];
    assert_eq!(stop.field("JobRunIds"), Some(json!([run_id(&run)])));
    assert_eq!(env.glue_runs("twice")[1]["JobRunState"], "STOPPED");
}
