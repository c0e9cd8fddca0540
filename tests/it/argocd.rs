//! The Argo CD health script that the chart ships, run in Argo CD's Lua version (5.1) on objects from the API server.

use std::time::Duration;

use kube::ResourceExt;
use kube_glue::api::run::Phase;
use kube_glue::api::{GlueConnection, GlueCrawlerRun, GlueJobRun, GlueTrigger, GlueWorkflowRun};
use kube_glue::controllers::runtime::kind::Kind;
use kube_glue_double::{
    ConnectionScript, CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, JobDefinition, Outcome,
    Requests, RunScript,
};
use mlua::serde::{LuaSerdeExt, ser};
use mlua::{Lua, LuaOptions, StdLib, Table};
use serde_json::{Value, json};

use crate::harness::{DEFAULT_SECRET, REGION, STEP, TestEnv, condition, merged, ready_condition, run_id, stepwise};

/// Argo CD's key for the health script of GlueJobRun.
const KEY: &str = "resource.customizations.health.kube-glue.dev_GlueJobRun";
/// The folder of the script and its kustomization.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/kube-glue/argocd");

/// Health status and message of `object`.
fn health(script: &str, object: &Value) -> (String, String) {
    // Argo CD opens only the base functions and `table` of Lua's libraries, and turns JSON's null into nil.
    let lua = Lua::new_with(StdLib::TABLE, LuaOptions::default()).expect("a Lua");
    let options =
        ser::Options::new().set_array_metatable(false).serialize_none_to_null(false).serialize_unit_to_null(false);
    let object = lua.to_value_with(object, options).expect("a table");
    lua.globals().set("obj", object).expect("the global obj");
    let health: Table = lua.load(script).eval().expect("a table");
    (health.get("status").expect("a status"), health.get("message").expect("a message"))
}

impl TestEnv {
    /// The health of a run in the API server.
    async fn health(&self, script: &str, name: &str) -> (String, String) {
        self.health_of::<GlueJobRun>(script, name).await
    }

    /// The health of an object of any kind.
    async fn health_of<K: Kind>(&self, script: &str, name: &str) -> (String, String) {
        let object = self.objects::<K>().untyped().get(name).await.expect("the object");
        health(script, &serde_json::to_value(object).expect("JSON"))
    }
}

/// Installs the script by its kustomization, and reads it from the ConfigMap.
async fn install_script(env: &TestEnv) -> String {
    let output = env.plane.kubectl(["kustomize", FOLDER]).await.expect("the kustomization");
    let name = "config-map";
    let namespaced = output.stdout.replace("namespace: argocd", &format!("namespace: {}", env.namespace));
    env.plane.kubectl(["apply", "--server-side", "-f", "-"]).input(namespaced).await.expect(name);
    let get = ["get", "configmap", "argocd-cm", "-n", &env.namespace, "-o", "json"];
    let config: Value = serde_json::from_str(&env.plane.kubectl(get).await.expect(name).stdout).expect("JSON");
    let others = config["data"].as_object().expect("its data").iter().filter(|(key, _)| *key != KEY);
    for (key, script) in others {
        assert_eq!(*script, config["data"][KEY], "{key}: all kinds have the same script");
    }
    config["data"][KEY].as_str().expect(KEY).to_owned()
}

