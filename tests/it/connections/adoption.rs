//! Connections that exist before their object, and two objects for one connection.

use serde_json::json;

use super::{PASSWORD, jdbc, setup};
use crate::harness::{TestEnv, condition, conditions_in, status};

/// Creates the connection `db` as somebody else.
fn create_elsewhere(env: &TestEnv) {
    let input = json!({"Name": "db", "ConnectionType": "JDBC", "Description": "theirs", "ConnectionProperties": {
        "JDBC_CONNECTION_URL": "jdbc:mysql://theirs/x", "SECRET_ID": "theirs",
    }});
    env.call_glue("CreateConnection", &json!({"ConnectionInput": input}));
}

#[tokio::test]
async fn an_existing_connection_is_left_unchanged_until_it_is_deleted_or_adopted() {
    let env = setup("conn-adopt").await;
    create_elsewhere(&env);
    let before = env.connection_in_glue("db");
    let object = env.connections().create("db", jdbc(json!({}))).await;
    let message = env.connections().wait_for_reason("db", "AlreadyExists").await;
    assert!(message.starts_with("connection db exists already"), "{message}");
    assert!(message.contains("set spec.adoptionPolicy to Adopt"), "{message}");
    let stalled = env.connections().api.get("db").await.expect("the object");
    let shape: Vec<_> = conditions_in(&stalled).iter().map(|one| format!("{}={}", one.type_, one.status)).collect();
    assert_eq!(shape, ["Ready=False", "Stalled=True"]);
    assert_eq!(env.connection_in_glue("db"), before, "it is unchanged");
    assert_eq!(stalled.metadata.finalizers, None);

    // The object gets its own once the existing connection is deleted.
    env.call_glue("DeleteConnection", &json!({"ConnectionName": "db"}));
    env.connections().wait_ready("db").await;
    env.connections().delete("db").await;
    env.connections().wait_deleted(&object).await;
    assert_eq!(env.connection_in_glue("db"), None);

    // The deletion of an object that never owned the connection does not delete it.
    create_elsewhere(&env);
    let object = env.connections().create("db", jdbc(json!({}))).await;
    env.connections().wait_for_reason("db", "AlreadyExists").await;
    env.connections().delete("db").await;
    env.connections().wait_deleted(&object).await;
    assert_eq!(env.connection_in_glue("db"), before);

    // With adoptionPolicy Adopt the object takes the connection over.
    let object = env.connections().create("db", jdbc(json!({}))).await;
    env.connections().wait_for_reason("db", "AlreadyExists").await;
    env.connections().patch_spec("db", json!({"adoptionPolicy": "Adopt", "tags": {"a": "1"}})).await;
    env.connections().wait_ready("db").await;
    assert_eq!(env.property_in_glue("db", "PASSWORD").as_deref(), Some(PASSWORD));
    assert_eq!(env.connection_in_glue("db").expect("the connection").get("Description"), None);
    // It stays when the object is deleted, unless the spec says otherwise.
    env.connections().delete("db").await;
    env.connections().wait_deleted(&object).await;
    assert!(env.connection_in_glue("db").is_some());
    let delete = jdbc(json!({"adoptionPolicy": "Adopt", "deletionPolicy": "Delete", "tags": {"a": "1"}}));
    let object = env.connections().create("db", delete).await;
    env.connections().wait_ready("db").await;
    env.connections().delete("db").await;
    env.connections().wait_deleted(&object).await;
    assert_eq!(env.connection_in_glue("db"), None);
    assert_eq!(env.double.requests().of("UpdateConnection").count(), 2);
}

#[tokio::test]
async fn of_two_objects_for_one_connection_the_older_owns_it() {
    let env = setup("conn-two").await;
    let older = env.connections().create("older", jdbc(json!({"connectionName": "db", "description": "older"}))).await;
    env.connections().wait_ready("older").await;
    // Of objects created within one second the first by name is the older. So the names of the younger objects sort
    // after that of the older one.
    let is_held_by_another =
        |object: &_| condition(object, "Ready").is_some_and(|ready| ready.reason == "OwnedByAnother");
    let younger =
        env.connections().create("younger", jdbc(json!({"connectionName": "db", "description": "younger"}))).await;
    let younger_held = env.connections().wait_until("younger", "the older object owns it", is_held_by_another).await;
    let message = condition(&younger_held, "Ready").expect("a condition").message;
    assert!(message.contains(&format!("older GlueConnection {}/older", env.namespace)), "{message}");
    assert_eq!(env.connection_in_glue("db").expect("the connection")["Description"], "older");
    env.connections().delete("younger").await;
    env.connections().wait_deleted(&younger).await;
    assert!(env.connection_in_glue("db").is_some(), "the younger object never owned it");

    // In another region the name is another connection. In this region the younger object becomes its owner.
    let far = jdbc(json!({"connectionName": "db", "region": "us-east-1"}));
    env.connections().create("far", far).await;
    env.connections().wait_ready("far").await;
    env.connections().create("successor", jdbc(json!({"connectionName": "db", "description": "successor"}))).await;
    env.connections().wait_for_reason("successor", "OwnedByAnother").await;
    env.connections().delete("older").await;
    env.connections().wait_deleted(&older).await;
    env.connections().wait_ready("successor").await;
    assert_eq!(env.connection_in_glue("db").expect("the connection")["Description"], "successor");
}

/// `TagResource` names the connection by its ARN.
#[tokio::test]
async fn tags_of_a_connection_in_the_catalog_of_another_account_are_updated() {
    let env = setup("conn-catalog").await;
    let spec = |tags| jdbc(json!({"catalogId": "222222222222", "tags": tags}));
    env.connections().create("db", spec(json!({"team": "data"}))).await;
    env.connections().wait_ready("db").await;
    env.connections().patch_spec("db", json!({"tags": {"team": "sales"}})).await;
    let tagged = env.connections().wait_ready("db").await;
    assert_eq!(status(&tagged)["applied"]["tags"], json!({"team": "sales"}));
    let arn = "arn:aws:glue:eu-west-1:222222222222:connection/db";
    assert_eq!(env.call_glue("GetTags", &json!({"ResourceArn": arn}))["Tags"], json!({"team": "sales"}));
}
