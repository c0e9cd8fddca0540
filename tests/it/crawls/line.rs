//! Several objects of one crawler, and what somebody else starts.

use std::time::Duration;

use kube_glue::api::run::Phase;
use kube_glue_double::Fault;
use kube_glue_double::{CrawlerSettings, DEFAULT_ACCOUNT, Then};
use serde_json::json;

use super::{
    finish, history, id, ids, known, message, over, put, start_elsewhere, started, stepwise, waits, waits_saying, world,
};
use crate::harness::REGION;

/// The second comes while the first one's crawl is under way: that may have missed what the second is about.
#[tokio::test]
async fn two_objects_one_after_the_other_have_a_crawl_each() {
    let world = world("two").await;
    put(&world, "first", json!({})).await;
    let first = known(&world, "first").await;
    put(&world, "second", json!({})).await;
    waits_saying(&world, "second", "the crawler is busy; it is started when that crawl is over").await;
    finish(&world);
    over(&world, "first", Phase::Succeeded).await;
    let second = known(&world, "second").await;
    assert_ne!(id(&first), id(&second));
    finish(&world);
    over(&world, "second", Phase::Succeeded).await;
    assert_eq!(started(&world, "raw"), 2);
    assert_eq!(ids(&world, "raw"), [id(&first).unwrap(), id(&second).unwrap()]);
    assert_eq!(world.double.requests().count("StartCrawler"), 2, "nobody tries the crawler to see whether it is free");
}

/// Both were there when the crawl began: it covers both.
#[tokio::test]
async fn two_objects_for_one_idle_crawler_share_a_crawl_that_began_after_both() {
    let world = world("both").await;
    let held = world.double.faults().add(Fault::on("StartCrawler").nth(1).then(Then::Hold));
    put(&world, "first", json!({})).await;
    world.calls("StartCrawler", 1).await;
    put(&world, "second", json!({})).await;
    waits_saying(&world, "second", "older objects wait for the crawler before this one").await;
    world.double.faults().remove(held);
    world.double.faults().release();
    let (first, second) = (known(&world, "first").await, known(&world, "second").await);
    assert_eq!(id(&first), id(&second));
    finish(&world);
    over(&world, "first", Phase::Succeeded).await;
    over(&world, "second", Phase::Succeeded).await;
    assert_eq!(world.double.requests().count("StartCrawler"), 1);
}

#[tokio::test]
async fn ten_objects_created_while_it_runs_are_served_by_one_crawl() {
    let world = world("ten").await;
    let before = start_elsewhere(&world, "raw");
    let names: Vec<_> = (0..10).map(|n| format!("run-{n}")).collect();
    for name in &names {
        put(&world, name, json!({})).await;
    }
    for name in &names {
        waits(&world, name).await;
    }
    finish(&world);
    let mut crawls = Vec::new();
    for name in &names {
        crawls.push(id(&known(&world, name).await).unwrap().to_owned());
    }
    crawls.dedup();
    assert_eq!(ids(&world, "raw"), [before, crawls[0].clone()]);
    assert_eq!(crawls.len(), 1);
    finish(&world);
    for name in &names {
        over(&world, name, Phase::Succeeded).await;
    }
    assert_eq!(world.double.requests().count("StartCrawler"), 1);
}

#[tokio::test]
async fn without_coalescing_each_has_a_crawl_of_its_own_oldest_first() {
    let world = world("own").await;
    let before = start_elsewhere(&world, "raw");
    let names = ["a", "b", "c"];
    for name in names {
        put(&world, name, json!({"coalesce": false})).await;
        // Objects that were created within one second are ordered by their names.
        world.of::<kube_glue::api::GlueCrawlerRun>().reason(name, "CrawlerRunning").await;
    }
    let mut crawls = vec![before];
    for name in names {
        finish(&world);
        crawls.push(id(&known(&world, name).await).unwrap().to_owned());
        assert_eq!(ids(&world, "raw"), crawls, "{name}: one at a time, in order");
    }
    finish(&world);
    for name in names {
        over(&world, name, Phase::Succeeded).await;
    }
    assert_eq!(world.double.requests().count("StartCrawler"), 3);
}

