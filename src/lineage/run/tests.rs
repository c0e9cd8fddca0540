use serde_json::json;

use super::*;
use crate::lineage::dataset::Direction;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a time")
}

fn failed_run() -> RunSight {
    RunSight {
        requested: Some(at(0)),
        started: Some(at(1)),
        ended: Some(at(60)),
        message: Some("AnalysisException".to_owned()),
        glue_version: Some("5.0".to_owned()),
        object: Some("team-a/orders-1".to_owned()),
        ..RunSight::new(Target::new(JobKind::Job, "orders"), "jr_1", "FAILED", Stage::Ended(End::Fail))
    }
}

#[test]
fn the_run_id_is_what_python_computes() {
    // python3 -c "import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, 'jr_1'))"
    assert_eq!(run_id("jr_1").to_string(), "17b4cf07-a724-5067-a8e4-c65cf91e3c62");
}

#[test]
fn an_event_has_the_time_of_what_it_says() {
    let run = failed_run();
    let times = [EventType::Other, EventType::Start, EventType::Fail].map(|kind| run.time_of(kind));
    assert_eq!(times, [Some(at(0)), Some(at(1)), Some(at(60))]);
    let bare = RunSight::new(Target::new(JobKind::Job, "orders"), "jr_1", "RUNNING", Stage::Running);
    assert_eq!(event(EventType::Start, &bare, &JobFacts::default(), "ns"), None);
}

#[test]
fn a_failure_says_all_that_is_known_of_it() {
    let (raw, clean) =
        (DatasetId::new("s3://lake", "raw").expect("an id"), DatasetId::new("s3://lake", "clean").expect("an id"));
    let mut findings = Findings::default();
    findings.add(Direction::Input, raw.clone(), Evidence::Script);
    findings.add(Direction::Output, clean.clone(), Evidence::VisualNode);
    findings.connect(&raw, &clean);
    findings.add_unknown("line 7", "the path is not a literal");
    let facts = JobFacts {
        description: Some("Cleans orders".to_owned()),
        script: Some("s3://scripts/orders.py".to_owned()),
        language: Some(Language::Python),
        tags: [("Owner".to_owned(), "team-a".to_owned())].into(),
        findings,
        ..JobFacts::default()
    };
    let declared = DatasetId::new("s3://lake", "audit").expect("an id");
    let mut run = failed_run();
    run.declared.outputs = [declared, clean].into();
    run.parent = OuterRun::parse("airflow/dag.task/5b3dd7d6-9b0f-4f2a-8b0a-111111111111").map(ParentRun::Outer);
    let event = event(EventType::Fail, &run, &facts, "ns").expect("an event");
    let event = serde_json::to_value(event).expect("JSON");
    assert_eq!(event["eventType"], "FAIL");
    assert_eq!(event["eventTime"], "2023-11-14T22:14:20Z");
    assert_eq!(event["job"]["name"], "job/orders");
    let of_run = &event["run"]["facets"];
    assert_eq!(of_run["errorMessage"]["message"], "AnalysisException");
    assert_eq!(of_run["errorMessage"]["programmingLanguage"], "Python");
    assert_eq!(of_run["processing_engine"]["version"], "5.0");
    assert_eq!(of_run["parent"]["job"], json!({"namespace": "airflow", "name": "dag.task"}));
    assert_eq!(of_run["extractionError"]["totalTasks"], 3);
    assert_eq!(of_run["extractionError"]["failedTasks"], 1);
    assert_eq!(of_run["kubeGlue_run"]["object"], "team-a/orders-1");
    let job = &event["job"]["facets"];
    assert_eq!(job["ownership"]["owners"], json!([{"name": "team-a"}]));
    assert_eq!(job["sourceCodeLocation"]["url"], "s3://scripts/orders.py");
    assert_eq!(job["lineage"]["entries"][0]["name"], "clean");
    assert_eq!(job["lineage"]["entries"][0]["inputs"][0]["name"], "raw");
    let outputs = event["outputs"].as_array().expect("outputs");
    let known: Vec<_> = outputs.iter().map(|dataset| &dataset["facets"]["kubeGlue_knownBy"]["knownBy"]).collect();
    assert_eq!(known, [&json!(["declared"]), &json!(["visual node", "declared"])]);
}

#[test]
fn an_event_that_is_read_is_the_one_that_was_written() {
    let event = event(EventType::Fail, &failed_run(), &JobFacts::default(), "ns").expect("an event");
    let text = serde_json::to_string(&event).expect("JSON");
    assert_eq!(serde_json::from_str::<RunEvent>(&text).expect("an event"), event);
}

#[test]
fn a_parent_of_an_orchestrator_is_read_as_airflow_writes_it() {
    let id = "5b3dd7d6-9b0f-4f2a-8b0a-111111111111";
    let run = OuterRun::parse(&format!("airflow://prod/team/dag.task/{id}")).expect("a run");
    assert_eq!(run.job, JobName { namespace: "airflow://prod/team".to_owned(), name: "dag.task".to_owned() });
    for text in ["", "a/b", "a/b/c", &format!("/b/{id}"), &format!("b/{id}"), &format!("a//{id}")] {
        assert_eq!(OuterRun::parse(text), None, "{text}");
    }
}

#[test]
fn children_of_a_workflow_name_it_and_what_came_before_them() {
    let mut run = failed_run();
    let root = OuterRun::parse("a/b/5b3dd7d6-9b0f-4f2a-8b0a-111111111111");
    run.parent =
        Some(ParentRun::Glue { target: Target::new(JobKind::Workflow, "nightly"), id: "wr_1".to_owned(), root });
    run.upstream = vec![(Target::new(JobKind::Crawler, "raw"), None)];
    let event = event(EventType::Start, &run, &JobFacts::default(), "ns").expect("an event");
    let facets = event.run.facets;
    let parent = facets.parent.expect("a parent").content;
    assert_eq!((parent.run.run_id, parent.job.name.as_str()), (run_id("wr_1"), "workflow/nightly"));
    assert_eq!(parent.root.expect("a root").job.name, "b");
    assert_eq!(facets.job_dependencies.expect("dependencies").content.upstream[0].job.name, "crawler/raw");
    assert_eq!(facets.error_message, None);
}
