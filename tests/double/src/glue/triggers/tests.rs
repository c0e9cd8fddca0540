//! Triggers over time, by the operations and with a held clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::TriggerTimes;
use crate::glue::{
    crawlers::{CrawlScript, CrawlerSettings},
    fixture::Fixture,
    jobs::JobDefinition,
    runs::RunScript,
};

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let script = RunScript::succeeds().starting(Duration::ZERO).running(Duration::from_secs(10));
    fixture.with(|region| {
        for name in ["first", "second", "third"] {
            let script = script.clone().slot_lag(Duration::ZERO);
            region.define_job(JobDefinition::new(name).max_concurrent_runs(2).script(script));
        }
        let crawl = CrawlScript::default().running(Duration::from_secs(20)).stopping(Duration::ZERO);
        region.define_crawler(CrawlerSettings::new("raw"), crawl).unwrap();
    });
    fixture
}

fn create(fixture: &Fixture, name: &str, kind: &str, job: &str, more: &Value) {
    let mut body = json!({ "Name": name, "Type": kind, "Actions": [{ "JobName": job }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fixture.call("CreateTrigger", &body).unwrap();
}

fn start(fixture: &Fixture, name: &str) {
    fixture.call("StartTrigger", &json!({ "Name": name })).unwrap();
}

fn state(fixture: &Fixture, name: &str) -> String {
    let trigger = fixture.call("GetTrigger", &json!({ "Name": name })).unwrap();
    trigger["Trigger"]["State"].as_str().unwrap().to_owned()
}

fn runs(fixture: &Fixture, job: &str) -> Vec<Value> {
    let runs = fixture.call("GetJobRuns", &json!({ "JobName": job })).unwrap();
    runs["JobRuns"].as_array().unwrap().clone()
}

fn after(jobs: &[(&str, &str)], logical: &str) -> Value {
    let conditions: Vec<Value> = jobs
        .iter()
        .map(|(job, state)| json!({ "LogicalOperator": "EQUALS", "JobName": job, "State": state }))
        .collect();
    json!({ "StartOnCreation": true, "Predicate": { "Logical": logical, "Conditions": conditions } })
}

#[test]
fn an_on_demand_trigger_fires_each_time_it_is_started() {
    let fixture = fixture();
    create(&fixture, "go", "ON_DEMAND", "first", &json!({}));
    assert_eq!(state(&fixture, "go"), "CREATED");
    start(&fixture, "go");
    start(&fixture, "go");
    assert_eq!(state(&fixture, "go"), "CREATED");
    assert_eq!(runs(&fixture, "first").len(), 2);
    assert_eq!(runs(&fixture, "first")[0]["TriggerName"], "go");
    fixture.expect_error("StartTrigger", &json!({ "Name": "go" }), "ConcurrentRunsExceededException");
    assert_eq!(runs(&fixture, "first").len(), 2);
    assert_eq!(fixture.with(|region| region.firings("go")).len(), 2);
    fixture.expect_error("StopTrigger", &json!({ "Name": "go" }), "InvalidInputException");
}

#[test]
fn activation_and_deactivation_have_transitional_states() {
    let fixture = fixture();
    create(&fixture, "hourly", "SCHEDULED", "first", &json!({ "Schedule": "cron(0 * * * ? *)" }));
    fixture.step(7200);
    assert_eq!(runs(&fixture, "first").len(), 0, "it fired before it was activated");
    start(&fixture, "hourly");
    assert_eq!(state(&fixture, "hourly"), "ACTIVATING");
    fixture.expect_error("StopTrigger", &json!({ "Name": "hourly" }), "ConcurrentModificationException");
    fixture.step(2);
    assert_eq!(state(&fixture, "hourly"), "ACTIVATED");
    start(&fixture, "hourly");
    fixture.step(7200);
    assert_eq!(runs(&fixture, "first").len(), 2);
    fixture.call("StopTrigger", &json!({ "Name": "hourly" })).unwrap();
    assert_eq!(state(&fixture, "hourly"), "DEACTIVATING");
    fixture.step(7200);
    assert_eq!((state(&fixture, "hourly").as_str(), runs(&fixture, "first").len()), ("DEACTIVATED", 2));
    fixture.call("DeleteTrigger", &json!({ "Name": "hourly" })).unwrap();
    assert_eq!(state(&fixture, "hourly"), "DELETING");
    fixture.step(1);
    fixture.expect_error("GetTrigger", &json!({ "Name": "hourly" }), "EntityNotFoundException");
    fixture.call("DeleteTrigger", &json!({ "Name": "hourly" })).unwrap();
}

#[test]
fn a_run_in_a_chain_names_its_predecessors() {
    let fixture = fixture();
    create(&fixture, "go", "ON_DEMAND", "first", &json!({}));
    create(&fixture, "then", "CONDITIONAL", "second", &after(&[("first", "SUCCEEDED")], "AND"));
    create(&fixture, "both", "CONDITIONAL", "third", &after(&[("first", "SUCCEEDED"), ("second", "SUCCEEDED")], "AND"));
    start(&fixture, "go");
    fixture.step(10);
    let second = &runs(&fixture, "second")[0];
    assert_eq!((&second["TriggerName"], &second["JobRunState"]), (&json!("then"), &json!("RUNNING")));
    assert_eq!(second["PredecessorRuns"], json!([{ "JobName": "first", "RunId": runs(&fixture, "first")[0]["Id"] }]));
    assert_eq!(runs(&fixture, "third").len(), 0);
    fixture.step(10);
    assert_eq!(runs(&fixture, "third").len(), 1);
    assert_eq!(runs(&fixture, "third")[0]["PredecessorRuns"].as_array().unwrap().len(), 2);
    fixture.step(100);
    assert_eq!(runs(&fixture, "third").len(), 1);
}

#[test]
fn a_run_that_a_user_started_meets_no_condition() {
    let fixture = fixture();
    create(&fixture, "then", "CONDITIONAL", "second", &after(&[("first", "SUCCEEDED")], "AND"));
    fixture.call("StartJobRun", &json!({ "JobName": "first" })).unwrap();
    fixture.step(100);
    assert_eq!(runs(&fixture, "second").len(), 0);
}

#[test]
fn a_condition_needs_its_state_and_any_needs_one_condition() {
    let fixture = fixture();
    fixture.with(|region| {
        let script = RunScript::fails("no").starting(Duration::ZERO).running(Duration::from_secs(5));
        region.define_job(JobDefinition::new("first").script(script));
    });
    create(&fixture, "go", "ON_DEMAND", "first", &json!({}));
    create(&fixture, "good", "CONDITIONAL", "second", &after(&[("first", "SUCCEEDED")], "AND"));
    create(&fixture, "any", "CONDITIONAL", "third", &after(&[("first", "FAILED"), ("second", "FAILED")], "ANY"));
    start(&fixture, "go");
    fixture.step(60);
    assert_eq!([runs(&fixture, "second").len(), runs(&fixture, "third").len()], [0, 1]);
}

#[test]
fn actions_and_conditions_can_name_crawlers() {
    let fixture = fixture();
    fixture
        .call("CreateTrigger", &json!({ "Name": "go", "Type": "ON_DEMAND", "Actions": [{ "CrawlerName": "raw" }] }))
        .unwrap();
    create(
        &fixture,
        "then",
        "CONDITIONAL",
        "first",
        &json!({
            "StartOnCreation": true,
            "Predicate": { "Conditions": [
                { "LogicalOperator": "EQUALS", "CrawlerName": "raw", "CrawlState": "SUCCEEDED" },
            ] },
        }),
    );
    start(&fixture, "go");
    fixture.step(19);
    assert_eq!(runs(&fixture, "first").len(), 0);
    fixture.step(1);
    assert_eq!(runs(&fixture, "first").len(), 1);
}

#[test]
fn a_scheduled_firing_without_a_free_slot_makes_a_failed_run() {
    let fixture = fixture();
    create(
        &fixture,
        "hourly",
        "SCHEDULED",
        "first",
        &json!({
            "Schedule": "cron(0 * * * ? *)", "StartOnCreation": true,
        }),
    );
    fixture.with(|region| {
        region.define_job(JobDefinition::new("first").script(RunScript::never_ends().running(Duration::ZERO)));
    });
    fixture.step(2 * 3600);
    let states: Vec<Value> = runs(&fixture, "first").iter().map(|run| run["JobRunState"].clone()).collect();
    assert_eq!(states, ["FAILED", "RUNNING"]);
    assert_eq!(runs(&fixture, "first")[0]["ErrorMessage"], "Max concurrent runs exceeded");
}

#[test]
fn an_event_trigger_fires_by_batch_size_or_window() {
    let fixture = fixture();
    create(
        &fixture,
        "event",
        "EVENT",
        "first",
        &json!({
            "EventBatchingCondition": { "BatchSize": 3, "BatchWindow": 60 },
        }),
    );
    fixture.step(60);
    fixture.expect_error("StartTrigger", &json!({ "Name": "event" }), "InvalidInputException");
    fixture.expect_error("StopTrigger", &json!({ "Name": "event" }), "InvalidInputException");
    let notify = || fixture.with(|region| region.notify_event("event")).unwrap();
    notify();
    notify();
    assert_eq!(runs(&fixture, "first").len(), 0);
    notify();
    assert_eq!(runs(&fixture, "first").len(), 1);
    notify();
    fixture.step(59);
    assert_eq!(runs(&fixture, "first").len(), 1);
    fixture.step(1);
    assert_eq!(runs(&fixture, "first").len(), 2);
    fixture.step(600);
    assert_eq!(runs(&fixture, "first").len(), 2);
}

#[test]
fn triggers_of_one_workflow_change_one_at_a_time() {
    let fixture = fixture();
    fixture.call("CreateWorkflow", &json!({ "Name": "flow" })).unwrap();
    let of_flow = json!({ "WorkflowName": "flow", "Schedule": "cron(0 * * * ? *)" });
    create(&fixture, "a", "SCHEDULED", "first", &of_flow);
    create(&fixture, "b", "SCHEDULED", "second", &of_flow);
    create(&fixture, "alone", "SCHEDULED", "third", &json!({ "Schedule": "cron(0 * * * ? *)" }));
    start(&fixture, "a");
    fixture.expect_error("StartTrigger", &json!({ "Name": "b" }), "ConcurrentModificationException");
    start(&fixture, "alone");
    fixture.step(2);
    start(&fixture, "b");
    fixture.expect_error(
        "CreateTrigger",
        &json!({
            "Name": "c", "Type": "ON_DEMAND", "WorkflowName": "nowhere", "Actions": [{ "JobName": "first" }],
        }),
        "EntityNotFoundException",
    );
}

#[test]
fn a_workflow_run_completes_with_its_last_action() {
    let fixture = fixture();
    fixture.call("CreateWorkflow", &json!({ "Name": "flow", "MaxConcurrentRuns": 1 })).unwrap();
    create(&fixture, "go", "ON_DEMAND", "first", &json!({ "WorkflowName": "flow" }));
    let mut then = after(&[("first", "SUCCEEDED")], "AND");
    then["WorkflowName"] = json!("flow");
    create(&fixture, "then", "CONDITIONAL", "second", &then);
    create(&fixture, "outside", "CONDITIONAL", "third", &after(&[("first", "SUCCEEDED")], "AND"));
    let id = fixture.call("StartWorkflowRun", &json!({ "Name": "flow" })).unwrap()["RunId"].clone();
    fixture.expect_error("StartWorkflowRun", &json!({ "Name": "flow" }), "ConcurrentRunsExceededException");
    let run = || fixture.call("GetWorkflowRun", &json!({ "Name": "flow", "RunId": id })).unwrap()["Run"].clone();
    fixture.step(15);
    assert_eq!((&run()["Status"], &run()["Statistics"]["RunningActions"]), (&json!("RUNNING"), &json!(1)));
    fixture.step(5);
    assert_eq!((&run()["Status"], &run()["Statistics"]["SucceededActions"]), (&json!("COMPLETED"), &json!(2)));
    assert_eq!(runs(&fixture, "third").len(), 0, "a trigger outside the workflow fired");
}

#[test]
fn definitions_are_checked_by_type_and_an_update_replaces_all() {
    let fixture = fixture();
    let action = json!([{ "JobName": "first" }]);
    for wrong in [
        json!({ "Name": "t", "Type": "SCHEDULED", "Actions": action }),
        json!({ "Name": "t", "Type": "SCHEDULED", "Schedule": "hourly", "Actions": action }),
        json!({ "Name": "t", "Type": "CONDITIONAL", "Actions": action }),
        json!({ "Name": "t", "Type": "ON_DEMAND", "Actions": [] }),
        json!({ "Name": "t", "Type": "ON_DEMAND", "Actions": [{ "JobName": "a", "CrawlerName": "b" }] }),
        json!({ "Name": "t", "Type": "ON_DEMAND", "Actions": action, "StartOnCreation": true }),
        json!({ "Name": "t", "Type": "CONDITIONAL", "Actions": action,
            "Predicate": { "Conditions": [{ "JobName": "first", "State": "RUNNING" }] } }),
    ] {
        fixture.expect_error("CreateTrigger", &wrong, "InvalidInputException");
    }
    create(&fixture, "t", "ON_DEMAND", "first", &json!({ "Description": "old" }));
    fixture.with(|region| {
        region.set_trigger_times(TriggerTimes { updating: Duration::from_secs(1), ..TriggerTimes::default() });
    });
    let update = json!({ "Name": "t", "TriggerUpdate": { "Actions": [{ "JobName": "second" }] } });
    let updated = fixture.call("UpdateTrigger", &update).unwrap()["Trigger"].clone();
    assert_eq!((&updated["State"], updated.get("Description")), (&json!("UPDATING"), None));
    fixture.step(1);
    assert_eq!(state(&fixture, "t"), "CREATED");
}
