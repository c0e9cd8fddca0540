//! Crawls: one at a time for each crawler, each object served by one that covers it, by the double's record.

mod answers;
mod cost;
mod crashes;
mod life;
mod line;

use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT};
use serde_json::{Value, json};

use crate::harness::{DEFAULT_SECRET, HASTY, REGION, STEP, World, condition, merged};

/// Crawls of which the crawler is RUNNING and then STOPPING for a [`STEP`] each.
fn stepwise() -> CrawlScript {
    CrawlScript::sequence([plan(CrawlOutcome::Completed)])
}

fn plan(outcome: CrawlOutcome) -> CrawlPlan {
    CrawlPlan { running: STEP, stopping: STEP, outcome, ..CrawlPlan::default() }
}

/// A world with the crawler `raw`, whose clock is held, and a controller.
async fn world(name: &str) -> World {
    let mut world = without_controller(name).await;
    world.start_controller();
    world
}

/// The same with a controller for which answers are soon lost.
async fn hasty_world(name: &str) -> World {
    let mut world = without_controller(name).await;
    world.set(HASTY);
    world.start_controller();
    world
}

/// The same without a controller; it will be calm.
async fn without_controller(name: &str) -> World {
    let world = World::without_controller(name).await;
    world.put_credentials(DEFAULT_SECRET).await;
    world.double.clock().hold();
    crawler(&world, "raw", stepwise());
    world
}

fn crawler(world: &World, name: &str, script: CrawlScript) {
    let settings = CrawlerSettings::new(name);
    world.double.define_crawler(DEFAULT_ACCOUNT, REGION, settings, script).expect("a crawler");
}

/// Somebody else starts it; the crawl's id.
fn start_elsewhere(world: &World, crawler: &str) -> String {
    world.elsewhere("StartCrawler", &json!({"Name": crawler}));
    ids(world, crawler).pop().expect("a crawl")
}

/// A crawler's crawls, oldest first.
fn history(world: &World, crawler: &str) -> Vec<Value> {
    let answer = world.elsewhere("ListCrawls", &json!({"CrawlerName": crawler, "MaxResults": 100}));
    let mut crawls = answer["Crawls"].as_array().expect("a list").clone();
    crawls.reverse();
    crawls
}

fn ids(world: &World, crawler: &str) -> Vec<String> {
    let id = |crawl: &Value| crawl["CrawlId"].as_str().expect("an id").to_owned();
    history(world, crawler).iter().map(id).collect()
}

/// How often StartCrawler really started `crawler` when asked by a controller.
fn started(world: &World, crawler: &str) -> usize {
    world.double.requests().of("StartCrawler").name(crawler).succeeded().count()
}

fn id(object: &GlueCrawlerRun) -> Option<&str> {
    object.status.as_ref().and_then(|status| status.crawl_id.as_deref())
}

fn phase(object: &GlueCrawlerRun) -> Option<Phase> {
    object.status.as_ref().and_then(|status| status.run.phase)
}

fn is_held(object: &GlueCrawlerRun) -> bool {
    object.metadata.finalizers.iter().flatten().any(|name| name == kube_glue::api::FINALIZER)
}

fn message(object: &GlueCrawlerRun) -> String {
    condition(object, "Ready").expect("a condition").message
}

/// Creates an object for `raw`.
async fn put(world: &World, name: &str, spec: Value) -> GlueCrawlerRun {
    world.of().put(name, merged(json!({"crawlerName": "raw"}), spec)).await
}

async fn until_phase(world: &World, name: &str, wanted: Phase) -> GlueCrawlerRun {
    world.of().until(name, &format!("it is {wanted:?}"), |object| phase(object) == Some(wanted)).await
}

/// Waits until its crawl is known.
async fn known(world: &World, name: &str) -> GlueCrawlerRun {
    world.of().until(name, "its crawl is known", |object| id(object).is_some()).await
}

/// Waits until it waits on record, and says so in these words.
async fn waits_saying(world: &World, name: &str, words: &str) {
    waits(world, name).await;
    // Who goes before it may be leaving the line just now.
    let says = |object: &GlueCrawlerRun| condition(object, "Ready").is_some_and(|ready| ready.message == words);
    world.of().until(name, words, says).await;
}

/// Waits until it is in `phase` and free of our finalizer.
async fn over(world: &World, name: &str, wanted: Phase) -> GlueCrawlerRun {
    let what = format!("it is {wanted:?} and free of the finalizer");
    world.of().until(name, &what, |object| phase(object) == Some(wanted) && !is_held(object)).await
}

/// Waits until it waits, with what was there before on record.
async fn waits(world: &World, name: &str) -> GlueCrawlerRun {
    let is_on_record = |object: &GlueCrawlerRun| {
        let attempt = object.status.as_ref().and_then(|status| status.run.attempt());
        phase(object) == Some(Phase::Waiting) && attempt.is_some_and(|attempt| attempt.baseline.is_some())
    };
    world.of().until(name, "it waits on record", is_on_record).await
}

/// Lets the crawl that is under way come to its end.
fn finish(world: &World) {
    world.double.clock().step(STEP);
    world.double.clock().step(STEP);
}
