//! Deletion: of live runs, finished ones, whole namespaces; with Glue in reach and without.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, DeleteParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{WatchStreamExt, watcher};
use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Outcome, Then};
use serde_json::json;
use tokio::time::timeout;

use crate::harness::{DEFAULT_SECRET, HASTY, PATIENCE, STEP, World, endless, is_held, run_id, stepwise};

#[tokio::test]
async fn a_deleted_run_is_stopped_and_its_end_is_waited_for() {
    let world = World::new("deleted").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("steps").script(stepwise(Outcome::Never)));
    world.run("one", "steps", json!({})).await;
    let run = world.known("one").await;
    world.double.clock().step(STEP);
    world.phase("one", Phase::Running).await;
    world.delete("one").await;
    world.phase("one", Phase::Stopping).await;
    world.calls("BatchStopJobRun", 1).await;
    let before = world.double.requests().count("GetJobRun");
    world.calls("GetJobRun", before + 3).await;
    assert!(world.runs().get_opt("one").await.expect("an answer").is_some(), "it stays until the run is STOPPED");
    world.double.clock().step(STEP);
    world.gone(&run).await;
    assert_eq!(world.stops("steps"), 1);
    assert_eq!(world.glue_runs("steps")[0]["JobRunState"], "STOPPED");
}

#[tokio::test]
async fn an_orphaned_run_goes_on_and_its_object_goes_at_once() {
    let world = World::new("orphan").await;
    world.job(JobDefinition::new("endless").script(endless()));
    world.run("one", "endless", json!({"deletionPolicy": "Orphan"})).await;
    let run = world.phase("one", Phase::Running).await;
    assert!(!is_held(&run), "nothing is to be stopped");
    world.delete("one").await;
    world.gone(&run).await;
    // What comes to the controller later is through: it has seen the deletion, and leaves it at that.
    world.run("next", "etl", json!({})).await;
    world.over("next", Phase::Succeeded).await;
    assert_eq!(world.stops("endless"), 0);
    assert_eq!(world.glue_runs("endless")[0]["JobRunState"], "RUNNING");
}

#[tokio::test]
async fn the_deletion_policy_may_change_while_it_runs() {
    let world = World::new("policy").await;
    world.job(JobDefinition::new("endless").script(endless()));
    world.run("one", "endless", json!({})).await;
    let run = world.phase("one", Phase::Running).await;
    assert!(is_held(&run));
    world.edit("one", json!({"deletionPolicy": "Orphan"})).await;
    world.until("one", "it is free", |run| !is_held(run)).await;
    world.edit("one", json!({"deletionPolicy": "Stop"})).await;
    world.until("one", "it is held", is_held).await;
    world.delete("one").await;
    world.gone(&run).await;
    assert_eq!((world.starts(), world.stops("endless")), (1, 1));
}

#[tokio::test]
async fn a_finished_run_goes_while_no_controller_runs() {
    let mut world = World::new("finished").await;
    world.run("one", "etl", json!({})).await;
    let run = world.over("one", Phase::Succeeded).await;
    world.kill_controller();
    world.delete("one").await;
    world.gone(&run).await;
}

/// The deletion comes while StartJobRun is on its way: the run is found, and stopped.
#[tokio::test]
async fn what_is_deleted_while_it_is_being_started_leaves_nothing_behind() {
    let world = World::with("starting", HASTY).await;
    for (name, fault) in [("lost", Then::DropAnswerAfterWork), ("late", Then::HoldAnswer)] {
        world.job(JobDefinition::new(name).script(endless()));
        world.double.faults().add(Fault::on("StartJobRun").name(name).then(fault));
        let run = world.run(name, name, json!({})).await;
        world.requests("the start came", |requests| requests.of("StartJobRun").name(name).count() == 1).await;
        world.delete(name).await;
        world.double.faults().clear();
        world.gone(&run).await;
        let runs = world.glue_runs(name);
        assert_eq!(runs.len(), 1, "{name}");
        assert_eq!(runs[0]["JobRunState"], "STOPPED", "{name}");
    }
}

