//! Lineage: the events of runs, at a receiver that is there, slow, down, or refuses.

pub mod receiver;
mod scripts;
mod spark_parent;
mod transport;
mod workflow;

use kube_glue::api::run::Phase;
use kube_glue::api::{GlueCrawlerRun, GlueTrigger};
use kube_glue_double::{
    CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Fault, JobDefinition, Outcome, Then,
};
use serde_json::{Value, json};

use self::receiver::{Receiver, of_run, types_of};
use crate::harness::{REGION, STEP, TestEnv, run_id, stepwise};

/// An environment with a held clock and a controller that sends to `receiver`.
async fn setup(name: &str, receiver: &Receiver) -> TestEnv {
    setup_with(name, receiver, &[]).await
}

/// The same, with these flags.
async fn setup_with(name: &str, receiver: &Receiver, flags: &[(&str, &str)]) -> TestEnv {
    let mut env = TestEnv::with_credentials(name).await;
    env.double.clock().hold();
    let url = receiver.url();
    env.set_flags(&[&[("--openlineage-url", url.as_str())], flags].concat());
    env.aws.insert("OPENLINEAGE_API_KEY", API_KEY.to_owned());
    env.secrets.push(API_KEY.to_owned());
    env.start_controller();
    env
}

const API_KEY: &str = "the-key-of-the-receiver";

/// A visual job: files and a table of a database, joined into a table of the catalog.
fn visual(name: &str, outcome: Outcome) -> JobDefinition {
    let mut job = JobDefinition::new(name).script(stepwise(outcome)).max_concurrent_runs(10);
    let nodes = json!({
        "n1": {"S3CsvSource": {"Name": "raw", "Paths": ["s3://lake/raw/orders"]}},
        "n2": {"DirectJDBCSource": {
            "Name": "shop", "ConnectionName": "shop", "ConnectionType": "postgresql", "Database": "shop", "Table": "public.customers",
        }},
        "n3": {"Join": {"Name": "join", "Inputs": ["n1", "n2"]}},
        "n4": {"CatalogTarget": {"Name": "out", "Inputs": ["n3"], "Database": "sales", "Table": "orders"}},
        "n5": {"CustomCode": {"Name": "code", "Inputs": ["n3"]}},
    });
    job.settings.rest.insert("CodeGenConfigurationNodes".to_owned(), nodes);
    job.settings.rest.insert("Description".to_owned(), json!("Orders of the day"));
    job
}

fn define_connection(env: &TestEnv) {
    let properties = json!({
        "JDBC_CONNECTION_URL": "jdbc:postgresql://pg.example.com:5432/shop", "USERNAME": "etl", "PASSWORD": "swordfish-9",
    });
    let input = json!({"Name": "shop", "ConnectionType": "JDBC", "ConnectionProperties": properties});
    env.call_glue("CreateConnection", &json!({"ConnectionInput": input}));
}

fn names(event: &Value, list: &str) -> Vec<String> {
    let datasets = event[list].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    datasets.map(|dataset| format!("{} {}", text(&dataset["namespace"]), text(&dataset["name"]))).collect()
}

