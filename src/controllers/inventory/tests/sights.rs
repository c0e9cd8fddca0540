//! The runs of a picture, for lineage.

use jiff::Timestamp;
use serde_json::json;

use super::fixture::Fixture;
use crate::controllers::inventory::demand;
use crate::controllers::inventory::items::Viewer;
use crate::controllers::inventory::sights;
use crate::controllers::runtime::lineage::sights::tests::item;
use crate::glue::crawls::{Crawl, CrawlState};
use crate::glue::inventory::demand::Selected;
use crate::glue::inventory::{Crawler, Workflow};
use crate::glue::job_runs::JobRun;
use crate::glue::job_runs::JobRunState::{Failed, Running, Succeeded};
use crate::lineage::progress::{End, Stage};
use crate::lineage::run::{ParentRun, RunSight};

fn seen(fixture: &Fixture) -> Vec<RunSight> {
    let selected = Selected::of(&demand(&fixture.object)).unwrap();
    sights::of(&Viewer { selected: &selected, namespace: Some("a"), now: fixture.now }, &fixture.picture)
}

fn names(runs: &[RunSight]) -> Vec<(&str, &str)> {
    runs.iter().map(|run| (run.target.name.as_str(), run.id.as_str())).collect()
}

fn crawl(id: &str, started: &str) -> Crawl {
    Crawl { started_on: started.parse().ok(), ..Crawl::fixture(id, CrawlState::Completed) }
}

/// The workflow run of [`item`], with the crawl and the job runs that it has started in the lists of crawler and job, too.
fn with_workflow(spec: serde_json::Value) -> Fixture {
    let mut fixture = Fixture::new(spec);
    let last_run = Some(item());
    fixture
        .picture
        .workflows
        .items
        .insert("nightly".to_owned(), Workflow { is_read: true, members: Vec::new(), last_run });
    let crawls = vec![crawl("c-2", "1970-01-01T01:00:00Z"), crawl("c-1", "1970-01-01T00:01:40.75Z")];
    fixture.picture.crawlers.items.insert("raw".to_owned(), Crawler { crawls, ..Crawler::default() });
    fixture.set_runs("etl", [Running, Failed]);
    let runs = fixture.picture.jobs.items.get_mut("etl").and_then(|job| job.runs.as_mut()).unwrap();
    let failed = JobRun { error_message: Some("no such path".to_owned()), ..JobRun::fixture("jr_1", Failed) };
    runs.push(JobRun { glue_version: Some("5.0".to_owned()), ..failed });
    fixture
}

#[test]
fn what_a_workflow_has_started_is_its_child_and_comes_once() {
    let runs = seen(&with_workflow(json!({"runsPerJob": 5})));
    assert_eq!(
        names(&runs),
        [
            ("nightly", "wr_1"),
            ("raw", "wr_1/crawler/raw/100"),
            ("etl", "jr_1"),
            ("etl", "jr_1_attempt_1"),
            // Oldest first, those of the workflow left out.
            ("etl", "jr_etl_1"),
            ("etl", "jr_etl_0"),
            ("raw", "c-2"),
        ]
    );
    let is_child = |run: &RunSight| matches!(&run.parent, Some(ParentRun::Glue { id, .. }) if id == "wr_1");
    assert_eq!(runs.iter().map(is_child).collect::<Vec<_>>(), [false, true, true, true, false, false, false]);
    // The list of the job says what the node does not.
    assert_eq!((runs[2].message.as_deref(), runs[2].glue_version.as_deref()), (Some("no such path"), Some("5.0")));
}

#[test]
fn only_what_the_spec_selects_is_seen() {
    for (spec, expected) in [
        (json!({}), vec!["nightly", "raw", "etl", "etl", "etl", "raw"]),
        (json!({"jobs": {"enabled": false}}), vec!["nightly", "raw", "raw"]),
        (json!({"workflows": {"enabled": false}, "crawlers": {"excludes": ["r"]}}), vec!["etl"]),
        (json!({"workflows": {"includes": ["other"]}, "jobs": {"excludes": ["etl"]}}), vec!["raw"]),
    ] {
        let runs = seen(&with_workflow(spec.clone()));
        let found: Vec<_> = runs.iter().map(|run| run.target.name.as_str()).collect();
        assert_eq!(found, expected, "{spec}");
    }
}

#[test]
fn a_workflow_run_ends_as_its_actions_did_and_says_why() {
    use crate::glue::workflow_runs::WorkflowRunState::Completed;
    let mut fixture = with_workflow(json!({"jobs": {"enabled": false}, "crawlers": {"enabled": false}}));
    let last =
        fixture.picture.workflows.items.get_mut("nightly").and_then(|workflow| workflow.last_run.as_mut()).unwrap();
    last.run.state = Completed;
    last.nodes[1].newest = last.nodes[1].earlier.pop();
    let runs = seen(&fixture);
    assert_eq!(runs[0].stage, Stage::Ended(End::Fail));
    assert!(runs[0].message.as_ref().is_some_and(|why| why.contains("etl")), "{:?}", runs[0].message);
}

#[test]
fn what_glue_says_of_a_run_of_another_namespace_is_withheld() {
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[Failed])]);
    let runs = fixture.picture.jobs.items.get_mut("etl").and_then(|job| job.runs.as_mut()).unwrap();
    runs[0].error_message = Some("password swordfish".to_owned());
    runs[0].started_for = Some("b".to_owned());
    let runs = seen(&fixture);
    let message = runs[0].message.as_ref().unwrap();
    assert!(!message.contains("swordfish"), "{message}");
    assert_eq!((runs[0].stage, runs[0].arguments.len()), (Stage::Ended(End::Fail), 0));
    assert!(runs[0].started < runs[0].ended && runs[0].ended.is_some_and(|ended| ended <= Timestamp::MAX));
}

#[test]
fn a_job_whose_runs_glue_refused_to_show_has_none() {
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[Succeeded]), ("hidden", &[Succeeded])]);
    fixture.picture.jobs.items.get_mut("hidden").unwrap().runs = None;
    fixture.picture.workflows.items.insert("unread".to_owned(), Workflow::default());
    assert_eq!(names(&seen(&fixture)), [("etl", "jr_etl_0")]);
}
