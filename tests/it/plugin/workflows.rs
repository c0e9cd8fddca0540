//! Workflows: run, waited for, run again with another property, resumed where they failed.

use std::time::Duration;

use kube_glue::api::GlueWorkflowRun;
use kube_glue_double::{JobDefinition, Outcome, RunScript};
use serde_json::json;

use crate::harness::{TestEnv, status};

/// The workflow `daily` with one job, whose first run ends by itself as `first` says.
fn define(env: &TestEnv, first: RunScript) {
    let script = first.starting(Duration::ZERO).running(Duration::ZERO).then(Outcome::Succeeded);
    env.define_job(JobDefinition::new("load").max_concurrent_runs(9).script(script));
    env.call_glue("CreateWorkflow", &json!({"Name": "daily", "DefaultRunProperties": {"mode": "full"}}));
    let trigger = json!({"Name": "go", "WorkflowName": "daily", "Type": "ON_DEMAND", "Actions": [{"JobName": "load"}]});
    env.call_glue("CreateTrigger", &trigger);
}

#[tokio::test]
async fn a_workflow_is_run_waited_for_and_run_again_with_another_property() {
    let env = TestEnv::new("plugin-gwr").await;
    define(&env, RunScript::succeeds());
    let run = env.glue("run workflow daily --arg day=monday --arg --who=me --wait -o name").await;
    assert_eq!(run.code, Some(0), "{run:?}");
    let lines: Vec<_> = run.data.lines().collect();
    let name = lines[0].strip_prefix("glueworkflowrun.kube-glue.dev/").expect("a name");
    assert!(name.starts_with("daily-"), "{name}");
    assert_eq!(lines[1], format!("glueworkflowrun.kube-glue.dev/{name} Succeeded"));
    let again = env.glue(&format!("rerun gwr/{name} --arg day=tuesday --wait")).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    let last = env.glue("run workflow daily --last --dry-run -o yaml").await;
    assert!(last.data.contains("day: tuesday") && last.data.contains("generateName: daily-"), "{last:?}");
    let starts = env.double.requests().of("StartWorkflowRun");
    let given: Vec<_> = starts.iter().map(|start| start.field("RunProperties").expect("properties")).collect();
    let properties = |given: &serde_json::Value| (given["day"].clone(), given["who"].clone());
    let expected = [(json!("monday"), json!("me")), (json!("tuesday"), json!("me"))];
    assert_eq!(given.iter().map(properties).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn the_exit_code_of_a_workflow_with_a_failed_job_is_1_and_what_it_does_not_take_is_said() {
    let env = TestEnv::new("plugin-gwr-codes").await;
    define(&env, RunScript::fails("SystemExit: 3"));
    let failed = env.glue("run workflow daily --name one --wait").await;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.messages.contains("job load (FAILED: SystemExit: 3)"), "{failed:?}");
    let page = env.glue("status gwr/one").await;
    assert!(page.code == Some(0) && page.data.contains("job load (FAILED: SystemExit: 3)"), "{page:?}");
    let runs = env.objects::<GlueWorkflowRun>();
    runs.patch_spec("one", json!({"resume": "once"})).await;
    let is_resumed = |object: &GlueWorkflowRun| status(object)["attempts"][1]["id"].is_string();
    runs.wait_until("one", "it is resumed", is_resumed).await;
    let resumed = env.glue("wait gwr/one").await;
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    // A new run is of the whole workflow.
    let again = env.glue("rerun gwr/one --dry-run -o yaml").await;
    assert!(again.code == Some(0) && !again.data.contains("resume"), "{again:?}");
    for line in ["run workflow daily --workers G.1X:2", "rerun gwr/one --timeout-minutes 5"] {
        let wrong = env.glue(line).await;
        assert!(wrong.code == Some(2) && wrong.messages.contains("only a job takes workers"), "{line}: {wrong:?}");
    }
    let wrong = env.glue("run crawler raw --arg day=monday").await;
    assert!(wrong.code == Some(2) && wrong.messages.contains("only a job and a workflow take --arg"), "{wrong:?}");
}