#[tokio::test]
async fn a_run_of_a_visual_job_says_what_it_reads_and_writes() {
    let receiver = Receiver::start().await;
    let mut env = setup("lineage-run", &receiver).await;
    env.secrets.push("swordfish-9".to_owned());
    define_connection(&env);
    env.define_job(visual("orders", Outcome::Succeeded));
    let arn = format!("arn:aws:glue:{REGION}:{DEFAULT_ACCOUNT}:job/orders");
    env.call_glue("TagResource", &json!({"ResourceArn": arn, "TagsToAdd": {"Owner": "team-a", "stage": "prod"}}));
    env.create_run("one", "orders", json!({})).await;
    env.wait_for_run_id("one").await;
    receiver.wait_until("the run is known", |events| !events.is_empty()).await;
    env.double.clock().step(STEP);
    env.wait_for_phase("one", Phase::Running).await;
    env.double.clock().step(STEP);
    let run = env.wait_finished("one", Phase::Succeeded).await;
    let id = run_id(&run).expect("an id").to_owned();
    let events = receiver.wait_until("the end came", |events| types_of(events, &id).contains(&"COMPLETE")).await;
    assert_eq!(types_of(&events, &id), ["OTHER", "START", "COMPLETE"]);
    assert_eq!(events.len(), 3);
    let end = &events[2];
    let account = format!("arn:aws:glue:{REGION}:{DEFAULT_ACCOUNT}");
    assert_eq!((&end["job"]["namespace"], &end["job"]["name"]), (&json!(account), &json!("job/orders")));
    assert_eq!(names(end, "inputs"), ["postgres://pg.example.com:5432 shop.public.customers", "s3://lake raw/orders"]);
    assert_eq!(names(end, "outputs"), [format!("{account} table/sales/orders")]);
    assert_eq!(end["inputs"][0]["facets"]["kubeGlue_knownBy"]["knownBy"], json!(["visual node", "connection"]));
    let edges = &end["job"]["facets"]["lineage"]["entries"][0];
    assert_eq!((&edges["name"], edges["inputs"].as_array().map(Vec::len)), (&json!("table/sales/orders"), Some(2)));
    let glue = &end["run"]["facets"]["kubeGlue_run"];
    assert_eq!(
        (&glue["id"], &glue["state"], &glue["object"]),
        (&json!(id), &json!("SUCCEEDED"), &json!(format!("{}/one", env.namespace)))
    );
    assert_eq!(end["job"]["facets"]["documentation"]["description"], "Orders of the day");
    assert_eq!(end["job"]["facets"]["sourceCodeLocation"]["url"], "s3://scripts/orders.py");
    assert_eq!(end["job"]["facets"]["ownership"]["owners"], json!([{"name": "team-a"}]));
    assert_eq!(end["job"]["facets"]["tags"]["tags"].as_array().map(Vec::len), Some(2));
    // By Glue's clock: whoever sees the run makes the same event.
    let shown = run.status.expect("a status");
    let completed = shown.completed_at.expect("an end").0;
    assert_eq!(end["eventTime"].as_str().and_then(|time| time.parse().ok()), Some(completed));
    assert!(receiver.authorization().iter().all(|sent| sent.as_deref() == Some(&format!("Bearer {API_KEY}"))));
    assert_eq!(receiver.refused(), [""; 0]);
    let all = serde_json::to_string(&events).expect("JSON");
    assert!(!all.contains("swordfish-9") && !all.contains("etl\""), "{all}");
    env.wait_for_metrics(&["kube_glue_lineage_events_total{outcome=\"sent\"} 3", "kube_glue_lineage_queue_depth 0"])
        .await;
}

#[tokio::test]
async fn a_job_that_may_not_be_read_has_events_that_say_so() {
    let receiver = Receiver::start().await;
    let env = setup("lineage-denied", &receiver).await;
    env.define_job(visual("orders", Outcome::Succeeded));
    for operation in ["GetJob", "GetTags"] {
        env.double.faults().add(Fault::on(operation).then(Then::AccessDenied));
    }
    env.create_run("one", "orders", json!({})).await;
    let run = env.wait_for_run_id("one").await;
    let id = run_id(&run).expect("an id").to_owned();
    env.double.clock().step(STEP);
    env.wait_for_phase("one", Phase::Running).await;
    env.double.clock().step(STEP);
    env.wait_finished("one", Phase::Succeeded).await;
    let events = receiver.wait_until("the end came", |events| types_of(events, &id).contains(&"COMPLETE")).await;
    let end = of_run(&events, &id).last().expect("an end");
    assert_eq!((names(end, "inputs").len(), names(end, "outputs").len()), (0, 0));
    let problem = &end["run"]["facets"]["extractionError"]["errors"][0]["errorMessage"];
    assert_eq!(problem, "GetJob answered AccessDeniedException");
}

