//! The runs of workflows over time: begun, completed, stopped and resumed.

use std::collections::BTreeSet;

use super::{Properties, RunState, WorkflowRun, graph::condition_target, not_found};
use crate::{
    error::AwsError,
    glue::{
        Region,
        triggers::{Action, Origin, TriggerType},
    },
    wire::random_hex,
};

/// What a new run begins with.
#[derive(Default)]
pub(super) struct Begin {
    pub properties: Properties,
    pub previous: Option<String>,
    pub error: Option<String>,
}

/// A job or a crawler, by kind and name.
pub(super) type Target = (&'static str, String);

/// What an action starts.
pub(super) fn target_of(action: &Action) -> Option<Target> {
    match (&action.job_name, &action.crawler_name) {
        (Some(job), _) => Some(("JOB", job.clone())),
        (None, Some(crawler)) => Some(("CRAWLER", crawler.clone())),
        (None, None) => None,
    }
}

impl Region {
    /// Begins a workflow run for a chain that a trigger starts.
    pub(in crate::glue::triggers) fn begin_triggered_run(
        &mut self,
        name: &str,
        origin: Origin,
    ) -> Result<(), AwsError> {
        self.begin_workflow_run(name, origin, Begin::default()).map(drop)
    }

    /// Records that a trigger could not begin a run. "Currently the only error message is 'Concurrent runs exceeded for
    /// workflow: foo.'" (`WorkflowRun`, AWS Glue API reference).
    pub(in crate::glue::triggers) fn record_refused_run(&mut self, workflow: &str) {
        let origin = self.new_origin();
        let error = Some(format!("Concurrent runs exceeded for workflow: {workflow}."));
        // Without the workflow there is nothing to record.
        let _ = self.add_workflow_run(workflow, origin, Begin { error, ..Begin::default() });
    }

    /// Begins a workflow run for a chain; returns its id.
    pub(super) fn begin_workflow_run(&mut self, name: &str, origin: Origin, begin: Begin) -> Result<String, AwsError> {
        let workflow = self.workflow(name)?;
        let live = workflow.runs.iter().filter(|run| run.completed_on.is_none()).count();
        if workflow.settings.max_concurrent_runs.is_some_and(|most| live >= most) {
            return Err(AwsError::modelled(
                "ConcurrentRunsExceededException",
                format!("Concurrent runs exceeded for workflow {name}"),
            ));
        }
        self.add_workflow_run(name, origin, begin)
    }

    fn add_workflow_run(&mut self, name: &str, origin: Origin, begin: Begin) -> Result<String, AwsError> {
        let now = self.now();
        let actions = self.triggers_of(name).map(|(_, trigger)| trigger.settings.actions.len()).sum();
        let workflow = self.workflows.by_name.get_mut(name).ok_or_else(|| not_found(name))?;
        let mut properties = workflow.settings.default_run_properties.clone().unwrap_or_default();
        properties.extend(begin.properties);
        let id = format!("wr_{}", random_hex(64));
        let number = workflow.runs.len();
        let failed = begin.error.is_some();
        workflow.runs.push(WorkflowRun {
            id: id.clone(),
            origin,
            previous: begin.previous,
            properties,
            started_on: now,
            completed_on: failed.then_some(now),
            state: if failed { RunState::Error } else { RunState::Running },
            error: begin.error,
            actions,
            job_runs: Vec::new(),
            crawls: Vec::new(),
            refused: 0,
        });
        self.workflows.of_origin.insert(origin, (name.into(), number));
        Ok(id)
    }

    /// Does `work`, during which the runs of workflows are not complete.
    pub(in crate::glue::triggers) fn while_firing(&mut self, origin: Origin, work: impl FnOnce(&mut Self)) {
        self.workflows.firing += 1;
        work(self);
        self.workflows.firing -= 1;
        self.complete_workflow_run(origin);
    }

    pub(in crate::glue::triggers) fn workflow_action_refused(&mut self, origin: Origin) {
        if let Some(run) = self.workflows.run_mut(origin) {
            run.refused += 1;
        }
    }

    /// Ends the run of a chain if nothing of it is live.
    pub(in crate::glue::triggers) fn complete_workflow_run(&mut self, origin: Origin) {
        let now = self.now();
        let is_over = |run: &WorkflowRun| run.completed_on.is_none() && !self.has_live_action(run);
        if self.workflows.firing > 0 || !self.workflows.run(origin).is_some_and(is_over) {
            return;
        }
        if let Some(run) = self.workflows.run_mut(origin) {
            run.completed_on = Some(now);
            run.state = if run.state == RunState::Stopping { RunState::Stopped } else { RunState::Completed };
        }
    }

    fn has_live_action(&self, run: &WorkflowRun) -> bool {
        let is_live_run = |number: &_| {
            let run = self.runs.get(*number);
            // One that Glue is about to retry has its slot still.
            !run.state.is_final() || run.holds_slot
        };
        run.job_runs.iter().any(is_live_run) || run.crawls.iter().any(|(crawler, id)| self.is_live_crawl(crawler, id))
    }

    /// Starts a run and fires the triggers that begin it; returns the run's id.
    pub(super) fn start_workflow_run(&mut self, name: &str, properties: Properties) -> Result<String, AwsError> {
        let origin = self.new_origin();
        let id = self.begin_workflow_run(name, origin, Begin { properties, ..Begin::default() })?;
        let begins = self.triggers_of(name).filter(|(_, trigger)| trigger.settings.kind != TriggerType::Conditional);
        let first: Vec<_> = begins.map(|(name, _)| name.clone()).collect();
        self.while_firing(origin, |region| {
            for trigger in &first {
                region.fire(trigger, origin, &[]);
            }
        });
        Ok(id)
    }

    /// Stops a run: what is live of it is stopped, and nothing fires in it any more.
    pub(super) fn stop_workflow_run(&mut self, name: &str, id: &str) -> Result<(), AwsError> {
        let run = self.workflow_run(name, id)?;
        if run.state != RunState::Running {
            return Err(illegal_state(format!("Workflow run {id} is not running.")));
        }
        let (origin, job_runs, crawls) = (run.origin, run.job_runs.clone(), run.crawls.clone());
        if let Some(run) = self.workflows.run_mut(origin) {
            run.state = RunState::Stopping;
        }
        for number in job_runs {
            // Those that have ended refuse it.
            let _ = self.stop_run(number);
        }
        for (crawler, id) in crawls {
            if self.is_live_crawl(&crawler, &id) {
                let _ = self.stop_crawl(&crawler);
            }
        }
        self.complete_workflow_run(origin);
        Ok(())
    }

    /// Resumes a run at some of its nodes; returns the new run's id. "You can resume a workflow run only if its status is
    /// COMPLETED" (Repairing and resuming a workflow run, AWS Glue developer guide). The new run has the properties of the
    /// one before it: AWS documents neither that nor the opposite.
    pub(super) fn resume_workflow_run(&mut self, name: &str, id: &str, nodes: &[String]) -> Result<String, AwsError> {
        let run = self.workflow_run(name, id)?;
        if run.state != RunState::Completed {
            return Err(illegal_state(format!("Workflow run {id} cannot be resumed in its state.")));
        }
        let (before, properties) = (run.origin, run.properties.clone());
        let attempted = self.attempted_nodes(name, run);
        let targets: BTreeSet<Target> = nodes
            .iter()
            .map(|node| {
                let found = attempted.iter().find(|(unique, _)| unique == node).map(|(_, target)| target.clone());
                found.ok_or_else(|| AwsError::invalid(format!("Node {node} has no run attempt in workflow run {id}.")))
            })
            .collect::<Result<_, _>>()?;
        let origin = self.new_origin();
        let begin = Begin { properties, previous: Some(id.to_owned()), error: None };
        let new_id = self.begin_workflow_run(name, origin, begin)?;
        let downstream = self.downstream_of(name, &targets);
        // "If you select two nodes to resume and they're dependent upon each other, the upstream node is run before the
        // downstream node" (in the same place): the latter is started by its trigger.
        let is_first = |target: &Target| !self.is_started_after(name, target, &downstream);
        let first: BTreeSet<Target> = targets.iter().filter(|target| is_first(target)).cloned().collect();
        let first = if first.is_empty() { targets } else { first };
        self.keep_met_conditions(name, before, origin, &downstream);
        self.while_firing(origin, |region| region.start_targets(name, origin, &first));
        Ok(new_id)
    }

    /// The targets, and everything that conditional triggers start after them.
    fn downstream_of(&self, workflow: &str, targets: &BTreeSet<Target>) -> BTreeSet<Target> {
        let mut downstream = targets.clone();
        loop {
            let before = downstream.len();
            for (_, trigger) in self.triggers_of(workflow) {
                let conditions = trigger.settings.predicate.iter().flat_map(|predicate| &predicate.conditions);
                if conditions.filter_map(condition_target).any(|target| downstream.contains(&target)) {
                    downstream.extend(trigger.settings.actions.iter().filter_map(target_of));
                }
            }
            if downstream.len() == before {
                return downstream;
            }
        }
    }

    /// Whether a conditional trigger starts the target after another one of `downstream`.
    fn is_started_after(&self, workflow: &str, target: &Target, downstream: &BTreeSet<Target>) -> bool {
        self.triggers_of(workflow).any(|(_, trigger)| {
            let mut conditions = trigger.settings.predicate.iter().flat_map(|predicate| &predicate.conditions);
            let follows = conditions.any(|condition| {
                condition_target(condition).is_some_and(|of| of != *target && downstream.contains(&of))
            });
            follows && trigger.settings.actions.iter().filter_map(target_of).any(|started| started == *target)
        })
    }

    fn start_targets(&mut self, workflow: &str, origin: Origin, targets: &BTreeSet<Target>) {
        let actions = self.triggers_of(workflow).flat_map(|(name, trigger)| {
            let name = name.clone();
            trigger.settings.actions.iter().map(move |action| (name.clone(), action.clone()))
        });
        let mut left = targets.clone();
        let due: Vec<_> =
            actions.filter(|(_, action)| target_of(action).is_some_and(|target| left.remove(&target))).collect();
        for (trigger, action) in due {
            if self.start_one(&action, &trigger, origin, &[]).is_err() {
                self.workflow_action_refused(origin);
            }
        }
    }
}

fn illegal_state(message: String) -> AwsError {
    AwsError::modelled("IllegalWorkflowStateException", message)
}