async fn delete_namespace(world: &World) {
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let uid = namespaces.get(&world.namespace).await.expect("the namespace").metadata.uid.expect("a uid");
    namespaces.delete(&world.namespace, &DeleteParams::default()).await.expect("the deletion");
    let gone = await_condition(namespaces, &world.namespace, conditions::is_deleted(&uid));
    assert!(timeout(PATIENCE, gone).await.is_ok(), "the namespace stays\n{}", world.tail());
}

/// By the namespace controller of Kubernetes, in no order: the Secret may go before what needs it.
#[tokio::test]
async fn a_namespace_goes_with_its_secret_first_and_every_run_is_stopped() {
    // Its lease goes with the namespace, too, as that of no controller should.
    let world = World::with("space", &[("--leader-election", "false")]).await;
    world.job(JobDefinition::new("endless").max_concurrent_runs(100).script(endless()));
    let names: Vec<_> = (0..50).map(|n| format!("run-{n}")).collect();
    for name in &names {
        world.run(name, "endless", json!({})).await;
    }
    for name in &names {
        world.phase(name, Phase::Running).await;
    }
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    secrets.delete(DEFAULT_SECRET, &DeleteParams::default()).await.expect("the deletion");
    delete_namespace(&world).await;
    let runs = world.glue_runs("endless");
    assert_eq!(runs.len(), 50);
    assert!(runs.iter().all(|run| run["JobRunState"] == "STOPPED"), "{runs:?}");
}

#[tokio::test]
async fn with_revoked_credentials_a_run_is_let_go_in_the_end_with_a_warning() {
    let world = World::with("revoked", &[("--deletion-timeout", "3s")]).await;
    world.job(JobDefinition::new("endless").script(endless()));
    world.run("one", "endless", json!({})).await;
    let run = world.phase("one", Phase::Running).await;
    world.double.iam().delete_access_key(&world.key.id);
    // The polls say so first, and that stands; what the stop says may be gone with the object before it is seen.
    world.reason("one", "CredentialsNotAccepted").await;
    let deleted = std::time::Instant::now();
    world.delete("one").await;
    world.gone(&run).await;
    assert!(deleted.elapsed() >= Duration::from_secs(2), "not before --deletion-timeout");
    assert!(world.stops("endless") > 0, "it was tried");
    let id = run_id(&run).expect("an id");
    let event = world.event("LeftBehind").await;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    assert!(event.note.as_ref().is_some_and(|note| note.contains(id)), "{event:?}");
}

/// Nothing can be created in a namespace that is being deleted: what is left behind is told about the
/// namespace itself.
#[tokio::test]
async fn a_namespace_with_revoked_credentials_goes_too_and_what_is_left_is_told() {
    let world = World::with("gone", &[("--deletion-timeout", "3s"), ("--leader-election", "false")]).await;
    world.job(JobDefinition::new("endless").script(endless()));
    world.run("one", "endless", json!({})).await;
    let run = world.phase("one", Phase::Running).await;
    world.double.iam().delete_access_key(&world.key.id);
    delete_namespace(&world).await;
    let events: Api<Event> = Api::namespaced(world.client.clone(), "default");
    let about =
        |event: &Event| event.regarding.as_ref().and_then(|about| about.name.as_ref()) == Some(&world.namespace);
    let seen = watcher(events, watcher::Config::default()).applied_objects();
    let seen = seen.filter_map(async |event| event.ok().filter(&about));
    let event = timeout(PATIENCE, pin!(seen).next()).await.expect("an event about the namespace").expect("a watch");
    let told = event.note.unwrap_or_default();
    assert!(
        told.contains(run_id(&run).expect("an id")) && told.contains(&format!("{}/one", world.namespace)),
        "{told}"
    );
}
