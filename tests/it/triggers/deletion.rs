//! What becomes of a trigger when its object is deleted.

use std::time::Duration;

use kube::ResourceExt;
use kube_glue::api::{FINALIZER, GlueTrigger};
use kube_glue_double::{Fault, Then};
use serde_json::{Value, json};

use crate::harness::World;

fn is_held(trigger: &GlueTrigger) -> bool {
    trigger.finalizers().iter().any(|name| name == FINALIZER)
}

#[tokio::test]
async fn it_is_left_as_it_is_or_deactivated_first() {
    let world = World::new("gtr-deleted").await;
    world.triggers_take(Duration::from_millis(300));
    let triggers = world.of::<GlueTrigger>();
    let cases = [
        ("retained", json!({"deletionPolicy": "Retain"}), false, "ACTIVATED", 0),
        ("default", json!({}), false, "ACTIVATED", 0),
        ("deactivated", json!({"deletionPolicy": "Deactivate"}), true, "DEACTIVATED", 1),
        ("off-already", json!({"deletionPolicy": "Deactivate", "state": "Deactivated"}), true, "CREATED", 0),
    ];
    for (name, spec, held, state, stops) in cases {
        world.trigger(name, "SCHEDULED", json!({}));
        let spec: Value = crate::harness::merged(json!({"triggerName": name}), spec);
        triggers.put(name, spec).await;
        let trigger = triggers.ready(name).await;
        assert_eq!(is_held(&trigger), held, "{name}");
        triggers.delete(name).await;
        triggers.gone(&trigger).await;
        assert_eq!(world.trigger_state(name), state, "{name}");
        assert_eq!(world.double.requests().of("StopTrigger").name(name).count(), stops, "{name}");
    }
    // One of type ON_DEMAND has no state to leave; and a policy can be changed.
    world.trigger("on-demand", "ON_DEMAND", json!({}));
    triggers.put("on-demand", json!({"triggerName": "on-demand", "deletionPolicy": "Deactivate"})).await;
    let trigger = triggers.ready("on-demand").await;
    assert!(!is_held(&trigger));
    triggers.delete("on-demand").await;
    triggers.gone(&trigger).await;
    triggers.put("again", json!({"triggerName": "retained", "deletionPolicy": "Deactivate"})).await;
    assert!(is_held(&triggers.ready("again").await));
    triggers.edit("again", json!({"deletionPolicy": null})).await;
    triggers.until("again", "it is let go", |trigger| !is_held(trigger)).await;
}

#[tokio::test]
async fn an_object_whose_trigger_cannot_be_deactivated_is_let_go_after_the_timeout() {
    let world = World::with("gtr-left", &[("--deletion-timeout", "2s")]).await;
    world.trigger("nightly", "SCHEDULED", json!({}));
    let triggers = world.of::<GlueTrigger>();
    triggers.put("one", json!({"triggerName": "nightly", "deletionPolicy": "Deactivate"})).await;
    let trigger = triggers.ready("one").await;
    let denied = Then::error("AccessDeniedException", "not authorized to perform: glue:StopTrigger");
    world.double.faults().add(Fault::on("StopTrigger").then(denied));
    triggers.delete("one").await;
    triggers.gone(&trigger).await;
    let note = world.event("LeftBehind").await.note.expect("words");
    assert!(note.contains("trigger nightly"), "{note}");
    assert_eq!(world.trigger_state("nightly"), "ACTIVATED");
}
