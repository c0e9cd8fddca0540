//! An ON_DEMAND trigger is fired once for each new value of `fire`, whatever Glue answers.

use std::time::Duration;

use jiff::Timestamp;
use kube_glue::api::GlueTrigger;
use kube_glue::api::trigger::TargetKind;
use kube_glue_double::{CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Fault, JobDefinition, Request, RunScript, Then};
use serde_json::json;

use super::{last_firing, ready_reason_and_status, status};
use crate::harness::{REGION, SHORT_START_SETTLE, SHORT_TIMEOUTS, STEP, TestEnv, quick};

/// An environment with the trigger `refresh` and its object `one` without `fire`.
async fn setup(name: &str) -> TestEnv {
    create_refresh(TestEnv::new(name).await).await
}

/// The same with [`SHORT_TIMEOUTS`].
async fn setup_with_short_timeouts(name: &str) -> TestEnv {
    create_refresh(TestEnv::with_flags(name, SHORT_TIMEOUTS).await).await
}

async fn create_refresh(env: TestEnv) -> TestEnv {
    env.define_trigger("refresh", "ON_DEMAND", json!({}));
    env.objects::<GlueTrigger>().create("one", json!({"triggerName": "refresh"})).await;
    env.objects::<GlueTrigger>().wait_ready("one").await;
    env
}

#[tokio::test]
async fn a_new_value_fires_once_and_the_started_run_is_followed_to_its_end() {
    let env = TestEnv::new("gtr-fired").await;
    env.define_trigger("refresh", "ON_DEMAND", json!({}));
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("one", json!({"triggerName": "refresh", "fire": "there"})).await;
    let trigger = triggers.wait_ready("one").await;
    assert_eq!(
        (ready_reason_and_status(&trigger).0.as_str(), status(&trigger).last_handled_fire.as_deref()),
        ("OnDemand", Some("there"))
    );
    assert_eq!(env.firings("refresh"), 0, "the value at the creation counts as fired");

    triggers.patch_spec("one", json!({"fire": "2026-01-31"})).await;
    let firing = env.wait_for_firing("one", "2026-01-31").await;
    let runs = env.glue_runs("etl");
    assert_eq!((firing.started.len(), runs.len()), (1, 1));
    assert_eq!(Some(firing.started[0].id.as_str()), runs[0]["Id"].as_str());
    assert_eq!(runs[0]["TriggerName"], "refresh");
    let trigger = triggers
        .wait_until("one", "its run has ended", |trigger| ready_reason_and_status(trigger).0 == "Completed")
        .await;
    let firing = last_firing(&trigger).expect("a firing");
    assert_eq!((firing.started[0].state.as_deref(), firing.ended_at.is_some()), (Some("SUCCEEDED"), true));
    // A finished run is no longer polled, and a change of another field does not fire.
    let before = env.double.requests().count("GetJobRun") + env.double.requests().count("GetJobRuns");
    triggers.patch_spec("one", json!({"driftPolicy": "Report", "fire": "2026-01-31"})).await;
    env.wait_for_more_calls("BatchGetTriggers", 5).await;
    let now = env.double.requests().count("GetJobRun") + env.double.requests().count("GetJobRuns");
    assert_eq!((now, env.start_stop_calls("refresh").len()), (before, 1));

    env.define_job(
        JobDefinition::new("etl")
            .max_concurrent_runs(9)
            .script(RunScript::fails("no such bucket").starting(Duration::ZERO).running(Duration::from_millis(300))),
    );
    triggers.patch_spec("one", json!({"fire": "2026-02-01"})).await;
    let message = triggers.wait_for_reason("one", "CompletedWithFailures").await;
    assert!(message.contains("fired for 2026-02-01") && message.contains("(FAILED: no such bucket)"), "{message}");
    assert_eq!(env.wait_for_event("CompletedWithFailures").await.type_.as_deref(), Some("Warning"));
    let trigger = triggers.api.get("one").await.expect("the object");
    let earlier: Vec<_> = status(&trigger).earlier_firings.iter().map(|firing| firing.value.as_str()).collect();
    assert_eq!((env.firings("refresh"), earlier), (2, vec!["2026-01-31"]));
}

