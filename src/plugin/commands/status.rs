//! One object on a page.

use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::DynamicObject;
use serde_json::Value;

use super::for_each;
use crate::controllers::runtime::reason::Reason;
use crate::plugin::changes::Changes;
use crate::plugin::connect::Cluster;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::outcome::Outcome;
use crate::plugin::output;
use crate::plugin::table::{self, age, printable};
use crate::plugin::target::Target;

/// The Events that are shown, the latest ones.
const EVENTS: usize = 10;
/// Fields of a status that are shown, with their labels.
const FIELDS: [(&str, &str); 11] = [
    ("runId", "Run id"),
    ("crawlId", "Crawl id"),
    ("startedAt", "Started"),
    ("finishedAt", "Finished"),
    ("duration", "Duration"),
    ("progress", "Progress"),
    ("stateDetail", "Detail"),
    ("glueVersion", "Glue version"),
    ("executionClass", "Execution class"),
    ("logGroup", "Log group"),
    ("lastHandledFire", "Last fire"),
];

/// Prints a page for each object. With `watch`, prints it again with each change, until the object has come to an end.
pub(in crate::plugin) async fn execute(
    cluster: &Cluster,
    targets: &[Target],
    watch: bool,
) -> Result<Exit, PluginError> {
    if watch {
        return self::watch(cluster, targets).await;
    }
    let first = targets.first().map(Target::full_name);
    for_each(targets, async |target| {
        let object = cluster.read(target).await?;
        let events = events_of(cluster, &object).await;
        let separator = if first == Some(target.full_name()) { "" } else { "\n" };
        output::line(format_args!("{separator}{}", page(target, &object, &events, Timestamp::now())))?;
        Ok(Exit::Succeeded)
    })
    .await
}

/// Follows one object.
async fn watch(cluster: &Cluster, targets: &[Target]) -> Result<Exit, PluginError> {
    let [target] = targets else {
        return Err(PluginError::Usage("--watch follows one object".to_owned()));
    };
    let mut object = cluster.read(target).await?;
    let mut changes = Changes::of(cluster, target, &object);
    let mut shown = String::new();
    loop {
        let events = events_of(cluster, &object).await;
        let page = page(target, &object, &events, Timestamp::now());
        if page != shown {
            output::line(format_args!("{}{page}", if shown.is_empty() { "" } else { "\n" }))?;
            shown = page;
        }
        if Outcome::of(&target.kind, &object).end.is_some() {
            return Ok(Exit::Succeeded);
        }
        object = changes.next().await?;
    }
}

/// The Events about an object, oldest first.
async fn events_of(cluster: &Cluster, object: &DynamicObject) -> Vec<Event> {
    let of_object = format!("regarding.uid={}", object.uid().unwrap_or_default());
    let events = Api::<Event>::namespaced(cluster.client.clone(), &cluster.namespace);
    // A user who may not read Events sees the rest.
    let mut events = events.list(&ListParams::default().fields(&of_object)).await.map_or_else(
        |error| {
            output::say(format_args!("the events cannot be read: {error}"));
            Vec::new()
        },
        |list| list.items,
    );
    events.sort_by_key(happened_at);
    events
}

/// The page.
fn page(target: &Target, object: &DynamicObject, events: &[Event], now: Timestamp) -> String {
    let outcome = Outcome::of(&target.kind, object);
    let status = &object.data["status"];
    let mut head = vec![["State".to_owned(), outcome.state.clone()]];
    let mut add = |label: &str, value: String| {
        if !value.is_empty() {
            head.push([label.to_owned(), value]);
        }
    };
    if outcome.reason != outcome.state {
        add("Reason", outcome.reason.clone());
    }
    add("Message", outcome.message.clone());
    let is_in_the_way = outcome.end.is_none_or(|exit| exit != Exit::Succeeded);
    let remedy = Reason::parse(&outcome.reason).filter(|_| is_in_the_way).map_or("", Reason::remedy);
    add("Remedy", remedy.replace('`', "'"));
    for (field, label) in FIELDS {
        add(label, scalar(&status[field]));
    }
    if let Some(seconds) = status["dpuSeconds"].as_f64() {
        add("Cost", format!("{:.2} DPU hours", seconds / 3600.0));
    }
    add("Identity", scalar(&status["identity"]["principalArn"]));
    if let Some(at) = &object.metadata.creation_timestamp {
        add("Age", age(at.0, now));
    }
    let mut parts = vec![target.full_name(), table::pairs(head)];
    parts.extend(log(status));
    parts.extend(attempts(status, now));
    parts.extend(timeline(events, now));
    parts.join("\n")
}

