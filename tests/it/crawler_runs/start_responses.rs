//! Responses of StartCrawler: successes, errors, and responses that the controller does not get.

use std::time::Duration;

use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{CrawlOutcome, CrawlScript, Fault, Request, Requests, Then};
use serde_json::json;

use super::{
    crawl_id, crawl_ids, create, define_crawler, finish_crawl, setup, setup_with_short_timeouts,
    start_crawler_elsewhere, wait_finished, wait_for_crawl_id,
};
use crate::harness::{SHORT_START_SETTLE, TestEnv};

/// Asserts that each object has one crawl when the first StartCrawler of its crawler meets a fault.
/// Each case: name, fault, and the number of calls of StartCrawler.
async fn assert_one_crawl(env: &TestEnv, cases: Vec<(&str, Then, u64)>) {
    for (name, fault, starts) in cases {
        define_crawler(env, name, super::stepwise());
        let before = env.double.requests().count("StartCrawler");
        env.double.faults().add(Fault::on("StartCrawler").name(name).nth(1).then(fault));
        create(env, name, json!({"crawlerName": name})).await;
        let object = wait_for_crawl_id(env, name).await;
        assert_eq!(crawl_ids(env, name), [crawl_id(&object).unwrap()], "{name}");
        finish_crawl(env);
        wait_finished(env, name, Phase::Succeeded).await;
        assert_eq!(env.double.requests().count("StartCrawler") - before, starts, "{name}: calls of StartCrawler");
        assert_eq!(crawl_ids(env, name).len(), 1, "{name}: crawls in Glue");
    }
}

#[tokio::test]
async fn when_the_response_is_lost_after_the_start_the_controller_finds_the_crawl() {
    let env = setup_with_short_timeouts("crawl-found").await;
    let cases = vec![
        ("dropped", Then::DropAnswerAfterWork, 1),
        // Held for good.
        ("late-answer", Then::HoldAnswer, 1),
        ("http-500-after-work", Then::Http500AfterWork, 1),
    ];
    assert_one_crawl(&env, cases).await;
}

#[tokio::test]
async fn an_ambiguous_error_without_a_crawl_leads_to_another_start_after_the_settle_time() {
    let env = setup_with_short_timeouts("crawl-again").await;
    let timeout = Then::error("OperationTimeoutException", "The operation timed out.");
    assert_one_crawl(&env, vec![("dropped-before", Then::DropConnectionBefore, 2), ("timeout", timeout, 2)]).await;
    let [_, second] = &env.double.requests().of("StartCrawler").name("dropped-before")[..] else { panic!("two calls") };
    // Counted from the intent, since the first call may have been in flight for a while when Glue received it.
    let intended = env.objects::<GlueCrawlerRun>().intent_written_at("dropped-before").await;
    let apart = second.received.duration_since(intended);
    assert!(apart >= SHORT_START_SETTLE, "sent again after {apart:?}, when the first call could still take effect");
}

#[tokio::test]
async fn a_definite_error_leads_to_another_start() {
    let env = setup("crawl-no").await;
    assert_one_crawl(&env, vec![("throttled", Then::Throttle, 2), ("expired", Then::ExpiredToken, 2)]).await;
}

/// The response of its start was lost, too.
#[tokio::test]
async fn a_crawl_that_ends_before_the_lookup_is_found() {
    let env = setup("crawl-ended").await;
    let held = env.double.faults().add(Fault::on("ListCrawls").nth(2).then(Then::Hold));
    env.double.faults().add(Fault::on("StartCrawler").nth(1).then(Then::DropAnswerAfterWork));
    create(&env, "one", json!({})).await;
    // The first call reads the baseline before the start, the second is the lookup.
    env.wait_for_calls("ListCrawls", 2).await;
    finish_crawl(&env);
    start_crawler_elsewhere(&env, "raw");
    env.double.faults().remove(held);
    env.double.faults().release();
    let object = wait_finished(&env, "one", Phase::Succeeded).await;
    assert_eq!(
        crawl_id(&object),
        crawl_ids(&env, "raw").first().map(String::as_str),
        "not the crawl that was started later"
    );
    assert_eq!(env.double.requests().count("StartCrawler"), 1);
}

