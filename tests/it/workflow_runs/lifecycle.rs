//! From start to end: what the status shows, what is sent, stop, suspension, deletion, queue.

use kube_glue::api::run::Phase;
use kube_glue_double::{Request, RunScript};
use serde_json::json;

use super::*;
use crate::harness::{SHORT_TIMEOUTS, has_finalizer};

const PASSWORD: &str = "correct-horse-battery";

#[tokio::test]
async fn a_run_is_followed_action_by_action_and_its_graph_is_read_only_when_it_changes() {
    let mut env = setup("gwr-life", RunScript::succeeds()).await;
    env.secrets.push(PASSWORD.to_owned());
    env.put_secret("db", &[("password", PASSWORD)]).await;
    let from = json!([{"name": "password", "secretKeyRef": {"name": "db", "key": "password"}}]);
    create(&env, "one", json!({"runProperties": {"day": "monday"}, "runPropertiesFrom": from})).await;
    finish(&env, "one").await;
    let object = objects(&env).wait_finished("one", Phase::Succeeded).await;
    let shown = status(&object);
    assert_eq!((shown["progress"].as_str(), &shown["statistics"]["succeeded"]), (Some("3/3"), &json!(3)));
    assert_eq!(shown["runProperties"], json!({"mode": "full", "day": "monday", "password": "[hidden]"}));
    let nodes: Vec<_> =
        shown["nodes"].as_array().expect("a list").iter().map(|node| (&node["name"], &node["state"])).collect();
    assert_eq!(nodes.len(), 3);
    assert!(nodes.iter().all(|(_, state)| *state == "SUCCEEDED"), "{nodes:?}");
    assert_eq!(shown["nodes"][0]["runId"], env.glue_runs("clean")[0]["Id"]);
    assert!(shown["links"]["console"].as_str().is_some_and(|link| link.contains("/workflows/run/daily?runId=wr_")));
    let runs = runs_in_glue(&env);
    let properties = &runs[0]["WorkflowRunProperties"];
    assert_eq!((&properties["password"], &properties["day"]), (&json!(PASSWORD), &json!("monday")));
    assert_eq!(properties["kube-glue-run"], format!("{}/{}/0", env.namespace, object.metadata.uid.expect("a uid")));
    assert_eq!((runs.len(), calls(&env, "StartWorkflowRun")), (1, 1));
    // Three actions begin and end, one after the other.
    let with_graph = |request: &Request| request.field("IncludeGraph") == Some(json!(true));
    let graphs = env.double.requests().of("GetWorkflowRun").matching(with_graph).count();
    assert!((3..=7).contains(&graphs), "{graphs} graphs were read");
    env.assert_no_secret_leaked().await;
}

#[tokio::test]
async fn stop_suspend_and_deletion_stop_the_run() {
    let env = setup("gwr-stop", RunScript::succeeds()).await;
    let changes =
        [("stopped", json!({"stop": true}), Phase::Stopped), ("held", json!({"suspend": true}), Phase::Suspended)];
    for (stops, (name, change, phase)) in (1..).zip(changes) {
        create(&env, name, json!({})).await;
        wait_for_progress(&env, name, "0/3").await;
        objects(&env).patch_spec(name, change).await;
        wait_for_phase(&env, name, Phase::Stopping).await;
        env.wait_for_answers("StopWorkflowRun", stops).await;
        env.double.clock().step(STEP);
        wait_for_phase(&env, name, phase).await;
    }
    // Released, it is another attempt with another key.
    objects(&env).patch_spec("held", json!({"suspend": false})).await;
    let running = wait_for_phase(&env, "held", Phase::Running).await;
    assert_eq!(status(&running)["attempts"][1]["number"], 1);
    objects(&env).delete("held").await;
    env.wait_for_answers("StopWorkflowRun", 3).await;
    env.double.clock().step(STEP);
    objects(&env).wait_deleted(&running).await;
    let states: Vec<_> = runs_in_glue(&env).iter().map(|run| run["Status"].clone()).collect();
    assert_eq!(states, ["STOPPED", "STOPPED", "STOPPED"]);
    assert_eq!((calls(&env, "StartWorkflowRun"), job_runs(&env)), (3, [3, 0, 0]), "nothing follows a stop");
    // Stopping what has ended by now is no error.
    create(&env, "late", json!({})).await;
    let late = wait_for_progress(&env, "late", "0/3").await;
    let id = run_id(&late).expect("an id");
    env.call_glue("StopWorkflowRun", &json!({"Name": "daily", "RunId": id}));
    objects(&env).patch_spec("late", json!({"stop": true})).await;
    wait_for_phase(&env, "late", Phase::Stopping).await;
    env.double.clock().step(STEP);
    wait_for_phase(&env, "late", Phase::Stopped).await;
}

