//! GlueCrawlerRun: a crawler runs one crawl at a time, and each object gets one that covers it.

mod crashes;
mod lifecycle;
mod queue;
mod request_cost;
mod start_responses;

use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT};
use serde_json::{Value, json};

use crate::harness::{REGION, SHORT_TIMEOUTS, STEP, TestEnv, condition, merged};

/// Crawls that complete; the crawler is RUNNING and then STOPPING for a [`STEP`] each.
fn stepwise() -> CrawlScript {
    CrawlScript::sequence([plan(CrawlOutcome::Completed)])
}

fn plan(outcome: CrawlOutcome) -> CrawlPlan {
    CrawlPlan { running: STEP, stopping: STEP, outcome, ..CrawlPlan::default() }
}

/// An environment with a held clock, the [`stepwise`] crawler `raw`, and a controller.
async fn setup(name: &str) -> TestEnv {
    let mut env = setup_without_controller(name).await;
    env.start_controller();
    env
}

/// The same with [`SHORT_TIMEOUTS`].
async fn setup_with_short_timeouts(name: &str) -> TestEnv {
    let mut env = setup_without_controller(name).await;
    env.set_flags(SHORT_TIMEOUTS);
    env.start_controller();
    env
}

/// The same without a controller.
async fn setup_without_controller(name: &str) -> TestEnv {
    let env = TestEnv::with_credentials(name).await;
    env.double.clock().hold();
    define_crawler(&env, "raw", stepwise());
    env
}

fn define_crawler(env: &TestEnv, name: &str, script: CrawlScript) {
    let settings = CrawlerSettings::new(name);
    env.double.define_crawler(DEFAULT_ACCOUNT, REGION, settings, script).expect("a crawler");
}

/// Starts a crawl as somebody else than the controller, and returns its id.
fn start_crawler_elsewhere(env: &TestEnv, crawler: &str) -> String {
    env.call_glue("StartCrawler", &json!({"Name": crawler}));
    crawl_ids(env, crawler).pop().expect("a crawl")
}

/// Steps the clock to the end of the active [`stepwise`] crawls.
fn finish_crawl(env: &TestEnv) {
    env.double.clock().step(STEP);
    env.double.clock().step(STEP);
}

/// The crawls of a crawler in Glue, oldest first.
fn crawls_in_glue(env: &TestEnv, crawler: &str) -> Vec<Value> {
    let answer = env.call_glue("ListCrawls", &json!({"CrawlerName": crawler, "MaxResults": 100}));
    let mut crawls = answer["Crawls"].as_array().expect("a list").clone();
    crawls.reverse();
    crawls
}

fn crawl_ids(env: &TestEnv, crawler: &str) -> Vec<String> {
    let id = |crawl: &Value| crawl["CrawlId"].as_str().expect("an id").to_owned();
    crawls_in_glue(env, crawler).iter().map(id).collect()
}

/// How many calls of StartCrawler for `crawler` by a controller succeeded.
fn successful_starts(env: &TestEnv, crawler: &str) -> usize {
    env.double.requests().of("StartCrawler").name(crawler).succeeded().count()
}

fn crawl_id(object: &GlueCrawlerRun) -> Option<&str> {
    object.status.as_ref().and_then(|status| status.crawl_id.as_deref())
}

fn phase(object: &GlueCrawlerRun) -> Option<Phase> {
    object.status.as_ref().and_then(|status| status.run.phase)
}

/// The message of the Ready condition.
fn message(object: &GlueCrawlerRun) -> String {
    condition(object, "Ready").expect("a condition").message
}

/// Creates an object for the crawler `raw`, unless `spec` names another.
async fn create(env: &TestEnv, name: &str, spec: Value) -> GlueCrawlerRun {
    env.objects().create(name, merged(json!({"crawlerName": "raw"}), spec)).await
}

async fn wait_for_phase(env: &TestEnv, name: &str, phase: Phase) -> GlueCrawlerRun {
    env.objects().wait_for_phase(name, phase).await
}

/// Waits until the status has the id of a crawl.
async fn wait_for_crawl_id(env: &TestEnv, name: &str) -> GlueCrawlerRun {
    env.objects().wait_until(name, "its status has a crawl id", |object| crawl_id(object).is_some()).await
}

/// Waits until the object is in `phase` and its finalizer is removed.
async fn wait_finished(env: &TestEnv, name: &str, phase: Phase) -> GlueCrawlerRun {
    env.objects().wait_finished(name, phase).await
}

/// Waits until the object waits for its crawler, and its status has the newest crawl so far as baseline.
async fn wait_until_queued(env: &TestEnv, name: &str) -> GlueCrawlerRun {
    let is_queued = |object: &GlueCrawlerRun| {
        let attempt = object.status.as_ref().and_then(|status| status.run.attempt());
        phase(object) == Some(Phase::Waiting) && attempt.is_some_and(|attempt| attempt.baseline.is_some())
    };
    env.objects().wait_until(name, "it is waiting with a baseline", is_queued).await
}

/// The same, and until the Ready condition has this message.
async fn wait_until_queued_with(env: &TestEnv, name: &str, expected: &str) {
    wait_until_queued(env, name).await;
    // The message may still be that of an object further back in the queue.
    let has_message =
        |object: &GlueCrawlerRun| condition(object, "Ready").is_some_and(|ready| ready.message == expected);
    env.objects().wait_until(name, expected, has_message).await;
}
