//! Values from Secrets: they reach Glue without an edit of the object, and no output.

use kube_glue_double::{ConnectionScript, Failure};
use serde_json::json;

use super::{PASSWORD, jdbc, setup_with_ready};
use crate::harness::{TestEnv, condition, status};

const NEW_PASSWORD: &str = "correct-horse-battery";

#[tokio::test]
async fn a_changed_password_is_sent_to_glue_and_does_not_leak() {
    let (mut env, _) = setup_with_ready("conn-rotate", json!({"test": {}})).await;
    assert_eq!(env.property_in_glue("db", "PASSWORD").as_deref(), Some(PASSWORD));

    // Glue's error contains the password.
    let error = format!("login failed for etl/{NEW_PASSWORD}");
    env.script_connection(
        "db",
        ConnectionScript::default().test_fails(Failure::new("FederationSourceException", &error)),
    );
    env.put_password(NEW_PASSWORD).await;
    env.wait_for_property("db", "PASSWORD", NEW_PASSWORD).await;
    let message = env.connections().wait_for_reason("db", "TestFailed").await;
    assert!(message.ends_with("login failed for etl/[hidden]"), "{message}");
    assert_eq!(env.double.requests().count("UpdateConnection"), 1);

    // A Secret written again with the same values is no change, and after a restart neither.
    let before = status(&env.connections().api.get("db").await.expect("the object"))["applied"]["fingerprint"].clone();
    env.put_secret("db", &[("password", NEW_PASSWORD), ("port", "5432")]).await;
    let is_updated = |object: &_| status(object)["applied"]["fingerprint"] != before;
    env.connections().wait_until("db", "its status has the new fingerprint", is_updated).await;
    env.kill_controller();
    env.start_controller();
    env.connections().patch_spec("db", json!({"driftPolicy": "Report"})).await;
    // With the reason that it had before, and without another update.
    let is_unchanged = |object: &_| {
        let failed = condition(object, "Ready").is_some_and(|ready| ready.reason == "TestFailed");
        failed && status(object)["observedGeneration"] == 2
    };
    env.connections().wait_until("db", "the new controller has observed it", is_unchanged).await;
    assert_eq!(env.double.requests().count("UpdateConnection"), 1);
    env.assert_no_secret_leaked().await;
}

#[tokio::test]
async fn a_missing_secret_is_reported_and_the_connection_created_once_it_exists() {
    let mut env = TestEnv::new("conn-missing").await;
    env.connections().create("db", jdbc(json!({}))).await;
    let message = env.connections().wait_for_reason("db", "SecretNotFound").await;
    let namespace = &env.namespace;
    assert_eq!(
        message,
        format!("properties PASSWORD: there is no Secret {namespace}/db: create it with the key password")
    );
    env.put_secret("db", &[("Password", "x")]).await;
    let message = env.connections().wait_for_reason("db", "SecretInvalid").await;
    assert_eq!(message, format!("properties PASSWORD: Secret {}/db has no key password: add it", env.namespace));
    env.put_password(PASSWORD).await;
    env.connections().wait_ready("db").await;
    assert_eq!(env.property_in_glue("db", "PASSWORD").as_deref(), Some(PASSWORD));
}
