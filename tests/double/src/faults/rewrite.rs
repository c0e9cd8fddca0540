//! Changes of the body of an answer: what a client must bear although Glue's documentation does not promise it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A value that no client knows.
pub const UNKNOWN_VALUE: &str = "SOMETHING_NEW";
/// Added to the identity of a copied entry, with its number.
const COPY: &str = "-copy-";

/// The members of Glue's answers whose values are those of an enumeration.
const ENUMERATIONS: &[&str] = &[
    "JobRunState",
    "State",
    "CrawlState",
    "Status",
    "Type",
    "ConnectionType",
    "CreateConnectionStatus",
    "Logical",
    "LogicalOperator",
    "WorkerType",
    "ExecutionClass",
    "JobMode",
];

/// The members that say what an entry is. Without them there is no entry.
const IDENTITIES: &[&str] =
    &["Id", "RunId", "JobRunId", "JobName", "Name", "CrawlId", "CrawlerName", "WorkflowRunId", "NextToken"];

/// What is changed in the body of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "change")]
pub enum Rewrite {
    /// Each value of an enumeration is one that no client knows.
    UnknownValues,
    /// Members that are not part of an entry's identity are left out.
    OnlyIdentities,
    /// Each list has the reverse order. The pages stay in order.
    ReverseLists,
    /// Each list that is not empty ends with copies of its last entry that have other identities.
    LongLists {
        /// The number of entries of each list afterwards.
        entries: usize,
    },
}

impl Rewrite {
    /// The changed body; the same body when it has nothing to change.
    #[must_use]
    pub fn apply(&self, body: Value) -> Value {
        match self {
            Self::UnknownValues => with_unknown_values(body),
            Self::OnlyIdentities => only_identities(body),
            Self::ReverseLists => each_list(body, |mut list| {
                list.reverse();
                list
            }),
            Self::LongLists { entries } => each_list(body, |list| lengthened(list, *entries)),
        }
    }
}

/// Changes the lists in the members of an answer.
fn each_list(body: Value, mut change: impl FnMut(Vec<Value>) -> Vec<Value>) -> Value {
    match body {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| match value {
                    Value::Array(list) => (name, Value::Array(change(list))),
                    other => (name, other),
                })
                .collect(),
        ),
        other => other,
    }
}

fn lengthened(list: Vec<Value>, entries: usize) -> Vec<Value> {
    let Some(oldest) = list.last() else { return list };
    let missing = entries.saturating_sub(list.len());
    let copies: Vec<Value> = (0..missing).map(|number| copy(oldest, number)).collect();
    list.into_iter().chain(copies).collect()
}

fn copy(entry: &Value, number: usize) -> Value {
    let renamed = |value: &Value| value.as_str().map(|text| Value::String(format!("{text}{COPY}{number}")));
    match entry {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let is_own = ["Id", "CrawlId", "Name", "JobRunId", "WorkflowRunId"].contains(&name.as_str());
                    let value = is_own.then(|| renamed(value)).flatten().unwrap_or_else(|| value.clone());
                    (name.clone(), value)
                })
                .collect(),
        ),
        name => renamed(name).unwrap_or_else(|| name.clone()),
    }
}

fn with_unknown_values(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(_) if ENUMERATIONS.contains(&name.as_str()) => (name, UNKNOWN_VALUE.into()),
                    value => (name, with_unknown_values(value)),
                })
                .collect(),
        ),
        Value::Array(list) => list.into_iter().map(with_unknown_values).collect(),
        other => other,
    }
}

fn only_identities(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, value) in members {
                match value {
                    Value::Object(_) | Value::Array(_) => {
                        kept.insert(name, only_identities(value));
                    }
                    value if IDENTITIES.contains(&name.as_str()) => {
                        kept.insert(name, value);
                    }
                    _ => {}
                }
            }
            Value::Object(kept)
        }
        Value::Array(list) => list.into_iter().map(only_identities).collect(),
        other => other,
    }
}

/// The XML answer of an action without its result's members.
#[must_use]
pub fn without_result(action: &str, xml: &str) -> String {
    let (open, close) = (format!("<{action}Result>"), format!("</{action}Result>"));
    match (xml.find(&open), xml.find(&close)) {
        (Some(begin), Some(end)) if begin < end => format!("{}{}", &xml[..begin + open.len()], &xml[end..]),
        _ => xml.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page() -> Value {
        json!({ "JobRuns": [
            { "Id": "jr_2", "JobRunState": "RUNNING", "Attempt": 0, "Arguments": { "--a": "1" } },
            { "Id": "jr_1", "JobRunState": "STOPPED", "Attempt": 1 },
        ], "NextToken": "t" })
    }

    #[test]
    fn unknown_values_stand_in_every_entry() {
        let page = Rewrite::UnknownValues.apply(page());
        assert_eq!(page["JobRuns"][1], json!({ "Id": "jr_1", "JobRunState": UNKNOWN_VALUE, "Attempt": 1 }));
    }

    #[test]
    fn only_identities_remain() {
        let expected = json!({ "JobRuns": [{ "Id": "jr_2", "Arguments": {} }, { "Id": "jr_1" }], "NextToken": "t" });
        assert_eq!(Rewrite::OnlyIdentities.apply(page()), expected);
    }

    #[test]
    fn lists_are_reversed() {
        let page = Rewrite::ReverseLists.apply(page());
        assert_eq!([&page["JobRuns"][0]["Id"], &page["JobRuns"][1]["Id"]], ["jr_1", "jr_2"]);
    }

    #[test]
    fn a_long_list_has_the_true_entries_at_its_beginning() {
        let page = Rewrite::LongLists { entries: 10_000 }.apply(page());
        let runs = page["JobRuns"].as_array().unwrap();
        assert_eq!((runs.len(), &runs[0]["Id"], &runs[1]["Id"]), (10_000, &json!("jr_2"), &json!("jr_1")));
        let ids: std::collections::BTreeSet<_> = runs.iter().map(|run| run["Id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 10_000);
        let empty = json!({ "Errors": [] });
        assert_eq!(Rewrite::LongLists { entries: 10 }.apply(empty.clone()), empty);
    }

    #[test]
    fn an_answer_in_xml_loses_its_result() {
        let xml = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn></GetCallerIdentityResult><R/>\
                   </GetCallerIdentityResponse>";
        assert_eq!(
            without_result("GetCallerIdentity", xml),
            "<GetCallerIdentityResponse><GetCallerIdentityResult></GetCallerIdentityResult><R/></GetCallerIdentityResponse>"
        );
    }
}
