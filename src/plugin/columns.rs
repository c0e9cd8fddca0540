//! The columns of Glue's jobs, crawlers, triggers, workflows, connections and runs, by Glue's own JSON. Pure.

use jiff::Timestamp;
use serde_json::Value;

use super::table::age;
use crate::glue::documents::Collection;

/// A column: its title, whether only `-o wide` shows it, and its text.
struct Column {
    title: &'static str,
    wide: bool,
    text: fn(&Value, Timestamp) -> String,
}

const fn column(title: &'static str, text: fn(&Value, Timestamp) -> String) -> Column {
    Column { title, wide: false, text }
}

const fn wide(title: &'static str, text: fn(&Value, Timestamp) -> String) -> Column {
    Column { title, wide: true, text }
}

const JOBS: &[Column] = &[
    column("NAME", |job, _| text(&job["Name"])),
    column("TYPE", |job, _| text(&job["Command"]["Name"])),
    column("GLUE", |job, _| text(&job["GlueVersion"])),
    column("CAPACITY", |job, _| capacity(job)),
    column("MODIFIED", |job, now| ago(&job["LastModifiedOn"], now)),
    wide("MAX RUNS", |job, _| text(&job["ExecutionProperty"]["MaxConcurrentRuns"])),
    wide("TIMEOUT", |job, _| minutes(&job["Timeout"])),
    wide("RETRIES", |job, _| text(&job["MaxRetries"])),
    wide("SCRIPT", |job, _| text(&job["Command"]["ScriptLocation"])),
];

const CRAWLERS: &[Column] = &[
    column("NAME", |crawler, _| text(&crawler["Name"])),
    column("STATE", |crawler, _| text(&crawler["State"])),
    column("DATABASE", |crawler, _| text(&crawler["DatabaseName"])),
    column("SCHEDULE", |crawler, _| text(&crawler["Schedule"]["ScheduleExpression"])),
    column("LAST CRAWL", |crawler, _| text(&crawler["LastCrawl"]["Status"])),
    column("STARTED", |crawler, now| ago(&crawler["LastCrawl"]["StartTime"], now)),
    wide("PREFIX", |crawler, _| text(&crawler["TablePrefix"])),
    wide("ROLE", |crawler, _| text(&crawler["Role"])),
    wide("MESSAGE", |crawler, _| text(&crawler["LastCrawl"]["ErrorMessage"])),
];

const TRIGGERS: &[Column] = &[
    column("NAME", |trigger, _| text(&trigger["Name"])),
    column("TYPE", |trigger, _| text(&trigger["Type"])),
    column("STATE", |trigger, _| text(&trigger["State"])),
    column("SCHEDULE", |trigger, _| text(&trigger["Schedule"])),
    column("STARTS", |trigger, _| actions(&trigger["Actions"])),
    column("WORKFLOW", |trigger, _| text(&trigger["WorkflowName"])),
    wide("DESCRIPTION", |trigger, _| text(&trigger["Description"])),
];

const WORKFLOWS: &[Column] = &[
    column("NAME", |workflow, _| text(&workflow["Name"])),
    column("LAST RUN", |workflow, _| text(&workflow["LastRun"]["Status"])),
    column("STARTED", |workflow, now| ago(&workflow["LastRun"]["StartedOn"], now)),
    column("MODIFIED", |workflow, now| ago(&workflow["LastModifiedOn"], now)),
    wide("MAX RUNS", |workflow, _| text(&workflow["MaxConcurrentRuns"])),
    wide("DESCRIPTION", |workflow, _| text(&workflow["Description"])),
];

const CONNECTIONS: &[Column] = &[
    column("NAME", |connection, _| text(&connection["Name"])),
    column("TYPE", |connection, _| text(&connection["ConnectionType"])),
    column("STATUS", |connection, _| text(&connection["Status"])),
    column("MODIFIED", |connection, now| ago(&connection["LastUpdatedTime"], now)),
    wide("BY", |connection, _| text(&connection["LastUpdatedBy"])),
    wide("SUBNET", |connection, _| text(&connection["PhysicalConnectionRequirements"]["SubnetId"])),
    wide("DESCRIPTION", |connection, _| text(&connection["Description"])),
];

fn columns(collection: Collection) -> &'static [Column] {
    match collection {
        Collection::Jobs => JOBS,
        Collection::Crawlers => CRAWLERS,
        Collection::Triggers => TRIGGERS,
        Collection::Workflows => WORKFLOWS,
        Collection::Connections => CONNECTIONS,
    }
}

