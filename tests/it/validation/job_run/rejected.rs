//! Rejected specs, each with the field and the remedy.

use serde_json::json;

use super::assert_rejected;
use crate::harness::merged;
use crate::validation::long;

#[tokio::test]
async fn invalid_start_parameters_are_rejected() {
    let one_capacity = "workers, maxCapacity and allocatedCapacity exclude each other: keep one of them";
    let workers = json!({"type": "G.1X", "count": 2});
    let secret = json!({"name": "s", "key": "k"});
    let size =
        "Glue takes 260 KB of arguments at most, names and values: put large values into S3, and name their location";
    let fewest = "workers.count is 2 or more: Glue takes no fewer for this type";
    let many: serde_json::Map<_, _> = (0..201).map(|n| (format!("--{n}"), json!("x"))).collect();
    let sources: Vec<_> = (0..65).map(|n| json!({"name": format!("--{n}"), "secretKeyRef": secret})).collect();
    assert_rejected(vec![
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
        (json!({"arguments": {"--a": long(266_241)}}), "spec.arguments.--a: Too long"),
        (json!({"arguments": {"--a": long(200_000), "--b": long(266_241 - 200_006)}}), size),
        (json!({"arguments": many}), "spec.arguments: Too many"),
        (
            json!({"lineage": {"inputs": [{"namespace": "postgres://etl:pw@db:5432", "name": "t"}]}}),
            "spec.lineage.inputs[0].namespace: Invalid value",
        ),
        (
            json!({"lineage": {"inputs": [{"namespace": "s3://b", "name": "a\u{7}b"}]}}),
            "spec.lineage.inputs[0].name: Invalid value",
        ),
        (json!({"lineage": {"outputs": [{"namespace": "s3://b"}]}}), "spec.lineage.outputs[0].name: Required value"),
        (json!({"lineage": {"outputs": vec![json!({"namespace": "s3://b", "name": "a"}); 51]}}), "spec.lineage.outputs: Too many"),
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
            json!({"argumentsFrom": [{"name": "--a", "secretKeyRef": {"name": "../../other/secrets/s", "key": "k"}}]}),
            "spec.argumentsFrom[0].secretKeyRef.name: Invalid value",
        ),
        (
            json!({"argumentsFrom": [{"name": "--a", "configMapKeyRef": {"name": "other/c", "key": "k"}}]}),
            "spec.argumentsFrom[0].configMapKeyRef.name: Invalid value",
        ),
        (
            json!({"argumentsFrom": [{"name": "--a", "secretKeyRef": secret}, {"name": "--a", "secretKeyRef": secret}]}),
            "spec.argumentsFrom[1]: Duplicate value",
        ),
        (json!({"argumentsFrom": sources}), "spec.argumentsFrom: Too many"),
        (
            json!({"arguments": {"--a": "x"}, "argumentsFrom": [{"name": "--a", "secretKeyRef": secret}]}),
            "an argument is set in both arguments and argumentsFrom: keep one of them",
        ),
        (json!({"workers": workers, "maxCapacity": 2.0}), one_capacity),
        (json!({"workers": workers, "allocatedCapacity": 2}), one_capacity),
        (json!({"maxCapacity": 2.0, "allocatedCapacity": 2}), one_capacity),
        (json!({"workers": {"type": "G.1X"}}), "spec.workers.count: Required value"),
        (json!({"workers": {"count": 2}}), "spec.workers.type: Required value"),
        (json!({"workers": {"type": "G 1X", "count": 2}}), "spec.workers.type: Invalid value"),
        (json!({"workers": {"type": "G.1X", "count": 0}}), "spec.workers.count"),
        (json!({"workers": {"type": "G.1X", "count": 1}}), fewest),
        (json!({"workers": {"type": "R.2X", "count": 1}}), fewest),
        (json!({"workers": {"type": "G.1X", "count": 1001}}), "spec.workers.count"),
        (json!({"maxCapacity": 0.01}), "spec.maxCapacity"),
        (json!({"maxCapacity": 1001}), "spec.maxCapacity"),
        (json!({"allocatedCapacity": 0}), "spec.allocatedCapacity"),
        (json!({"allocatedCapacity": 1001}), "spec.allocatedCapacity"),
        (json!({"timeoutMinutes": 0}), "spec.timeoutMinutes"),
        (json!({"timeoutMinutes": 10081}), "spec.timeoutMinutes"),
        (json!({"timeoutMinutes": "10"}), "spec.timeoutMinutes: Invalid value: \"string\""),
        (json!({"notifyDelayAfterMinutes": 0}), "spec.notifyDelayAfterMinutes"),
        // Larger than the 32-bit integer of the type: if accepted, the controller could not read the object.
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
async fn invalid_lifecycle_fields_are_rejected() {
    assert_rejected(vec![
        (json!({"suspend": "true"}), "spec.suspend"),
        (json!({"stop": 1}), "spec.stop"),
        (json!({"retry": {}}), "spec.retry.limit: Required value"),
        (json!({"retry": {"limit": -1}}), "spec.retry.limit"),
        (json!({"retry": {"limit": 101}}), "spec.retry.limit"),
        (json!({"retry": {"limit": 1, "states": []}}), "spec.retry.states"),
        (json!({"retry": {"limit": 1, "states": ["STOPPED"]}}), "spec.retry.states[0]: Unsupported value"),
        (json!({"retry": {"limit": 1, "states": ["FAILED", "FAILED"]}}), "spec.retry.states[1]: Duplicate value"),
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
async fn start_parameters_are_rejected_beside_a_run_id() {
    let secret = json!({"name": "s", "key": "k"});
    let follows = "runId follows a run that was started elsewhere: remove the fields for starting one";
    assert_rejected(
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
        .map(|field| (merged(field, json!({"runId": "jr_1"})), follows)),
    )
    .await;
}
