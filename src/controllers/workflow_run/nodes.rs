//! Which nodes of an ended run are run again. Pure.

use crate::glue::triggers::join_items;
use crate::glue::workflow_runs::{Node, NodeOutcome, WorkflowRunItem, WorkflowRunState};

/// The ids of the nodes to run again: those that are `named`, else those that failed. The error says why there are none.
/// Glue resumes what is COMPLETED, at nodes that have had a run ("The nodes that are to be restarted must have a run attempt
/// in the original run", Glue API reference, `ResumeWorkflowRun`).
pub(super) fn to_resume(item: &WorkflowRunItem, named: Option<&[String]>) -> Result<Vec<String>, String> {
    let id = &item.run.id;
    if item.run.state != WorkflowRunState::Completed {
        let state = item.run.state.as_str();
        return Err(format!("{id} ended as {state}, and Glue resumes only runs that it has COMPLETED"));
    }
    let ids = |nodes: Vec<&Node>| nodes.into_iter().map(|node| node.id.clone()).collect();
    let Some(named) = named else {
        let failed: Vec<_> = item.failed_nodes().collect();
        return if failed.is_empty() { Err(format!("no job or crawler of {id} failed")) } else { Ok(ids(failed)) };
    };
    let is_startable = |name: &String| item.nodes.iter().any(|node| node.name == *name && node.newest.is_some());
    let unknown: Vec<String> = named.iter().filter(|name| !is_startable(name)).cloned().collect();
    if !unknown.is_empty() {
        return Err(format!("{id} has started no job or crawler {} (spec.resumeNodes)", join_items(&unknown)));
    }
    Ok(ids(item.nodes.iter().filter(|node| node.newest.is_some() && named.contains(&node.name)).collect()))
}

/// Whether `candidate`, a run without a key that Glue shows as the one after `before`, resumes it, and is not a run of the
/// whole workflow: that would run again what has succeeded.
pub(super) fn resumes(before: &WorkflowRunItem, candidate: &WorkflowRunItem, named: Option<&[String]>) -> bool {
    let is_started = |id: &str| candidate.nodes.iter().any(|node| node.id == id && node.newest.is_some());
    if let Some(named) = named {
        return before.nodes.iter().filter(|node| named.contains(&node.name)).all(|node| is_started(&node.id));
    }
    let succeeded = |node: &&Node| node.newest.as_ref().is_some_and(|run| run.outcome == NodeOutcome::Succeeded);
    !before.nodes.iter().filter(succeeded).any(|node| is_started(&node.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::workflow_runs::{NodeRun, WorkflowRun};

    #[test]
    fn what_failed_runs_again_or_what_is_named() {
        let node = |name: &str, outcome: Option<NodeOutcome>| {
            Node::fixture(name, outcome.map(|outcome| NodeRun::fixture("ANY", outcome)))
        };
        let run = |state| WorkflowRunItem {
            nodes: vec![
                node("load", Some(NodeOutcome::Succeeded)),
                node("clean", Some(NodeOutcome::Failed)),
                node("publish", None),
            ],
            ..WorkflowRunItem::without_nodes(WorkflowRun::fixture("wr_1", state))
        };
        let completed = run(WorkflowRunState::Completed);
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (item, resume_nodes, expected) in [
            (&completed, None, Ok(vec!["wnode_clean"])),
            (&completed, Some(named(&["load", "clean"])), Ok(vec!["wnode_load", "wnode_clean"])),
            (&completed, Some(named(&["publish", "clean"])), Err("has started no job or crawler publish")),
            (&run(WorkflowRunState::Stopped), None, Err("wr_1 ended as STOPPED")),
        ] {
            match (to_resume(item, resume_nodes.as_deref()), expected) {
                (Ok(nodes), Ok(expected)) => assert_eq!(nodes, expected),
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
                other => panic!("{other:?}"),
            }
        }
        // A run after it: of the whole workflow, of what failed, of what was named.
        let after = |started: &[&str]| WorkflowRunItem {
            nodes: ["load", "clean", "publish"]
                .map(|name| node(name, started.contains(&name).then_some(NodeOutcome::Live)))
                .into(),
            ..WorkflowRunItem::without_nodes(WorkflowRun::fixture("wr_2", WorkflowRunState::Running))
        };
        assert!(!resumes(&completed, &after(&["load"]), None));
        assert!(resumes(&completed, &after(&["clean", "publish"]), None));
        assert!(resumes(&completed, &after(&["load"]), Some(&named(&["load"]))));
        assert!(!resumes(&completed, &after(&["clean"]), Some(&named(&["load"]))));
        let mut good = completed;
        good.nodes.remove(1);
        assert!(to_resume(&good, None).is_err_and(|why| why.contains("no job or crawler of wr_1 failed")));
    }
}
