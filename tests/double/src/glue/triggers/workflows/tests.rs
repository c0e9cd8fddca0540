//! Runs of workflows over time, by the operations and with a held clock.

use std::time::Duration;

use serde_json::{Value, json};

use crate::glue::{
    crawlers::{CrawlScript, CrawlerSettings},
    fixture::Fixture,
    jobs::JobDefinition,
    runs::{Outcome, RunScript},
};

/// The workflow `flow`: `load` and the crawler `raw`, then `clean` after `load`, then `publish` after both `clean` and
/// `raw`. Each takes ten seconds.
fn fixture(outcome_of_clean: RunScript) -> Fixture {
    let fixture = Fixture::new();
    let quick = |script: RunScript| {
        script.starting(Duration::ZERO).running(Duration::from_secs(10)).stopping(Duration::from_secs(5))
    };
    fixture.with(|region| {
        for (name, script) in
            [("load", RunScript::succeeds()), ("clean", outcome_of_clean), ("publish", RunScript::succeeds())]
        {
            region.define_job(
                JobDefinition::new(name).max_concurrent_runs(3).script(quick(script).slot_lag(Duration::ZERO)),
            );
        }
        let crawl = CrawlScript::default().running(Duration::from_secs(10)).stopping(Duration::ZERO);
        region.define_crawler(CrawlerSettings::new("raw"), crawl).unwrap();
    });
    let defaults = json!({ "mode": "full", "day": "none" });
    call(
        &fixture,
        "CreateWorkflow",
        json!({ "Name": "flow", "MaxConcurrentRuns": 1, "DefaultRunProperties": defaults }),
    );
    let of_job = |job: &str| json!({ "LogicalOperator": "EQUALS", "JobName": job, "State": "SUCCEEDED" });
    let of_raw = json!({ "LogicalOperator": "EQUALS", "CrawlerName": "raw", "CrawlState": "SUCCEEDED" });
    for (name, kind, actions, conditions) in [
        ("go", "ON_DEMAND", json!([{ "JobName": "load" }, { "CrawlerName": "raw" }]), Value::Null),
        ("then", "CONDITIONAL", json!([{ "JobName": "clean" }]), json!([of_job("load")])),
        ("last", "CONDITIONAL", json!([{ "JobName": "publish" }]), json!([of_job("clean"), of_raw])),
    ] {
        let mut trigger = json!({ "Name": name, "WorkflowName": "flow", "Type": kind, "Actions": actions });
        if !conditions.is_null() {
            trigger["Predicate"] = json!({ "Logical": "AND", "Conditions": conditions });
            trigger["StartOnCreation"] = json!(true);
        }
        call(&fixture, "CreateTrigger", trigger);
        fixture.step(5);
    }
    fixture
}

#[expect(clippy::needless_pass_by_value, reason = "a literal")]
fn call(fixture: &Fixture, operation: &str, body: Value) -> Value {
    fixture.call(operation, &body).unwrap_or_else(|error| panic!("{operation} {body}: {error}"))
}

fn start(fixture: &Fixture, properties: &Value) -> String {
    let answer = call(fixture, "StartWorkflowRun", json!({ "Name": "flow", "RunProperties": properties }));
    answer["RunId"].as_str().unwrap().to_owned()
}

fn run(fixture: &Fixture, id: &str) -> Value {
    call(fixture, "GetWorkflowRun", json!({ "Name": "flow", "RunId": id, "IncludeGraph": true }))["Run"].clone()
}

fn node<'a>(run: &'a Value, name: &str) -> &'a Value {
    run["Graph"]["Nodes"].as_array().unwrap().iter().find(|node| node["Name"] == name).unwrap()
}

fn states(run: &Value, job: &str) -> Vec<String> {
    let runs = node(run, job)["JobDetails"]["JobRuns"].as_array().unwrap();
    runs.iter().map(|run| run["JobRunState"].as_str().unwrap().to_owned()).collect()
}

fn runs(fixture: &Fixture, job: &str) -> usize {
    call(fixture, "GetJobRuns", json!({ "JobName": job }))["JobRuns"].as_array().unwrap().len()
}

