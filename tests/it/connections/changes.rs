//! Somebody else's hands on a connection, and what the spec says afterwards.

use serde_json::{Value, json};

use super::jdbc;
use crate::harness::{World, condition, status};

/// The connection as somebody else writes it: with a property more.
fn by_hand(world: &World) {
    let mut input = world.stored("db").expect("it is in Glue");
    input["ConnectionProperties"]["INSTANCE_ID"] = json!("by-hand");
    world.elsewhere("UpdateConnection", &json!({"Name": "db", "ConnectionInput": input}));
}

#[tokio::test]
async fn a_property_added_by_hand_is_put_right_and_told() {
    let mut world = World::new("conn-drift").await;
    world.put_password("tr0ub4dor-and-three").await;
    world.connections().put("db", jdbc(json!({}))).await;
    world.connections().ready("db").await;
    by_hand(&world);
    let event = world.event("Drifted").await;
    let note = event.note.expect("words");
    assert!(note.contains("properties INSTANCE_ID") && note.contains("changed in Glue by "), "{note}");
    assert!(!note.contains("by-hand"), "no value is shown: {note}");
    world.calls("UpdateConnection", 1).await;
    let ready = world.connections().ready("db").await;
    assert_eq!(world.property("db", "INSTANCE_ID"), None);
    assert_eq!(world.property("db", "PASSWORD").as_deref(), Some("tr0ub4dor-and-three"), "all of it was sent");
    assert_eq!(status(&ready)["drift"], Value::Null);
}

#[tokio::test]
async fn what_is_only_reported_is_left_as_it_is() {
    let mut world = World::new("conn-report").await;
    world.put_password("tr0ub4dor-and-three").await;
    world.connections().put("db", jdbc(json!({"driftPolicy": "Report"}))).await;
    world.connections().ready("db").await;
    by_hand(&world);
    let message = world.connections().reason("db", "Drifted").await;
    assert!(message.ends_with("driftPolicy Report leaves it so"), "{message}");
    let object = world.connections().api.get("db").await.expect("the object");
    assert_eq!(status(&object)["drift"]["fields"], json!(["properties INSTANCE_ID"]));
    assert!(status(&object)["drift"]["by"].is_string());
    assert_eq!(world.property("db", "INSTANCE_ID").as_deref(), Some("by-hand"));
    world.connections().edit("db", json!({"driftPolicy": "Correct"})).await;
    world.connections().ready("db").await;
    assert_eq!(world.property("db", "INSTANCE_ID"), None);
}

#[tokio::test]
async fn what_the_spec_leaves_out_is_gone_from_glue_and_nothing_is_written_twice() {
    let mut world = World::new("conn-edit").await;
    world.put_password("tr0ub4dor-and-three").await;
    let more = json!({"description": "orders", "matchCriteria": ["a"], "tags": {"a": "1"}});
    world.connections().put("db", jdbc(more)).await;
    world.has_arn("db").await;
    world.connections().ready("db").await;
    let less = json!({"description": null, "matchCriteria": null, "tags": {"a": null, "b": "2"}, "propertiesFrom": null,
        "properties": {"SECRET_ID": "orders/db"}});
    world.connections().edit("db", less).await;
    let ready = world.connections().ready("db").await;
    let input = world.stored("db").expect("it is in Glue");
    let expected = json!({"JDBC_CONNECTION_URL": "jdbc:postgresql://db.example.com:5432/orders", "USERNAME": "etl",
        "SECRET_ID": "orders/db"});
    assert_eq!(input["ConnectionProperties"], expected);
    assert_eq!((input.get("Description"), input.get("MatchCriteria")), (None, None));
    let tags = world.elsewhere("GetTags", &json!({"ResourceArn": status(&ready)["arn"]}));
    assert_eq!(tags["Tags"], json!({"b": "2"}));
    let calls = ["CreateConnection", "UpdateConnection", "TagResource", "UntagResource"];
    assert_eq!(calls.map(|operation| world.double.requests().count(operation)), [1, 1, 1, 1]);

    world.connections().edit("db", json!({"deletionPolicy": "Delete"})).await;
    world.connections().ready("db").await;
    assert_eq!(world.double.requests().count("UpdateConnection"), 1, "the same content is not sent again");
}

#[tokio::test]
async fn a_connection_that_is_deleted_by_hand_is_created_again() {
    let mut world = World::new("conn-deleted").await;
    world.put_password("tr0ub4dor-and-three").await;
    world.connections().put("db", jdbc(json!({}))).await;
    let before = status(&world.connections().ready("db").await)["createdAt"].clone();
    world.double.clock().step(std::time::Duration::from_mins(1));
    world.elsewhere("DeleteConnection", &json!({"ConnectionName": "db"}));
    assert!(world.event("Drifted").await.note.expect("words").contains("deleted in Glue"));
    let again = |object: &_| {
        let ready = condition(object, "Ready").is_some_and(|ready| ready.status == "True");
        ready && status(object)["createdAt"] != before
    };
    world.connections().until("db", "it was created again", again).await;
    assert_eq!(world.property("db", "PASSWORD").as_deref(), Some("tr0ub4dor-and-three"));
    assert_eq!(world.double.requests().of("CreateConnection").succeeded().count(), 2);
}