/// While one waits for the end of a crawl, somebody else starts the next: it covers the object.
#[tokio::test]
async fn a_crawl_that_somebody_else_starts_in_between_is_taken_up() {
    let world = world("between").await;
    start_elsewhere(&world, "raw");
    put(&world, "shares", json!({})).await;
    put(&world, "own", json!({"coalesce": false})).await;
    waits(&world, "shares").await;
    world.of::<kube_glue::api::GlueCrawlerRun>().reason("own", "CrawlerRunning").await;
    // The poller sees the crawler again only when it is busy with the next crawl.
    let blind = world.double.faults().add(Fault::on("BatchGetCrawlers").then(Then::Http500));
    let polls = world.double.requests().count("BatchGetCrawlers");
    world.calls("BatchGetCrawlers", polls + 2).await;
    finish(&world);
    let other = start_elsewhere(&world, "raw");
    world.double.faults().remove(blind);
    let shares = known(&world, "shares").await;
    assert_eq!(id(&shares), Some(other.as_str()));
    assert!(shares.status.as_ref().unwrap().run.attempt().unwrap().adopted);
    finish(&world);
    over(&world, "shares", Phase::Succeeded).await;
    let own = known(&world, "own").await;
    assert_eq!(id(&own), ids(&world, "raw").last().map(String::as_str));
    assert_eq!((started(&world, "raw"), history(&world, "raw").len()), (1, 3));
}

/// Somebody starts it between our look and our start: Glue says no, and that crawl covers the object too.
#[tokio::test]
async fn a_crawl_that_begins_just_before_our_start_serves_this_object_unless_it_wants_its_own() {
    let world = world("just-before").await;
    for (name, coalesce) in [("shares", true), ("own", false)] {
        let held = world.double.faults().add(Fault::on("StartCrawler").nth(1).then(Then::Hold));
        let starts = world.double.requests().count("StartCrawler");
        put(&world, name, json!({"coalesce": coalesce})).await;
        world.calls("StartCrawler", starts + 1).await;
        let other = start_elsewhere(&world, "raw");
        world.double.faults().remove(held);
        world.double.faults().release();
        if coalesce {
            assert_eq!(id(&known(&world, name).await), Some(other.as_str()));
            finish(&world);
        } else {
            waits(&world, name).await;
            finish(&world);
            assert_ne!(id(&known(&world, name).await), Some(other.as_str()));
            finish(&world);
        }
        over(&world, name, Phase::Succeeded).await;
    }
    assert_eq!((started(&world, "raw"), history(&world, "raw").len()), (1, 3));
}

#[tokio::test]
async fn what_is_done_about_a_crawl_that_was_there_before() {
    let world = world("already").await;
    let before = start_elsewhere(&world, "raw");
    put(&world, "fails", json!({"onAlreadyRunning": "Fail"})).await;
    let failed = over(&world, "fails", Phase::Failed).await;
    assert_eq!(message(&failed), "the crawler was running already (onAlreadyRunning: Fail)");
    let attached = put(&world, "attached", json!({"onAlreadyRunning": "Attach"})).await;
    assert_eq!(id(&known(&world, "attached").await), Some(before.as_str()));
    // Who waits may change their mind.
    put(&world, "impatient", json!({})).await;
    waits(&world, "impatient").await;
    world.of::<kube_glue::api::GlueCrawlerRun>().edit("impatient", json!({"onAlreadyRunning": "Attach"})).await;
    assert_eq!(id(&known(&world, "impatient").await), Some(before.as_str()));
    // It is somebody else's: it goes on without us.
    world.of::<kube_glue::api::GlueCrawlerRun>().delete("attached").await;
    world.of().gone(&attached).await;
    finish(&world);
    over(&world, "impatient", Phase::Succeeded).await;
    assert_eq!((world.double.requests().count("StartCrawler"), world.double.requests().count("StopCrawler")), (0, 0));
}

/// A crawler with a schedule starts by itself; those who wait are served by that, and those who want their own
/// come in between.
#[tokio::test]
async fn a_crawler_that_starts_by_its_schedule_serves_those_who_wait() {
    let world = world("schedule").await;
    let settings = CrawlerSettings::new("hourly").schedule("cron(0 * * * ? *)");
    world.double.define_crawler(DEFAULT_ACCOUNT, REGION, settings, stepwise()).expect("a crawler");
    let hour = Duration::from_hours(1);
    let to_the_hour = 3600 - world.double.clock().now().timestamp().as_second().rem_euclid(3600);
    world.double.clock().step(Duration::from_secs(to_the_hour.unsigned_abs()));
    assert_eq!(ids(&world, "hourly").len(), 1);
    put(&world, "one", json!({"crawlerName": "hourly"})).await;
    waits(&world, "one").await;
    let blind = world.double.faults().add(Fault::on("BatchGetCrawlers").then(Then::Http500));
    let polls = world.double.requests().count("BatchGetCrawlers");
    world.calls("BatchGetCrawlers", polls + 2).await;
    world.double.clock().step(hour);
    let scheduled = ids(&world, "hourly").pop();
    world.double.faults().remove(blind);
    assert_eq!(id(&known(&world, "one").await), scheduled.as_deref());
    assert_eq!((ids(&world, "hourly").len(), world.double.requests().count("StartCrawler")), (2, 0));
}
