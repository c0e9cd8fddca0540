//! The chart as helm installs it, with its RBAC and nothing more, and how helm and kubectl read the objects' status.
//!
//! The chart's controller watches every namespace, so this test has a control plane of its own.

mod helm_wait;
mod releases;
mod values;

use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use kube::runtime::wait::await_condition;
use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue::controllers::runtime::kind::Kind;
use kube_glue_double::{DEFAULT_ACCOUNT, Double, JobDefinition};
use kube_glue_testbed::{ControlPlane, IMAGE, Kubelet, Options, SET_IMAGE, Signal};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{
    REGION, WAIT_TIMEOUT, assert_no_secret_leaked, endless, has_finalizer, is_event_on, merged, phase_of, quick,
    run_id, wait_for_event,
};

/// The namespace that the chart is installed in.
const RELEASE_NAMESPACE: &str = "kube-glue";

/// A cluster with the chart installed, and a Glue.
struct Installed {
    // Dropped in this order: the controller ends before the servers that it calls.
    kubelet: Kubelet,
    double: Double,
    plane: ControlPlane,
}

impl Installed {
    /// The chart in its own namespace, with its defaults and flow control.
    async fn new() -> Self {
        let installed = Self::nothing().await;
        installed.install("glue", RELEASE_NAMESPACE, "flowControl.enabled=true").await;
        installed.credentials("default").await;
        installed
    }

    /// A cluster without the chart.
    async fn nothing() -> Self {
        let plane = ControlPlane::start(Options::default()).await.expect("a control plane");
        let double = Double::start().await.expect("a double");
        let kubelet = Kubelet::builder(&plane)
            .image(IMAGE, env!("CARGO_BIN_EXE_kube-glue"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .start()
            .await
            .expect("a kubelet");
        Self { kubelet, double, plane }
    }

    /// Installs the chart as `release` with these values, and with AWS's endpoint and region and short intervals.
    async fn install(&self, release: &str, namespace: &str, values: &str) {
        let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/kube-glue");
        let values = format!(
            "{SET_IMAGE},aws.endpointUrl={},aws.region={REGION},controller.pollInterval=200ms,controller.pollCallsPerMinute=60000,\
             readinessProbe.periodSeconds=1,{values}",
            self.double.url()
        );
        let install = ["install", release, chart, "--namespace", namespace, "--create-namespace", "--wait"];
        let installed = self.plane.helm(install).args(["--set", &values]).await;
        installed.unwrap_or_else(|error| panic!("{error}\n{}", self.logs()));
    }

    /// Creates the Secret of the namespace.
    async fn credentials(&self, namespace: &str) {
        let key = self.double.default_key();
        let literals = [
            format!("--from-literal=AWS_ACCESS_KEY_ID={}", key.id),
            format!("--from-literal=AWS_SECRET_ACCESS_KEY={}", key.secret),
        ];
        let secret = ["create", "secret", "generic", "kube-glue-credentials", "--namespace", namespace];
        self.plane.kubectl(secret).args(literals).await.expect("the Secret");
    }

    fn job(&self, job: JobDefinition) {
        self.double.define_job(DEFAULT_ACCOUNT, REGION, job);
    }

    async fn apply(&self, name: &str, job: &str) {
        let manifest = job_run(name, job);
        self.plane.kubectl(["apply", "-f", "-"]).input(manifest).await.expect("an object");
    }

    async fn kubectl_wait(&self, name: &str, what: &str) {
        let args = ["wait", "--timeout=60s", what, &format!("gluejobrun/{name}")];
        self.plane.kubectl(args).await.unwrap_or_else(|error| panic!("{error}\n{}", self.logs()));
    }

    async fn wait_until(&self, name: &str, condition: impl Fn(&GlueJobRun) -> bool) -> GlueJobRun {
        self.wait_until_of(name, condition).await
    }

    /// The same for an object of any kind.
    async fn wait_until_of<K: Kind>(&self, name: &str, condition: impl Fn(&K) -> bool) -> K {
        let objects: Api<K> = Api::default_namespaced(self.plane.client().await.expect("a client"));
        let holds = await_condition(objects, name, |object: Option<&K>| object.is_some_and(&condition));
        let object =
            timeout(WAIT_TIMEOUT, holds).await.unwrap_or_else(|_| panic!("{name}: timed out\n{}", self.logs()));
        object.expect("a watch").expect("the object")
    }

    /// Waits for an event with this reason about the object of this name. All earlier events are filed by then.
    async fn wait_for_event_on(&self, name: &str, reason: &str) {
        let events: Api<Event> = Api::default_namespaced(self.plane.client().await.expect("a client"));
        let event = wait_for_event(events, |event| is_event_on(event, name, reason)).await;
        assert!(event.is_some(), "no event with reason {reason} about {name}\n{}", self.logs());
    }

    fn logs(&self) -> String {
        self.kubelet.pods().iter().map(|pod| self.kubelet.logs(&pod.name).unwrap_or_default()).collect()
    }

    fn starts(&self) -> u64 {
        self.double.requests().count("StartJobRun")
    }
}

/// The manifest of a run of a job.
fn job_run(name: &str, job: &str) -> String {
    manifest::<GlueJobRun>(name, &json!({"jobName": job}))
}

/// The manifest of an object of kind `K`.
fn manifest<K: Kind>(name: &str, spec: &Value) -> String {
    let head = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&())});
    merged(head, json!({"metadata": {"name": name}, "spec": spec})).to_string()
}

