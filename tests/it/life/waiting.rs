//! A job that runs as often as it may already.

use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Outcome, Then};
use serde_json::json;

use crate::harness::{STEP, World, endless, is_held, ready, stepwise};

#[tokio::test]
async fn who_waits_for_a_place_says_so_and_the_oldest_gets_it() {
    let world = World::new("line").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("single").script(stepwise(Outcome::Succeeded)));
    world.run("first", "single", json!({})).await;
    world.known("first").await;
    // The names are against the order, which is that of creation.
    world.run("z", "single", json!({})).await;
    let waiting = world.phase("z", Phase::Waiting).await;
    assert_eq!(ready(&waiting).0, "ConcurrentRunsExceeded");
    assert!(ready(&waiting).1.contains("this one starts when a place is free"), "{:?}", ready(&waiting));
    // It asked again twice, after pauses of about one second and two. So the next one is younger even by the API
    // server's whole seconds, and its name does not decide.
    world.calls("StartJobRun", 4).await;
    world.run("a", "single", json!({})).await;
    world.phase("a", Phase::Waiting).await;

    for (over, next) in [("first", "z"), ("z", "a")] {
        world.double.clock().step(STEP * 2);
        world.over(over, Phase::Succeeded).await;
        // It may be asking right now, and goes on saying what it waits for.
        assert_eq!(ready(&world.runs().get(next).await.expect("the object")).0, "ConcurrentRunsExceeded");
        // Glue frees the place only now.
        world.double.clock().step(STEP);
        world.known(next).await;
    }
    world.double.clock().step(STEP * 2);
    world.over("a", Phase::Succeeded).await;
    let starts = world.double.requests().of("StartJobRun").succeeded();
    let keys: Vec<_> = starts.iter().map(|start| start.field("Arguments/--kube-glue-run").expect("a key")).collect();
    let mut expected = Vec::new();
    for name in ["first", "z", "a"] {
        let uid = world.runs().get(name).await.expect("the object").metadata.uid.expect("a uid");
        expected.push(json!(format!("{uid}/0")));
    }
    assert_eq!(keys, expected);
}

/// The run that takes the last place is our own, of a start whose answer was lost.
#[tokio::test]
async fn the_live_run_may_be_our_own() {
    let mut world = World::without_controller("own").await;
    world.put_credentials("kube-glue-credentials").await;
    world.job(JobDefinition::new("single").script(endless()));
    world.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::HoldAnswer));
    world.start_controller();
    world.run("one", "single", json!({})).await;
    world.calls("StartJobRun", 1).await;
    world.kill_controller();
    world.lose_status("one").await;
    world.start_controller();
    let run = world.phase("one", Phase::Running).await;
    assert!(is_held(&run));
    assert_eq!(world.glue_runs("single").len(), 1);
}

#[tokio::test]
async fn a_queued_run_is_waiting_and_goes_on_by_itself() {
    let world = World::new("queue").await;
    world.double.clock().hold();
    let script = stepwise(Outcome::Succeeded).longest_wait(STEP * 10);
    world.job(JobDefinition::new("queue").queuing(true).script(script));
    for name in ["first", "second"] {
        world.run(name, "queue", json!({})).await;
        world.known(name).await;
    }
    let waiting = world.phase("second", Phase::Waiting).await;
    assert!(ready(&waiting).1.ends_with("is WAITING in Glue"), "{:?}", ready(&waiting));
    world.double.clock().step(STEP * 2);
    world.over("first", Phase::Succeeded).await;
    world.double.clock().step(STEP);
    world.double.clock().step(STEP * 2);
    world.over("second", Phase::Succeeded).await;
    assert_eq!(world.starts(), 2);
}