/// The titles of the columns.
pub(super) fn head(collection: Collection, is_wide: bool) -> Vec<&'static str> {
    let shown = columns(collection).iter().filter(|column| is_wide || !column.wide);
    shown.map(|column| column.title).collect()
}

/// The row of a definition.
pub(super) fn row(collection: Collection, definition: &Value, is_wide: bool, now: Timestamp) -> Vec<String> {
    let shown = columns(collection).iter().filter(|column| is_wide || !column.wide);
    shown.map(|column| (column.text)(definition, now)).collect()
}

/// Members of Glue's answers that are times, as seconds since 1970.
const TIMES: [&str; 14] = [
    "CompletedOn",
    "CreatedOn",
    "CreationTime",
    "EndTime",
    "FinishedOn",
    "LastAccessTime",
    "LastConnectionValidationTime",
    "LastModifiedOn",
    "LastRunTime",
    "LastUpdated",
    "LastUpdatedTime",
    "ProfileTime",
    "StartTime",
    "StartedOn",
];

/// The same document with times that a user can read, as the AWS CLI shows them.
pub(super) fn with_readable_times(mut document: Value) -> Value {
    match &mut document {
        Value::Object(members) => {
            for (name, value) in members {
                let readable = TIMES.contains(&name.as_str()).then(|| time(value)).flatten();
                *value = readable.map_or_else(|| with_readable_times(value.take()), |at| at.to_string().into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = with_readable_times(item.take())),
        _ => {}
    }
    document
}

/// A time, in seconds since 1970 with a fraction.
#[allow(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_f64()?;
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}

fn ago(value: &Value, now: Timestamp) -> String {
    time(value).map_or_else(String::new, |at| age(at, now))
}

/// A value as text; nothing for what is absent.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn minutes(value: &Value) -> String {
    value.as_i64().map_or_else(String::new, |minutes| format!("{minutes}m"))
}

/// The capacity of a job or a run.
pub(super) fn capacity(job: &Value) -> String {
    match (job["NumberOfWorkers"].as_i64(), job["WorkerType"].as_str(), job["MaxCapacity"].as_f64()) {
        (Some(count), Some(type_), _) => format!("{count} x {type_}"),
        (_, _, Some(capacity)) => format!("{capacity} DPU"),
        _ => String::new(),
    }
}

/// What a trigger starts.
fn actions(actions: &Value) -> String {
    let name = |action: &Value| {
        let crawler = action["CrawlerName"].as_str().map(|name| format!("crawler {name}"));
        action["JobName"].as_str().map(|name| format!("job {name}")).or(crawler)
    };
    let names: Vec<_> = actions.as_array().into_iter().flatten().filter_map(name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_is_a_row_and_wide_shows_more() {
        let now: Timestamp = "2026-01-01T01:00:00Z".parse().unwrap();
        let job = json!({
            "Name": "etl", "Command": { "Name": "glueetl", "ScriptLocation": "s3://b/etl.py" }, "GlueVersion": "5.0",
            "WorkerType": "G.1X", "NumberOfWorkers": 10, "LastModifiedOn": 1_767_225_600.5, "Timeout": 60,
        });
        assert_eq!(row(Collection::Jobs, &job, false, now), ["etl", "glueetl", "5.0", "10 x G.1X", "59m"]);
        assert_eq!(row(Collection::Jobs, &job, true, now)[5..], ["", "60m", "", "s3://b/etl.py"]);
        let trigger = json!({ "Name": "n", "Actions": [{ "JobName": "a" }, { "CrawlerName": "b" }] });
        assert_eq!(row(Collection::Triggers, &trigger, false, now)[4], "job a, crawler b");
        for collection in Collection::ALL {
            // What Glue does not say is empty.
            let row = row(collection, &json!({ "Name": "n" }), true, now);
            assert_eq!(row.len(), head(collection, true).len());
            assert!(row[0] == "n" && row[1..].iter().all(String::is_empty), "{row:?}");
        }
    }

    #[test]
    fn times_are_readable_and_durations_stay_numbers() {
        let run = json!({ "Runs": [{ "StartedOn": 1_767_225_600.25, "ExecutionTime": 30, "StartTime": null }] });
        let expected =
            json!({ "Runs": [{ "StartedOn": "2026-01-01T00:00:00.25Z", "ExecutionTime": 30, "StartTime": null }] });
        assert_eq!(with_readable_times(run), expected);
    }
}
