//! A crawl from its start to its end: status, retry, stop, suspend, deadlines, deletion and TTL.

use std::time::Duration;

use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{Changes, CrawlOutcome, CrawlPlan, CrawlScript, Fault, Then};
use serde_json::{Value, json};

use super::{
    crawl_id, crawl_ids, crawls_in_glue, create, define_crawler, finish_crawl, message, phase, plan, setup,
    start_crawler_elsewhere, wait_finished, wait_for_crawl_id, wait_for_phase, wait_until_queued,
};
use crate::harness::{STEP, TestEnv, condition, has_finalizer, status};

fn stop_calls(env: &TestEnv) -> u64 {
    env.double.requests().count("StopCrawler")
}

#[tokio::test]
async fn the_status_shows_the_changes_times_and_links_of_a_crawl() {
    let env = setup("crawl-shown").await;
    let changes = Changes {
        tables_added: vec!["orders".to_owned(), "customers".to_owned()],
        tables_deleted: vec!["old".to_owned()],
        partitions_updated: vec!["day=1".to_owned()],
        ..Changes::default()
    };
    let changing = CrawlPlan { changes, dpu_hours: 0.25, ..plan(CrawlOutcome::Completed) };
    let unparsable = CrawlPlan { summary: Some("2 tables".to_owned()), ..plan(CrawlOutcome::Completed) };
    define_crawler(&env, "raw", CrawlScript::sequence([changing, unparsable]));
    create(&env, "one", json!({})).await;
    let running = wait_for_phase(&env, "one", Phase::Running).await;
    assert!(status(&running)["startedAt"].is_string() && status(&running)["completedAt"].is_null());
    assert_eq!(status(&running)["logStream"], "raw");
    assert_eq!(message(&running), format!("crawl {} is RUNNING in Glue", crawl_id(&running).unwrap()));
    // The crawler is STOPPING at the end of every crawl; the crawl is still running.
    env.double.clock().step(STEP);
    env.wait_for_more_calls("BatchGetCrawlers", 2).await;
    assert_eq!(phase(&env.objects::<GlueCrawlerRun>().api.get("one").await.unwrap()), Some(Phase::Running));
    env.double.clock().step(STEP);
    let done = wait_finished(&env, "one", Phase::Succeeded).await;
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
    assert!(shown["links"]["log"].as_str().unwrap().contains(crawl_id(&done).unwrap()), "{shown}");
    assert_eq!(message(&done), format!("crawl {} succeeded", crawl_id(&done).unwrap()));

    create(&env, "two", json!({})).await;
    wait_for_crawl_id(&env, "two").await;
    finish_crawl(&env);
    let shown = status(&wait_finished(&env, "two", Phase::Succeeded).await);
    assert_eq!((&shown["summary"], &shown["changes"]), (&json!("2 tables"), &Value::Null));
    for reason in ["Started", "Running", "Succeeded"] {
        env.wait_for_event(reason).await;
    }
}

/// Glue is asked once a crawl has run for two minutes.
#[tokio::test]
async fn a_long_crawl_shows_what_glue_expects_of_it() {
    let env = setup("crawl-estimate").await;
    let (running, stopping) = (Duration::from_mins(30), STEP);
    let long = CrawlPlan { running, stopping, ..plan(CrawlOutcome::Completed) };
    define_crawler(&env, "raw", CrawlScript::sequence([plan(CrawlOutcome::Completed), long]));
    start_crawler_elsewhere(&env, "raw");
    finish_crawl(&env);
    create(&env, "one", json!({})).await;
    wait_for_phase(&env, "one", Phase::Running).await;
    env.wait_for_more_calls("BatchGetCrawlers", 3).await;
    assert_eq!(env.double.requests().count("GetCrawlerMetrics"), 0, "it is young");
    env.double.clock().step(Duration::from_mins(10));
    let has_estimate = |object: &GlueCrawlerRun| status(object)["estimate"].is_object();
    let shown = env.objects().wait_until("one", "its status has an estimate", has_estimate).await;
    let estimate = &status(&shown)["estimate"];
    assert_eq!(
        (&estimate["timeLeftSeconds"], &estimate["medianRuntimeSeconds"]),
        (&json!(21 * 60), &json!(2 * STEP.as_secs()))
    );
    assert!(estimate["observedAt"].is_string(), "{estimate}");
    env.wait_for_more_calls("BatchGetCrawlers", 3).await;
    assert_eq!(env.double.requests().count("GetCrawlerMetrics"), 1, "it is asked again after an hour");
    env.double.clock().step(Duration::from_mins(20));
    finish_crawl(&env);
    let done = wait_finished(&env, "one", Phase::Succeeded).await;
    let estimate = &status(&done)["estimate"];
    assert_eq!(estimate["medianRuntimeSeconds"], json!(2 * STEP.as_secs()));
    assert!(estimate["timeLeftSeconds"].is_null(), "{estimate}");
}

