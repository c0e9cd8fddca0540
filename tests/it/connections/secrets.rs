//! Values from Secrets: they reach Glue without an edit of the object, and no output.

use kube_glue_double::{ConnectionScript, Failure, Fault, Then};
use serde_json::json;

use super::{PASSWORD, jdbc, setup, setup_with_ready};
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

/// In the maps of compute environments, and in JSON objects.
#[tokio::test]
async fn values_from_secrets_reach_every_map_of_properties_and_keys_of_json_objects() {
    let mut env = setup("conn-json").await;
    let key = json!({"name": "db", "key": "password"});
    let spec = json!({
        "connectionType": "SNOWFLAKE",
        "properties": {"SparkProperties": r#"{"sfUrl": "https://a.snowflakecomputing.com", "sfUser": "etl"}"#},
        "propertiesFrom": [{"name": "SparkProperties", "jsonKeys": [{"key": "sfPassword", "secretKeyRef": key}]}],
        "sparkProperties": {"role": "etl"},
        "sparkPropertiesFrom": [{"name": "password", "secretKeyRef": key}],
        "athenaPropertiesFrom": [{"name": "password", "secretKeyRef": key}],
        "pythonPropertiesFrom": [{"name": "options", "jsonKeys": [{"key": "password", "secretKeyRef": key}]}],
    });
    env.connections().create("snow", spec).await;
    env.connections().wait_ready("snow").await;
    let check = |env: &TestEnv, password: &str| {
        let input = env.connection_in_glue("snow").expect("the connection");
        let json = |text: &serde_json::Value| -> serde_json::Value {
            serde_json::from_str(text.as_str().expect("text")).expect("JSON")
        };
        assert_eq!(
            json(&input["ConnectionProperties"]["SparkProperties"]),
            json!({"sfUrl": "https://a.snowflakecomputing.com", "sfUser": "etl", "sfPassword": password})
        );
        assert_eq!(input["SparkProperties"], json!({"role": "etl", "password": password}));
        assert_eq!(input["AthenaProperties"], json!({"password": password}));
        assert_eq!(json(&input["PythonProperties"]["options"]), json!({"password": password}));
    };
    check(&env, PASSWORD);
    env.put_password(NEW_PASSWORD).await;
    env.wait_for_requests("the new password is in Glue", |_| {
        env.connection_in_glue("snow").is_some_and(|input| input["AthenaProperties"]["password"] == NEW_PASSWORD)
    })
    .await;
    check(&env, NEW_PASSWORD);
    env.connections().wait_ready("snow").await;
    env.wait_for_more_calls("GetConnections", 3).await;
    assert_eq!(env.double.requests().count("UpdateConnection"), 1, "what Glue shows is no drift");
    env.assert_no_secret_leaked().await;
}

/// A value that the API server refuses as a literal is not sent to Glue from a Secret.
#[tokio::test]
async fn a_value_that_glue_would_refuse_is_named_by_its_secret_until_it_is_corrected() {
    let env = setup("conn-values").await;
    env.put_secret("place", &[("port", "five")]).await;
    let spec = json!({
        "connectionType": "POSTGRESQL", "properties": {"HOST": "db"},
        "propertiesFrom": [{"name": "PORT", "secretKeyRef": {"name": "place", "key": "port"}}],
    });
    env.connections().create("db", spec).await;
    let message = env.connections().wait_for_reason("db", "SecretInvalid").await;
    let place = format!("key port of Secret {}/place", env.namespace);
    assert_eq!(message, format!("properties PORT from {place}: PORT is a number from 1 to 65535: correct it"));
    assert_eq!(env.double.requests().count("CreateConnection"), 0);
    env.put_secret("place", &[("port", "5432")]).await;
    env.connections().wait_ready("db").await;
    assert_eq!(env.property_in_glue("db", "PORT").as_deref(), Some("5432"));
}

/// Of credentials, Glue makes a secret of its own.
#[tokio::test]
async fn the_status_shows_glues_secret_and_the_compute_environments() {
    let env = setup("conn-shown").await;
    let basic = json!({"username": "etl", "passwordSecretRef": {"name": "db", "key": "password"}});
    let spec = json!({
        "connectionType": "POSTGRESQL", "properties": {"HOST": "db"},
        "authentication": {"type": "BASIC", "basic": basic}, "validateForComputeEnvironments": ["SPARK", "ATHENA"],
    });
    env.connections().create("db", spec).await;
    let shown = status(&env.connections().wait_ready("db").await);
    assert!(shown["secretArn"].as_str().is_some_and(|arn| arn.starts_with("arn:aws:secretsmanager:")), "{shown}");
    assert_eq!(shown["compatibleComputeEnvironments"], json!(["SPARK", "ATHENA"]));
}

/// A proxy or an endpoint that answers instead of Glue may quote anything.
#[tokio::test]
async fn a_poll_that_is_refused_shows_no_password() {
    let (env, _) = setup_with_ready("conn-poll", json!({})).await;
    let message = format!("not allowed to read PASSWORD={PASSWORD}");
    let refused = Then::Error { code: "AccessDeniedException".to_owned(), status: 400, message };
    env.double.faults().add(Fault::on("GetConnections").then(refused));
    let message = env.connections().wait_for_reason("db", "AccessDenied").await;
    assert!(message.contains("not allowed to read PASSWORD=[hidden]"), "{message}");
    env.assert_no_secret_leaked().await;
}

/// Glue's reason of an earlier failure shows the password that the Secret had then.
#[tokio::test]
async fn the_reason_of_a_failure_shows_no_earlier_password() {
    for restarts in [false, true] {
        let mut env = setup(if restarts { "conn-reason-restart" } else { "conn-reason" }).await;
        let reason = format!("cannot log in with {PASSWORD}");
        env.script_connection("db", ConnectionScript::default().change_fails(&reason).change_fails(&reason));
        env.connections().create("db", jdbc(json!({}))).await;
        let message = env.connections().wait_for_reason("db", "ConnectionFailed").await;
        assert!(message.ends_with("cannot log in with [hidden]"), "{message}");
        let seen = env.connections().api.get("db").await.expect("the object");
        let before = status(&seen)["applied"]["fingerprint"].clone();
        if restarts {
            env.kill_controller();
        }
        env.put_password(NEW_PASSWORD).await;
        if restarts {
            env.start_controller();
        }
        let is_updated = |object: &_| {
            let failed = condition(object, "Ready").is_some_and(|ready| ready.reason == "ConnectionFailed");
            failed && status(object)["applied"]["fingerprint"] != before
        };
        let updated = env.connections().wait_until("db", "it was updated, and failed again", is_updated).await;
        let message = condition(&updated, "Ready").expect("Ready").message;
        let expected = if restarts { "the version that was used is not known any more" } else { "with [hidden]" };
        assert!(message.ends_with(expected), "{message}");
        env.assert_no_secret_leaked().await;
    }
}
