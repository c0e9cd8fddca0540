//! The controller gets SIGKILL at every point of a start that is visible from outside, or two controllers run.

use kube_glue::api::run::Phase;
use kube_glue::api::{FINALIZER, GlueCrawlerRun};
use kube_glue_double::{Fault, Request, Then};
use serde_json::{Value, json};

use super::{
    crawl_id, crawl_ids, create, finish_crawl, setup_without_controller, start_crawler_elsewhere, wait_finished,
    wait_for_crawl_id, wait_for_phase, wait_until_queued,
};
use crate::harness::{SHORT_START_SETTLE, SHORT_TIMEOUTS, TestEnv, merged};

/// Creates the object `one` as a controller leaves it that is killed right after it wrote this attempt.
async fn create_with_attempt(env: &TestEnv, attempt: Value) {
    let objects = env.objects::<GlueCrawlerRun>();
    let object = json!({"metadata": {"name": "one", "finalizers": [FINALIZER]}, "spec": {"crawlerName": "raw"}});
    objects.try_create(object).await.expect("an object");
    let now = "2026-01-01T00:00:00Z";
    let intent = json!({"number": 0, "key": "one/0", "activeSince": now, "intendedAt": now});
    let attempt = merged(intent, attempt);
    objects.patch_status("one", json!({"observedGeneration": 1, "phase": "Starting", "attempts": [attempt]})).await;
}

/// Asserts that the object `one` succeeds with the newest crawl, and counts the crawls and the calls of StartCrawler.
async fn assert_succeeds(env: &TestEnv, crawls: usize, starts: u64) {
    let object = wait_for_crawl_id(env, "one").await;
    assert_eq!(crawl_id(&object), crawl_ids(env, "raw").last().map(String::as_str));
    finish_crawl(env);
    wait_finished(env, "one", Phase::Succeeded).await;
    assert_eq!((crawl_ids(env, "raw").len(), env.double.requests().count("StartCrawler")), (crawls, starts));
}

/// The next controller cannot know whether StartCrawler was sent.
#[tokio::test]
async fn a_kill_between_intent_and_start_gives_one_crawl() {
    let mut env = setup_without_controller("crawl-intended").await;
    create_with_attempt(&env, json!({"baseline": {}})).await;
    env.set_flags(SHORT_TIMEOUTS);
    env.start_controller();
    assert_succeeds(&env, 1, 1).await;
}

/// The crawl of the baseline is not taken for the object's own, the later one is.
#[tokio::test]
async fn a_kill_after_the_start_was_sent_gives_one_crawl() {
    let mut env = setup_without_controller("crawl-sent").await;
    let before = start_crawler_elsewhere(&env, "raw");
    finish_crawl(&env);
    let started_at = super::crawls_in_glue(&env, "raw")[0]["StartTime"].as_f64().expect("a time");
    #[allow(clippy::cast_possible_truncation)]
    let started_at = jiff::Timestamp::from_second(started_at as i64).expect("a time");
    start_crawler_elsewhere(&env, "raw");
    create_with_attempt(&env, json!({"baseline": {"id": before, "startedAt": started_at.to_string()}})).await;
    env.start_controller();
    assert_succeeds(&env, 2, 0).await;
}

/// The response of StartCrawler has no crawl id. After it nothing is started, however late the crawl is listed.
#[tokio::test]
async fn a_kill_between_the_response_and_the_crawl_id_gives_one_crawl() {
    let mut env = setup_without_controller("crawl-accepted").await;
    create_with_attempt(&env, json!({"baseline": {}, "accepted": true})).await;
    env.set_flags(SHORT_TIMEOUTS);
    env.start_controller();
    env.wait_for_calls("ListCrawls", 1).await;
    let since = env.double.requests().of("ListCrawls")[0].received;
    let is_late = |lookup: &Request| lookup.received.duration_since(since) > SHORT_START_SETTLE;
    let what = "there was a lookup after --start-settle";
    env.wait_for_requests(what, |requests| requests.of("ListCrawls").matching(is_late).count() > 0).await;
    assert_eq!(env.double.requests().count("StartCrawler"), 0);
    start_crawler_elsewhere(&env, "raw");
    assert_succeeds(&env, 1, 0).await;
}

