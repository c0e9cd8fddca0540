//! TestConnection and the state that Glue gives a connection.

use std::time::Duration;

use kube_glue_double::{ConnectionScript, Failure, Fault, Then};
use serde_json::json;

use super::{PASSWORD, jdbc, setup};
use crate::harness::{condition, status};

fn no_route() -> Failure {
    Failure::new("InvalidInputException", "no route to host")
}

/// The next hundred tests fail: the controller repeats a failed test after one second, then two, and so on.
fn tests_fail() -> ConnectionScript {
    (0..100).fold(ConnectionScript::default(), |script, _| script.test_fails(no_route()))
}

#[tokio::test]
async fn a_failed_test_is_reported_and_the_connection_remains() {
    let env = setup("conn-test").await;
    env.script_connection("db", ConnectionScript::default().test_fails(no_route()));
    env.connections().create("db", jdbc(json!({"test": {}}))).await;
    let message = env.connections().wait_for_reason("db", "TestFailed").await;
    assert!(message.contains("no route to host"), "{message}");
    let object = env.connections().api.get("db").await.expect("the object");
    let test = &status(&object)["lastTest"];
    assert_eq!(test["result"], "Failed");
    assert!(test["message"].as_str().is_some_and(|message| message.contains("no route to host")), "{test}");
    assert_eq!(condition(&object, "Tested").map(|one| one.reason).as_deref(), Some("TestFailed"));
    assert!(env.connection_in_glue("db").is_some(), "a failed test does not delete the connection");
    // A change is tested again.
    env.connections().patch_spec("db", json!({"description": "other"})).await;
    env.connections().wait_ready("db").await;
    assert_eq!(env.double.requests().count("TestConnection"), 2);
    let test = &env.double.requests().of("TestConnection")[0];
    assert_eq!((test.field("ConnectionName"), test.field("TestConnectionInput")), (Some(json!("db")), None));
}

#[tokio::test]
async fn with_before_create_a_failed_test_prevents_the_creation_and_the_update() {
    let mut env = setup("conn-before").await;
    env.script_connection("*", tests_fail());
    env.connections().create("db", jdbc(json!({"test": {"beforeCreate": true, "enabled": false}}))).await;
    let message = env.connections().wait_for_reason("db", "TestFailed").await;
    assert!(message.starts_with("the connection was not created or updated"), "{message}");
    assert_eq!(env.double.requests().count("CreateConnection"), 0);
    env.script_connection("*", ConnectionScript::default());
    env.connections().wait_ready("db").await;
    let test = &env.double.requests().of("TestConnection")[0];
    assert_eq!(test.field("ConnectionName"), None);
    assert_eq!(test.field("TestConnectionInput/ConnectionProperties/PASSWORD"), Some(json!(PASSWORD)));

    // Before an update, too: the working connection remains.
    env.script_connection("*", tests_fail());
    env.put_password("wrong-horse-battery").await;
    env.connections().wait_for_reason("db", "TestFailed").await;
    assert_eq!(env.property_in_glue("db", "PASSWORD").as_deref(), Some(PASSWORD));
    env.put_password("right-horse-battery").await;
    env.script_connection("*", ConnectionScript::default());
    env.wait_for_property("db", "PASSWORD", "right-horse-battery").await;
    env.connections().wait_ready("db").await;
    env.assert_no_secret_leaked().await;
}

#[tokio::test]
async fn a_throttled_test_is_repeated_and_does_not_affect_ready() {
    let env = setup("conn-untested").await;
    env.double.faults().add(Fault::on("TestConnection").nth(1).then(Then::Throttle));
    env.connections().create("db", jdbc(json!({"test": {"everyMinutes": 60}}))).await;
    env.connections().wait_ready("db").await;
    let has_succeeded = |object: &_| status(object)["lastTest"]["result"] == "Succeeded";
    let object = env.connections().wait_until("db", "its last test succeeded", has_succeeded).await;
    assert_eq!(condition(&object, "Ready").map(|ready| ready.reason).as_deref(), Some("InSync"));
    assert_eq!(env.double.requests().count("TestConnection"), 2);
}

#[tokio::test]
async fn a_test_that_iam_denies_is_no_failed_test() {
    let env = setup("conn-denied").await;
    env.double.faults().add(Fault::on("TestConnection").then(Then::AccessDenied));
    let denied = "User: me is not authorized to perform: ec2:DescribeSubnets on resource: *";
    env.script_connection(
        "wrapped",
        ConnectionScript::default().test_fails(Failure::new("InvalidInputException", denied)),
    );
    for (name, spec) in [("after", json!({"test": {}})), ("before", json!({"test": {"beforeCreate": true}}))] {
        env.connections().create(name, jdbc(spec)).await;
        let message = env.connections().wait_for_reason(name, "AccessDenied").await;
        assert!(message.contains("allow glue:TestConnection to"), "{message}");
        let object = env.connections().api.get(name).await.expect("the object");
        assert_eq!((&status(&object)["lastTest"], condition(&object, "Tested")), (&json!(null), None), "{name}");
    }
    // Glue may report what IAM denied as invalid input.
    env.double.faults().clear();
    env.connections().create("wrapped", jdbc(json!({"test": {}}))).await;
    let message = env.connections().wait_for_reason("wrapped", "AccessDenied").await;
    assert!(message.contains("allow ec2:DescribeSubnets to"), "{message}");
}

#[tokio::test]
async fn the_state_of_the_connection_in_glue_is_shown_without_secrets() {
    let env = setup("conn-states").await;
    env.double.clock().hold();
    let script = ConnectionScript::default().in_progress(Duration::from_mins(1));
    let error = format!("cannot reach the token endpoint with {PASSWORD}");
    env.script_connection("db", script.change_fails(&error).change_succeeds());
    env.connections().create("db", jdbc(json!({}))).await;
    env.connections().wait_for_reason("db", "InProgress").await;
    env.double.clock().step(Duration::from_mins(1));
    let message = env.connections().wait_for_reason("db", "ConnectionFailed").await;
    assert_eq!(message, "Glue could not make the connection work: cannot reach the token endpoint with [hidden]");
    let object = env.connections().api.get("db").await.expect("the object");
    assert_eq!(status(&object)["state"], "FAILED");
    assert!(condition(&object, "Stalled").is_some());
    env.connections().patch_spec("db", json!({"description": "other"})).await;
    env.connections().wait_for_reason("db", "InProgress").await;
    env.double.clock().step(Duration::from_mins(1));
    env.connections().wait_ready("db").await;
    env.assert_no_secret_leaked().await;
}
