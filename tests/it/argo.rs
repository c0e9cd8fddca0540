//! Argo CD's view: the health script that the chart ships, in the Lua that Argo CD runs it in (5.1), on
//! objects as the API server has them.

use kube::ResourceExt;
use kube_glue::api::run::Phase;
use kube_glue::api::{GlueConnection, GlueCrawlerRun, GlueJobRun, GlueTrigger};
use kube_glue::controllers::runtime::kind::Kind;
use kube_glue_double::{
    ConnectionScript, CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, JobDefinition, Outcome,
    Requests,
};
use mlua::serde::{LuaSerdeExt, ser};
use mlua::{Lua, LuaOptions, StdLib, Table};
use serde_json::{Value, json};

use crate::harness::{DEFAULT_SECRET, REGION, STEP, World, condition, merged, ready, run_id, stepwise};

/// The key under which Argo CD looks for the script of a kind.
const KEY: &str = "resource.customizations.health.kube-glue.dev_GlueJobRun";
/// Where the script and its kustomization are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/kube-glue/argocd");

/// What Argo CD shows of `object`: status and message.
fn health(script: &str, object: &Value) -> (String, String) {
    // Of Lua's libraries Argo CD opens the base functions and `table`; null in JSON is nil there.
    let lua = Lua::new_with(StdLib::TABLE, LuaOptions::default()).expect("a Lua");
    let options =
        ser::Options::new().set_array_metatable(false).serialize_none_to_null(false).serialize_unit_to_null(false);
    let object = lua.to_value_with(object, options).expect("a table");
    lua.globals().set("obj", object).expect("the global obj");
    let health: Table = lua.load(script).eval().expect("a table");
    (health.get("status").expect("a status"), health.get("message").expect("a message"))
}

impl World {
    /// What Argo CD shows of a run as it stands in the API server.
    async fn health(&self, script: &str, name: &str) -> (String, String) {
        self.health_of::<GlueJobRun>(script, name).await
    }

    /// The same of an object of any kind.
    async fn health_of<K: Kind>(&self, script: &str, name: &str) -> (String, String) {
        let object = self.of::<K>().untyped().get(name).await.expect("the object");
        health(script, &serde_json::to_value(object).expect("JSON"))
    }
}

/// The script as it comes out of the kustomization, which is one of the ways to install it.
async fn shipped(world: &World) -> String {
    let output = world.plane.kubectl(["kustomize", FOLDER]).await.expect("the kustomization");
    let name = "config-map";
    let namespaced = output.stdout.replace("namespace: argocd", &format!("namespace: {}", world.namespace));
    world.plane.kubectl(["apply", "--server-side", "-f", "-"]).input(namespaced).await.expect(name);
    let get = ["get", "configmap", "argocd-cm", "-n", &world.namespace, "-o", "json"];
    let config: Value = serde_json::from_str(&world.plane.kubectl(get).await.expect(name).stdout).expect("JSON");
    let others = config["data"].as_object().expect("its data").iter().filter(|(key, _)| *key != KEY);
    for (key, script) in others {
        assert_eq!(*script, config["data"][KEY], "{key}: one script serves all kinds");
    }
    config["data"][KEY].as_str().expect(KEY).to_owned()
}

