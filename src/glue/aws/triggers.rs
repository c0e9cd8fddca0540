//! The calls about triggers, and about what a firing starts.

use aws_sdk_glue::types::{
    Action as SdkAction, JobRun as SdkJobRun, Logical, Predicate as SdkPredicate, Trigger as SdkTrigger,
    TriggerState as SdkState, TriggerType as SdkType, WorkflowRunStatus,
};

use super::{Glue, filled};
use crate::api::trigger::{Target, TargetKind};
use crate::glue::Error;
use crate::glue::budget::Priority;
use crate::glue::crawls::CRAWL_PAGE;
use crate::glue::job_runs::PAGE;
use crate::glue::triggers::{Action, Condition, Predicate, RunSummary, Trigger, TriggerState, TriggerType};

/// The runs of a workflow that one page is asked for (Glue API reference, `GetWorkflowRuns`: 1 to 1000).
const WORKFLOW_PAGE: i32 = 100;

/// A page of runs, newest first.
struct RunPage {
    runs: Vec<RunSummary>,
    next: Option<String>,
}

impl Glue {
    /// `BatchGetTriggers` of up to [`crate::glue::triggers::BATCH`] names: those that are there.
    pub async fn triggers(&self, names: &[String]) -> Result<Vec<Trigger>, Error> {
        let request = self.inner.sdk.batch_get_triggers().set_trigger_names(Some(names.to_vec())).send();
        let object = match names {
            [name] => trigger(name),
            names => format!("{} triggers", names.len()),
        };
        let answer = self.call("BatchGetTriggers", object, Priority::Poll, request).await?;
        Ok(answer.triggers.unwrap_or_default().into_iter().filter_map(from_sdk).collect())
    }

    /// `StartTrigger`: activates a trigger, or fires one of type ON_DEMAND; sent once.
    /// [`Glue::ready_to_start`] comes before a firing.
    pub async fn start_trigger(&self, name: &str, fires: bool) -> Result<(), Error> {
        let request = self.inner.sdk.start_trigger().name(name).send();
        let priority = if fires { Priority::Taken } else { Priority::Start };
        self.call("StartTrigger", trigger(name), priority, request).await.map(drop)
    }

    /// `StopTrigger`: deactivates a trigger.
    pub async fn stop_trigger(&self, name: &str) -> Result<(), Error> {
        let request = self.inner.sdk.stop_trigger().name(name).send();
        self.call("StopTrigger", trigger(name), Priority::Start, request).await.map(drop)
    }

    /// The id of the newest run of `target`.
    pub async fn newest_run(&self, target: &Target) -> Result<Option<String>, Error> {
        let page = self.runs_of(target, "", 1, None).await?;
        Ok(page.runs.into_iter().next().map(|run| run.id))
    }

    /// The runs of `target` that `trigger` may have started after the run `newest` (whenever, without one), oldest
    /// first. A job's run names its trigger; of a crawl, or a run of a workflow, Glue does not say what started it.
    pub async fn newer_runs(
        &self,
        target: &Target,
        trigger: &str,
        newest: Option<&str>,
    ) -> Result<Vec<RunSummary>, Error> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let page = self.runs_of(target, trigger, page_of(target), token).await?;
            let count = page.runs.len();
            let newer = page.runs.into_iter().take_while(|run| Some(run.id.as_str()) != newest);
            let before = found.len();
            found.extend(newer);
            token = page.next;
            if found.len() - before < count || token.is_none() {
                found.retain(|run: &RunSummary| run.is_triggered);
                found.reverse();
                return Ok(found);
            }
        }
    }

    /// One page of the runs of `target`, newest first: `GetJobRuns`, `ListCrawls` or `GetWorkflowRuns`.
    async fn runs_of(
        &self,
        target: &Target,
        trigger: &str,
        size: i32,
        token: Option<String>,
    ) -> Result<RunPage, Error> {
        let Target { kind, name } = target;
        let sdk = &self.inner.sdk;
        let (runs, next) = match kind {
            TargetKind::Job => {
                let request = sdk.get_job_runs().job_name(name).max_results(size).set_next_token(token).send();
                let answer = self.call("GetJobRuns", format!("job {name}"), Priority::Start, request).await?;
                let runs = answer.job_runs.unwrap_or_default().into_iter();
                (runs.filter_map(|run| job_run_seen(run, trigger)).collect(), answer.next_token)
            }
            TargetKind::Crawler => {
                let page = self.newest_crawls(name, token).await?;
                (page.crawls.iter().map(RunSummary::from).collect(), page.next)
            }
            TargetKind::Workflow => {
                let request = sdk.get_workflow_runs().name(name).max_results(size).set_next_token(token).send();
                let answer = self.call("GetWorkflowRuns", format!("workflow {name}"), Priority::Start, request).await?;
                let runs = answer.runs.unwrap_or_default().into_iter();
                (
                    runs.filter_map(|run| Some(workflow_seen(run.workflow_run_id?, run.status))).collect(),
                    answer.next_token,
                )
            }
        };
        Ok(RunPage { runs, next: filled(next) })
    }

    /// One run of a workflow (`GetWorkflowRun`).
    pub async fn workflow_run(&self, workflow: &str, id: &str) -> Result<RunSummary, Error> {
        let request = self.inner.sdk.get_workflow_run().name(workflow).run_id(id).send();
        let object = format!("workflow {workflow} run {id}");
        let answer = self.call("GetWorkflowRun", object, Priority::Poll, request).await?;
        Ok(workflow_seen(id.to_owned(), answer.run.and_then(|run| run.status)))
    }
}

