//! A run is started once, and its status follows it to the end.

use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, Then};
use serde_json::json;

use crate::world::{World, conditions_of};

#[tokio::test]
async fn a_run_is_started_once_and_followed_to_its_end() {
    let world = World::new("life").await;
    world.run("one", "etl", json!({"arguments": {"--day": "monday"}})).await;
    let run = world.phase("one", Phase::Succeeded).await;
    assert_eq!(conditions_of(&run), ["Ready=True", "Complete=True"]);
    assert_eq!(world.starts(), 1);
    world.assert_nothing_leaked().await;
}

/// Whatever keeps the answer to StartJobRun from us, there is one run.
async fn one_run_in_spite_of(name: &str, fault: Then) {
    let world = World::new(name).await;
    world.double.faults().add(Fault::on("StartJobRun").nth(1).then(fault));
    world.run("one", "etl", json!({})).await;
    world.phase("one", Phase::Succeeded).await;
    world.quiet().await;
    assert_eq!(world.glue_runs("etl").len(), 1);
}

#[tokio::test]
async fn a_dropped_answer_leads_to_one_run() {
    one_run_in_spite_of("dropped", Then::DropAnswerAfterWork).await;
}