#[tokio::test]
async fn all_started_jobs_crawlers_and_workflows_are_found_and_followed() {
    let env = TestEnv::new("gtr-targets").await;
    env.double
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
    env.call_glue("CreateWorkflow", &json!({"Name": "daily"}));
    let actions =
        json!([{"JobName": "etl"}, {"JobName": "etl", "Arguments": {"--again": "1"}}, {"CrawlerName": "orders"}]);
    env.define_trigger("refresh", "ON_DEMAND", json!({"WorkflowName": "daily", "Actions": actions}));
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("one", json!({"triggerName": "refresh", "fire": "a", "fireOnCreation": true})).await;
    let firing = env.wait_for_firing("one", "a").await;
    let kinds: Vec<_> = firing.started.iter().map(|run| run.target.kind).collect();
    assert_eq!(kinds, [TargetKind::Job, TargetKind::Job, TargetKind::Crawler, TargetKind::Workflow]);
    // Longer than the default crawl of the double takes.
    env.double.clock().step(Duration::from_hours(1));
    let trigger = triggers
        .wait_until("one", "all runs have ended", |trigger| ready_reason_and_status(trigger).0 == "Completed")
        .await;
    let states: Vec<_> =
        last_firing(&trigger).expect("a firing").started.iter().filter_map(|run| run.state.clone()).collect();
    assert_eq!(states, ["SUCCEEDED", "SUCCEEDED", "COMPLETED", "COMPLETED"]);
}

#[tokio::test]
async fn a_workflow_run_that_glue_completes_with_a_failed_job_is_a_failure() {
    let env = TestEnv::new("gtr-workflow-failed").await;
    env.define_job(JobDefinition::new("load").script(RunScript::fails("no such bucket")));
    env.call_glue("CreateWorkflow", &json!({"Name": "daily"}));
    env.define_trigger("refresh", "ON_DEMAND", json!({"WorkflowName": "daily"}));
    let after = json!({"Conditions": [{"LogicalOperator": "EQUALS", "JobName": "etl", "State": "SUCCEEDED"}]});
    let then = json!({
        "WorkflowName": "daily", "Actions": [{"JobName": "load"}], "Predicate": after, "StartOnCreation": true,
    });
    env.define_trigger("then", "CONDITIONAL", then);
    let triggers = env.objects::<GlueTrigger>();
    triggers.create("one", json!({"triggerName": "refresh", "fire": "a", "fireOnCreation": true})).await;
    env.wait_for_firing("one", "a").await;
    env.double.clock().step(Duration::from_hours(1));
    env.double.clock().step(Duration::from_hours(1));
    let message = triggers.wait_for_reason("one", "CompletedWithFailures").await;
    assert!(message.contains("(COMPLETED: of 2 actions 1 failed: job "), "{message}");
    let trigger = triggers.api.get("one").await.expect("the object");
    let started = &last_firing(&trigger).expect("a firing").started;
    let failed: Vec<_> = started.iter().map(|run| (run.target.kind, run.failed)).collect();
    assert_eq!(failed, [(TargetKind::Job, false), (TargetKind::Workflow, true)]);
    assert_eq!(env.wait_for_event("CompletedWithFailures").await.type_.as_deref(), Some("Warning"));
}

/// The values are set as fast as the API server accepts them.
#[tokio::test]
async fn several_values_within_a_second_all_fire_in_order() {
    let env = setup("gtr-quick").await;
    let triggers = env.objects::<GlueTrigger>();
    let values = ["a", "b", "c", "d", "e"];
    for value in values {
        triggers.patch_spec("one", json!({"fire": value})).await;
    }
    env.wait_for_firing("one", "e").await;
    let trigger = triggers.api.get("one").await.expect("the object");
    let earlier = status(&trigger).earlier_firings.iter().map(|firing| firing.value.as_str());
    let fired: Vec<_> = earlier.chain(last_firing(&trigger).map(|firing| firing.value.as_str())).collect();
    assert_eq!(fired, values);
    assert_eq!((env.start_stop_calls("refresh").len(), env.firings("refresh")), (5, 5));
    // Each has its own run, in the order of the firings.
    let runs = env.glue_runs("etl");
    let ids: Vec<_> = runs.iter().filter_map(|run| run["Id"].as_str()).collect();
    let firings = status(&trigger).earlier_firings.iter().chain(last_firing(&trigger));
    let known: Vec<_> = firings.flat_map(|firing| &firing.started).map(|run| run.id.as_str()).collect();
    assert_eq!(known, ids);
}

/// Asserts that a value fires once when the first StartTrigger meets `fault`; `sent` is the number of calls.
async fn assert_one_firing(env: TestEnv, fault: Then, sent: usize) -> TestEnv {
    env.double.faults().add(Fault::on("StartTrigger").nth(1).then(fault));
    env.objects::<GlueTrigger>().patch_spec("one", json!({"fire": "a"})).await;
    let firing = env.wait_for_firing("one", "a").await;
    assert_eq!(firing.started.len(), 1);
    assert_eq!((env.start_stop_calls("refresh").len(), env.firings("refresh")), (sent, 1));
    env
}

#[tokio::test]
async fn when_the_response_is_lost_after_the_firing_the_controller_finds_its_run() {
    assert_one_firing(setup("gtr-dropped").await, Then::DropAnswerAfterWork, 1).await;
    assert_one_firing(setup("gtr-500-after").await, Then::Http500AfterWork, 1).await;
}