#[tokio::test]
async fn argo_cd_sees_a_run_as_what_it_is() {
    let mut world = World::without_controller("argo").await;
    world.double.clock().hold();
    let script = shipped(&world).await;
    let message = "AnalysisException: Path does not exist";
    for (job, outcome) in [("good", Outcome::Succeeded), ("bad", Outcome::Failed(message.to_owned()))] {
        world.job(JobDefinition::new(job).max_concurrent_runs(3).script(stepwise(outcome)));
    }
    world.run("good", "good", json!({})).await;
    world.run("bad", "bad", json!({})).await;
    world.run("held", "good", json!({"suspend": true})).await;
    world.run("early", "good", json!({"readyWhen": "Started"})).await;

    // Nobody has seen them yet.
    for name in ["good", "bad", "held", "early"] {
        let expected = ("Progressing".to_owned(), "Waiting for the controller".to_owned());
        assert_eq!(world.health(&script, name).await, expected, "{name}");
    }

    // Without credentials nothing goes on, and may heal at any time.
    world.start_controller();
    let problem = world.reason("good", "CredentialsMissing").await;
    assert_eq!(world.health(&script, "good").await, ("Progressing".to_owned(), problem));

    world.put_credentials(DEFAULT_SECRET).await;
    for name in ["good", "bad", "early"] {
        let started = world.until(name, "it was started", |run| run_id(run).is_some()).await;
        assert_eq!(world.health(&script, name).await, ("Progressing".to_owned(), ready(&started).1), "{name}");
    }
    world.double.clock().step(STEP);
    for name in ["good", "bad"] {
        let running = world.phase(name, Phase::Running).await;
        assert_eq!(world.health(&script, name).await, ("Progressing".to_owned(), ready(&running).1), "{name}");
    }
    let early = world.phase("early", Phase::Running).await;
    assert_eq!(world.health(&script, "early").await, ("Healthy".to_owned(), ready(&early).1));
    let held = world.phase("held", Phase::Suspended).await;
    assert_eq!(world.health(&script, "held").await, ("Suspended".to_owned(), ready(&held).1));
    assert!(ready(&held).1.contains("spec.suspend"), "{held:?}");

    world.double.clock().step(STEP);
    let good = world.phase("good", Phase::Succeeded).await;
    assert_eq!(world.health(&script, "good").await, ("Healthy".to_owned(), ready(&good).1));
    world.phase("bad", Phase::Failed).await;
    assert_eq!(world.health(&script, "bad").await, ("Degraded".to_owned(), message.to_owned()));
}

/// A crawl, and those who wait for its crawler.
#[tokio::test]
async fn argo_cd_sees_a_crawl_as_what_it_is() {
    let world = World::new("argo-crawls").await;
    world.double.clock().hold();
    let script = shipped(&world).await;
    let plan = |outcome| CrawlPlan { running: STEP, stopping: STEP, outcome, ..CrawlPlan::default() };
    let fails = plan(CrawlOutcome::Failed("Insufficient permission(s)".to_owned()));
    let script_of = CrawlScript::sequence([plan(CrawlOutcome::Completed), fails]);
    world.double.define_crawler(DEFAULT_ACCOUNT, REGION, CrawlerSettings::new("raw"), script_of).expect("a crawler");
    let crawls = world.of::<GlueCrawlerRun>();
    let seen = async |name: &str, reason: &str| {
        let message = crawls.reason(name, reason).await;
        let object = crawls.untyped().get(name).await.expect("the object");
        let (state, told) = health(&script, &serde_json::to_value(object).expect("JSON"));
        assert_eq!(told, message, "{name}");
        state
    };
    crawls.put("good", json!({"crawlerName": "raw"})).await;
    assert_eq!(seen("good", "Running").await, "Progressing");
    crawls.put("bad", json!({"crawlerName": "raw"})).await;
    assert_eq!(seen("bad", "CrawlerRunning").await, "Progressing");
    crawls.put("picky", json!({"crawlerName": "raw", "onAlreadyRunning": "Fail"})).await;
    assert_eq!(seen("picky", "CrawlerRunning").await, "Degraded");
    crawls.put("held", json!({"crawlerName": "raw", "suspend": true})).await;
    assert_eq!(seen("held", "Suspended").await, "Suspended");
    world.double.clock().step(STEP);
    world.double.clock().step(STEP);
    assert_eq!(seen("good", "Succeeded").await, "Healthy");
    assert_eq!(seen("bad", "Running").await, "Progressing");
    world.double.clock().step(STEP);
    world.double.clock().step(STEP);
    assert_eq!(seen("bad", "Failed").await, "Degraded");
    let bad = crawls.api.get("bad").await.expect("the object");
    assert_eq!(condition(&bad, "Ready").expect("a condition").message, "Insufficient permission(s)");
}

