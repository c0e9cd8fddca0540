//! What the API server admits of a GlueTrigger and what it refuses, and what `kubectl get` shows of it.

use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::DynamicObject;
use kube_glue::api::GlueTrigger;
use kube_glue_testbed::ControlPlane;
use serde_json::{Value, json};

use super::{create_of, long, object_of, of_kind, patch};
use crate::harness::merged;

/// A trigger with `spec` in it.
fn with(spec: &Value) -> Value {
    merged(json!({"triggerName": "nightly"}), spec.clone())
}

fn object(name: &str, spec: &Value) -> DynamicObject {
    object_of::<GlueTrigger>(name, &with(spec))
}

async fn create(triggers: &Api<DynamicObject>, spec: &Value) -> Result<(), String> {
    create_of::<GlueTrigger>(triggers, &with(spec)).await
}

#[tokio::test]
async fn what_is_right_is_admitted() {
    let triggers = of_kind::<GlueTrigger>().await;
    for spec in [
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
        // A null is as good as nothing, as it comes out of templates.
        json!({"fire": "a", "fireOnCreation": null, "region": null}),
        json!({"state": "Activated", "fire": null, "credentials": null}),
    ] {
        assert_eq!(create(&triggers, &spec).await, Ok(()), "{spec}");
    }
    let created = triggers.create(&PostParams::default(), &object("one", &json!({}))).await.expect("an object");
    assert_eq!(created.data["status"], json!({"observedGeneration": -1}), "nobody has seen it yet");
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_the_field_and_the_remedy() {
    let triggers = of_kind::<GlueTrigger>().await;
    let one = "fire is for ON_DEMAND triggers, which are neither activated nor deactivated: keep one of fire and state";
    let creation = "fireOnCreation says what becomes of fire when the object is created: set fire, too";
    for (spec, words) in [
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
    ] {
        let answer = create(&triggers, &spec).await.expect_err(&spec.to_string());
        assert!(answer.contains(words), "{spec}: {answer:?} does not say {words:?}");
    }
}

#[tokio::test]
async fn which_trigger_it_is_cannot_be_changed_and_all_else_can() {
    let triggers = of_kind::<GlueTrigger>().await;
    for (name, spec) in [("full", json!({"region": "eu-west-1"})), ("bare", json!({}))] {
        triggers.create(&PostParams::default(), &object(name, &spec)).await.expect("an object");
    }
    for (name, field, value) in [
        ("full", "triggerName", json!("weekly")),
        ("full", "region", json!("us-east-1")),
        ("full", "region", Value::Null),
        ("bare", "region", json!("us-east-1")),
    ] {
        let answer = patch(&triggers, name, &json!({field: value})).await.expect_err(field);
        let words = format!("{field} cannot be changed: another trigger is another object");
        assert!(answer.contains(&words), "{name}: {field}: {answer}");
    }
    for spec in [
        json!({"state": "Deactivated"}),
        json!({"fire": "a"}),
        json!({"driftPolicy": "Report", "deletionPolicy": "Deactivate"}),
        json!({"credentials": {"secretName": "other"}}),
    ] {
        assert_eq!(patch(&triggers, "bare", &spec).await, Ok(()), "{spec}");
    }
}

/// The columns, the short name and the category.
#[tokio::test]
async fn kubectl_shows_what_a_person_wants_to_know() {
    let triggers = of_kind::<GlueTrigger>().await;
    triggers.create(&PostParams::default(), &object("one", &json!({}))).await.expect("an object");
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