#[tokio::test]
async fn each_attempt_of_a_failing_run_fails_and_a_stopped_one_is_aborted() {
    let receiver = Receiver::start().await;
    let env = setup("lineage-fail", &receiver).await;
    env.define_job(visual("orders", Outcome::Failed("no such path".to_owned())));
    env.create_run("one", "orders", json!({"retry": {"limit": 1, "backoffSeconds": 0}})).await;
    for attempt in 0..2 {
        env.wait_until("one", "the attempt has a run", |run| {
            let attempts = crate::harness::attempts(run);
            attempts.len() == attempt + 1 && attempts[attempt].id.is_some()
        })
        .await;
        env.double.clock().step(STEP);
        env.wait_for_phase("one", Phase::Running).await;
        env.double.clock().step(STEP);
    }
    let run = env.wait_finished("one", Phase::Failed).await;
    let ids: Vec<_> = crate::harness::attempts(&run).iter().map(|attempt| attempt.id.clone().expect("an id")).collect();
    let has_both = |events: &[Value]| ids.iter().all(|id| types_of(events, id).contains(&"FAIL"));
    let events = receiver.wait_until("both attempts failed", has_both).await;
    for id in &ids {
        assert_eq!(types_of(&events, id).iter().filter(|type_| **type_ == "START").count(), 1);
        assert_eq!(types_of(&events, id).last(), Some(&"FAIL"));
        let end = of_run(&events, id).last().expect("an end");
        assert_eq!(end["run"]["facets"]["errorMessage"]["message"], "no such path");
    }
    assert_eq!(receiver.refused(), [""; 0]);
}

#[tokio::test]
async fn a_stopped_run_is_aborted_and_the_parent_of_an_annotation_is_named() {
    let receiver = Receiver::start().await;
    let env = setup("lineage-stop", &receiver).await;
    env.define_job(visual("orders", Outcome::Never));
    let parent = "airflow/daily.orders/5b3dd7d6-9b0f-4f2a-8b0a-111111111111";
    let annotations = json!({
        "kube-glue.dev/lineage-parent": parent, "kube-glue.dev/lineage-nominal-time": "2026-11-27T00:00:00Z",
    });
    let metadata = json!({"name": "one", "annotations": annotations});
    env.try_create(json!({"metadata": metadata, "spec": {"jobName": "orders"}})).await.expect("an object");
    env.wait_for_run_id("one").await;
    env.double.clock().step(STEP);
    let run = env.wait_for_phase("one", Phase::Running).await;
    let id = run_id(&run).expect("an id").to_owned();
    env.patch_spec("one", json!({"stop": true})).await;
    env.wait_for_answers("BatchStopJobRun", 1).await;
    env.double.clock().step(STEP);
    env.wait_finished("one", Phase::Stopped).await;
    let events = receiver.wait_until("it was aborted", |events| types_of(events, &id).contains(&"ABORT")).await;
    let end = of_run(&events, &id).last().expect("an end");
    let facets = &end["run"]["facets"];
    assert_eq!(facets["parent"]["job"], json!({"namespace": "airflow", "name": "daily.orders"}));
    assert_eq!(facets["parent"]["run"]["runId"], "5b3dd7d6-9b0f-4f2a-8b0a-111111111111");
    assert_eq!(facets["nominalTime"]["nominalStartTime"], "2026-11-27T00:00:00Z");
    assert_eq!(facets["kubeGlue_run"]["state"], "STOPPED");
}

