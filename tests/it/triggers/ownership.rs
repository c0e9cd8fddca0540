//! Two objects for one trigger.

use std::time::Duration;

use kube_glue::api::GlueTrigger;
use serde_json::json;

use super::ready_reason_and_status;
use crate::harness::{TestEnv, condition};

#[tokio::test]
async fn the_older_object_owns_the_trigger_and_the_younger_takes_over_after_its_deletion() {
    let env = TestEnv::new("gtr-claims").await;
    env.set_trigger_delay(Duration::ZERO);
    env.define_trigger("nightly", "SCHEDULED", json!({}));
    env.define_trigger("refresh", "ON_DEMAND", json!({}));
    let triggers = env.objects::<GlueTrigger>();
    let old = triggers.create("old", json!({"triggerName": "nightly"})).await;
    triggers.wait_ready("old").await;
    // Of objects created within one second the first by name is the older.
    triggers
        .create("young", json!({"triggerName": "nightly", "state": "Deactivated", "deletionPolicy": "Deactivate"}))
        .await;
    let message = triggers.wait_for_reason("young", "OwnedByAnother").await;
    assert!(message.contains(&format!("{}/old", env.namespace)), "{message}");
    let young = triggers.api.get("young").await.expect("the object");
    assert!(condition(&young, "Stalled").is_some());
    assert!(young.metadata.finalizers.is_none(), "an object without a trigger has no finalizer");
    assert_eq!((env.trigger_state("nightly").as_str(), env.start_stop_calls("nightly").len()), ("ACTIVATED", 1));
    // The younger object does not fire the trigger either.
    triggers.create("first", json!({"triggerName": "refresh"})).await;
    triggers.wait_ready("first").await;
    triggers.create("second", json!({"triggerName": "refresh", "fire": "a"})).await;
    triggers.wait_for_reason("second", "OwnedByAnother").await;
    triggers.patch_spec("second", json!({"fire": "b"})).await;
    triggers
        .wait_until("second", "it has handled the value", |trigger| {
            trigger.status.as_ref().and_then(|status| status.last_handled_fire.as_deref()) == Some("b")
        })
        .await;
    assert_eq!(env.firings("refresh"), 0);

    // After the older object's deletion the younger owns the trigger.
    triggers.delete("old").await;
    triggers.wait_deleted(&old).await;
    let young = triggers.wait_ready("young").await;
    assert_eq!(
        (ready_reason_and_status(&young).0.as_str(), env.trigger_state("nightly").as_str()),
        ("Deactivated", "DEACTIVATED")
    );
}
