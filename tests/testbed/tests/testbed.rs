//! The tests of the test bed: control plane, audit log, kubelet, and that no process or file is left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, test_kill_process};

use kube_glue_testbed::{ControlPlane, Error, Kubelet, Options, RunningPod, Signal};

const WIDGETS: &str = r#"{
  "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
  "metadata": { "name": "widgets.kube-glue.dev" },
  "spec": { "group": "kube-glue.dev", "scope": "Namespaced",
    "names": { "plural": "widgets", "singular": "widget", "kind": "Widget" },
    "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": {
      "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }] }
}"#;

#[tokio::test]
async fn kubectl_helm_and_the_audit_log_work_on_the_shared_control_plane() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace("audit").await.unwrap();
    plane.kubectl(["apply", "-f", "-"]).input(WIDGETS).await.unwrap();
    plane.kubectl(["wait", "crd/widgets.kube-glue.dev", "--for=condition=Established"]).await.unwrap();
    discovered(plane, "widgets").await;
    let widget = r#"{ "apiVersion": "kube-glue.dev/v1", "kind": "Widget", "metadata": { "name": "one" } }"#;
    plane.kubectl(["create", "-n", &namespace, "-f", "-"]).input(widget).await.unwrap();
    plane.kubectl(["label", "-n", &namespace, "widget/one", "a=b"]).await.unwrap();

    let writes = plane.audit().writes("widgets", &namespace, "one").await.unwrap();
    let seen: Vec<_> = writes.iter().map(|w| (w.verb.as_str(), w.code, w.user.as_str())).collect();
    assert_eq!(seen, [("create", 201, "admin"), ("patch", 200, "admin")]);

    let helm = plane.helm(["list", "--all-namespaces", "--output", "json"]).await.unwrap();
    assert_eq!(helm.stdout.trim(), "[]");
    let refused = plane.kubectl(["get", "pod", "missing"]).await.unwrap_err();
    assert!(matches!(&refused, Error::Command { stderr, .. } if stderr.contains("NotFound")), "{refused}");

    let unprivileged = plane.client_as(&namespace, "default").await.unwrap();
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> = kube::Api::namespaced(unprivileged, &namespace);
    let forbidden = pods.list(&kube::api::ListParams::default()).await.unwrap_err();
    assert!(matches!(forbidden, kube::Error::Api(status) if status.code == 403));
    plane.kubectl(["delete", "namespace", &namespace, "--timeout=60s"]).await.unwrap();
}

/// Waits until kubectl discovers a resource. The API server updates discovery after the CRD is Established, without
/// an event to wait for.
async fn discovered(plane: &ControlPlane, plural: &str) {
    let begun = Instant::now();
    loop {
        // It fails while the group is not fully registered.
        let list = plane.kubectl(["api-resources", "--api-group=kube-glue.dev", "--output=name"]);
        let known = list.output().await.unwrap().stdout;
        if known.contains(plural) {
            return;
        }
        assert!(begun.elapsed() < LIMIT, "kubectl discovers only {known:?}");
    }
}

/// Whether the process runs.
fn runs(pid: u32) -> bool {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    test_kill_process(pid).is_ok()
}

async fn small_plane() -> ControlPlane {
    let options = Options { controller_manager: false, ..Options::default() };
    ControlPlane::start(options).await.unwrap()
}

