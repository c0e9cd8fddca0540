//! What Glue says of a run, and what its object shows.

use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, Outcome, RunScript};
use serde_json::json;

use crate::harness::{STEP, World, attempts, conditions_of, ready, run_id, stepwise};
use crate::proxy;

/// The conditions that stand beside a phase.
fn conditions_beside(phase: Phase) -> &'static [&'static str] {
    match phase {
        Phase::Succeeded => &["Ready=True", "Complete=True"],
        Phase::Suspended => &["Ready=False", "Suspended=True"],
        _ if phase.is_final() => &["Ready=False", "Stalled=True", "Failed=True"],
        _ => &["Ready=False", "Reconciling=True"],
    }
}

/// Waits until the run is in `phase`, and looks at its conditions.
async fn stands(world: &World, name: &str, phase: Phase) -> GlueJobRun {
    let run = world.phase(name, phase).await;
    assert_eq!(conditions_of(&run), conditions_beside(phase), "{name}");
    run
}

/// All ten values of JobRunState.
#[tokio::test]
async fn each_state_in_glue_has_its_phase_and_its_conditions() {
    let world = World::new("states").await;
    world.double.clock().hold();
    let ends = [
        ("succeeded", Outcome::Succeeded, Phase::Succeeded),
        ("failed", Outcome::Failed("boom".to_owned()), Phase::Failed),
        ("error", Outcome::Error("Glue broke".to_owned()), Phase::Error),
        ("timeout", Outcome::Timeout, Phase::TimedOut),
        ("stopped", Outcome::Never, Phase::Stopped),
    ];
    let queue = JobDefinition::new("queue").max_concurrent_runs(1).queuing(true);
    world.job(queue.script(stepwise(Outcome::Never)));
    world.run("first", "queue", json!({})).await;
    world.known("first").await;
    world.run("expired", "queue", json!({})).await;
    for (name, outcome, _) in &ends {
        world.job(JobDefinition::new(name).script(stepwise(outcome.clone())));
        world.run(name, name, json!({})).await;
    }
    stands(&world, "expired", Phase::Waiting).await;
    for (name, ..) in &ends {
        world.known(name).await;
        stands(&world, name, Phase::Starting).await;
    }
    world.double.clock().step(STEP);
    for (name, ..) in &ends {
        let run = stands(&world, name, Phase::Running).await;
        assert_eq!(ready(&run).0, "Running");
    }
    let run = world.runs().get("stopped").await.expect("the object");
    world.elsewhere("BatchStopJobRun", &json!({"JobName": "stopped", "JobRunIds": [run_id(&run)]}));
    stands(&world, "stopped", Phase::Stopping).await;

    world.double.clock().step(STEP);
    for (name, _, phase) in &ends {
        let run = stands(&world, name, *phase).await;
        let state = if *name == "stopped" { "STOPPED".to_owned() } else { name.to_uppercase() };
        assert_eq!(attempts(&run)[0].state, Some(state));
    }
    let expired = stands(&world, "expired", Phase::Expired).await;
    assert_eq!(attempts(&expired)[0].state.as_deref(), Some("EXPIRED"));
    assert_eq!(world.starts(), 7);
    assert_eq!(world.stops("stopped"), 0, "somebody else stopped it");
}

#[tokio::test]
async fn the_status_tells_what_glue_granted_and_how_it_ended() {
    let world = World::new("told").await;
    world.double.clock().hold();
    let job = JobDefinition::new("told").workers("G.1X", 2).glue_version("5.0");
    world.job(job.script(stepwise(Outcome::Failed("boom".to_owned()))));
    world.run("one", "told", json!({"workers": {"type": "G.2X", "count": 3}})).await;
    world.known("one").await;
    world.double.clock().step(STEP);
    world.phase("one", Phase::Running).await;
    world.double.clock().step(STEP);
    let run = world.over("one", Phase::Failed).await;
    assert_eq!(ready(&run), ("Failed".to_owned(), "boom".to_owned()));
    let status = run.status.expect("a status");
    assert_eq!(status.error_message.as_deref(), Some("boom"));
    let workers = status.workers.expect("workers");
    assert_eq!((workers.type_.as_str(), workers.count), ("G.2X", 3));
    assert_eq!(status.glue_version.as_deref(), Some("5.0"));
    assert_eq!(status.execution_seconds, Some(60));
    assert_eq!(status.duration.as_deref(), Some("2m0s"));
    assert_eq!(status.log_group.as_deref(), Some("/aws-glue/jobs"));
    let (started, completed) = (status.started_at.expect("a start"), status.completed_at.expect("an end"));
    assert_eq!(completed.0.duration_since(started.0).as_secs(), 120);
}

/// Glue's messages are as long as a stack trace.
#[tokio::test]
async fn a_long_message_is_cut() {
    let world = World::new("cut").await;
    let zero = std::time::Duration::ZERO;
    let script = RunScript::fails(&"ü".repeat(20_000)).starting(zero).running(zero);
    world.job(JobDefinition::new("talks").script(script));
    world.run("one", "talks", json!({})).await;
    let run = world.over("one", Phase::Failed).await;
    let shown = run.status.as_ref().and_then(|status| status.error_message.clone()).expect("a message");
    for text in [shown, ready(&run).1] {
        assert_eq!((text.chars().count(), text.ends_with('…')), (1024, true));
    }
}

/// A state newer than this program: shown as what it is, and watched on.
#[tokio::test]
async fn an_unknown_state_is_shown_as_unknown_and_watched_on() {
    let mut world = World::without_controller("unknown").await;
    world.put_credentials("kube-glue-credentials").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    // As long as the word that it stands for, so that no length in the answer changes.
    let news = proxy::start(world.double.address(), ["\"RUNNING\"", "\"DREAMED\""]).await;
    world.aws.insert("AWS_ENDPOINT_URL", news.url());
    world.start_controller();
    world.run("one", "steps", json!({})).await;
    world.known("one").await;
    world.double.clock().step(STEP);
    let run = stands(&world, "one", Phase::Unknown).await;
    assert!(ready(&run).1.contains("DREAMED"), "{:?}", ready(&run));
    world.double.clock().step(STEP);
    world.over("one", Phase::Succeeded).await;
    assert_eq!(world.starts(), 1);
}

#[tokio::test]
async fn ready_when_started_is_ready_as_soon_as_it_runs() {
    let world = World::new("ready").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("good").script(stepwise(Outcome::Succeeded)));
    world.job(JobDefinition::new("bad").script(stepwise(Outcome::Failed("boom".to_owned()))));
    for name in ["good", "bad"] {
        world.run(name, name, json!({"readyWhen": "Started"})).await;
        assert_eq!(conditions_of(&world.known(name).await), ["Ready=False", "Reconciling=True"]);
    }
    world.double.clock().step(STEP);
    for name in ["good", "bad"] {
        assert_eq!(conditions_of(&world.phase(name, Phase::Running).await), ["Ready=True"]);
    }
    world.double.clock().step(STEP);
    assert_eq!(conditions_of(&world.over("good", Phase::Succeeded).await), ["Ready=True", "Complete=True"]);
    let bad = world.over("bad", Phase::Failed).await;
    assert_eq!(conditions_of(&bad), ["Ready=False", "Stalled=True", "Failed=True"]);
}
