//! GlueCrawlerRun. The rules that all runs share are tested with GlueJobRun.

use kube_glue::api::GlueCrawlerRun;
use serde_json::{Value, json};

use super::{assert_accepted, assert_immutable, assert_mutable, assert_rejected, create, dry_run_patch, long, new_api};
use crate::harness::merged;

/// A spec with `extra` in it.
fn spec(extra: Value) -> Value {
    merged(json!({"crawlerName": "raw"}), extra)
}

#[tokio::test]
async fn valid_specs_are_accepted() {
    let specs = [
        json!({}),
        json!({"lineage": {"outputs": [{"namespace": "s3://lake", "name": "raw"}]}}),
        json!({"crawlerName": long(255)}),
        json!({"crawlerName": "rohdaten täglich/neu"}),
        json!({"crawlId": "01234567-89ab-cdef-0123-456789abcdef", "stop": true, "deletionPolicy": "Stop"}),
        json!({"crawlId": long(255), "activeDeadlineSeconds": 1, "ttlSecondsAfterFinished": 0, "readyWhen": "Started"}),
        json!({"onAlreadyRunning": "Wait", "coalesce": false}),
        json!({"onAlreadyRunning": "Attach"}),
        json!({"onAlreadyRunning": "Fail", "coalesce": true}),
        json!({"retry": {"limit": 3, "states": ["FAILED"], "backoffSeconds": 1}, "suspend": true}),
        json!({"region": "us-gov-west-1", "credentials": {"secretName": "aws"}}),
        json!({"startDeadlineSeconds": 1, "activeDeadlineSeconds": 1}),
        // A null, as templates may produce it, counts as absent.
        json!({"crawlId": "c", "coalesce": null, "retry": null, "idempotencyKey": null}),
    ];
    assert_accepted::<GlueCrawlerRun>(specs.map(spec)).await;
}

#[tokio::test]
async fn invalid_specs_are_rejected_with_the_field_and_the_remedy() {
    let follows = "crawlId follows a crawl that was started elsewhere: remove the fields for starting one";
    let only_failed = "a crawl ends as COMPLETED, FAILED or STOPPED: only FAILED can be retried";
    let cases = [
        (json!({"crawlerName": null}), "spec.crawlerName: "),
        (
            json!({"lineage": {"inputs": [{"namespace": "a@b", "name": "c"}]}}),
            "spec.lineage.inputs[0].namespace: Invalid",
        ),
        (json!({"crawlerName": ""}), "spec.crawlerName: Invalid value"),
        (json!({"crawlerName": long(256)}), "spec.crawlerName: Too long"),
        (json!({"crawlerName": "a\nb"}), "spec.crawlerName: Invalid value"),
        (json!({"crawlId": ""}), "spec.crawlId"),
        (json!({"crawlId": "a/b"}), "spec.crawlId: Invalid value"),
        (json!({"crawlId": long(256)}), "spec.crawlId: Too long"),
        (json!({"region": "Ireland"}), "spec.region: Invalid value"),
        (json!({"coalesce": "yes"}), "spec.coalesce"),
        (
            json!({"onAlreadyRunning": "Queue"}),
            "spec.onAlreadyRunning: Unsupported value: \"Queue\": supported values: \"Wait\", \"Attach\", \"Fail\"",
        ),
        (
            json!({"idempotencyKey": "orders"}),
            "Glue stores no key with a crawl, so none can identify it: remove idempotencyKey",
        ),
        (json!({"retry": {"limit": 1, "states": ["TIMEOUT"]}}), only_failed),
        (
            json!({"retry": {"limit": 1, "executionClass": "STANDARD"}}),
            "only job runs have an execution class: remove retry.executionClass",
        ),
        (json!({"retry": {"limit": 1, "states": ["FAILED", "ERROR"]}}), only_failed),
        (json!({"crawlId": "c", "onAlreadyRunning": "Wait"}), follows),
        (json!({"crawlId": "c", "coalesce": true}), follows),
        (json!({"crawlId": "c", "retry": {"limit": 1}}), follows),
        (json!({"crawlId": "c", "suspend": false}), follows),
        (json!({"crawlId": "c", "startDeadlineSeconds": 1}), follows),
        (
            json!({"retry": {"limit": 1, "backoffSeconds": 11, "maxBackoffSeconds": 10}}),
            "retry.backoffSeconds must not exceed retry.maxBackoffSeconds",
        ),
    ];
    assert_rejected::<GlueCrawlerRun>(cases.map(|(extra, text)| (spec(extra), text))).await;
}

#[tokio::test]
async fn start_parameters_are_immutable_and_lifecycle_fields_are_not() {
    let runs = new_api::<GlueCrawlerRun>().await;
    for (name, extra) in [
        ("bare", json!({})),
        ("full", json!({"crawlId": "c", "region": "eu-west-1"})),
        ("stopped", json!({"stop": true})),
    ] {
        create::<GlueCrawlerRun>(&runs, name, &spec(extra)).await;
    }
    let changes = [
        ("bare", "crawlerName", json!("other")),
        ("bare", "crawlId", json!("c")),
        ("full", "crawlId", json!("d")),
        ("full", "crawlId", Value::Null),
        ("bare", "region", json!("eu-west-2")),
        ("full", "region", json!("eu-west-2")),
        ("full", "region", Value::Null),
    ];
    assert_immutable(&runs, changes, "create another object for another crawl").await;
    let changes = [
        json!({"suspend": true}),
        json!({"stop": true}),
        json!({"onAlreadyRunning": "Attach"}),
        json!({"coalesce": false}),
        json!({"retry": {"limit": 3}}),
        json!({"deletionPolicy": "Orphan"}),
        json!({"credentials": {"secretName": "other"}}),
    ];
    assert_mutable(&runs, "bare", changes).await;
    let answer = dry_run_patch(&runs, "stopped", &json!({"stop": false})).await.expect_err("a rejection");
    assert!(answer.contains("stop cannot be taken back once it is true"), "{answer}");
}
