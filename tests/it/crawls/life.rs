//! A crawl from its start to its end, and all that can be said to it meanwhile.

use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{Changes, CrawlOutcome, CrawlPlan, CrawlScript, Fault, Then};
use serde_json::{Value, json};

use super::{
    crawler, finish, history, id, ids, is_held, known, message, over, phase, plan, put, start_elsewhere, until_phase,
    waits, world,
};
use crate::harness::{STEP, World, condition};

fn stops(world: &World) -> u64 {
    world.double.requests().count("StopCrawler")
}

fn status(object: &GlueCrawlerRun) -> Value {
    crate::harness::status(object)
}

#[tokio::test]
async fn what_a_crawl_changed_is_shown() {
    let world = world("crawl-shown").await;
    let changes = Changes {
        tables_added: vec!["orders".to_owned(), "customers".to_owned()],
        tables_deleted: vec!["old".to_owned()],
        partitions_updated: vec!["day=1".to_owned()],
        ..Changes::default()
    };
    let changing = CrawlPlan { changes, dpu_hours: 0.25, ..plan(CrawlOutcome::Completed) };
    let cryptic = CrawlPlan { summary: Some("2 tables".to_owned()), ..plan(CrawlOutcome::Completed) };
    crawler(&world, "raw", CrawlScript::sequence([changing, cryptic]));
    put(&world, "one", json!({})).await;
    let running = until_phase(&world, "one", Phase::Running).await;
    assert!(status(&running)["startedAt"].is_string() && status(&running)["completedAt"].is_null());
    assert_eq!(status(&running)["logStream"], "raw");
    assert_eq!(message(&running), format!("crawl {} is RUNNING in Glue", id(&running).unwrap()));
    // The crawler is STOPPING at the end of every crawl: that is no outcome.
    world.double.clock().step(STEP);
    let polls = world.double.requests().count("BatchGetCrawlers");
    world.calls("BatchGetCrawlers", polls + 2).await;
    assert_eq!(phase(&world.of::<GlueCrawlerRun>().api.get("one").await.unwrap()), Some(Phase::Running));
    world.double.clock().step(STEP);
    let done = over(&world, "one", Phase::Succeeded).await;
    let shown = status(&done);
    assert_eq!(
        shown["changes"],
        json!({
            "tables": {"added": 2, "updated": 0, "deleted": 1},
            "partitions": {"added": 0, "updated": 1, "deleted": 0},
        })
    );
    assert_eq!(
        (&shown["dpuHours"], &shown["duration"], &shown["summary"]),
        (&json!(0.25), &json!("2m0s"), &Value::Null)
    );
    assert_eq!(shown["logGroup"], "/aws-glue/crawlers");
    assert!(shown["links"]["console"].as_str().unwrap().ends_with("#/v2/data-catalog/crawlers/view/raw"));
    assert!(shown["links"]["log"].as_str().unwrap().contains(id(&done).unwrap()), "{shown}");
    assert_eq!(message(&done), format!("crawl {} succeeded", id(&done).unwrap()));

    put(&world, "two", json!({})).await;
    known(&world, "two").await;
    finish(&world);
    let shown = status(&over(&world, "two", Phase::Succeeded).await);
    assert_eq!((&shown["summary"], &shown["changes"]), (&json!("2 tables"), &Value::Null));
    for reason in ["Started", "Running", "Succeeded"] {
        world.event(reason).await;
    }
}

#[tokio::test]
async fn a_failed_crawl_is_failed_and_tried_again_as_often_as_is_said() {
    let world = world("crawl-failed").await;
    let fails = || plan(CrawlOutcome::Failed("Insufficient Lake Formation permission(s)".to_owned()));
    crawler(&world, "raw", CrawlScript::sequence([fails(), fails(), plan(CrawlOutcome::Completed)]));
    put(&world, "one", json!({})).await;
    known(&world, "one").await;
    finish(&world);
    let failed = over(&world, "one", Phase::Failed).await;
    assert_eq!(status(&failed)["errorMessage"], "Insufficient Lake Formation permission(s)");
    assert_eq!(message(&failed), "Insufficient Lake Formation permission(s)");

    put(&world, "two", json!({"retry": {"limit": 1, "backoffSeconds": 0}})).await;
    let first = known(&world, "two").await;
    finish(&world);
    let again = |object: &GlueCrawlerRun| id(object).is_some_and(|crawl| Some(crawl) != id(&first));
    world.of().until("two", "it is crawled again", again).await;
    finish(&world);
    over(&world, "two", Phase::Succeeded).await;
    assert_eq!(ids(&world, "raw").len(), 3);
}

