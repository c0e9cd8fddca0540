//! TestConnection: when it is asked, and what becomes of its answer.

use std::time::Duration;

use kube_glue_double::{ConnectionScript, Failure, Fault, Then};
use serde_json::json;

use super::jdbc;
use crate::harness::{World, condition, status};

fn no_route() -> Failure {
    Failure::new("InvalidInputException", "no route to host")
}

/// Every test fails until something else is said. (One that failed is made again in a second, then in two, ...)
fn never_connects() -> ConnectionScript {
    (0..100).fold(ConnectionScript::default(), |script, _| script.test_fails(no_route()))
}

#[tokio::test]
async fn a_test_that_fails_undoes_nothing_and_is_said() {
    let mut world = World::new("conn-test").await;
    world.put_password("tr0ub4dor-and-three").await;
    world.script("db", ConnectionScript::default().test_fails(no_route()));
    world.connections().put("db", jdbc(json!({"test": {}}))).await;
    let message = world.connections().reason("db", "TestFailed").await;
    assert!(message.contains("no route to host"), "{message}");
    let object = world.connections().api.get("db").await.expect("the object");
    let test = &status(&object)["lastTest"];
    assert_eq!(test["result"], "Failed");
    assert!(test["message"].as_str().is_some_and(|message| message.contains("no route to host")), "{test}");
    assert_eq!(condition(&object, "Tested").map(|one| one.reason).as_deref(), Some("TestFailed"));
    assert!(world.stored("db").is_some(), "a failing test does not undo the connection");
    // After a change it is tested again.
    world.connections().edit("db", json!({"description": "other"})).await;
    world.connections().ready("db").await;
    assert_eq!(world.double.requests().count("TestConnection"), 2);
    let test = &world.double.requests().of("TestConnection")[0];
    assert_eq!((test.field("ConnectionName"), test.field("TestConnectionInput")), (Some(json!("db")), None));
}

#[tokio::test]
async fn a_broken_connection_never_replaces_a_good_one() {
    let mut world = World::new("conn-before").await;
    world.put_password("tr0ub4dor-and-three").await;
    world.script("*", never_connects());
    world.connections().put("db", jdbc(json!({"test": {"beforeCreate": true, "enabled": false}}))).await;
    let message = world.connections().reason("db", "TestFailed").await;
    assert!(message.starts_with("nothing was brought to Glue"), "{message}");
    assert_eq!(world.double.requests().count("CreateConnection"), 0);
    world.script("*", ConnectionScript::default());
    world.connections().ready("db").await;
    let test = &world.double.requests().of("TestConnection")[0];
    assert_eq!(test.field("ConnectionName"), None);
    assert_eq!(test.field("TestConnectionInput/ConnectionProperties/PASSWORD"), Some(json!("tr0ub4dor-and-three")));

    // The same before an update: the good one stays.
    world.script("*", never_connects());
    world.put_password("wrong-horse-battery").await;
    world.connections().reason("db", "TestFailed").await;
    assert_eq!(world.property("db", "PASSWORD").as_deref(), Some("tr0ub4dor-and-three"));
    world.put_password("right-horse-battery").await;
    world.script("*", ConnectionScript::default());
    world.has_property("db", "PASSWORD", "right-horse-battery").await;
    world.connections().ready("db").await;
    world.assert_nothing_leaked().await;
}

#[tokio::test]
async fn a_test_that_could_not_be_made_says_nothing_about_the_connection() {
    let mut world = World::new("conn-untested").await;
    world.put_password("tr0ub4dor-and-three").await;
    world.double.faults().add(Fault::on("TestConnection").nth(1).then(Then::Throttle));
    world.connections().put("db", jdbc(json!({"test": {"everyMinutes": 60}}))).await;
    world.connections().ready("db").await;
    let tested = |object: &_| status(object)["lastTest"]["result"] == "Succeeded";
    let object = world.connections().until("db", "it is tested in the end", tested).await;
    assert_eq!(condition(&object, "Ready").map(|ready| ready.reason).as_deref(), Some("InSync"));
    assert_eq!(world.double.requests().count("TestConnection"), 2);
}

#[tokio::test]
async fn how_glue_finds_the_connection_is_how_it_stands() {
    let mut world = World::new("conn-states").await;
    world.put_password("tr0ub4dor-and-three").await;
    world.double.clock().hold();
    let script = ConnectionScript::default().in_progress(Duration::from_mins(1));
    let words = "cannot reach the token endpoint with tr0ub4dor-and-three";
    world.script("db", script.change_fails(words).change_succeeds());
    world.connections().put("db", jdbc(json!({}))).await;
    world.connections().reason("db", "InProgress").await;
    world.double.clock().step(Duration::from_mins(1));
    let message = world.connections().reason("db", "ConnectionFailed").await;
    assert_eq!(message, "Glue could not make the connection work: cannot reach the token endpoint with [hidden]");
    let object = world.connections().api.get("db").await.expect("the object");
    assert_eq!(status(&object)["state"], "FAILED");
    assert!(condition(&object, "Stalled").is_some());
    world.connections().edit("db", json!({"description": "other"})).await;
    world.connections().reason("db", "InProgress").await;
    world.double.clock().step(Duration::from_mins(1));
    world.connections().ready("db").await;
    world.assert_nothing_leaked().await;
}
