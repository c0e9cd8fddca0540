//! The events of one run.

use serde_json::Value;
use uuid::Uuid;

/// The events of one run in the order in which they came, by their types.
#[must_use]
pub fn types_of<'e>(events: &'e [Value], run: &str) -> Vec<&'e str> {
    of_run(events, run).map(|event| event["eventType"].as_str().unwrap_or_default()).collect()
}

/// Whether the event is the end of its run.
#[must_use]
pub fn is_end(event: &Value) -> bool {
    ["COMPLETE", "FAIL", "ABORT"].iter().any(|end| event["eventType"] == *end)
}

/// The events of the run with this id of Glue.
pub fn of_run<'e>(events: &'e [Value], run: &str) -> impl Iterator<Item = &'e Value> + use<'e> {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, run.as_bytes()).to_string();
    events.iter().filter(move |event| event["run"]["runId"] == id.as_str())
}

/// One line for each event.
#[must_use]
pub fn described(events: &[Value]) -> String {
    let line = |event: &Value| format!("{} {} {}", event["eventType"], event["job"]["name"], event["run"]["runId"]);
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}
