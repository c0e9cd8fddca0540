//! The runs of a workflow run, for lineage. Pure.

use crate::api::GlueWorkflowRunStatus;
use crate::api::workflow_run::{NodeStatus, NodeType};
use crate::controllers::runtime::lineage::sights::own_id;
use crate::glue::workflow_runs::NodeKind;
use crate::lineage::progress::Stage;

/// Whether the status has the end of a run of a node.
pub(super) fn has_ended(status: &GlueWorkflowRunStatus, run: &str) -> bool {
    let of_workflow = status.run_id.as_deref().unwrap_or_default();
    let is_it = |node: &NodeStatus| match (node.type_, &node.run_id) {
        (NodeType::Job, id) => id.as_deref() == Some(run),
        (NodeType::Crawler, _) => {
            let started = node.started_at.as_ref().map(|started| started.0);
            own_id(of_workflow, NodeKind::Crawler, &node.name, started) == run
        }
    };
    let stage = |node: &NodeStatus| {
        let state = node.state.as_deref().unwrap_or_default();
        match node.type_ {
            NodeType::Job => Stage::of_job_run(state),
            NodeType::Crawler => Stage::of_crawl(state),
        }
    };
    status.nodes.iter().any(|node| is_it(node) && matches!(stage(node), Stage::Ended(_)))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::api::run::RunStatus;
    use crate::controllers::run::RunKind;
    use crate::controllers::runtime::lineage::sights::tests::item;

    #[test]
    fn what_the_status_shows_as_ended_is_not_sent_again() {
        let object = crate::api::GlueWorkflowRun::new("a", crate::api::GlueWorkflowRunSpec::default());
        let attempt = crate::api::run::Attempt {
            id: Some("wr_1".to_owned()),
            ..crate::api::run::Attempt::intended(0, "a/u/0".to_owned(), k8s_time())
        };
        let shared = RunStatus { attempts: vec![attempt], ..RunStatus::unobserved() };
        let status = object.render(None, shared, Some(&item()));
        let ended: Vec<_> = ["wr_1/crawler/raw/100", "jr_1_attempt_1", "wr_1/crawler/raw/101", "jr_9"]
            .map(|run| has_ended(&status, run))
            .into();
        assert_eq!(ended, [true, false, false, false]);
    }

    fn k8s_time() -> k8s_openapi::apimachinery::pkg::apis::meta::v1::Time {
        k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Timestamp::UNIX_EPOCH)
    }
}
