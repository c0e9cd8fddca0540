//! Deletions that come together go together, and each object is told its own error.

use futures::future::join_all;
use kube_glue_double::{Fault, Policy, Then};
use serde_json::json;

use super::jdbc;
use crate::world::World;

#[tokio::test]
async fn thirty_deletions_are_a_few_calls() {
    let mut world = World::new("conn-batch").await;
    world.put_password("tr0ub4dor-and-three").await;
    let names: Vec<_> = (0..30).map(|n| format!("db-{n}")).collect();
    let connections = world.connections();
    let objects = join_all(names.iter().map(|name| connections.put(name, jdbc(json!({}))))).await;
    join_all(names.iter().map(|name| connections.ready(name))).await;
    // One of them is gone already: its object is none the worse for it.
    world.double.faults().add(Fault::on("GetConnections").then(Then::Http500));
    world.elsewhere("DeleteConnection", &json!({"ConnectionName": "db-7"}));
    join_all(names.iter().map(|name| connections.delete(name))).await;
    world.double.faults().clear();
    join_all(objects.iter().map(|object| connections.gone(object))).await;
    assert!(names.iter().all(|name| world.stored(name).is_none()));
    let calls = world.double.requests().of("BatchDeleteConnection");
    let most = calls
        .iter()
        .map(|call| call.field("ConnectionNameList").map_or(0, |names| names.as_array().map_or(0, Vec::len)));
    assert!(calls.count() < 30 && most.max() > Some(1), "{} calls", calls.count());
}

#[tokio::test]
async fn a_deletion_that_is_refused_is_said_and_made_once_it_is_allowed() {
    let mut world = World::new("conn-refused").await;
    world.put_password("tr0ub4dor-and-three").await;
    let object = world.connections().put("db", jdbc(json!({}))).await;
    world.connections().ready("db").await;
    let caller = world.double.requests().of("CreateConnection")[0].call.principal.clone();
    world.double.iam().set_policy(&caller, Policy::allow(&["glue:GetConnections"]));
    world.connections().delete("db").await;
    let message = world.connections().reason("db", "AccessDenied").await;
    assert!(message.contains("glue:BatchDeleteConnection"), "{message}");
    world.double.iam().set_policy(&caller, Policy::allow(&["glue:GetConnections", "glue:BatchDeleteConnection"]));
    world.connections().gone(&object).await;
    assert_eq!(world.stored("db"), None);
}

#[tokio::test]
async fn who_cannot_reach_glue_is_let_go_after_a_while_with_a_word_about_what_is_left() {
    let mut world = World::with("conn-timeout", &[("--deletion-timeout", "2s")]).await;
    world.put_password("tr0ub4dor-and-three").await;
    let object = world.connections().put("db", jdbc(json!({}))).await;
    world.connections().ready("db").await;
    world.double.faults().add(Fault::on("BatchDeleteConnection").then(Then::Http500));
    world.connections().delete("db").await;
    world.connections().gone(&object).await;
    let note = world.event("LeftBehind").await.note.expect("words");
    assert!(note.contains("connection db could not be reached in Glue"), "{note}");
    assert!(world.stored("db").is_some());
}