/// The end of the log of a failed run, if the controller has read it.
fn log(status: &Value) -> Option<String> {
    let lines = status["failure"]["log"].as_str()?.lines().map(|line| format!("  {}", printable(line)));
    let stream = printable(&scalar(&status["failure"]["logStream"]));
    Some(std::iter::once(format!("\nLog ({stream})")).chain(lines).collect::<Vec<_>>().join("\n"))
}

/// The attempts of a run, if it has any.
fn attempts(status: &Value, now: Timestamp) -> Option<String> {
    let attempts = status["attempts"].as_array().filter(|attempts| !attempts.is_empty())?;
    let at = |value: &Value| scalar(value).parse().map_or_else(|_| String::new(), |at: Timestamp| age(at, now));
    let rows = attempts.iter().map(|attempt| {
        let state = attempt.get("rejectedReason").filter(|reason| !reason.is_null()).unwrap_or(&attempt["state"]);
        [scalar(&attempt["number"]), scalar(state), at(&attempt["intendedAt"]), scalar(&attempt["id"])]
    });
    // Glue's ids have 67 characters: at the end they are wrapped, where another column would go to the next line.
    Some(format!("\nAttempts\n{}", table::indented(["#", "STATE", "BEGUN AGO", "RUN ID"], rows)))
}

/// The latest Events, oldest first.
fn timeline(events: &[Event], now: Timestamp) -> Option<String> {
    let (first, shown) = (events.len().saturating_sub(EVENTS), events.iter().skip(events.len().saturating_sub(EVENTS)));
    if events.is_empty() {
        return None;
    }
    let rows = shown.map(|event| {
        let at = happened_at(event).map_or_else(String::new, |at| age(at, now));
        let [type_, reason, note] =
            [&event.type_, &event.reason, &event.note].map(|text| text.clone().unwrap_or_default());
        [at, type_, reason, note]
    });
    let earlier = if first == 0 { String::new() } else { format!(" (the last {EVENTS} of {})", events.len()) };
    Some(format!("\nEvents{earlier}\n{}", table::indented(["AGO", "TYPE", "REASON", "MESSAGE"], rows)))
}

fn happened_at(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().map(|series| series.last_observed_time.0);
    series.or(event.event_time.as_ref().map(|time| time.0)).or(event
        .metadata
        .creation_timestamp
        .as_ref()
        .map(|at| at.0))
}

/// A value as text; nothing for what is absent.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugin::target;

    #[test]
    fn a_failed_run_shows_glues_words_its_attempts_and_its_cost() {
        let target = target::parse(&["gjr/nightly".to_owned()]).unwrap().remove(0);
        let mut object = DynamicObject::new("nightly", &target.kind.resource);
        let ready = json!({
            "type": "Ready", "status": "False", "reason": "RunFailed", "message": "SystemExit: 3",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        object.data = json!({ "status": {
            "phase": "Failed", "observedGeneration": 1, "runId": "jr_2", "dpuSeconds": 1800.0, "conditions": [ready],
            "attempts": [
                { "number": 0, "id": "jr_1", "state": "FAILED", "intendedAt": "2026-01-01T00:00:00Z" },
                { "number": 1, "id": "jr_2", "state": "FAILED", "intendedAt": "2026-01-01T00:05:00Z" },
            ],
        } });
        let page = page(&target, &object, &[], "2026-01-01T01:00:00Z".parse().unwrap());
        let lines: Vec<_> = page.lines().map(str::trim_end).collect();
        assert_eq!(
            lines[..5],
            [
                "gluejobrun.kube-glue.dev/nightly",
                "  State    Failed",
                "  Reason   RunFailed",
                "  Message  SystemExit: 3",
                lines[4],
            ]
        );
        assert!(page.contains("0.50 DPU hours"), "{page}");
        assert!(page.contains("jr_1") && page.contains("60m"), "{page}");
    }
}
