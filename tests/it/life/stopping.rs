//! `stop` and `suspend`.

use kube_glue::api::run::{Phase, StopCause};
use kube_glue_double::{Fault, JobDefinition, Then};
use serde_json::json;

use crate::harness::{World, attempts, conditions_of, endless, is_held, ready, run_id};

async fn world(name: &str) -> World {
    let world = World::new(name).await;
    world.job(JobDefinition::new("endless").max_concurrent_runs(10).script(endless()));
    world
}

#[tokio::test]
async fn what_is_stopped_before_the_start_is_never_started() {
    let world = world("never").await;
    world.run("at-once", "endless", json!({"stop": true})).await;
    world.run("later", "endless", json!({"suspend": true})).await;
    world.phase("later", Phase::Suspended).await;
    world.edit("later", json!({"stop": true})).await;
    for name in ["at-once", "later"] {
        let run = world.phase(name, Phase::Stopped).await;
        assert_eq!(ready(&run), ("StopRequested".to_owned(), "stopped before it was started".to_owned()));
        assert!(!is_held(&run));
    }
    assert_eq!(world.glue_calls(), 0, "Glue was not asked for anything");
}

#[tokio::test]
async fn a_running_run_is_stopped_once_and_for_good() {
    let world = world("stop").await;
    world.run("one", "endless", json!({})).await;
    world.phase("one", Phase::Running).await;
    world.edit("one", json!({"stop": true})).await;
    let run = world.over("one", Phase::Stopped).await;
    assert_eq!(ready(&run).0, "StopRequested");
    assert_eq!(conditions_of(&run), ["Ready=False", "Stalled=True", "Failed=True"]);
    assert_eq!(attempts(&run)[0].stop_cause, Some(StopCause::StopRequested));
    assert_eq!((world.starts(), world.stops("endless")), (1, 1));
}

#[tokio::test]
async fn a_stop_that_glue_refuses_for_now_is_sent_again() {
    let world = world("refused").await;
    world.double.faults().add(Fault::on("BatchStopJobRun").nth(1).then(Then::Throttle));
    world.run("one", "endless", json!({})).await;
    world.phase("one", Phase::Running).await;
    world.edit("one", json!({"stop": true})).await;
    world.over("one", Phase::Stopped).await;
    assert_eq!(world.stops("endless"), 2);
}

#[tokio::test]
async fn suspend_holds_the_start_back() {
    let world = world("held").await;
    world.run("one", "endless", json!({"suspend": true})).await;
    let held = world.phase("one", Phase::Suspended).await;
    assert_eq!(conditions_of(&held), ["Ready=False", "Suspended=True"]);
    assert!(!is_held(&held));
    assert_eq!(world.glue_calls(), 0, "Glue was not asked for anything");
    world.edit("one", json!({"suspend": false})).await;
    let run = world.phase("one", Phase::Running).await;
    assert_eq!(conditions_of(&run), ["Ready=False", "Reconciling=True", "Suspended=False"]);
    assert_eq!((attempts(&run).len(), world.starts()), (1, 1));
}

#[tokio::test]
async fn suspend_stops_a_running_run_and_its_end_starts_a_new_attempt() {
    let world = world("suspend").await;
    world.run("one", "endless", json!({})).await;
    let first = world.phase("one", Phase::Running).await;
    world.edit("one", json!({"suspend": true})).await;
    let held = world.phase("one", Phase::Suspended).await;
    assert_eq!(conditions_of(&held), ["Ready=False", "Suspended=True"]);
    assert_eq!(attempts(&held)[0].stop_cause, Some(StopCause::Suspended));
    assert_eq!((world.starts(), world.stops("endless")), (1, 1));
    world.edit("one", json!({"suspend": false})).await;
    let second = world.phase("one", Phase::Running).await;
    let keys: Vec<_> = attempts(&second).iter().map(|attempt| attempt.key.rsplit('/').next()).collect();
    assert_eq!(keys, [Some("0"), Some("1")]);
    assert_ne!(run_id(&first), run_id(&second));
    assert_eq!((world.starts(), world.glue_runs("endless").len()), (2, 2));
}
