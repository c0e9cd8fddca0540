//! Calls to AWS, by the double's record, and writes to an object over its lifetime, by the audit log.

use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{CrawlOutcome, CrawlScript, Request};
use serde_json::json;

use super::{
    create, define_crawler, finish_crawl, setup, stepwise, wait_finished, wait_for_crawl_id, wait_for_phase,
    wait_until_queued,
};
use crate::harness::STEP;

/// BatchGetCrawlers reads all crawlers of a client; crawls are read only when they may have ended.
#[tokio::test]
async fn active_crawls_are_polled_together() {
    let env = setup("crawl-polls").await;
    let names: Vec<_> = (0..120).map(|n| format!("raw-{n:03}")).collect();
    for name in &names {
        define_crawler(&env, name, stepwise());
        create(&env, name, json!({"crawlerName": name})).await;
    }
    for name in &names {
        wait_for_phase(&env, name, Phase::Running).await;
    }
    // A waiting object takes no further calls.
    create(&env, "waits", json!({"crawlerName": "raw-000"})).await;
    wait_until_queued(&env, "waits").await;
    // The client asks once for its caller identity, in the background.
    env.wait_for_calls("GetCallerIdentity", 1).await;
    env.double.requests().clear();
    env.wait_for_calls("BatchGetCrawlers", 10).await;
    let counts = env.double.requests().counts();
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["BatchGetCrawlers"], "{counts:?}");
    let requests = env.double.requests().of("BatchGetCrawlers");
    let names_in = |request: &Request| request.field("CrawlerNames").unwrap().as_array().unwrap().len();
    let asked: Vec<_> = requests.iter().map(|request| names_in(request)).collect();
    // The record may have been cleared between the two calls of a poll.
    for pages in asked[usize::from(asked[0] == 20)..].as_chunks().0 {
        assert_eq!(*pages, [100, 20], "a call reads 100 crawlers at most");
    }
    env.double.requests().clear();
    finish_crawl(&env);
    for name in &names {
        wait_finished(&env, name, Phase::Succeeded).await;
    }
    wait_for_phase(&env, "waits", Phase::Running).await;
    let requests = env.double.requests();
    let details = requests.of("ListCrawls").matching(|request| request.field("Filters/0").is_some()).count();
    assert_eq!(
        details,
        names.len() + 1,
        "the details of each crawl are read once, those of the waiting object's crawl included"
    );
}

/// Finalizer added, intent, crawl id, Running, the end, finalizer removed.
#[tokio::test]
async fn a_crawl_takes_six_writes_to_its_object_and_few_calls() {
    let env = setup("crawl-writes").await;
    // With another active crawl the poller runs on, and keeps what it has observed of the end until the object is
    // reconciled.
    define_crawler(&env, "other", CrawlScript::ends(CrawlOutcome::Never));
    create(&env, "other", json!({"crawlerName": "other"})).await;
    wait_for_phase(&env, "other", Phase::Running).await;
    create(&env, "one", json!({})).await;
    wait_for_phase(&env, "one", Phase::Running).await;
    env.wait_for_more_calls("BatchGetCrawlers", 3).await;
    env.double.clock().step(STEP);
    env.wait_for_more_calls("BatchGetCrawlers", 3).await;
    env.double.clock().step(STEP);
    wait_finished(&env, "one", Phase::Succeeded).await;
    let [metadata, status] = ["patch : 200", "patch status: 200"];
    assert_eq!(
        env.objects::<GlueCrawlerRun>().writes("one", 6).await,
        [metadata, status, status, status, status, metadata]
    );
    let requests = env.double.requests();
    assert_eq!(requests.of("StartCrawler").name("raw").count(), 1);
    // Two lists: the baseline and the lookup. Two reads of the crawl: after its start and at its end.
    let (details, lists): (Vec<_>, Vec<_>) =
        requests.of("ListCrawls").name("raw").iter().cloned().partition(|request| request.field("Filters/0").is_some());
    assert_eq!((lists.len(), details.len()), (2, 2));
}

#[tokio::test]
async fn a_waiting_object_is_written_once() {
    let env = setup("crawl-wait-writes").await;
    super::start_crawler_elsewhere(&env, "raw");
    create(&env, "one", json!({})).await;
    let before = wait_until_queued(&env, "one").await;
    env.wait_for_more_calls("BatchGetCrawlers", 5).await;
    let after = env.objects::<GlueCrawlerRun>().api.get("one").await.expect("the object");
    assert_eq!(after.metadata.resource_version, before.metadata.resource_version);
    assert_eq!(env.double.requests().count("ListCrawls"), 1, "the poller reports when the crawler is READY");
    finish_crawl(&env);
    wait_for_crawl_id(&env, "one").await;
}