#[tokio::test]
async fn the_health_of_a_job_run_follows_its_phase() {
    let mut env = TestEnv::without_controller("argo").await;
    env.double.clock().hold();
    let script = install_script(&env).await;
    let message = "AnalysisException: Path does not exist";
    for (job, outcome) in [("good", Outcome::Succeeded), ("bad", Outcome::Failed(message.to_owned()))] {
        env.define_job(JobDefinition::new(job).max_concurrent_runs(3).script(stepwise(outcome)));
    }
    env.create_run("good", "good", json!({})).await;
    env.create_run("bad", "bad", json!({})).await;
    env.create_run("suspended", "good", json!({"suspend": true})).await;
    env.create_run("early", "good", json!({"readyWhen": "Started"})).await;

    // Without a controller nothing has been observed yet.
    for name in ["good", "bad", "suspended", "early"] {
        let expected = ("Progressing".to_owned(), "Waiting for the controller".to_owned());
        assert_eq!(env.health(&script, name).await, expected, "{name}");
    }

    // Missing credentials block the run, and may be added at any time.
    env.start_controller();
    let problem = env.wait_for_reason("good", "CredentialsMissing").await;
    assert_eq!(env.health(&script, "good").await, ("Progressing".to_owned(), problem));

    env.put_credentials(DEFAULT_SECRET).await;
    for name in ["good", "bad", "early"] {
        let started = env.wait_until(name, "it has started", |run| run_id(run).is_some()).await;
        assert_eq!(env.health(&script, name).await, ("Progressing".to_owned(), ready_condition(&started).1), "{name}");
    }
    env.double.clock().step(STEP);
    for name in ["good", "bad"] {
        let running = env.wait_for_phase(name, Phase::Running).await;
        assert_eq!(env.health(&script, name).await, ("Progressing".to_owned(), ready_condition(&running).1), "{name}");
    }
    let early = env.wait_for_phase("early", Phase::Running).await;
    assert_eq!(env.health(&script, "early").await, ("Healthy".to_owned(), ready_condition(&early).1));
    let suspended = env.wait_for_phase("suspended", Phase::Suspended).await;
    assert_eq!(env.health(&script, "suspended").await, ("Suspended".to_owned(), ready_condition(&suspended).1));
    assert!(ready_condition(&suspended).1.contains("spec.suspend"), "{suspended:?}");

    env.double.clock().step(STEP);
    let good = env.wait_for_phase("good", Phase::Succeeded).await;
    assert_eq!(env.health(&script, "good").await, ("Healthy".to_owned(), ready_condition(&good).1));
    env.wait_for_phase("bad", Phase::Failed).await;
    assert_eq!(env.health(&script, "bad").await, ("Degraded".to_owned(), message.to_owned()));
}

/// Including crawls that wait for their crawler.
#[tokio::test]
async fn the_health_of_a_crawl_follows_its_phase() {
    let env = TestEnv::new("argo-crawls").await;
    env.double.clock().hold();
    let script = install_script(&env).await;
    let plan = |outcome| CrawlPlan { running: STEP, stopping: STEP, outcome, ..CrawlPlan::default() };
    let fails = plan(CrawlOutcome::Failed("Insufficient permission(s)".to_owned()));
    let script_of = CrawlScript::sequence([plan(CrawlOutcome::Completed), fails]);
    env.double.define_crawler(DEFAULT_ACCOUNT, REGION, CrawlerSettings::new("raw"), script_of).expect("a crawler");
    let crawls = env.objects::<GlueCrawlerRun>();
    let health_at = async |name: &str, reason: &str| {
        let message = crawls.wait_for_reason(name, reason).await;
        let object = crawls.untyped().get(name).await.expect("the object");
        let (health, shown) = health(&script, &serde_json::to_value(object).expect("JSON"));
        assert_eq!(shown, message, "{name}");
        health
    };
    crawls.create("good", json!({"crawlerName": "raw"})).await;
    assert_eq!(health_at("good", "Running").await, "Progressing");
    crawls.create("bad", json!({"crawlerName": "raw"})).await;
    assert_eq!(health_at("bad", "CrawlerRunning").await, "Progressing");
    crawls.create("picky", json!({"crawlerName": "raw", "onAlreadyRunning": "Fail"})).await;
    assert_eq!(health_at("picky", "CrawlerRunning").await, "Degraded");
    crawls.create("suspended", json!({"crawlerName": "raw", "suspend": true})).await;
    assert_eq!(health_at("suspended", "Suspended").await, "Suspended");
    env.double.clock().step(STEP);
    env.double.clock().step(STEP);
    assert_eq!(health_at("good", "Succeeded").await, "Healthy");
    assert_eq!(health_at("bad", "Running").await, "Progressing");
    env.double.clock().step(STEP);
    env.double.clock().step(STEP);
    assert_eq!(health_at("bad", "Failed").await, "Degraded");
    let bad = crawls.api.get("bad").await.expect("the object");
    assert_eq!(condition(&bad, "Ready").expect("a condition").message, "Insufficient permission(s)");
}

