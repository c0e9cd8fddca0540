//! A workflow run is started once: lost answers, crashes at every point, two controllers, a lost status.

use kube::ResourceExt;
use kube_glue::api::FINALIZER;
use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, RunScript, Then};
use serde_json::json;

use super::*;
use crate::harness::SHORT_TIMEOUTS;

/// The object `one` has one run, which is followed to its end.
async fn assert_one_run(env: &TestEnv, sent: u64) {
    finish(env, "one").await;
    wait_for_phase(env, "one", Phase::Succeeded).await;
    assert_eq!((calls(env, "StartWorkflowRun"), runs_in_glue(env).len()), (sent, 1));
}

#[tokio::test]
async fn whatever_happens_to_the_answer_there_is_one_run() {
    for (name, fault, sent) in [
        ("gwr-dropped", Then::DropAnswerAfterWork, 1),
        ("gwr-500-after", Then::Http500AfterWork, 1),
        ("gwr-500-before", Then::Http500, 2),
        ("gwr-before", Then::DropConnectionBefore, 2),
        ("gwr-throttled", Then::Throttle, 2),
    ] {
        let mut env = setup_without_controller(name, RunScript::succeeds()).await;
        env.set_flags(SHORT_TIMEOUTS);
        env.start_controller();
        env.double.faults().add(Fault::on("StartWorkflowRun").nth(1).then(fault));
        create(&env, "one", json!({})).await;
        assert_one_run(&env, sent).await;
    }
}

#[tokio::test]
async fn wherever_the_controller_is_killed_there_is_one_run() {
    // Between the finalizer and the intent.
    let mut env = setup_without_controller("gwr-finalizer", RunScript::succeeds()).await;
    let object = json!({"metadata": {"name": "one", "finalizers": [FINALIZER]}, "spec": {"workflowName": "daily"}});
    objects(&env).try_create(object.clone()).await.expect("an object");
    env.start_controller();
    assert_one_run(&env, 1).await;

    // Between the intent and the start.
    let mut env = setup_without_controller("gwr-intent", RunScript::succeeds()).await;
    let created = objects(&env).try_create(object).await.expect("an object");
    let now = "2026-01-01T00:00:00Z";
    let key = format!("{}/0", created.uid().expect("a uid"));
    let attempt = json!({"number": 0, "key": key, "activeSince": now, "intendedAt": now});
    let intended = json!({"observedGeneration": 1, "phase": "Starting", "attempts": [attempt]});
    objects(&env).patch_status("one", intended).await;
    env.set_flags(SHORT_TIMEOUTS);
    env.start_controller();
    objects(&env).wait_for_reason("one", "AnswerUnclear").await;
    assert_one_run(&env, 1).await;

    // While the start is on its way, and after Glue has carried it out.
    for (name, fault) in [("gwr-held", Then::Hold), ("gwr-held-answer", Then::HoldAnswer)] {
        let mut env = setup_without_controller(name, RunScript::succeeds()).await;
        env.double.faults().add(Fault::on("StartWorkflowRun").nth(1).then(fault));
        env.start_controller();
        create(&env, "one", json!({})).await;
        env.wait_for_calls("StartWorkflowRun", 1).await;
        env.kill_controller();
        env.start_controller();
        if name == "gwr-held" {
            objects(&env).wait_for_reason("one", "AnswerUnclear").await;
            env.double.faults().release();
        }
        assert_one_run(&env, 1).await;
    }
}

#[tokio::test]
async fn two_controllers_without_leader_election_start_each_object_once() {
    let mut env = setup_without_controller("gwr-rivals", RunScript::succeeds()).await;
    env.set_flags(&[("--leader-election", "false")]);
    env.start_controller_as("a");
    env.start_controller_as("b");
    for identity in ["a", "b"] {
        env.wait_for_log(identity, "watches: all listed").await;
    }
    let names: Vec<_> = (0..10).map(|n| format!("run-{n}")).collect();
    for name in &names {
        create(&env, name, json!({})).await;
    }
    for name in &names {
        wait_for_phase(&env, name, Phase::Running).await;
    }
    assert_eq!((calls(&env, "StartWorkflowRun"), runs_in_glue(&env).len()), (10, 10));
}

/// By a restore without status, and by an object of the same key.
#[tokio::test]
async fn a_run_is_found_again_by_its_key() {
    let env = setup("gwr-again", RunScript::succeeds()).await;
    create(&env, "one", json!({})).await;
    let before = wait_for_progress(&env, "one", "0/3").await;
    objects(&env).clear_status("one").await;
    let after = wait_for_progress(&env, "one", "0/3").await;
    assert_eq!(run_id(&after), run_id(&before));
    let key = json!({"idempotencyKey": "orders-1"});
    create(&env, "first", key.clone()).await;
    let first = wait_for_progress(&env, "first", "0/3").await;
    create(&env, "second", key).await;
    let second = wait_for_progress(&env, "second", "0/3").await;
    assert_eq!(run_id(&second), run_id(&first));
    assert_eq!(calls(&env, "StartWorkflowRun"), 2);
}

/// Jobs with strict argument parsing: their runs carry no key, and workflow runs carry one all the same.
#[tokio::test]
async fn the_key_is_sent_where_job_runs_carry_none_and_its_property_is_reserved() {
    let mut env = setup_without_controller("gwr-strict", RunScript::succeeds()).await;
    env.set_flags(&[("--run-key-argument", "")]);
    env.start_controller();
    create(&env, "one", json!({})).await;
    assert_one_run(&env, 1).await;
    assert!(runs_in_glue(&env)[0]["WorkflowRunProperties"]["kube-glue-run"].is_string());
    create(&env, "mine", json!({"runProperties": {"kube-glue-run": "mine"}})).await;
    let message = objects(&env).wait_for_reason("mine", "InvalidSpec").await;
    assert!(message.contains("run property kube-glue-run"), "{message}");
    assert_eq!(calls(&env, "StartWorkflowRun"), 1);
}
