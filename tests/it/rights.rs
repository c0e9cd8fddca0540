//! The controller with the chart's rights in one namespace, and what it says where one is missing.

use kube_glue::api::run::Phase;
use serde_json::json;

use crate::harness::{DEFAULT_SECRET, World};

/// Gives the controller the rights that the chart renders with these values.
async fn grant(world: &World, values: &str) {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/kube-glue");
    let set = format!("watchNamespaces={{{}}},rbac.aggregateToDefaultRoles=false,{values}", world.namespace);
    let parts = ["-s", "templates/rbac.yaml", "-s", "templates/serviceaccount.yaml"];
    let template = world.plane.helm(["template", "kube-glue", chart, "-n", &world.namespace, "--set", &set]);
    let manifest = template.args(parts).await.expect("the chart").stdout;
    world.plane.kubectl(["apply", "-n", &world.namespace, "-f", "-"]).input(manifest).await.expect("the rights");
}

#[tokio::test]
async fn a_watch_that_is_denied_is_named_by_readyz_with_the_remedy_and_heals() {
    let mut world = World::without_controller("denied").await;
    world.put_credentials(DEFAULT_SECRET).await;
    // The rights of one who does not watch Secrets, for a controller that is told to.
    grant(&world, "credentials.watchSecrets=false").await;
    world.kubeconfig = world.plane.kubeconfig_as(&world.namespace, "kube-glue").await.expect("a kubeconfig");
    world.start_controller();
    world.run("one", "etl", json!({})).await;
    let denied = format!("watches: secrets in namespace {} cannot be listed: secrets is forbidden", world.namespace);
    world.says("it", &denied).await;
    let (status, text) = world.readyz().await;
    assert!(status.contains("503"), "{status}");
    let words = [
        format!("[-] watches: secrets in namespace {} cannot be listed: ", world.namespace),
        "secrets is forbidden: User".to_owned(),
        "allow list and watch on secrets".to_owned(),
        "--watch-secrets=false".to_owned(),
    ];
    for words in words {
        assert!(text.contains(&words), "{words:?} is not in {text}");
    }
    grant(&world, "credentials.watchSecrets=true").await;
    world.over("one", Phase::Succeeded).await;
    // Those of the other kinds may take longer than the run.
    world.says("it", "watches: all listed").await;
    let (status, text) = world.readyz().await;
    assert!(status.contains("200") && text.contains("[+] watches: all listed"), "{status} {text}");
}
