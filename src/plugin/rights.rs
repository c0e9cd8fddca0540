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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// The actions on Glue of the policies with statements for this kind, in the JSON blocks of the page.
    fn documented(kind: &str) -> BTreeSet<String> {
        let page = include_str!("../../docs/credentials.md");
        let blocks = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
        let policies = blocks.filter_map(|block| serde_json::from_str::<Value>(block).ok());
        let of_kind = policies.filter(|policy| policy["Statement"][0]["Sid"] == kind);
        let statements = of_kind.flat_map(|policy| policy["Statement"].as_array().cloned().unwrap_or_default());
        let actions = statements.flat_map(|statement| match &statement["Action"] {
            Value::Array(actions) => actions.clone(),
            action => vec![action.clone()],
        });
        actions.filter_map(|action| Some(action.as_str()?.strip_prefix("glue:")?.to_owned())).collect()
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
}
