//! The value that an object is created with: done, or fired when the object is new, and never by a restore.

use kube::api::{Patch, PatchParams};
use kube_glue::api::GlueTrigger;
use serde_json::json;

use super::{ready_of, status};
use crate::harness::{DEFAULT_SECRET, World};

async fn world(name: &str) -> World {
    let world = World::new(name).await;
    // It sees the objects come to be.
    world.says("it", "watches: all listed").await;
    world.trigger("refresh", "ON_DEMAND", json!({}));
    world
}

fn spec(value: &str) -> serde_json::Value {
    json!({"triggerName": "refresh", "fire": value, "fireOnCreation": true})
}

#[tokio::test]
async fn it_fires_for_a_new_object_and_not_again_when_the_status_is_lost() {
    let mut world = world("gtr-new").await;
    world.of::<GlueTrigger>().put("one", spec("a")).await;
    world.resolved("one", "a").await;
    let marked = |trigger: &GlueTrigger| {
        trigger.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key("kube-glue.dev/fired"))
    };
    world.of::<GlueTrigger>().until("one", "it is marked", marked).await;
    for restart in [false, true] {
        if restart {
            world.kill_controller();
        }
        world.of::<GlueTrigger>().lose_status("one").await;
        if restart {
            world.start_controller();
        }
        let trigger = world.of::<GlueTrigger>().ready("one").await;
        assert_eq!(status(&trigger).last_handled_fire.as_deref(), Some("a"));
        assert_eq!((world.switches("refresh").len(), world.firings("refresh")), (1, 1), "restart: {restart}");
    }
    // Without the mark, too: what was wiped by a replace is not known, and the trigger has started something.
    world.kill_controller();
    let wiped = Patch::Merge(json!({"metadata": {"annotations": null}}));
    world.of::<GlueTrigger>().api.patch("one", &PatchParams::default(), &wiped).await.expect("the object");
    world.of::<GlueTrigger>().lose_status("one").await;
    world.start_controller();
    let message = world.of::<GlueTrigger>().reason("one", "NotFired").await;
    assert!(message.contains("set another one to fire it"), "{message}");
    assert_eq!(world.firings("refresh"), 1);
    world.of::<GlueTrigger>().edit("one", json!({"fire": "b"})).await;
    world.resolved("one", "b").await;
    assert_eq!(world.firings("refresh"), 2);
}

/// A backup keeps annotations and drops the status.
#[tokio::test]
async fn it_does_not_fire_for_an_object_that_is_restored() {
    let world = world("gtr-restored").await;
    let triggers = world.of::<GlueTrigger>();
    let metadata = json!({"name": "one", "annotations": {"kube-glue.dev/fired": "true"}});
    triggers.create(json!({"metadata": metadata, "spec": spec("a")})).await.expect("an object");
    let trigger = triggers.ready("one").await;
    assert_eq!((ready_of(&trigger).0.as_str(), world.firings("refresh")), ("OnDemand", 0));
    triggers.edit("one", json!({"fire": "b"})).await;
    world.resolved("one", "b").await;
    assert_eq!(world.firings("refresh"), 1);
}

/// Created while no controller ran: it may be new, and it may not.
#[tokio::test]
async fn an_object_that_nobody_saw_come_to_be_fires_only_what_was_never_fired() {
    let mut world = World::without_controller("gtr-unseen").await;
    world.put_credentials(DEFAULT_SECRET).await;
    for trigger in ["refresh", "used"] {
        world.trigger(trigger, "ON_DEMAND", json!({}));
    }
    world.elsewhere("StartTrigger", &json!({"Name": "used"}));
    let triggers = world.of::<GlueTrigger>();
    triggers.put("one", spec("a")).await;
    triggers.put("two", json!({"triggerName": "used", "fire": "a", "fireOnCreation": true})).await;
    world.start_controller();
    world.resolved("one", "a").await;
    world.of::<GlueTrigger>().reason("two", "NotFired").await;
    assert_eq!((world.firings("refresh"), world.firings("used")), (1, 1));
}