#[tokio::test]
async fn objects_wait_in_turn_for_a_workflow_at_its_limit() {
    let env = setup("gwr-queue", RunScript::succeeds()).await;
    env.call_glue("DeleteWorkflow", &json!({"Name": "daily"}));
    env.call_glue("CreateWorkflow", &json!({"Name": "daily", "MaxConcurrentRuns": 1}));
    for name in ["a", "b"] {
        create(&env, name, json!({})).await;
        if name == "a" {
            wait_for_progress(&env, name, "0/3").await;
        }
    }
    let message = objects(&env).wait_for_reason("b", "ConcurrentRunsExceeded").await;
    assert!(message.contains("workflow daily"), "{message}");
    finish(&env, "a").await;
    wait_for_phase(&env, "a", Phase::Succeeded).await;
    finish(&env, "b").await;
    wait_for_phase(&env, "b", Phase::Succeeded).await;
    let events = env.events().await;
    assert!(!events.iter().any(|event| event.reason.as_deref() == Some("Failed")));
    assert_eq!(runs_in_glue(&env).len(), 2);
}

#[tokio::test]
async fn a_run_started_elsewhere_is_followed_and_a_workflow_that_is_deleted_under_its_run_is_let_go() {
    let mut env = setup_without_controller("gwr-foreign", RunScript::succeeds()).await;
    env.set_flags(SHORT_TIMEOUTS);
    env.start_controller();
    let id = env.call_glue("StartWorkflowRun", &json!({"Name": "daily"}))["RunId"].clone();
    create(&env, "foreign", json!({"runId": id})).await;
    let foreign = wait_for_phase(&env, "foreign", Phase::Running).await;
    assert!(!has_finalizer(&foreign));
    create(&env, "own", json!({})).await;
    let own = wait_for_phase(&env, "own", Phase::Running).await;
    env.call_glue("DeleteWorkflow", &json!({"Name": "daily"}));
    for name in ["foreign", "own"] {
        let message = objects(&env).wait_for_reason(name, "RunNotFound").await;
        assert!(message.contains("Glue does not know workflow run wr_"), "{message}");
    }
    objects(&env).delete("own").await;
    objects(&env).wait_deleted(&own).await;
    objects(&env).delete("foreign").await;
    objects(&env).wait_deleted(&foreign).await;
    assert_eq!(calls(&env, "StartWorkflowRun"), 1);
}

#[tokio::test]
async fn a_finished_object_is_deleted_after_its_ttl_and_deadlines_hold() {
    let env = setup("gwr-ttl", RunScript::succeeds()).await;
    let object = create(&env, "one", json!({"ttlSecondsAfterFinished": 1})).await;
    finish(&env, "one").await;
    objects(&env).wait_deleted(&object).await;
    create(&env, "slow", json!({"activeDeadlineSeconds": 1})).await;
    wait_for_phase(&env, "slow", Phase::Stopping).await;
    env.wait_for_answers("StopWorkflowRun", 1).await;
    env.double.clock().step(STEP);
    let slow = wait_for_phase(&env, "slow", Phase::Failed).await;
    assert_eq!(ready(&slow).0, "DeadlineExceeded");
    // Released by nobody, it is never started.
    create(&env, "late", json!({"suspend": true})).await;
    wait_for_phase(&env, "late", Phase::Suspended).await;
    assert_eq!(calls(&env, "StartWorkflowRun"), 2);
}
