//! A trigger that has a state is kept in the one that the spec asks for.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use kube_glue::api::GlueTrigger;
use kube_glue_double::{Fault, Request, Requests, Then};
use serde_json::json;

use super::{ready_of, status};
use crate::harness::{World, condition};

#[tokio::test]
async fn a_trigger_is_activated_and_its_status_says_what_it_is() {
    let world = World::new("gtr-activated").await;
    world.triggers_take(Duration::from_millis(300));
    let predicate = json!({"Logical": "ANY", "Conditions": [
        {"LogicalOperator": "EQUALS", "JobName": "etl", "State": "SUCCEEDED"},
        {"LogicalOperator": "EQUALS", "CrawlerName": "orders", "CrawlState": "FAILED"},
    ]});
    let secret = "s3cr3t-argument";
    let actions = json!([{"JobName": "etl", "Timeout": 10, "Arguments": {"--password": secret}}]);
    // When its time comes the next one is shown, so that it must not come in the middle of this.
    let hour = if Timestamp::now().as_second() / 3600 % 24 == 12 { 18 } else { 12 };
    let by_time =
        json!({"Schedule": format!("cron(15 {hour} * * ? *)"), "Actions": actions, "Description": "every day"});
    world.trigger("by-time", "SCHEDULED", by_time);
    world.trigger("by-end", "CONDITIONAL", json!({"Predicate": predicate}));
    world.trigger("by-event", "EVENT", json!({"EventBatchingCondition": {"BatchSize": 5, "BatchWindow": 60}}));
    let triggers = world.of::<GlueTrigger>();
    for name in ["by-time", "by-end", "by-event"] {
        triggers.put(name, json!({"triggerName": name})).await;
    }
    for name in ["by-time", "by-end", "by-event"] {
        let trigger = triggers.ready(name).await;
        assert_eq!(ready_of(&trigger), ("Activated".to_owned(), "True".to_owned()));
        assert_eq!(
            (status(&trigger).state.as_deref(), world.trigger_state(name).as_str()),
            (Some("ACTIVATED"), "ACTIVATED")
        );
        assert_eq!(world.switches(name), ["StartTrigger"]);
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
    // All of them are asked for together, and what their actions are given is shown nowhere.
    let polls = world.double.requests().of("BatchGetTriggers");
    assert!(polls.iter().any(|poll| poll.body()["TriggerNames"].as_array().is_some_and(|names| names.len() == 3)));
    // From here on nothing is written, and nothing is asked but that; as whom the client calls, once in the background.
    world.calls("GetCallerIdentity", 1).await;
    let (total, count) = (world.double.requests().total(), world.double.requests().count("BatchGetTriggers"));
    world.calls("BatchGetTriggers", count + 3).await;
    let asked = world.double.requests().all().after(total);
    assert_eq!(asked.matching(|request| &*request.call.operation != "BatchGetTriggers").count(), 0);
    for trigger in [&by_time, &by_end, &by_event] {
        let now = triggers.api.get(&trigger.name_any()).await.expect("the object");
        assert_eq!(now.metadata.resource_version, trigger.metadata.resource_version);
    }
    for trigger in [by_time, by_end, by_event] {
        assert!(!serde_json::to_string(&trigger).expect("JSON").contains(secret));
    }
    assert!(!world.logs().contains(secret));
}

#[tokio::test]
async fn who_switches_by_hand_is_corrected_within_one_poll_and_told() {
    let world = World::new("gtr-drift").await;
    world.triggers_take(Duration::ZERO);
    world.trigger("nightly", "SCHEDULED", json!({}));
    let triggers = world.of::<GlueTrigger>();
    triggers.put("one", json!({"triggerName": "nightly"})).await;
    triggers.ready("one").await;
    // The next poll shows it, and those after it are kept waiting.
    world.double.faults().add(Fault::on("BatchGetTriggers").nth(1).then(Then::Delay { time: Duration::ZERO }));
    let later = world.double.faults().add(Fault::on("BatchGetTriggers").then(Then::Hold));
    world.elsewhere("StopTrigger", &json!({"Name": "nightly"}));
    world.calls("StartTrigger", 2).await;
    world.double.faults().remove(later);
    world.double.faults().release();
    let event = world.event("Drifted").await;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    let note = event.note.expect("words");
    assert!(note.contains("nightly") && note.contains("DEACTIVATED"), "{note}");
    triggers.until("one", "it is in line again", |trigger| ready_of(trigger).0 == "Activated").await;
    assert_eq!(world.trigger_state("nightly"), "ACTIVATED");
    assert_eq!(world.switches("nightly"), ["StartTrigger", "StartTrigger"]);
}

#[tokio::test]
async fn with_report_who_switches_by_hand_is_only_told() {
    let world = World::new("gtr-report").await;
    world.triggers_take(Duration::ZERO);
    world.trigger("nightly", "SCHEDULED", json!({}));
    let triggers = world.of::<GlueTrigger>();
    triggers.put("one", json!({"triggerName": "nightly", "driftPolicy": "Report"})).await;
    triggers.ready("one").await;
    world.elsewhere("StopTrigger", &json!({"Name": "nightly"}));
    assert_eq!(world.event("Drifted").await.type_.as_deref(), Some("Warning"));
    let trigger = triggers.until("one", "it says so", |trigger| condition(trigger, "Stalled").is_some()).await;
    assert_eq!(ready_of(&trigger), ("Drifted".to_owned(), "False".to_owned()));
    let polls = world.double.requests().count("BatchGetTriggers");
    world.calls("BatchGetTriggers", polls + 3).await;
    assert_eq!((world.trigger_state("nightly").as_str(), world.switches("nightly").len()), ("DEACTIVATED", 1));
    // A change of the spec is no drift.
    triggers.edit("one", json!({"state": "Deactivated"})).await;
    let trigger = triggers.until("one", "it is in line", |trigger| ready_of(trigger).0 == "Deactivated").await;
    assert!(condition(&trigger, "Stalled").is_none());
    triggers.edit("one", json!({"state": "Activated"})).await;
    triggers.until("one", "it is in line", |trigger| ready_of(trigger).0 == "Activated").await;
    assert_eq!(world.trigger_state("nightly"), "ACTIVATED");
}

/// Fifty changes of the spec, as fast as the API server takes them.
#[tokio::test]
async fn flipping_the_state_ends_where_the_spec_ended_with_no_call_too_many() {
    let world = World::new("gtr-flips").await;
    world.triggers_take(Duration::from_millis(100));
    world.trigger("nightly", "SCHEDULED", json!({}));
    let triggers = world.of::<GlueTrigger>();
    triggers.put("one", json!({"triggerName": "nightly"})).await;
    triggers.ready("one").await;
    for flip in 1..=50 {
        let state = if flip % 2 == 0 { "Activated" } else { "Deactivated" };
        triggers.edit("one", json!({"state": state})).await;
    }
    triggers.edit("one", json!({"state": "Deactivated"})).await;
    let trigger = triggers.ready("one").await;
    assert_eq!(ready_of(&trigger).0, "Deactivated");
    assert_eq!(world.trigger_state("nightly"), "DEACTIVATED");
    // Each call answers a change, none repeats the one before it, and none met a trigger on its way.
    let switches = world.switches("nightly");
    assert!(switches.len() <= 52, "{switches:?}");
    assert!(switches.windows(2).all(|pair| pair[0] != pair[1]), "{switches:?}");
    assert_eq!(switches.last().map(String::as_str), Some("StopTrigger"));
    let all = world.double.requests().all().name("nightly");
    assert_eq!(all.matching(|request| !Request::succeeded(request)).count(), 0);
    let warnings = world.warnings().await;
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[tokio::test]
async fn a_trigger_that_is_deleted_in_glue_is_said_and_taken_up_again() {
    let world = World::new("gtr-gone").await;
    world.triggers_take(Duration::ZERO);
    let triggers = world.of::<GlueTrigger>();
    triggers.put("one", json!({"triggerName": "nightly"})).await;
    let message = triggers.reason("one", "NotFound").await;
    assert!(message.contains("there is no trigger nightly"), "{message}");
    world.trigger("nightly", "SCHEDULED", json!({}));
    triggers.ready("one").await;
    world.elsewhere("DeleteTrigger", &json!({"Name": "nightly"}));
    triggers.reason("one", "NotFound").await;
    let gone = triggers.api.get("one").await.expect("the object");
    assert_eq!((status(&gone).state.clone(), ready_of(&gone).1.as_str()), (None, "False"));
    world.trigger("nightly", "SCHEDULED", json!({}));
    triggers.ready("one").await;
    assert_eq!(world.trigger_state("nightly"), "ACTIVATED");
    assert_eq!(world.switches("nightly"), ["StartTrigger", "StartTrigger"]);
}

#[tokio::test]
async fn what_glue_refuses_is_said_and_tried_again() {
    let world = World::new("gtr-refused").await;
    world.triggers_take(Duration::ZERO);
    let cases = [
        ("limit", Then::error("ResourceNumberLimitExceededException", "Too many triggers"), "LimitExceeded"),
        ("timeout", Then::error("OperationTimeoutException", "The operation timed out."), "AnswerUnclear"),
        ("throttled", Then::Throttle, "Throttled"),
    ];
    let triggers = world.of::<GlueTrigger>();
    for (name, fault, _) in &cases {
        world.trigger(name, "SCHEDULED", json!({}));
        world.double.faults().add(Fault::on("StartTrigger").name(name).nth(1).then(fault.clone()));
        triggers.put(name, json!({"triggerName": name})).await;
    }
    for (name, _, reason) in cases {
        let trigger = triggers.ready(name).await;
        assert_eq!((ready_of(&trigger).0.as_str(), world.trigger_state(name).as_str()), ("Activated", "ACTIVATED"));
        assert_eq!(world.switches(name).len(), 2, "{name}: done again");
        world.told(name, reason).await;
    }
    // What was done all the same: nobody looks at the trigger before it is said that the answer was lost.
    let (name, double) = ("dropped", &world.double);
    world.trigger(name, "SCHEDULED", json!({}));
    double.faults().add(Fault::on("StartTrigger").name(name).then(Then::DropAnswerAfterWork));
    let looks = double.faults().add(Fault::on("BatchGetTriggers").then(Then::Hold));
    triggers.put(name, json!({"triggerName": name})).await;
    let is_sent = |requests: &Requests| {
        let is_sent = requests.of("StartTrigger").name(name).count() > 0;
        if !is_sent {
            double.faults().release();
        }
        is_sent
    };
    world.requests("it is activated", is_sent).await;
    world.told(name, "AnswerUnclear").await;
    double.faults().remove(looks);
    double.faults().release();
    let trigger = triggers.ready(name).await;
    assert_eq!((ready_of(&trigger).0.as_str(), world.trigger_state(name).as_str()), ("Activated", "ACTIVATED"));
    assert_eq!(world.switches(name).len(), 1, "{name}: done already");
}

#[tokio::test]
async fn what_does_not_fit_the_type_is_said_and_nothing_is_done() {
    let world = World::new("gtr-misfit").await;
    world.trigger("nightly", "SCHEDULED", json!({}));
    world.trigger("on-demand", "ON_DEMAND", json!({}));
    let triggers = world.of::<GlueTrigger>();
    triggers.put("fired", json!({"triggerName": "nightly", "fire": "a", "fireOnCreation": true})).await;
    triggers.put("held", json!({"triggerName": "on-demand", "state": "Deactivated"})).await;
    for (name, reason) in [("fired", "NotOnDemand"), ("held", "HasNoState")] {
        let message = triggers.reason(name, reason).await;
        assert!(message.contains("remove spec."), "{message}");
        let trigger = triggers.api.get(name).await.expect("the object");
        assert!(condition(&trigger, "Stalled").is_some_and(|stalled| stalled.status == "True"));
    }
    assert_eq!((world.switches("nightly").len(), world.switches("on-demand").len()), (0, 0));
    triggers.edit("fired", json!({"fire": null, "fireOnCreation": null})).await;
    triggers.ready("fired").await;
    assert_eq!(world.trigger_state("nightly"), "ACTIVATED");
}
