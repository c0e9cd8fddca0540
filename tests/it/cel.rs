//! What the API server admits of a GlueJobRun and what it refuses: every rule and every bound, in both
//! directions.

use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject};
use kube_glue::api::GlueJobRun;
use kube_glue_bed::ControlPlane;
use serde_json::{Value, json};

use crate::world::merged;

/// A namespace without a controller.
async fn runs() -> Api<DynamicObject> {
    let plane = ControlPlane::shared().await.expect("a control plane");
    crate::crds::install(plane).await;
    let namespace = plane.namespace("cel").await.expect("a namespace");
    let client = plane.client().await.expect("a client");
    Api::namespaced_with(client, &namespace, &ApiResource::erase::<GlueJobRun>(&()))
}

fn object(name: &str, spec: &Value) -> DynamicObject {
    let head = json!({"apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun", "metadata": {"name": name}});
    serde_json::from_value(merged(head, json!({"spec": spec}))).expect("an object")
}

/// What the API server says to a creation: nothing, or why not.
async fn create(runs: &Api<DynamicObject>, spec: &Value) -> Result<(), String> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    refusal(runs.create(&dry, &object("one", spec)).await)
}

fn refusal(answer: Result<DynamicObject, kube::Error>) -> Result<(), String> {
    match answer {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) => Err(status.message.clone()),
        Err(error) => panic!("{error}"),
    }
}

fn with(spec: &Value) -> Value {
    merged(json!({"jobName": "etl"}), spec.clone())
}

fn long(length: usize) -> String {
    "x".repeat(length)
}

#[tokio::test]
async fn what_is_right_is_admitted() {
    let runs = runs().await;
    let many: serde_json::Map<_, _> = (0..200).map(|n| (format!("--{n}"), json!("x"))).collect();
    for spec in [
        json!({}),
        json!({"jobName": long(255)}),
        json!({"jobName": "Tägliche Läufe (neu)"}),
        json!({"runId": "jr_1", "stop": true, "deletionPolicy": "Stop", "activeDeadlineSeconds": 1, "ttlSecondsAfterFinished": 0}),
        json!({"region": "us-gov-west-1"}),
        json!({"region": "eu-isoe-west-1"}),
        json!({"credentials": {}}),
        json!({"credentials": {"secretName": long(253)}}),
        json!({"arguments": {}}),
        json!({"arguments": {"--a": long(16384), "--job-language": "scala", "--enable-metrics": ""}}),
        json!({"arguments": many}),
        json!({"argumentsFrom": [{"name": "--a", "secretKeyRef": {"name": "s", "key": "k"}}, {"name": "--b", "configMapKeyRef": {"name": "c", "key": "k", "optional": true}}]}),
        json!({"workers": {"type": "G.1X", "count": 2}}),
        json!({"workers": {"type": "Z.2X", "count": 1000}}),
        json!({"maxCapacity": 0.0625}),
        json!({"maxCapacity": 1000}),
        json!({"allocatedCapacity": 1}),
        json!({"timeoutMinutes": 1}),
        json!({"timeoutMinutes": 10080}),
        json!({"notifyDelayAfterMinutes": 1}),
        json!({"securityConfiguration": long(255)}),
        json!({"executionClass": "FLEX"}),
        json!({"executionClass": "STANDARD"}),
        json!({"jobRunQueuingEnabled": false}),
        json!({"executionRoleSessionPolicy": "{}"}),
        json!({"suspend": true, "stop": false}),
        json!({"retry": {"limit": 0}}),
        json!({"retry": {"limit": 100, "on": ["FAILED", "TIMEOUT", "ERROR", "EXPIRED"], "backoffSeconds": 600, "maxBackoffSeconds": 600}}),
        json!({"retry": {"limit": 1, "backoffSeconds": 86400}}),
        json!({"startDeadlineSeconds": 1, "activeDeadlineSeconds": 1}),
        json!({"idempotencyKey": "orders-2026.01_31"}),
        json!({"idempotencyKey": long(128)}),
        json!({"readyWhen": "Started", "deletionPolicy": "Orphan"}),
        // A null is as good as nothing, as it comes out of templates.
        json!({"runId": null, "workers": null, "maxCapacity": 2.0, "retry": null, "suspend": null, "stop": null, "region": null}),
        json!({"runId": "jr_1", "retry": null, "suspend": null, "workers": null, "idempotencyKey": null}),
    ] {
        assert_eq!(create(&runs, &with(&spec)).await, Ok(()), "{spec}");
    }
}

