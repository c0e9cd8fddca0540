//! What the status says of an item.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::ToSpan;
use serde_json::{Value, json};

use super::fixture::{Fixture, start};
use crate::api::inventory::{EndedRuns, ItemType};
use crate::glue::crawls::{Crawl, CrawlState};
use crate::glue::inventory::{Crawler, Workflow};
use crate::glue::job_runs::JobRunState::{
    Error, Expired, Failed, Running, Starting, Stopped, Stopping, Succeeded, Timeout, Waiting,
};
use crate::glue::triggers::{Action, Trigger, TriggerState, TriggerType};
use crate::glue::workflow_runs::{NodeKind, Statistics, WorkflowRun, WorkflowRunItem, WorkflowRunState};
use crate::redaction::Sensitive;

#[test]
fn all_ten_states_of_runs_are_true() {
    for (state, word, failing, is_running) in [
        (Starting, "STARTING", false, true),
        (Running, "RUNNING", false, true),
        (Stopping, "STOPPING", false, true),
        (Stopped, "STOPPED", true, false),
        (Succeeded, "SUCCEEDED", false, false),
        (Failed, "FAILED", true, false),
        (Timeout, "TIMEOUT", true, false),
        (Error, "ERROR", true, false),
        (Waiting, "WAITING", false, true),
        (Expired, "EXPIRED", true, false),
    ] {
        let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[state])]);
        fixture.apply();
        let item = fixture.item("etl");
        assert_eq!((item.state.as_str(), item.failing), (word, failing));
        assert_eq!(fixture.status().running, Some(u32::from(is_running)), "{word}");
        let jobs = fixture.status().counts.as_ref().unwrap().jobs.clone().unwrap();
        assert_eq!((jobs.total, jobs.states), (1, [(word.to_owned(), 1)].into()));
        // What changes with every read of a live run is not shown.
        let run = item.last_run.as_ref().unwrap();
        assert_eq!((run.seconds.is_none(), run.dpu_hours.is_none()), (is_running, is_running));
    }
}

#[test]
fn runs_are_counted_as_far_as_they_were_read() {
    let states = [Running, Failed, Succeeded, Stopped, Succeeded, Succeeded];
    let runs = |count: u32| {
        let mut fixture = Fixture::with_jobs(json!({"runsPerJob": count}), &[("etl", &states)]);
        fixture.apply();
        (fixture.item("etl").failing, fixture.item("etl").ended_runs)
    };
    assert_eq!(runs(1), (false, None));
    let five = EndedRuns { total: 4, succeeded: 2, success_percent: 50, average_seconds: Some(60) };
    assert_eq!(runs(5), (true, Some(five)), "a live run does not hide the failure before it");
    assert_eq!(runs(6).1.unwrap().success_percent, 60);
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[Succeeded])]);
    fixture.apply();
    // 60 seconds of 10 DPUs.
    assert_eq!(fixture.item("etl").last_run.as_ref().unwrap().dpu_hours, Some(0.1667));
}

#[test]
fn a_failure_is_remembered_while_the_next_run_is_live() {
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[Failed])]);
    fixture.apply();
    fixture.set_runs("etl", [Running]);
    fixture.apply();
    assert!(fixture.item("etl").failing);
    fixture.picture.jobs.items.get_mut("etl").unwrap().runs = None;
    fixture.apply();
    assert_eq!((fixture.item("etl").state.as_str(), fixture.item("etl").failing), ("NOT_SHOWN", true));
    fixture.set_runs("etl", [Succeeded]);
    fixture.apply();
    assert!(!fixture.item("etl").failing);
}

