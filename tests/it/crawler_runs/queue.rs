//! The queue of a crawler: several objects, and crawls that somebody else starts.

use std::time::Duration;

use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::Fault;
use kube_glue_double::{CrawlerSettings, DEFAULT_ACCOUNT, Then};
use serde_json::json;

use super::{
    crawl_id, crawl_ids, crawls_in_glue, create, finish_crawl, message, setup, start_crawler_elsewhere, stepwise,
    successful_starts, wait_finished, wait_for_crawl_id, wait_until_queued, wait_until_queued_with,
};
use crate::harness::REGION;

/// An active crawl may have missed the data that a later object is about.
#[tokio::test]
async fn an_object_created_during_a_crawl_gets_the_next_crawl() {
    let env = setup("two").await;
    create(&env, "first", json!({})).await;
    let first = wait_for_crawl_id(&env, "first").await;
    create(&env, "second", json!({})).await;
    wait_until_queued_with(&env, "second", "the crawler is busy; it is started when its crawl has ended").await;
    finish_crawl(&env);
    wait_finished(&env, "first", Phase::Succeeded).await;
    let second = wait_for_crawl_id(&env, "second").await;
    assert_ne!(crawl_id(&first), crawl_id(&second));
    finish_crawl(&env);
    wait_finished(&env, "second", Phase::Succeeded).await;
    assert_eq!(successful_starts(&env, "raw"), 2);
    assert_eq!(crawl_ids(&env, "raw"), [crawl_id(&first).unwrap(), crawl_id(&second).unwrap()]);
    assert_eq!(
        env.double.requests().count("StartCrawler"),
        2,
        "StartCrawler is not used to find out whether the crawler is READY"
    );
}

#[tokio::test]
async fn objects_created_before_a_crawl_began_share_it() {
    let env = setup("both").await;
    let held = env.double.faults().add(Fault::on("StartCrawler").nth(1).then(Then::Hold));
    create(&env, "first", json!({})).await;
    env.wait_for_calls("StartCrawler", 1).await;
    create(&env, "second", json!({})).await;
    wait_until_queued_with(&env, "second", "older objects wait for the crawler before this one").await;
    env.double.faults().remove(held);
    env.double.faults().release();
    let (first, second) = (wait_for_crawl_id(&env, "first").await, wait_for_crawl_id(&env, "second").await);
    assert_eq!(crawl_id(&first), crawl_id(&second));
    finish_crawl(&env);
    wait_finished(&env, "first", Phase::Succeeded).await;
    wait_finished(&env, "second", Phase::Succeeded).await;
    assert_eq!(env.double.requests().count("StartCrawler"), 1);
}

#[tokio::test]
async fn ten_objects_created_during_a_crawl_share_the_next_crawl() {
    let env = setup("ten").await;
    let before = start_crawler_elsewhere(&env, "raw");
    let names: Vec<_> = (0..10).map(|n| format!("run-{n}")).collect();
    for name in &names {
        create(&env, name, json!({})).await;
    }
    for name in &names {
        wait_until_queued(&env, name).await;
    }
    finish_crawl(&env);
    let mut crawls = Vec::new();
    for name in &names {
        crawls.push(crawl_id(&wait_for_crawl_id(&env, name).await).unwrap().to_owned());
    }
    crawls.dedup();
    assert_eq!(crawl_ids(&env, "raw"), [before, crawls[0].clone()]);
    assert_eq!(crawls.len(), 1);
    finish_crawl(&env);
    for name in &names {
        wait_finished(&env, name, Phase::Succeeded).await;
    }
    assert_eq!(env.double.requests().count("StartCrawler"), 1);
}

#[tokio::test]
async fn without_coalescing_each_object_gets_its_own_crawl_oldest_first() {
    let env = setup("own").await;
    let before = start_crawler_elsewhere(&env, "raw");
    let names = ["a", "b", "c"];
    for name in names {
        create(&env, name, json!({"coalesce": false})).await;
        // Objects that were created within one second are ordered by their names.
        env.objects::<GlueCrawlerRun>().wait_for_reason(name, "CrawlerRunning").await;
    }
    let mut crawls = vec![before];
    for name in names {
        finish_crawl(&env);
        crawls.push(crawl_id(&wait_for_crawl_id(&env, name).await).unwrap().to_owned());
        assert_eq!(crawl_ids(&env, "raw"), crawls, "{name}: one at a time, in order");
    }
    finish_crawl(&env);
    for name in names {
        wait_finished(&env, name, Phase::Succeeded).await;
    }
    assert_eq!(env.double.requests().count("StartCrawler"), 3);
}

