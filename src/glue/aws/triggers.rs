//! The calls about triggers and the runs that they start.

use aws_sdk_glue::types::{
    Action as SdkAction, JobRun as SdkJobRun, Logical, Predicate as SdkPredicate, Trigger as SdkTrigger,
    TriggerState as SdkState, TriggerType as SdkType,
};

use super::{Glue, newest_first, non_empty};
use crate::api::trigger::{Target, TargetKind};
use crate::glue::Error;
use crate::glue::crawls::CRAWL_PAGE_SIZE;
use crate::glue::job_runs::{JobRunState, PAGE_SIZE};
use crate::glue::poller::listing::{Page, read_until};
use crate::glue::rate_limiter::Priority;
use crate::glue::triggers::{Action, Condition, Predicate, RunSummary, Trigger, TriggerState, TriggerType};
use crate::glue::workflow_runs::{self, WorkflowRunItem};

impl Glue {
    /// `BatchGetTriggers` of up to [`crate::glue::triggers::BATCH_SIZE`] names; returns those that exist.
    pub async fn triggers(&self, names: &[String]) -> Result<Vec<Trigger>, Error> {
        let request = self.inner.sdk.batch_get_triggers().set_trigger_names(Some(names.to_vec())).send();
        let object = match names {
            [name] => trigger(name),
            names => format!("{} triggers", names.len()),
        };
        let response = self.call("BatchGetTriggers", object, Priority::Poll, request).await?;
        Ok(response.triggers.unwrap_or_default().into_iter().filter_map(trigger_from_sdk).collect())
    }

    /// `StartTrigger`, sent once: activates a trigger, or fires one of type ON_DEMAND. Before a firing, the caller has
    /// acquired a token with [`Glue::queue_for_start`].
    pub async fn start_trigger(&self, name: &str, fires: bool) -> Result<(), Error> {
        let request = self.inner.sdk.start_trigger().name(name).send();
        if fires {
            self.send("StartTrigger", trigger(name), request).await.map(drop)
        } else {
            self.call("StartTrigger", trigger(name), Priority::Start, request).await.map(drop)
        }
    }

    /// `StopTrigger`: deactivates a trigger.
    pub async fn stop_trigger(&self, name: &str) -> Result<(), Error> {
        let request = self.inner.sdk.stop_trigger().name(name).send();
        self.call("StopTrigger", trigger(name), Priority::Stop, request).await.map(drop)
    }

    /// The id of the newest run of `target`.
    pub async fn newest_run(&self, target: &Target) -> Result<Option<String>, Error> {
        let page = self.runs_of(target, "", 1, None).await?;
        Ok(page.items.into_iter().next().map(|run| run.id))
    }

    /// Whether `trigger` may have started a run of `target`; also where that is not known, since `target` has more runs than a
    /// search reads.
    pub async fn may_have_started(&self, target: &Target, trigger: &str) -> Result<bool, Error> {
        let mut has_started = false;
        let is_complete = self.read_runs(target, trigger, |runs| {
            has_started = runs.iter().any(|run| run.is_triggered);
            has_started
        });
        let is_complete = is_complete.await?;
        Ok(has_started || !is_complete)
    }

    /// The runs of `target` that `trigger` may have started after the run `newest`, or all of them without one; oldest
    /// first. A job run names its trigger, but Glue does not show what started a crawl or a workflow run.
    ///
    /// # Errors
    ///
    /// Glue refuses or does not answer, or there are more runs after `newest` than a search reads. Then nothing is known.
    pub async fn newer_runs(
        &self,
        target: &Target,
        trigger: &str,
        newest: Option<&str>,
    ) -> Result<Vec<RunSummary>, Error> {
        let mut found = Vec::new();
        let is_complete = self.read_runs(target, trigger, |runs| {
            let count = runs.len();
            let newer = runs.into_iter().take_while(|run| Some(run.id.as_str()) != newest);
            let before = found.len();
            found.extend(newer);
            found.len() - before < count
        });
        if !is_complete.await? {
            let (operation, object) = listing_of(target);
            return Err(Error::too_many_newer_runs(operation, object));
        }
        found.retain(|run: &RunSummary| run.is_triggered);
        found.reverse();
        Ok(found)
    }

    /// See [`read_until`].
    async fn read_runs(
        &self,
        target: &Target,
        trigger: &str,
        is_enough: impl FnMut(Vec<RunSummary>) -> bool,
    ) -> Result<bool, Error> {
        let (operation, object) = listing_of(target);
        let read = async |token| self.runs_of(target, trigger, page_size(target), token).await;
        read_until(operation, &object, read, is_enough).await
    }

