//! What the API server admits of a GlueCrawlerRun and what it refuses. What all runs share is tested with the
//! job run's rules.

use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::DynamicObject;
use kube_glue::api::GlueCrawlerRun;
use serde_json::{Value, json};

use super::{long, of_kind, refusal};
use crate::harness::merged;

fn object(name: &str, spec: Value) -> DynamicObject {
    let head = json!({"apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueCrawlerRun", "metadata": {"name": name}});
    let spec = merged(json!({"crawlerName": "raw"}), spec);
    serde_json::from_value(merged(head, json!({"spec": spec}))).expect("an object")
}

async fn create(runs: &Api<DynamicObject>, spec: &Value) -> Result<(), String> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    refusal(runs.create(&dry, &object("one", spec.clone())).await)
}

#[tokio::test]
async fn what_is_right_is_admitted() {
    let runs = of_kind::<GlueCrawlerRun>().await;
    for spec in [
        json!({}),
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
        // A null is as good as nothing, as it comes out of templates.
        json!({"crawlId": "c", "coalesce": null, "retry": null, "idempotencyKey": null}),
    ] {
        assert_eq!(create(&runs, &spec).await, Ok(()), "{spec}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_the_field_and_the_remedy() {
    let runs = of_kind::<GlueCrawlerRun>().await;
    let follows = "crawlId follows a crawl that was started elsewhere: remove what says how to start one";
    let only_failed = "a crawl ends as COMPLETED, FAILED or STOPPED: FAILED is what can be tried again";
    for (spec, words) in [
        (json!({"crawlerName": null}), "spec.crawlerName: "),
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
            "a crawl carries no key in Glue, by which it could be found again: remove idempotencyKey",
        ),
        (json!({"retry": {"limit": 1, "states": ["TIMEOUT"]}}), only_failed),
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
    ] {
        let answer = create(&runs, &spec).await.expect_err(&spec.to_string());
        assert!(answer.contains(words), "{spec}: {answer:?} does not say {words:?}");
    }
}

#[tokio::test]
async fn what_was_crawled_cannot_be_changed_and_how_it_lives_can() {
    let runs = of_kind::<GlueCrawlerRun>().await;
    let change = async |name: &str, spec: Value| {
        let dry = PatchParams { dry_run: true, ..PatchParams::default() };
        refusal(runs.patch(name, &dry, &Patch::Merge(json!({"spec": spec}))).await)
    };
    for (name, spec) in [
        ("bare", json!({})),
        ("full", json!({"crawlId": "c", "region": "eu-west-1"})),
        ("stopped", json!({"stop": true})),
    ] {
        runs.create(&PostParams::default(), &object(name, spec)).await.expect("an object");
    }
    for (name, field, value) in [
        ("bare", "crawlerName", json!("other")),
        ("bare", "crawlId", json!("c")),
        ("full", "crawlId", json!("d")),
        ("full", "crawlId", Value::Null),
        ("bare", "region", json!("eu-west-2")),
        ("full", "region", json!("eu-west-2")),
        ("full", "region", Value::Null),
    ] {
        let answer = change(name, json!({field: value})).await.expect_err(field);
        let words = format!("{field} cannot be changed: a new crawl is a new object");
        assert!(answer.contains(&words), "{name}: {field}: {value}: {answer}");
    }
    for spec in [
        json!({"suspend": true}),
        json!({"stop": true}),
        json!({"onAlreadyRunning": "Attach"}),
        json!({"coalesce": false}),
        json!({"retry": {"limit": 3}}),
        json!({"deletionPolicy": "Orphan"}),
        json!({"credentials": {"secretName": "other"}}),
    ] {
        assert_eq!(change("bare", spec.clone()).await, Ok(()), "{spec}");
    }
    let answer = change("stopped", json!({"stop": false})).await.expect_err("it stays");
    assert!(answer.contains("stop cannot be taken back once it is true"), "{answer}");
}