#[tokio::test]
async fn the_run_of_a_deleted_object_is_aborted_and_one_that_is_left_running_has_no_end() {
    let receiver = Receiver::start().await;
    let env = setup("lineage-deleted", &receiver).await;
    env.define_job(visual("orders", Outcome::Never));
    let mut ids = Vec::new();
    for (name, policy) in [("stopped", "Stop"), ("left", "Orphan")] {
        env.create_run(name, "orders", json!({"deletionPolicy": policy})).await;
        ids.push(run_id(&env.wait_for_run_id(name).await).expect("an id").to_owned());
    }
    env.double.clock().step(STEP);
    for name in ["stopped", "left"] {
        env.wait_for_phase(name, Phase::Running).await;
    }
    let started = |events: &[Value]| ids.iter().all(|id| types_of(events, id).contains(&"START"));
    receiver.wait_until("both have started", started).await;
    let left = env.wait_for_phase("left", Phase::Running).await;
    env.delete("left").await;
    env.wait_deleted(&left).await;
    let stopped = env.wait_for_phase("stopped", Phase::Running).await;
    env.delete("stopped").await;
    env.wait_for_answers("BatchStopJobRun", 1).await;
    env.double.clock().step(STEP);
    env.wait_deleted(&stopped).await;
    let events = receiver.wait_until("it was aborted", |events| types_of(events, &ids[0]).contains(&"ABORT")).await;
    assert_eq!(types_of(&events, &ids[1]).last(), Some(&"START"));
}

#[tokio::test]
async fn a_controller_that_is_killed_in_the_middle_leaves_one_end() {
    let receiver = Receiver::start().await;
    let mut env = setup("lineage-restart", &receiver).await;
    env.define_job(visual("orders", Outcome::Succeeded));
    env.create_run("one", "orders", json!({})).await;
    env.create_run("two", "orders", json!({})).await;
    for name in ["one", "two"] {
        env.wait_for_run_id(name).await;
    }
    env.double.clock().step(STEP);
    let mut ids = Vec::new();
    for name in ["one", "two"] {
        let run = env.wait_for_phase(name, Phase::Running).await;
        ids.push(run_id(&run).expect("an id").to_owned());
    }
    let started = |events: &[Value]| ids.iter().all(|id| types_of(events, id).contains(&"START"));
    receiver.wait_until("both have started", started).await;
    env.kill_controller();
    // One more ends while nobody looks.
    env.double.clock().step(STEP);
    env.start_controller();
    for name in ["one", "two"] {
        env.wait_finished(name, Phase::Succeeded).await;
    }
    let ended = |events: &[Value]| ids.iter().all(|id| types_of(events, id).contains(&"COMPLETE"));
    receiver.wait_until("both have ended", ended).await;
    // Another restart sends nothing of what has ended.
    env.terminate_controller("it").await;
    env.start_controller();
    env.create_run("three", "orders", json!({})).await;
    let three = run_id(&env.wait_for_run_id("three").await).expect("an id").to_owned();
    let events = receiver.wait_until("the next run is known", |events| !types_of(events, &three).is_empty()).await;
    for id in &ids {
        let types = types_of(&events, id);
        assert_eq!(types.iter().filter(|type_| **type_ == "COMPLETE").count(), 1, "{types:?}");
        assert_eq!(types.last(), Some(&"COMPLETE"), "{types:?}");
        // The start was sent twice, and is one event.
        let starts: Vec<_> = of_run(&events, id).filter(|event| event["eventType"] == "START").collect();
        assert_eq!(starts.len(), 2, "{types:?}");
        assert_eq!(starts[0]["eventTime"], starts[1]["eventTime"]);
    }
}

