//! Runs are started, followed, changed and deleted.

use std::time::Duration;

use kube_glue::api::GlueTrigger;
use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, RunScript};
use serde_json::json;
use tokio::time::timeout;

use super::Printed;
use crate::harness::{TestEnv, WAIT_TIMEOUT, endless, run_id};

#[tokio::test]
async fn a_run_is_started_waited_for_and_started_again_with_another_argument() {
    let env = TestEnv::new("plugin-run").await;
    let run = env.glue("run job etl --arg --day=monday --workers G.1X:2 --wait -o name").await;
    assert_eq!(run.code, Some(0), "{run:?}");
    let lines: Vec<_> = run.data.lines().collect();
    let name = lines[0].strip_prefix("gluejobrun.kube-glue.dev/").expect("a name");
    assert!(name.starts_with("etl-"), "{name}");
    assert_eq!(lines[1], format!("gluejobrun.kube-glue.dev/{name} Succeeded"));
    let again = env.glue(&format!("rerun gjr/{name} --arg day=tuesday --wait")).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    let last = env.glue("run job etl --last --dry-run -o yaml").await;
    assert!(last.data.contains("--day: tuesday") && last.data.contains("generateName: etl-"), "{last:?}");
    let starts = env.double.requests().of("StartJobRun");
    let days: Vec<_> = starts.iter().map(|start| start.field("Arguments/--day").unwrap()).collect();
    assert_eq!(days, ["monday", "tuesday"]);
    assert!(starts.iter().all(|start| start.field("NumberOfWorkers") == Some(json!(2))));
}

#[tokio::test]
async fn the_exit_code_is_the_outcome_and_the_message_is_glues() {
    let env = TestEnv::new("plugin-codes").await;
    env.define_job(
        JobDefinition::new("broken")
            .script(RunScript::fails("SystemExit: 3").starting(Duration::ZERO).running(Duration::ZERO)),
    );
    env.define_job(JobDefinition::new("endless").script(endless()));
    let failed = env.glue("run job broken --name broken --wait").await;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.messages.contains("SystemExit: 3"), "{failed:?}");
    let page = env.glue("status gjr/broken").await;
    assert_eq!(page.code, Some(0));
    for part in ["State", "Failed", "SystemExit: 3", "Attempts", "Events"] {
        assert!(page.data.contains(part), "{part} is not in {}", page.data);
    }
    assert_eq!(env.glue("run job endless --name slow").await.code, Some(0));
    env.wait_for_phase("slow", Phase::Running).await;
    let over = env.glue("wait gjr/slow gjr/broken --timeout 1s").await;
    assert_eq!(over.code, Some(4), "{over:?}");
    // Without a terminal there is no progress line: what it waits for is said once.
    assert_eq!(over.messages.matches("gluejobrun.kube-glue.dev/slow is Running").count(), 1, "{over:?}");
    let top = env.glue("top").await;
    assert!(top.data.contains("gjr/slow") && !top.data.contains("broken"), "{top:?}");
    let wait = tokio::spawn(env.plugin("wait gjr/slow").output());
    assert_eq!(env.glue("stop gjr/slow").await.code, Some(0));
    let stopped =
        Printed::from(timeout(WAIT_TIMEOUT, wait).await.expect("an end").expect("a task").expect("the plugin"));
    assert_eq!(stopped.code, Some(3), "{stopped:?}");
    // The weightiest end of several counts, and each is shown.
    let both = env.glue("wait gjr/slow gjr/broken gjr/nobody").await;
    assert_eq!(both.code, Some(5), "{both:?}");
    assert!(both.data.contains("slow Stopped") && both.data.contains("broken Failed"), "{both:?}");
    assert!(both.messages.contains("gluejobrun.kube-glue.dev/nobody does not exist"), "{both:?}");
    for (line, part) in [
        ("wait pod/a", "no kind `pod`: use one of gjr"),
        ("rerun gtr/a", "gluetrigger.kube-glue.dev/a does not exist"),
        ("run job etl --arg day", "write KEY=VALUE"),
        ("stop gconn/a", "is no run"),
    ] {
        let wrong = env.glue(line).await;
        assert!(matches!(wrong.code, Some(2 | 5)) && wrong.messages.contains(part), "{line}: {wrong:?}");
    }
}

#[tokio::test]
async fn runs_are_suspended_resumed_and_deleted_and_triggers_are_fired() {
    let env = TestEnv::new("plugin-edit").await;
    env.create_endless_run(json!({})).await;
    assert_eq!(env.glue("suspend gjr/one").await.code, Some(0));
    env.wait_for_phase("one", Phase::Suspended).await;
    assert_eq!(env.glue("resume gjr one").await.code, Some(0));
    let run = env.wait_for_phase("one", Phase::Running).await;
    let deleted = env.glue("delete --orphan gjr/one").await;
    assert_eq!(deleted.data, "gluejobrun.kube-glue.dev/one deleted\n");
    env.wait_deleted(&run).await;
    let live = env.glue_runs("endless").into_iter().find(|live| live["Id"].as_str() == run_id(&run));
    assert_eq!(live.expect("the run")["JobRunState"], "RUNNING");
    env.objects::<GlueTrigger>().create("nightly", json!({ "triggerName": "nightly" })).await;
    assert_eq!(env.glue("fire gtr/nightly --value two").await.code, Some(0));
    let trigger = env.objects::<GlueTrigger>().api.get("nightly").await.expect("the trigger");
    assert_eq!(trigger.spec.fire.as_deref(), Some("two"));
}
