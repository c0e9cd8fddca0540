//! Lost responses and SIGKILL around each call: the connection is created once, and its object owns it.

use kube_glue_double::{Fault, Then};
use serde_json::json;

use super::{PASSWORD, jdbc, setup, setup_with_ready};
use crate::harness::{SHORT_TIMEOUTS, status};

#[tokio::test]
async fn a_connection_whose_creation_response_was_lost_is_recognized() {
    let env = setup("conn-lost").await;
    env.double.faults().add(Fault::on("CreateConnection").nth(1).then(Then::DropAnswerAfterWork));
    let object = env.connections().create("db", jdbc(json!({}))).await;
    env.connections().wait_ready("db").await;
    assert_eq!(env.double.requests().count("CreateConnection"), 1);
    env.connections().delete("db").await;
    env.connections().wait_deleted(&object).await;
    assert_eq!(env.connection_in_glue("db"), None);
}

#[tokio::test]
async fn a_controller_killed_during_the_creation_recognizes_its_connection() {
    for (name, then) in [("conn-dies-before", Then::Hold), ("conn-dies-after", Then::HoldAnswer)] {
        let mut env = setup(name).await;
        env.double.faults().add(Fault::on("CreateConnection").nth(1).then(then));
        let object = env.connections().create("db", jdbc(json!({}))).await;
        let has_intent = |object: &_| status(object)["creation"].is_object();
        env.connections().wait_until("db", "its status has the intent", has_intent).await;
        env.wait_for_calls("CreateConnection", 1).await;
        env.kill_controller();
        env.set_flags(SHORT_TIMEOUTS);
        env.start_controller();
        env.connections().wait_ready("db").await;
        assert_eq!(env.property_in_glue("db", "PASSWORD").as_deref(), Some(PASSWORD));
        env.connections().delete("db").await;
        env.connections().wait_deleted(&object).await;
        assert_eq!(env.connection_in_glue("db"), None, "{name}");
    }
}

#[tokio::test]
async fn a_restart_calls_and_writes_nothing() {
    let mut env = setup("conn-restart").await;
    env.connections().create("db", jdbc(json!({"tags": {"a": "1"}, "test": {"everyMinutes": 60}}))).await;
    // Glue's own time of the test comes last.
    let is_tested = |object: &_| status(object)["lastValidatedAt"].is_string();
    env.connections().wait_until("db", "its status has the time of the test", is_tested).await;
    env.wait_for_arn("db").await;
    env.connections().wait_ready("db").await;
    env.kill_controller();
    let before = env.connections().api.get("db").await.expect("the object");
    let operations = ["CreateConnection", "UpdateConnection", "TestConnection", "TagResource"];
    let counts = || operations.map(|operation| env.double.requests().count(operation));
    assert_eq!(counts(), [1, 0, 1, 0]);
    let polls = env.double.requests().count("GetConnections");
    env.start_controller();
    env.wait_for_calls("GetConnections", polls + 5).await;
    let counts = operations.map(|operation| env.double.requests().count(operation));
    assert_eq!(counts, [1, 0, 1, 0]);
    let after = env.connections().api.get("db").await.expect("the object");
    assert_eq!(after.metadata.resource_version, before.metadata.resource_version, "nothing was written");
}

#[tokio::test]
async fn an_update_with_an_ambiguous_error_is_repeated() {
    let (mut env, _) = setup_with_ready("conn-update", json!({})).await;
    env.double.faults().add(Fault::on("UpdateConnection").nth(1).then(Then::Http500));
    env.put_password("correct-horse-battery").await;
    env.wait_for_property("db", "PASSWORD", "correct-horse-battery").await;
    env.connections().wait_ready("db").await;
    assert_eq!(env.double.requests().count("UpdateConnection"), 2);
}
