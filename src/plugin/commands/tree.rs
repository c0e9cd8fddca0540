//! What started what: a trigger, its workflow, their runs, and the attempts of each: `tree`.

use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::DynamicObject;
use serde_json::Value;

use super::for_each;
use crate::plugin::columns::text;
use crate::plugin::connect::Cluster;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::outcome::Outcome;
use crate::plugin::output;
use crate::plugin::table::printable;
use crate::plugin::target::Target;

/// The firings of a trigger that are shown, the latest ones.
const FIRINGS: usize = 5;

/// A line, and those below it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Node {
    line: String,
    children: Vec<Node>,
}

/// Prints a tree for each object.
pub(in crate::plugin) async fn execute(cluster: &Cluster, targets: &[Target]) -> Result<Exit, PluginError> {
    for_each(targets, async |target| {
        let object = cluster.read(target).await?;
        // Runs of a trigger or a workflow may have objects of their own, which know their attempts.
        let runs = if is_run_of_one(target) { Vec::new() } else { runs(cluster).await? };
        output::line(printable(&drawn(&node(&target.kind, &object, &runs))))?;
        Ok(Exit::Succeeded)
    })
    .await
}

/// Whether nothing but the object itself is needed.
fn is_run_of_one(target: &Target) -> bool {
    target.kind.is_run && target.kind.resource.kind != Kind::workflow_run().resource.kind
}

/// All runs of the namespace, with their kinds.
async fn runs(cluster: &Cluster) -> Result<Vec<(Kind, DynamicObject)>, PluginError> {
    let mut runs = Vec::new();
    for kind in Kind::runs() {
        let list = cluster.objects(&kind).list(&ListParams::default()).await;
        let list = list.map_err(PluginError::api(format!("listing {}", kind.resource.plural)))?;
        runs.extend(list.items.into_iter().map(|object| (kind.clone(), object)));
    }
    Ok(runs)
}

/// The tree of an object. Pure.
fn node(kind: &Kind, object: &DynamicObject, runs: &[(Kind, DynamicObject)]) -> Node {
    let status = &object.data["status"];
    let outcome = Outcome::of(kind, object);
    let line = format!("{}  {}", kind.short_name(&object.name_any()), outcome.state);
    let mut children = Vec::new();
    if kind.is_trigger() {
        children.extend(text_of(&status["workflow"]).map(|name| leaf(format!("workflow {name}"))));
        let latest = status["earlierFirings"].as_array().into_iter().flatten().chain(status.get("lastFiring"));
        let firings: Vec<_> = latest.filter(|firing| firing.is_object()).collect();
        let skipped = firings.len().saturating_sub(FIRINGS);
        children.extend(firings.into_iter().skip(skipped).rev().map(|firing| self::firing(firing, runs)));
    }
    children.extend(attempts(status));
    let nodes = status["nodes"].as_array();
    children.extend(nodes.into_iter().flatten().map(|node| {
        let line = words(&[&node["type"], &node["name"], &node["state"], &node["runId"], &node["errorMessage"]]);
        Node { line: lowered_first_word(&line), children: of_run(&node["runId"], runs) }
    }));
    Node { line, children }
}

/// A firing with the runs that it started.
fn firing(firing: &Value, runs: &[(Kind, DynamicObject)]) -> Node {
    let rejected = text_of(&firing["rejectedReason"]).map(|reason| format!("  {reason}")).unwrap_or_default();
    let line = format!("firing {}{rejected}", text(&firing["value"]));
    let started = firing["started"].as_array().into_iter().flatten().map(|run| {
        let line = words(&[&run["kind"], &run["name"], &run["state"], &run["id"]]);
        Node { line: lowered_first_word(&line), children: of_run(&run["id"], runs) }
    });
    Node { line, children: started.collect() }
}

/// The objects that stand for a run of Glue.
fn of_run(id: &Value, runs: &[(Kind, DynamicObject)]) -> Vec<Node> {
    let Some(id) = id.as_str() else { return Vec::new() };
    let stands_for = |object: &&(Kind, DynamicObject)| object.1.data["status"]["runId"] == id;
    runs.iter().filter(stands_for).map(|(kind, object)| node(kind, object, &[])).collect()
}

/// The attempts of a run, where there is more than the run itself says.
fn attempts(status: &Value) -> Vec<Node> {
    let attempts = status["attempts"].as_array().into_iter().flatten();
    let line = |attempt: &Value| {
        let state = attempt.get("rejectedReason").filter(|reason| !reason.is_null()).unwrap_or(&attempt["state"]);
        format!("attempt {}", words(&[&attempt["number"], &attempt["id"], state]))
    };
    attempts.map(|attempt| leaf(line(attempt))).collect()
}

fn leaf(line: String) -> Node {
    Node { line, children: Vec::new() }
}

fn text_of(value: &Value) -> Option<String> {
    Some(text(value)).filter(|text| !text.is_empty())
}

/// Those that have a text, with two blanks between them.
fn words(values: &[&Value]) -> String {
    values.iter().filter_map(|value| text_of(value)).collect::<Vec<_>>().join("  ")
}

/// `Job  etl` is `job etl`.
fn lowered_first_word(line: &str) -> String {
    line.split_once("  ").map_or_else(|| line.to_owned(), |(first, rest)| format!("{} {rest}", first.to_lowercase()))
}

/// The tree with its branches.
fn drawn(node: &Node) -> String {
    let mut lines = vec![node.line.clone()];
    for (n, child) in node.children.iter().enumerate() {
        let is_last = n + 1 == node.children.len();
        let (first, rest) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        for (m, line) in drawn(child).lines().enumerate() {
            lines.push(format!("{}{line}", if m == 0 { first } else { rest }));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(kind: &Kind, name: &str, status: &Value) -> DynamicObject {
        let mut object = DynamicObject::new(name, &kind.resource);
        object.data = json!({ "status": status });
        object
    }

    #[test]
    fn a_trigger_has_its_firings_their_runs_and_the_attempts() {
        let run = object(
            &Kind::job_run(),
            "followed",
            &json!({ "phase": "Failed", "runId": "jr_2", "attempts": [{ "number": 0, "id": "jr_2", "state": "FAILED" }] }),
        );
        let started = json!([{ "kind": "Job", "name": "etl", "state": "FAILED", "id": "jr_2" }]);
        let trigger = object(
            &Kind::trigger(),
            "nightly",
            &json!({ "workflow": "w", "lastFiring": { "number": 0, "value": "monday", "started": started } }),
        );
        let tree = drawn(&node(&Kind::trigger(), &trigger, &[(Kind::job_run(), run)]));
        let expected = "gtr/nightly  Pending
├─ workflow w
└─ firing monday
   └─ job etl  FAILED  jr_2
      └─ gjr/followed  Failed
         └─ attempt 0  jr_2  FAILED";
        assert_eq!(tree, expected);
    }
}
