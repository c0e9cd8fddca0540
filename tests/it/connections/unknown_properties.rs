//! Properties that Glue does not document: a warning, and no more.

use serde_json::json;

use super::{jdbc, setup};
use crate::harness::{condition, is_event_on};

#[tokio::test]
async fn an_unknown_property_is_sent_and_warned_of_until_it_is_removed() {
    let env = setup("conn-unknown").await;
    let url = "jdbc:postgresql://db.example.com:5432/orders";
    let properties = json!({"JDBC_CONNECTION_URL": url, "USERNAME": "etl", "VPC": "vpc-1"});
    env.connections().create("db", jdbc(json!({"properties": properties}))).await;
    let object = env.connections().wait_ready("db").await;
    let warning = condition(&object, "UnknownProperties").expect("the condition");
    assert_eq!((warning.status.as_str(), warning.reason.as_str()), ("True", "UnknownProperty"));
    assert!(warning.message.ends_with("may ignore it: VPC"), "{}", warning.message);
    assert_eq!(env.property_in_glue("db", "VPC").as_deref(), Some("vpc-1"));
    env.wait_for_event_on("db", "InSync").await;
    let events = env.events().await;
    let warnings = events.iter().filter(|event| is_event_on(event, "db", "UnknownProperty"));
    let types: Vec<_> = warnings.map(|event| event.type_.as_deref().unwrap_or_default()).collect();
    assert_eq!(types, ["Warning"]);

    env.connections().patch_spec("db", json!({"properties": {"VPC": null}})).await;
    env.connections()
        .wait_until("db", "it has no warning", |object| condition(object, "UnknownProperties").is_none())
        .await;
}
