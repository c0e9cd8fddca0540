//! Triggers with a state: activation, deactivation, and correction of drift.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use kube_glue::api::GlueTrigger;
use kube_glue_double::{Fault, Request, Requests, Then};
use serde_json::json;

use super::{ready_reason_and_status, status};
use crate::harness::{TestEnv, condition};

#[tokio::test]
async fn a_trigger_is_activated_and_its_status_describes_it() {
    let env = TestEnv::new("gtr-activated").await;
    env.set_trigger_delay(Duration::from_millis(300));
    let predicate = json!({"Logical": "ANY", "Conditions": [
        {"LogicalOperator": "EQUALS", "JobName": "etl", "State": "SUCCEEDED"},
        {"LogicalOperator": "EQUALS", "CrawlerName": "orders", "CrawlState": "FAILED"},
    ]});
    let secret = "s3cr3t-argument";
    let actions = json!([{"JobName": "etl", "Timeout": 10, "Arguments": {"--password": secret}}]);
    // The schedule must not be due during the test: `next` would change.
    let hour = if Timestamp::now().as_second() / 3600 % 24 == 12 { 18 } else { 12 };
    let by_time =
        json!({"Schedule": format!("cron(15 {hour} * * ? *)"), "Actions": actions, "Description": "every day"});
    env.define_trigger("by-time", "SCHEDULED", by_time);
    env.define_trigger("by-end", "CONDITIONAL", json!({"Predicate": predicate}));
    env.define_trigger("by-event", "EVENT", json!({"EventBatchingCondition": {"BatchSize": 5, "BatchWindow": 60}}));
    let triggers = env.objects::<GlueTrigger>();
    for name in ["by-time", "by-end", "by-event"] {
        triggers.create(name, json!({"triggerName": name})).await;
    }
    for name in ["by-time", "by-end", "by-event"] {
        let trigger = triggers.wait_ready(name).await;
        // Glue keeps an EVENT trigger CREATED, and refuses to start it.
        let (reason, state, calls) = if name == "by-event" {
            ("OnEvent", "CREATED", vec![])
        } else {
            ("Activated", "ACTIVATED", vec!["StartTrigger"])
        };
        assert_eq!(ready_reason_and_status(&trigger), (reason.to_owned(), "True".to_owned()));
        assert_eq!((status(&trigger).state.as_deref(), env.trigger_state(name).as_str()), (Some(state), state));
        assert_eq!(env.start_stop_calls(name), calls);
    }
    let by_time = triggers.api.get("by-time").await.expect("the object");
    let schedule = status(&by_time).schedule.clone().expect("a schedule");
    assert_eq!(schedule.words, Some(format!("At {hour}:15, UTC")));
    assert!(schedule.next.expect("a time").0.to_string().ends_with(&format!("T{hour}:15:00Z")));
    assert_eq!(status(&by_time).description.as_deref(), Some("every day"));
    assert_eq!(status(&by_time).actions[0].timeout_minutes, Some(10));
    let by_end = triggers.api.get("by-end").await.expect("the object");
    assert_eq!(status(&by_end).predicate.as_deref(), Some("job etl is SUCCEEDED or crawler orders is FAILED"));
    let by_event = triggers.api.get("by-event").await.expect("the object");
    let batching = status(&by_event).event_batching.expect("a batch");
    assert_eq!((batching.size, batching.window_seconds), (5, Some(60)));
    // One call polls them all, and no output has the arguments of their actions.
    let polls = env.double.requests().of("BatchGetTriggers");
    assert!(polls.iter().any(|poll| poll.body()["TriggerNames"].as_array().is_some_and(|names| names.len() == 3)));
    // From now on nothing is written and only that call is made, after the one for the caller identity.
    env.wait_for_calls("GetCallerIdentity", 1).await;
    let total = env.double.requests().total();
    env.wait_for_more_calls("BatchGetTriggers", 3).await;
    let calls = env.double.requests().all().after(total);
    assert_eq!(calls.matching(|request| &*request.call.operation != "BatchGetTriggers").count(), 0);
    for trigger in [&by_time, &by_end, &by_event] {
        let now = triggers.api.get(&trigger.name_any()).await.expect("the object");
        assert_eq!(now.metadata.resource_version, trigger.metadata.resource_version);
    }
    for trigger in [by_time, by_end, by_event] {
        assert!(!serde_json::to_string(&trigger).expect("JSON").contains(secret));
    }
    assert!(!env.logs().contains(secret));
}

