//! Changes of existing objects.

use kube_glue::api::GlueJobRun;
use serde_json::{Value, json};

use super::spec;
use crate::harness::merged;
use crate::validation::{assert_immutable, assert_mutable, create, dry_run_patch, new_api};

#[tokio::test]
async fn start_parameters_are_immutable() {
    let runs = new_api::<GlueJobRun>().await;
    let from = |key: &str| json!([{"name": "--b", "secretKeyRef": {"name": "s", "key": key}}]);
    // Field, value, and another value.
    let fixed = [
        ("jobName", json!("etl"), json!("other")),
        ("region", json!("eu-west-1"), json!("eu-west-2")),
        ("arguments", json!({"--a": "x"}), json!({"--a": "x", "--c": "y"})),
        ("argumentsFrom", from("k"), from("l")),
        ("workers", json!({"type": "G.1X", "count": 2}), json!({"type": "G.1X", "count": 3})),
        ("timeoutMinutes", json!(10), json!(11)),
        ("notifyDelayAfterMinutes", json!(10), json!(11)),
        ("securityConfiguration", json!("a"), json!("b")),
        ("executionClass", json!("FLEX"), json!("STANDARD")),
        ("jobRunQueuingEnabled", json!(true), json!(false)),
        ("executionRoleSessionPolicy", json!("{}"), json!("{ }")),
        ("idempotencyKey", json!("a"), json!("b")),
    ];
    let full: Value = fixed
        .iter()
        .map(|(field, value, _)| ((*field).to_owned(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let before = [
        ("bare".to_owned(), spec(json!({}))),
        ("full".to_owned(), full),
        ("capacity".to_owned(), spec(json!({"maxCapacity": 2.0}))),
        ("old".to_owned(), spec(json!({"allocatedCapacity": 2}))),
        ("foreign".to_owned(), spec(json!({"runId": "jr_1"}))),
    ];
    for (name, spec) in &before {
        create::<GlueJobRun>(&runs, name, spec).await;
    }
    let mut changes = vec![
        ("capacity", "maxCapacity", json!(3.0)),
        ("capacity", "maxCapacity", Value::Null),
        ("bare", "maxCapacity", json!(2.0)),
        ("old", "allocatedCapacity", json!(3)),
        ("old", "allocatedCapacity", Value::Null),
        ("bare", "allocatedCapacity", json!(2)),
        ("foreign", "runId", json!("jr_2")),
        ("foreign", "runId", Value::Null),
        ("bare", "runId", json!("jr_1")),
    ];
    for (field, value, other) in &fixed {
        changes.push(("full", field, other.clone()));
        if *field != "jobName" {
            changes.push(("full", field, Value::Null));
            changes.push(("bare", field, value.clone()));
        }
    }
    assert_immutable(&runs, changes, "create another object for another run").await;
    for (name, spec) in before {
        // The values that it has already.
        assert_mutable(&runs, &name, [spec]).await;
    }
}

#[tokio::test]
async fn lifecycle_fields_are_mutable_and_stop_cannot_be_taken_back() {
    let runs = new_api::<GlueJobRun>().await;
    create::<GlueJobRun>(&runs, "active", &spec(json!({}))).await;
    create::<GlueJobRun>(&runs, "stopped", &spec(json!({"stop": true}))).await;
    let changes = [
        json!({"suspend": true}),
        json!({"stop": true}),
        json!({"stop": false}),
        json!({"retry": {"limit": 3}}),
        json!({"startDeadlineSeconds": 5}),
        json!({"activeDeadlineSeconds": 5}),
        json!({"ttlSecondsAfterFinished": 5}),
        json!({"deletionPolicy": "Orphan"}),
        json!({"readyWhen": "Started"}),
        json!({"credentials": {"secretName": "other"}}),
    ];
    assert_mutable(&runs, "active", changes.clone()).await;
    assert_mutable(&runs, "stopped", changes.map(|change| merged(change, json!({"stop": true})))).await;
    for spec in [json!({"stop": false}), json!({"stop": null})] {
        let answer = dry_run_patch(&runs, "stopped", &spec).await.expect_err("a rejection");
        assert!(answer.contains("stop cannot be taken back once it is true"), "{answer}");
    }
}