/// Neither before the first start nor after an ambiguous error.
#[tokio::test]
async fn nothing_is_started_while_reads_of_the_crawler_or_its_crawls_fail() {
    let env = setup_with_short_timeouts("crawl-blind").await;
    for (operation, name) in [("BatchGetCrawlers", "state"), ("ListCrawls", "history")] {
        define_crawler(&env, name, super::stepwise());
        let denied = Then::error("AccessDeniedException", "not authorized");
        let failing = env.double.faults().add(Fault::on(operation).then(denied));
        create(&env, name, json!({"crawlerName": name})).await;
        let message = env.objects::<GlueCrawlerRun>().wait_for_reason(name, "AccessDenied").await;
        assert!(message.contains(&format!("allow glue:{operation}")), "{message}");
        assert_eq!(env.double.requests().of("StartCrawler").name(name).count(), 0);
        env.double.faults().remove(failing);
        wait_for_crawl_id(&env, name).await;
    }
    // After an ambiguous error.
    define_crawler(&env, "after", super::stepwise());
    env.double.faults().add(Fault::on("StartCrawler").name("after").then(Then::DropConnectionBefore));
    create(&env, "after", json!({"crawlerName": "after"})).await;
    let starts = |requests: &Requests| requests.of("StartCrawler").name("after").count();
    env.wait_for_requests("Glue received StartCrawler", |requests| starts(requests) > 0).await;
    let failing = env.double.faults().add(Fault::on("ListCrawls").name("after").then(Then::Http500));
    let failed_lookups = |requests: &Requests| {
        let lookups = requests.of("ListCrawls").name("after");
        lookups.matching(|lookup| lookup.answer().is_some_and(|answer| answer.status == 500))
    };
    env.wait_for_requests("a lookup failed", |requests| failed_lookups(requests).count() > 0).await;
    let (sent, since) = (starts(env.double.requests()), failed_lookups(env.double.requests())[0].received);
    start_crawler_elsewhere(&env, "after");
    let is_late = |lookup: &Request| lookup.received.duration_since(since) > SHORT_START_SETTLE;
    let what = "a lookup failed after --start-settle";
    env.wait_for_requests(what, |requests| failed_lookups(requests).matching(is_late).count() > 0).await;
    assert_eq!(starts(env.double.requests()), sent);
    env.double.faults().remove(failing);
    let object = wait_for_crawl_id(&env, "after").await;
    assert_eq!(crawl_ids(&env, "after"), [crawl_id(&object).unwrap()]);
    assert_eq!(starts(env.double.requests()), sent);
}

/// ListCrawls does not have the started crawl at first.
#[tokio::test]
async fn a_crawl_that_is_listed_late_is_waited_for_without_another_start() {
    let env = setup("crawl-late").await;
    // A stale list is right about the baseline: there was no crawl.
    let lag = Then::StaleRead { age: Duration::from_hours(1) };
    let stale = env.double.faults().add(Fault::on("ListCrawls").then(lag));
    create(&env, "one", json!({})).await;
    let is_accepted = |object: &GlueCrawlerRun| {
        let attempt = object.status.as_ref().and_then(|status| status.run.attempt());
        attempt.is_some_and(|attempt| attempt.accepted)
    };
    env.objects().wait_until("one", "its status has the accepted start", is_accepted).await;
    env.double.faults().remove(stale);
    let object = wait_for_crawl_id(&env, "one").await;
    assert_eq!(crawl_ids(&env, "raw"), [crawl_id(&object).unwrap()]);
    assert_eq!(env.double.requests().count("StartCrawler"), 1);
}

#[tokio::test]
async fn a_missing_crawler_is_reported_and_its_crawl_starts_once_it_exists() {
    let env = setup("crawl-missing").await;
    create(&env, "one", json!({"crawlerName": "late"})).await;
    let message = env.objects::<GlueCrawlerRun>().wait_for_reason("one", "NotFound").await;
    assert!(message.contains("there is no crawler late in this account and region"), "{message}");
    define_crawler(&env, "late", CrawlScript::ends(CrawlOutcome::Completed));
    wait_for_crawl_id(&env, "one").await;
}