    /// One page of the runs of `target`, newest first: `GetJobRuns`, `ListCrawls` or `GetWorkflowRuns`.
    async fn runs_of(
        &self,
        target: &Target,
        trigger: &str,
        size: i32,
        token: Option<String>,
    ) -> Result<Page<RunSummary>, Error> {
        let Target { kind, name } = target;
        let sdk = &self.inner.sdk;
        match kind {
            TargetKind::Job => {
                let request = sdk.get_job_runs().job_name(name).max_results(size).set_next_token(token).send();
                let response = self.call("GetJobRuns", format!("job {name}"), Priority::Start, request).await?;
                let runs = newest_first(response.job_runs, |run| run.started_on);
                let items = runs.filter_map(|run| self.job_run_summary(run, trigger)).collect();
                Ok(Page { items, next: non_empty(response.next_token) })
            }
            TargetKind::Crawler => {
                let page = self.newest_crawls(name, token).await?;
                Ok(Page { items: page.items.iter().map(RunSummary::from).collect(), next: page.next })
            }
            TargetKind::Workflow => {
                let page = self.workflow_runs(name, size, token, Priority::Start).await?;
                let summary = |run| RunSummary::from(&WorkflowRunItem::without_nodes(run));
                Ok(Page { items: page.items.into_iter().map(summary).collect(), next: page.next })
            }
        }
    }

    fn job_run_summary(&self, run: SdkJobRun, trigger: &str) -> Option<RunSummary> {
        let state = super::job_runs::state(run.job_run_state);
        let is_triggered = run.trigger_name.as_deref() == Some(trigger);
        let failed = state.is_final() && state != JobRunState::Succeeded;
        let failure = failed.then(|| self.redact(run.error_message).unwrap_or_default());
        Some(RunSummary {
            id: run.id?,
            ended: state.is_final(),
            state: state.as_str().to_owned(),
            is_known: !matches!(state, JobRunState::Unknown(_)),
            failure,
            started_on: run.started_on.and_then(super::timestamp),
            ended_on: run.completed_on.and_then(super::timestamp),
            is_triggered,
        })
    }
}

/// The operation that lists the runs of a target, and the target, for errors.
fn listing_of(target: &Target) -> (&'static str, String) {
    let (operation, noun) = match target.kind {
        TargetKind::Job => ("GetJobRuns", "job"),
        TargetKind::Crawler => ("ListCrawls", "crawler"),
        TargetKind::Workflow => ("GetWorkflowRuns", "workflow"),
    };
    (operation, format!("{noun} {}", target.name))
}

fn page_size(target: &Target) -> i32 {
    match target.kind {
        TargetKind::Job => PAGE_SIZE,
        TargetKind::Crawler => CRAWL_PAGE_SIZE,
        TargetKind::Workflow => workflow_runs::PAGE_SIZE,
    }
}

fn trigger(name: &str) -> String {
    format!("trigger {name}")
}

pub(super) fn trigger_from_sdk(trigger: SdkTrigger) -> Option<Trigger> {
    Some(Trigger {
        name: trigger.name?,
        type_: trigger_type(trigger.r#type),
        state: trigger_state(trigger.state),
        description: non_empty(trigger.description),
        workflow: non_empty(trigger.workflow_name),
        schedule: non_empty(trigger.schedule),
        predicate: trigger.predicate.map(predicate).filter(|predicate| !predicate.conditions.is_empty()),
        actions: trigger.actions.unwrap_or_default().into_iter().map(action).collect(),
        event_batching: trigger.event_batching_condition.map(|batch| (batch.batch_size, batch.batch_window)),
    })
}

fn trigger_type(type_: Option<SdkType>) -> TriggerType {
    match type_ {
        Some(SdkType::Scheduled) => TriggerType::Scheduled,
        Some(SdkType::Conditional) => TriggerType::Conditional,
        Some(SdkType::OnDemand) => TriggerType::OnDemand,
        Some(SdkType::Event) => TriggerType::Event,
        Some(unknown) => TriggerType::Unknown(unknown.as_str().to_owned()),
        None => TriggerType::Unknown("none".to_owned()),
    }
}

fn trigger_state(state: Option<SdkState>) -> TriggerState {
    match state {
        Some(SdkState::Creating) => TriggerState::Creating,
        Some(SdkState::Created) => TriggerState::Created,
        Some(SdkState::Activating) => TriggerState::Activating,
        Some(SdkState::Activated) => TriggerState::Activated,
        Some(SdkState::Deactivating) => TriggerState::Deactivating,
        Some(SdkState::Deactivated) => TriggerState::Deactivated,
        Some(SdkState::Deleting) => TriggerState::Deleting,
        Some(SdkState::Updating) => TriggerState::Updating,
        Some(unknown) => TriggerState::Unknown(unknown.as_str().to_owned()),
        None => TriggerState::Unknown("none".to_owned()),
    }
}

fn action(action: SdkAction) -> Action {
    Action {
        job: action.job_name,
        crawler: action.crawler_name,
        timeout_minutes: action.timeout,
        security_configuration: action.security_configuration,
    }
}

fn predicate(predicate: SdkPredicate) -> Predicate {
    let condition = |condition: aws_sdk_glue::types::Condition| {
        let job = condition.job_name.map(|job| format!("job {job}"));
        let crawler = condition.crawler_name.map(|crawler| format!("crawler {crawler}"));
        let job_state = condition.state.map(|state| state.as_str().to_owned());
        let crawl_state = condition.crawl_state.map(|state| state.as_str().to_owned());
        Condition { target: job.or(crawler).unwrap_or_default(), state: job_state.or(crawl_state).unwrap_or_default() }
    };
    Predicate {
        any: predicate.logical == Some(Logical::Any),
        conditions: predicate.conditions.unwrap_or_default().into_iter().map(condition).collect(),
    }
}
