//! The bed itself: it starts, counts writes, and leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use kube_glue_bed::{ControlPlane, Error, Options};

const POLICY: &str = r#"{
  "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
  "metadata": { "name": "things.kube-glue.dev" },
  "spec": { "group": "kube-glue.dev", "scope": "Namespaced",
    "names": { "plural": "things", "singular": "thing", "kind": "Thing" },
    "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": {
      "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }] }
}"#;

#[tokio::test]
async fn kubectl_helm_and_the_audit_log_work_on_a_shared_plane() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace("audit").await.unwrap();
    plane
        .kubectl(["apply", "-f", "-"])
        .input(POLICY)
        .await
        .unwrap();
    plane
        .kubectl([
            "wait",
            "crd/things.kube-glue.dev",
            "--for=condition=Established",
        ])
        .await
        .unwrap();
    let thing =
        r#"{ "apiVersion": "kube-glue.dev/v1", "kind": "Thing", "metadata": { "name": "one" } }"#;
    plane
        .kubectl(["create", "-n", &namespace, "-f", "-"])
        .input(thing)
        .await
        .unwrap();
    plane
        .kubectl(["label", "-n", &namespace, "thing/one", "a=b"])
        .await
        .unwrap();

    let writes = plane
        .audit()
        .writes("things", &namespace, "one")
        .await
        .unwrap();
    let seen: Vec<_> = writes
        .iter()
        .map(|w| (w.verb.as_str(), w.code, w.user.as_str()))
        .collect();
    assert_eq!(seen, [("create", 201, "admin"), ("patch", 200, "admin")]);

    let helm = plane
        .helm(["list", "--all-namespaces", "--output", "json"])
        .await
        .unwrap();
    assert_eq!(helm.stdout.trim(), "[]");
    let refused = plane.kubectl(["get", "pod", "nobody"]).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Command { stderr, .. } if stderr.contains("NotFound")),
        "{refused}"
    );

    let nobody = plane.client_as(&namespace, "default").await.unwrap();
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> =
        kube::Api::namespaced(nobody, &namespace);
    let forbidden = pods
        .list(&kube::api::ListParams::default())
        .await
        .unwrap_err();
    assert!(matches!(forbidden, kube::Error::Api(status) if status.code == 403));
    plane
        .kubectl(["delete", "namespace", &namespace, "--timeout=60s"])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_dropped_plane_leaves_no_process_and_no_file() {
    let options = Options {
        controller_manager: false,
        ..Options::default()
    };
    let plane = ControlPlane::start(options).await.unwrap();
    let (pids, folder) = (plane.pids(), plane.folder().to_path_buf());
    drop(plane);
    for pid in pids {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        assert!(
            rustix::process::test_kill_process(pid).is_err(),
            "{pid:?} still runs"
        );
    }
    assert!(!folder.exists());
}
