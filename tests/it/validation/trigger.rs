//! GlueTrigger, and its printer columns.

use kube::api::{Patch, PatchParams};
use kube_glue::api::GlueTrigger;
use kube_glue_testbed::ControlPlane;
use serde_json::{Value, json};

use super::{assert_accepted, assert_immutable, assert_mutable, assert_rejected, create, long, new_api};
use crate::harness::merged;

/// A spec with `extra` in it.
fn spec(extra: Value) -> Value {
    merged(json!({"triggerName": "nightly"}), extra)
}

#[tokio::test]
async fn valid_specs_are_accepted() {
    let specs = [
        json!({}),
        json!({"triggerName": long(255)}),
        json!({"triggerName": "jede Nacht/neu"}),
        json!({"state": "Activated", "driftPolicy": "Correct", "deletionPolicy": "Retain"}),
        json!({"state": "Deactivated", "driftPolicy": "Report", "deletionPolicy": "Deactivate"}),
        json!({"fire": "2026-01-31"}),
        json!({"fire": long(253), "fireOnCreation": true}),
        json!({"fire": "a", "fireOnCreation": false, "driftPolicy": "Report"}),
        json!({"fireOnCreation": false}),
        json!({"region": "us-gov-west-1", "credentials": {"secretName": "aws"}}),
        // A null, as templates may produce it, counts as absent.
        json!({"fire": "a", "fireOnCreation": null, "region": null}),
        json!({"state": "Activated", "fire": null, "credentials": null}),
    ];
    assert_accepted::<GlueTrigger>(specs.map(spec)).await;
    let triggers = new_api::<GlueTrigger>().await;
    let created = create::<GlueTrigger>(&triggers, "one", &spec(json!({}))).await;
    assert_eq!(created.data["status"], json!({"observedGeneration": -1}), "it is not observed yet");
}

#[tokio::test]
async fn invalid_specs_are_rejected_with_the_field_and_the_remedy() {
    let one = "fire is for ON_DEMAND triggers, which are neither activated nor deactivated: keep one of fire and state";
    let creation = "fireOnCreation applies to the value of fire at the creation of the object: set fire, too";
    let cases = [
        (json!({"triggerName": null}), "spec.triggerName: "),
        (json!({"triggerName": ""}), "spec.triggerName in body should be at least 1 chars"),
        (json!({"triggerName": long(256)}), "spec.triggerName: Too long"),
        (json!({"triggerName": "a\nb"}), "spec.triggerName: Invalid value"),
        (json!({"state": "ACTIVATED"}), "supported values: \"Activated\", \"Deactivated\""),
        (json!({"driftPolicy": "Ignore"}), "supported values: \"Correct\", \"Report\""),
        (json!({"deletionPolicy": "Delete"}), "supported values: \"Retain\", \"Deactivate\""),
        (json!({"fire": ""}), "spec.fire in body should be at least 1 chars"),
        (json!({"fire": long(254)}), "spec.fire: Too long"),
        (json!({"fire": 5}), "spec.fire: Invalid value: \"integer\""),
        (json!({"fire": "a", "state": "Activated"}), one),
        (json!({"fire": "a", "state": "Deactivated"}), one),
        (json!({"fireOnCreation": true}), creation),
        (json!({"region": "Ireland"}), "spec.region: Invalid value"),
        (json!({"credentials": {"secretName": "a", "profile": "b"}}), "keep one of them"),
    ];
    assert_rejected::<GlueTrigger>(cases.map(|(extra, text)| (spec(extra), text))).await;
}

#[tokio::test]
async fn the_identity_of_the_trigger_is_immutable_and_other_fields_are_not() {
    let triggers = new_api::<GlueTrigger>().await;
    for (name, extra) in [("full", json!({"region": "eu-west-1"})), ("bare", json!({}))] {
        create::<GlueTrigger>(&triggers, name, &spec(extra)).await;
    }
    let changes = [
        ("full", "triggerName", json!("weekly")),
        ("full", "region", json!("us-east-1")),
        ("full", "region", Value::Null),
        ("bare", "region", json!("us-east-1")),
    ];
    assert_immutable(&triggers, changes, "create another object for another trigger").await;
    let changes = [
        json!({"state": "Deactivated"}),
        json!({"fire": "a"}),
        json!({"driftPolicy": "Report", "deletionPolicy": "Deactivate"}),
        json!({"credentials": {"secretName": "other"}}),
    ];
    assert_mutable(&triggers, "bare", changes).await;
}

/// By the short name and by the category.
#[tokio::test]
async fn kubectl_get_shows_the_printer_columns() {
    let triggers = new_api::<GlueTrigger>().await;
    create::<GlueTrigger>(&triggers, "one", &spec(json!({}))).await;
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "Activated", "message": "it is",
        "lastTransitionTime": "2026-01-31T00:00:00Z",
    });
    let status = json!({"status": {
        "observedGeneration": 1, "type": "SCHEDULED", "state": "ACTIVATED", "workflow": "orders", "conditions": [ready],
        "schedule": {"expression": "cron(15 12 * * ? *)", "next": "2026-01-31T12:15:00Z"},
    }});
    triggers.patch_status("one", &PatchParams::default(), &Patch::Merge(status)).await.expect("a status");
    let plane = ControlPlane::shared().await.expect("a control plane");
    let namespace = triggers.get("one").await.expect("the object").metadata.namespace.expect("a namespace");
    for name in ["gtr", "glue"] {
        let table = plane.kubectl(["get", name, "-n", &namespace]).await.expect("a table").stdout;
        let lines: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["NAME", "TRIGGER", "TYPE", "STATE", "NEXT", "FIRED", "REASON", "AGE"], "{name}");
        let shown = &lines[1][1..6];
        assert_eq!(shown, ["nightly", "SCHEDULED", "ACTIVATED", "2026-01-31T12:15:00Z", "Activated"], "{name}");
    }
}