#[tokio::test]
async fn a_crawl_is_stopped_and_one_that_stops_already_is_no_error() {
    let world = world("crawl-stopped").await;
    put(&world, "one", json!({})).await;
    until_phase(&world, "one", Phase::Running).await;
    world.double.clock().step(STEP);
    // STOPPING by itself: Glue's CrawlerStoppingException is nothing that people need to know.
    world.of::<GlueCrawlerRun>().edit("one", json!({"stop": true})).await;
    world.answered("StopCrawler", 1).await;
    let stopping = until_phase(&world, "one", Phase::Stopping).await;
    assert!(message(&stopping).contains("is being stopped: spec.stop is true"), "{}", message(&stopping));
    world.double.clock().step(STEP);
    over(&world, "one", Phase::Succeeded).await;

    put(&world, "two", json!({})).await;
    until_phase(&world, "two", Phase::Running).await;
    world.of::<GlueCrawlerRun>().edit("two", json!({"stop": true})).await;
    world.answered("StopCrawler", 2).await;
    world.double.clock().step(STEP);
    let stopped = over(&world, "two", Phase::Stopped).await;
    assert_eq!(condition(&stopped, "Ready").unwrap().reason, "StopRequested");
    assert_eq!(history(&world, "raw")[1]["State"], "STOPPED");
    assert_eq!(stops(&world), 2);
}

/// What is stopped is a crawler: when our crawl is over and another one runs, that is left alone.
#[tokio::test]
async fn only_its_own_crawl_is_stopped() {
    let world = world("crawl-other").await;
    put(&world, "one", json!({})).await;
    until_phase(&world, "one", Phase::Running).await;
    let blind = world.double.faults().add(Fault::on("BatchGetCrawlers").then(Then::Http500));
    let polls = world.double.requests().count("BatchGetCrawlers");
    world.calls("BatchGetCrawlers", polls + 2).await;
    finish(&world);
    start_elsewhere(&world, "raw");
    world.of::<GlueCrawlerRun>().edit("one", json!({"stop": true})).await;
    until_phase(&world, "one", Phase::Stopping).await;
    world.double.faults().remove(blind);
    over(&world, "one", Phase::Succeeded).await;
    assert_eq!((stops(&world), &history(&world, "raw")[1]["State"]), (0, &json!("RUNNING")));
}

#[tokio::test]
async fn suspend_holds_it_back_stops_it_and_lets_it_go_on() {
    let world = world("crawl-held").await;
    put(&world, "one", json!({"suspend": true})).await;
    until_phase(&world, "one", Phase::Suspended).await;
    world.of::<GlueCrawlerRun>().edit("one", json!({"suspend": false})).await;
    let first = known(&world, "one").await;
    until_phase(&world, "one", Phase::Running).await;
    world.of::<GlueCrawlerRun>().edit("one", json!({"suspend": true})).await;
    world.answered("StopCrawler", 1).await;
    world.double.clock().step(STEP);
    until_phase(&world, "one", Phase::Suspended).await;
    // Who is held does not keep others from the crawler, nor does who was held while waiting.
    start_elsewhere(&world, "raw");
    put(&world, "waiting", json!({})).await;
    waits(&world, "waiting").await;
    world.of::<GlueCrawlerRun>().edit("waiting", json!({"suspend": true})).await;
    until_phase(&world, "waiting", Phase::Suspended).await;
    finish(&world);
    put(&world, "another", json!({"coalesce": false})).await;
    known(&world, "another").await;
    finish(&world);
    let another = over(&world, "another", Phase::Succeeded).await;
    // What was crawled while it was held does not cover it.
    world.of::<GlueCrawlerRun>().edit("waiting", json!({"suspend": false})).await;
    assert_ne!(id(&known(&world, "waiting").await), id(&another));
    finish(&world);
    over(&world, "waiting", Phase::Succeeded).await;
    world.of::<GlueCrawlerRun>().edit("one", json!({"suspend": false})).await;
    let again = |object: &GlueCrawlerRun| id(object).is_some_and(|crawl| Some(crawl) != id(&first));
    let second = world.of().until("one", "it is crawled again", again).await;
    assert_eq!(id(&second), ids(&world, "raw").last().map(String::as_str));
    finish(&world);
    over(&world, "one", Phase::Succeeded).await;
}