/// Glue reports both runs as COMPLETED.
#[tokio::test]
async fn the_health_of_a_workflow_run_follows_its_outcome() {
    let env = TestEnv::new("argo-workflows").await;
    env.double.clock().hold();
    let script = install_script(&env).await;
    let message = "AnalysisException: Path does not exist";
    let objects = env.objects::<GlueWorkflowRun>();
    for (name, outcome) in [("good", Outcome::Succeeded), ("bad", Outcome::Failed(message.to_owned()))] {
        env.define_job(JobDefinition::new(name).script(stepwise(outcome)));
        env.call_glue("CreateWorkflow", &json!({"Name": name}));
        let begins = json!({"Name": name, "WorkflowName": name, "Type": "ON_DEMAND", "Actions": [{"JobName": name}]});
        env.call_glue("CreateTrigger", &begins);
        objects.create(name, json!({"workflowName": name})).await;
        objects.wait_for_reason(name, "Running").await;
        assert_eq!(env.health_of::<GlueWorkflowRun>(&script, name).await.0, "Progressing");
    }
    env.double.clock().step(STEP);
    env.double.clock().step(STEP);
    objects.wait_for_phase("good", Phase::Succeeded).await;
    assert_eq!(env.health_of::<GlueWorkflowRun>(&script, "good").await.0, "Healthy");
    let failed = format!("of 1 actions 1 failed: job bad (FAILED: {message})");
    assert_eq!(objects.wait_for_reason("bad", "ActionsFailed").await, failed);
    assert_eq!(env.health_of::<GlueWorkflowRun>(&script, "bad").await, ("Degraded".to_owned(), failed));
}

/// A status of an older generation, or of an object that is being deleted, does not count.
#[tokio::test]
async fn an_outdated_status_is_progressing() {
    let mut env = TestEnv::without_controller("argo-old").await;
    let script = install_script(&env).await;
    env.put_credentials(DEFAULT_SECRET).await;
    env.start_controller();
    env.create_run("one", "etl", json!({})).await;
    env.wait_finished("one", Phase::Succeeded).await;
    env.kill_controller();
    let edited = env.patch_spec("one", json!({"ttlSecondsAfterFinished": 3600})).await;
    assert_eq!(edited.metadata.generation, Some(2));
    assert_eq!(env.health(&script, "one").await.0, "Progressing");

    let mut deleted = env.objects::<GlueJobRun>().untyped().get("one").await.expect("the object");
    deleted.metadata.deletion_timestamp = deleted.creation_timestamp();
    let deleted = serde_json::to_value(deleted).expect("JSON");
    assert_eq!(health(&script, &deleted), ("Progressing".to_owned(), "Being deleted".to_owned()));
}

/// In sync, in progress, and failed.
#[tokio::test]
async fn the_health_of_a_connection_follows_its_ready_condition() {
    let env = TestEnv::new("argo-conn").await;
    let script = install_script(&env).await;
    env.double.clock().hold();
    let minute = Duration::from_mins(1);
    let changes = ConnectionScript::default().in_progress(minute);
    env.double.script_connection(
        DEFAULT_ACCOUNT,
        REGION,
        "db",
        changes.change_succeeds().change_fails("no route to host"),
    );
    let connections = env.objects::<GlueConnection>();
    let spec = json!({"connectionType": "JDBC", "properties": {"JDBC_CONNECTION_URL": "jdbc:x", "SECRET_ID": "db"}});
    let health_of = async |name: &str| env.health_of::<GlueConnection>(&script, name).await;
    connections.create("db", spec).await;
    let message = connections.wait_for_reason("db", "InProgress").await;
    assert_eq!(health_of("db").await, ("Progressing".to_owned(), message));
    env.double.clock().step(minute);
    connections.wait_ready("db").await;
    assert_eq!(health_of("db").await.0, "Healthy");
    connections.patch_spec("db", json!({"description": "other"})).await;
    connections.wait_for_reason("db", "InProgress").await;
    env.double.clock().step(minute);
    let message = connections.wait_for_reason("db", "ConnectionFailed").await;
    assert_eq!(health_of("db").await, ("Degraded".to_owned(), message));
}

