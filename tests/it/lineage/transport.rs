//! A receiver that is slow, down, overloaded, broken, or refuses an event.

use kube_glue::api::run::Phase;
use kube_glue_double::Outcome;
use serde_json::{Value, json};

use super::receiver::{Answer, Receiver, described, of_run, types_of};
use super::{setup, visual};
use crate::harness::{STEP, TestEnv, run_id};

/// Runs the job `orders` for these objects to its end; Glue's ids of the runs.
async fn run_all(env: &TestEnv, names: &[&str]) -> Vec<String> {
    let ids = start_all(env, names).await;
    end_all(env, names).await;
    ids
}

async fn start_all(env: &TestEnv, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        env.create_run(name, "orders", json!({})).await;
        ids.push(run_id(&env.wait_for_run_id(name).await).expect("an id").to_owned());
    }
    ids
}

async fn end_all(env: &TestEnv, names: &[&str]) {
    env.double.clock().step(STEP);
    for name in names {
        env.wait_for_phase(name, Phase::Running).await;
    }
    env.double.clock().step(STEP);
    for name in names {
        env.wait_finished(name, Phase::Succeeded).await;
    }
}

fn have_ended(ids: &[String]) -> impl Fn(&[Value]) -> bool {
    move |events| ids.iter().all(|id| types_of(events, id).contains(&"COMPLETE"))
}

#[tokio::test]
async fn a_receiver_that_is_down_stops_no_run_and_gets_everything_in_order_afterwards() {
    let receiver = Receiver::down().await;
    let env = setup("lineage-down", &receiver).await;
    env.define_job(visual("orders", Outcome::Succeeded));
    let ids = run_all(&env, &["a", "b", "c"]).await;
    assert_eq!(receiver.events(), [Value::Null; 0]);
    let metrics = env.metrics().await;
    let waiting = metrics.lines().find_map(|line| line.strip_prefix("kube_glue_lineage_queue_depth "));
    assert!(waiting.is_some_and(|waiting| waiting != "0"), "{metrics}");
    receiver.come_back().await;
    let events = receiver.wait_until("all runs have ended", have_ended(&ids)).await;
    for id in &ids {
        // Whether a poll saw that it was starting is a matter of time.
        let types = types_of(&events, id);
        assert!(matches!(types.as_slice(), ["OTHER", "START", "COMPLETE"] | ["START", "COMPLETE"]), "{types:?}");
        let times: Vec<_> = of_run(&events, id).map(|event| event["eventTime"].as_str()).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
    env.wait_for_log("it", "takes events again").await;
}

#[tokio::test]
async fn a_slow_receiver_stops_no_run() {
    let receiver = Receiver::start().await;
    receiver.hold();
    let env = setup("lineage-slow", &receiver).await;
    env.define_job(visual("orders", Outcome::Succeeded));
    let ids = run_all(&env, &["a", "b"]).await;
    assert_eq!(receiver.events(), [Value::Null; 0]);
    receiver.release();
    receiver.wait_until("all runs have ended", have_ended(&ids)).await;
}

#[tokio::test]
async fn an_overloaded_or_broken_receiver_is_asked_again_and_a_refused_event_is_dropped_alone() {
    let receiver = Receiver::start().await;
    receiver.answer([Answer::TooMany(1), Answer::Status(503), Answer::Status(401), Answer::Status(400)]);
    let env = setup("lineage-refused", &receiver).await;
    env.define_job(visual("orders", Outcome::Succeeded));
    let ids = start_all(&env, &["a"]).await;
    receiver.wait_for_requests(4).await;
    end_all(&env, &["a"]).await;
    let events = receiver.wait_until("the run has ended", have_ended(&ids)).await;
    // Three answers ask for another try, and the fourth refuses the first event.
    assert_eq!(types_of(&events, &ids[0]), ["START", "COMPLETE"]);
    let counted = ["refused\"} 1", "sent\"} 2"].map(|line| format!("kube_glue_lineage_events_total{{outcome=\"{line}"));
    env.wait_for_metrics(&counted.each_ref().map(String::as_str)).await;
    assert!(env.logs().contains("429"), "{}", env.log_tail());
}

#[tokio::test]
async fn what_waits_is_sent_before_an_orderly_shutdown() {
    let receiver = Receiver::start().await;
    let mut env = setup("lineage-drain", &receiver).await;
    env.define_job(visual("orders", Outcome::Succeeded));
    let ids = start_all(&env, &["a"]).await;
    env.double.clock().step(STEP);
    let has_started = |events: &[Value]| types_of(events, &ids[0]).contains(&"START");
    let sent = receiver.wait_until("the run has started", has_started).await.len();
    // The end waits for longer than a controller takes that does not wait for it.
    receiver.answer([Answer::TooMany(2)]);
    env.double.clock().step(STEP);
    env.wait_finished("a", Phase::Succeeded).await;
    receiver.wait_for_requests(sent + 1).await;
    assert!(env.terminate_controller("it").await.success());
    assert!(have_ended(&ids)(&receiver.events()), "{}", described(&receiver.events()));
}

#[tokio::test]
async fn nothing_is_sent_where_it_is_switched_off() {
    let receiver = Receiver::start().await;
    let mut env = TestEnv::with_credentials("lineage-off").await;
    env.double.clock().hold();
    env.set_flags(&[("--openlineage-url", &receiver.url()), ("--openlineage-disabled", "true")]);
    env.start_controller();
    env.define_job(visual("orders", Outcome::Succeeded));
    run_all(&env, &["a"]).await;
    assert!(env.terminate_controller("it").await.success());
    assert!(receiver.events().is_empty() && receiver.authorization().is_empty());
    assert_eq!(env.double.requests().count("GetJob"), 0);
}