#[tokio::test]
async fn a_failed_crawl_is_reported_and_retried_up_to_the_limit() {
    let env = setup("crawl-failed").await;
    let fails = || plan(CrawlOutcome::Failed("Insufficient Lake Formation permission(s)".to_owned()));
    define_crawler(&env, "raw", CrawlScript::sequence([fails(), fails(), plan(CrawlOutcome::Completed)]));
    create(&env, "one", json!({})).await;
    wait_for_crawl_id(&env, "one").await;
    finish_crawl(&env);
    let failed = wait_finished(&env, "one", Phase::Failed).await;
    assert_eq!(status(&failed)["errorMessage"], "Insufficient Lake Formation permission(s)");
    assert_eq!(message(&failed), "Insufficient Lake Formation permission(s)");

    create(&env, "two", json!({"retry": {"limit": 1, "backoffSeconds": 0}})).await;
    let first = wait_for_crawl_id(&env, "two").await;
    finish_crawl(&env);
    let has_another = |object: &GlueCrawlerRun| crawl_id(object).is_some_and(|crawl| Some(crawl) != crawl_id(&first));
    env.objects().wait_until("two", "it has another crawl", has_another).await;
    finish_crawl(&env);
    wait_finished(&env, "two", Phase::Succeeded).await;
    assert_eq!(crawl_ids(&env, "raw").len(), 3);
}

#[tokio::test]
async fn a_crawl_is_stopped_and_a_crawler_that_is_stopping_already_is_no_error() {
    let env = setup("crawl-stopped").await;
    create(&env, "one", json!({})).await;
    wait_for_phase(&env, "one", Phase::Running).await;
    env.double.clock().step(STEP);
    // Glue answers CrawlerStoppingException, which the controller ignores.
    env.objects::<GlueCrawlerRun>().patch_spec("one", json!({"stop": true})).await;
    env.wait_for_answers("StopCrawler", 1).await;
    let stopping = wait_for_phase(&env, "one", Phase::Stopping).await;
    assert!(message(&stopping).contains("is being stopped: spec.stop is true"), "{}", message(&stopping));
    env.double.clock().step(STEP);
    wait_finished(&env, "one", Phase::Succeeded).await;

    create(&env, "two", json!({})).await;
    wait_for_phase(&env, "two", Phase::Running).await;
    env.objects::<GlueCrawlerRun>().patch_spec("two", json!({"stop": true})).await;
    env.wait_for_answers("StopCrawler", 2).await;
    env.double.clock().step(STEP);
    let stopped = wait_finished(&env, "two", Phase::Stopped).await;
    assert_eq!(condition(&stopped, "Ready").unwrap().reason, "StopRequested");
    assert_eq!(crawls_in_glue(&env, "raw")[1]["State"], "STOPPED");
    assert_eq!(stop_calls(&env), 2);
}

/// StopCrawler stops whatever crawl is active: it is not called when the object's crawl has ended and another runs.
#[tokio::test]
async fn a_stop_does_not_stop_a_later_crawl() {
    let env = setup("crawl-other").await;
    create(&env, "one", json!({})).await;
    wait_for_phase(&env, "one", Phase::Running).await;
    let failing = env.double.faults().add(Fault::on("BatchGetCrawlers").then(Then::Http500));
    env.wait_for_more_calls("BatchGetCrawlers", 2).await;
    finish_crawl(&env);
    start_crawler_elsewhere(&env, "raw");
    env.objects::<GlueCrawlerRun>().patch_spec("one", json!({"stop": true})).await;
    wait_for_phase(&env, "one", Phase::Stopping).await;
    env.double.faults().remove(failing);
    wait_finished(&env, "one", Phase::Succeeded).await;
    assert_eq!((stop_calls(&env), &crawls_in_glue(&env, "raw")[1]["State"]), (0, &json!("RUNNING")));
}

#[tokio::test]
async fn suspend_delays_the_start_stops_the_crawl_and_resuming_starts_another() {
    let env = setup("crawl-suspended").await;
    create(&env, "one", json!({"suspend": true})).await;
    wait_for_phase(&env, "one", Phase::Suspended).await;
    env.objects::<GlueCrawlerRun>().patch_spec("one", json!({"suspend": false})).await;
    let first = wait_for_crawl_id(&env, "one").await;
    wait_for_phase(&env, "one", Phase::Running).await;
    env.objects::<GlueCrawlerRun>().patch_spec("one", json!({"suspend": true})).await;
    env.wait_for_answers("StopCrawler", 1).await;
    env.double.clock().step(STEP);
    wait_for_phase(&env, "one", Phase::Suspended).await;
    // A suspended object does not block the queue, whether it was suspended at the start or while it waited.
    start_crawler_elsewhere(&env, "raw");
    create(&env, "waiting", json!({})).await;
    wait_until_queued(&env, "waiting").await;
    env.objects::<GlueCrawlerRun>().patch_spec("waiting", json!({"suspend": true})).await;
    wait_for_phase(&env, "waiting", Phase::Suspended).await;
    finish_crawl(&env);
    create(&env, "another", json!({"coalesce": false})).await;
    wait_for_crawl_id(&env, "another").await;
    finish_crawl(&env);
    let another = wait_finished(&env, "another", Phase::Succeeded).await;
    // A crawl during the suspension does not cover the object.
    env.objects::<GlueCrawlerRun>().patch_spec("waiting", json!({"suspend": false})).await;
    assert_ne!(crawl_id(&wait_for_crawl_id(&env, "waiting").await), crawl_id(&another));
    finish_crawl(&env);
    wait_finished(&env, "waiting", Phase::Succeeded).await;
    env.objects::<GlueCrawlerRun>().patch_spec("one", json!({"suspend": false})).await;
    let has_another = |object: &GlueCrawlerRun| crawl_id(object).is_some_and(|crawl| Some(crawl) != crawl_id(&first));
    let second = env.objects().wait_until("one", "it has another crawl", has_another).await;
    assert_eq!(crawl_id(&second), crawl_ids(&env, "raw").last().map(String::as_str));
    finish_crawl(&env);
    wait_finished(&env, "one", Phase::Succeeded).await;
}

