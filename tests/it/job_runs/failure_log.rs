//! The end of the log of a failed run, in its status and as an Event.

use std::time::Duration;

use kube_glue::api::GlueCrawlerRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{
    CrawlOutcome, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, JobDefinition, Log, LogLine, Policy, RunScript,
};
use serde_json::json;

use crate::harness::{REGION, TestEnv, is_event_on, run_id};

const PASSWORD: &str = "tr0ub4dor-and-three";

/// A job of Glue 4.0 whose runs fail at once, and write these lines to the error log.
fn failing(name: &str, lines: &[&str]) -> JobDefinition {
    let lines = lines.iter().map(|line| LogLine::new(line).to(Log::Error));
    let script = RunScript::fails("exit code 1").starting(Duration::ZERO).running(Duration::ZERO).logs(lines);
    JobDefinition::new(name).glue_version("4.0").script(script)
}

#[tokio::test]
async fn the_status_and_an_event_have_the_end_of_the_log_without_secret_values() {
    let env = TestEnv::new("failure-log").await;
    env.put_secret("db", &[("password", PASSWORD)]).await;
    let error = format!("ValueError: cannot log in with {PASSWORD}");
    let lines = ["24/01/31 12:00:00 INFO Utils: bye", "Traceback (most recent call last):", &error];
    env.define_job(failing("leaky", &lines));
    let from = json!([{"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}}]);
    env.create_run("one", "leaky", json!({"argumentsFrom": from})).await;
    let has_log = |run: &kube_glue::api::GlueJobRun| run.status.as_ref().is_some_and(|status| status.failure.is_some());
    let run = env.wait_until("one", "its status has the log", has_log).await;
    let failure = run.status.as_ref().and_then(|status| status.failure.clone()).expect("the log");
    assert_eq!(failure.log, "Traceback (most recent call last):\nValueError: cannot log in with [hidden]");
    assert_eq!((failure.log_group.as_str(), run_id(&run)), ("/aws-glue/jobs/error", Some(failure.log_stream.as_str())));
    env.wait_for_event_on("one", "FailureLog").await;
    let events = env.events().await;
    let event = events.iter().find(|event| is_event_on(event, "one", "FailureLog")).expect("the Event");
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    assert!(event.note.as_ref().is_some_and(|note| note.ends_with("cannot log in with [hidden]")), "{event:?}");
    // The run is over as ever.
    env.wait_finished("one", Phase::Failed).await;
    env.assert_no_secret_leaked().await;
}

#[tokio::test]
async fn without_the_right_it_is_said_once_and_nothing_else_changes() {
    let env = TestEnv::new("failure-denied").await;
    let user = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:user/kube-glue");
    env.double.iam().set_policy(&user, Policy::deny(&["logs:*"]));
    env.define_job(failing("broken", &["a line"]));
    env.create_run("one", "broken", json!({})).await;
    env.wait_finished("one", Phase::Failed).await;
    env.wait_for_event_on("one", "FailureLogDenied").await;
    env.create_run("two", "broken", json!({})).await;
    env.wait_finished("two", Phase::Failed).await;
    env.wait_for_log("it", "AWS refused it to this identity before").await;
    let events = env.events().await;
    let denied: Vec<_> = events.iter().filter(|event| event.reason.as_deref() == Some("FailureLogDenied")).collect();
    assert_eq!(denied.len(), 1, "{denied:?}");
    let note = denied[0].note.as_deref().expect("a note");
    assert!(note.contains("is not authorized to perform: logs:GetLogEvents") && note.contains("Allow logs"), "{note}");
    assert_eq!(env.double.requests().count("GetLogEvents"), 1);
    for name in ["one", "two"] {
        let status = env.job_runs().get(name).await.expect("the run").status.expect("a status");
        assert_eq!((status.failure, status.error_message.as_deref()), (None, Some("exit code 1")));
    }
}

#[tokio::test]
async fn switched_off_no_log_is_read() {
    let env = TestEnv::with_flags("failure-off", &[("--failure-logs", "false")]).await;
    env.define_job(failing("broken", &["a line"]));
    env.create_run("one", "broken", json!({})).await;
    env.wait_finished("one", Phase::Failed).await;
    env.wait_for_event_on("one", "Failed").await;
    // Whatever follows the end of a run has been filed by the time another run has come to its end.
    env.create_run("two", "etl", json!({})).await;
    env.wait_finished("two", Phase::Succeeded).await;
    assert_eq!(env.double.requests().count("GetLogEvents"), 0);
}

#[tokio::test]
async fn a_failed_crawl_shows_its_own_lines_of_the_log_of_its_crawler() {
    let env = TestEnv::new("failure-crawl").await;
    let script = CrawlScript::ends(CrawlOutcome::Failed("no such bucket".to_owned()));
    env.double.define_crawler(DEFAULT_ACCOUNT, REGION, CrawlerSettings::new("raw"), script).expect("a crawler");
    env.double.clock().hold();
    let objects = env.objects::<GlueCrawlerRun>();
    objects.create("one", json!({"crawlerName": "raw"})).await;
    let id = |run: &GlueCrawlerRun| run.status.as_ref().and_then(|status| status.crawl_id.clone());
    let run = objects.wait_until("one", "its crawl is known", |run| id(run).is_some()).await;
    let id = id(&run).expect("an id");
    let (group, stream) = ("/aws-glue/crawlers", "raw");
    env.call_glue("CreateLogGroup", &json!({"logGroupName": group}));
    env.call_glue("CreateLogStream", &json!({"logGroupName": group, "logStreamName": stream}));
    let line = |text: &str| json!({"timestamp": 1, "message": text});
    let lines = [line(&format!("[{id}] ERROR : AccessDenied")), line("[another] INFO : done")];
    env.call_glue("PutLogEvents", &json!({"logGroupName": group, "logStreamName": stream, "logEvents": lines}));
    env.double.clock().step(Duration::from_mins(10));
    let has_log = |run: &GlueCrawlerRun| run.status.as_ref().is_some_and(|status| status.failure.is_some());
    let run = objects.wait_until("one", "its status has the log", has_log).await;
    let failure = run.status.and_then(|status| status.failure).expect("the log");
    assert_eq!((failure.log, failure.log_stream.as_str()), (format!("[{id}] ERROR : AccessDenied"), "raw"));
}
