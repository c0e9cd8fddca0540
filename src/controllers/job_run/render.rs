//! The run as Glue shows it, in the status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::job_run::{Predecessor, Workers};
use crate::api::run::{Phase, RunStatus};
use crate::api::{GlueJobRun, GlueJobRunStatus};
use crate::controllers::run::links;
use crate::controllers::runtime::text::{duration, truncated};
use crate::glue::job_runs::{JobRun, JobRunState};

/// The most predecessors that a status lists.
const MAX_PREDECESSORS: usize = 20;

/// The status, from the part that all runs share and from the run as it was observed last.
pub(super) fn status(
    object: &GlueJobRun,
    region: Option<&str>,
    run: RunStatus,
    observed: Option<&JobRun>,
) -> GlueJobRunStatus {
    let id = run.attempt().and_then(|attempt| attempt.id.clone());
    let before = object.status.clone().unwrap_or_default();
    // A run that Glue has only accepted shows nothing that is worth a write.
    let observed = observed.filter(|run| Some(&run.id) == id.as_ref() && run.state != JobRunState::Starting);
    match observed {
        Some(observed) => {
            let job = &object.spec.job_name;
            let links = region.map(|region| links::job_run(region, job, observed));
            GlueJobRunStatus { links: links.or(before.links), ..shown(run, observed) }
        }
        // Nothing newer is known: what the status shows of this run stays.
        None if before.run_id == id => GlueJobRunStatus { run, ..before },
        None => GlueJobRunStatus { run, run_id: id, ..GlueJobRunStatus::default() },
    }
}

/// The phase of Glue's state.
pub(super) fn phase(state: &JobRunState) -> Phase {
    match state {
        JobRunState::Starting => Phase::Starting,
        JobRunState::Running => Phase::Running,
        JobRunState::Stopping => Phase::Stopping,
        JobRunState::Stopped => Phase::Stopped,
        JobRunState::Succeeded => Phase::Succeeded,
        JobRunState::Failed => Phase::Failed,
        JobRunState::Timeout => Phase::TimedOut,
        JobRunState::Error => Phase::Error,
        JobRunState::Waiting => Phase::Waiting,
        JobRunState::Expired => Phase::Expired,
        JobRunState::Unknown(_) => Phase::Unknown,
    }
}

fn shown(run: RunStatus, observed: &JobRun) -> GlueJobRunStatus {
    let over = observed.state.is_final();
    let details = observed.details.as_deref().cloned().unwrap_or_default();
    GlueJobRunStatus {
        run,
        run_id: Some(observed.id.clone()),
        started_at: observed.started_on.map(Time),
        completed_at: observed.completed_on.filter(|_| over).map(Time),
        duration: observed.started_on.zip(observed.completed_on).filter(|_| over).map(|(from, to)| duration(from, to)),
        execution_seconds: over.then_some(observed.execution_seconds),
        dpu_seconds: observed.dpu_seconds.filter(|_| over),
        glue_version: observed.glue_version.clone(),
        workers: observed.workers.clone().map(|(type_, count)| Workers { type_, count }),
        max_capacity: observed.max_capacity,
        execution_class: observed.execution_class.clone(),
        timeout_minutes: observed.timeout_minutes,
        state_detail: observed.state_detail.as_deref().map(truncated),
        trigger_name: details.trigger,
        predecessors: details.predecessors.into_iter().take(MAX_PREDECESSORS).map(predecessor).collect(),
        profile_name: details.profile,
        maintenance_window: details.maintenance_window,
        glue_attempt: (observed.attempt > 0).then_some(observed.attempt),
        log_group: observed.log_group.clone(),
        links: None,
        error_message: observed.error_message.as_deref().map(truncated),
        failure: None,
    }
}

fn predecessor((job_name, run_id): (String, String)) -> Predecessor {
    Predecessor { job_name, run_id }
}