/// The message of a failed run that was started for this namespace, with the argument `--password` (`None`: Glue shows no
/// arguments).
fn message(started_for: Option<&str>, password: Option<&str>) -> String {
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[Failed])]);
    let run = &mut fixture.picture.jobs.items.get_mut("etl").unwrap().runs.as_mut().unwrap()[0];
    run.error_message = Some("login with hunter2-hunter2 failed".to_owned());
    run.started_for = started_for.map(str::to_owned);
    let arguments = password.map(|value| [("--password".to_owned(), Sensitive::new(value.to_owned()))]);
    run.arguments = arguments.map(|arguments| Arc::new(BTreeMap::from(arguments)));
    fixture.apply();
    fixture.item("etl").last_run.as_ref().unwrap().error.clone().unwrap()
}

#[test]
fn a_message_shows_no_argument_and_nothing_of_another_namespace() {
    assert_eq!(message(Some("a"), Some("hunter2-hunter2")), "login with [hidden] failed");
    assert!(message(Some("a"), None).starts_with("Glue's message is withheld"));
    let foreign = message(Some("b"), Some("hunter2-hunter2"));
    assert!(foreign.contains("the run was started for another namespace"), "{foreign}");
    // What kube-glue did not start is as Glue shows it to everyone with these rights.
    assert_eq!(message(None, Some("other")), "login with hunter2-hunter2 failed");
}

#[test]
fn crawlers_show_their_crawls() {
    let mut fixture = Fixture::new(json!({}));
    let crawl = Crawl {
        started_on: Some(start() - 10.minutes()),
        ended_on: Some(start() - 8.minutes()),
        dpu_hours: 0.25,
        error_message: Some("no such bucket".to_owned()),
        ..Crawl::fixture("c1", CrawlState::Failed)
    };
    let crawler = Crawler {
        state: "READY".to_owned(),
        schedule: Some("cron(0 12 * * ? *)".to_owned()),
        is_scheduled: true,
        crawls: vec![crawl],
        ..Crawler::default()
    };
    let hidden =
        Crawler { state: "READY".to_owned(), last_crawl: Some((None, "SUCCEEDED".to_owned())), ..Crawler::default() };
    let unused = Crawler { state: "READY".to_owned(), ..Crawler::default() };
    for (name, crawler) in [("raw", crawler), ("hidden", hidden), ("unused", unused)] {
        fixture.picture.crawlers.items.insert(name.to_owned(), crawler);
    }
    fixture.apply();
    let shown = serde_json::to_value(fixture.item("raw")).unwrap();
    let expected = json!({
        "type": "Crawler", "name": "raw", "state": "FAILED", "failing": true,
        "lastRun": {"id": "c1", "state": "FAILED", "startedAt": "2026-03-02T09:50:00Z",
            "completedAt": "2026-03-02T09:52:00Z", "seconds": 120, "dpuHours": 0.25, "error": "no such bucket"},
        "endedRuns": {"total": 1, "succeeded": 0, "successPercent": 0},
        "schedule": {"expression": "cron(0 12 * * ? *)", "next": "2026-03-02T12:00:00Z"},
    });
    assert_eq!(shown, expected);
    assert_eq!(fixture.item("hidden").state, "SUCCEEDED");
    assert_eq!(fixture.item("unused").state, "NEVER_RUN");
}

fn trigger(name: &str, state: TriggerState, workflow: Option<&str>, job: &str) -> Trigger {
    Trigger {
        name: name.to_owned(),
        type_: TriggerType::Scheduled,
        state,
        description: None,
        workflow: workflow.map(str::to_owned),
        schedule: Some(format!("cron({} 12 * * ? *)", name.len())),
        predicate: None,
        actions: vec![Action {
            job: Some(job.to_owned()),
            crawler: None,
            timeout_minutes: None,
            security_configuration: None,
        }],
        event_batching: None,
    }
}

