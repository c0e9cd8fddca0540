//! GlueWorkflowRun: started once, followed to its end, true about its failures, resumed where it failed.

mod lifecycle;
mod outcome;
mod resume;
mod start_once;

use std::time::Duration;

use kube_glue::api::GlueWorkflowRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, RunScript};
use serde_json::{Value, json};

use crate::harness::{Objects, STEP, TestEnv, condition, merged};

/// Jobs that are RUNNING for a [`STEP`] and end as `script` says.
fn stepwise(script: RunScript) -> RunScript {
    script.starting(Duration::ZERO).running(STEP).stopping(STEP).slot_lag(Duration::ZERO)
}

/// An environment with a held clock, the workflow `daily` (see [`define_workflow`]) and a controller.
async fn setup(name: &str, clean: RunScript) -> TestEnv {
    let mut env = setup_without_controller(name, clean).await;
    env.start_controller();
    env
}

/// The same without a controller.
async fn setup_without_controller(name: &str, clean: RunScript) -> TestEnv {
    let env = TestEnv::with_credentials(name).await;
    env.double.clock().hold();
    define_workflow(&env, clean);
    env
}

/// Defines the workflow `daily`: the job `load`, then `clean`, which ends as the script says, then `publish`.
fn define_workflow(env: &TestEnv, clean: RunScript) {
    for (name, script) in [("load", RunScript::succeeds()), ("clean", clean), ("publish", RunScript::succeeds())] {
        env.define_job(JobDefinition::new(name).max_concurrent_runs(100).script(stepwise(script)));
    }
    env.call_glue("CreateWorkflow", &json!({"Name": "daily", "DefaultRunProperties": {"mode": "full", "day": "none"}}));
    for (name, job, after) in
        [("go", "load", None), ("then", "clean", Some("load")), ("last", "publish", Some("clean"))]
    {
        let mut trigger =
            json!({"Name": name, "WorkflowName": "daily", "Type": "ON_DEMAND", "Actions": [{"JobName": job}]});
        if let Some(after) = after {
            let condition = json!({"LogicalOperator": "EQUALS", "JobName": after, "State": "SUCCEEDED"});
            let more =
                json!({"Type": "CONDITIONAL", "StartOnCreation": true, "Predicate": {"Conditions": [condition]}});
            trigger = merged(trigger, more);
        }
        env.call_glue("CreateTrigger", &trigger);
    }
}

/// Glue's runs of the workflow `daily`, oldest first.
fn runs_in_glue(env: &TestEnv) -> Vec<Value> {
    let answer = env.call_glue("GetWorkflowRuns", &json!({"Name": "daily", "MaxResults": 1000}));
    let mut runs = answer["Runs"].as_array().expect("a list").clone();
    runs.reverse();
    runs
}

/// How many calls of `operation` the controller has made.
fn calls(env: &TestEnv, operation: &str) -> u64 {
    env.double.requests().count(operation)
}

/// How many runs each job of `daily` has: `load`, `clean` and `publish`.
fn job_runs(env: &TestEnv) -> [usize; 3] {
    ["load", "clean", "publish"].map(|job| env.glue_runs(job).len())
}

fn objects(env: &TestEnv) -> Objects<'_, GlueWorkflowRun> {
    env.objects()
}

/// Creates a run of the workflow `daily` with the fields of `spec`.
async fn create(env: &TestEnv, name: &str, spec: Value) -> GlueWorkflowRun {
    objects(env).create(name, merged(json!({"workflowName": "daily"}), spec)).await
}

async fn wait_for_phase(env: &TestEnv, name: &str, phase: Phase) -> GlueWorkflowRun {
    objects(env).wait_for_phase(name, phase).await
}

/// Waits until the status shows this many actions as succeeded and in all, such as `1/3`.
async fn wait_for_progress(env: &TestEnv, name: &str, progress: &str) -> GlueWorkflowRun {
    let has = |object: &GlueWorkflowRun| status(object)["progress"] == progress;
    objects(env).wait_until(name, &format!("its progress is {progress}"), has).await
}

/// Steps the clock through the jobs, one by one, as the object shows them.
async fn finish(env: &TestEnv, name: &str) {
    for progress in ["0/3", "1/3", "2/3"] {
        wait_for_progress(env, name, progress).await;
        env.double.clock().step(STEP);
    }
}

fn status(object: &GlueWorkflowRun) -> Value {
    crate::harness::status(object)
}

fn run_id(object: &GlueWorkflowRun) -> Option<String> {
    status(object)["runId"].as_str().map(str::to_owned)
}

/// Reason and message of the Ready condition.
fn ready(object: &GlueWorkflowRun) -> (String, String) {
    let ready = condition(object, "Ready").expect("a condition");
    (ready.reason, ready.message)
}
