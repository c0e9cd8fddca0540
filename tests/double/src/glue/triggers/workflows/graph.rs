//! The graph of a workflow: its triggers, and the jobs and crawlers that they start or wait for.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{WorkflowRun, lifecycle::Target, lifecycle::target_of};
use crate::glue::{Region, triggers::Condition};

/// Glue's `WorkflowGraph`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Graph {
    nodes: Vec<Value>,
    edges: Vec<Value>,
}

/// What a condition waits for.
pub(super) fn condition_target(condition: &Condition) -> Option<Target> {
    match (&condition.job_name, &condition.crawler_name) {
        (Some(job), _) => Some(("JOB", job.clone())),
        (None, Some(crawler)) => Some(("CRAWLER", crawler.clone())),
        (None, None) => None,
    }
}

/// The id of a node. In Glue it begins with `wnode_`.
fn unique_id(workflow: &str, kind: &str, name: &str) -> String {
    let digest = Sha256::digest(format!("{workflow}\n{kind}\n{name}"));
    format!("wnode_{}", hex::encode(digest))
}

impl Region {
    /// The jobs and crawlers of a workflow.
    fn targets_of(&self, workflow: &str) -> Vec<Target> {
        let mut targets = Vec::new();
        for (_, trigger) in self.triggers_of(workflow) {
            let conditions = trigger.settings.predicate.iter().flat_map(|predicate| &predicate.conditions);
            let all =
                trigger.settings.actions.iter().filter_map(target_of).chain(conditions.filter_map(condition_target));
            targets.extend(all);
        }
        targets.sort();
        targets.dedup();
        targets
    }

    /// The nodes that have a run or a crawl in a workflow run, with their ids.
    pub(super) fn attempted_nodes(&self, workflow: &str, run: &WorkflowRun) -> Vec<(String, Target)> {
        let is_attempted = |(kind, name): &Target| match *kind {
            "JOB" => run.job_runs.iter().any(|number| *self.runs.get(*number).start.job == **name),
            _ => run.crawls.iter().any(|(crawler, _)| **crawler == **name),
        };
        let targets = self.targets_of(workflow).into_iter().filter(is_attempted);
        targets.map(|target| (unique_id(workflow, target.0, &target.1), target)).collect()
    }

    /// The graph as it is now; with what a run has started.
    pub(super) fn graph(&self, workflow: &str, run: Option<&WorkflowRun>) -> Graph {
        let id = |kind: &str, name: &str| unique_id(workflow, kind, name);
        let mut edges = BTreeSet::new();
        let mut nodes = Vec::new();
        for (name, trigger) in self.triggers_of(workflow) {
            let own = id("TRIGGER", name);
            for (kind, name) in trigger.settings.actions.iter().filter_map(target_of) {
                edges.insert((own.clone(), id(kind, &name)));
            }
            let conditions = trigger.settings.predicate.iter().flat_map(|predicate| &predicate.conditions);
            for (kind, name) in conditions.filter_map(condition_target) {
                edges.insert((id(kind, &name), own.clone()));
            }
            let details = json!({ "Trigger": trigger.view() });
            nodes.push(json!({ "Type": "TRIGGER", "Name": name, "UniqueId": own, "TriggerDetails": details }));
        }
        for (kind, name) in self.targets_of(workflow) {
            let mut node = json!({ "Type": kind, "Name": name, "UniqueId": id(kind, &name) });
            if kind == "JOB" {
                let runs = run
                    .iter()
                    .flat_map(|run| &run.job_runs)
                    .filter(|number| *self.runs.get(**number).start.job == *name);
                let runs: Vec<_> = runs.map(|number| self.job_run_now(*number)).collect();
                node["JobDetails"] = json!({ "JobRuns": runs });
            } else {
                let crawls = run.iter().flat_map(|run| &run.crawls).filter(|(crawler, _)| **crawler == *name);
                let crawls: Vec<_> = crawls.filter_map(|(crawler, id)| self.crawl_of_chain(crawler, id)).collect();
                node["CrawlerDetails"] = json!({ "Crawls": crawls });
            }
            nodes.push(node);
        }
        let edges = edges.into_iter().map(|(from, to)| json!({ "SourceId": from, "DestinationId": to })).collect();
        Graph { nodes, edges }
    }
}