#[tokio::test]
async fn a_crawl_started_elsewhere_covers_waiting_objects() {
    let env = setup("between").await;
    start_crawler_elsewhere(&env, "raw");
    create(&env, "shares", json!({})).await;
    create(&env, "own", json!({"coalesce": false})).await;
    wait_until_queued(&env, "shares").await;
    env.objects::<GlueCrawlerRun>().wait_for_reason("own", "CrawlerRunning").await;
    // Polls fail until the next crawl is active.
    let failing = env.double.faults().add(Fault::on("BatchGetCrawlers").then(Then::Http500));
    env.wait_for_more_calls("BatchGetCrawlers", 2).await;
    finish_crawl(&env);
    let other = start_crawler_elsewhere(&env, "raw");
    env.double.faults().remove(failing);
    let shares = wait_for_crawl_id(&env, "shares").await;
    assert_eq!(crawl_id(&shares), Some(other.as_str()));
    assert!(shares.status.as_ref().unwrap().run.attempt().unwrap().adopted);
    finish_crawl(&env);
    wait_finished(&env, "shares", Phase::Succeeded).await;
    let own = wait_for_crawl_id(&env, "own").await;
    assert_eq!(crawl_id(&own), crawl_ids(&env, "raw").last().map(String::as_str));
    assert_eq!((successful_starts(&env, "raw"), crawls_in_glue(&env, "raw").len()), (1, 3));
}

/// Somebody else starts the crawler between the poll and StartCrawler, which Glue then rejects.
#[tokio::test]
async fn a_crawl_started_elsewhere_just_before_the_start_covers_the_object_unless_coalesce_is_false() {
    let env = setup("just-before").await;
    for (name, coalesce) in [("shares", true), ("own", false)] {
        let held = env.double.faults().add(Fault::on("StartCrawler").nth(1).then(Then::Hold));
        let starts = env.double.requests().count("StartCrawler");
        create(&env, name, json!({"coalesce": coalesce})).await;
        env.wait_for_calls("StartCrawler", starts + 1).await;
        let other = start_crawler_elsewhere(&env, "raw");
        env.double.faults().remove(held);
        env.double.faults().release();
        if coalesce {
            assert_eq!(crawl_id(&wait_for_crawl_id(&env, name).await), Some(other.as_str()));
            finish_crawl(&env);
        } else {
            wait_until_queued(&env, name).await;
            finish_crawl(&env);
            assert_ne!(crawl_id(&wait_for_crawl_id(&env, name).await), Some(other.as_str()));
            finish_crawl(&env);
        }
        wait_finished(&env, name, Phase::Succeeded).await;
    }
    assert_eq!((successful_starts(&env, "raw"), crawls_in_glue(&env, "raw").len()), (1, 3));
}

#[tokio::test]
async fn on_already_running_decides_about_an_active_crawl() {
    let env = setup("already").await;
    let before = start_crawler_elsewhere(&env, "raw");
    create(&env, "fails", json!({"onAlreadyRunning": "Fail"})).await;
    let failed = wait_finished(&env, "fails", Phase::Failed).await;
    assert_eq!(message(&failed), "the crawler was running already (onAlreadyRunning: Fail)");
    let attached = create(&env, "attached", json!({"onAlreadyRunning": "Attach"})).await;
    assert_eq!(crawl_id(&wait_for_crawl_id(&env, "attached").await), Some(before.as_str()));
    // The policy of a waiting object can be changed.
    create(&env, "impatient", json!({})).await;
    wait_until_queued(&env, "impatient").await;
    env.objects::<GlueCrawlerRun>().patch_spec("impatient", json!({"onAlreadyRunning": "Attach"})).await;
    assert_eq!(crawl_id(&wait_for_crawl_id(&env, "impatient").await), Some(before.as_str()));
    // An attached crawl is not stopped with the object.
    env.objects::<GlueCrawlerRun>().delete("attached").await;
    env.objects().wait_deleted(&attached).await;
    finish_crawl(&env);
    wait_finished(&env, "impatient", Phase::Succeeded).await;
    assert_eq!((env.double.requests().count("StartCrawler"), env.double.requests().count("StopCrawler")), (0, 0));
}

#[tokio::test]
async fn a_scheduled_crawl_covers_waiting_objects() {
    let env = setup("schedule").await;
    let settings = CrawlerSettings::new("hourly").schedule("cron(0 * * * ? *)");
    env.double.define_crawler(DEFAULT_ACCOUNT, REGION, settings, stepwise()).expect("a crawler");
    let hour = Duration::from_hours(1);
    let to_the_hour = 3600 - env.double.clock().now().timestamp().as_second().rem_euclid(3600);
    env.double.clock().step(Duration::from_secs(to_the_hour.unsigned_abs()));
    assert_eq!(crawl_ids(&env, "hourly").len(), 1);
    create(&env, "one", json!({"crawlerName": "hourly"})).await;
    wait_until_queued(&env, "one").await;
    let failing = env.double.faults().add(Fault::on("BatchGetCrawlers").then(Then::Http500));
    env.wait_for_more_calls("BatchGetCrawlers", 2).await;
    env.double.clock().step(hour);
    let scheduled = crawl_ids(&env, "hourly").pop();
    env.double.faults().remove(failing);
    assert_eq!(crawl_id(&wait_for_crawl_id(&env, "one").await), scheduled.as_deref());
    assert_eq!((crawl_ids(&env, "hourly").len(), env.double.requests().count("StartCrawler")), (2, 0));
}
