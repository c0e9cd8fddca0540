//! GlueConnection: the requirements of each type, and each limit of the Connection API page.

mod accepted;
mod api_reference;
mod rejected;
mod types;

use kube_glue::api::GlueConnection;
use serde_json::{Value, json};

use super::{assert_immutable, assert_mutable, create, new_api};
use crate::harness::merged;

/// `propertiesFrom` with these properties, each from the key of its name in the Secret `db`.
fn from(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"name": name, "secretKeyRef": {"name": "db", "key": name}})).collect()
}

/// The spec of a JDBC connection with the fields of `spec`.
fn jdbc(spec: &Value) -> Value {
    let url = "jdbc:postgresql://db.example.com:5432/orders";
    let base = json!({
        "connectionType": "JDBC",
        "properties": {"JDBC_CONNECTION_URL": url, "USERNAME": "etl"},
        "propertiesFrom": from(&["PASSWORD"]),
    });
    merged(base, spec.clone())
}

#[tokio::test]
async fn the_location_of_a_connection_is_immutable_and_other_fields_are_not() {
    let connections = new_api::<GlueConnection>().await;
    let full = jdbc(&json!({"connectionName": "orders", "catalogId": "123456789012", "region": "eu-west-1"}));
    for (name, spec) in [("full", full), ("bare", jdbc(&json!({})))] {
        create::<GlueConnection>(&connections, name, &spec).await;
    }
    for field in ["connectionName", "catalogId", "region"] {
        let changes =
            [("full", field, json!("us-east-1")), ("full", field, Value::Null), ("bare", field, json!("us-east-1"))];
        let remedy = "Glue cannot move a connection, create another object";
        assert_immutable(&connections, changes, remedy).await;
    }
    let changes = [
        json!({"description": "orders"}),
        json!({"connectionType": "POSTGRESQL"}),
        json!({"properties": {"SECRET_ID": "db", "JDBC_CONNECTION_URL": "jdbc:x"}}),
        json!({"driftPolicy": "Report", "adoptionPolicy": "Adopt", "deletionPolicy": "Retain"}),
        json!({"tags": {"team": "orders"}, "test": {"everyMinutes": 60}}),
        json!({"credentials": {"secretName": "other"}}),
    ];
    assert_mutable(&connections, "bare", changes).await;
}
