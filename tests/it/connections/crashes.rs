//! The controller dies, or Glue's answer is lost, at each point: the connection is there once, and its object's.

use kube_glue_double::{Fault, Then};
use serde_json::json;

use super::jdbc;
use crate::harness::{HASTY, World, status};

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_known_for_our_own() {
    let mut world = World::new("conn-lost").await;
    world.put_password("tr0ub4dor-and-three").await;
    world.double.faults().add(Fault::on("CreateConnection").nth(1).then(Then::DropAnswerAfterWork));
    let object = world.connections().put("db", jdbc(json!({}))).await;
    world.connections().ready("db").await;
    assert_eq!(world.double.requests().count("CreateConnection"), 1);
    world.connections().delete("db").await;
    world.connections().gone(&object).await;
    assert_eq!(world.stored("db"), None);
}

#[tokio::test]
async fn a_controller_that_dies_between_the_creation_and_the_word_about_it_knows_its_own() {
    for (name, then) in [("conn-dies-before", Then::Hold), ("conn-dies-after", Then::HoldAnswer)] {
        let mut world = World::new(name).await;
        world.put_password("tr0ub4dor-and-three").await;
        world.double.faults().add(Fault::on("CreateConnection").nth(1).then(then));
        let object = world.connections().put("db", jdbc(json!({}))).await;
        let intended = |object: &_| status(object)["creation"].is_object();
        world.connections().until("db", "the creation is intended", intended).await;
        world.calls("CreateConnection", 1).await;
        world.kill_controller();
        world.set(HASTY);
        world.start_controller();
        world.connections().ready("db").await;
        assert_eq!(world.property("db", "PASSWORD").as_deref(), Some("tr0ub4dor-and-three"));
        world.connections().delete("db").await;
        world.connections().gone(&object).await;
        assert_eq!(world.stored("db"), None, "{name}");
    }
}

#[tokio::test]
async fn a_restart_changes_nothing() {
    let mut world = World::new("conn-restart").await;
    world.put_password("tr0ub4dor-and-three").await;
    world.connections().put("db", jdbc(json!({"tags": {"a": "1"}, "test": {"everyMinutes": 60}}))).await;
    // Glue's own word about the test comes last.
    let tested = |object: &_| status(object)["lastValidatedAt"].is_string();
    world.connections().until("db", "it is tested", tested).await;
    world.has_arn("db").await;
    world.connections().ready("db").await;
    world.kill_controller();
    let before = world.connections().api.get("db").await.expect("the object");
    let writes = ["CreateConnection", "UpdateConnection", "TestConnection", "TagResource"];
    let counts = || writes.map(|operation| world.double.requests().count(operation));
    assert_eq!(counts(), [1, 0, 1, 0]);
    let polls = world.double.requests().count("GetConnections");
    world.start_controller();
    world.calls("GetConnections", polls + 5).await;
    let counts = writes.map(|operation| world.double.requests().count(operation));
    assert_eq!(counts, [1, 0, 1, 0]);
    let after = world.connections().api.get("db").await.expect("the object");
    assert_eq!(after.metadata.resource_version, before.metadata.resource_version, "no write either");
}

#[tokio::test]
async fn an_update_whose_answer_was_lost_is_made_again() {
    let mut world = World::new("conn-update").await;
    world.put_password("tr0ub4dor-and-three").await;
    world.connections().put("db", jdbc(json!({}))).await;
    world.connections().ready("db").await;
    world.double.faults().add(Fault::on("UpdateConnection").nth(1).then(Then::Http500));
    world.put_password("correct-horse-battery").await;
    world.has_property("db", "PASSWORD", "correct-horse-battery").await;
    world.connections().ready("db").await;
    assert_eq!(world.double.requests().count("UpdateConnection"), 2);
}
