//! Deletion ends: whatever Glue refuses, hides, or never finishes, a namespace goes away, soon after the deletion timeout
//! at the latest.

use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use kube::api::Api;
use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{
    CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Fault, JobDefinition, RunScript, Then,
};
use serde_json::json;

use crate::harness::{REGION, TestEnv, object_name, run_id, wait_for_event};

const FLAGS: &[(&str, &str)] = &[("--deletion-timeout", "5s"), ("--leader-election", "false")];

/// An environment with live runs of the job `endless`, whose runs are as `script` says, and the ids of the runs.
async fn with_live_runs(name: &str, count: usize, script: RunScript) -> (TestEnv, Vec<String>) {
    let env = TestEnv::with_flags(name, FLAGS).await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(10).script(script));
    let mut ids = Vec::new();
    for number in 0..count {
        env.create_run(&format!("run-{number}"), "endless", json!({})).await;
    }
    for number in 0..count {
        let run = env.wait_for_phase(&format!("run-{number}"), Phase::Running).await;
        ids.push(run_id(&run).expect("an id").to_owned());
    }
    (env, ids)
}

fn live() -> RunScript {
    RunScript::never_ends().starting(Duration::ZERO).stopping(Duration::from_millis(300))
}

/// An environment with a live crawl of the crawler `raw`.
async fn with_live_crawl(name: &str, script: CrawlScript) -> TestEnv {
    let env = TestEnv::with_flags(name, FLAGS).await;
    env.double.define_crawler(DEFAULT_ACCOUNT, REGION, CrawlerSettings::new("raw"), script).expect("a crawler");
    env.objects::<GlueCrawlerRun>().create("crawl", json!({"crawlerName": "raw"})).await;
    env.objects::<GlueCrawlerRun>().wait_for_phase("crawl", Phase::Running).await;
    env
}

fn crawls() -> CrawlScript {
    let plan = CrawlPlan { outcome: CrawlOutcome::Never, stopping: Duration::ZERO, ..CrawlPlan::default() };
    CrawlScript::sequence([plan])
}

/// Waits for the Warning about what remains in Glue. It regards the namespace: in one that is deleted, no event can be
/// created.
async fn assert_left_behind(env: &TestEnv, what: &str) {
    let events: Api<Event> = Api::namespaced(env.client.clone(), "default");
    let is_about = |event: &Event| {
        let note = event.note.as_deref().unwrap_or_default();
        object_name(event) == Some(&env.namespace) && note.contains(what)
    };
    assert!(wait_for_event(events, is_about).await.is_some(), "no event about {what}\n{}", env.log_tail());
}

fn state_of(env: &TestEnv, id: &str) -> String {
    let run = env.call_glue("GetJobRun", &json!({"JobName": "endless", "RunId": id}));
    run["JobRun"]["JobRunState"].as_str().expect("a state").to_owned()
}

/// GetJobRuns answers EntityNotFoundException for the job, but each run is known by its id.
#[tokio::test]
async fn three_live_runs_of_a_deleted_job_are_stopped_and_the_namespace_is_deleted() {
    let (env, ids) = with_live_runs("job-deleted", 3, live()).await;
    env.call_glue("DeleteJob", &json!({"JobName": "endless"}));
    env.delete_namespace().await;
    for id in ids {
        assert!(["STOPPING", "STOPPED"].contains(&state_of(&env, &id).as_str()), "{id} was not stopped");
    }
}

/// Neither the runs nor their stops are known any more.
#[tokio::test]
async fn a_namespace_is_deleted_when_glue_has_forgotten_the_runs_with_their_job() {
    let (env, _) = with_live_runs("job-forgotten", 3, live()).await;
    env.double.forget_runs_of_deleted_jobs(DEFAULT_ACCOUNT, REGION, true);
    env.call_glue("DeleteJob", &json!({"JobName": "endless"}));
    env.delete_namespace().await;
}

#[tokio::test]
async fn a_namespace_is_deleted_while_its_run_stays_in_stopping() {
    let (env, ids) = with_live_runs("stuck-run", 1, live().never_stops()).await;
    env.delete_namespace().await;
    assert_eq!(state_of(&env, &ids[0]), "STOPPING");
    assert_left_behind(&env, &ids[0]).await;
}

#[tokio::test]
async fn a_namespace_is_deleted_while_its_crawl_stays_in_stopping() {
    let env = with_live_crawl("stuck-crawl", crawls().never_stops()).await;
    env.delete_namespace().await;
    assert_left_behind(&env, "raw").await;
}

#[tokio::test]
async fn a_namespace_is_deleted_while_stops_of_runs_have_no_effect() {
    let (env, ids) = with_live_runs("lying-stop", 3, live()).await;
    env.double.faults().add(Fault::on("BatchStopJobRun").then(Then::Lie));
    env.delete_namespace().await;
    for id in ids {
        assert_eq!(state_of(&env, &id), "RUNNING");
        assert_left_behind(&env, &id).await;
    }
}

#[tokio::test]
async fn a_namespace_is_deleted_while_the_stop_of_a_crawl_has_no_effect() {
    let env = with_live_crawl("lying-crawl", crawls()).await;
    env.double.faults().add(Fault::on("StopCrawler").then(Then::Lie));
    env.delete_namespace().await;
    assert_left_behind(&env, "raw").await;
}

/// The identity may stop runs but not list them.
#[tokio::test]
async fn runs_are_stopped_and_the_namespace_is_deleted_while_they_cannot_be_listed() {
    let (env, ids) = with_live_runs("unlisted", 3, live()).await;
    env.double.faults().add(Fault::on("GetJobRuns").then(Then::AccessDenied));
    env.delete_namespace().await;
    for id in ids {
        assert!(["STOPPING", "STOPPED"].contains(&state_of(&env, &id).as_str()), "{id} was not stopped");
    }
}