#[tokio::test]
async fn a_state_changed_elsewhere_is_corrected_after_one_poll_with_a_warning() {
    let env = TestEnv::new("gtr-drift").await;
    env.create_nightly(json!({})).await;
    let triggers = env.objects::<GlueTrigger>();
    // Only the next poll is answered.
    env.double.faults().add(Fault::on("BatchGetTriggers").nth(1).then(Then::Delay { time: Duration::ZERO }));
    let later = env.double.faults().add(Fault::on("BatchGetTriggers").then(Then::Hold));
    env.call_glue("StopTrigger", &json!({"Name": "nightly"}));
    env.wait_for_calls("StartTrigger", 2).await;
    env.double.faults().remove(later);
    env.double.faults().release();
    let event = env.wait_for_event("Drifted").await;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    let note = event.note.expect("a note");
    assert!(note.contains("nightly") && note.contains("DEACTIVATED"), "{note}");
    triggers
        .wait_until("one", "it is in sync again", |trigger| ready_reason_and_status(trigger).0 == "Activated")
        .await;
    assert_eq!(env.trigger_state("nightly"), "ACTIVATED");
    assert_eq!(env.start_stop_calls("nightly"), ["StartTrigger", "StartTrigger"]);
}

#[tokio::test]
async fn with_drift_policy_report_a_state_changed_elsewhere_is_only_reported() {
    let env = TestEnv::new("gtr-report").await;
    env.create_nightly(json!({"driftPolicy": "Report"})).await;
    let triggers = env.objects::<GlueTrigger>();
    env.call_glue("StopTrigger", &json!({"Name": "nightly"}));
    assert_eq!(env.wait_for_event("Drifted").await.type_.as_deref(), Some("Warning"));
    let trigger = triggers.wait_until("one", "it is Stalled", |trigger| condition(trigger, "Stalled").is_some()).await;
    assert_eq!(ready_reason_and_status(&trigger), ("Drifted".to_owned(), "False".to_owned()));
    env.wait_for_more_calls("BatchGetTriggers", 3).await;
    assert_eq!((env.trigger_state("nightly").as_str(), env.start_stop_calls("nightly").len()), ("DEACTIVATED", 1));
    // A change of the spec is not drift.
    triggers.patch_spec("one", json!({"state": "Deactivated"})).await;
    let trigger = triggers
        .wait_until("one", "it is in sync", |trigger| ready_reason_and_status(trigger).0 == "Deactivated")
        .await;
    assert!(condition(&trigger, "Stalled").is_none());
    triggers.patch_spec("one", json!({"state": "Activated"})).await;
    triggers.wait_until("one", "it is in sync", |trigger| ready_reason_and_status(trigger).0 == "Activated").await;
    assert_eq!(env.trigger_state("nightly"), "ACTIVATED");
}

