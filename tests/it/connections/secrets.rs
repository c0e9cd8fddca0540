//! Passwords: from the Secret to Glue by themselves, and nowhere else.

use kube_glue_double::{ConnectionScript, Failure};
use serde_json::json;

use super::jdbc;
use crate::harness::{World, condition, status};

const FIRST: &str = "tr0ub4dor-and-three";
const SECOND: &str = "correct-horse-battery";

#[tokio::test]
async fn a_password_that_changes_in_its_secret_goes_to_glue_and_is_shown_nowhere() {
    let mut world = World::new("conn-rotate").await;
    world.put_password(FIRST).await;
    world.connections().put("db", jdbc(json!({"test": {}}))).await;
    world.connections().ready("db").await;
    assert_eq!(world.property("db", "PASSWORD").as_deref(), Some(FIRST));

    // Glue repeats in its words what it was given.
    let words = format!("login failed for etl/{SECOND}");
    world.script("db", ConnectionScript::default().test_fails(Failure::new("FederationSourceException", &words)));
    world.put_password(SECOND).await;
    world.has_property("db", "PASSWORD", SECOND).await;
    let message = world.connections().reason("db", "TestFailed").await;
    assert!(message.ends_with("login failed for etl/[hidden]"), "{message}");
    assert_eq!(world.double.requests().count("UpdateConnection"), 1);

    // Written again with the same values, it is no change; nor is it after a restart.
    let before =
        status(&world.connections().api.get("db").await.expect("the object"))["applied"]["fingerprint"].clone();
    world.put_secret("db", &[("password", SECOND), ("port", "5432")]).await;
    let noted = |object: &_| status(object)["applied"]["fingerprint"] != before;
    world.connections().until("db", "the new version is noted", noted).await;
    world.kill_controller();
    world.start_controller();
    world.connections().edit("db", json!({"driftPolicy": "Report"})).await;
    // Where it stood before, and not on its way there by another update.
    let stands = |object: &_| {
        let failed = condition(object, "Ready").is_some_and(|ready| ready.reason == "TestFailed");
        failed && status(object)["observedGeneration"] == 2
    };
    world.connections().until("db", "the controller is back", stands).await;
    assert_eq!(world.double.requests().count("UpdateConnection"), 1);
    world.assert_nothing_leaked().await;
}

#[tokio::test]
async fn a_secret_that_is_missing_is_said_and_healed() {
    let mut world = World::new("conn-missing").await;
    world.connections().put("db", jdbc(json!({}))).await;
    let message = world.connections().reason("db", "SecretNotFound").await;
    let namespace = &world.namespace;
    assert_eq!(
        message,
        format!("properties PASSWORD: there is no Secret {namespace}/db: create it with the key password")
    );
    world.put_secret("db", &[("Password", "x")]).await;
    let message = world.connections().reason("db", "SecretInvalid").await;
    assert_eq!(message, format!("properties PASSWORD: Secret {}/db has no key password: add it", world.namespace));
    world.put_password(FIRST).await;
    world.connections().ready("db").await;
    assert_eq!(world.property("db", "PASSWORD").as_deref(), Some(FIRST));
}
