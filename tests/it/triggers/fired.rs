//! A trigger of type ON_DEMAND is fired once for each new value of fire, whatever Glue answers.

use std::time::Duration;

use jiff::Timestamp;
use kube_glue::api::GlueTrigger;
use kube_glue::api::trigger::TargetKind;
use kube_glue_double::{CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Fault, JobDefinition, Request, RunScript, Then};
use serde_json::json;

use super::{last, ready_of, status};
use crate::harness::{HASTY, REGION, SETTLE, STEP, World, quick};

/// A world with the trigger `refresh` and an object `one` about it, which has seen no value of fire yet.
async fn world(name: &str) -> World {
    with_one(World::new(name).await).await
}

/// The same with a controller that soon takes an answer for lost, and a firing that is not found for one that came to
/// nothing.
async fn hasty_world(name: &str) -> World {
    with_one(World::with(name, HASTY).await).await
}

async fn with_one(world: World) -> World {
    world.trigger("refresh", "ON_DEMAND", json!({}));
    world.of::<GlueTrigger>().put("one", json!({"triggerName": "refresh"})).await;
    world.of::<GlueTrigger>().ready("one").await;
    world
}

#[tokio::test]
async fn a_new_value_fires_once_and_what_it_started_is_followed_to_its_end() {
    let world = World::new("gtr-fired").await;
    world.trigger("refresh", "ON_DEMAND", json!({}));
    let triggers = world.of::<GlueTrigger>();
    triggers.put("one", json!({"triggerName": "refresh", "fire": "there"})).await;
    let trigger = triggers.ready("one").await;
    assert_eq!(
        (ready_of(&trigger).0.as_str(), status(&trigger).last_handled_fire.as_deref()),
        ("OnDemand", Some("there"))
    );
    assert_eq!(world.firings("refresh"), 0, "the value that stood there counts as done");

    triggers.edit("one", json!({"fire": "2026-01-31"})).await;
    let firing = world.resolved("one", "2026-01-31").await;
    let runs = world.glue_runs("etl");
    assert_eq!((firing.started.len(), runs.len()), (1, 1));
    assert_eq!(Some(firing.started[0].id.as_str()), runs[0]["Id"].as_str());
    assert_eq!(runs[0]["TriggerName"], "refresh");
    let trigger = triggers.until("one", "its run has ended", |trigger| ready_of(trigger).0 == "Completed").await;
    let firing = last(&trigger).expect("a firing");
    assert_eq!((firing.started[0].state.as_deref(), firing.ended_at.is_some()), (Some("SUCCEEDED"), true));
    // Nothing is asked about what has ended, and nothing is fired by an edit of anything else.
    let asked = world.double.requests().count("GetJobRun") + world.double.requests().count("GetJobRuns");
    let polls = world.double.requests().count("BatchGetTriggers");
    triggers.edit("one", json!({"driftPolicy": "Report", "fire": "2026-01-31"})).await;
    world.calls("BatchGetTriggers", polls + 5).await;
    let now = world.double.requests().count("GetJobRun") + world.double.requests().count("GetJobRuns");
    assert_eq!((now, world.switches("refresh").len()), (asked, 1));

    world.job(
        JobDefinition::new("etl")
            .max_concurrent_runs(9)
            .script(RunScript::fails("no such bucket").starting(Duration::ZERO).running(Duration::from_millis(300))),
    );
    triggers.edit("one", json!({"fire": "2026-02-01"})).await;
    let message = triggers.reason("one", "CompletedWithFailures").await;
    assert!(message.contains("fired for 2026-02-01") && message.contains("(FAILED)"), "{message}");
    assert_eq!(world.event("CompletedWithFailures").await.type_.as_deref(), Some("Warning"));
    let trigger = triggers.api.get("one").await.expect("the object");
    let earlier: Vec<_> = status(&trigger).earlier_firings.iter().map(|firing| firing.value.as_str()).collect();
    assert_eq!((world.firings("refresh"), earlier), (2, vec!["2026-01-31"]));
}

