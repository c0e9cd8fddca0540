//! Two objects about one trigger.

use std::time::Duration;

use kube_glue::api::GlueTrigger;
use serde_json::json;

use super::ready_of;
use crate::harness::{World, condition};

#[tokio::test]
async fn the_older_object_holds_a_trigger_and_the_other_says_so() {
    let world = World::new("gtr-claims").await;
    world.triggers_take(Duration::ZERO);
    world.trigger("nightly", "SCHEDULED", json!({}));
    world.trigger("refresh", "ON_DEMAND", json!({}));
    let triggers = world.of::<GlueTrigger>();
    let old = triggers.put("old", json!({"triggerName": "nightly"})).await;
    triggers.ready("old").await;
    // Objects of one second are told apart by their names.
    triggers
        .put("young", json!({"triggerName": "nightly", "state": "Deactivated", "deletionPolicy": "Deactivate"}))
        .await;
    let message = triggers.reason("young", "HeldByAnother").await;
    assert!(message.contains(&format!("{}/old", world.namespace)), "{message}");
    let young = triggers.api.get("young").await.expect("the object");
    assert!(condition(&young, "Stalled").is_some());
    assert!(young.metadata.finalizers.is_none(), "it has nothing to let go of");
    assert_eq!((world.trigger_state("nightly").as_str(), world.switches("nightly").len()), ("ACTIVATED", 1));
    // Nor does the other fire what is not its own.
    triggers.put("first", json!({"triggerName": "refresh"})).await;
    triggers.ready("first").await;
    triggers.put("second", json!({"triggerName": "refresh", "fire": "a"})).await;
    triggers.reason("second", "HeldByAnother").await;
    triggers.edit("second", json!({"fire": "b"})).await;
    triggers
        .until("second", "it has seen the value", |trigger| {
            trigger.status.as_ref().and_then(|status| status.last_handled_fire.as_deref()) == Some("b")
        })
        .await;
    assert_eq!(world.firings("refresh"), 0);

    // Once the older one is gone, the other has it.
    triggers.delete("old").await;
    triggers.gone(&old).await;
    let young = triggers.ready("young").await;
    assert_eq!((ready_of(&young).0.as_str(), world.trigger_state("nightly").as_str()), ("Deactivated", "DEACTIVATED"));
}
