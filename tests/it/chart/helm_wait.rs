//! `helm install --wait` of an application whose chart has a run: it returns when the run has succeeded, and fails at once, with
//! our message, when it has failed. Helm knows neither kind.

use std::fs;
use std::path::Path;
use std::time::Instant;

use kube_glue::api::run::Phase;
use kube_glue::api::{GlueJobRun, GlueWorkflowRun};
use kube_glue::controllers::runtime::kind::Kind;
use kube_glue_double::{DEFAULT_ACCOUNT, JobDefinition, Outcome};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Installed, manifest};
use crate::harness::{REGION, STEP, WAIT_TIMEOUT, status, stepwise};

/// What a job says when it fails.
const MESSAGE: &str = "no such bucket";

/// How the runs of a kind are asked for.
struct Case {
    /// The field of the spec that names the job or workflow.
    target: &'static str,
    /// What the names of the application's releases begin with.
    release: &'static str,
    /// The operation that polls one run.
    poll: &'static str,
}

/// Each kind whose objects run something that can fail by its own work.
pub(super) async fn of_every_kind(installed: &Installed) {
    for (name, outcome) in [("steps", Outcome::Succeeded), ("fails", Outcome::Failed(MESSAGE.to_owned()))] {
        installed.job(JobDefinition::new(name).max_concurrent_runs(9).script(stepwise(outcome)));
        let trigger = json!({"Name": name, "WorkflowName": name, "Type": "ON_DEMAND", "Actions": [{"JobName": name}]});
        for (operation, body) in [("CreateWorkflow", json!({"Name": name})), ("CreateTrigger", trigger)] {
            installed.double.call(DEFAULT_ACCOUNT, REGION, operation, &body).expect(operation);
        }
    }
    let job = Case { target: "jobName", release: "app", poll: "GetJobRun" };
    let workflow = Case { target: "workflowName", release: "daily", poll: "GetWorkflowRun" };
    wait_returns_when_the_run_has_succeeded::<GlueJobRun>(installed, &job).await;
    wait_fails_at_once_when_the_run_has_failed::<GlueJobRun>(installed, &job).await;
    wait_returns_when_the_run_has_succeeded::<GlueWorkflowRun>(installed, &workflow).await;
    wait_fails_at_once_when_the_run_has_failed::<GlueWorkflowRun>(installed, &workflow).await;
}

async fn wait_returns_when_the_run_has_succeeded<K: Kind>(installed: &Installed, case: &Case) {
    installed.double.clock().hold();
    let (chart, name) = (application::<K>(case.release, &json!({case.target: "steps"})), case.release);
    let install = installed.plane.helm(["install", name, &chart, "--wait", "--timeout", "2m"]).output();
    let mut install = tokio::spawn(install);
    installed.wait_until_of::<K>(name, |run| status(run)["runId"].is_string()).await;
    installed.double.clock().step(STEP);
    installed.wait_until_of::<K>(name, |run| is_in(run, Phase::Running)).await;
    let begun = installed.double.requests().count(case.poll);
    let polls = installed.double.requests().wait_for_count(case.poll, begun + 5);
    timeout(WAIT_TIMEOUT, polls).await.expect("five polls of the run");
    assert!(!install.is_finished(), "helm returned while the run was running");
    installed.double.clock().step(STEP);
    let output = timeout(WAIT_TIMEOUT, &mut install).await.expect("helm's end").expect("a task").expect("helm");
    assert!(output.status.success(), "{}", output.stderr);
    let run = installed.wait_until_of::<K>(name, |_| true).await;
    assert!(is_in(&run, Phase::Succeeded), "{run:?}");
    installed.double.clock().resume();
}

async fn wait_fails_at_once_when_the_run_has_failed<K: Kind>(installed: &Installed, case: &Case) {
    let begun = Instant::now();
    installed.double.clock().set_speed(60.0);
    let name = format!("{}-broken", case.release);
    let chart = application::<K>(&name, &json!({case.target: "fails"}));
    let install = installed.plane.helm(["install", &name, &chart, "--wait", "--timeout", "5m"]).output();
    let output = timeout(WAIT_TIMEOUT, install).await.expect("helm's end before its own timeout").expect("helm");
    assert!(!output.status.success());
    assert!(output.stderr.contains(MESSAGE), "after {:?}: {}", begun.elapsed(), output.stderr);
    installed.double.clock().set_speed(1.0);
}

fn is_in<K: Kind>(run: &K, phase: Phase) -> bool {
    status(run)["phase"] == json!(phase)
}

/// Writes an application's chart with one object of kind `K`, and returns its folder.
fn application<K: Kind>(name: &str, spec: &Value) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("charts").join(name);
    fs::create_dir_all(folder.join("templates")).expect("a folder");
    let chart = format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\n");
    fs::write(folder.join("Chart.yaml"), chart).expect("a file");
    fs::write(folder.join("templates/run.yaml"), manifest::<K>(name, spec)).expect("a file");
    folder.to_str().expect("a path").to_owned()
}
