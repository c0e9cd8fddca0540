//! The logs of runs, by the operations and with a held clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::LogPages;
use crate::glue::{
    fixture::Fixture,
    jobs::JobDefinition,
    runs::{Log, LogLine, RunScript},
};

const OUTPUT: &str = "/aws-glue/jobs/output";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A run of a job whose script writes these lines while it runs for a minute.
fn run(fixture: &Fixture, job: JobDefinition, lines: impl IntoIterator<Item = LogLine>) -> String {
    let script = RunScript::succeeds().starting(Duration::ZERO).running(seconds(60)).logs(lines);
    fixture.with(|region| region.define_job(job.script(script)));
    let started = fixture.call("StartJobRun", &json!({ "JobName": "etl" })).unwrap();
    started["JobRunId"].as_str().unwrap().to_owned()
}

fn job() -> JobDefinition {
    JobDefinition::new("etl").glue_version("4.0")
}

fn get(fixture: &Fixture, stream: &str, more: &Value) -> Value {
    let mut body = json!({ "logGroupName": OUTPUT, "logStreamName": stream, "startFromHead": true });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fixture.call("GetLogEvents", &body).unwrap()
}

fn messages(page: &Value) -> Vec<&str> {
    page["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[test]
fn lines_appear_when_they_are_written_and_not_after_the_end_of_the_run() {
    let fixture = Fixture::new();
    let lines = [
        LogLine::new("first"),
        LogLine::new("late").at(seconds(1)).delayed(seconds(100)),
        LogLine::new("second").at(seconds(2)),
        LogLine::new("never").at(seconds(70)),
    ];
    let id = run(&fixture, job(), lines);
    let streams = json!({ "logGroupName": OUTPUT });
    assert_eq!(fixture.call("DescribeLogStreams", &streams).unwrap()["logStreams"][0]["logStreamName"], id);
    assert_eq!(messages(&get(&fixture, &id, &json!({}))), ["first"]);
    fixture.step(2);
    let page = get(&fixture, &id, &json!({}));
    assert_eq!(messages(&page), ["first", "second"]);
    fixture.step(200);
    assert_eq!(messages(&get(&fixture, &id, &json!({}))), ["first", "late", "second"]);
    // It lies before the position of the token.
    let token = &page["nextForwardToken"];
    let next = get(&fixture, &id, &json!({ "nextToken": token }));
    assert_eq!((messages(&next).len(), &next["nextForwardToken"]), (0, token));
}

#[test]
fn streams_and_groups_follow_the_version_and_the_arguments() {
    let arguments = [
        ("--enable-continuous-cloudwatch-log", "true"),
        ("--continuous-log-logStreamPrefix", "own"),
        ("--custom-logGroup-prefix", "/etl"),
        ("--custom-logStream-prefix", "mine"),
    ];
    let job = |version: &str| {
        let job = JobDefinition::new("etl").glue_version(version);
        arguments.iter().fold(job, |job, (name, value)| job.default_argument(name, value))
    };
    let lines =
        [LogLine::new("a"), LogLine::new("b").to(Log::Error).of_stream("-1"), LogLine::new("c").to(Log::Continuous)];
    for (version, expected) in [
        (
            "4.0",
            ["/aws-glue/jobs/error ID-1", "/aws-glue/jobs/logs-v2 own-driver", "/aws-glue/jobs/output ID"].as_slice(),
        ),
        ("5.0", ["/etl/error mine-1", "/etl/output mine-driver"].as_slice()),
    ] {
        let fixture = Fixture::new();
        let id = run(&fixture, job(version), lines.clone());
        let groups = fixture.call("DescribeLogGroups", &json!({})).unwrap();
        let mut found = Vec::new();
        for group in groups["logGroups"].as_array().unwrap() {
            let streams =
                fixture.call("DescribeLogStreams", &json!({ "logGroupName": group["logGroupName"] })).unwrap();
            for stream in streams["logStreams"].as_array().unwrap() {
                let name = stream["logStreamName"].as_str().unwrap().replace(&id, "ID");
                found.push(format!("{} {name}", group["logGroupName"].as_str().unwrap()));
            }
        }
        assert_eq!(found, expected, "{version}");
    }
}

#[test]
fn pages_may_be_short_and_empty_and_lead_to_the_end_in_both_directions() {
    let fixture = Fixture::new();
    let id = run(&fixture, job(), (0..10).map(|number| LogLine::new(&number.to_string())));
    fixture.with(|region| region.logs.set_pages(LogPages { events: Some(3), with_empty_pages: true }));
    for (direction, head) in [("nextForwardToken", true), ("nextBackwardToken", false)] {
        let mut read = Vec::new();
        let mut empty = 0;
        let mut page = get(&fixture, &id, &json!({ "startFromHead": head }));
        loop {
            let shown: Vec<String> = messages(&page).into_iter().map(str::to_owned).collect();
            empty += usize::from(shown.is_empty());
            if head {
                read.extend(shown);
            } else {
                read.splice(0..0, shown).for_each(drop);
            }
            let next = get(&fixture, &id, &json!({ "startFromHead": head, "nextToken": page[direction] }));
            if next[direction] == page[direction] {
                break;
            }
            page = next;
        }
        assert_eq!(read.join(""), "0123456789", "{direction}");
        assert!(empty >= 3 || !head, "{empty}");
    }
}

#[test]
fn a_token_expires_and_belongs_to_its_stream() {
    let fixture = Fixture::new();
    let id = run(&fixture, job(), [LogLine::new("a"), LogLine::new("b").of_stream("-1")]);
    let token = get(&fixture, &id, &json!({}))["nextForwardToken"].clone();
    let refused = |stream: &str| {
        let body = json!({ "logGroupName": OUTPUT, "logStreamName": stream, "nextToken": token });
        fixture.expect_error("GetLogEvents", &body, "InvalidParameterException");
    };
    refused(&format!("{id}-1"));
    get(&fixture, &id, &json!({ "nextToken": token }));
    fixture.with(|region| region.logs.expire_tokens());
    refused(&id);
    let token = get(&fixture, &id, &json!({}))["nextForwardToken"].clone();
    fixture.step(24 * 3600);
    let body = json!({ "logGroupName": OUTPUT, "logStreamName": id, "nextToken": token });
    fixture.expect_error("GetLogEvents", &body, "InvalidParameterException");
}

#[test]
fn filtered_events_are_those_of_all_streams_in_order_with_their_ids() {
    let fixture = Fixture::new();
    let lines = (0..6).map(|number| {
        let line = LogLine::new(&number.to_string()).at(seconds(number));
        if number % 2 == 0 { line } else { line.of_stream("-1") }
    });
    let id = run(&fixture, job(), lines);
    fixture.step(10);
    fixture.with(|region| region.logs.set_pages(LogPages { events: Some(4), with_empty_pages: true }));
    let mut body = json!({ "logGroupName": OUTPUT, "logStreamNamePrefix": id });
    let (mut read, mut ids, mut pages) = (String::new(), std::collections::HashSet::new(), Vec::new());
    loop {
        let page = fixture.call("FilterLogEvents", &body).unwrap();
        read.extend(messages(&page));
        ids.extend(page["events"].as_array().unwrap().iter().map(|event| event["eventId"].to_string()));
        pages.push(messages(&page).len());
        match page.get("nextToken") {
            Some(token) => body["nextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!((read.as_str(), ids.len(), pages), ("012345", 6, vec![0, 4, 0, 2]));
}