#[tokio::test]
async fn a_crawl_reads_its_targets_and_writes_the_tables_that_it_made() {
    let receiver = Receiver::start().await;
    let env = setup("lineage-crawl", &receiver).await;
    let mut settings = CrawlerSettings::new("raw");
    settings.rest.insert("DatabaseName".to_owned(), json!("sales"));
    settings.rest.insert("Targets".to_owned(), json!({"S3Targets": [{"Path": "s3://lake/raw/"}]}));
    let plan = CrawlPlan { running: STEP, stopping: STEP, outcome: CrawlOutcome::Completed, ..CrawlPlan::default() };
    env.double.define_crawler(DEFAULT_ACCOUNT, REGION, settings, CrawlScript::sequence([plan])).expect("a crawler");
    env.call_glue("CreateDatabase", &json!({"DatabaseInput": {"Name": "sales"}}));
    for (table, crawler) in [("orders", "raw"), ("manual", "")] {
        let input = json!({"Name": table, "Parameters": {"UPDATED_BY_CRAWLER": crawler}});
        env.call_glue("CreateTable", &json!({"DatabaseName": "sales", "TableInput": input}));
    }
    let crawls = env.objects::<GlueCrawlerRun>();
    crawls.create("one", json!({"crawlerName": "raw"})).await;
    crawls.wait_for_phase("one", Phase::Running).await;
    env.double.clock().step(STEP);
    env.double.clock().step(STEP);
    let crawl = crawls.wait_finished("one", Phase::Succeeded).await;
    let id = crate::harness::status(&crawl)["crawlId"].as_str().expect("an id").to_owned();
    let events = receiver.wait_until("the crawl ended", |events| types_of(events, &id).contains(&"COMPLETE")).await;
    assert_eq!(types_of(&events, &id), ["START", "COMPLETE"]);
    let end = &events[1];
    assert_eq!((&end["job"]["name"], names(end, "inputs")), (&json!("crawler/raw"), vec!["s3://lake raw".to_owned()]));
    assert_eq!(names(end, "outputs"), [format!("arn:aws:glue:{REGION}:{DEFAULT_ACCOUNT} table/sales/orders")]);
}

#[tokio::test]
async fn a_firing_is_a_run_and_the_parent_of_what_it_started() {
    let receiver = Receiver::start().await;
    let env = setup("lineage-firing", &receiver).await;
    env.define_job(visual("orders", Outcome::Succeeded));
    let trigger = json!({"Name": "refresh", "Type": "ON_DEMAND", "Actions": [{"JobName": "orders"}]});
    env.call_glue("CreateTrigger", &trigger);
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("one", json!({"triggerName": "refresh"})).await;
    triggers.wait_ready("one").await;
    triggers.patch_spec("one", json!({"fire": "monday"})).await;
    let started = |object: &GlueTrigger| crate::harness::status(object)["lastFiring"]["started"][0]["id"].is_string();
    let object = triggers.wait_until("one", "its run is known", started).await;
    let run = crate::harness::status(&object)["lastFiring"]["started"][0]["id"].as_str().expect("an id").to_owned();
    for _ in 0..2 {
        env.double.clock().step(STEP);
        let before = receiver.events().len();
        receiver.wait_until("the event of the next state came", |events| events.len() > before).await;
    }
    triggers.wait_for_reason("one", "Completed").await;
    let is_end = |event: &Value| event["job"]["name"] == "trigger/refresh" && event["eventType"] == "COMPLETE";
    let have_ended = |events: &[Value]| types_of(events, &run).contains(&"COMPLETE") && events.iter().any(is_end);
    let events = receiver.wait_until("both have ended", have_ended).await;
    let firing: Vec<_> = events.iter().filter(|event| event["job"]["name"] == "trigger/refresh").collect();
    let types: Vec<_> = firing.iter().map(|event| &event["eventType"]).collect();
    assert_eq!(types, ["START", "COMPLETE"]);
    for event in of_run(&events, &run) {
        let parent = &event["run"]["facets"]["parent"];
        assert_eq!(
            (&parent["run"]["runId"], &parent["job"]["name"]),
            (&firing[0]["run"]["runId"], &json!("trigger/refresh"))
        );
    }
    assert_eq!(types_of(&events, &run).iter().filter(|type_| **type_ == "START").count(), 1);
    assert_eq!(receiver.refused(), [""; 0]);
}
