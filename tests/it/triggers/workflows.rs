//! Triggers of one workflow. Glue changes only one of them at a time.

use std::time::Duration;

use futures::future::join_all;
use kube_glue::api::GlueTrigger;
use kube_glue_double::{Fault, Then};
use serde_json::json;

use super::ready_reason_and_status;
use crate::harness::{TestEnv, conditions_in};

const COUNT: usize = 20;

fn names() -> Vec<String> {
    (0..COUNT).map(|n| format!("step-{n:02}")).collect()
}

#[tokio::test]
async fn twenty_triggers_of_one_workflow_can_change_at_the_same_time() {
    let env = TestEnv::new("gtr-workflow").await;
    env.set_trigger_delay(Duration::from_millis(50));
    env.call_glue("CreateWorkflow", &json!({"Name": "orders"}));
    for name in names() {
        env.define_trigger(&name, "SCHEDULED", json!({"WorkflowName": "orders"}));
    }
    let triggers = env.objects::<GlueTrigger>();
    join_all(names().iter().map(|name| triggers.create(name, json!({"triggerName": name})))).await;
    for name in names() {
        triggers.wait_ready(&name).await;
    }
    join_all(names().iter().map(|name| triggers.patch_spec(name, json!({"state": "Deactivated"})))).await;
    for name in names() {
        let trigger = triggers.wait_ready(&name).await;
        assert_eq!(
            (ready_reason_and_status(&trigger).0.as_str(), env.trigger_state(&name).as_str()),
            ("Deactivated", "DEACTIVATED")
        );
        assert_eq!(conditions_in(&trigger).len(), 1, "no error remains: {trigger:?}");
        assert_eq!(env.start_stop_calls(&name), ["StartTrigger", "StopTrigger"]);
    }
    let requests = env.double.requests();
    let succeeded = requests.of("StartTrigger").succeeded().count() + requests.of("StopTrigger").succeeded().count();
    assert_eq!(succeeded, 2 * COUNT, "no call met another one's change");
    let warnings = env.warning_reasons().await;
    assert!(warnings.is_empty(), "{warnings:?}");
}

/// As when somebody else changes the workflow at the same time.
#[tokio::test]
async fn a_concurrent_modification_is_retried_without_a_warning() {
    let env = TestEnv::new("gtr-conflict").await;
    env.set_trigger_delay(Duration::ZERO);
    let modified =
        Then::error("ConcurrentModificationException", "Workflow orders was modified while changing a trigger");
    env.double.faults().add(Fault::on("StartTrigger").times(3).then(modified));
    env.define_trigger("nightly", "SCHEDULED", json!({}));
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("one", json!({"triggerName": "nightly"})).await;
    let trigger = triggers.wait_ready("one").await;
    assert_eq!(ready_reason_and_status(&trigger).0, "Activated");
    assert_eq!(env.start_stop_calls("nightly").len(), 4);
    let warnings = env.warning_reasons().await;
    assert!(warnings.is_empty(), "{warnings:?}");
}
