//! The status of a connection: what this pass did, and the connection as Glue shows it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::calls::Call;
use super::facts::{ConnectionFacts, ConnectionPlan};
use super::{CallOutcome, TypeAnswer, requirements, unknown_properties};
use crate::api::GlueConnectionStatus;
use crate::api::connection::status::{Applied, TestOutcome};
use crate::controllers::declared::conditions::{SyncState, UNKNOWN_PROPERTIES, UNMET_REQUIREMENTS};
use crate::controllers::declared::status;
use crate::controllers::runtime::conditions::condition;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::text::truncated;
use crate::controllers::runtime::time::whole_seconds;
use crate::glue::connections::Connection;

/// The status as the object has it, with what this pass did.
pub(super) fn base_status(facts: &ConnectionFacts<'_>) -> GlueConnectionStatus {
    let mut status = facts.object.status.clone().unwrap_or_default();
    let spec = &facts.object.spec;
    let fingerprint = || facts.inputs.map(|inputs| inputs.fingerprint.clone()).unwrap_or_default();
    status.declared.observed_generation = facts.common.generation();
    status.connection_name = Some(facts.object.connection_name().to_owned());
    let tags = || spec.tags.clone().unwrap_or_default();
    for outcome in &facts.state.outcomes {
        match outcome {
            CallOutcome::Created(at) => {
                let (fingerprint, at, tags) = (fingerprint(), Some(Time(*at)), tags());
                status.applied = Some(Applied { fingerprint, at, tags, ..Applied::default() });
                (status.creation, status.drift) = (None, None);
            }
            // This creation had no effect; an earlier one may have had one.
            CallOutcome::Exists | CallOutcome::Rejected => {
                status.creation = status.creation.filter(|creation| creation.unclear);
            }
            CallOutcome::Updated(at) => {
                // What this object does not own yet is a connection that existed before.
                let adopted = Applied { adopted: true, ..Applied::default() };
                let before = status.applied.take().unwrap_or(adopted);
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
            CallOutcome::Deleted | CallOutcome::NotTested => {}
        }
    }
    if !spec.is_tested() && !spec.is_tested_before() {
        status.last_test = None;
    }
    status
}

/// Shows the connection as Glue has it; `None` when it does not have it.
pub(super) fn render(status: &mut GlueConnectionStatus, observed: Option<&Connection>) {
    let created_at = observed.and_then(|observed| observed.created_at).map(seconds);
    let is_same = created_at.is_some() && created_at == status.created_at;
    // The ARN contains the account, which a process may not know yet right after its start.
    let known_arn = status.arn.take().filter(|_| is_same);
    status.arn = observed.and_then(|observed| observed.arn.clone()).or(known_arn);
    status.state = observed.and_then(|observed| observed.status.clone());
    status.state_reason = observed.and_then(|observed| observed.status_reason.as_ref()).map(|words| truncated(words));
    status.created_at = created_at;
    status.last_updated_at = observed.and_then(|observed| observed.updated_at).map(seconds);
    status.last_updated_by = observed.and_then(|observed| observed.updated_by.clone());
    status.last_validated_at = observed.and_then(|observed| observed.validated_at).map(seconds);
    status.schema_version = observed.and_then(|observed| observed.schema_version);
    status.compatible_compute_environments =
        observed.map(|observed| observed.compute_environments.clone()).unwrap_or_default();
    let authentication = observed.and_then(|observed| observed.authentication.as_ref());
    status.secret_arn = authentication.and_then(|authentication| authentication.secret_arn.clone());
}

/// A time as the API server returns it, without a fraction.
pub(super) fn seconds(time: Timestamp) -> Time {
    Time(whole_seconds(time))
}

/// The condition `Tested`, when the connection was tested.
pub(super) fn tested_condition(status: &GlueConnectionStatus, before: &[Condition]) -> Option<Condition> {
    let test = status.last_test.as_ref()?;
    let succeeded = test.result == TestOutcome::Succeeded;
    let (reason, default) =
        if succeeded { (Reason::TestSucceeded, "Glue could connect") } else { (Reason::TestFailed, "") };
    let message = test.message.as_deref().unwrap_or(default);
    // The transition is as old as the test.
    Some(condition("Tested", succeeded, reason, message, before, test.at.0))
}

/// The condition `UnknownProperties`, when Glue does not document a property of the spec.
pub(super) fn unknown_properties_condition(facts: &ConnectionFacts<'_>, before: &[Condition]) -> Option<Condition> {
    let warning = unknown_properties::warning(&facts.object.spec)?;
    Some(condition(UNKNOWN_PROPERTIES, true, Reason::UnknownProperty, &warning, before, facts.common.now))
}

/// The condition `UnmetRequirements`, when the spec lacks what Glue's description of the type asks for. It stays until Glue is
/// asked again, which is before each change.
pub(super) fn unmet_requirements_condition(facts: &ConnectionFacts<'_>, before: &[Condition]) -> Option<Condition> {
    let spec = &facts.object.spec;
    if !requirements::is_asked_about(spec) {
        return None;
    }
    let warning = match &facts.state.described {
        Some(TypeAnswer::Description(description)) => requirements::warning(spec, description)?,
        Some(TypeAnswer::Unavailable) => return None,
        None => return before.iter().find(|condition| condition.type_ == UNMET_REQUIREMENTS).cloned(),
    };
    let message = truncated(&warning);
    Some(condition(UNMET_REQUIREMENTS, true, Reason::RequirementUnmet, &message, before, facts.common.now))
}

/// A status with conditions, and the step that follows.
pub(super) fn report(
    facts: &ConnectionFacts<'_>,
    status: GlueConnectionStatus,
    sync: SyncState,
    reason: Reason,
    message: &str,
    step: Step<Call>,
) -> ConnectionPlan {
    Plan { status: status::report(facts, status, sync, reason, message), step }
}

/// Glue has the connection as the spec describes it.
pub(super) fn in_sync(facts: &ConnectionFacts<'_>, status: GlueConnectionStatus, step: Step<Call>) -> ConnectionPlan {
    report(facts, status, SyncState::Synced, Reason::InSync, "Glue has the connection as the spec describes it", step)
}
