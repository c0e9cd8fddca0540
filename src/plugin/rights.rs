//! The operations of Glue that the controller calls for each kind: those of the policies in `docs/credentials.md`, which a
//! test compares with these.

use super::kind::Kind;

/// The operations, by kind.
pub(super) fn of(kind: &Kind) -> &'static [&'static str] {
    match kind.resource.kind.as_str() {
        "GlueJobRun" => &["StartJobRun", "GetJobRun", "GetJobRuns", "BatchStopJobRun", "GetJob"],
        "GlueCrawlerRun" => &["StartCrawler", "StopCrawler", "BatchGetCrawlers", "ListCrawls", "GetCrawlerMetrics"],
        "GlueWorkflowRun" => &[
            "StartWorkflowRun",
            "ResumeWorkflowRun",
            "StopWorkflowRun",
            "GetWorkflowRun",
            "GetWorkflowRuns",
            "GetWorkflow",
        ],
        "GlueTrigger" => &[
            "BatchGetTriggers",
            "StartTrigger",
            "StopTrigger",
            "GetJobRuns",
            "GetJobRun",
            "GetJob",
            "ListCrawls",
            "GetWorkflowRuns",
            "GetWorkflowRun",
        ],
        "GlueConnection" => &[
            "CreateConnection",
            "GetConnections",
            "UpdateConnection",
            "BatchDeleteConnection",
            "TestConnection",
            "TagResource",
            "UntagResource",
            "DescribeConnectionType",
        ],
        "GlueInventory" => &[
            "GetJobs",
            "GetJobRuns",
            "GetCrawlers",
            "ListCrawls",
            "GetTriggers",
            "ListWorkflows",
            "BatchGetWorkflows",
            "GetTags",
        ],
        _ => &[],
    }
}

/// The operations that lineage adds, for kinds that run something or see what runs: those of the policy in
/// `docs/lineage.md`, which a test compares with these.
pub(super) fn of_lineage(kind: &Kind) -> impl Iterator<Item = &'static str> {
    let has_runs = kind.resource.kind != "GlueConnection";
    let all: &[&str] = if has_runs { &LINEAGE } else { &[] };
    let own = of(kind);
    all.iter().copied().filter(move |operation| !own.contains(operation))
}

const LINEAGE: [&str; 7] = [
    "GetJob",
    "BatchGetCrawlers",
    "GetConnection",
    "GetTables",
    "GetTags",
    "GetDataflowGraph",
    // Of another service than Glue.
    "s3:GetObject",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// The policies in the JSON blocks of a page.
    fn policies(page: &str) -> impl Iterator<Item = Value> {
        let blocks = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
        blocks.filter_map(|block| serde_json::from_str::<Value>(block).ok())
    }

    /// The actions of policies.
    fn actions(policies: impl Iterator<Item = Value>) -> impl Iterator<Item = String> {
        let statements = policies.flat_map(|policy| policy["Statement"].as_array().cloned().unwrap_or_default());
        let actions = statements.flat_map(|statement| match &statement["Action"] {
            Value::Array(actions) => actions.clone(),
            action => vec![action.clone()],
        });
        actions.filter_map(|action| action.as_str().map(str::to_owned))
    }

    /// The operation of an action: the name alone of one of Glue.
    fn operation(action: &str) -> &str {
        action.strip_prefix("glue:").unwrap_or(action)
    }

    /// The operations of Glue of the policies with statements for this kind.
    fn documented(kind: &str) -> BTreeSet<String> {
        let of_kind = policies(include_str!("../../docs/credentials.md"));
        let of_kind = of_kind.filter(|policy| policy["Statement"][0]["Sid"] == kind);
        actions(of_kind)
            .filter(|action| action.starts_with("glue:"))
            .map(|action| operation(&action).to_owned())
            .collect()
    }

    #[test]
    fn the_operations_are_those_of_the_documented_policies() {
        for kind in Kind::all() {
            let name = &kind.resource.kind;
            let listed: BTreeSet<_> = of(&kind).iter().map(|operation| (*operation).to_owned()).collect();
            assert!(!listed.is_empty(), "{name}");
            assert_eq!(listed, documented(name), "{name}");
        }
    }

    #[test]
    fn those_of_lineage_are_those_of_its_policy_without_those_of_the_kind() {
        let documented: BTreeSet<_> = actions(policies(include_str!("../../docs/lineage.md"))).collect();
        let documented: BTreeSet<_> = documented.iter().map(|action| operation(action)).collect();
        assert_eq!(LINEAGE.into_iter().collect::<BTreeSet<_>>(), documented);
        for kind in Kind::all() {
            let added: Vec<_> = of_lineage(&kind).collect();
            assert!(added.iter().all(|operation| !of(&kind).contains(operation)));
            assert_eq!(added.contains(&"s3:GetObject"), kind.resource.kind != "GlueConnection");
        }
    }
}
