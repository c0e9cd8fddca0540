//! The controller with the chart's RBAC in one namespace, and its report of a missing permission.

use k8s_openapi::api::rbac::v1::Role;
use kube::api::{ListParams, PostParams};
use kube::{Api, ResourceExt};
use kube_glue::api::run::Phase;
use kube_glue_testbed::SET_IMAGE;
use serde_json::json;

use crate::harness::TestEnv;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/kube-glue");

/// Applies the RBAC that the chart renders with these values.
async fn grant(env: &TestEnv, values: &str) {
    let set = format!("{SET_IMAGE},watchNamespaces={{{}}},rbac.aggregateToDefaultRoles=false,{values}", env.namespace);
    let parts = ["-s", "templates/rbac.yaml", "-s", "templates/serviceaccount.yaml"];
    let template = env.plane.helm(["template", "kube-glue", CHART, "-n", &env.namespace, "--set", &set]);
    let manifest = template.args(parts).await.expect("the chart").stdout;
    env.plane.kubectl(["apply", "-n", &env.namespace, "-f", "-"]).input(manifest).await.expect("the RBAC");
}

#[tokio::test]
async fn readyz_names_a_forbidden_watch_with_the_remedy_and_recovers() {
    let mut env = TestEnv::with_credentials("denied").await;
    // The RBAC is for --watch-secrets=false, the controller runs with the default.
    grant(&env, "credentials.watchSecrets=false").await;
    env.kubeconfig = env.plane.kubeconfig_as(&env.namespace, "kube-glue").await.expect("a kubeconfig");
    env.start_controller();
    env.create_run("one", "etl", json!({})).await;
    let denied = format!("watches: secrets in namespace {} cannot be listed: secrets is forbidden", env.namespace);
    env.wait_for_log("it", &denied).await;
    let (status, text) = env.readyz().await;
    assert!(status.contains("503"), "{status}");
    let texts = [
        format!("[-] watches: secrets in namespace {} cannot be listed: ", env.namespace),
        "secrets is forbidden: User".to_owned(),
        "allow list and watch on secrets".to_owned(),
        "--watch-secrets=false".to_owned(),
    ];
    for part in texts {
        assert!(text.contains(&part), "{part:?} is not in {text}");
    }
    grant(&env, "credentials.watchSecrets=true").await;
    env.wait_finished("one", Phase::Succeeded).await;
    // The watches of the other kinds may take longer than the run.
    env.wait_for_log("it", "watches: all listed").await;
    let (status, text) = env.readyz().await;
    assert!(status.contains("200") && text.contains("[+] watches: all listed"), "{status} {text}");
}

#[tokio::test]
async fn sigterm_ends_a_controller_whose_watches_have_not_listed() {
    let mut env = TestEnv::with_credentials("unlisted").await;
    grant(&env, "credentials.watchSecrets=true").await;
    let roles: Api<Role> = Api::namespaced(env.client.clone(), &env.namespace);
    for mut role in roles.list(&ListParams::default()).await.expect("the roles") {
        for rule in role.rules.iter_mut().flatten() {
            rule.resources.iter_mut().for_each(|resources| resources.retain(|name| !name.starts_with("gluetriggers")));
        }
        role.metadata.managed_fields = None;
        roles.replace(&role.name_any(), &PostParams::default(), &role).await.expect("the role");
    }
    env.kubeconfig = env.plane.kubeconfig_as(&env.namespace, "kube-glue").await.expect("a kubeconfig");
    env.start_controller();
    env.wait_for_log("it", "watches: GlueTrigger in namespace").await;
    env.wait_for_log("it", "cannot be listed").await;
    let status = env.terminate_controller("it").await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_kind_that_is_switched_off_needs_neither_rights_nor_a_definition() {
    let mut env = TestEnv::with_credentials("kinds").await;
    grant(&env, "kinds={GlueJobRun}").await;
    let roles: Api<Role> = Api::namespaced(env.client.clone(), &env.namespace);
    let granted =
        roles.list(&ListParams::default()).await.expect("the roles").into_iter().filter_map(|role| role.rules);
    let resources: Vec<_> = granted.flatten().filter_map(|rule| rule.resources).flatten().collect();
    assert!(resources.contains(&"gluejobruns/status".to_owned()), "{resources:?}");
    let others = ["gluecrawlerruns", "gluetriggers", "glueconnections"];
    assert!(!resources.iter().any(|name| others.iter().any(|other| name.starts_with(other))), "{resources:?}");
    env.kubeconfig = env.plane.kubeconfig_as(&env.namespace, "kube-glue").await.expect("a kubeconfig");
    env.set_flags(&[("--kinds", "GlueJobRun")]);
    env.start_controller();
    env.create_run("one", "etl", json!({})).await;
    env.wait_finished("one", Phase::Succeeded).await;
    let (status, text) = env.readyz().await;
    assert!(status.contains("200") && text.contains("[+] watches: all listed"), "{status} {text}");
}