/// Fifty changes of the spec, as fast as the API server accepts them.
#[tokio::test]
async fn many_changes_of_the_state_end_in_the_last_one_without_redundant_calls() {
    let env = TestEnv::new("gtr-flips").await;
    env.set_trigger_delay(Duration::from_millis(100));
    env.define_trigger("nightly", "SCHEDULED", json!({}));
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("one", json!({"triggerName": "nightly"})).await;
    triggers.wait_ready("one").await;
    for flip in 1..=50 {
        let state = if flip % 2 == 0 { "Activated" } else { "Deactivated" };
        triggers.patch_spec("one", json!({"state": state})).await;
    }
    triggers.patch_spec("one", json!({"state": "Deactivated"})).await;
    let trigger = triggers.wait_ready("one").await;
    assert_eq!(ready_reason_and_status(&trigger).0, "Deactivated");
    assert_eq!(env.trigger_state("nightly"), "DEACTIVATED");
    // No call repeats the one before it, and none met a trigger that is changing its state.
    let calls = env.start_stop_calls("nightly");
    assert!(calls.len() <= 52, "{calls:?}");
    assert!(calls.windows(2).all(|pair| pair[0] != pair[1]), "{calls:?}");
    assert_eq!(calls.last().map(String::as_str), Some("StopTrigger"));
    let all = env.double.requests().all().name("nightly");
    assert_eq!(all.matching(|request| !Request::succeeded(request)).count(), 0);
    let warnings = env.warning_reasons().await;
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[tokio::test]
async fn a_trigger_missing_in_glue_is_reported_and_activated_once_it_exists() {
    let env = TestEnv::new("gtr-missing").await;
    env.set_trigger_delay(Duration::ZERO);
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("one", json!({"triggerName": "nightly"})).await;
    let message = triggers.wait_for_reason("one", "NotFound").await;
    assert!(message.contains("there is no trigger nightly"), "{message}");
    env.define_trigger("nightly", "SCHEDULED", json!({}));
    triggers.wait_ready("one").await;
    env.call_glue("DeleteTrigger", &json!({"Name": "nightly"}));
    triggers.wait_for_reason("one", "NotFound").await;
    let missing = triggers.api.get("one").await.expect("the object");
    assert_eq!((status(&missing).state.clone(), ready_reason_and_status(&missing).1.as_str()), (None, "False"));
    env.define_trigger("nightly", "SCHEDULED", json!({}));
    triggers.wait_ready("one").await;
    assert_eq!(env.trigger_state("nightly"), "ACTIVATED");
    assert_eq!(env.start_stop_calls("nightly"), ["StartTrigger", "StartTrigger"]);
}

#[tokio::test]
async fn a_failed_activation_is_reported_and_retried() {
    let env = TestEnv::new("gtr-refused").await;
    env.set_trigger_delay(Duration::ZERO);
    let cases = [
        ("limit", Then::error("ResourceNumberLimitExceededException", "Too many triggers"), "LimitExceeded"),
        ("timeout", Then::error("OperationTimeoutException", "The operation timed out."), "AnswerUnclear"),
        ("throttled", Then::Throttle, "Throttled"),
    ];
    let triggers = env.objects::<GlueTrigger>();
    for (name, fault, _) in &cases {
        env.define_trigger(name, "SCHEDULED", json!({}));
        env.double.faults().add(Fault::on("StartTrigger").name(name).nth(1).then(fault.clone()));
        triggers.create(name, json!({"triggerName": name})).await;
    }
    for (name, _, reason) in cases {
        let trigger = triggers.wait_ready(name).await;
        assert_eq!(
            (ready_reason_and_status(&trigger).0.as_str(), env.trigger_state(name).as_str()),
            ("Activated", "ACTIVATED")
        );
        assert_eq!(env.start_stop_calls(name).len(), 2, "{name}: the call was repeated");
        env.wait_for_event_on(name, reason).await;
    }
    // The response is lost after the activation. Polls are held until the controller has reported that.
    let (name, double) = ("dropped", &env.double);
    env.define_trigger(name, "SCHEDULED", json!({}));
    double.faults().add(Fault::on("StartTrigger").name(name).then(Then::DropAnswerAfterWork));
    let polls = double.faults().add(Fault::on("BatchGetTriggers").then(Then::Hold));
    triggers.create(name, json!({"triggerName": name})).await;
    let is_sent = |requests: &Requests| {
        let is_sent = requests.of("StartTrigger").name(name).count() > 0;
        if !is_sent {
            double.faults().release();
        }
        is_sent
    };
    env.wait_for_requests("Glue received StartTrigger", is_sent).await;
    env.wait_for_event_on(name, "AnswerUnclear").await;
    double.faults().remove(polls);
    double.faults().release();
    let trigger = triggers.wait_ready(name).await;
    assert_eq!(
        (ready_reason_and_status(&trigger).0.as_str(), env.trigger_state(name).as_str()),
        ("Activated", "ACTIVATED")
    );
    assert_eq!(env.start_stop_calls(name).len(), 1, "{name}: the call was not repeated");
}

#[tokio::test]
async fn a_spec_that_does_not_fit_the_trigger_type_is_rejected_without_a_call() {
    let env = TestEnv::new("gtr-misfit").await;
    env.define_trigger("nightly", "SCHEDULED", json!({}));
    env.define_trigger("on-demand", "ON_DEMAND", json!({}));
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("fired", json!({"triggerName": "nightly", "fire": "a", "fireOnCreation": true})).await;
    triggers.create("stateful", json!({"triggerName": "on-demand", "state": "Deactivated"})).await;
    for (name, reason) in [("fired", "NotOnDemand"), ("stateful", "StateNotApplicable")] {
        let message = triggers.wait_for_reason(name, reason).await;
        assert!(message.contains("remove spec."), "{message}");
        let trigger = triggers.api.get(name).await.expect("the object");
        assert!(condition(&trigger, "Stalled").is_some_and(|stalled| stalled.status == "True"));
    }
    assert_eq!((env.start_stop_calls("nightly").len(), env.start_stop_calls("on-demand").len()), (0, 0));
    triggers.patch_spec("fired", json!({"fire": null, "fireOnCreation": null})).await;
    triggers.wait_ready("fired").await;
    assert_eq!(env.trigger_state("nightly"), "ACTIVATED");
}