/// A status that speaks of an older spec, or of an object that is going, is not the last word.
#[tokio::test]
async fn argo_cd_does_not_take_an_old_status_for_a_new_one() {
    let mut world = World::without_controller("argo-old").await;
    let script = shipped(&world).await;
    world.put_credentials(DEFAULT_SECRET).await;
    world.start_controller();
    world.run("one", "etl", json!({})).await;
    world.over("one", Phase::Succeeded).await;
    world.kill_controller();
    let edited = world.edit("one", json!({"ttlSecondsAfterFinished": 3600})).await;
    assert_eq!(edited.metadata.generation, Some(2));
    assert_eq!(world.health(&script, "one").await.0, "Progressing");

    let mut going = world.untyped().get("one").await.expect("the object");
    going.metadata.deletion_timestamp = going.creation_timestamp();
    let going = serde_json::to_value(going).expect("JSON");
    assert_eq!(health(&script, &going), ("Progressing".to_owned(), "Being deleted".to_owned()));
}

/// What is declared and not run: in line, on its way, and waiting for a person.
#[tokio::test]
async fn argo_cd_sees_a_connection_as_what_it_is() {
    let world = World::new("argo-conn").await;
    let script = shipped(&world).await;
    world.double.clock().hold();
    let minute = std::time::Duration::from_mins(1);
    let changes = ConnectionScript::default().in_progress(minute);
    world.double.script_connection(
        DEFAULT_ACCOUNT,
        REGION,
        "db",
        changes.change_succeeds().change_fails("no route to host"),
    );
    let connections = world.of::<GlueConnection>();
    let spec = json!({"connectionType": "JDBC", "properties": {"JDBC_CONNECTION_URL": "jdbc:x", "SECRET_ID": "db"}});
    let health_of = async |name: &str| world.health_of::<GlueConnection>(&script, name).await;
    connections.put("db", spec).await;
    let message = connections.reason("db", "InProgress").await;
    assert_eq!(health_of("db").await, ("Progressing".to_owned(), message));
    world.double.clock().step(minute);
    connections.ready("db").await;
    assert_eq!(health_of("db").await.0, "Healthy");
    connections.edit("db", json!({"description": "other"})).await;
    connections.reason("db", "InProgress").await;
    world.double.clock().step(minute);
    let message = connections.reason("db", "ConnectionFailed").await;
    assert_eq!(health_of("db").await, ("Degraded".to_owned(), message));
}

/// A trigger goes on for ever: it is healthy when it is as the spec has it.
#[tokio::test]
async fn argo_cd_sees_a_trigger_as_what_it_is() {
    let mut world = World::without_controller("argo-trigger").await;
    world.double.clock().hold();
    let script = shipped(&world).await;
    world.put_credentials(DEFAULT_SECRET).await;
    let body = json!({"Name": "nightly", "Type": "SCHEDULED", "Schedule": "cron(15 12 * * ? *)"});
    world.elsewhere("CreateTrigger", &merged(body, json!({"Actions": [{"JobName": "etl"}]})));
    world.of::<GlueTrigger>().put("one", json!({"triggerName": "nightly"})).await;
    let unseen = ("Progressing".to_owned(), "Waiting for the controller".to_owned());
    assert_eq!(world.health_of::<GlueTrigger>(&script, "one").await, unseen);
    world.start_controller();
    let triggers = world.of::<GlueTrigger>();
    // On its way until the clock moves.
    triggers.reason("one", "Activating").await;
    assert_eq!(world.health_of::<GlueTrigger>(&script, "one").await.0, "Progressing");
    let is_started = |requests: &Requests| requests.of("StartTrigger").succeeded().count() > 0;
    world.requests("it is being activated", is_started).await;
    world.double.clock().step(STEP);
    triggers.ready("one").await;
    let activated = ("Healthy".to_owned(), "trigger nightly is ACTIVATED in Glue".to_owned());
    assert_eq!(world.health_of::<GlueTrigger>(&script, "one").await, activated);
    triggers.put("two", json!({"triggerName": "nightly"})).await;
    let held = triggers.reason("two", "HeldByAnother").await;
    assert_eq!(world.health_of::<GlueTrigger>(&script, "two").await, ("Degraded".to_owned(), held));
}
