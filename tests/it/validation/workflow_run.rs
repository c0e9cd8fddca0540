//! GlueWorkflowRun. The rules that all runs share are tested with GlueJobRun.

use kube_glue::api::GlueWorkflowRun;
use serde_json::{Value, json};

use super::{assert_accepted, assert_immutable, assert_mutable, assert_rejected, create, long, new_api};
use crate::harness::merged;

/// A spec with `extra` in it.
fn spec(extra: Value) -> Value {
    merged(json!({"workflowName": "daily"}), extra)
}

fn from(name: &str) -> Value {
    json!([{"name": name, "secretKeyRef": {"name": "db", "key": "password"}}])
}

#[tokio::test]
async fn valid_specs_are_accepted() {
    let many: serde_json::Map<_, _> = (0..100).map(|number| (format!("p{number}"), json!("x"))).collect();
    let specs = [
        json!({}),
        json!({"lineage": {"outputs": [{"namespace": "s3://lake", "name": "raw"}]}}),
        json!({"workflowName": long(255)}),
        json!({"workflowName": "täglich/neu"}),
        json!({"runId": "wr_1", "stop": true, "deletionPolicy": "Stop", "succeedWhen": "Completed"}),
        json!({"runProperties": {"day": "monday", "empty": ""}, "runPropertiesFrom": from("password")}),
        json!({"runProperties": many}),
        json!({"runProperties": {"large": long(65536)}}),
        json!({"succeedWhen": "AllActionsSucceeded", "resume": "a", "resumeNodes": ["clean", "raw"]}),
        json!({"retry": {"limit": 3, "states": ["FAILED", "ERROR"]}, "suspend": true, "idempotencyKey": "orders-1"}),
        json!({"startDeadlineSeconds": 1, "activeDeadlineSeconds": 1, "readyWhen": "Started"}),
        // A null, as templates may produce it, counts as absent.
        json!({"runId": null, "resume": null, "runProperties": null, "succeedWhen": null}),
    ];
    assert_accepted::<GlueWorkflowRun>(specs.map(spec)).await;
}

#[tokio::test]
async fn invalid_specs_are_rejected_with_the_field_and_the_remedy() {
    let follows = "runId follows a run that was started elsewhere: remove the fields for starting one";
    let only = "a workflow run that does not succeed ends as FAILED (some of its actions did) or ERROR: only these can be retried";
    let too_many: serde_json::Map<_, _> = (0..101).map(|number| (format!("p{number}"), json!("x"))).collect();
    let cases = [
        (json!({"workflowName": null}), "spec.workflowName: "),
        (
            json!({"lineage": {"inputs": [{"namespace": "a@b", "name": "c"}]}}),
            "spec.lineage.inputs[0].namespace: Invalid",
        ),
        (json!({"workflowName": ""}), "spec.workflowName: Invalid value"),
        (json!({"workflowName": long(256)}), "spec.workflowName: Too long"),
        (json!({"workflowName": "a\nb"}), "spec.workflowName: Invalid value"),
        (json!({"runId": ""}), "spec.runId"),
        (json!({"runProperties": too_many}), "spec.runProperties: Too many"),
        (json!({"runProperties": {"large": long(65537)}}), "spec.runProperties.large: Too long"),
        (json!({"runProperties": {"a": 1}}), "spec.runProperties.a"),
        (
            json!({"runProperties": {"password": "x"}, "runPropertiesFrom": from("password")}),
            "a property is set in both runProperties and runPropertiesFrom: keep one of them",
        ),
        (json!({"runPropertiesFrom": [{"name": "a"}]}), "name exactly one of secretKeyRef and configMapKeyRef"),
        (
            json!({"succeedWhen": "Always"}),
            "spec.succeedWhen: Unsupported value: \"Always\": supported values: \"AllActionsSucceeded\", \"Completed\"",
        ),
        (json!({"resume": ""}), "spec.resume"),
        (json!({"resume": "a", "resumeNodes": []}), "spec.resumeNodes"),
        (json!({"resume": "a", "resumeNodes": [long(256)]}), "spec.resumeNodes[0]: Too long"),
        (json!({"resumeNodes": ["clean"]}), "resumeNodes says what resume runs again: set resume, too"),
        (json!({"retry": {"limit": 1, "states": ["TIMEOUT"]}}), only),
        (json!({"retry": {"limit": 1, "states": ["FAILED", "EXPIRED"]}}), only),
        (
            json!({"retry": {"limit": 1, "executionClass": "STANDARD"}}),
            "only job runs have an execution class: remove retry.executionClass",
        ),
        (json!({"runId": "wr_1", "runProperties": {}}), follows),
        (json!({"runId": "wr_1", "runPropertiesFrom": from("a")}), follows),
        (json!({"runId": "wr_1", "resume": "a"}), follows),
        (json!({"runId": "wr_1", "retry": {"limit": 1}}), follows),
        (json!({"runId": "wr_1", "suspend": false}), follows),
        (json!({"runId": "wr_1", "startDeadlineSeconds": 1}), follows),
        (json!({"runId": "wr_1", "idempotencyKey": "a"}), follows),
    ];
    assert_rejected::<GlueWorkflowRun>(cases.map(|(extra, text)| (spec(extra), text))).await;
}

#[tokio::test]
async fn start_parameters_are_immutable_and_lifecycle_fields_are_not() {
    let runs = new_api::<GlueWorkflowRun>().await;
    let full = json!({"region": "eu-west-1", "runProperties": {"a": "x"}, "runPropertiesFrom": from("b")});
    for (name, extra) in [("bare", json!({})), ("full", full), ("foreign", json!({"runId": "wr_1"}))] {
        create::<GlueWorkflowRun>(&runs, name, &spec(extra)).await;
    }
    let changes = [
        ("bare", "workflowName", json!("other")),
        ("bare", "runId", json!("wr_1")),
        ("foreign", "runId", json!("wr_2")),
        ("bare", "region", json!("eu-west-2")),
        ("full", "region", Value::Null),
        ("bare", "runProperties", json!({"a": "x"})),
        ("full", "runProperties", json!({"a": "y"})),
        ("full", "runProperties", Value::Null),
        ("bare", "runPropertiesFrom", from("b")),
        ("full", "runPropertiesFrom", from("c")),
        ("bare", "idempotencyKey", json!("a")),
    ];
    assert_immutable(&runs, changes, "create another object for another run").await;
    let changes = [
        json!({"suspend": true}),
        json!({"stop": true}),
        json!({"resume": "a"}),
        json!({"resume": "b", "resumeNodes": ["clean"]}),
        json!({"succeedWhen": "Completed"}),
        json!({"retry": {"limit": 3}}),
        json!({"deletionPolicy": "Orphan"}),
        json!({"ttlSecondsAfterFinished": 5}),
        json!({"credentials": {"secretName": "other"}}),
    ];
    assert_mutable(&runs, "bare", changes).await;
}
