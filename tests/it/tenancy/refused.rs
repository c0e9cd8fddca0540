//! What the API server keeps out already, and the endpoint that is let in.

use kube_glue_double::Double;
use serde_json::json;

use super::two_accounts;
use crate::harness::{DEFAULT_SECRET, PATIENCE};

#[tokio::test]
async fn the_api_server_refuses_what_sts_would() {
    let world = two_accounts("grammar", |role| role).await;
    for (assume, words) in [
        (json!({"roleArn": "etl"}), "roleArn"),
        (json!({"sessionTags": {"kube-glue-namespace": "owner"}}), "controller's"),
        (json!({"sessionTags": {"Kube-Glue-Kind": "x"}}), "controller's"),
        (json!({"sessionTags": {"a!": "x"}}), "as STS admits them"),
        (json!({"sessionTags": {"a": "x!"}}), "sessionTags"),
        (json!({"externalId": "x"}), "externalId"),
        (json!({"sessionName": "a b"}), "sessionName"),
        (json!({"sourceIdentity": "x"}), "sourceIdentity"),
        (json!({"durationSeconds": 60}), "durationSeconds"),
    ] {
        let object = json!({
            "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun", "metadata": {"name": "one"},
            "spec": {"jobName": "etl", "credentials": {"assumeRole": assume}},
        });
        let refusal = world.create(object).await.expect_err("it is refused").to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
    let both = json!({
        "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun", "metadata": {"name": "one"},
        "spec": {"jobName": "etl", "credentials": {"profile": "a", "secretName": "b"}},
    });
    let refusal = world.create(both).await.expect_err("it is refused").to_string();
    assert!(refusal.contains("keep one of them"), "{refusal}");
}

#[tokio::test]
async fn an_endpoint_that_is_listed_is_used() {
    let mut world = two_accounts("endpoint", |role| role).await;
    let double = Double::start().await.expect("another double");
    let address = double.url();
    world.set(&[("--allowed-endpoints", &address)]);
    world.start_controller();
    let key = double.default_key();
    let secret = [
        ("AWS_ACCESS_KEY_ID", key.id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", key.secret.as_str()),
        ("AWS_ENDPOINT_URL", address.as_str()),
    ];
    world.put_secret(DEFAULT_SECRET, &secret).await;
    world.run("one", "etl", json!({})).await;
    let arrived = double.requests().wait_for_count("StartJobRun", 1);
    tokio::time::timeout(PATIENCE, arrived).await.expect("it arrives there");
    assert_eq!(world.double.requests().total(), 0);
}