#[tokio::test]
async fn an_ambiguous_error_without_a_run_leads_to_another_firing_after_the_settle_time() {
    let env = assert_one_firing(setup_with_short_timeouts("gtr-lost").await, Then::DropConnectionBefore, 2).await;
    let starts = env.double.requests().of("StartTrigger");
    // Counted from the intent, since the first call may have been in flight for a while when Glue received it.
    let apart = starts[1].received.duration_since(env.objects::<GlueTrigger>().intent_written_at("one").await);
    assert!(apart >= SHORT_START_SETTLE, "fired again after {apart:?}, when the first call could still take effect");
    let lookups = env.double.requests().of("GetJobRuns").after(starts[0].sequence);
    // A call with MaxResults 1 reads the baseline, as before each firing.
    let is_lookup = |call: &Request| call.sequence < starts[1].sequence && call.field("MaxResults") != Some(json!(1));
    assert!(lookups.matching(is_lookup).count() > 0, "a lookup comes before the second firing");
}

#[tokio::test]
async fn a_definite_error_is_reported_and_the_firing_retried() {
    let env = assert_one_firing(setup("gtr-throttled").await, Then::Throttle, 2).await;
    assert_eq!(env.wait_for_event("Throttled").await.type_.as_deref(), Some("Warning"));
    // The job has no free slot: Glue rejects the firing until it has.
    let env = setup("gtr-busy").await;
    env.double.clock().hold();
    env.define_job(JobDefinition::new("etl").max_concurrent_runs(1).script(quick()));
    env.call_glue("StartJobRun", &json!({"JobName": "etl"}));
    env.objects::<GlueTrigger>().patch_spec("one", json!({"fire": "a"})).await;
    env.objects::<GlueTrigger>().wait_for_reason("one", "ConcurrentRunsExceeded").await;
    env.double.clock().step(STEP);
    assert_eq!(env.wait_for_firing("one", "a").await.started.len(), 1);
    assert_eq!(env.firings("refresh"), 1);
}

#[tokio::test]
async fn nothing_is_fired_while_lookups_fail() {
    let env = setup_with_short_timeouts("gtr-blind").await;
    let failing = env.double.faults().add(Fault::on("GetJobRuns").then(Then::Http500));
    env.objects::<GlueTrigger>().patch_spec("one", json!({"fire": "a"})).await;
    env.objects::<GlueTrigger>().wait_for_reason("one", "AnswerUnclear").await;
    assert!(env.start_stop_calls("refresh").is_empty(), "the baseline must be known first");
    env.double.faults().remove(failing);
    env.wait_for_firing("one", "a").await;

    // Nor while the outcome of a firing with an ambiguous error cannot be looked up.
    let lost = env.double.faults().add(Fault::on("StartTrigger").then(Then::DropConnectionBefore));
    env.objects::<GlueTrigger>().patch_spec("one", json!({"fire": "b"})).await;
    env.wait_for_calls("StartTrigger", 2).await;
    let failing = env.double.faults().add(Fault::on("GetJobRuns").then(Then::error("AccessDeniedException", "no")));
    env.objects::<GlueTrigger>().wait_for_reason("one", "AccessDenied").await;
    let (sent, since) = (env.start_stop_calls("refresh").len(), Timestamp::now());
    let is_late = |lookup: &Request| lookup.received.duration_since(since) > SHORT_START_SETTLE;
    let what = "a lookup failed after --start-settle";
    env.wait_for_requests(what, |requests| requests.of("GetJobRuns").matching(is_late).count() > 0).await;
    assert_eq!((env.start_stop_calls("refresh").len(), env.firings("refresh")), (sent, 1));
    env.double.faults().remove(lost);
    env.double.faults().remove(failing);
    env.wait_for_firing("one", "b").await;
    assert_eq!((env.start_stop_calls("refresh").len(), env.firings("refresh")), (sent + 1, 2));
}

/// Runs of the same job, started by another trigger and by a direct call.
#[tokio::test]
async fn runs_started_elsewhere_are_not_taken_for_the_firings_own() {
    let env = setup_with_short_timeouts("gtr-others").await;
    env.define_trigger("other", "ON_DEMAND", json!({}));
    env.double.faults().add(Fault::on("StartTrigger").nth(1).then(Then::DropConnectionBefore));
    env.objects::<GlueTrigger>().patch_spec("one", json!({"fire": "a"})).await;
    env.wait_for_calls("StartTrigger", 1).await;
    env.call_glue("StartTrigger", &json!({"Name": "other"}));
    env.call_glue("StartJobRun", &json!({"JobName": "etl"}));
    let firing = env.wait_for_firing("one", "a").await;
    assert_eq!((firing.started.len(), env.firings("refresh")), (1, 1));
    let own = env.glue_runs("etl").into_iter().find(|run| run["TriggerName"] == "refresh").expect("a run");
    assert_eq!(own["Id"].as_str(), Some(firing.started[0].id.as_str()));
}
