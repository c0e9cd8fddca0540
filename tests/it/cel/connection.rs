//! GlueConnection: what each type needs, each limit of the Connection API page, and how what is wrong is said.

mod admitted;
mod refused;
mod seed;

use kube::api::{Api, PostParams};
use kube::core::DynamicObject;
use kube_glue::api::GlueConnection;
use serde_json::{Value, json};

use super::{create_of, object_of, of_kind, patch};
use crate::harness::merged;

async fn connections() -> Api<DynamicObject> {
    of_kind::<GlueConnection>().await
}

async fn create(connections: &Api<DynamicObject>, spec: &Value) -> Result<(), String> {
    create_of::<GlueConnection>(connections, spec).await
}

/// Properties from the Secret `db`, each under a key of its own name.
fn from(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"name": name, "secretKeyRef": {"name": "db", "key": name}})).collect()
}

/// A JDBC connection with `spec` in it.
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
async fn where_a_connection_is_cannot_be_changed_and_all_else_can() {
    let connections = connections().await;
    let full = jdbc(&json!({"connectionName": "orders", "catalogId": "123456789012", "region": "eu-west-1"}));
    for (name, spec) in [("full", full), ("bare", jdbc(&json!({})))] {
        connections.create(&PostParams::default(), &object_of::<GlueConnection>(name, &spec)).await.expect("an object");
    }
    for field in ["connectionName", "catalogId", "region"] {
        let words = format!("{field} cannot be changed: Glue cannot move a connection, so a new place is a new object");
        for (name, value) in [("full", json!("us-east-1")), ("full", Value::Null), ("bare", json!("us-east-1"))] {
            let answer = patch(&connections, name, &json!({field: value})).await.expect_err(field);
            assert!(answer.contains(&words), "{name}: {field}: {answer}");
        }
    }
    for spec in [
        json!({"description": "orders"}),
        json!({"connectionType": "POSTGRESQL"}),
        json!({"properties": {"SECRET_ID": "db", "JDBC_CONNECTION_URL": "jdbc:x"}}),
        json!({"driftPolicy": "Report", "adoptionPolicy": "Adopt", "deletionPolicy": "Retain"}),
        json!({"tags": {"team": "orders"}, "test": {"everyMinutes": 60}}),
        json!({"credentials": {"secretName": "other"}}),
    ] {
        assert_eq!(patch(&connections, "bare", &spec).await, Ok(()), "{spec}");
    }
}
