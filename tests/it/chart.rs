//! The chart as helm installs it, with the rights it gives and no others; and what helm and kubectl make of
//! our objects' status.
//!
//! The controller of the chart watches every namespace, so it has a control plane of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use kube::runtime::wait::await_condition;
use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{DEFAULT_ACCOUNT, Double, JobDefinition, Outcome};
use kube_glue_testbed::{ControlPlane, Kubelet, Options, Signal};
use serde_json::json;
use tokio::time::timeout;

use crate::harness::{
    PATIENCE, REGION, STEP, assert_nothing_leaked, is_held, is_told, phase_of, quick, run_id, stepwise, told,
};

const IMAGE: &str = "ghcr.io/kube-glue/kube-glue";
/// Where the chart is installed.
const SYSTEM: &str = "kube-glue";

/// A cluster with the chart in it, and a Glue.
struct Installed {
    // Dropped in this order: the controller goes before what it talks to.
    kubelet: Kubelet,
    double: Double,
    plane: ControlPlane,
}

impl Installed {
    async fn new() -> Self {
        let plane = ControlPlane::start(Options::default()).await.expect("a control plane");
        let double = Double::start().await.expect("a double");
        let kubelet = Kubelet::builder(&plane)
            .image(IMAGE, env!("CARGO_BIN_EXE_kube-glue"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .start()
            .await
            .expect("a kubelet");
        let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/kube-glue");
        // The defaults, and where AWS is; and faster, since nobody wants to wait.
        let values = format!(
            "aws.endpointUrl={},aws.region={REGION},controller.pollInterval=200ms,readinessProbe.periodSeconds=1",
            double.url()
        );
        let install =
            ["install", "glue", chart, "--namespace", SYSTEM, "--create-namespace", "--wait", "--set", &values];
        let installed = plane.helm(install).await;
        let logs: Vec<_> = kubelet.pods().iter().map(|pod| kubelet.logs(&pod.name).unwrap_or_default()).collect();
        installed.unwrap_or_else(|error| panic!("{error}\n{}", logs.join("\n")));
        let key = double.default_key();
        let literals = [
            format!("--from-literal=AWS_ACCESS_KEY_ID={}", key.id),
            format!("--from-literal=AWS_SECRET_ACCESS_KEY={}", key.secret),
        ];
        let secret = ["create", "secret", "generic", "kube-glue-credentials"];
        plane.kubectl(secret).args(literals).await.expect("the Secret");
        Self { kubelet, double, plane }
    }

    fn job(&self, job: JobDefinition) {
        self.double.define_job(DEFAULT_ACCOUNT, REGION, job);
    }

    async fn apply(&self, name: &str, job: &str) {
        let manifest = manifest(name, job);
        self.plane.kubectl(["apply", "-f", "-"]).input(manifest).await.expect("an object");
    }

    async fn kubectl_wait(&self, name: &str, what: &str) {
        let args = ["wait", "--timeout=60s", what, &format!("gluejobrun/{name}")];
        self.plane.kubectl(args).await.unwrap_or_else(|error| panic!("{error}\n{}", self.logs()));
    }

    async fn until(&self, name: &str, condition: impl Fn(&GlueJobRun) -> bool) -> GlueJobRun {
        let runs: Api<GlueJobRun> = Api::default_namespaced(self.plane.client().await.expect("a client"));
        let holds = await_condition(runs, name, |run: Option<&GlueJobRun>| run.is_some_and(&condition));
        let run = timeout(PATIENCE, holds).await.unwrap_or_else(|_| panic!("{name}: in vain\n{}", self.logs()));
        run.expect("a watch").expect("the object")
    }

    /// Waits for an event with this reason about the object of this name, and so for all that were told before it.
    async fn told(&self, name: &str, reason: &str) {
        let events: Api<Event> = Api::default_namespaced(self.plane.client().await.expect("a client"));
        let told = told(events, |event| is_told(event, name, reason)).await;
        assert!(told.is_some(), "there is no event {reason} about {name}\n{}", self.logs());
    }

    fn logs(&self) -> String {
        self.kubelet.pods().iter().map(|pod| self.kubelet.logs(&pod.name).unwrap_or_default()).collect()
    }

    fn starts(&self) -> u64 {
        self.double.requests().count("StartJobRun")
    }
}

fn manifest(name: &str, job: &str) -> String {
    let head = json!({"apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun"});
    let body = json!({"metadata": {"name": name}, "spec": {"jobName": job}});
    crate::harness::merged(head, body).to_string()
}

/// A chart with one GlueJobRun in it, as an application would have it.
fn application(name: &str, job: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("charts").join(name);
    fs::create_dir_all(folder.join("templates")).expect("a folder");
    let chart = format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\n");
    fs::write(folder.join("Chart.yaml"), chart).expect("a file");
    fs::write(folder.join("templates/run.yaml"), manifest(name, job)).expect("a file");
    folder.to_str().expect("a path").to_owned()
}

#[tokio::test]
async fn the_chart_as_installed() {
    let installed = Installed::new().await;
    kubectl_waits_for_the_end(&installed).await;
    helm_waits_while_it_runs_and_until_it_has_succeeded(&installed).await;
    helm_fails_at_once_and_says_why(&installed).await;
    a_killed_container_goes_on_with_the_run(&installed).await;
    nothing_was_forbidden(&installed).await;
    assert_nothing_leaked(&installed.plane, &installed.kubelet, &installed.double).await;
    uninstalling_leaves_the_objects_and_nothing_that_hangs(&installed).await;
}

async fn kubectl_waits_for_the_end(installed: &Installed) {
    installed.job(JobDefinition::new("good").script(quick()));
    let bad = JobDefinition::new("bad").script(kube_glue_double::RunScript::fails("boom").running(Duration::ZERO));
    installed.job(bad);
    installed.double.clock().set_speed(60.0);
    installed.apply("good", "good").await;
    installed.kubectl_wait("good", "--for=condition=Complete").await;
    installed.kubectl_wait("good", "--for=condition=Ready").await;
    installed.kubectl_wait("good", "--for=jsonpath={.status.phase}=Succeeded").await;
    installed.apply("bad", "bad").await;
    installed.kubectl_wait("bad", "--for=condition=Failed").await;
    let table = installed.plane.kubectl(["get", "gluejobruns"]).await.expect("a table").stdout;
    let bad = table.lines().find(|line| line.contains("bad")).expect("a line");
    assert_eq!(bad.split_whitespace().take(3).collect::<Vec<_>>(), ["bad", "bad", "Failed"], "{table}");
    installed.told("bad", "Failed").await;
    let told = installed.plane.kubectl(["describe", "gjr", "bad"]).await.expect("words").stdout;
    let (_, events) = told.split_once("Events:").expect("events");
    for words in ["Started", "Failed", "boom"] {
        assert!(events.contains(words), "{events}");
    }
    installed.double.clock().set_speed(1.0);
}

async fn helm_waits_while_it_runs_and_until_it_has_succeeded(installed: &Installed) {
    installed.job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    installed.double.clock().hold();
    let chart = application("app", "steps");
    let install = installed.plane.helm(["install", "app", &chart, "--wait", "--timeout", "2m"]).output();
    let mut install = tokio::spawn(install);
    installed.until("app", |run| run_id(run).is_some()).await;
    installed.double.clock().step(STEP);
    installed.until("app", |run| phase_of(run) == Some(Phase::Running)).await;
    let begun = installed.double.requests().count("GetJobRun");
    let polls = installed.double.requests().wait_for_count("GetJobRun", begun + 5);
    timeout(PATIENCE, polls).await.expect("it is followed");
    assert!(!install.is_finished(), "helm does not wait for a run that is running");
    installed.double.clock().step(STEP);
    let output = timeout(PATIENCE, &mut install).await.expect("helm ends").expect("a task").expect("helm");
    assert!(output.status.success(), "{}", output.stderr);
    let run = installed.until("app", |_| true).await;
    assert_eq!(phase_of(&run), Some(Phase::Succeeded));
    installed.double.clock().resume();
}

async fn helm_fails_at_once_and_says_why(installed: &Installed) {
    let begun = Instant::now();
    let chart = application("broken", "bad");
    installed.double.clock().set_speed(60.0);
    let install = installed.plane.helm(["install", "broken", &chart, "--wait", "--timeout", "5m"]).output();
    let output = timeout(PATIENCE, install).await.expect("long before its own timeout").expect("helm");
    assert!(!output.status.success());
    assert!(output.stderr.contains("boom"), "after {:?}: {}", begun.elapsed(), output.stderr);
    installed.double.clock().set_speed(1.0);
}

async fn a_killed_container_goes_on_with_the_run(installed: &Installed) {
    installed.job(JobDefinition::new("endless").script(crate::harness::endless()));
    installed.apply("killed", "endless").await;
    let before = installed.until("killed", |run| phase_of(run) == Some(Phase::Running)).await;
    let starts = installed.starts();
    let pod = installed.kubelet.pods()[0].name.clone();
    installed.kubelet.kill(&pod, Signal::KILL).expect("a kill");
    installed
        .plane
        .kubectl(["patch", "gjr", "killed", "--type=merge", "-p", r#"{"spec":{"stop":true}}"#])
        .await
        .expect("an edit");
    let after = installed.until("killed", |run| phase_of(run) == Some(Phase::Stopped)).await;
    assert_eq!(run_id(&after), run_id(&before));
    assert_eq!(installed.starts(), starts);
}

/// What the controller asked of the API server, it was allowed to.
async fn nothing_was_forbidden(installed: &Installed) {
    let entries = installed.plane.audit().entries().await.expect("the audit log");
    let ours: Vec<_> = entries.iter().filter(|entry| entry.user_agent.starts_with("kube-glue/")).collect();
    assert!(ours.iter().any(|entry| entry.resource == "gluejobruns" && entry.verb == "patch"));
    for entry in ours {
        assert_eq!(entry.user, "system:serviceaccount:kube-glue:glue-kube-glue");
        assert_ne!(entry.code, 403, "{entry:?}");
    }
}

async fn uninstalling_leaves_the_objects_and_nothing_that_hangs(installed: &Installed) {
    // What has ended is let go right afterwards.
    for name in ["good", "bad", "app", "broken", "killed"] {
        installed.until(name, |run| !is_held(run)).await;
    }
    installed.plane.helm(["uninstall", "glue", "--namespace", SYSTEM, "--wait"]).await.expect("an uninstallation");
    // Helm waits for the Deployment; its Pod ends in its own time.
    installed.kubelet.until("no Pod", PATIENCE, <[_]>::is_empty).await.expect("the Pod's end");
    let runs: Api<GlueJobRun> = Api::default_namespaced(installed.plane.client().await.expect("a client"));
    let before = runs.list(&ListParams::default()).await.expect("the CRD is kept").items;
    assert_eq!(before.len(), 5);
    installed.plane.kubectl(["delete", "gjr", "--all", "--timeout=30s"]).await.expect("they go without a controller");
}
