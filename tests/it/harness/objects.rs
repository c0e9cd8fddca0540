//! What an object says of itself, in the words of the tests.

use kube::ResourceExt;
use kube_glue::api::GlueJobRun;
use kube_glue::api::run::{Attempt, Phase};

/// The phase of a run.
pub fn phase_of(run: &GlueJobRun) -> Option<Phase> {
    run.status.as_ref().and_then(|status| status.run.phase)
}

/// Reason and message of the Ready condition.
pub fn ready(run: &GlueJobRun) -> (String, String) {
    let ready = run.status.as_ref().and_then(|status| status.run.condition("Ready"));
    ready.map(|ready| (ready.reason.clone(), ready.message.clone())).unwrap_or_default()
}

/// Type=Status of each condition, in order.
pub fn conditions_of(run: &GlueJobRun) -> Vec<String> {
    let conditions = run.status.as_ref().map(|status| status.run.conditions.as_slice()).unwrap_or_default();
    conditions.iter().map(|condition| format!("{}={}", condition.type_, condition.status)).collect()
}

/// The attempts of a run, oldest first.
pub fn attempts(run: &GlueJobRun) -> &[Attempt] {
    run.status.as_ref().map(|status| status.run.attempts.as_slice()).unwrap_or_default()
}

/// Glue's id of the run that counts.
pub fn run_id(run: &GlueJobRun) -> Option<&str> {
    run.status.as_ref().and_then(|status| status.run_id.as_deref())
}

/// The uid of an object.
pub fn uid(run: &GlueJobRun) -> String {
    run.uid().expect("a uid")
}

/// Whether it carries our finalizer.
pub fn is_held(run: &GlueJobRun) -> bool {
    run.finalizers().iter().any(|name| name == kube_glue::api::FINALIZER)
}
