//! The controller is killed at every point that can be seen from outside, or there are two of them.

use kube::api::{Patch, PatchParams};
use kube_glue::api::run::Phase;
use kube_glue::api::{FINALIZER, GlueCrawlerRun};
use kube_glue_double::{Fault, Request, Then};
use serde_json::{Value, json};

use super::{finish, id, ids, known, over, put, start_elsewhere, until_phase, waits, without_controller};
use crate::harness::{HASTY, SETTLE, World};

/// What a controller leaves behind that is killed right after it wrote this attempt.
async fn left_with(world: &World, attempt: Value) {
    let objects = world.of::<GlueCrawlerRun>();
    let object = json!({"metadata": {"name": "one", "finalizers": [FINALIZER]}, "spec": {"crawlerName": "raw"}});
    objects.create(object).await.expect("an object");
    let now = "2026-01-01T00:00:00Z";
    let intent = json!({"number": 0, "key": "one/0", "activeSince": now, "intendedAt": now});
    let attempt = crate::harness::merged(intent, attempt);
    let status = json!({"status": {"observedGeneration": 1, "phase": "Starting", "attempts": [attempt]}});
    objects.api.patch_status("one", &PatchParams::default(), &Patch::Merge(status)).await.expect("a status");
}

async fn is_served_by(world: &World, crawls: usize, starts: u64) {
    let object = known(world, "one").await;
    assert_eq!(id(&object), ids(world, "raw").last().map(String::as_str));
    finish(world);
    over(world, "one", Phase::Succeeded).await;
    assert_eq!((ids(world, "raw").len(), world.double.requests().count("StartCrawler")), (crawls, starts));
}

/// Between the intent and the start: the next one cannot know whether it was sent, and looks.
#[tokio::test]
async fn after_the_intent_with_nothing_sent() {
    let mut world = without_controller("crawl-intended").await;
    left_with(&world, json!({"baseline": {}})).await;
    world.set(HASTY);
    world.start_controller();
    is_served_by(&world, 1, 1).await;
}

/// What was there before the intent is not taken for its crawl, and what came after is.
#[tokio::test]
async fn after_the_intent_with_a_start_that_was_sent() {
    let mut world = without_controller("crawl-sent").await;
    let before = start_elsewhere(&world, "raw");
    finish(&world);
    let started_at = super::history(&world, "raw")[0]["StartTime"].as_f64().expect("a time");
    #[allow(clippy::cast_possible_truncation)]
    let started_at = jiff::Timestamp::from_second(started_at as i64).expect("a time");
    start_elsewhere(&world, "raw");
    left_with(&world, json!({"baseline": {"id": before, "startedAt": started_at.to_string()}})).await;
    world.start_controller();
    is_served_by(&world, 2, 0).await;
}

/// Killed after Glue's yes, which names no crawl: nothing is started, however long the crawl does not show.
#[tokio::test]
async fn after_the_yes_and_before_the_crawl_is_known() {
    let mut world = without_controller("crawl-yes").await;
    left_with(&world, json!({"baseline": {}, "accepted": true})).await;
    world.set(HASTY);
    world.start_controller();
    world.calls("ListCrawls", 1).await;
    let since = world.double.requests().of("ListCrawls")[0].received;
    let is_late = |look: &Request| look.received.duration_since(since) > SETTLE;
    let late = "it looked when --start-settle had passed";
    world.requests(late, |requests| requests.of("ListCrawls").matching(is_late).count() > 0).await;
    assert_eq!(world.double.requests().count("StartCrawler"), 0);
    start_elsewhere(&world, "raw");
    is_served_by(&world, 1, 0).await;
}

/// Killed while the start is on its way; it takes effect all the same.
#[tokio::test]
async fn during_the_start() {
    let mut world = without_controller("crawl-during").await;
    world.double.faults().add(Fault::on("StartCrawler").nth(1).then(Then::HoldAnswer));
    world.start_controller();
    put(&world, "one", json!({})).await;
    world.calls("StartCrawler", 1).await;
    world.requests("the work is done", |_| ids(&world, "raw").len() == 1).await;
    world.kill_controller();
    world.double.faults().clear();
    world.start_controller();
    is_served_by(&world, 1, 1).await;
}

/// Killed while some wait and one crawls: each goes on where it was, and one crawl serves those who waited.
#[tokio::test]
async fn while_objects_wait() {
    let mut world = without_controller("crawl-waiting").await;
    world.start_controller();
    put(&world, "one", json!({})).await;
    until_phase(&world, "one", Phase::Running).await;
    let names = ["two", "three", "four"];
    for name in names {
        put(&world, name, json!({})).await;
        waits(&world, name).await;
    }
    world.kill_controller();
    world.start_controller();
    // The oldest goes first once all of them are in line again.
    for name in names {
        world.says("it", &format!("name=\"{name}\" step=Rest")).await;
    }
    finish(&world);
    over(&world, "one", Phase::Succeeded).await;
    for name in names {
        let object = known(&world, name).await;
        assert_eq!(id(&object), ids(&world, "raw").get(1).map(String::as_str), "{name}");
    }
    // Once more, and the crawl ends while nobody looks.
    world.kill_controller();
    finish(&world);
    world.start_controller();
    for name in names {
        over(&world, name, Phase::Succeeded).await;
    }
    assert_eq!((ids(&world, "raw").len(), world.double.requests().count("StartCrawler")), (2, 2));
}

/// While nobody looks, the crawl that was waited for ends, and somebody else starts the next one.
#[tokio::test]
async fn what_began_while_the_controller_was_down_serves_those_who_waited() {
    let mut world = without_controller("crawl-down").await;
    world.start_controller();
    start_elsewhere(&world, "raw");
    put(&world, "one", json!({})).await;
    waits(&world, "one").await;
    world.kill_controller();
    finish(&world);
    start_elsewhere(&world, "raw");
    finish(&world);
    world.start_controller();
    over(&world, "one", Phase::Succeeded).await;
    assert_eq!((ids(&world, "raw").len(), world.double.requests().count("StartCrawler")), (2, 0));
}

/// A status that is lost takes with it what was there before: a crawl carries no key, so that the object is
/// crawled for once more, after what is under way.
#[tokio::test]
async fn a_lost_status_is_crawled_for_once_more() {
    let mut world = without_controller("crawl-lost").await;
    world.start_controller();
    put(&world, "one", json!({})).await;
    let first = until_phase(&world, "one", Phase::Running).await;
    world.of::<GlueCrawlerRun>().lose_status("one").await;
    waits(&world, "one").await;
    finish(&world);
    let second = known(&world, "one").await;
    assert_ne!(id(&first), id(&second));
    is_served_by(&world, 2, 2).await;
}

/// Two controllers that both believe to lead: the intent is written by one of them only.
#[tokio::test]
async fn two_controllers_at_once() {
    let mut world = without_controller("crawl-both").await;
    world.set(&[("--leader-election", "false")]);
    world.start_controller_as("a");
    world.start_controller_as("b");
    let names: Vec<_> = (0..5).map(|n| format!("raw-{n}")).collect();
    for name in &names {
        super::crawler(&world, name, super::stepwise());
        put(&world, name, json!({"crawlerName": name})).await;
    }
    for name in &names {
        let object = known(&world, name).await;
        assert_eq!(ids(&world, name), [id(&object).unwrap()]);
    }
    finish(&world);
    for name in &names {
        over(&world, name, Phase::Succeeded).await;
        assert_eq!(ids(&world, name).len(), 1, "{name}");
    }
    assert_eq!(world.double.requests().count("StartCrawler"), 5);
}
