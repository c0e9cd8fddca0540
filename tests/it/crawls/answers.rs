//! What Glue answers to StartCrawler, or fails to.

use std::time::Duration;

use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{CrawlOutcome, CrawlScript, Fault, Request, Requests, Then};
use serde_json::json;

use super::{crawler, finish, hasty_world, id, ids, known, over, put, start_elsewhere, world};
use crate::harness::{SETTLE, World};

async fn one_crawl_in_spite_of(world: &World, cases: Vec<(&str, Then, u64)>) {
    for (name, fault, starts) in cases {
        crawler(world, name, super::stepwise());
        let before = world.double.requests().count("StartCrawler");
        world.double.faults().add(Fault::on("StartCrawler").name(name).nth(1).then(fault));
        put(world, name, json!({"crawlerName": name})).await;
        let object = known(world, name).await;
        assert_eq!(ids(world, name), [id(&object).unwrap()], "{name}");
        finish(world);
        over(world, name, Phase::Succeeded).await;
        assert_eq!(world.double.requests().count("StartCrawler") - before, starts, "{name}: starts that were sent");
        assert_eq!(ids(world, name).len(), 1, "{name}: crawls in Glue");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_work_leads_to_looking_and_finding() {
    let world = hasty_world("crawl-found").await;
    let cases = vec![
        ("dropped", Then::DropAnswerAfterWork, 1),
        // Kept back for good.
        ("late-answer", Then::HoldAnswer, 1),
        ("http-500-after-work", Then::Http500AfterWork, 1),
    ];
    one_crawl_in_spite_of(&world, cases).await;
}

#[tokio::test]
async fn an_unclear_answer_without_a_crawl_leads_to_another_start_after_a_while() {
    let world = hasty_world("crawl-again").await;
    let timeout = Then::error("OperationTimeoutException", "The operation timed out.");
    one_crawl_in_spite_of(&world, vec![("dropped-before", Then::DropConnectionBefore, 2), ("timeout", timeout, 2)])
        .await;
    let [_, second] = &world.double.requests().of("StartCrawler").name("dropped-before")[..] else { panic!("two") };
    // From the intent, since the first may have been long on its way to Glue.
    let intended = world.of::<GlueCrawlerRun>().intended("dropped-before").await;
    let apart = second.received.duration_since(intended);
    assert!(apart >= SETTLE, "sent again after {apart:?}, when the first could still be taken");
}

#[tokio::test]
async fn a_clear_no_leads_to_a_start_later() {
    let world = world("crawl-no").await;
    one_crawl_in_spite_of(&world, vec![("throttled", Then::Throttle, 2), ("expired", Then::ExpiredToken, 2)]).await;
}

/// The answer is lost, and the crawl is over before anybody can look: it is found all the same.
#[tokio::test]
async fn a_crawl_that_ends_before_we_look_is_found() {
    let world = world("crawl-ended").await;
    let blind = world.double.faults().add(Fault::on("ListCrawls").nth(2).then(Then::Hold));
    world.double.faults().add(Fault::on("StartCrawler").nth(1).then(Then::DropAnswerAfterWork));
    put(&world, "one", json!({})).await;
    // The first asks what is there before the start, the second what came of it.
    world.calls("ListCrawls", 2).await;
    finish(&world);
    start_elsewhere(&world, "raw");
    world.double.faults().remove(blind);
    world.double.faults().release();
    let object = over(&world, "one", Phase::Succeeded).await;
    assert_eq!(id(&object), ids(&world, "raw").first().map(String::as_str), "not the one that came after it");
    assert_eq!(world.double.requests().count("StartCrawler"), 1);
}

/// Nothing is started while Glue cannot be asked what is there, before the start and after it.
#[tokio::test]
async fn nothing_is_started_while_glue_does_not_say_what_is_there() {
    let world = hasty_world("crawl-blind").await;
    for (operation, name) in [("BatchGetCrawlers", "state"), ("ListCrawls", "history")] {
        crawler(&world, name, super::stepwise());
        let denied = Then::error("AccessDeniedException", "not authorized");
        let blind = world.double.faults().add(Fault::on(operation).then(denied));
        put(&world, name, json!({"crawlerName": name})).await;
        let told = world.of::<GlueCrawlerRun>().reason(name, "AccessDenied").await;
        assert!(told.contains(&format!("allow glue:{operation}")), "{told}");
        assert_eq!(world.double.requests().of("StartCrawler").name(name).count(), 0);
        world.double.faults().remove(blind);
        known(&world, name).await;
    }
    // After it: what came of a start whose answer was lost.
    crawler(&world, "after", super::stepwise());
    world.double.faults().add(Fault::on("StartCrawler").name("after").then(Then::DropConnectionBefore));
    put(&world, "after", json!({"crawlerName": "after"})).await;
    let starts = |requests: &Requests| requests.of("StartCrawler").name("after").count();
    world.requests("it was started", |requests| starts(requests) > 0).await;
    let blind = world.double.faults().add(Fault::on("ListCrawls").name("after").then(Then::Http500));
    let in_vain = |requests: &Requests| {
        let looks = requests.of("ListCrawls").name("after");
        looks.matching(|look| look.answer().is_some_and(|answer| answer.status == 500))
    };
    world.requests("it was looked for in vain", |requests| in_vain(requests).count() > 0).await;
    let (sent, since) = (starts(world.double.requests()), in_vain(world.double.requests())[0].received);
    start_elsewhere(&world, "after");
    let is_late = |look: &Request| look.received.duration_since(since) > SETTLE;
    let late = "it was looked for in vain when --start-settle had passed";
    world.requests(late, |requests| in_vain(requests).matching(is_late).count() > 0).await;
    assert_eq!(starts(world.double.requests()), sent);
    world.double.faults().remove(blind);
    let object = known(&world, "after").await;
    assert_eq!(ids(&world, "after"), [id(&object).unwrap()]);
    assert_eq!(starts(world.double.requests()), sent);
}

/// A history that lags: what was started is not shown at first, and nothing is started again.
#[tokio::test]
async fn a_crawl_that_shows_late_is_waited_for() {
    let world = world("crawl-late").await;
    // What is there before the start, nothing, it shows all the same.
    let lag = Then::StaleRead { age: Duration::from_hours(1) };
    let stale = world.double.faults().add(Fault::on("ListCrawls").then(lag));
    put(&world, "one", json!({})).await;
    let accepted = |object: &GlueCrawlerRun| {
        let attempt = object.status.as_ref().and_then(|status| status.run.attempt());
        attempt.is_some_and(|attempt| attempt.accepted)
    };
    world.of().until("one", "the yes is on record", accepted).await;
    world.double.faults().remove(stale);
    let object = known(&world, "one").await;
    assert_eq!(ids(&world, "raw"), [id(&object).unwrap()]);
    assert_eq!(world.double.requests().count("StartCrawler"), 1);
}

#[tokio::test]
async fn a_crawler_that_is_not_there_is_waited_for() {
    let world = world("crawl-nobody").await;
    put(&world, "one", json!({"crawlerName": "late"})).await;
    let told = world.of::<GlueCrawlerRun>().reason("one", "NotFound").await;
    assert!(told.contains("there is no crawler late in this account and region"), "{told}");
    crawler(&world, "late", CrawlScript::ends(CrawlOutcome::Completed));
    known(&world, "one").await;
}