/// A trigger that is not fired never completes: it is healthy when its state is that of the spec.
#[tokio::test]
async fn the_health_of_a_trigger_follows_its_ready_condition() {
    let mut env = TestEnv::without_controller("argo-trigger").await;
    env.double.clock().hold();
    let script = install_script(&env).await;
    env.put_credentials(DEFAULT_SECRET).await;
    let body = json!({"Name": "nightly", "Type": "SCHEDULED", "Schedule": "cron(15 12 * * ? *)"});
    env.call_glue("CreateTrigger", &merged(body, json!({"Actions": [{"JobName": "etl"}]})));
    env.objects::<GlueTrigger>().create("one", json!({"triggerName": "nightly"})).await;
    let unobserved = ("Progressing".to_owned(), "Waiting for the controller".to_owned());
    assert_eq!(env.health_of::<GlueTrigger>(&script, "one").await, unobserved);
    env.start_controller();
    let triggers = env.objects::<GlueTrigger>();
    // The trigger is ACTIVATING until the clock is stepped.
    triggers.wait_for_reason("one", "Activating").await;
    assert_eq!(env.health_of::<GlueTrigger>(&script, "one").await.0, "Progressing");
    let is_started = |requests: &Requests| requests.of("StartTrigger").succeeded().count() > 0;
    env.wait_for_requests("the trigger is being activated", is_started).await;
    env.double.clock().step(STEP);
    triggers.wait_ready("one").await;
    let activated = ("Healthy".to_owned(), "trigger nightly is ACTIVATED in Glue".to_owned());
    assert_eq!(env.health_of::<GlueTrigger>(&script, "one").await, activated);
    triggers.create("two", json!({"triggerName": "nightly"})).await;
    let message = triggers.wait_for_reason("two", "OwnedByAnother").await;
    assert_eq!(env.health_of::<GlueTrigger>(&script, "two").await, ("Degraded".to_owned(), message));
}

/// A firing whose run failed is not healthy, until a later one ends well.
#[tokio::test]
async fn the_health_of_a_fired_trigger_is_that_of_its_last_firing() {
    let env = TestEnv::new("argo-firing").await;
    let script = install_script(&env).await;
    let define = |script: RunScript| {
        let script = script.starting(Duration::ZERO).running(Duration::from_millis(100));
        env.define_job(JobDefinition::new("etl").max_concurrent_runs(9).script(script));
    };
    let body = json!({"Name": "refresh", "Type": "ON_DEMAND", "Actions": [{"JobName": "etl"}]});
    env.call_glue("CreateTrigger", &body);
    let triggers = env.objects::<GlueTrigger>();
    define(RunScript::fails("no such bucket"));
    triggers.create("one", json!({"triggerName": "refresh", "fire": "a", "fireOnCreation": true})).await;
    let message = triggers.wait_for_reason("one", "CompletedWithFailures").await;
    assert_eq!(env.health_of::<GlueTrigger>(&script, "one").await, ("Degraded".to_owned(), message));
    define(RunScript::succeeds());
    triggers.patch_spec("one", json!({"fire": "b"})).await;
    let message = triggers.wait_for_reason("one", "Completed").await;
    assert_eq!(env.health_of::<GlueTrigger>(&script, "one").await, ("Healthy".to_owned(), message));
}
