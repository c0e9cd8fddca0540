//! Accepted specs, and the status of a new object.

use kube_glue::api::GlueJobRun;
use serde_json::json;

use super::spec;
use crate::validation::{assert_accepted, create, long, new_api};

#[tokio::test]
async fn valid_specs_are_accepted() {
    let many: serde_json::Map<_, _> = (0..200).map(|n| (format!("--{n}"), json!("x"))).collect();
    let specs = [
        json!({}),
        json!({"jobName": long(255)}),
        json!({"jobName": "Tägliche Läufe (neu)"}),
        json!({"runId": "jr_1", "stop": true, "deletionPolicy": "Stop", "activeDeadlineSeconds": 1, "ttlSecondsAfterFinished": 0}),
        json!({"region": "us-gov-west-1"}),
        json!({"region": "eu-isoe-west-1"}),
        json!({"credentials": {}}),
        json!({"credentials": {"secretName": long(253)}}),
        json!({"lineage": {}}),
        json!({"lineage": {"inputs": [{"namespace": "s3://b", "name": "ü".repeat(512)}]}}),
        json!({"lineage": {"inputs": [{"namespace": "kafka://broker:9092", "name": "orders"}], "outputs": []}}),
        json!({"arguments": {}}),
        json!({"arguments": {"--a": long(20_000), "--job-language": "scala", "--enable-metrics": ""}}),
        // 260 KB in all.
        json!({"arguments": {"--a": long(200_000), "--b": long(266_240 - 200_006)}}),
        json!({"arguments": {"--JOB_NAME": "x", "--mode": "x", "--debug": "x"}, "argumentsFrom": [{"name": "--endpoint", "secretKeyRef": {"name": "s", "key": "k"}}]}),
        json!({"arguments": many}),
        json!({"argumentsFrom": [{"name": "--a", "secretKeyRef": {"name": "s", "key": "k"}}, {"name": "--b", "configMapKeyRef": {"name": "c", "key": "k", "optional": true}}]}),
        json!({"workers": {"type": "G.1X", "count": 2}}),
        json!({"workers": {"type": "Z.2X", "count": 1}}),
        json!({"workers": {"type": "R.8X", "count": 1000}}),
        json!({"maxCapacity": 0.0625}),
        json!({"maxCapacity": 1000}),
        json!({"allocatedCapacity": 1}),
        json!({"timeoutMinutes": 1}),
        json!({"timeoutMinutes": 10080}),
        json!({"notifyDelayAfterMinutes": 1}),
        json!({"securityConfiguration": long(255)}),
        json!({"executionClass": "FLEX"}),
        json!({"executionClass": "STANDARD"}),
        json!({"executionClass": null, "deletionPolicy": null, "readyWhen": null, "region": null, "workers": null}),
        json!({"jobRunQueuingEnabled": false}),
        json!({"executionRoleSessionPolicy": "{}"}),
        json!({"suspend": true, "stop": false}),
        json!({"retry": {"limit": 0}}),
        json!({"retry": {"limit": 100, "states": ["FAILED", "TIMEOUT", "ERROR", "EXPIRED"], "backoffSeconds": 600, "maxBackoffSeconds": 600}}),
        json!({"retry": {"limit": 1, "backoffSeconds": 86400}}),
        json!({"startDeadlineSeconds": 1, "activeDeadlineSeconds": 1}),
        json!({"idempotencyKey": "orders-2026.01_31"}),
        json!({"idempotencyKey": long(128)}),
        json!({"readyWhen": "Started", "deletionPolicy": "Orphan"}),
        // A null, as templates may produce it, counts as absent.
        json!({"runId": null, "workers": null, "maxCapacity": 2.0, "retry": null, "suspend": null, "stop": null, "region": null}),
        json!({"runId": "jr_1", "retry": null, "suspend": null, "workers": null, "idempotencyKey": null}),
    ];
    assert_accepted::<GlueJobRun>(specs.map(spec)).await;
}

/// With this status no tool treats the object as finished.
#[tokio::test]
async fn a_new_object_has_observed_generation_minus_one() {
    let objects = new_api::<GlueJobRun>().await;
    let created = create::<GlueJobRun>(&objects, "one", &spec(json!({}))).await;
    assert_eq!(created.data["status"], json!({"observedGeneration": -1}));
}
