//! Connections that were there before, and two objects that want one.

use serde_json::json;

use super::jdbc;
use crate::harness::{World, condition, conditions_in};

/// Somebody else's connection `db`.
fn theirs(world: &World) {
    let input = json!({"Name": "db", "ConnectionType": "JDBC", "Description": "theirs", "ConnectionProperties": {
        "JDBC_CONNECTION_URL": "jdbc:mysql://theirs/x", "SECRET_ID": "theirs",
    }});
    world.elsewhere("CreateConnection", &json!({"ConnectionInput": input}));
}

#[tokio::test]
async fn one_that_was_there_is_left_alone_until_it_goes_or_the_policy_says_otherwise() {
    let mut world = World::new("conn-adopt").await;
    world.put_password("tr0ub4dor-and-three").await;
    theirs(&world);
    let before = world.stored("db");
    let object = world.connections().put("db", jdbc(json!({}))).await;
    let message = world.connections().reason("db", "AlreadyExists").await;
    assert!(message.starts_with("connection db exists already"), "{message}");
    assert!(message.contains("set spec.adoptionPolicy to Adopt"), "{message}");
    let stalled = world.connections().api.get("db").await.expect("the object");
    let shape: Vec<_> = conditions_in(&stalled).iter().map(|one| format!("{}={}", one.type_, one.status)).collect();
    assert_eq!(shape, ["Ready=False", "Stalled=True"]);
    assert_eq!(world.stored("db"), before, "not touched");
    assert_eq!(stalled.metadata.finalizers, None);

    // It heals when the other one goes.
    world.elsewhere("DeleteConnection", &json!({"ConnectionName": "db"}));
    world.connections().ready("db").await;
    world.connections().delete("db").await;
    world.connections().gone(&object).await;
    assert_eq!(world.stored("db"), None);

    // An object that never owned it does not delete it.
    theirs(&world);
    let object = world.connections().put("db", jdbc(json!({}))).await;
    world.connections().reason("db", "AlreadyExists").await;
    world.connections().delete("db").await;
    world.connections().gone(&object).await;
    assert_eq!(world.stored("db"), before);

    // And it is taken over when asked for.
    let object = world.connections().put("db", jdbc(json!({}))).await;
    world.connections().reason("db", "AlreadyExists").await;
    world.connections().edit("db", json!({"adoptionPolicy": "Adopt", "tags": {"a": "1"}})).await;
    world.connections().ready("db").await;
    assert_eq!(world.property("db", "PASSWORD").as_deref(), Some("tr0ub4dor-and-three"));
    assert_eq!(world.stored("db").expect("it is in Glue").get("Description"), None);
    world.connections().delete("db").await;
    world.connections().gone(&object).await;
    assert_eq!(world.stored("db"), None);
    assert_eq!(world.double.requests().of("UpdateConnection").count(), 1);
}

#[tokio::test]
async fn of_two_objects_about_one_connection_the_older_holds_it() {
    let mut world = World::new("conn-two").await;
    world.put_password("tr0ub4dor-and-three").await;
    let older = world.connections().put("older", jdbc(json!({"connectionName": "db", "description": "older"}))).await;
    world.connections().ready("older").await;
    // The API server's times have no fractions, and of two objects from one second the first by name is the older. So
    // whoever is to be younger here comes after it by name, too.
    let second = |object: &_| condition(object, "Ready").is_some_and(|ready| ready.reason == "HeldByAnother");
    let younger =
        world.connections().put("younger", jdbc(json!({"connectionName": "db", "description": "younger"}))).await;
    let held = world.connections().until("younger", "the older holds it", second).await;
    let message = condition(&held, "Ready").expect("it is there").message;
    assert!(message.contains(&format!("{}/older is older", world.namespace)), "{message}");
    assert_eq!(world.stored("db").expect("it is in Glue")["Description"], "older");
    world.connections().delete("younger").await;
    world.connections().gone(&younger).await;
    assert!(world.stored("db").is_some(), "it never was the younger one's");

    // Elsewhere the same name is another thing; here it goes over to who is left.
    let far = jdbc(json!({"connectionName": "db", "region": "us-east-1"}));
    world.connections().put("far", far).await;
    world.connections().ready("far").await;
    world.connections().put("successor", jdbc(json!({"connectionName": "db", "description": "successor"}))).await;
    world.connections().reason("successor", "HeldByAnother").await;
    world.connections().delete("older").await;
    world.connections().gone(&older).await;
    world.connections().ready("successor").await;
    assert_eq!(world.stored("db").expect("it is in Glue")["Description"], "successor");
}
