//! The controller gets SIGKILL at every point of a firing that is visible from outside.

use std::time::Duration;

use kube_glue::api::GlueTrigger;
use kube_glue_double::{Fault, Then};
use serde_json::json;

use super::{ready_reason_and_status, status};
use crate::harness::{SHORT_TIMEOUTS, TestEnv};

/// An environment with the trigger `refresh`, its object `one` without `fire`, and no controller any more.
async fn setup(name: &str) -> TestEnv {
    let mut env = TestEnv::new(name).await;
    env.define_trigger("refresh", "ON_DEMAND", json!({}));
    env.objects::<GlueTrigger>().create("one", json!({"triggerName": "refresh"})).await;
    env.objects::<GlueTrigger>().wait_ready("one").await;
    env.kill_controller();
    env
}

async fn fire(env: &TestEnv, value: &str) {
    env.objects::<GlueTrigger>().patch_spec("one", json!({"fire": value})).await;
}

/// The next controller cannot know whether StartTrigger was sent.
#[tokio::test]
async fn a_kill_between_intent_and_firing_gives_one_firing() {
    let mut env = setup("gtr-intended").await;
    fire(&env, "a").await;
    let newest = json!([{"kind": "Job", "name": "etl"}]);
    let intent = json!({"number": 0, "value": "a", "intendedAt": "2026-01-01T00:00:00Z", "baseline": newest});
    let status = json!({"observedGeneration": 2, "lastHandledFire": "a", "lastFiring": intent});
    env.objects::<GlueTrigger>().patch_status("one", status).await;
    env.start_controller();
    env.objects::<GlueTrigger>().wait_for_reason("one", "AnswerUnclear").await;
    assert!(env.start_stop_calls("refresh").is_empty());
    // With a shorter settle time the controller continues.
    env.kill_controller();
    env.set_flags(SHORT_TIMEOUTS);
    env.start_controller();
    env.wait_for_firing("one", "a").await;
    assert_eq!((env.start_stop_calls("refresh").len(), env.firings("refresh")), (1, 1));
}

/// Glue has received StartTrigger, and carries it out only after the restart.
#[tokio::test]
async fn a_kill_while_the_firing_is_in_flight_gives_one_firing() {
    let mut env = setup("gtr-sent").await;
    env.double.faults().add(Fault::on("StartTrigger").nth(1).then(Then::Hold));
    env.start_controller();
    fire(&env, "a").await;
    env.wait_for_calls("StartTrigger", 1).await;
    env.kill_controller();
    env.start_controller();
    env.objects::<GlueTrigger>().wait_for_reason("one", "AnswerUnclear").await;
    env.double.faults().release();
    env.wait_for_firing("one", "a").await;
    assert_eq!((env.start_stop_calls("refresh").len(), env.firings("refresh")), (1, 1));
}

/// The user sets another value before the restart.
#[tokio::test]
async fn a_kill_between_the_firing_and_its_response_gives_one_firing() {
    let mut env = setup("gtr-answer").await;
    env.double.faults().add(Fault::on("StartTrigger").nth(1).then(Then::HoldAnswer));
    env.start_controller();
    fire(&env, "a").await;
    env.wait_for_calls("StartTrigger", 1).await;
    env.kill_controller();
    fire(&env, "b").await;
    env.start_controller();
    env.wait_for_firing("one", "b").await;
    let trigger = env.objects::<GlueTrigger>().api.get("one").await.expect("the object");
    let earlier: Vec<_> = status(&trigger).earlier_firings.iter().map(|firing| firing.value.as_str()).collect();
    assert_eq!(earlier, ["a"]);
    assert_eq!((env.start_stop_calls("refresh").len(), env.firings("refresh")), (2, 2));
}

/// The run ends while no controller runs.
#[tokio::test]
async fn after_a_kill_the_started_run_is_followed_to_its_end() {
    let mut env = setup("gtr-active").await;
    env.double.clock().hold();
    env.start_controller();
    fire(&env, "a").await;
    env.wait_for_firing("one", "a").await;
    env.kill_controller();
    env.double.clock().step(Duration::from_mins(1));
    env.start_controller();
    let trigger = env.objects::<GlueTrigger>();
    trigger.wait_until("one", "its run has ended", |trigger| ready_reason_and_status(trigger).0 == "Completed").await;
    assert_eq!((env.start_stop_calls("refresh").len(), env.firings("refresh")), (1, 1));
}

/// Kills at arbitrary points of the firings of six triggers, three values each.
#[tokio::test]
async fn repeated_kills_during_many_firings_give_one_firing_for_each_value() {
    let mut env = TestEnv::with_flags("gtr-storm", SHORT_TIMEOUTS).await;
    let names: Vec<_> = (0..6).map(|n| format!("refresh-{n}")).collect();
    for name in &names {
        env.define_trigger(name, "ON_DEMAND", json!({}));
        env.objects::<GlueTrigger>().create(name, json!({"triggerName": name})).await;
    }
    for name in &names {
        env.objects::<GlueTrigger>().wait_ready(name).await;
    }
    for value in ["a", "b", "c"] {
        let before = env.double.requests().count("StartTrigger");
        for name in &names {
            env.objects::<GlueTrigger>().patch_spec(name, json!({"fire": value})).await;
        }
        // When Glue receives a firing: others are then at other points.
        env.wait_for_calls("StartTrigger", before + 2).await;
        env.kill_controller();
        env.start_controller();
        for name in &names {
            env.wait_for_firing(name, value).await;
        }
    }
    for name in &names {
        let trigger = env.objects::<GlueTrigger>().api.get(name).await.expect("the object");
        let earlier: Vec<_> = status(&trigger).earlier_firings.iter().map(|firing| firing.value.as_str()).collect();
        assert_eq!((earlier, env.firings(name)), (vec!["a", "b"], 3), "{name}: each value is fired once");
    }
}
