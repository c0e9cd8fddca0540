//! GlueInventory.

use kube_glue::api::GlueInventory;
use serde_json::{Value, json};

use super::{assert_accepted, assert_immutable, assert_mutable, assert_rejected, create, long, new_api};

#[tokio::test]
async fn valid_specs_are_accepted() {
    let specs = [
        json!({}),
        json!({"everyMinutes": 1, "maxItems": 1, "runsPerJob": 1}),
        json!({"everyMinutes": 1440, "maxItems": 1000, "runsPerJob": 50}),
        json!({"markDeleted": false, "includeTags": true}),
        json!({"jobs": {"includes": ["etl", ".*daily$", "(?i:x)", "\\pL+", "[a-z]{2,5}"], "excludes": []}}),
        json!({"jobs": {"enabled": false}, "crawlers": {"enabled": false}, "triggers": {"enabled": false}}),
        json!({"jobs": {"includes": vec!["x"; 20], "excludes": [long(256)]}, "workflows": {}}),
        json!({"region": "eu-west-1", "credentials": {"secretName": "aws"}}),
        json!({"jobs": null, "everyMinutes": null, "crawlers": {"includes": null}}),
        json!({"lineage": {}}),
        json!({"lineage": {"enabled": false, "fromScripts": true, "namespace": null, "transport": null}}),
        json!({"lineage": {"namespace": "glue", "transport": {"url": "http://marquez.lineage:5000"}}}),
        json!({"lineage": {"transport": {"url": "https://a", "endpoint": "openapi/openlineage/api/v1/lineage",
            "apiKeySecretRef": {"name": "catalog", "key": "token"}}}}),
    ];
    assert_accepted::<GlueInventory>(specs).await;
    let inventories = new_api::<GlueInventory>().await;
    let created = create::<GlueInventory>(&inventories, "one", &json!({})).await;
    assert_eq!(created.data["status"], json!({"observedGeneration": -1}), "it is not observed yet");
}

#[tokio::test]
async fn invalid_specs_are_rejected_with_the_field_and_the_remedy() {
    let re2 =
        "a pattern is a regular expression in the syntax of RE2, which has neither look-around nor back-references";
    let off = json!({"enabled": false});
    let cases: Vec<(Value, &str)> = vec![
        (json!({"everyMinutes": 0}), "spec.everyMinutes in body should be greater than or equal to 1"),
        (json!({"everyMinutes": 1441}), "spec.everyMinutes in body should be less than or equal to 1440"),
        (json!({"maxItems": 0}), "spec.maxItems in body should be greater than or equal to 1"),
        (json!({"maxItems": 1001}), "spec.maxItems in body should be less than or equal to 1000"),
        (json!({"runsPerJob": 0}), "spec.runsPerJob in body should be greater than or equal to 1"),
        (json!({"runsPerJob": 51}), "spec.runsPerJob in body should be less than or equal to 50"),
        (json!({"jobs": {"includes": ["a", "orders["]}}), "spec.jobs.includes[1]"),
        (json!({"jobs": {"includes": ["orders["]}}), "missing closing ]"),
        (json!({"crawlers": {"excludes": ["x(?!y)"]}}), re2),
        (json!({"triggers": {"excludes": ["*"]}}), "spec.triggers.excludes[0]"),
        (json!({"workflows": {"includes": [""]}}), "spec.workflows.includes[0] in body should be at least 1 chars"),
        (json!({"workflows": {"includes": [long(257)]}}), "spec.workflows.includes[0]: Too long"),
        (json!({"jobs": {"includes": vec!["x"; 21]}}), "spec.jobs.includes: Too many"),
        (
            json!({"jobs": off, "crawlers": off, "triggers": off, "workflows": off}),
            "jobs, crawlers, triggers and workflows are all off: enable one of them",
        ),
        (json!({"credentials": {"profile": "a", "secretName": "b"}}), "keep one of them"),
        (
            json!({"lineage": {"namespace": "glue"}}),
            "the operator chooses the namespace of the controller's receiver: name a transport, or no namespace",
        ),
        (json!({"lineage": {"transport": {}}}), "spec.lineage.transport.url: Required value"),
        (json!({"lineage": {"transport": {"url": "marquez:5000"}}}), "spec.lineage.transport.url: Invalid value"),
        (json!({"lineage": {"transport": {"url": "http://a@b"}}}), "spec.lineage.transport.url: Invalid value"),
        (json!({"lineage": {"transport": {"url": "http://a/b"}}}), "spec.lineage.transport.url: Invalid value"),
        (
            json!({"lineage": {"transport": {"url": "http://a", "endpoint": "../admin"}}}),
            "spec.lineage.transport.endpoint: Invalid value",
        ),
        (
            json!({"lineage": {"transport": {"url": "http://a", "apiKeySecretRef": {"name": "a/b", "key": "c"}}}}),
            "spec.lineage.transport.apiKeySecretRef.name: Invalid value",
        ),
    ];
    assert_rejected::<GlueInventory>(cases).await;
}

#[tokio::test]
async fn the_region_cannot_be_changed_and_the_rest_can() {
    let inventories = new_api::<GlueInventory>().await;
    create::<GlueInventory>(&inventories, "one", &json!({"region": "eu-west-1"})).await;
    let remedy = "create another object for another region";
    assert_immutable(&inventories, [("one", "region", json!("eu-west-2"))], remedy).await;
    let changes = [json!({"everyMinutes": 5}), json!({"jobs": {"includes": ["a"]}}), json!({"lineage": {}})];
    assert_mutable(&inventories, "one", changes).await;
}
