//! The events of a workflow run, and the graph that they make.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kube_glue::api::GlueWorkflowRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, RunScript};
use serde_json::{Value, json};

use super::receiver::{Receiver, described, of_run, types_of};
use super::setup;
use crate::harness::{STEP, TestEnv, merged, status};

/// Defines the workflow `daily`: `load`, then `clean` and `check` at once, and `publish` after both.
fn define_workflow(env: &TestEnv, check: RunScript) {
    let scripts = [
        ("load", RunScript::succeeds()),
        ("clean", RunScript::succeeds()),
        ("check", check),
        ("publish", RunScript::succeeds()),
    ];
    for (name, script) in scripts {
        let script = script.starting(Duration::ZERO).running(STEP).stopping(STEP).slot_lag(Duration::ZERO);
        env.define_job(JobDefinition::new(name).max_concurrent_runs(100).script(script));
    }
    env.call_glue("CreateWorkflow", &json!({"Name": "daily"}));
    let condition = |job: &str| json!({"LogicalOperator": "EQUALS", "JobName": job, "State": "SUCCEEDED"});
    let triggers = [
        ("go", json!({"Type": "ON_DEMAND", "Actions": [{"JobName": "load"}]})),
        (
            "then",
            json!({"Type": "CONDITIONAL", "StartOnCreation": true, "Predicate": {"Conditions": [condition("load")]},
                "Actions": [{"JobName": "clean"}, {"JobName": "check"}]}),
        ),
        (
            "last",
            json!({"Type": "CONDITIONAL", "StartOnCreation": true,
                "Predicate": {"Logical": "AND", "Conditions": [condition("clean"), condition("check")]},
                "Actions": [{"JobName": "publish"}]}),
        ),
    ];
    for (name, trigger) in triggers {
        env.call_glue("CreateTrigger", &merged(json!({"Name": name, "WorkflowName": "daily"}), trigger));
    }
}

/// The children of a run and the edges between them, by their jobs: what a reader of the events makes of them.
fn graph(events: &[Value], parent: &Value) -> (BTreeSet<String>, BTreeSet<(String, String)>) {
    let name = |job: &Value| job["name"].as_str().unwrap_or_default().to_owned();
    let children: BTreeMap<&str, &Value> = events
        .iter()
        .filter(|event| event["run"]["facets"]["parent"]["run"]["runId"] == *parent)
        .filter_map(|event| Some((event["run"]["runId"].as_str()?, event)))
        .collect();
    let edges = children.values().flat_map(|child| {
        let before = child["run"]["facets"]["jobDependencies"]["upstream"].as_array().into_iter().flatten();
        before.map(|before| (name(&before["job"]), name(&child["job"])))
    });
    (children.values().map(|child| name(&child["job"])).collect(), edges.collect())
}

async fn finish(env: &TestEnv, name: &str, progress: &[&str]) {
    let objects = env.objects::<GlueWorkflowRun>();
    for reached in progress {
        objects
            .wait_until(name, &format!("its progress is {reached}"), |object| status(object)["progress"] == *reached)
            .await;
        env.double.clock().step(STEP);
    }
}