/// Each spec is refused, with these words.
async fn are_refused(specs: Vec<(Value, &str)>) {
    let runs = runs().await;
    for (spec, words) in specs {
        let answer = create(&runs, &with(&spec)).await.expect_err(&spec.to_string());
        assert!(answer.contains(words), "{spec}: {answer:?} does not say {words:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_the_field_and_the_remedy() {
    let one_capacity = "workers, maxCapacity and allocatedCapacity are three ways to say one thing: keep one of them";
    let workers = json!({"type": "G.1X", "count": 2});
    let secret = json!({"name": "s", "key": "k"});
    let reserved = "Glue keeps these arguments for itself, remove them: --debug, --mode, --JOB_NAME, --endpoint";
    let many: serde_json::Map<_, _> = (0..201).map(|n| (format!("--{n}"), json!("x"))).collect();
    let sources: Vec<_> = (0..65).map(|n| json!({"name": format!("--{n}"), "secretKeyRef": secret})).collect();
    are_refused(vec![
        (json!({"jobName": null}), "spec.jobName: "),
        (json!({"jobName": ""}), "spec.jobName: Invalid value: \"\": spec.jobName in body should be at least 1 chars"),
        (json!({"jobName": long(256)}), "spec.jobName: Too long"),
        (json!({"jobName": "a\nb"}), "spec.jobName: Invalid value"),
        (json!({"jobName": 5}), "spec.jobName: Invalid value: \"integer\""),
        (json!({"runId": ""}), "spec.runId"),
        (json!({"runId": long(256)}), "spec.runId: Too long"),
        (json!({"region": "Ireland"}), "spec.region: Invalid value"),
        (json!({"region": "eu"}), "spec.region: Invalid value"),
        (json!({"region": format!("eu-{}", long(30))}), "spec.region: Too long"),
        (json!({"credentials": {"secretName": ""}}), "spec.credentials.secretName"),
        (json!({"credentials": {"secretName": long(254)}}), "spec.credentials.secretName: Too long"),
        (json!({"arguments": {"--a": 1}}), "spec.arguments.--a: Invalid value: \"integer\""),
        (json!({"arguments": {"--a": long(16385)}}), "spec.arguments.--a: Too long"),
        (json!({"arguments": many}), "spec.arguments: Too many"),
        (json!({"arguments": {"--debug": "x"}}), reserved),
        (json!({"arguments": {"--JOB_NAME": "x"}}), reserved),
        (json!({"argumentsFrom": [{"name": "--mode", "secretKeyRef": secret}]}), reserved),
        (json!({"argumentsFrom": [{"name": "--a"}]}), "name exactly one of secretKeyRef and configMapKeyRef"),
        (
            json!({"argumentsFrom": [{"name": "--a", "secretKeyRef": secret, "configMapKeyRef": secret}]}),
            "name exactly one of secretKeyRef and configMapKeyRef",
        ),
        (
            json!({"argumentsFrom": [{"name": "--a", "secretKeyRef": {"name": "s"}}]}),
            "spec.argumentsFrom[0].secretKeyRef.key: Required value",
        ),
        (json!({"argumentsFrom": [{"name": "", "secretKeyRef": secret}]}), "spec.argumentsFrom[0].name"),
        (
            json!({"argumentsFrom": [{"name": "--a", "secretKeyRef": secret}, {"name": "--a", "secretKeyRef": secret}]}),
            "spec.argumentsFrom[1]: Duplicate value",
        ),
        (json!({"argumentsFrom": sources}), "spec.argumentsFrom: Too many"),
        (
            json!({"arguments": {"--a": "x"}, "argumentsFrom": [{"name": "--a", "secretKeyRef": secret}]}),
            "an argument stands in arguments and in argumentsFrom: keep one of them",
        ),
        (json!({"workers": workers, "maxCapacity": 2.0}), one_capacity),
        (json!({"workers": workers, "allocatedCapacity": 2}), one_capacity),
        (json!({"maxCapacity": 2.0, "allocatedCapacity": 2}), one_capacity),
        (json!({"workers": {"type": "G.1X"}}), "spec.workers.count: Required value"),
        (json!({"workers": {"count": 2}}), "spec.workers.type: Required value"),
        (json!({"workers": {"type": "G 1X", "count": 2}}), "spec.workers.type: Invalid value"),
        (json!({"workers": {"type": "G.1X", "count": 0}}), "spec.workers.count"),
        (json!({"workers": {"type": "G.1X", "count": 1001}}), "spec.workers.count"),
        (json!({"maxCapacity": 0.01}), "spec.maxCapacity"),
        (json!({"maxCapacity": 1001}), "spec.maxCapacity"),
        (json!({"allocatedCapacity": 0}), "spec.allocatedCapacity"),
        (json!({"allocatedCapacity": 1001}), "spec.allocatedCapacity"),
        (json!({"timeoutMinutes": 0}), "spec.timeoutMinutes"),
        (json!({"timeoutMinutes": 10081}), "spec.timeoutMinutes"),
        (json!({"timeoutMinutes": "10"}), "spec.timeoutMinutes: Invalid value: \"string\""),
        (json!({"notifyDelayAfterMinutes": 0}), "spec.notifyDelayAfterMinutes"),
        // Admitted, it could not be read any more.
        (json!({"notifyDelayAfterMinutes": 3_000_000_000_i64}), "spec.notifyDelayAfterMinutes"),
        (json!({"securityConfiguration": ""}), "spec.securityConfiguration"),
        (
            json!({"executionClass": "Flex"}),
            "spec.executionClass: Unsupported value: \"Flex\": supported values: \"FLEX\", \"STANDARD\"",
        ),
        (json!({"jobRunQueuingEnabled": "yes"}), "spec.jobRunQueuingEnabled"),
        (json!({"executionRoleSessionPolicy": "x"}), "spec.executionRoleSessionPolicy"),
        (json!({"executionRoleSessionPolicy": long(2049)}), "spec.executionRoleSessionPolicy: Too long"),
    ])
    .await;
}

#[tokio::test]
async fn what_no_life_can_be_is_refused_with_the_field_and_the_remedy() {
    are_refused(vec![
        (json!({"suspend": "true"}), "spec.suspend"),
        (json!({"stop": 1}), "spec.stop"),
        (json!({"retry": {}}), "spec.retry.limit: Required value"),
        (json!({"retry": {"limit": -1}}), "spec.retry.limit"),
        (json!({"retry": {"limit": 101}}), "spec.retry.limit"),
        (json!({"retry": {"limit": 1, "on": []}}), "spec.retry.on"),
        (json!({"retry": {"limit": 1, "on": ["STOPPED"]}}), "spec.retry.on[0]: Unsupported value"),
        (json!({"retry": {"limit": 1, "on": ["FAILED", "FAILED"]}}), "spec.retry.on[1]: Duplicate value"),
        (json!({"retry": {"limit": 1, "backoffSeconds": -1}}), "spec.retry.backoffSeconds"),
        (json!({"retry": {"limit": 1, "backoffSeconds": 86401}}), "spec.retry.backoffSeconds"),
        (json!({"retry": {"limit": 1, "maxBackoffSeconds": 86401}}), "spec.retry.maxBackoffSeconds"),
        (
            json!({"retry": {"limit": 1, "backoffSeconds": 11, "maxBackoffSeconds": 10}}),
            "retry.backoffSeconds must not exceed retry.maxBackoffSeconds",
        ),
        (json!({"startDeadlineSeconds": 0}), "spec.startDeadlineSeconds"),
        (json!({"activeDeadlineSeconds": 0}), "spec.activeDeadlineSeconds"),
        (json!({"ttlSecondsAfterFinished": -1}), "spec.ttlSecondsAfterFinished"),
        (
            json!({"deletionPolicy": "Delete"}),
            "spec.deletionPolicy: Unsupported value: \"Delete\": supported values: \"Stop\", \"Orphan\"",
        ),
        (json!({"readyWhen": "Running"}), "spec.readyWhen: Unsupported value"),
        (json!({"idempotencyKey": ""}), "spec.idempotencyKey"),
        (json!({"idempotencyKey": long(129)}), "spec.idempotencyKey: Too long"),
        (json!({"idempotencyKey": "a/b"}), "spec.idempotencyKey: Invalid value"),
        (json!({"idempotencyKey": "-a"}), "spec.idempotencyKey: Invalid value"),
    ])
    .await;
}

#[tokio::test]
async fn what_says_how_to_start_is_refused_beside_a_run_that_was_started_elsewhere() {
    let secret = json!({"name": "s", "key": "k"});
    let follows = "runId follows a run that was started elsewhere: remove what says how to start one";
    are_refused(
        [
            json!({"arguments": {}}),
            json!({"argumentsFrom": [{"name": "--a", "secretKeyRef": secret}]}),
            json!({"workers": {"type": "G.1X", "count": 2}}),
            json!({"maxCapacity": 2.0}),
            json!({"allocatedCapacity": 2}),
            json!({"timeoutMinutes": 1}),
            json!({"notifyDelayAfterMinutes": 1}),
            json!({"securityConfiguration": "x"}),
            json!({"executionClass": "FLEX"}),
            json!({"jobRunQueuingEnabled": true}),
            json!({"executionRoleSessionPolicy": "{}"}),
            json!({"retry": {"limit": 1}}),
            json!({"suspend": false}),
            json!({"startDeadlineSeconds": 1}),
            json!({"idempotencyKey": "x"}),
        ]
        .into_iter()
        .map(|field| (merged(field, json!({"runId": "jr_1"})), follows))
        .collect(),
    )
    .await;
}

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

/// Changes the spec, to see whether it would be admitted.
async fn patch(runs: &Api<DynamicObject>, name: &str, spec: &Value) -> Result<(), String> {
    let dry = PatchParams { dry_run: true, ..PatchParams::default() };
    refusal(runs.patch(name, &dry, &Patch::Merge(json!({"spec": spec}))).await)
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

/// Before the first look of a controller, no tool may take the object for finished.
#[tokio::test]
async fn a_new_object_is_not_observed_yet() {
    let runs = runs().await;
    let created = runs.create(&PostParams::default(), &object("one", &with(&json!({})))).await.expect("an object");
    assert_eq!(created.data["status"], json!({"observedGeneration": -1}));
}
