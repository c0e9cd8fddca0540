//! The controller is killed with SIGKILL around a firing, at every point that can be seen from outside.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use kube_glue::api::GlueTrigger;
use kube_glue_double::{Fault, Then};
use serde_json::json;

use super::{ready_of, status};
use crate::harness::{HASTY, World};

/// A world whose object `one` has seen no value of fire yet, and whose controller has been killed.
async fn world(name: &str) -> World {
    let mut world = World::new(name).await;
    world.trigger("refresh", "ON_DEMAND", json!({}));
    world.of::<GlueTrigger>().put("one", json!({"triggerName": "refresh"})).await;
    world.of::<GlueTrigger>().ready("one").await;
    world.kill_controller();
    world
}

async fn set(world: &World, value: &str) {
    world.of::<GlueTrigger>().edit("one", json!({"fire": value})).await;
}

/// Killed right after the intent was written: the next one cannot know whether it was sent.
#[tokio::test]
async fn between_intent_and_firing() {
    let mut world = world("gtr-intended").await;
    set(&world, "a").await;
    let newest = json!([{"kind": "Job", "name": "etl"}]);
    let intent = json!({"number": 0, "value": "a", "intendedAt": "2026-01-01T00:00:00Z", "baseline": newest});
    let intended = json!({"status": {"observedGeneration": 2, "lastHandledFire": "a", "lastFiring": intent}});
    let triggers = world.of::<GlueTrigger>();
    triggers.api.patch_status("one", &PatchParams::default(), &Patch::Merge(intended)).await.expect("a status");
    world.start_controller();
    world.of::<GlueTrigger>().reason("one", "AnswerUnclear").await;
    assert!(world.switches("refresh").is_empty());
    // One that waits less.
    world.kill_controller();
    world.set(HASTY);
    world.start_controller();
    world.resolved("one", "a").await;
    assert_eq!((world.switches("refresh").len(), world.firings("refresh")), (1, 1));
}

/// Killed while StartTrigger is at Glue and nothing is done yet; it is carried out after the restart.
#[tokio::test]
async fn while_the_firing_is_on_its_way() {
    let mut world = world("gtr-sent").await;
    world.double.faults().add(Fault::on("StartTrigger").nth(1).then(Then::Hold));
    world.start_controller();
    set(&world, "a").await;
    world.calls("StartTrigger", 1).await;
    world.kill_controller();
    world.start_controller();
    world.of::<GlueTrigger>().reason("one", "AnswerUnclear").await;
    world.double.faults().release();
    world.resolved("one", "a").await;
    assert_eq!((world.switches("refresh").len(), world.firings("refresh")), (1, 1));
}

/// Killed when Glue has fired and before its answer arrived; another value comes meanwhile.
#[tokio::test]
async fn before_the_answer_arrives() {
    let mut world = world("gtr-answer").await;
    world.double.faults().add(Fault::on("StartTrigger").nth(1).then(Then::HoldAnswer));
    world.start_controller();
    set(&world, "a").await;
    world.calls("StartTrigger", 1).await;
    world.kill_controller();
    set(&world, "b").await;
    world.start_controller();
    world.resolved("one", "b").await;
    let trigger = world.of::<GlueTrigger>().api.get("one").await.expect("the object");
    let earlier: Vec<_> = status(&trigger).earlier_firings.iter().map(|firing| firing.value.as_str()).collect();
    assert_eq!(earlier, ["a"]);
    assert_eq!((world.switches("refresh").len(), world.firings("refresh")), (2, 2));
}

/// Killed when the firing is known, and before what it started has ended; it ends while no controller runs.
#[tokio::test]
async fn while_what_it_started_lives() {
    let mut world = world("gtr-lives").await;
    world.double.clock().hold();
    world.start_controller();
    set(&world, "a").await;
    world.resolved("one", "a").await;
    world.kill_controller();
    world.double.clock().step(Duration::from_mins(1));
    world.start_controller();
    let trigger = world.of::<GlueTrigger>();
    trigger.until("one", "its run has ended", |trigger| ready_of(trigger).0 == "Completed").await;
    assert_eq!((world.switches("refresh").len(), world.firings("refresh")), (1, 1));
}

/// Killed at whatever point it has come to, with six triggers and three values of each under way.
#[tokio::test]
async fn again_and_again() {
    let mut world = World::with("gtr-storm", HASTY).await;
    let names: Vec<_> = (0..6).map(|n| format!("refresh-{n}")).collect();
    for name in &names {
        world.trigger(name, "ON_DEMAND", json!({}));
        world.of::<GlueTrigger>().put(name, json!({"triggerName": name})).await;
    }
    for name in &names {
        world.of::<GlueTrigger>().ready(name).await;
    }
    for value in ["a", "b", "c"] {
        let before = world.double.requests().count("StartTrigger");
        for name in &names {
            world.of::<GlueTrigger>().edit(name, json!({"fire": value})).await;
        }
        // At the moment when one of them arrives: others are on their way.
        world.calls("StartTrigger", before + 2).await;
        world.kill_controller();
        world.start_controller();
        for name in &names {
            world.resolved(name, value).await;
        }
    }
    for name in &names {
        let trigger = world.of::<GlueTrigger>().api.get(name).await.expect("the object");
        let earlier: Vec<_> = status(&trigger).earlier_firings.iter().map(|firing| firing.value.as_str()).collect();
        assert_eq!((earlier, world.firings(name)), (vec!["a", "b"], 3), "{name}: one firing for each value");
    }
}
