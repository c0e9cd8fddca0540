//! What Glue's own description of a connection type asks for: a warning, and no more.

use kube_glue_double::{DEFAULT_ACCOUNT, Policy};
use serde_json::{Value, json};

use super::{jdbc, setup};
use crate::harness::{condition, is_event_on};

fn postgresql(properties: &Value) -> Value {
    let basic = json!({"username": "etl", "passwordSecretRef": {"name": "db", "key": "password"}});
    json!({
        "connectionType": "POSTGRESQL", "properties": properties, "authentication": {"type": "BASIC", "basic": basic},
    })
}

#[tokio::test]
async fn what_a_connection_of_a_newer_type_lacks_is_warned_of_until_it_is_set() {
    let env = setup("conn-unmet").await;
    let connections = env.connections();
    connections.create("db", postgresql(&json!({"HOST": "db", "DATABSE": "orders"}))).await;
    let object = connections.wait_ready("db").await;
    let warning = condition(&object, "UnmetRequirements").expect("the condition");
    assert_eq!((warning.status.as_str(), warning.reason.as_str()), ("True", "RequirementUnmet"));
    assert_eq!(
        warning.message,
        "by Glue's description of the type POSTGRESQL: the properties DATABASE, PORT are required; there is no property \
         DATABSE (DATABASE?)"
    );
    env.wait_for_event_on("db", "InSync").await;
    let events = env.events().await;
    let warnings = events.iter().filter(|event| is_event_on(event, "db", "RequirementUnmet"));
    let types: Vec<_> = warnings.map(|event| event.type_.as_deref().unwrap_or_default()).collect();
    assert_eq!(types, ["Warning"]);

    // Other changes leave it; the answer is remembered.
    connections.patch_spec("db", json!({"description": "orders"})).await;
    let is_described = |_: &_| env.connection_in_glue("db").is_some_and(|input| input["Description"] == "orders");
    connections.wait_until("db", "its description is in Glue", is_described).await;
    assert!(condition(&connections.wait_ready("db").await, "UnmetRequirements").is_some());
    let complete = json!({"HOST": "db", "PORT": "5432", "DATABASE": "orders", "DATABSE": null});
    connections.patch_spec("db", json!({"properties": complete})).await;
    connections.wait_until("db", "it has no warning", |object| condition(object, "UnmetRequirements").is_none()).await;
    // Types whose requirements are known are not asked about.
    connections.create("known", jdbc(json!({}))).await;
    connections.wait_ready("known").await;
    assert_eq!(env.double.requests().count("DescribeConnectionType"), 1);
}

#[tokio::test]
async fn a_description_that_is_denied_changes_nothing() {
    let env = setup("conn-undescribed").await;
    let user = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:user/{}", env.key.user);
    env.double.iam().set_policy(&user, Policy::deny(&["glue:DescribeConnectionType"]));
    env.connections().create("db", postgresql(&json!({"HOST": "db"}))).await;
    let object = env.connections().wait_ready("db").await;
    assert!(condition(&object, "UnmetRequirements").is_none(), "{object:?}");
    assert_eq!(env.double.requests().count("DescribeConnectionType"), 1);
}
