//! The statuses that a plan can end with.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::CallOutcome;
use super::calls::Call;
use super::inputs::Inputs;
use crate::api::connection::status::{Applied, TestOutcome};
use crate::api::{GlueConnection, GlueConnectionStatus};
use crate::controllers::declared::conditions::{self, SyncState};
use crate::controllers::declared::facts::Facts;
use crate::controllers::runtime::conditions::{INVALID_SPEC, bounded, condition};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::time::whole_seconds;
use crate::glue::connections::Connection;
use crate::glue::is_known_type;

/// What is known when something about a connection is decided.
pub type ConnectionFacts<'a> = Facts<'a, GlueConnection>;
/// What is decided about it.
pub type ConnectionPlan = Plan<GlueConnectionStatus, Call>;

/// Glue has the connection as the spec says.
pub const IN_SYNC: &str = "InSync";
/// It is being created.
pub const CREATING: &str = "Creating";
/// It is being updated.
pub const UPDATING: &str = "Updating";
/// Glue is still at it.
pub const IN_PROGRESS: &str = "InProgress";
/// Glue could not do it.
pub const CONNECTION_FAILED: &str = "ConnectionFailed";
/// Glue is asked to connect.
pub const TESTING: &str = "Testing";
/// Glue could not connect.
pub const TEST_FAILED: &str = "TestFailed";
/// Somebody else has changed it.
pub const DRIFTED: &str = "Drifted";
/// It was there before, and is not this object's.
pub const ALREADY_EXISTS: &str = "AlreadyExists";
/// An older object is about the same connection.
pub const HELD_BY_ANOTHER: &str = "HeldByAnother";
/// It is being deleted.
pub const DELETING: &str = "Deleting";

/// The status as it stands, with what this pass has state in it.
pub fn base(facts: &ConnectionFacts<'_>) -> GlueConnectionStatus {
    let mut status = facts.object.status.clone().unwrap_or_default();
    let (state, spec) = (facts.state, &facts.object.spec);
    let fingerprint = || facts.inputs.map(|inputs| inputs.fingerprint.clone()).unwrap_or_default();
    status.declared.observed_generation = facts.object.metadata.generation.unwrap_or_default();
    status.connection_name = Some(facts.object.connection_name().to_owned());
    let tags = || spec.tags.clone().unwrap_or_default();
    for outcome in &state.outcomes {
        match outcome {
            CallOutcome::Created(at) => {
                let (fingerprint, at, tags) = (fingerprint(), Some(Time(*at)), tags());
                status.applied = Some(Applied { fingerprint, at, tags, ..Applied::default() });
                (status.creation, status.drift) = (None, None);
            }
            // This one did not come through; an earlier one may have.
            CallOutcome::Exists | CallOutcome::Refused => {
                status.creation = status.creation.filter(|creation| creation.unclear)
            }
            CallOutcome::Updated(at) => {
                let before = status.applied.take().unwrap_or_default();
                let (fingerprint, at) = (fingerprint(), Some(Time(*at)));
                status.applied = Some(Applied { fingerprint, at, by: None, ..before });
                (status.creation, status.drift) = (None, None);
            }
            CallOutcome::Tagged => {
                if let Some(applied) = &mut status.applied {
                    applied.tags = tags();
                }
            }
            CallOutcome::Tested(result) => status.last_test = Some(result.clone()),
            CallOutcome::Deleted | CallOutcome::Untested => {}
        }
    }
    if !spec.is_tested() && !spec.is_tested_before() {
        status.last_test = None;
    }
    status
}

/// What Glue shows of the connection, or that it shows none.
pub fn show(status: &mut GlueConnectionStatus, seen: Option<&Connection>, inputs: Option<&Inputs>) {
    let redact = |text: &String| bounded(&inputs.map_or_else(|| text.clone(), |inputs| inputs.redact(text)));
    let created_at = seen.and_then(|seen| seen.created_at).map(seconds);
    let is_same = created_at.is_some() && created_at == status.created_at;
    // A process that has just begun may not know the account yet, which is a part of the ARN.
    let known = status.arn.take().filter(|_| is_same);
    status.arn = seen.and_then(|seen| seen.arn.clone()).or(known);
    status.state = seen.and_then(|seen| seen.status.clone());
    status.state_reason = seen.and_then(|seen| seen.status_reason.as_ref()).map(redact);
    status.created_at = created_at;
    status.last_updated_at = seen.and_then(|seen| seen.updated_at).map(seconds);
    status.last_updated_by = seen.and_then(|seen| seen.updated_by.clone());
    status.last_validated_at = seen.and_then(|seen| seen.validated_at).map(seconds);
    status.schema_version = seen.and_then(|seen| seen.schema_version);
}

/// As it comes back from the API server, which drops fractions.
pub fn seconds(time: jiff::Timestamp) -> Time {
    Time(whole_seconds(time))
}

/// A status with conditions, and the step that follows.
pub fn draft(
    facts: &ConnectionFacts<'_>,
    mut status: GlueConnectionStatus,
    sync: SyncState,
    reason: &str,
    message: &str,
    step: Step<Call>,
) -> ConnectionPlan {
    let before = &status.declared.conditions;
    let mut conditions = conditions::of(sync, reason, message, before, facts.now);
    conditions.retain(|one| one.type_ != "Tested");
    if let Some(test) = &status.last_test {
        let holds = test.result == TestOutcome::Succeeded;
        let (reason, usual) = if holds { ("TestSucceeded", "Glue could connect") } else { (TEST_FAILED, "") };
        let words = test.message.as_deref().unwrap_or(usual);
        conditions.push(condition("Tested", holds, reason, words, before, test.at.0));
    }
    status.declared.conditions = conditions;
    Plan { status, step }
}

/// Nothing new: the status stays.
pub fn keep(facts: &ConnectionFacts<'_>, step: Step<Call>) -> ConnectionPlan {
    Plan { status: facts.object.status.clone().unwrap_or_default(), step }
}

/// Something stands in the way.
pub fn stopped(
    facts: &ConnectionFacts<'_>,
    status: GlueConnectionStatus,
    problem: &Problem,
    step: Step<Call>,
) -> ConnectionPlan {
    let message = match facts.inputs {
        Some(inputs) => inputs.redact(&problem.message),
        None => problem.message.clone(),
    };
    let sync = if problem.reason == INVALID_SPEC { SyncState::Stalled } else { SyncState::Progressing };
    draft(facts, status, sync, &problem.reason, &message, step)
}

/// Glue has what the spec says.
pub fn in_line(facts: &ConnectionFacts<'_>, status: GlueConnectionStatus, step: Step<Call>) -> ConnectionPlan {
    let type_ = &facts.object.spec.connection_type;
    let message = if is_known_type(type_) {
        "Glue has the connection as the spec says".to_owned()
    } else {
        format!("Glue has the connection as the spec says; its type {type_} is newer than this controller")
    };
    draft(facts, status, SyncState::Synced, IN_SYNC, &message, step)
}
