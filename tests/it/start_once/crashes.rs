//! The controller gets SIGKILL at every point of a start that is visible from outside.

use jiff::Timestamp;
use kube_glue::api::run::Phase;
use kube_glue::api::{FINALIZER, GlueJobRun};
use kube_glue_double::JobDefinition;
use kube_glue_double::{Fault, Outcome, Then};
use serde_json::json;

use crate::harness::{SHORT_TIMEOUTS, STEP, TestEnv, attempts, has_finalizer, run_id, stepwise, uid};

/// The state after the kill is an object with the finalizer and nothing else.
#[tokio::test]
async fn a_kill_between_finalizer_and_intent_gives_one_run() {
    let mut env = TestEnv::with_credentials("finalizer-only").await;
    let object = json!({"metadata": {"name": "one", "finalizers": [FINALIZER]}, "spec": {"jobName": "etl"}});
    env.try_create(object).await.expect("an object");
    env.start_controller();
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!((env.start_calls(), env.glue_runs("etl").len()), (1, 1));
}

/// The next controller cannot know whether StartJobRun was sent.
#[tokio::test]
async fn a_kill_between_intent_and_start_gives_one_run() {
    let mut env = TestEnv::with_credentials("intended").await;
    let object = json!({"metadata": {"name": "one", "finalizers": [FINALIZER]}, "spec": {"jobName": "etl"}});
    let object = env.try_create(object).await.expect("an object");
    let now = "2026-01-01T00:00:00Z";
    let key = format!("{}/0", uid(&object));
    let attempt = json!({"number": 0, "key": key, "activeSince": now, "intendedAt": now});
    let status = json!({"observedGeneration": 1, "phase": "Starting", "attempts": [attempt]});
    env.objects::<GlueJobRun>().patch_status("one", status).await;
    // Long enough for the first lookup to come before the settle time ends.
    env.set_flags(&[("--start-settle", "12s"), ("--aws-timeout", "3s")]);
    let began = Timestamp::now();
    env.start_controller();
    let run = env.wait_finished("one", Phase::Succeeded).await;
    env.wait_for_event("AnswerUnclear").await;
    assert_eq!((env.start_calls(), env.glue_runs("etl").len()), (1, 1));
    let (lookups, starts) = (env.double.requests().of("GetJobRuns"), env.double.requests().of("StartJobRun"));
    assert!(lookups[0].sequence < starts[0].sequence, "the lookup comes before the start");
    let after = starts[0].received.duration_since(began);
    assert!(after.as_secs() >= 12, "started after {after:?}, when an earlier call could still take effect");
    assert_eq!(attempts(&run).len(), 1, "the same attempt, with a new intent");
}

/// Glue has received StartJobRun, and carries it out only after the restart.
#[tokio::test]
async fn a_kill_while_the_start_is_in_flight_gives_one_run() {
    let mut env = TestEnv::with_credentials("sent").await;
    env.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::Hold));
    env.start_controller();
    env.create_run("one", "etl", json!({})).await;
    env.wait_for_calls("StartJobRun", 1).await;
    env.kill_controller();
    env.start_controller();
    env.wait_for_reason("one", "AnswerUnclear").await;
    env.double.faults().release();
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!((env.start_calls(), env.glue_runs("etl").len()), (1, 1));
}

#[tokio::test]
async fn a_kill_between_the_start_and_its_response_gives_one_run() {
    let mut env = TestEnv::with_credentials("answer").await;
    env.define_job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    env.double.clock().hold();
    env.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::HoldAnswer));
    env.start_controller();
    env.create_run("one", "steps", json!({})).await;
    env.wait_for_calls("StartJobRun", 1).await;
    env.kill_controller();
    let run = env.job_runs().get("one").await.expect("the object");
    assert_eq!((run_id(&run), attempts(&run).len()), (None, 1), "the status has the intent and no run id");
    env.start_controller();
    assert_eq!(
        env.wait_for_reason("one", "Adopted").await,
        format!(
            "run {} carries this object's key and was adopted",
            env.glue_runs("steps")[0]["Id"].as_str().expect("an id")
        )
    );
    env.double.clock().step(STEP);
    env.wait_for_phase("one", Phase::Running).await;
    env.double.clock().step(STEP);
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!((env.start_calls(), env.glue_runs("steps").len()), (1, 1));
}

/// One run is RUNNING and one is being stopped; both end while no controller runs.
#[tokio::test]
async fn after_a_kill_active_runs_are_followed_to_their_end() {
    let mut env = TestEnv::with_credentials("active").await;
    env.define_job(JobDefinition::new("steps").max_concurrent_runs(2).script(stepwise(Outcome::Succeeded)));
    env.double.clock().hold();
    env.start_controller();
    for name in ["kept", "stopped"] {
        env.create_run(name, "steps", json!({})).await;
        env.wait_for_run_id(name).await;
    }
    env.wait_for_calls("StartJobRun", 2).await;
    env.double.clock().step(STEP);
    env.wait_for_phase("kept", Phase::Running).await;
    env.patch_spec("stopped", json!({"stop": true})).await;
    env.wait_for_phase("stopped", Phase::Stopping).await;
    env.wait_for_calls("BatchStopJobRun", 1).await;
    env.kill_controller();
    env.double.clock().step(STEP);
    env.start_controller();
    env.wait_finished("kept", Phase::Succeeded).await;
    let stopped = env.wait_finished("stopped", Phase::Stopped).await;
    assert_eq!(attempts(&stopped)[0].state.as_deref(), Some("STOPPED"));
    assert_eq!((env.start_calls(), env.glue_runs("steps").len()), (2, 2));
}

/// Five kills at arbitrary points of the starts of twelve objects.
#[tokio::test]
async fn repeated_kills_during_many_starts_give_one_run_for_each_object() {
    let mut env = TestEnv::with_credentials("storm").await;
    env.set_flags(SHORT_TIMEOUTS);
    env.define_job(JobDefinition::new("steps").max_concurrent_runs(100).script(stepwise(Outcome::Succeeded)));
    env.double.clock().hold();
    let names: Vec<_> = (0..12).map(|n| format!("run-{n}")).collect();
    for name in &names {
        env.create_run(name, "steps", json!({})).await;
    }
    for crash in 0..5 {
        let before = env.start_calls();
        env.start_controller();
        if before < 12 {
            // When Glue receives a start: others are then at other points.
            env.wait_for_calls("StartJobRun", (before + 1 + crash % 3).min(12)).await;
        }
        env.kill_controller();
    }
    env.start_controller();
    for name in &names {
        env.wait_for_run_id(name).await;
    }
    env.double.clock().step(STEP * 2);
    for name in &names {
        let run = env.wait_finished(name, Phase::Succeeded).await;
        assert!(!has_finalizer(&run));
    }
    let runs = env.glue_runs("steps");
    let mut keys: Vec<_> = runs.iter().map(|run| run["Arguments"]["--kube-glue-run"].to_string()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), runs.len()), (12, 12), "each object has one run");
}