#[test]
fn a_run_shows_its_properties_its_statistics_and_its_graph() {
    let fixture = fixture(RunScript::succeeds());
    let id = start(&fixture, &json!({ "day": "monday" }));
    fixture.expect_error("StartWorkflowRun", &json!({ "Name": "flow" }), "ConcurrentRunsExceededException");
    let now = run(&fixture, &id);
    assert_eq!(now["WorkflowRunProperties"], json!({ "mode": "full", "day": "monday" }));
    let counts = |run: &Value| {
        ["TotalActions", "RunningActions", "SucceededActions"].map(|name| run["Statistics"][name].clone())
    };
    assert_eq!(counts(&now), [json!(4), json!(2), json!(0)]);
    let put = json!({ "Name": "flow", "RunId": id, "RunProperties": { "rows": "7", "mode": "part" } });
    call(&fixture, "PutWorkflowRunProperties", put);
    let of_run = json!({ "Name": "flow", "RunId": id });
    let properties = call(&fixture, "GetWorkflowRunProperties", of_run.clone())["RunProperties"].clone();
    assert_eq!(properties, json!({ "day": "monday", "mode": "part", "rows": "7" }));
    fixture.step(30);
    let ended = run(&fixture, &id);
    assert_eq!((&ended["Status"], counts(&ended)), (&json!("COMPLETED"), [json!(4), json!(0), json!(4)]));
    assert_eq!(
        (states(&ended, "clean"), states(&ended, "publish")),
        (vec!["SUCCEEDED".to_owned()], vec!["SUCCEEDED".to_owned()])
    );
    assert_eq!(node(&ended, "raw")["CrawlerDetails"]["Crawls"][0]["State"], "SUCCEEDED");
    assert_eq!(node(&ended, "then")["TriggerDetails"]["Trigger"]["Type"], "CONDITIONAL");
    let edge =
        json!({ "SourceId": node(&ended, "then")["UniqueId"], "DestinationId": node(&ended, "clean")["UniqueId"] });
    assert!(ended["Graph"]["Edges"].as_array().unwrap().contains(&edge));
    assert_eq!(call(&fixture, "GetWorkflowRun", of_run)["Run"].get("Graph"), None);
    fixture.expect_error("StopWorkflowRun", &json!({ "Name": "flow", "RunId": id }), "IllegalWorkflowStateException");
}

#[test]
fn a_resumed_run_runs_the_failed_node_and_what_follows_it() {
    let fixture = fixture(RunScript::fails("no such path").then(Outcome::Succeeded));
    let id = start(&fixture, &json!({ "day": "monday" }));
    fixture.step(60);
    let failed = run(&fixture, &id);
    assert_eq!((&failed["Status"], &failed["Statistics"]["FailedActions"]), (&json!("COMPLETED"), &json!(1)));
    assert_eq!((states(&failed, "clean"), states(&failed, "publish").len()), (vec!["FAILED".to_owned()], 0));
    let resume = |node: &Value| json!({ "Name": "flow", "RunId": id, "NodeIds": [node["UniqueId"]] });
    for name in ["publish", "go"] {
        fixture.expect_error("ResumeWorkflowRun", &resume(node(&failed, name)), "InvalidInputException");
    }
    let resumed = call(&fixture, "ResumeWorkflowRun", resume(node(&failed, "clean")));
    fixture.step(60);
    let resumed = run(&fixture, resumed["RunId"].as_str().unwrap());
    assert_eq!((&resumed["Status"], &resumed["PreviousRunId"]), (&json!("COMPLETED"), &json!(id)));
    assert_eq!(resumed["WorkflowRunProperties"]["day"], "monday");
    assert_eq!(["load", "clean", "publish"].map(|job| runs(&fixture, job)), [1, 2, 1]);
    assert_eq!(run(&fixture, &id)["Status"], "COMPLETED", "the run before it stays as it is");
}

#[test]
fn a_stopped_run_stops_what_is_live_and_starts_nothing_more() {
    let fixture = fixture(RunScript::succeeds());
    let id = start(&fixture, &json!({}));
    let of_run = json!({ "Name": "flow", "RunId": id });
    call(&fixture, "StopWorkflowRun", of_run.clone());
    assert_eq!(run(&fixture, &id)["Status"], "STOPPING");
    fixture.expect_error("StopWorkflowRun", &of_run, "IllegalWorkflowStateException");
    fixture.step(60);
    let stopped = run(&fixture, &id);
    assert_eq!((&stopped["Status"], &stopped["Statistics"]["StoppedActions"]), (&json!("STOPPED"), &json!(2)));
    assert_eq!(runs(&fixture, "clean"), 0);
    let resume = json!({ "Name": "flow", "RunId": id, "NodeIds": [node(&stopped, "load")["UniqueId"]] });
    fixture.expect_error("ResumeWorkflowRun", &resume, "IllegalWorkflowStateException");
    fixture.expect_error("StopWorkflowRun", &json!({ "Name": "flow", "RunId": "wr_none" }), "EntityNotFoundException");
}

#[test]
fn a_schedule_that_finds_the_workflow_full_leaves_a_run_in_error() {
    let fixture = fixture(RunScript::succeeds());
    let hourly = json!({ "Name": "hourly", "WorkflowName": "flow", "Type": "SCHEDULED", "StartOnCreation": true,
        "Schedule": "cron(0 * * * ? *)", "Actions": [{ "JobName": "load" }] });
    call(&fixture, "CreateTrigger", hourly);
    fixture.with(|region| {
        region.define_job(JobDefinition::new("load").max_concurrent_runs(9).script(RunScript::never_ends()));
    });
    start(&fixture, &json!({}));
    fixture.step(3600);
    let all = call(&fixture, "GetWorkflowRuns", json!({ "Name": "flow" }));
    let newest = &all["Runs"][0];
    assert_eq!(
        (&newest["Status"], &newest["ErrorMessage"]),
        (&json!("ERROR"), &json!("Concurrent runs exceeded for workflow: flow."))
    );
}
