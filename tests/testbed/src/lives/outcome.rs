//! What a life ended with: the object's status and the state of Glue, without what differs from one run of it to the
//! next (times, ids, names of the place).

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube_glue_double::DEFAULT_ACCOUNT;
use serde_json::{Map, Value, json};

use super::{OBJECT, crawler_run::CRAWLER, job_run::JOB, site::Glue, trigger::TRIGGER, workflow_run};

/// The fields in which two runs of one life differ: hashes over versions of Secrets, what is measured, Glue's estimate of a crawl, which
/// is asked for now and then, and the caller's identity, which is shown once it is known and something else is written.
const FREE: &[&str] = &[
    "fingerprint",
    "executionSeconds",
    "executionTime",
    "duration",
    "dpuHours",
    "dpuSeconds",
    "estimate",
    "identity",
    "calls",
];

/// What a life ended with.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The status, and the finalizers; null when the object is gone.
    pub object: Value,
    /// The state of Glue.
    pub glue: Value,
}

impl Outcome {
    /// What it is now.
    #[must_use]
    pub fn of(object: &Value, glue: &Glue, namespace: &str, uids: &[String]) -> Self {
        let state = in_glue(glue);
        let mut names = Names::default();
        names.add("namespace", namespace);
        names.add("region", &glue.region);
        for uid in uids {
            names.number("uid", uid);
        }
        for (list, id) in [("jobs", "Id"), ("crawls", "CrawlId"), ("workflow", "WorkflowRunId")] {
            for item in items(&state[list]) {
                names.number(list, item[id].as_str().unwrap_or_default());
            }
        }
        let kept = if object.is_null() {
            Value::Null
        } else {
            json!({ "status": object["status"], "finalizers": object["metadata"]["finalizers"] })
        };
        Self { object: names.replace(&kept), glue: names.replace(&state) }
    }

    /// How many attempts, crawls, workflow runs and firings Glue has.
    #[must_use]
    pub fn starts(&self) -> usize {
        let lists = ["jobs", "crawls", "workflow"].map(|list| items(&self.glue[list]).count());
        let firings = self.glue["firings"].as_u64().and_then(|count| usize::try_from(count).ok());
        lists.iter().sum::<usize>() + firings.unwrap_or_default()
    }

    /// Where another outcome of the same life is not the same.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        differ("object", &self.object, &other.object, &mut found);
        differ("glue", &self.glue, &other.glue, &mut found);
        found
    }
}

/// The state of what lives have in Glue, oldest first.
#[must_use]
pub fn in_glue(glue: &Glue) -> Value {
    let mut jobs = Vec::new();
    for job in [JOB, workflow_run::THEN] {
        for run in glue.double.runs(DEFAULT_ACCOUNT, &glue.region, job) {
            let fields = ["Id", "JobName", "JobRunState", "Arguments", "TriggerName"];
            jobs.push(only(&run, &fields));
        }
    }
    let list = |answer: Value, member: &str, fields: &[&str]| {
        let newest_first = answer[member].as_array().cloned().unwrap_or_default();
        Value::from(newest_first.iter().rev().map(|item| only(item, fields)).collect::<Vec<_>>())
    };
    let crawls = list(glue.call("ListCrawls", &json!({ "CrawlerName": CRAWLER })), "Crawls", &["CrawlId", "State"]);
    let workflow = list(
        glue.call("GetWorkflowRuns", &json!({ "Name": workflow_run::WORKFLOW })),
        "Runs",
        &["WorkflowRunId", "Status", "PreviousRunId", "WorkflowRunProperties"],
    );
    let trigger = glue.call("GetTrigger", &json!({ "Name": TRIGGER }));
    let arn = format!("arn:aws:glue:{}:{DEFAULT_ACCOUNT}:connection/{OBJECT}", glue.region);
    json!({
        "jobs": jobs,
        "crawls": crawls,
        "workflow": workflow,
        "trigger": trigger["Trigger"]["State"],
        "firings": glue.double.firings(DEFAULT_ACCOUNT, &glue.region, TRIGGER).len(),
        "connection": glue.double.connection_input(DEFAULT_ACCOUNT, &glue.region, OBJECT),
        "tags": glue.call("GetTags", &json!({ "ResourceArn": arn }))["Tags"],
    })
}

fn only(item: &Value, fields: &[&str]) -> Value {
    let kept = fields.iter().filter(|field| !item[**field].is_null());
    kept.map(|field| ((*field).to_owned(), item[*field].clone())).collect::<Map<_, _>>().into()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// What stands for the names of one place.
#[derive(Debug, Default)]
struct Names {
    /// The longest first: one may be part of another.
    by_name: Vec<(String, String)>,
    numbers: BTreeMap<String, usize>,
}

impl Names {
    fn add(&mut self, what: &str, name: &str) {
        if !name.is_empty() && !self.by_name.iter().any(|(known, _)| known == name) {
            self.by_name.push((name.to_owned(), format!("<{what}>")));
            self.by_name.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
        }
    }

    /// One of several: they are numbered in their order.
    fn number(&mut self, what: &str, name: &str) {
        let number = self.numbers.entry(what.to_owned()).or_default();
        let numbered = format!("{what} {number}");
        *number += 1;
        self.add(&numbered, name);
    }

    fn replace(&self, value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                // The number of a firing counts what was recorded before Glue answered, also when it was not heard.
                let is_free = |name: &str| FREE.contains(&name) || (name == "number" && members.contains_key("value"));
                let kept = members.iter().filter(|(name, _)| !is_free(name));
                kept.map(|(name, value)| (name.clone(), self.replace(value))).collect::<Map<_, _>>().into()
            }
            Value::Array(items) => items.iter().map(|item| self.replace(item)).collect(),
            Value::String(text) => Value::from(self.text(text)),
            other => other.clone(),
        }
    }

    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, place) in &self.by_name {
            text = text.replace(name, place);
        }
        let words = text.split(' ').map(|word| {
            let time = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            if time.parse::<Timestamp>().is_ok() { word.replace(time, "<time>") } else { word.to_owned() }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

fn differ(at: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let all: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for name in all {
                let of = |members: &Map<String, Value>| members.get(name).cloned().unwrap_or_default();
                differ(&format!("{at}/{name}"), &of(one), &of(other), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (number, (one, other)) in one.iter().zip(other).enumerate() {
                differ(&format!("{at}/{number}"), one, other, found);
            }
        }
        _ if one == other => {}
        _ => found.push(format!("{at}: {one} instead of {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_times_do_not_count() {
        let outcome = |namespace: &str, run: &str, time: &str, phase: &str| {
            let mut names = Names::default();
            names.add("namespace", namespace);
            names.number("jobs", run);
            let status = json!({ "phase": phase, "finishedAt": time, "message": format!("run {run} ended at {time}."),
                "fingerprint": run, "key": format!("{namespace}/7") });
            Outcome { object: names.replace(&status), glue: Value::Null }
        };
        let one = outcome("a-1", "jr_1", "2026-01-31T00:00:00Z", "Succeeded");
        let other = outcome("b-22", "jr_22", "2026-02-01T00:00:01.5Z", "Succeeded");
        assert_eq!(one.differences(&other), Vec::<String>::new());
        assert_eq!(one.object["message"], "run <jobs 0> ended at <time>.");
        let failed = outcome("a-1", "jr_1", "2026-01-31T00:00:00Z", "Failed");
        assert_eq!(failed.differences(&one), [r#"object/phase: "Failed" instead of "Succeeded""#]);
    }
}