#[tokio::test]
async fn the_events_of_a_workflow_run_and_of_its_jobs_make_its_graph() {
    let receiver = Receiver::start().await;
    let env = setup("lineage-flow", &receiver).await;
    define_workflow(&env, RunScript::succeeds());
    let objects = env.objects::<GlueWorkflowRun>();
    objects.create("one", json!({"workflowName": "daily"})).await;
    finish(&env, "one", &["0/4", "1/4", "3/4"]).await;
    let done = objects.wait_finished("one", Phase::Succeeded).await;
    let id = status(&done)["runId"].as_str().expect("an id").to_owned();
    let events = receiver.wait_until("it has ended", |events| types_of(events, &id).contains(&"COMPLETE")).await;
    let own = of_run(&events, &id).next().expect("an event");
    assert_eq!(own["job"]["name"], "workflow/daily");
    let (children, edges) = graph(&events, &own["run"]["runId"]);
    assert_eq!(
        children.iter().map(String::as_str).collect::<Vec<_>>(),
        ["job/check", "job/clean", "job/load", "job/publish"]
    );
    let edges: Vec<_> = edges.iter().map(|(from, to)| format!("{from} -> {to}")).collect();
    assert_eq!(
        edges,
        ["job/check -> job/publish", "job/clean -> job/publish", "job/load -> job/check", "job/load -> job/clean",]
    );
    for job in ["load", "clean", "check", "publish"] {
        let run = env.glue_runs(job)[0]["Id"].as_str().expect("an id").to_owned();
        let ended = |events: &[Value]| types_of(events, &run).contains(&"COMPLETE");
        let events = receiver.wait_until("the job has ended", ended).await;
        let types = types_of(&events, &run);
        assert_eq!((types.iter().filter(|type_| **type_ == "START").count(), types.len()), (1, 2), "{job}: {types:?}");
    }
    assert_eq!(receiver.refused(), [""; 0]);
}

#[tokio::test]
async fn a_workflow_run_with_a_failed_job_fails_and_names_it() {
    let receiver = Receiver::start().await;
    let env = setup("lineage-flow-fail", &receiver).await;
    define_workflow(&env, RunScript::fails("checksum differs"));
    let objects = env.objects::<GlueWorkflowRun>();
    objects.create("one", json!({"workflowName": "daily"})).await;
    finish(&env, "one", &["0/4", "1/4"]).await;
    let done = objects.wait_finished("one", Phase::Failed).await;
    let id = status(&done)["runId"].as_str().expect("an id").to_owned();
    let events = receiver.wait_until("it has failed", |events| types_of(events, &id).contains(&"FAIL")).await;
    let check = env.glue_runs("check")[0]["Id"].as_str().expect("an id").to_owned();
    let has_failed = |events: &[Value]| types_of(events, &check).contains(&"FAIL");
    let events = if has_failed(&events) { events } else { receiver.wait_until("its job has failed", has_failed).await };
    let end = of_run(&events, &check).last().expect("an end");
    assert_eq!(end["run"]["facets"]["errorMessage"]["message"], "checksum differs", "{}", described(&events));
    assert!(!events.iter().any(|event| event["job"]["name"] == "job/publish"), "it was never started");
}

#[tokio::test]
async fn a_controller_that_is_killed_in_the_middle_sends_no_end_of_a_job_again() {
    let receiver = Receiver::start().await;
    let mut env = setup("lineage-flow-kill", &receiver).await;
    define_workflow(&env, RunScript::succeeds());
    env.objects::<GlueWorkflowRun>().create("one", json!({"workflowName": "daily"})).await;
    finish(&env, "one", &["0/4"]).await;
    let load = env.glue_runs("load")[0]["Id"].as_str().expect("an id").to_owned();
    let objects = env.objects::<GlueWorkflowRun>();
    objects.wait_until("one", "its first job has ended", |object| status(object)["progress"] == "1/4").await;
    receiver.wait_until("the end of the job run came", |events| types_of(events, &load).contains(&"COMPLETE")).await;
    env.kill_controller();
    env.start_controller();
    finish(&env, "one", &["1/4", "3/4"]).await;
    let done = env.objects::<GlueWorkflowRun>().wait_finished("one", Phase::Succeeded).await;
    let id = status(&done)["runId"].as_str().expect("an id").to_owned();
    let events = receiver.wait_until("it has ended", |events| types_of(events, &id).contains(&"COMPLETE")).await;
    assert_eq!(types_of(&events, &load), ["START", "COMPLETE"]);
    let own = types_of(&events, &id);
    assert_eq!((own.iter().filter(|type_| **type_ == "COMPLETE").count(), own.last()), (1, Some(&"COMPLETE")));
}
