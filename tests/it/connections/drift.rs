//! Changes of a connection by others, and changes of the spec.

use serde_json::{Value, json};

use super::{PASSWORD, setup_with_ready};
use crate::harness::{TestEnv, condition, status};

/// Adds a property to the connection `db` as somebody else.
fn add_property_elsewhere(env: &TestEnv) {
    let mut input = env.connection_in_glue("db").expect("the connection");
    input["ConnectionProperties"]["INSTANCE_ID"] = json!("by-hand");
    env.call_glue("UpdateConnection", &json!({"Name": "db", "ConnectionInput": input}));
}

#[tokio::test]
async fn a_property_added_elsewhere_is_removed_with_a_warning() {
    let (env, _) = setup_with_ready("conn-drift", json!({})).await;
    add_property_elsewhere(&env);
    let event = env.wait_for_event("Drifted").await;
    let note = event.note.expect("a note");
    assert!(note.contains("properties INSTANCE_ID") && note.contains("changed in Glue by "), "{note}");
    assert!(!note.contains("by-hand"), "the note has no value: {note}");
    env.wait_for_calls("UpdateConnection", 1).await;
    let ready = env.connections().wait_ready("db").await;
    assert_eq!(env.property_in_glue("db", "INSTANCE_ID"), None);
    assert_eq!(env.property_in_glue("db", "PASSWORD").as_deref(), Some(PASSWORD), "the full input was sent");
    assert_eq!(status(&ready)["drift"], Value::Null);
}

#[tokio::test]
async fn with_drift_policy_report_drift_is_only_reported() {
    let (env, _) = setup_with_ready("conn-report", json!({"driftPolicy": "Report"})).await;
    add_property_elsewhere(&env);
    let message = env.connections().wait_for_reason("db", "Drifted").await;
    assert!(message.ends_with("driftPolicy: Report leaves it as it is"), "{message}");
    let object = env.connections().api.get("db").await.expect("the object");
    assert_eq!(status(&object)["drift"]["fields"], json!(["properties INSTANCE_ID"]));
    assert!(status(&object)["drift"]["by"].is_string());
    assert_eq!(env.property_in_glue("db", "INSTANCE_ID").as_deref(), Some("by-hand"));
    env.connections().patch_spec("db", json!({"driftPolicy": "Correct"})).await;
    env.connections().wait_ready("db").await;
    assert_eq!(env.property_in_glue("db", "INSTANCE_ID"), None);
}

#[tokio::test]
async fn fields_removed_from_the_spec_are_removed_in_glue_with_one_update() {
    let more = json!({"description": "orders", "matchCriteria": ["a"], "tags": {"a": "1"}});
    let (env, _) = setup_with_ready("conn-edit", more).await;
    env.wait_for_arn("db").await;
    env.connections().wait_ready("db").await;
    let less = json!({"description": null, "matchCriteria": null, "tags": {"a": null, "b": "2"}, "propertiesFrom": null,
        "properties": {"SECRET_ID": "orders/db"}});
    env.connections().patch_spec("db", less).await;
    let ready = env.connections().wait_ready("db").await;
    let input = env.connection_in_glue("db").expect("the connection");
    let expected = json!({"JDBC_CONNECTION_URL": "jdbc:postgresql://db.example.com:5432/orders", "USERNAME": "etl",
        "SECRET_ID": "orders/db"});
    assert_eq!(input["ConnectionProperties"], expected);
    assert_eq!((input.get("Description"), input.get("MatchCriteria")), (None, None));
    let tags = env.call_glue("GetTags", &json!({"ResourceArn": status(&ready)["arn"]}));
    assert_eq!(tags["Tags"], json!({"b": "2"}));
    let calls = ["CreateConnection", "UpdateConnection", "TagResource", "UntagResource"];
    assert_eq!(calls.map(|operation| env.double.requests().count(operation)), [1, 1, 1, 1]);

    env.connections().patch_spec("db", json!({"deletionPolicy": "Delete"})).await;
    env.connections().wait_ready("db").await;
    assert_eq!(env.double.requests().count("UpdateConnection"), 1, "an unchanged input is not sent again");
}

#[tokio::test]
async fn a_connection_deleted_elsewhere_is_created_again() {
    let (env, object) = setup_with_ready("conn-deleted", json!({})).await;
    let before = status(&object)["createdAt"].clone();
    env.double.clock().step(std::time::Duration::from_mins(1));
    env.call_glue("DeleteConnection", &json!({"ConnectionName": "db"}));
    assert!(env.wait_for_event("Drifted").await.note.expect("a note").contains("deleted in Glue"));
    let is_recreated = |object: &_| {
        let ready = condition(object, "Ready").is_some_and(|ready| ready.status == "True");
        ready && status(object)["createdAt"] != before
    };
    env.connections().wait_until("db", "it is created again", is_recreated).await;
    assert_eq!(env.property_in_glue("db", "PASSWORD").as_deref(), Some(PASSWORD));
    assert_eq!(env.double.requests().of("CreateConnection").succeeded().count(), 2);
}
