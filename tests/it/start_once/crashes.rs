//! The controller is killed with SIGKILL, at every point that can be seen from outside.

use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube_glue::api::FINALIZER;
use kube_glue::api::run::Phase;
use kube_glue_double::JobDefinition;
use kube_glue_double::{Fault, Outcome, Then};
use serde_json::json;

use crate::harness::{DEFAULT_SECRET, HASTY, STEP, World, attempts, is_held, run_id, stepwise, uid};

/// A world whose controller has not been started.
async fn world(name: &str) -> World {
    let world = World::without_controller(name).await;
    world.put_credentials(DEFAULT_SECRET).await;
    world
}

/// Killed right after the finalizer was written: what stands there then is an object with nothing else.
#[tokio::test]
async fn between_finalizer_and_intent() {
    let mut world = world("held").await;
    let object = json!({"metadata": {"name": "one", "finalizers": [FINALIZER]}, "spec": {"jobName": "etl"}});
    world.create(object).await.expect("an object");
    world.start_controller();
    world.over("one", Phase::Succeeded).await;
    assert_eq!((world.starts(), world.glue_runs("etl").len()), (1, 1));
}

/// Killed right after the intent was written: the next one cannot know whether it was sent.
#[tokio::test]
async fn between_intent_and_start() {
    let mut world = world("intended").await;
    let object = json!({"metadata": {"name": "one", "finalizers": [FINALIZER]}, "spec": {"jobName": "etl"}});
    let object = world.create(object).await.expect("an object");
    let now = "2026-01-01T00:00:00Z";
    let key = format!("{}/0", uid(&object));
    let attempt = json!({"number": 0, "key": key, "activeSince": now, "intendedAt": now});
    let status = json!({"status": {"observedGeneration": 1, "phase": "Starting", "attempts": [attempt]}});
    world.runs().patch_status("one", &PatchParams::default(), &Patch::Merge(status)).await.expect("a status");
    // Longer than the first look may be held up, so that there is one before that time has passed.
    world.set(&[("--start-settle", "12s"), ("--aws-timeout", "3s")]);
    let began = Timestamp::now();
    world.start_controller();
    let run = world.over("one", Phase::Succeeded).await;
    world.event("AnswerUnclear").await;
    assert_eq!((world.starts(), world.glue_runs("etl").len()), (1, 1));
    let (looks, starts) = (world.double.requests().of("GetJobRuns"), world.double.requests().of("StartJobRun"));
    assert!(looks[0].sequence < starts[0].sequence, "it looks before it starts");
    let after = starts[0].received.duration_since(began);
    assert!(after.as_secs() >= 12, "started after {after:?}, when what was sent could still be taken");
    assert_eq!(attempts(&run).len(), 1, "the same attempt, intended once more");
}

/// Killed while StartJobRun is at Glue and nothing is done yet; it is carried out after the restart.
#[tokio::test]
async fn while_the_start_is_on_its_way() {
    let mut world = world("sent").await;
    world.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::Hold));
    world.start_controller();
    world.run("one", "etl", json!({})).await;
    world.calls("StartJobRun", 1).await;
    world.kill_controller();
    world.start_controller();
    world.reason("one", "AnswerUnclear").await;
    // What was sent is carried out after all.
    world.double.faults().release();
    world.over("one", Phase::Succeeded).await;
    assert_eq!((world.starts(), world.glue_runs("etl").len()), (1, 1));
}

/// Killed when Glue has started the run and before its answer arrived.
#[tokio::test]
async fn before_the_answer_arrives() {
    let mut world = world("answer").await;
    world.job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    world.double.clock().hold();
    world.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::HoldAnswer));
    world.start_controller();
    world.run("one", "steps", json!({})).await;
    world.calls("StartJobRun", 1).await;
    world.kill_controller();
    let run = world.runs().get("one").await.expect("the object");
    assert_eq!((run_id(&run), attempts(&run).len()), (None, 1), "the intent stands in the object, the id does not");
    world.start_controller();
    assert_eq!(
        world.reason("one", "Adopted").await,
        format!(
            "run {} carries this object's key and was adopted",
            world.glue_runs("steps")[0]["Id"].as_str().expect("an id")
        )
    );
    world.double.clock().step(STEP);
    world.phase("one", Phase::Running).await;
    world.double.clock().step(STEP);
    world.over("one", Phase::Succeeded).await;
    assert_eq!((world.starts(), world.glue_runs("steps").len()), (1, 1));
}

/// Killed while the run runs, while it is being stopped, and it ends while no controller runs.
#[tokio::test]
async fn while_the_run_lives() {
    let mut world = world("lives").await;
    world.job(JobDefinition::new("steps").max_concurrent_runs(2).script(stepwise(Outcome::Succeeded)));
    world.double.clock().hold();
    world.start_controller();
    for name in ["kept", "stopped"] {
        world.run(name, "steps", json!({})).await;
        world.known(name).await;
    }
    world.calls("StartJobRun", 2).await;
    world.double.clock().step(STEP);
    world.phase("kept", Phase::Running).await;
    world.edit("stopped", json!({"stop": true})).await;
    world.phase("stopped", Phase::Stopping).await;
    world.calls("BatchStopJobRun", 1).await;
    world.kill_controller();
    world.double.clock().step(STEP);
    world.start_controller();
    world.over("kept", Phase::Succeeded).await;
    let stopped = world.over("stopped", Phase::Stopped).await;
    assert_eq!(attempts(&stopped)[0].state.as_deref(), Some("STOPPED"));
    assert_eq!((world.starts(), world.glue_runs("steps").len()), (2, 2));
}

/// Killed at whatever point it has come to, five times over, with twelve objects under way.
#[tokio::test]
async fn again_and_again() {
    let mut world = world("storm").await;
    world.set(HASTY);
    world.job(JobDefinition::new("steps").max_concurrent_runs(100).script(stepwise(Outcome::Succeeded)));
    world.double.clock().hold();
    let names: Vec<_> = (0..12).map(|n| format!("run-{n}")).collect();
    for name in &names {
        world.run(name, "steps", json!({})).await;
    }
    for crash in 0..5 {
        let before = world.starts();
        world.start_controller();
        if before < 12 {
            // At the moment when another start arrives: one has been sent, others are on their way.
            world.calls("StartJobRun", (before + 1 + crash % 3).min(12)).await;
        }
        world.kill_controller();
    }
    world.start_controller();
    for name in &names {
        world.known(name).await;
    }
    world.double.clock().step(STEP * 2);
    for name in &names {
        let run = world.over(name, Phase::Succeeded).await;
        assert!(!is_held(&run));
    }
    let runs = world.glue_runs("steps");
    let mut keys: Vec<_> = runs.iter().map(|run| run["Arguments"]["--kube-glue-run"].to_string()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), runs.len()), (12, 12), "one run for each object");
}