#[tokio::test]
async fn the_installed_chart_works_with_kubectl_and_helm() {
    let installed = Installed::new().await;
    kubectl_wait_sees_success_and_failure(&installed).await;
    helm_wait::of_every_kind(&installed).await;
    a_restarted_container_continues_with_the_run(&installed).await;
    the_api_server_forbade_no_request(&installed).await;
    requests_have_the_priorities_of_the_chart(&installed).await;
    assert_no_secret_leaked(&installed.plane, &installed.kubelet, &installed.double).await;
    after_an_uninstallation_the_objects_remain_and_can_be_deleted(&installed).await;
}

async fn kubectl_wait_sees_success_and_failure(installed: &Installed) {
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
    installed.wait_for_event_on("bad", "Failed").await;
    let description = installed.plane.kubectl(["describe", "gjr", "bad"]).await.expect("a description").stdout;
    let (_, events) = description.split_once("Events:").expect("events");
    for text in ["Started", "Failed", "boom"] {
        assert!(events.contains(text), "{events}");
    }
    installed.double.clock().set_speed(1.0);
}

async fn a_restarted_container_continues_with_the_run(installed: &Installed) {
    installed.job(JobDefinition::new("endless").script(endless()));
    installed.apply("killed", "endless").await;
    let before = installed.wait_until("killed", |run| phase_of(run) == Some(Phase::Running)).await;
    let starts = installed.starts();
    let pod = installed.kubelet.pods()[0].name.clone();
    installed.kubelet.kill(&pod, Signal::KILL).expect("a kill");
    installed
        .plane
        .kubectl(["patch", "gjr", "killed", "--type=merge", "-p", r#"{"spec":{"stop":true}}"#])
        .await
        .expect("an edit");
    let after = installed.wait_until("killed", |run| phase_of(run) == Some(Phase::Stopped)).await;
    assert_eq!(run_id(&after), run_id(&before));
    assert_eq!(installed.starts(), starts);
}

/// The chart's RBAC allows every request of the controller, by the audit log.
async fn the_api_server_forbade_no_request(installed: &Installed) {
    let entries = installed.plane.audit().entries().await.expect("the audit log");
    let requests: Vec<_> = entries.iter().filter(|entry| entry.user_agent.starts_with("kube-glue/")).collect();
    assert!(requests.iter().any(|entry| entry.resource == "gluejobruns" && entry.verb == "patch"));
    for entry in requests {
        assert_eq!(entry.user, "system:serviceaccount:kube-glue:glue-kube-glue");
        assert_ne!(entry.code, 403, "{entry:?}");
    }
}

/// The API server counts the requests that each flow schema of the chart matched.
async fn requests_have_the_priorities_of_the_chart(installed: &Installed) {
    let metrics = installed.plane.kubectl(["get", "--raw", "/metrics"]).await.expect("the metrics").stdout;
    let matched = |schema: &str, level: &str| {
        let labels = [format!("flow_schema=\"{schema}\""), format!("priority_level=\"{level}\"")];
        let counts = metrics.lines().filter(|line| line.starts_with("apiserver_flowcontrol_dispatched_requests_total"));
        counts.filter(|line| labels.iter().all(|label| line.contains(label))).count()
    };
    assert_eq!(matched("kube-glue-glue-kube-glue-lease", "leader-election"), 1, "{metrics}");
    assert_eq!(matched("kube-glue-glue-kube-glue", "kube-glue-glue-kube-glue"), 1, "{metrics}");
}

async fn after_an_uninstallation_the_objects_remain_and_can_be_deleted(installed: &Installed) {
    // The finalizer is removed right after the end.
    for name in ["good", "bad", "app", "app-broken", "killed"] {
        installed.wait_until(name, |run| !has_finalizer(run)).await;
    }
    installed
        .plane
        .helm(["uninstall", "glue", "--namespace", RELEASE_NAMESPACE, "--wait"])
        .await
        .expect("the uninstallation");
    // Helm waits for the Deployment, not for its Pod.
    installed.kubelet.until("no Pod", WAIT_TIMEOUT, <[_]>::is_empty).await.expect("the Pod's end");
    let runs: Api<GlueJobRun> = Api::default_namespaced(installed.plane.client().await.expect("a client"));
    let before = runs.list(&ListParams::default()).await.expect("a list, since the CRD remains").items;
    assert_eq!(before.len(), 5);
    installed
        .plane
        .kubectl(["delete", "gjr,gwr", "--all", "--timeout=30s"])
        .await
        .expect("a deletion without a controller");
}
