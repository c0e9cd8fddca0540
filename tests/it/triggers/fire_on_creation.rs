//! `fireOnCreation`: a new object fires its value once, a restored object does not.

use kube::api::{Patch, PatchParams};
use kube_glue::api::GlueTrigger;
use serde_json::json;

use super::{ready_reason_and_status, status};
use crate::harness::TestEnv;

/// An environment with the ON_DEMAND trigger `refresh`, whose controller sees the creation of all objects.
async fn setup(name: &str) -> TestEnv {
    let env = TestEnv::new(name).await;
    env.wait_for_log("it", "watches: all listed").await;
    env.define_trigger("refresh", "ON_DEMAND", json!({}));
    env
}

fn spec(value: &str) -> serde_json::Value {
    json!({"triggerName": "refresh", "fire": value, "fireOnCreation": true})
}

#[tokio::test]
async fn a_new_object_fires_once_and_not_again_when_its_status_is_cleared() {
    let mut env = setup("gtr-new").await;
    env.objects::<GlueTrigger>().create("one", spec("a")).await;
    env.wait_for_firing("one", "a").await;
    let is_annotated = |trigger: &GlueTrigger| {
        trigger.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key("kube-glue.dev/fired"))
    };
    env.objects::<GlueTrigger>().wait_until("one", "it has the annotation", is_annotated).await;
    for restart in [false, true] {
        if restart {
            env.kill_controller();
        }
        env.objects::<GlueTrigger>().clear_status("one").await;
        if restart {
            env.start_controller();
        }
        let trigger = env.objects::<GlueTrigger>().wait_ready("one").await;
        assert_eq!(status(&trigger).last_handled_fire.as_deref(), Some("a"));
        assert_eq!((env.start_stop_calls("refresh").len(), env.firings("refresh")), (1, 1), "restart: {restart}");
    }
    // Nor without the annotation, which a replace removes: the trigger has started something in Glue.
    env.kill_controller();
    let without = Patch::Merge(json!({"metadata": {"annotations": null}}));
    env.objects::<GlueTrigger>().api.patch("one", &PatchParams::default(), &without).await.expect("the object");
    env.objects::<GlueTrigger>().clear_status("one").await;
    env.start_controller();
    let message = env.objects::<GlueTrigger>().wait_for_reason("one", "NotFired").await;
    assert!(message.contains("set another one to fire it"), "{message}");
    assert_eq!(env.firings("refresh"), 1);
    env.objects::<GlueTrigger>().patch_spec("one", json!({"fire": "b"})).await;
    env.wait_for_firing("one", "b").await;
    assert_eq!(env.firings("refresh"), 2);
}

/// A backup keeps the annotations and not the status.
#[tokio::test]
async fn a_restored_object_does_not_fire() {
    let env = setup("gtr-restored").await;
    let triggers = env.objects::<GlueTrigger>();
    let metadata = json!({"name": "one", "annotations": {"kube-glue.dev/fired": "true"}});
    triggers.try_create(json!({"metadata": metadata, "spec": spec("a")})).await.expect("an object");
    let trigger = triggers.wait_ready("one").await;
    assert_eq!((ready_reason_and_status(&trigger).0.as_str(), env.firings("refresh")), ("OnDemand", 0));
    triggers.patch_spec("one", json!({"fire": "b"})).await;
    env.wait_for_firing("one", "b").await;
    assert_eq!(env.firings("refresh"), 1);
}

/// The controller cannot tell whether such an object is new or restored.
#[tokio::test]
async fn an_object_created_without_a_controller_fires_only_a_trigger_that_never_fired() {
    let mut env = TestEnv::with_credentials("gtr-unseen").await;
    for trigger in ["refresh", "used"] {
        env.define_trigger(trigger, "ON_DEMAND", json!({}));
    }
    env.call_glue("StartTrigger", &json!({"Name": "used"}));
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("one", spec("a")).await;
    triggers.create("two", json!({"triggerName": "used", "fire": "a", "fireOnCreation": true})).await;
    env.start_controller();
    env.wait_for_firing("one", "a").await;
    env.objects::<GlueTrigger>().wait_for_reason("two", "NotFired").await;
    assert_eq!((env.firings("refresh"), env.firings("used")), (1, 1));
}
