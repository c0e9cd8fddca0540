//! The trigger in Glue after the deletion of its object.

use std::time::Duration;

use kube_glue::api::GlueTrigger;
use kube_glue_double::{Fault, Then};
use serde_json::{Value, json};

use crate::harness::{TestEnv, has_finalizer, merged};

#[tokio::test]
async fn the_deletion_policy_retains_or_deactivates_the_trigger() {
    let env = TestEnv::new("gtr-deleted").await;
    env.set_trigger_delay(Duration::from_millis(300));
    let triggers = env.objects::<GlueTrigger>();
    let cases = [
        ("retained", json!({"deletionPolicy": "Retain"}), false, "ACTIVATED", 0),
        ("default", json!({}), false, "ACTIVATED", 0),
        ("deactivated", json!({"deletionPolicy": "Deactivate"}), true, "DEACTIVATED", 1),
        ("off-already", json!({"deletionPolicy": "Deactivate", "state": "Deactivated"}), true, "CREATED", 0),
    ];
    for (name, spec, finalizer, state, stops) in cases {
        env.define_trigger(name, "SCHEDULED", json!({}));
        let spec: Value = merged(json!({"triggerName": name}), spec);
        triggers.create(name, spec).await;
        let trigger = triggers.wait_ready(name).await;
        assert_eq!(has_finalizer(&trigger), finalizer, "{name}");
        triggers.delete(name).await;
        triggers.wait_deleted(&trigger).await;
        assert_eq!(env.trigger_state(name), state, "{name}");
        assert_eq!(env.double.requests().of("StopTrigger").name(name).count(), stops, "{name}");
    }
    // An ON_DEMAND trigger has no state, and the policy can be changed.
    env.define_trigger("on-demand", "ON_DEMAND", json!({}));
    triggers.create("on-demand", json!({"triggerName": "on-demand", "deletionPolicy": "Deactivate"})).await;
    let trigger = triggers.wait_ready("on-demand").await;
    assert!(!has_finalizer(&trigger));
    triggers.delete("on-demand").await;
    triggers.wait_deleted(&trigger).await;
    triggers.create("again", json!({"triggerName": "retained", "deletionPolicy": "Deactivate"})).await;
    assert!(has_finalizer(&triggers.wait_ready("again").await));
    triggers.patch_spec("again", json!({"deletionPolicy": null})).await;
    triggers.wait_until("again", "its finalizer is removed", |trigger| !has_finalizer(trigger)).await;
}

#[tokio::test]
async fn when_the_trigger_cannot_be_deactivated_the_object_is_deleted_after_the_timeout() {
    let env = TestEnv::with_flags("gtr-left", &[("--deletion-timeout", "2s")]).await;
    env.define_trigger("nightly", "SCHEDULED", json!({}));
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("one", json!({"triggerName": "nightly", "deletionPolicy": "Deactivate"})).await;
    let trigger = triggers.wait_ready("one").await;
    let denied = Then::error("AccessDeniedException", "not authorized to perform: glue:StopTrigger");
    env.double.faults().add(Fault::on("StopTrigger").then(denied));
    triggers.delete("one").await;
    triggers.wait_deleted(&trigger).await;
    let note = env.wait_for_event("LeftBehind").await.note.expect("a note");
    assert!(note.contains("trigger nightly"), "{note}");
    assert_eq!(env.trigger_state("nightly"), "ACTIVATED");
}