#[tokio::test]
async fn deadlines_for_the_start_and_for_the_end() {
    let world = world("crawl-deadlines").await;
    start_elsewhere(&world, "raw");
    put(&world, "late", json!({"startDeadlineSeconds": 2})).await;
    let expired = over(&world, "late", Phase::Expired).await;
    assert_eq!(condition(&expired, "Ready").unwrap().reason, "StartDeadlineExceeded");
    put(&world, "short", json!({"activeDeadlineSeconds": 3})).await;
    waits(&world, "short").await;
    finish(&world);
    known(&world, "short").await;
    world.answered("StopCrawler", 1).await;
    world.double.clock().step(STEP);
    let failed = over(&world, "short", Phase::Failed).await;
    assert_eq!(condition(&failed, "Ready").unwrap().reason, "DeadlineExceeded");
}

#[tokio::test]
async fn deletion_stops_its_own_crawl_and_nobody_elses() {
    let world = world("crawl-deleted").await;
    let objects = world.of::<GlueCrawlerRun>();
    // Its own.
    let own = put(&world, "own", json!({})).await;
    until_phase(&world, "own", Phase::Running).await;
    objects.delete("own").await;
    world.answered("StopCrawler", 1).await;
    world.double.clock().step(STEP);
    objects.gone(&own).await;
    assert_eq!(history(&world, "raw")[0]["State"], "STOPPED");
    // It goes on where that is said.
    let orphan = put(&world, "orphan", json!({"deletionPolicy": "Orphan"})).await;
    let known_orphan = known(&world, "orphan").await;
    assert!(!is_held(&known_orphan));
    objects.delete("orphan").await;
    objects.gone(&orphan).await;
    // Who waits holds nothing.
    let waiting = put(&world, "waiting", json!({})).await;
    assert!(!is_held(&waits(&world, "waiting").await));
    objects.delete("waiting").await;
    objects.gone(&waiting).await;
    finish(&world);
    // A crawl that serves another object too goes on for that.
    let held = world.double.faults().add(Fault::on("StartCrawler").then(Then::Hold));
    let first = put(&world, "first", json!({})).await;
    world.calls("StartCrawler", 3).await;
    put(&world, "second", json!({})).await;
    waits(&world, "second").await;
    world.double.faults().remove(held);
    world.double.faults().release();
    until_phase(&world, "first", Phase::Running).await;
    until_phase(&world, "second", Phase::Running).await;
    objects.delete("first").await;
    objects.gone(&first).await;
    finish(&world);
    over(&world, "second", Phase::Succeeded).await;
    assert_eq!(stops(&world), 1);
}

#[tokio::test]
async fn a_crawl_that_was_started_elsewhere_is_followed_and_never_started() {
    let world = world("crawl-foreign").await;
    let crawl = start_elsewhere(&world, "raw");
    put(&world, "one", json!({"crawlId": crawl})).await;
    let running = until_phase(&world, "one", Phase::Running).await;
    assert_eq!((id(&running), is_held(&running)), (Some(crawl.as_str()), false));
    finish(&world);
    over(&world, "one", Phase::Succeeded).await;
    put(&world, "nobody", json!({"crawlId": "00000000-0000-0000-0000-000000000000"})).await;
    let unknown = until_phase(&world, "nobody", Phase::Unknown).await;
    assert_eq!(message(&unknown), "Glue does not know crawl 00000000-0000-0000-0000-000000000000; looking on");
    assert_eq!(world.double.requests().count("StartCrawler"), 0);
}

#[tokio::test]
async fn a_finished_object_is_cleaned_away_in_time() {
    let world = world("crawl-ttl").await;
    let object = put(&world, "one", json!({"ttlSecondsAfterFinished": 1})).await;
    known(&world, "one").await;
    finish(&world);
    world.of().gone(&object).await;
    assert_eq!(ids(&world, "raw").len(), 1);
}
