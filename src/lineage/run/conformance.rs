//! The events that `tests/conformance` has openlineage-python read are those that this program makes.

use std::path::Path;

use super::*;
use crate::lineage::dataset::Direction;

/// The file with the events.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/openlineage_events.json");

fn at(second: i64) -> Option<Timestamp> {
    Timestamp::from_second(1_700_000_000 + second).ok()
}

/// One event of each type, with every facet among them.
fn events() -> Vec<RunEvent> {
    let dataset = |name: &str| DatasetId::new("s3://lake", name).expect("a dataset");
    let mut findings = Findings::default();
    for (direction, name, evidence) in [
        (Direction::Input, "raw", Evidence::VisualNode),
        (Direction::Input, "customers", Evidence::Connection),
        (Direction::Output, "clean", Evidence::Crawler),
    ] {
        findings.add(direction, dataset(name), evidence);
    }
    findings.connect(&dataset("raw"), &dataset("clean"));
    findings.add_unknown("node q", "it reads a query of the database");
    let facts = JobFacts {
        description: Some("Cleans orders".to_owned()),
        script: Some("s3://scripts/orders.py".to_owned()),
        language: Some(Language::Python),
        tags: [("owner".to_owned(), "team-a".to_owned())].into(),
        findings,
        ..JobFacts::default()
    };
    let outer = OuterRun::parse("airflow/daily.orders/5b3dd7d6-9b0f-4f2a-8b0a-111111111111");
    let workflow = Target::new(JobKind::Workflow, "nightly");
    let job = RunSight {
        requested: at(0),
        started: at(1),
        ended: at(60),
        message: Some("AnalysisException".to_owned()),
        glue_version: Some("5.0".to_owned()),
        nominal: at(-3600),
        upstream: vec![(Target::new(JobKind::Crawler, "raw"), Some("wr_1/crawler/raw/1".to_owned()))],
        object: Some("team-a/orders-1".to_owned()),
        parent: Some(ParentRun::Glue { target: workflow.clone(), id: "wr_1".to_owned(), root: outer.clone() }),
        ..RunSight::new(Target::new(JobKind::Job, "orders"), "jr_1", "FAILED", Stage::Ended(End::Fail))
    };
    let flow = RunSight {
        started: at(1),
        ended: at(61),
        parent: outer.map(ParentRun::Outer),
        ..RunSight::new(workflow, "wr_1", "COMPLETED", Stage::Ended(End::Complete))
    };
    let crawl = RunSight {
        started: at(1),
        ended: at(2),
        ..RunSight::new(Target::new(JobKind::Crawler, "raw"), "c-1", "STOPPED", Stage::Ended(End::Abort))
    };
    let of = |kind, sight: &RunSight, facts: &JobFacts| event(kind, sight, facts, "arn:aws:glue:eu-west-1:1");
    let bare = JobFacts::default();
    let events = [
        of(EventType::Other, &job, &facts),
        of(EventType::Start, &job, &facts),
        of(EventType::Fail, &job, &facts),
        of(EventType::Complete, &flow, &bare),
        of(EventType::Abort, &crawl, &bare),
    ];
    events.into_iter().flatten().collect()
}

#[test]
fn the_events_of_the_conformance_suite_are_those_that_are_sent() {
    let made = serde_json::to_string_pretty(&events()).expect("JSON") + "\n";
    if std::env::var_os("WRITE_OPENLINEAGE_EVENTS").is_some() {
        std::fs::write(Path::new(FILE), &made).expect("the file");
    }
    let kept = std::fs::read_to_string(FILE).expect("the file");
    assert_eq!(kept, made, "run this test with WRITE_OPENLINEAGE_EVENTS=1, then the conformance suite");
}
