//! The triggers of one workflow, which Glue changes one at a time.

use std::time::Duration;

use futures::future::join_all;
use kube_glue::api::GlueTrigger;
use kube_glue_double::{Fault, Then};
use serde_json::json;

use super::ready_of;
use crate::harness::{World, conditions_in};

const COUNT: usize = 20;

fn names() -> Vec<String> {
    (0..COUNT).map(|n| format!("step-{n:02}")).collect()
}

/// Twenty triggers of one workflow, activated at once and deactivated at once.
#[tokio::test]
async fn twenty_triggers_of_one_workflow_switched_at_once_all_come_to_rest() {
    let world = World::new("gtr-workflow").await;
    world.triggers_take(Duration::from_millis(50));
    world.elsewhere("CreateWorkflow", &json!({"Name": "orders"}));
    for name in names() {
        world.trigger(&name, "SCHEDULED", json!({"WorkflowName": "orders"}));
    }
    let triggers = world.of::<GlueTrigger>();
    join_all(names().iter().map(|name| triggers.put(name, json!({"triggerName": name})))).await;
    for name in names() {
        triggers.ready(&name).await;
    }
    join_all(names().iter().map(|name| triggers.edit(name, json!({"state": "Deactivated"})))).await;
    for name in names() {
        let trigger = triggers.ready(&name).await;
        assert_eq!(
            (ready_of(&trigger).0.as_str(), world.trigger_state(&name).as_str()),
            ("Deactivated", "DEACTIVATED")
        );
        assert_eq!(conditions_in(&trigger).len(), 1, "no error is left: {trigger:?}");
        assert_eq!(world.switches(&name), ["StartTrigger", "StopTrigger"]);
    }
    let requests = world.double.requests();
    let switched = requests.of("StartTrigger").succeeded().count() + requests.of("StopTrigger").succeeded().count();
    assert_eq!(switched, 2 * COUNT, "none met another on its way");
    let warnings = world.warnings().await;
    assert!(warnings.is_empty(), "{warnings:?}");
}

/// Somebody else changes the workflow as well.
#[tokio::test]
async fn a_conflict_is_tried_again_and_leaves_no_error() {
    let world = World::new("gtr-conflict").await;
    world.triggers_take(Duration::ZERO);
    let modified =
        Then::error("ConcurrentModificationException", "Workflow orders was modified while changing a trigger");
    world.double.faults().add(Fault::on("StartTrigger").times(3).then(modified));
    world.trigger("nightly", "SCHEDULED", json!({}));
    let triggers = world.of::<GlueTrigger>();
    triggers.put("one", json!({"triggerName": "nightly"})).await;
    let trigger = triggers.ready("one").await;
    assert_eq!(ready_of(&trigger).0, "Activated");
    assert_eq!(world.switches("nightly").len(), 4);
    let warnings = world.warnings().await;
    assert!(warnings.is_empty(), "{warnings:?}");
}
