//! Compares ended runs and crawls with the conditions of conditional triggers.

use std::{collections::BTreeSet, sync::Arc};

use super::{Condition, Logical, Origin, TriggerState, TriggerType};
use crate::glue::{Region, crawlers::CrawlState, runs::RunNumber};

/// A run's job and id.
pub(super) type RunName = (Arc<str>, Arc<str>);

/// The run or crawl that met a condition.
#[derive(Clone, Debug)]
enum Met {
    Run(RunName),
    Crawl,
}

/// The conditions of a trigger that are met within one chain.
#[derive(Clone, Debug, Default)]
pub(super) struct MetConditions {
    met: Vec<Option<Met>>,
    fired: bool,
}

impl MetConditions {
    fn runs(&self) -> Vec<RunName> {
        let met = self.met.iter().flatten();
        met.filter_map(|met| match met {
            Met::Run(name) => Some(name.clone()),
            Met::Crawl => None,
        })
        .collect()
    }
}

/// A run or crawl that has ended.
enum Ended<'a> {
    Run { name: RunName, state: &'a str },
    Crawl { crawler: &'a str, state: &'a str },
}

impl Ended<'_> {
    fn meets(&self, condition: &Condition) -> bool {
        match self {
            Self::Run { name: (job, _), state } => {
                condition.job_name.as_deref() == Some(job) && condition.state.as_deref() == Some(state)
            }
            Self::Crawl { crawler, state } => {
                condition.crawler_name.as_deref() == Some(crawler) && condition.crawl_state.as_deref() == Some(state)
            }
        }
    }

    fn as_met(&self) -> Met {
        match self {
            Self::Run { name, .. } => Met::Run(name.clone()),
            Self::Crawl { .. } => Met::Crawl,
        }
    }
}

impl Region {
    /// Handles the end of a run that Glue does not retry.
    pub(in crate::glue) fn run_ended(&mut self, number: RunNumber) {
        let run = self.runs.get(number);
        let Some(origin) = run.start.origin else { return };
        let name = (run.start.job.clone(), run.id.clone());
        let state = run.state.as_str();
        self.ended(origin, &Ended::Run { name, state });
        self.complete_workflow_run(origin);
    }

    /// Handles the end of a crawl.
    pub(in crate::glue) fn crawl_ended(&mut self, crawler: &str, _id: &str, state: CrawlState, origin: Option<Origin>) {
        let Some(origin) = origin else { return };
        let state = state.as_last_crawl();
        self.ended(origin, &Ended::Crawl { crawler, state });
        self.complete_workflow_run(origin);
    }

    fn ended(&mut self, origin: Origin, what: &Ended<'_>) {
        if self.workflows.is_stopped(origin) {
            return;
        }
        let workflow = self.workflows.of_origin(origin);
        let mut due = Vec::new();
        for (name, trigger) in &mut self.triggers.by_name {
            let settings = &trigger.settings;
            if settings.kind != TriggerType::Conditional
                || trigger.state != TriggerState::Activated
                || settings.workflow_name.as_deref() != workflow.as_deref()
            {
                continue;
            }
            let Some(predicate) = &settings.predicate else { continue };
            if !predicate.conditions.iter().any(|condition| what.meets(condition)) {
                continue;
            }
            let met_conditions = trigger.met_conditions.entry(origin).or_default();
            met_conditions.met.resize_with(predicate.conditions.len(), || None);
            for (met, condition) in met_conditions.met.iter_mut().zip(&predicate.conditions) {
                if what.meets(condition) {
                    *met = Some(what.as_met());
                }
            }
            let complete = match predicate.logical {
                Some(Logical::Any) => true,
                Some(Logical::And) | None => met_conditions.met.iter().all(Option::is_some),
            };
            if complete && !met_conditions.fired {
                met_conditions.fired = true;
                let runs: Vec<RunName> = met_conditions.runs();
                due.push((name.clone(), runs));
            }
        }
        for (trigger, runs) in due {
            self.fire(&trigger, origin, &runs);
        }
    }

    /// A chain that resumes another: the conditions that were met there stay met, apart from those on what is run again.
    pub(super) fn keep_met_conditions(
        &mut self,
        workflow: &str,
        before: Origin,
        origin: Origin,
        again: &BTreeSet<(&'static str, String)>,
    ) {
        for trigger in self.triggers.by_name.values_mut() {
            let settings = &trigger.settings;
            let (Some(predicate), Some(met)) = (&settings.predicate, trigger.met_conditions.get(&before)) else {
                continue;
            };
            if settings.workflow_name.as_deref() != Some(workflow) {
                continue;
            }
            let mut met = met.clone();
            let is_run_again = |condition: &Condition| {
                let job = condition.job_name.as_ref().map(|job| ("JOB", job.clone()));
                let target = job.or(condition.crawler_name.as_ref().map(|crawler| ("CRAWLER", crawler.clone())));
                target.is_some_and(|target| again.contains(&target))
            };
            for (met, condition) in met.met.iter_mut().zip(&predicate.conditions) {
                if is_run_again(condition) {
                    *met = None;
                }
            }
            // What does not follow from the nodes that are run again does not fire again.
            met.fired = !predicate.conditions.iter().any(is_run_again);
            trigger.met_conditions.insert(origin, met);
        }
    }
}
