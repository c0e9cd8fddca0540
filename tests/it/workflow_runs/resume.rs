//! `spec.resume`: only what failed runs again, once for each value, whatever happens to the answer and the controller.

use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, Outcome, RunScript, Then};
use serde_json::json;

use super::*;
use crate::harness::SHORT_TIMEOUTS;

/// A controller, and the object `one`, whose job `clean` has failed; it succeeds the next time.
async fn with_failed_run(name: &str, flags: &[(&str, &str)]) -> TestEnv {
    let clean = RunScript::fails("no such path").then(Outcome::Succeeded);
    let mut env = setup_without_controller(name, clean).await;
    env.set_flags(flags);
    env.start_controller();
    create(&env, "one", json!({"resume": "from the start"})).await;
    for progress in ["0/3", "1/3"] {
        wait_for_progress(&env, "one", progress).await;
        env.double.clock().step(STEP);
    }
    objects(&env).wait_finished("one", Phase::Failed).await;
    assert_eq!(calls(&env, "ResumeWorkflowRun"), 0, "the value at creation resumes nothing");
    env
}

/// Follows the resumed run to its end. What failed has run again, and what follows it, once.
async fn assert_resumed_once(env: &TestEnv) {
    // `clean` and `publish` run again; `load` does not.
    for progress in ["0/3", "1/3"] {
        wait_for_progress(env, "one", progress).await;
        env.double.clock().step(STEP);
    }
    let object = objects(env).wait_finished("one", Phase::Succeeded).await;
    let runs = runs_in_glue(env);
    assert_eq!((runs.len(), job_runs(env)), (2, [1, 2, 1]));
    assert_eq!(run_id(&object).as_deref(), runs[1]["WorkflowRunId"].as_str());
    assert_eq!(status(&object)["previousRunId"], runs[0]["WorkflowRunId"]);
    assert_eq!(status(&object)["attempts"][1]["resumes"], json!({"runId": runs[0]["WorkflowRunId"]}));
}

#[tokio::test]
async fn a_new_value_runs_only_what_failed_and_the_same_value_nothing() {
    let env = with_failed_run("gwr-resume", &[]).await;
    objects(&env).patch_spec("one", json!({"resume": "b"})).await;
    assert_resumed_once(&env).await;
    assert_eq!(calls(&env, "ResumeWorkflowRun"), 1);
    // A run that has succeeded is not resumed.
    let generation = objects(&env).patch_spec("one", json!({"resume": "c"})).await.metadata.generation;
    let is_observed = |object: &GlueWorkflowRun| status(object)["observedGeneration"].as_i64() == generation;
    let object = objects(&env).wait_until("one", "the change is observed", is_observed).await;
    assert_eq!(status(&object)["phase"], "Succeeded");
    assert_eq!(calls(&env, "ResumeWorkflowRun"), 1);
}

#[tokio::test]
async fn named_nodes_run_again_and_what_cannot_be_resumed_is_reported() {
    let env = with_failed_run("gwr-nodes", &[]).await;
    objects(&env).patch_spec("one", json!({"resume": "b", "resumeNodes": ["publish"]})).await;
    let message = objects(&env).wait_for_reason("one", "NotResumed").await;
    assert!(message.contains("has started no job or crawler publish"), "{message}");
    wait_for_phase(&env, "one", Phase::Failed).await;
    assert_eq!(calls(&env, "ResumeWorkflowRun"), 0);
    objects(&env).patch_spec("one", json!({"resume": "c", "resumeNodes": ["load"]})).await;
    wait_for_phase(&env, "one", Phase::Running).await;
    finish(&env, "one").await;
    wait_for_phase(&env, "one", Phase::Succeeded).await;
    assert_eq!(job_runs(&env), [2, 2, 1]);
}

#[tokio::test]
async fn a_lost_answer_leads_to_one_resumed_run() {
    for (name, fault, sent) in [
        ("gwr-resume-dropped", Then::DropAnswerAfterWork, 1),
        ("gwr-resume-500", Then::Http500AfterWork, 1),
        ("gwr-resume-before", Then::DropConnectionBefore, 2),
        ("gwr-resume-throttled", Then::Throttle, 2),
    ] {
        let env = with_failed_run(name, SHORT_TIMEOUTS).await;
        env.double.faults().add(Fault::on("ResumeWorkflowRun").nth(1).then(fault));
        objects(&env).patch_spec("one", json!({"resume": "b"})).await;
        let is_known = |object: &GlueWorkflowRun| status(object)["attempts"][1]["id"].is_string();
        objects(&env).wait_until("one", "the resumed run is known", is_known).await;
        assert_resumed_once(&env).await;
        assert_eq!(calls(&env, "ResumeWorkflowRun"), sent, "{name}");
    }
}

#[tokio::test]
async fn a_kill_between_the_resume_and_its_answer_leads_to_one_resumed_run() {
    let mut env = with_failed_run("gwr-resume-killed", SHORT_TIMEOUTS).await;
    env.double.faults().add(Fault::on("ResumeWorkflowRun").nth(1).then(Then::HoldAnswer));
    objects(&env).patch_spec("one", json!({"resume": "b"})).await;
    env.wait_for_calls("ResumeWorkflowRun", 1).await;
    env.kill_controller();
    env.start_controller();
    let message = objects(&env).wait_for_reason("one", "Adopted").await;
    assert!(message.contains("resumes wr_"), "{message}");
    assert_resumed_once(&env).await;
    assert_eq!(calls(&env, "ResumeWorkflowRun"), 1);
}

#[tokio::test]
async fn a_run_that_somebody_else_has_resumed_is_adopted() {
    let env = with_failed_run("gwr-resume-other", &[]).await;
    let runs = runs_in_glue(&env);
    let id = &runs[0]["WorkflowRunId"];
    let graph = json!({"Name": "daily", "RunId": id, "IncludeGraph": true});
    let nodes = env.call_glue("GetWorkflowRun", &graph)["Run"]["Graph"]["Nodes"].clone();
    let clean = nodes.as_array().expect("a list").iter().find(|node| node["Name"] == "clean").expect("a node");
    let by_hand = json!({"Name": "daily", "RunId": id, "NodeIds": [clean["UniqueId"]]});
    env.call_glue("ResumeWorkflowRun", &by_hand);
    objects(&env).patch_spec("one", json!({"resume": "b"})).await;
    objects(&env).wait_for_reason("one", "Adopted").await;
    assert_resumed_once(&env).await;
    assert_eq!(calls(&env, "ResumeWorkflowRun"), 0);
}