#[tokio::test]
async fn start_deadline_and_active_deadline_are_enforced() {
    let env = setup("crawl-deadlines").await;
    start_crawler_elsewhere(&env, "raw");
    create(&env, "late", json!({"startDeadlineSeconds": 2})).await;
    let expired = wait_finished(&env, "late", Phase::Expired).await;
    assert_eq!(condition(&expired, "Ready").unwrap().reason, "StartDeadlineExceeded");
    create(&env, "short", json!({"activeDeadlineSeconds": 3})).await;
    wait_until_queued(&env, "short").await;
    finish_crawl(&env);
    wait_for_crawl_id(&env, "short").await;
    env.wait_for_answers("StopCrawler", 1).await;
    env.double.clock().step(STEP);
    let failed = wait_finished(&env, "short", Phase::Failed).await;
    assert_eq!(condition(&failed, "Ready").unwrap().reason, "DeadlineExceeded");
}

#[tokio::test]
async fn deletion_stops_the_objects_own_crawl_only() {
    let env = setup("crawl-deleted").await;
    let objects = env.objects::<GlueCrawlerRun>();
    // With the default policy the crawl is stopped.
    let own = create(&env, "own", json!({})).await;
    wait_for_phase(&env, "own", Phase::Running).await;
    objects.delete("own").await;
    env.wait_for_answers("StopCrawler", 1).await;
    env.double.clock().step(STEP);
    objects.wait_deleted(&own).await;
    assert_eq!(crawls_in_glue(&env, "raw")[0]["State"], "STOPPED");
    // With deletionPolicy Orphan it continues.
    let orphan = create(&env, "orphan", json!({"deletionPolicy": "Orphan"})).await;
    let known_orphan = wait_for_crawl_id(&env, "orphan").await;
    assert!(!has_finalizer(&known_orphan));
    objects.delete("orphan").await;
    objects.wait_deleted(&orphan).await;
    // A waiting object has no finalizer.
    let waiting = create(&env, "waiting", json!({})).await;
    assert!(!has_finalizer(&wait_until_queued(&env, "waiting").await));
    objects.delete("waiting").await;
    objects.wait_deleted(&waiting).await;
    finish_crawl(&env);
    // A crawl that covers another object, too, continues.
    let held = env.double.faults().add(Fault::on("StartCrawler").then(Then::Hold));
    let first = create(&env, "first", json!({})).await;
    env.wait_for_calls("StartCrawler", 3).await;
    create(&env, "second", json!({})).await;
    wait_until_queued(&env, "second").await;
    env.double.faults().remove(held);
    env.double.faults().release();
    wait_for_phase(&env, "first", Phase::Running).await;
    wait_for_phase(&env, "second", Phase::Running).await;
    objects.delete("first").await;
    objects.wait_deleted(&first).await;
    finish_crawl(&env);
    wait_finished(&env, "second", Phase::Succeeded).await;
    assert_eq!(stop_calls(&env), 1);
}

#[tokio::test]
async fn a_crawl_started_elsewhere_is_followed_and_never_started() {
    let env = setup("crawl-foreign").await;
    let crawl = start_crawler_elsewhere(&env, "raw");
    create(&env, "one", json!({"crawlId": crawl})).await;
    let running = wait_for_phase(&env, "one", Phase::Running).await;
    assert_eq!((crawl_id(&running), has_finalizer(&running)), (Some(crawl.as_str()), false));
    finish_crawl(&env);
    wait_finished(&env, "one", Phase::Succeeded).await;
    create(&env, "missing", json!({"crawlId": "00000000-0000-0000-0000-000000000000"})).await;
    let unknown = wait_for_phase(&env, "missing", Phase::Unknown).await;
    assert_eq!(message(&unknown), "Glue does not know crawl 00000000-0000-0000-0000-000000000000; looking on");
    assert_eq!(env.double.requests().count("StartCrawler"), 0);
}

#[tokio::test]
async fn a_finished_object_is_deleted_after_its_ttl() {
    let env = setup("crawl-ttl").await;
    let object = create(&env, "one", json!({"ttlSecondsAfterFinished": 1})).await;
    wait_for_crawl_id(&env, "one").await;
    finish_crawl(&env);
    env.objects().wait_deleted(&object).await;
    assert_eq!(crawl_ids(&env, "raw").len(), 1);
}
