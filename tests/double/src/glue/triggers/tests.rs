//! Triggers over time, through the operations and on a clock that stands still.

use std::time::Duration;

use serde_json::{Value, json};

use super::TriggerTimes;
use crate::glue::{
    bench::Bench,
    crawlers::{CrawlScript, CrawlerSettings},
    jobs::JobDefinition,
    runs::RunScript,
};

fn bench() -> Bench {
    let bench = Bench::new();
    let script = RunScript::succeeds().starting(Duration::ZERO).running(Duration::from_secs(10));
    bench.with(|region| {
        for name in ["first", "second", "third"] {
            let script = script.clone().slot_lag(Duration::ZERO);
            region.define_job(JobDefinition::new(name).max_concurrent_runs(2).script(script));
        }
        let crawl = CrawlScript::default().running(Duration::from_secs(20)).stopping(Duration::ZERO);
        region.define_crawler(CrawlerSettings::new("raw"), crawl).unwrap();
    });
    bench
}

fn create(bench: &Bench, name: &str, kind: &str, job: &str, more: &Value) {
    let mut body = json!({ "Name": name, "Type": kind, "Actions": [{ "JobName": job }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bench.call("CreateTrigger", &body).unwrap();
}

fn start(bench: &Bench, name: &str) {
    bench.call("StartTrigger", &json!({ "Name": name })).unwrap();
}

fn state(bench: &Bench, name: &str) -> String {
    let trigger = bench.call("GetTrigger", &json!({ "Name": name })).unwrap();
    trigger["Trigger"]["State"].as_str().unwrap().to_owned()
}

fn runs(bench: &Bench, job: &str) -> Vec<Value> {
    let runs = bench.call("GetJobRuns", &json!({ "JobName": job })).unwrap();
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
    let bench = bench();
    create(&bench, "go", "ON_DEMAND", "first", &json!({}));
    assert_eq!(state(&bench, "go"), "CREATED");
    start(&bench, "go");
    start(&bench, "go");
    assert_eq!(state(&bench, "go"), "CREATED");
    assert_eq!(runs(&bench, "first").len(), 2);
    assert_eq!(runs(&bench, "first")[0]["TriggerName"], "go");
    bench.refuse("StartTrigger", &json!({ "Name": "go" }), "ConcurrentRunsExceededException");
    assert_eq!(runs(&bench, "first").len(), 2);
    assert_eq!(bench.with(|region| region.firings("go")).len(), 2);
    bench.refuse("StopTrigger", &json!({ "Name": "go" }), "InvalidInputException");
}

#[test]
fn activation_and_deactivation_have_states_on_the_way() {
    let bench = bench();
    create(&bench, "hourly", "SCHEDULED", "first", &json!({ "Schedule": "cron(0 * * * ? *)" }));
    bench.step(7200);
    assert_eq!(runs(&bench, "first").len(), 0, "it does not fire before it is activated");
    start(&bench, "hourly");
    assert_eq!(state(&bench, "hourly"), "ACTIVATING");
    bench.refuse("StopTrigger", &json!({ "Name": "hourly" }), "ConcurrentModificationException");
    bench.step(2);
    assert_eq!(state(&bench, "hourly"), "ACTIVATED");
    start(&bench, "hourly");
    bench.step(7200);
    assert_eq!(runs(&bench, "first").len(), 2);
    bench.call("StopTrigger", &json!({ "Name": "hourly" })).unwrap();
    assert_eq!(state(&bench, "hourly"), "DEACTIVATING");
    bench.step(7200);
    assert_eq!((state(&bench, "hourly").as_str(), runs(&bench, "first").len()), ("DEACTIVATED", 2));
    bench.call("DeleteTrigger", &json!({ "Name": "hourly" })).unwrap();
    assert_eq!(state(&bench, "hourly"), "DELETING");
    bench.step(1);
    bench.refuse("GetTrigger", &json!({ "Name": "hourly" }), "EntityNotFoundException");
    bench.call("DeleteTrigger", &json!({ "Name": "hourly" })).unwrap();
}

#[test]
fn a_chain_runs_from_one_firing_and_names_its_predecessors() {
    let bench = bench();
    create(&bench, "go", "ON_DEMAND", "first", &json!({}));
    create(&bench, "then", "CONDITIONAL", "second", &after(&[("first", "SUCCEEDED")], "AND"));
    create(&bench, "both", "CONDITIONAL", "third", &after(&[("first", "SUCCEEDED"), ("second", "SUCCEEDED")], "AND"));
    start(&bench, "go");
    bench.step(10);
    let second = &runs(&bench, "second")[0];
    assert_eq!((&second["TriggerName"], &second["JobRunState"]), (&json!("then"), &json!("RUNNING")));
    assert_eq!(second["PredecessorRuns"], json!([{ "JobName": "first", "RunId": runs(&bench, "first")[0]["Id"] }]));
    assert_eq!(runs(&bench, "third").len(), 0);
    bench.step(10);
    assert_eq!(runs(&bench, "third").len(), 1);
    assert_eq!(runs(&bench, "third")[0]["PredecessorRuns"].as_array().unwrap().len(), 2);
    bench.step(100);
    assert_eq!(runs(&bench, "third").len(), 1);
}

#[test]
fn a_run_that_somebody_started_by_hand_meets_no_condition() {
    let bench = bench();
    create(&bench, "then", "CONDITIONAL", "second", &after(&[("first", "SUCCEEDED")], "AND"));
    bench.call("StartJobRun", &json!({ "JobName": "first" })).unwrap();
    bench.step(100);
    assert_eq!(runs(&bench, "second").len(), 0);
}

#[test]
fn conditions_tell_states_apart_and_any_is_enough() {
    let bench = bench();
    bench.with(|region| {
        let script = RunScript::fails("no").starting(Duration::ZERO).running(Duration::from_secs(5));
        region.define_job(JobDefinition::new("first").script(script));
    });
    create(&bench, "go", "ON_DEMAND", "first", &json!({}));
    create(&bench, "good", "CONDITIONAL", "second", &after(&[("first", "SUCCEEDED")], "AND"));
    create(&bench, "any", "CONDITIONAL", "third", &after(&[("first", "FAILED"), ("second", "FAILED")], "ANY"));
    start(&bench, "go");
    bench.step(60);
    assert_eq!([runs(&bench, "second").len(), runs(&bench, "third").len()], [0, 1]);
}

#[test]
fn a_trigger_starts_crawlers_and_waits_for_them() {
    let bench = bench();
    bench
        .call("CreateTrigger", &json!({ "Name": "go", "Type": "ON_DEMAND", "Actions": [{ "CrawlerName": "raw" }] }))
        .unwrap();
    create(
        &bench,
        "then",
        "CONDITIONAL",
        "first",
        &json!({
            "StartOnCreation": true,
            "Predicate": { "Conditions": [{ "LogicalOperator": "EQUALS", "CrawlerName": "raw", "CrawlState": "SUCCEEDED" }] },
        }),
    );
    start(&bench, "go");
    bench.step(19);
    assert_eq!(runs(&bench, "first").len(), 0);
    bench.step(1);
    assert_eq!(runs(&bench, "first").len(), 1);
}

#[test]
fn a_trigger_without_a_slot_leaves_a_failed_run() {
    let bench = bench();
    create(
        &bench,
        "hourly",
        "SCHEDULED",
        "first",
        &json!({
            "Schedule": "cron(0 * * * ? *)", "StartOnCreation": true,
        }),
    );
    bench.with(|region| {
        region.define_job(JobDefinition::new("first").script(RunScript::never_ends().running(Duration::ZERO)));
    });
    bench.step(2 * 3600);
    let states: Vec<Value> = runs(&bench, "first").iter().map(|run| run["JobRunState"].clone()).collect();
    assert_eq!(states, ["FAILED", "RUNNING"]);
    assert_eq!(runs(&bench, "first")[0]["ErrorMessage"], "Max concurrent runs exceeded");
}

#[test]
fn events_are_counted_to_a_batch_or_wait_for_the_window() {
    let bench = bench();
    create(
        &bench,
        "event",
        "EVENT",
        "first",
        &json!({
            "StartOnCreation": true, "EventBatchingCondition": { "BatchSize": 3, "BatchWindow": 60 },
        }),
    );
    let notify = || bench.with(|region| region.notify_event("event")).unwrap();
    notify();
    notify();
    assert_eq!(runs(&bench, "first").len(), 0);
    notify();
    assert_eq!(runs(&bench, "first").len(), 1);
    notify();
    bench.step(59);
    assert_eq!(runs(&bench, "first").len(), 1);
    bench.step(1);
    assert_eq!(runs(&bench, "first").len(), 2);
    bench.step(600);
    assert_eq!(runs(&bench, "first").len(), 2);
}

#[test]
fn triggers_of_one_workflow_change_one_at_a_time() {
    let bench = bench();
    bench.call("CreateWorkflow", &json!({ "Name": "flow" })).unwrap();
    let of_flow = json!({ "WorkflowName": "flow", "Schedule": "cron(0 * * * ? *)" });
    create(&bench, "a", "SCHEDULED", "first", &of_flow);
    create(&bench, "b", "SCHEDULED", "second", &of_flow);
    create(&bench, "alone", "SCHEDULED", "third", &json!({ "Schedule": "cron(0 * * * ? *)" }));
    start(&bench, "a");
    bench.refuse("StartTrigger", &json!({ "Name": "b" }), "ConcurrentModificationException");
    start(&bench, "alone");
    bench.step(2);
    start(&bench, "b");
    bench.refuse(
        "CreateTrigger",
        &json!({
            "Name": "c", "Type": "ON_DEMAND", "WorkflowName": "nowhere", "Actions": [{ "JobName": "first" }],
        }),
        "EntityNotFoundException",
    );
}

#[test]
fn a_workflow_run_is_over_when_its_last_action_is() {
    let bench = bench();
    bench.call("CreateWorkflow", &json!({ "Name": "flow", "MaxConcurrentRuns": 1 })).unwrap();
    create(&bench, "go", "ON_DEMAND", "first", &json!({ "WorkflowName": "flow" }));
    let mut then = after(&[("first", "SUCCEEDED")], "AND");
    then["WorkflowName"] = json!("flow");
    create(&bench, "then", "CONDITIONAL", "second", &then);
    create(&bench, "outside", "CONDITIONAL", "third", &after(&[("first", "SUCCEEDED")], "AND"));
    let id = bench.call("StartWorkflowRun", &json!({ "Name": "flow" })).unwrap()["RunId"].clone();
    bench.refuse("StartWorkflowRun", &json!({ "Name": "flow" }), "ConcurrentRunsExceededException");
    let run = || bench.call("GetWorkflowRun", &json!({ "Name": "flow", "RunId": id })).unwrap()["Run"].clone();
    bench.step(15);
    assert_eq!((&run()["Status"], &run()["Statistics"]["RunningActions"]), (&json!("RUNNING"), &json!(1)));
    bench.step(5);
    assert_eq!((&run()["Status"], &run()["Statistics"]["SucceededActions"]), (&json!("COMPLETED"), &json!(2)));
    assert_eq!(runs(&bench, "third").len(), 0, "a trigger outside the workflow does not react to it");
}

#[test]
fn definitions_are_checked_by_type_and_replaced_as_a_whole() {
    let bench = bench();
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
        bench.refuse("CreateTrigger", &wrong, "InvalidInputException");
    }
    create(&bench, "t", "ON_DEMAND", "first", &json!({ "Description": "old" }));
    bench.with(|region| {
        region.set_trigger_times(TriggerTimes { updating: Duration::from_secs(1), ..TriggerTimes::default() });
    });
    let update = json!({ "Name": "t", "TriggerUpdate": { "Actions": [{ "JobName": "second" }] } });
    let updated = bench.call("UpdateTrigger", &update).unwrap()["Trigger"].clone();
    assert_eq!((&updated["State"], updated.get("Description")), (&json!("UPDATING"), None));
    bench.step(1);
    assert_eq!(state(&bench, "t"), "CREATED");
}
