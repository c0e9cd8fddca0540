//! Deletions that come together go together, and each object is told its own error.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use kube_glue_double::{Fault, Policy, Request, Then};
use serde_json::json;

use super::jdbc;
use crate::harness::World;

/// The first of those that go together waits for the others so long.
const GATHER: Duration = Duration::from_millis(50);

#[tokio::test]
async fn thirty_deletions_are_a_few_calls() {
    let mut world = World::new("conn-batch").await;
    world.put_password("tr0ub4dor-and-three").await;
    let names: Vec<_> = (0..30).map(|n| format!("db-{n}")).collect();
    let connections = world.connections();
    let objects = join_all(names.iter().map(|name| connections.put(name, jdbc(json!({}))))).await;
    join_all(names.iter().map(|name| connections.ready(name))).await;
    // One of them is gone already, which the controller hears only when it deletes it: its object is none the worse.
    let lists_it = |call: &Request| call.body_text().contains("\"db-7\"");
    world.double.faults().add(Fault::on("GetConnections").then(Then::Http500));
    world.elsewhere("DeleteConnection", &json!({"ConnectionName": "db-7"}));
    let began = Timestamp::now();
    join_all(names.iter().map(|name| connections.delete(name))).await;
    let deletes_it = "db-7 is deleted with the others";
    let deletions = "BatchDeleteConnection";
    world.requests(deletes_it, |requests| requests.of(deletions).matching(lists_it).count() > 0).await;
    world.double.faults().clear();
    join_all(objects.iter().map(|object| connections.gone(object))).await;
    assert!(names.iter().all(|name| world.stored(name).is_none()));
    let calls = world.double.requests().of(deletions);
    // One each time that it gathers, and one more, since 25 go at most. So a machine that spreads the deletions has
    // more of them.
    let took = calls.last().expect("a call").received.duration_since(began);
    let most = 1 + took.unsigned_abs().as_millis() / GATHER.as_millis();
    assert!(calls.count() as u128 <= most, "{} calls in {took:?}", calls.count());
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