#[tokio::test]
async fn what_else_a_trigger_starts_is_found_and_followed_as_well() {
    let world = World::new("gtr-targets").await;
    world
        .double
        .define_crawler(
            DEFAULT_ACCOUNT,
            REGION,
            serde_json::from_value::<CrawlerSettings>(
                json!({"Name": "orders", "Role": "glue", "Targets": {"S3Targets": [{"Path": "s3://orders"}]}}),
            )
            .expect("a crawler"),
            CrawlScript::default(),
        )
        .expect("a crawler");
    world.elsewhere("CreateWorkflow", &json!({"Name": "daily"}));
    let actions =
        json!([{"JobName": "etl"}, {"JobName": "etl", "Arguments": {"--again": "1"}}, {"CrawlerName": "orders"}]);
    world.trigger("refresh", "ON_DEMAND", json!({"WorkflowName": "daily", "Actions": actions}));
    let triggers = world.of::<GlueTrigger>();
    triggers.put("one", json!({"triggerName": "refresh", "fire": "a", "fireOnCreation": true})).await;
    let firing = world.resolved("one", "a").await;
    let kinds: Vec<_> = firing.started.iter().map(|run| run.target.kind).collect();
    assert_eq!(kinds, [TargetKind::Job, TargetKind::Job, TargetKind::Crawler, TargetKind::Workflow]);
    // What a crawler's script takes is Glue's affair: it ends when it ends.
    world.double.clock().step(Duration::from_hours(1));
    let trigger = triggers.until("one", "all has ended", |trigger| ready_of(trigger).0 == "Completed").await;
    let states: Vec<_> = last(&trigger).expect("a firing").started.iter().filter_map(|run| run.state.clone()).collect();
    assert_eq!(states, ["SUCCEEDED", "SUCCEEDED", "COMPLETED", "COMPLETED"]);
}

/// As fast as the API server takes them.
#[tokio::test]
async fn values_within_a_second_all_fire_in_their_order() {
    let world = world("gtr-quick").await;
    let triggers = world.of::<GlueTrigger>();
    let values = ["a", "b", "c", "d", "e"];
    for value in values {
        triggers.edit("one", json!({"fire": value})).await;
    }
    world.resolved("one", "e").await;
    let trigger = triggers.api.get("one").await.expect("the object");
    let earlier = status(&trigger).earlier_firings.iter().map(|firing| firing.value.as_str());
    let fired: Vec<_> = earlier.chain(last(&trigger).map(|firing| firing.value.as_str())).collect();
    assert_eq!(fired, values);
    assert_eq!((world.switches("refresh").len(), world.firings("refresh")), (5, 5));
    // Each has its own run, in the order of the firings.
    let runs = world.glue_runs("etl");
    let ids: Vec<_> = runs.iter().filter_map(|run| run["Id"].as_str()).collect();
    let firings = status(&trigger).earlier_firings.iter().chain(last(&trigger));
    let known: Vec<_> = firings.flat_map(|firing| &firing.started).map(|run| run.id.as_str()).collect();
    assert_eq!(known, ids);
}

/// What becomes of the first call, and how often it is sent.
async fn one_firing_in_spite_of(world: World, fault: Then, sent: usize) -> World {
    world.double.faults().add(Fault::on("StartTrigger").nth(1).then(fault));
    world.of::<GlueTrigger>().edit("one", json!({"fire": "a"})).await;
    let firing = world.resolved("one", "a").await;
    assert_eq!(firing.started.len(), 1);
    assert_eq!((world.switches("refresh").len(), world.firings("refresh")), (sent, 1));
    world
}

#[tokio::test]
async fn an_answer_that_is_lost_leads_to_looking_and_finding() {
    one_firing_in_spite_of(world("gtr-dropped").await, Then::DropAnswerAfterWork, 1).await;
    one_firing_in_spite_of(world("gtr-500-after").await, Then::Http500AfterWork, 1).await;
}

