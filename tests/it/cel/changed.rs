//! What may be changed of an object that is there.

use kube::api::PostParams;
use serde_json::{Value, json};

use super::{object, patch, runs, with};
use crate::harness::merged;

#[tokio::test]
async fn what_was_run_cannot_be_changed() {
    let runs = runs().await;
    let from = |key: &str| json!([{"name": "--b", "secretKeyRef": {"name": "s", "key": key}}]);
    // Each field with a value, and with another one.
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
    let mut before = vec![
        ("bare".to_owned(), with(&json!({}))),
        ("full".to_owned(), full),
        ("capacity".to_owned(), with(&json!({"maxCapacity": 2.0}))),
        ("old".to_owned(), with(&json!({"allocatedCapacity": 2}))),
        ("foreign".to_owned(), with(&json!({"runId": "jr_1"}))),
    ];
    for (name, spec) in &mut before {
        runs.create(&PostParams::default(), &object(name, spec)).await.expect(name);
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
    for (name, field, value) in changes {
        let answer = patch(&runs, name, &json!({field: value})).await.expect_err(&format!("{name}: {field}: {value}"));
        let words = format!("{field} cannot be changed: a new run is a new object");
        assert!(answer.contains(&words), "{name}: {field}: {value}: {answer}");
    }
    for (name, spec) in &before {
        assert_eq!(patch(&runs, name, spec).await, Ok(()), "{name}: the same again");
    }
}

#[tokio::test]
async fn how_a_run_lives_can_be_changed_but_a_stop_not_taken_back() {
    let runs = runs().await;
    runs.create(&PostParams::default(), &object("live", &with(&json!({})))).await.expect("an object");
    runs.create(&PostParams::default(), &object("stopped", &with(&json!({"stop": true})))).await.expect("an object");
    for spec in [
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
    ] {
        assert_eq!(patch(&runs, "live", &spec).await, Ok(()), "{spec}");
        assert_eq!(patch(&runs, "stopped", &merged(spec, json!({"stop": true}))).await, Ok(()));
    }
    for spec in [json!({"stop": false}), json!({"stop": null})] {
        let answer = patch(&runs, "stopped", &spec).await.expect_err("it stays");
        assert!(answer.contains("stop cannot be taken back once it is true"), "{answer}");
    }
}
