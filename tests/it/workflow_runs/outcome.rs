//! Glue reports COMPLETED, and a job failed: what the object, kubectl and a trigger that starts the workflow say.

use kube_glue::api::GlueTrigger;
use kube_glue::api::run::Phase;
use kube_glue_double::{Outcome, RunScript};
use serde_json::json;

use super::*;

const MESSAGE: &str = "AnalysisException: Path does not exist";
const FAILURE: &str = "of 3 actions 1 failed: job clean (FAILED: AnalysisException: Path does not exist)";

/// Brings the run `name` to the end of `clean`, after which nothing follows.
async fn fail(env: &TestEnv, name: &str) {
    for progress in ["0/3", "1/3"] {
        wait_for_progress(env, name, progress).await;
        env.double.clock().step(STEP);
    }
}

#[tokio::test]
async fn a_completed_run_with_a_failed_job_has_failed_unless_glues_word_is_taken() {
    let env = setup("gwr-failed", RunScript::fails(MESSAGE)).await;
    create(&env, "one", json!({})).await;
    fail(&env, "one").await;
    let wait = ["wait", "-n", &env.namespace, "glueworkflowrun/one", "--for=condition=Failed", "--timeout=60s"];
    env.plane.kubectl(wait).await.expect("kubectl wait");
    let failed = objects(&env).wait_finished("one", Phase::Failed).await;
    assert_eq!(ready(&failed), ("ActionsFailed".to_owned(), FAILURE.to_owned()));
    let shown = status(&failed);
    assert_eq!((shown["progress"].as_str(), shown["errorMessage"].as_str()), (Some("1/3"), Some(FAILURE)));
    let first = &shown["nodes"][0];
    assert_eq!(
        (&first["name"], &first["state"], &first["errorMessage"]),
        (&json!("clean"), &json!("FAILED"), &json!(MESSAGE))
    );
    assert_eq!(shown["attempts"][0]["state"], "COMPLETED");
    assert_eq!(env.wait_for_event("ActionsFailed").await.type_.as_deref(), Some("Warning"));

    create(&env, "two", json!({"succeedWhen": "Completed"})).await;
    fail(&env, "two").await;
    let succeeded = wait_for_phase(&env, "two", Phase::Succeeded).await;
    assert_eq!(status(&succeeded)["errorMessage"], FAILURE, "what failed is shown all the same");
}

#[tokio::test]
async fn a_retry_runs_the_whole_workflow_again() {
    let env = setup("gwr-retry", RunScript::fails(MESSAGE).then(Outcome::Succeeded)).await;
    create(&env, "one", json!({"retry": {"limit": 1, "backoffSeconds": 0}})).await;
    fail(&env, "one").await;
    let is_again = |object: &GlueWorkflowRun| status(object)["attempts"][1]["id"].is_string();
    objects(&env).wait_until("one", "it is tried again", is_again).await;
    finish(&env, "one").await;
    wait_for_phase(&env, "one", Phase::Succeeded).await;
    assert_eq!((runs_in_glue(&env).len(), job_runs(&env)), (2, [2, 2, 1]));
}

/// The run that a trigger of the workflow starts.
#[tokio::test]
async fn a_firing_says_the_same_of_the_workflow_run_that_it_starts() {
    let env = setup("gwr-firing", RunScript::fails(MESSAGE)).await;
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("one", json!({"triggerName": "go", "fire": "a", "fireOnCreation": true})).await;
    triggers.wait_for_reason("one", "Fired").await;
    create(&env, "same", json!({"runId": runs_in_glue(&env)[0]["WorkflowRunId"]})).await;
    fail(&env, "same").await;
    let failed = wait_for_phase(&env, "same", Phase::Failed).await;
    let message = triggers.wait_for_reason("one", "CompletedWithFailures").await;
    assert!(message.contains(&format!("(COMPLETED: {})", ready(&failed).1)), "{message}");
}
