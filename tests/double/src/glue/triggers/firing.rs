//! The firing of a trigger: its actions are started.

use std::sync::Arc;

use serde::Serialize;

use super::{Action, Origin, conditions::RunName};
use crate::{
    clock::Time,
    error::AwsError,
    glue::{
        Region,
        runs::{Start, WithoutSlot},
    },
};

/// One firing of a trigger, with what it started.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Firing {
    /// When it fired, by the double's clock.
    pub at: Time,
    /// The chain that it belongs to.
    pub origin: Origin,
    /// The started job runs: job name and run id.
    pub runs: Vec<(Arc<str>, Arc<str>)>,
    /// The started crawls: crawler name and crawl id.
    pub crawls: Vec<(String, String)>,
    /// The jobs and crawlers that could not be started, with the error code.
    pub refused: Vec<(String, String)>,
}

/// What an action has started.
pub(super) enum Started {
    Run(RunName),
    /// The crawler and the crawl's id.
    Crawl(String, String),
    Nothing,
}

impl Region {
    /// Fires a trigger and begins a chain.
    pub(super) fn fire_new(&mut self, name: &str) -> Result<Origin, AwsError> {
        let workflow = self.trigger(name)?.settings.workflow_name.clone();
        let origin = self.new_origin();
        if let Some(workflow) = workflow {
            self.begin_triggered_run(&workflow, origin)?;
        }
        self.fire(name, origin, &[]);
        Ok(origin)
    }

    /// The same for a trigger that nobody started: Glue records that its workflow has the maximum of concurrent runs.
    pub(super) fn fire_by_itself(&mut self, name: &str) {
        let workflow = self.trigger(name).ok().and_then(|trigger| trigger.settings.workflow_name.clone());
        if let (Err(_), Some(workflow)) = (self.fire_new(name), workflow) {
            self.record_refused_run(&workflow);
        }
    }

    pub(super) fn new_origin(&mut self) -> Origin {
        self.triggers.origins += 1;
        Origin(self.triggers.origins)
    }

    /// Starts a trigger's actions as part of a chain.
    pub(super) fn fire(&mut self, name: &str, origin: Origin, predecessors: &[RunName]) {
        self.while_firing(origin, |region| region.start_actions(name, origin, predecessors));
    }

    fn start_actions(&mut self, name: &str, origin: Origin, predecessors: &[RunName]) {
        let at = self.now();
        let Ok(trigger) = self.trigger(name) else { return };
        let actions = trigger.settings.actions.clone();
        let mut firing = Firing { at, origin, runs: Vec::new(), crawls: Vec::new(), refused: Vec::new() };
        for action in actions {
            match self.start_one(&action, name, origin, predecessors) {
                Ok(Started::Run(run)) => firing.runs.push(run),
                Ok(Started::Crawl(crawler, id)) => firing.crawls.push((crawler, id)),
                Ok(Started::Nothing) => {}
                Err(error) => {
                    self.workflow_action_refused(origin);
                    let what = action.job_name.or(action.crawler_name).unwrap_or_default();
                    firing.refused.push((what, error.code.into_owned()));
                }
            }
        }
        if let Ok(trigger) = self.trigger_mut(name) {
            trigger.firings.push(firing);
        }
    }

    /// Starts what an action names.
    pub(super) fn start_one(
        &mut self,
        action: &Action,
        trigger: &str,
        origin: Origin,
        predecessors: &[RunName],
    ) -> Result<Started, AwsError> {
        match (&action.job_name, &action.crawler_name) {
            (Some(job), _) => self.start_action(job, action, trigger, origin, predecessors).map(Started::Run),
            (None, Some(crawler)) => {
                let id = self.start_crawl(crawler, Some(origin))?;
                Ok(Started::Crawl(crawler.clone(), id))
            }
            (None, None) => Ok(Started::Nothing),
        }
    }

    fn start_action(
        &mut self,
        job: &str,
        action: &Action,
        trigger: &str,
        origin: Origin,
        predecessors: &[RunName],
    ) -> Result<RunName, AwsError> {
        let of = self.job(job).ok_or_else(|| crate::glue::jobs::not_found(job))?;
        let start = Start::of_action(of, action)?.triggered(trigger, origin, predecessors);
        let number = self.start_run(start, None, WithoutSlot::Fail)?;
        let run = self.runs.get(number);
        Ok((run.start.job.clone(), run.id.clone()))
    }

    /// Checks that all jobs of a trigger have a free slot. `StartTrigger` requires this of an on-demand trigger.
    pub(super) fn check_slots(&self, name: &str) -> Result<(), AwsError> {
        for job in self.trigger(name)?.settings.actions.iter().filter_map(|action| action.job_name.as_deref()) {
            let job = self.job(job).ok_or_else(|| crate::glue::jobs::not_found(job))?;
            if job.is_full() && !job.queues() {
                return Err(AwsError::modelled(
                    "ConcurrentRunsExceededException",
                    format!("Concurrent runs exceeded for {}", job.settings.name),
                ));
            }
        }
        Ok(())
    }
}