fn page_of(target: &Target) -> i32 {
    match target.kind {
        TargetKind::Job => PAGE,
        TargetKind::Crawler => CRAWL_PAGE,
        TargetKind::Workflow => WORKFLOW_PAGE,
    }
}

fn trigger(name: &str) -> String {
    format!("trigger {name}")
}

fn from_sdk(trigger: SdkTrigger) -> Option<Trigger> {
    Some(Trigger {
        name: trigger.name?,
        type_: type_of(trigger.r#type),
        state: state_of(trigger.state),
        description: filled(trigger.description),
        workflow: filled(trigger.workflow_name),
        schedule: filled(trigger.schedule),
        predicate: trigger.predicate.map(predicate).filter(|predicate| !predicate.conditions.is_empty()),
        actions: trigger.actions.unwrap_or_default().into_iter().map(action).collect(),
        event_batching: trigger.event_batching_condition.map(|batch| (batch.batch_size, batch.batch_window)),
    })
}

fn type_of(type_: Option<SdkType>) -> TriggerType {
    match type_ {
        Some(SdkType::Scheduled) => TriggerType::Scheduled,
        Some(SdkType::Conditional) => TriggerType::Conditional,
        Some(SdkType::OnDemand) => TriggerType::OnDemand,
        Some(SdkType::Event) => TriggerType::Event,
        Some(newer) => TriggerType::Unknown(newer.as_str().to_owned()),
        None => TriggerType::Unknown("none".to_owned()),
    }
}

fn state_of(state: Option<SdkState>) -> TriggerState {
    match state {
        Some(SdkState::Creating) => TriggerState::Creating,
        Some(SdkState::Created) => TriggerState::Created,
        Some(SdkState::Activating) => TriggerState::Activating,
        Some(SdkState::Activated) => TriggerState::Activated,
        Some(SdkState::Deactivating) => TriggerState::Deactivating,
        Some(SdkState::Deactivated) => TriggerState::Deactivated,
        Some(SdkState::Deleting) => TriggerState::Deleting,
        Some(SdkState::Updating) => TriggerState::Updating,
        Some(newer) => TriggerState::Unknown(newer.as_str().to_owned()),
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
        Condition { what: job.or(crawler).unwrap_or_default(), state: job_state.or(crawl_state).unwrap_or_default() }
    };
    Predicate {
        any: predicate.logical == Some(Logical::Any),
        conditions: predicate.conditions.unwrap_or_default().into_iter().map(condition).collect(),
    }
}

fn job_run_seen(run: SdkJobRun, trigger: &str) -> Option<RunSummary> {
    let state = super::job_runs::state(run.job_run_state);
    let is_triggered = run.trigger_name.as_deref() == Some(trigger);
    Some(RunSummary { id: run.id?, ended: state.is_final(), state: state.as_str().to_owned(), is_triggered })
}

/// A state that we do not know is taken for a live one and watched on.
fn workflow_seen(id: String, status: Option<WorkflowRunStatus>) -> RunSummary {
    let ended = match &status {
        Some(WorkflowRunStatus::Completed | WorkflowRunStatus::Stopped | WorkflowRunStatus::Error) => true,
        Some(_) | None => false,
    };
    let state = status.map_or_else(|| "none".to_owned(), |status| status.as_str().to_owned());
    RunSummary { id, ended, state, is_triggered: true }
}