#[test]
fn triggers_say_when_a_job_runs_and_which_workflow_it_belongs_to() {
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[]), ("load", &[])]);
    for trigger in [
        trigger("off", TriggerState::Deactivated, None, "etl"),
        trigger("works", TriggerState::Activated, Some("flow"), "etl"),
        trigger("idle", TriggerState::Created, None, "load"),
    ] {
        fixture.picture.triggers.items.insert(trigger.name.clone(), trigger);
    }
    let members = vec![(NodeKind::Job, "load".to_owned())];
    let workflow = Workflow { is_read: true, members, last_run: None };
    fixture.picture.workflows.items.insert("nightly".to_owned(), workflow);
    fixture.apply();
    let shown = |name: &str| {
        let item = fixture.item(name);
        let schedule = item.schedule.clone().unwrap();
        (item.workflow.clone().unwrap(), schedule.expression, schedule.next.map(|next| next.0.to_string()))
    };
    let next = Some("2026-03-02T12:05:00Z".to_owned());
    assert_eq!(shown("etl"), ("flow".to_owned(), "cron(5 12 * * ? *)".to_owned(), next));
    assert_eq!(shown("load"), ("nightly".to_owned(), "cron(4 12 * * ? *)".to_owned(), None));
    assert_eq!(fixture.item("off").state, "DEACTIVATED");
    assert_eq!(fixture.item("off").schedule.as_ref().unwrap().next, None);
}

#[test]
fn a_workflow_that_glue_has_completed_fails_when_an_action_failed() {
    let run = |state, failed| {
        let statistics = Statistics { total: 3, succeeded: 2, failed, ..Statistics::default() };
        let run = WorkflowRun {
            started_on: Some(start() - 10.minutes()),
            completed_on: Some(start()),
            statistics: Some(statistics),
            ..WorkflowRun::fixture("wr_1", state)
        };
        let last_run = Some(WorkflowRunItem::without_nodes(run));
        let mut fixture = Fixture::new(json!({}));
        let workflow = Workflow { is_read: true, members: Vec::new(), last_run };
        fixture.picture.workflows.items.insert("flow".to_owned(), workflow);
        fixture.apply();
        let item = fixture.item("flow").clone();
        assert_eq!(item.type_, ItemType::Workflow);
        (item.state, item.failing, item.last_run.unwrap().error)
    };
    assert_eq!(run(WorkflowRunState::Completed, 0), ("COMPLETED".to_owned(), false, None));
    assert_eq!(
        run(WorkflowRunState::Completed, 1),
        ("COMPLETED".to_owned(), true, Some("of 3 actions 1 failed".to_owned()))
    );
    assert!(run(WorkflowRunState::Stopped, 0).1);
    let mut fixture = Fixture::new(json!({}));
    fixture.picture.workflows.items.insert("flow".to_owned(), Workflow::default());
    fixture.apply();
    assert_eq!(fixture.item("flow").state, "NOT_SHOWN");
}

#[test]
fn the_spec_selects_what_is_shown_and_counted() {
    let jobs: [(&str, &[_]); 3] = [("etl", &[Succeeded]), ("load", &[Failed]), ("tmp_etl", &[Failed])];
    let shown = |spec: Value| {
        let mut fixture = Fixture::with_jobs(spec, &jobs);
        fixture.apply();
        let status = fixture.status();
        let total = status.counts.as_ref().unwrap().jobs.as_ref().map(|jobs| jobs.total);
        (fixture.names().join(" "), total, status.failing)
    };
    assert_eq!(shown(json!({})), ("load tmp_etl etl".to_owned(), Some(3), Some(2)));
    let some = json!({"jobs": {"includes": [".*etl"], "excludes": ["tmp"]}});
    assert_eq!(shown(some), ("etl".to_owned(), Some(1), Some(0)));
    assert_eq!(shown(json!({"jobs": {"enabled": false}})), (String::new(), None, Some(0)));
}

#[test]
fn tags_are_shown_to_whom_they_are_read_for() {
    let tags = |spec: Value| {
        let mut fixture = Fixture::with_jobs(spec, &[("etl", &[])]);
        let many = (0..30).map(|n| (format!("key{n:02}"), "value".to_owned())).collect();
        fixture.picture.tags.insert((ItemType::Job, "etl".to_owned()), many);
        fixture.apply();
        fixture.item("etl").tags.len()
    };
    assert_eq!((tags(json!({})), tags(json!({"includeTags": true}))), (0, 20));
}