#[tokio::test]
async fn a_dropped_control_plane_leaves_no_process_and_no_file() {
    let plane = small_plane().await;
    let (pids, folder) = (plane.pids(), plane.folder().to_path_buf());
    assert!(pids.iter().copied().all(runs));
    drop(plane);
    assert!(!pids.iter().copied().any(runs));
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_restarted_api_server_has_its_data_and_its_address() {
    let mut plane = small_plane().await;
    let (before, server) = (plane.pids(), plane.server().to_owned());
    let namespace = plane.namespace("kept").await.unwrap();
    plane.restart_api_server().await.unwrap();
    plane.kubectl(["get", "namespace", &namespace]).await.unwrap();
    assert_eq!(plane.server(), server);
    assert_eq!(plane.pids().iter().filter(|pid| before.contains(pid)).count(), before.len() - 1);
}

#[test]
fn a_control_plane_ends_when_its_process_is_killed() {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "helper_runs_a_control_plane_until_it_is_killed", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines().map(Result::unwrap);
    let held = lines.find_map(|line| line.strip_prefix("held: ").map(str::to_owned)).unwrap();
    let (folder, pids) = held.split_once(' ').unwrap();
    let pids: Vec<u32> = pids.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert!(pids.iter().copied().all(runs));
    holder.kill().unwrap();
    holder.wait().unwrap();
    let killed = Instant::now();
    while pids.iter().copied().any(runs) || std::fs::exists(folder).unwrap() {
        assert!(killed.elapsed() < LIMIT, "a process or file of {held} is left");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
#[ignore = "a_control_plane_ends_when_its_process_is_killed runs and kills it"]
async fn helper_runs_a_control_plane_until_it_is_killed() {
    let plane = small_plane().await;
    let pids: Vec<String> = plane.pids().iter().map(u32::to_string).collect();
    println!("held: {} {}", plane.folder().display(), pids.join(" "));
    std::future::pending::<()>().await;
}

const DEPLOYMENT: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: { name: app }
---
apiVersion: v1
kind: Secret
metadata: { name: keys }
stringData: { key: s3 }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: app }
spec:
  selector: { matchLabels: { app: app } }
  template:
    metadata: { labels: { app: app } }
    spec:
      serviceAccountName: app
      terminationGracePeriodSeconds: 5
      containers:
      - name: app
        image: example.com/app:1.0
        command: [/app, one]
        args: ["--name=$(POD_NAME)"]
        env:
        - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
        - { name: SECRET, valueFrom: { secretKeyRef: { name: keys, key: key } } }
        readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 1 }
        livenessProbe: { httpGet: { path: /live, port: 8080 }, periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 1 }
"#;

const LIMIT: Duration = Duration::from_secs(30);

/// The restarts of the first Pod's container, and whether the Pod is ready.
fn seen(pods: &[RunningPod]) -> Option<(u32, bool)> {
    let pod = pods.first()?;
    Some((pod.containers["app"].restarts, pod.ready))
}

#[tokio::test]
async fn a_deployment_runs_as_local_processes_until_its_namespace_is_deleted() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace("pods").await.unwrap();
    let kubelet = Kubelet::builder(plane)
        .namespace(&namespace)
        .image("example.com/app", env!("CARGO_BIN_EXE_test-pod"))
        .env("EXTRA", "more")
        .start()
        .await
        .unwrap();
    plane.kubectl(["apply", "-n", &namespace, "-f", "-"]).input(DEPLOYMENT).await.unwrap();
    plane.kubectl(["rollout", "status", "-n", &namespace, "deployment/app", "--timeout=30s"]).await.unwrap();
    let name = kubelet.pods()[0].name.clone();
    let logs = kubelet.logs(&name).unwrap();
    assert!(logs.contains(&format!("args=[\"one\", \"--name={name}\"]")), "{logs}");
    assert!(logs.contains(&format!("pod={name} secret=s3 extra=more")), "{logs}");

    // The Pod authenticates as its own ServiceAccount.
    let kubeconfig = logs.split("kubeconfig=").nth(1).unwrap().lines().next().unwrap().to_owned();
    let whoami = plane
        .kubectl(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", "--kubeconfig", &kubeconfig])
        .await
        .unwrap();
    assert_eq!(whoami.stdout, format!("system:serviceaccount:{namespace}:app"));

    assert_eq!(kubelet.get(&name, "/unready").await.unwrap().0, 200);
    kubelet.until("an unready pod", LIMIT, |pods| seen(pods) == Some((0, false))).await.unwrap();
    kubelet.kill(&name, Signal::KILL).unwrap();
    let restarted = kubelet.until("a restart by SIGKILL", LIMIT, |pods| seen(pods) == Some((1, true))).await;
    restarted.unwrap_or_else(|error| panic!("{error}\n{}", kubelet.logs(&name).unwrap()));
    assert_eq!(kubelet.get(&name, "/die").await.unwrap().0, 200);
    kubelet.until("a restart by its probe", LIMIT, |pods| seen(pods) == Some((2, true))).await.unwrap();
    let status = plane
        .kubectl(["wait", "-n", &namespace, &format!("pod/{name}"), "--timeout=30s"])
        .args(["--for=jsonpath={.status.containerStatuses[0].restartCount}=2"])
        .await;
    status.unwrap();
    assert_eq!(kubelet.logs(&name).unwrap().matches("args=").count(), 3);

    plane.kubectl(["delete", "namespace", &namespace, "--timeout=60s"]).await.unwrap();
    kubelet.until("no pods", LIMIT, <[_]>::is_empty).await.unwrap();
}
