//! `kubectl glue`: the real binary against the real API server, beside a controller.

mod workflows;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use kube_glue::api::GlueTrigger;
use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, RunScript};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{TestEnv, WAIT_TIMEOUT, endless, run_id};

/// What a command printed, and its exit code.
#[derive(Debug)]
struct Printed {
    code: Option<i32>,
    data: String,
    messages: String,
}

impl From<Output> for Printed {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), data: text(&output.stdout), messages: text(&output.stderr) }
    }
}

impl TestEnv {
    /// The plugin in the test's namespace.
    fn plugin(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-glue"));
        command.args(line.split_whitespace()).args(["--namespace", &self.namespace]);
        command.env("KUBECONFIG", &self.kubeconfig).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    async fn glue(&self, line: &str) -> Printed {
        let output = timeout(WAIT_TIMEOUT, self.plugin(line).output()).await.expect("an end").expect("the plugin");
        output.into()
    }
}

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

#[tokio::test]
async fn without_rights_or_a_cluster_the_message_says_what_was_tried() {
    let mut env = TestEnv::without_controller("plugin-denied").await;
    env.plane.kubectl(["create", "serviceaccount", "nobody", "-n", &env.namespace]).await.expect("an account");
    let administrator = env.kubeconfig.clone();
    env.kubeconfig = env.plane.kubeconfig_as(&env.namespace, "nobody").await.expect("a kubeconfig");
    for line in ["wait gjr/one", "run job etl", "status gjr/one", "top", "stop gjr/one"] {
        let denied = env.glue(line).await;
        assert_eq!(denied.code, Some(6), "{line}: {denied:?}");
        assert!(denied.messages.contains("is forbidden: User"), "{line}: {denied:?}");
    }
    env.kubeconfig = PathBuf::from("/nonexistent/config");
    let none = env.glue("top").await;
    assert_eq!(none.code, Some(6), "{none:?}");
    assert!(none.messages.contains("kubeconfig"), "{none:?}");
    env.kubeconfig = administrator;
    let wrong = env.glue("top --context elsewhere").await;
    assert!(wrong.code == Some(6) && wrong.messages.contains("elsewhere"), "{wrong:?}");
}

#[tokio::test]
async fn ctrl_c_leaves_the_run_alone_and_a_closed_pipe_is_no_error() {
    let env = TestEnv::new("plugin-signals").await;
    env.define_job(JobDefinition::new("endless").script(endless()));
    let mut child =
        env.plugin("run job endless --wait -o name").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let name = lines.next_line().await.unwrap().expect("the name of the run");
    let name = name.strip_prefix("gluejobrun.kube-glue.dev/").expect("a name").to_owned();
    env.wait_for_phase(&name, Phase::Running).await;
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().unwrap().to_string()]).status().unwrap();
    assert!(sent.success());
    let end = Printed::from(timeout(WAIT_TIMEOUT, child.wait_with_output()).await.expect("an end").unwrap());
    assert_eq!(end.code, Some(130), "{end:?}");
    assert!(end.messages.contains("goes on"), "{end:?}");
    let run = env.job_runs().get(&name).await.expect("the run");
    assert!(run.spec.policy.stop.is_none() && run.metadata.deletion_timestamp.is_none());
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let closed = env.plugin("explain").stdout(writer).stderr(Stdio::piped()).output().await.expect("the plugin");
    let closed = Printed::from(closed);
    assert_eq!((closed.code, closed.messages.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn kubectl_finds_the_plugin_by_its_name_and_completes_its_line() {
    let env = TestEnv::without_controller("plugin-kubectl").await;
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["kubectl-glue", "kubectl_complete-glue"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-glue"), folder.path().join(name)).expect("a link");
    }
    let mut path = OsString::from(folder.path());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let shown = env.plane.kubectl(["glue", "explain", "notfound"]).env("PATH", &path).await.expect("the plugin");
    assert!(shown.stdout.starts_with("NotFound\n") && shown.stdout.contains("Remedy"), "{}", shown.stdout);
    env.create_run("nightly", "etl", json!({})).await;
    let name = &env.namespace;
    for (line, expected) in [
        (format!("glue wait -n {name} gjr/n"), "gjr/nightly\n:4\n"),
        ("glue expla".to_owned(), "explain\n:4\n"),
        ("glue stop gj".to_owned(), "gjr/\n:6\n"),
    ] {
        let words = std::iter::once("__complete").chain(line.split(' '));
        let completed = env.plane.kubectl(words).env("PATH", &path).await.expect("the completion");
        assert!(completed.stdout.starts_with(expected), "{line}: {}", completed.stdout);
    }
}