/// Glue has started the crawl and not answered.
#[tokio::test]
async fn a_kill_while_the_start_is_in_flight_gives_one_crawl() {
    let mut env = setup_without_controller("crawl-during").await;
    env.double.faults().add(Fault::on("StartCrawler").nth(1).then(Then::HoldAnswer));
    env.start_controller();
    create(&env, "one", json!({})).await;
    env.wait_for_calls("StartCrawler", 1).await;
    env.wait_for_requests("the crawl has started", |_| crawl_ids(&env, "raw").len() == 1).await;
    env.kill_controller();
    env.double.faults().clear();
    env.start_controller();
    assert_succeeds(&env, 1, 1).await;
}

/// Each object continues where it was, and the waiting objects share one crawl.
#[tokio::test]
async fn after_a_kill_waiting_objects_still_share_one_crawl() {
    let mut env = setup_without_controller("crawl-waiting").await;
    env.start_controller();
    create(&env, "one", json!({})).await;
    wait_for_phase(&env, "one", Phase::Running).await;
    let names = ["two", "three", "four"];
    for name in names {
        create(&env, name, json!({})).await;
        wait_until_queued(&env, name).await;
    }
    env.kill_controller();
    env.start_controller();
    // The oldest starts first once all are queued again.
    for name in names {
        env.wait_for_log("it", &format!("name=\"{name}\" step=AwaitChange")).await;
    }
    finish_crawl(&env);
    wait_finished(&env, "one", Phase::Succeeded).await;
    for name in names {
        let object = wait_for_crawl_id(&env, name).await;
        assert_eq!(crawl_id(&object), crawl_ids(&env, "raw").get(1).map(String::as_str), "{name}");
    }
    // Another kill, and the crawl ends while no controller runs.
    env.kill_controller();
    finish_crawl(&env);
    env.start_controller();
    for name in names {
        wait_finished(&env, name, Phase::Succeeded).await;
    }
    assert_eq!((crawl_ids(&env, "raw").len(), env.double.requests().count("StartCrawler")), (2, 2));
}

#[tokio::test]
async fn a_crawl_started_elsewhere_while_the_controller_is_down_covers_the_waiting_object() {
    let mut env = setup_without_controller("crawl-down").await;
    env.start_controller();
    start_crawler_elsewhere(&env, "raw");
    create(&env, "one", json!({})).await;
    wait_until_queued(&env, "one").await;
    env.kill_controller();
    finish_crawl(&env);
    start_crawler_elsewhere(&env, "raw");
    finish_crawl(&env);
    env.start_controller();
    wait_finished(&env, "one", Phase::Succeeded).await;
    assert_eq!((crawl_ids(&env, "raw").len(), env.double.requests().count("StartCrawler")), (2, 0));
}

/// The baseline is lost with the status, and a crawl carries no key by which it could be recognized. So another crawl
/// follows the active one.
#[tokio::test]
async fn after_a_cleared_status_the_object_gets_another_crawl() {
    let mut env = setup_without_controller("crawl-lost").await;
    env.start_controller();
    create(&env, "one", json!({})).await;
    let first = wait_for_phase(&env, "one", Phase::Running).await;
    env.objects::<GlueCrawlerRun>().clear_status("one").await;
    wait_until_queued(&env, "one").await;
    finish_crawl(&env);
    let second = wait_for_crawl_id(&env, "one").await;
    assert_ne!(crawl_id(&first), crawl_id(&second));
    assert_succeeds(&env, 2, 2).await;
}

/// Only one of them can write the intent.
#[tokio::test]
async fn two_controllers_without_leader_election_start_each_object_once() {
    let mut env = setup_without_controller("crawl-both").await;
    env.set_flags(&[("--leader-election", "false")]);
    env.start_controller_as("a");
    env.start_controller_as("b");
    let names: Vec<_> = (0..5).map(|n| format!("raw-{n}")).collect();
    for name in &names {
        super::define_crawler(&env, name, super::stepwise());
        create(&env, name, json!({"crawlerName": name})).await;
    }
    for name in &names {
        let object = wait_for_crawl_id(&env, name).await;
        assert_eq!(crawl_ids(&env, name), [crawl_id(&object).unwrap()]);
    }
    finish_crawl(&env);
    for name in &names {
        wait_finished(&env, name, Phase::Succeeded).await;
        assert_eq!(crawl_ids(&env, name).len(), 1, "{name}");
    }
    assert_eq!(env.double.requests().count("StartCrawler"), 5);
}
