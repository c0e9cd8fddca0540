//! The trigger as Glue shows it, in the status.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::trigger::{
    Action, EventBatching, GlueTriggerStatus, MAX_ACTIONS, Schedule as ShownSchedule, Started, Target, TargetKind,
};
use crate::controllers::runtime::text::truncated;
use crate::glue::schedule::Schedule;
use crate::glue::triggers::{RunSummary, Trigger, TriggerState};

/// The status with the trigger as Glue shows it; with the first [`MAX_ACTIONS`] actions.
pub(super) fn render(mut status: GlueTriggerStatus, trigger: &Trigger, now: Timestamp) -> GlueTriggerStatus {
    let actions = trigger.actions.iter().take(MAX_ACTIONS).map(|action| Action {
        job: action.job.clone(),
        crawler: action.crawler.clone(),
        timeout_minutes: action.timeout_minutes,
        security_configuration: action.security_configuration.clone(),
    });
    status.state = Some(trigger.state.as_str().to_owned());
    status.type_ = Some(trigger.type_.as_str().to_owned());
    status.description = trigger.description.as_deref().map(truncated);
    status.workflow.clone_from(&trigger.workflow);
    status.schedule = trigger.schedule.as_deref().map(|expression| schedule(expression, &trigger.state, now));
    status.predicate = trigger.predicate.as_ref().map(|predicate| truncated(&predicate.to_string()));
    status.event_batching = trigger.event_batching.map(|(size, window_seconds)| EventBatching { size, window_seconds });
    status.actions = actions.collect();
    status
}

/// The status when Glue does not have the trigger.
pub(super) fn render_absent(mut status: GlueTriggerStatus) -> GlueTriggerStatus {
    status.state = None;
    status.last_applied_state = None;
    if let Some(schedule) = &mut status.schedule {
        schedule.next = None;
    }
    status
}

fn schedule(expression: &str, state: &TriggerState, now: Timestamp) -> ShownSchedule {
    let schedule = Schedule::parse(expression);
    let fires = *state == TriggerState::Activated;
    ShownSchedule {
        expression: expression.to_owned(),
        words: schedule.as_ref().map(Schedule::describe),
        next: schedule.filter(|_| fires).and_then(|schedule| schedule.next_after(now)).map(Time),
    }
}

/// What the trigger starts, without duplicates: jobs, crawlers, and the workflow that it belongs to.
pub(super) fn targets(trigger: &Trigger) -> Vec<Target> {
    let target = |kind, name: &String| Target { kind, name: name.clone() };
    let jobs = trigger.actions.iter().filter_map(|action| action.job.as_ref().map(|job| target(TargetKind::Job, job)));
    let crawlers = trigger.actions.iter().filter(|action| action.job.is_none());
    let crawlers = crawlers.filter_map(|action| action.crawler.as_ref().map(|name| target(TargetKind::Crawler, name)));
    let workflow = trigger.workflow.iter().map(|name| target(TargetKind::Workflow, name));
    let mut targets: Vec<_> = jobs.chain(crawlers).chain(workflow).collect();
    targets.sort();
    targets.dedup();
    targets
}

/// The most characters of the message of a run.
const MAX_MESSAGE: usize = 256;

/// A run that a firing started, as Glue shows it.
pub(super) fn started_run(target: &Target, run: RunSummary) -> Started {
    let failed = run.failure.is_some();
    let message = run.failure.map(|message| message.chars().take(MAX_MESSAGE).collect::<String>());
    Started {
        target: target.clone(),
        id: run.id,
        state: Some(run.state),
        ended: run.ended,
        failed,
        message: message.filter(|message| !message.is_empty()),
    }
}

/// How many runs of `target` one firing starts.
pub(super) fn expected(trigger: &Trigger, target: &Target) -> usize {
    match target.kind {
        TargetKind::Job => trigger.actions.iter().filter(|action| action.job.as_ref() == Some(&target.name)).count(),
        TargetKind::Crawler | TargetKind::Workflow => 1,
    }
}