#[tokio::test]
async fn an_unclear_answer_without_a_run_leads_to_another_firing_after_a_while() {
    let world = one_firing_in_spite_of(hasty_world("gtr-lost").await, Then::DropConnectionBefore, 2).await;
    let starts = world.double.requests().of("StartTrigger");
    // From the intent, since the first may have been long on its way to Glue.
    let apart = starts[1].received.duration_since(world.of::<GlueTrigger>().intended("one").await);
    assert!(apart >= SETTLE, "not before it is settled: {apart:?}");
    let looks = world.double.requests().of("GetJobRuns").after(starts[0].sequence);
    // The newest run alone is asked for before each firing, whatever became of the last one.
    let looks = looks.matching(|look| look.sequence < starts[1].sequence && look.field("MaxResults") != Some(json!(1)));
    assert!(looks.count() > 0, "it looks before it fires again");
}

#[tokio::test]
async fn a_clear_no_is_said_and_tried_again() {
    let world = one_firing_in_spite_of(world("gtr-throttled").await, Then::Throttle, 2).await;
    assert_eq!(world.event("Throttled").await.type_.as_deref(), Some("Warning"));
    // No slot for the job: Glue refuses until there is one.
    let world = self::world("gtr-busy").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("etl").max_concurrent_runs(1).script(quick()));
    world.elsewhere("StartJobRun", &json!({"JobName": "etl"}));
    world.of::<GlueTrigger>().edit("one", json!({"fire": "a"})).await;
    world.of::<GlueTrigger>().reason("one", "ConcurrentRunsExceeded").await;
    world.double.clock().step(STEP);
    assert_eq!(world.resolved("one", "a").await.started.len(), 1);
    assert_eq!(world.firings("refresh"), 1);
}

#[tokio::test]
async fn nothing_is_fired_while_glue_does_not_say_what_runs() {
    let world = hasty_world("gtr-blind").await;
    let blind = world.double.faults().add(Fault::on("GetJobRuns").then(Then::Http500));
    world.of::<GlueTrigger>().edit("one", json!({"fire": "a"})).await;
    world.of::<GlueTrigger>().reason("one", "AnswerUnclear").await;
    assert!(world.switches("refresh").is_empty(), "what was there before must be known first");
    world.double.faults().remove(blind);
    world.resolved("one", "a").await;

    // Nor while it does not say what came of a firing whose answer was lost.
    let lost = world.double.faults().add(Fault::on("StartTrigger").then(Then::DropConnectionBefore));
    world.of::<GlueTrigger>().edit("one", json!({"fire": "b"})).await;
    world.calls("StartTrigger", 2).await;
    let blind = world.double.faults().add(Fault::on("GetJobRuns").then(Then::error("AccessDeniedException", "no")));
    world.of::<GlueTrigger>().reason("one", "AccessDenied").await;
    let (sent, since) = (world.switches("refresh").len(), Timestamp::now());
    let is_late = |look: &Request| look.received.duration_since(since) > SETTLE;
    let late = "it looked in vain when --start-settle had passed";
    world.requests(late, |requests| requests.of("GetJobRuns").matching(is_late).count() > 0).await;
    assert_eq!((world.switches("refresh").len(), world.firings("refresh")), (sent, 1));
    world.double.faults().remove(lost);
    world.double.faults().remove(blind);
    world.resolved("one", "b").await;
    assert_eq!((world.switches("refresh").len(), world.firings("refresh")), (sent + 1, 2));
}

/// A run by somebody else, of the same job and by another trigger, is not taken for ours.
#[tokio::test]
async fn what_others_start_is_not_taken_for_ours() {
    let world = hasty_world("gtr-others").await;
    world.trigger("other", "ON_DEMAND", json!({}));
    world.double.faults().add(Fault::on("StartTrigger").nth(1).then(Then::DropConnectionBefore));
    world.of::<GlueTrigger>().edit("one", json!({"fire": "a"})).await;
    world.calls("StartTrigger", 1).await;
    world.elsewhere("StartTrigger", &json!({"Name": "other"}));
    world.elsewhere("StartJobRun", &json!({"JobName": "etl"}));
    let firing = world.resolved("one", "a").await;
    assert_eq!((firing.started.len(), world.firings("refresh")), (1, 1));
    let ours = world.glue_runs("etl").into_iter().find(|run| run["TriggerName"] == "refresh").expect("a run");
    assert_eq!(ours["Id"].as_str(), Some(firing.started[0].id.as_str()));
}
