//! What crawls cost: calls to AWS by Glue's record, and writes to an object by the API server's own audit.

use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{CrawlOutcome, CrawlScript, Request};
use serde_json::json;

use super::{crawler, finish, known, over, put, stepwise, until_phase, waits, world};
use crate::harness::STEP;

/// All crawlers of a client are asked for together, and crawls only when they may have ended.
#[tokio::test]
async fn live_crawls_are_asked_for_together() {
    let world = world("crawl-polls").await;
    let names: Vec<_> = (0..120).map(|n| format!("raw-{n:03}")).collect();
    for name in &names {
        crawler(&world, name, stepwise());
        put(&world, name, json!({"crawlerName": name})).await;
    }
    for name in &names {
        until_phase(&world, name, Phase::Running).await;
    }
    // One that waits costs nothing more.
    put(&world, "waits", json!({"crawlerName": "raw-000"})).await;
    waits(&world, "waits").await;
    // As whom the client calls is asked in the background, once.
    world.calls("GetCallerIdentity", 1).await;
    world.double.requests().clear();
    world.calls("BatchGetCrawlers", 10).await;
    let counts = world.double.requests().counts();
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["BatchGetCrawlers"], "{counts:?}");
    let requests = world.double.requests().of("BatchGetCrawlers");
    let names_in = |request: &Request| request.field("CrawlerNames").unwrap().as_array().unwrap().len();
    let asked: Vec<_> = requests.iter().map(|request| names_in(request)).collect();
    // The record may have been cleared between the two pages of a round.
    for pages in asked[usize::from(asked[0] == 20)..].as_chunks().0 {
        assert_eq!(*pages, [100, 20], "in pages of a hundred");
    }
    world.double.requests().clear();
    finish(&world);
    for name in &names {
        over(&world, name, Phase::Succeeded).await;
    }
    until_phase(&world, "waits", Phase::Running).await;
    let requests = world.double.requests();
    let details = requests.of("ListCrawls").matching(|request| request.field("Filters/0").is_some()).count();
    assert_eq!(details, names.len() + 1, "the details of each, once, and those of the crawl of the one that waited");
}

/// The finalizer, the intent, the crawl's id, Running, the end, and the finalizer off again.
#[tokio::test]
async fn a_crawl_costs_its_object_six_writes_and_few_calls_in_its_whole_life() {
    let world = world("crawl-writes").await;
    // With another one under way the poller remembers what it has seen of the end, however late the object is woken.
    crawler(&world, "other", CrawlScript::ends(CrawlOutcome::Never));
    put(&world, "other", json!({"crawlerName": "other"})).await;
    until_phase(&world, "other", Phase::Running).await;
    put(&world, "one", json!({})).await;
    until_phase(&world, "one", Phase::Running).await;
    let looked_at = async || {
        let polls = world.double.requests().count("BatchGetCrawlers");
        world.calls("BatchGetCrawlers", polls + 3).await;
    };
    looked_at().await;
    world.double.clock().step(STEP);
    looked_at().await;
    world.double.clock().step(STEP);
    over(&world, "one", Phase::Succeeded).await;
    let [metadata, status] = ["patch : 200", "patch status: 200"];
    assert_eq!(
        world.of::<GlueCrawlerRun>().writes("one", 6).await,
        [metadata, status, status, status, status, metadata]
    );
    let requests = world.double.requests();
    assert_eq!(requests.of("StartCrawler").name("raw").count(), 1);
    // What is there before, and what came of the start; then what it is, and how it ended.
    let (details, lists): (Vec<_>, Vec<_>) =
        requests.of("ListCrawls").name("raw").iter().cloned().partition(|request| request.field("Filters/0").is_some());
    assert_eq!((lists.len(), details.len()), (2, 2));
}

/// Waiting costs one write more.
#[tokio::test]
async fn waiting_is_written_once() {
    let world = world("crawl-wait-writes").await;
    super::start_elsewhere(&world, "raw");
    put(&world, "one", json!({})).await;
    let before = waits(&world, "one").await;
    let polls = world.double.requests().count("BatchGetCrawlers");
    world.calls("BatchGetCrawlers", polls + 5).await;
    let after = world.of::<GlueCrawlerRun>().api.get("one").await.expect("the object");
    assert_eq!(after.metadata.resource_version, before.metadata.resource_version);
    assert_eq!(world.double.requests().count("ListCrawls"), 1, "the poller says when it is free");
    finish(&world);
    known(&world, "one").await;
}
