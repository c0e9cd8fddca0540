//! The plan for a connection that exists: which object owns it, whether it is in sync, and what Glue says about it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::calls::Call;
use super::facts::{ConnectionFacts, ConnectionPlan};
use super::inputs::ConnectionInputs;
use super::preconditions::{Origin, before_call, before_change, deletes};
use super::status::{in_sync, render, report, seconds};
use super::test_schedule::Due;
use super::{CallOutcome, drift, test_schedule};
use crate::api::GlueConnectionStatus;
use crate::api::connection::AdoptionPolicy;
use crate::api::connection::status::{Applied, Drift, TestOutcome};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::declared::status::{blocked, drifted, keep, reports_refusal, unchanged};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::connections::Connection;

/// Glue has a connection of that name.
pub(super) fn plan(
    facts: &ConnectionFacts<'_>,
    mut status: GlueConnectionStatus,
    observed: &Connection,
) -> ConnectionPlan {
    render(&mut status, Some(observed));
    let Some(inputs) = facts.inputs else { return unchanged(facts, Step::AwaitChange) };
    let owned = owned(facts, &status, observed).or_else(|| adopted_as_it_is(facts, inputs, observed));
    let Some(applied) = owned else { return foreign(facts, status, observed) };
    status.creation = None;
    status.applied = Some(Applied {
        // The first identity after our change; a later one is somebody else's change.
        by: applied.by.or_else(|| observed.updated_by.clone()),
        created_at: observed.created_at.map(seconds).or(applied.created_at),
        ..applied
    });
    let deletes = deletes(facts, Origin::of(&status));
    if deletes != facts.common.has_finalizer() {
        let remove = Step::RemoveFinalizer { left_behind: None };
        return Plan { status, step: if deletes { Step::AddFinalizer } else { remove } };
    }
    if is_outdated(facts, &mut status, inputs) {
        status.drift = None;
        return before_change(facts, &status, Reason::Updating, Origin::of(&status)).unwrap_or_else(|| {
            let message = "the spec or one of its Secrets has changed: the connection is being updated";
            update(facts, status, Reason::Updating, message)
        });
    }
    let fields = differing_fields(&status, inputs, observed);
    if !fields.is_empty() {
        return correct_drift(facts, status, observed, fields);
    }
    status.drift = None;
    tags_and_state(facts, status, inputs, observed)
}

fn update(facts: &ConnectionFacts<'_>, status: GlueConnectionStatus, reason: Reason, message: &str) -> ConnectionPlan {
    report(facts, status, SyncState::Progressing, reason, message, Step::Call(Call::Update))
}

/// What `status.applied` is when this object owns the connection; `None` when it does not.
pub(super) fn owned(
    facts: &ConnectionFacts<'_>,
    status: &GlueConnectionStatus,
    observed: &Connection,
) -> Option<Applied> {
    if let Some(applied) = &status.applied {
        // A connection with another creation time is another connection.
        let created = observed.created_at.map(seconds);
        let same = applied.created_at.is_none() || created.is_none() || applied.created_at == created;
        return same.then(|| applied.clone());
    }
    let (creation, inputs) = (status.creation.as_ref()?, facts.inputs?);
    let intended = if creation.fingerprint == inputs.fingerprint {
        drift::of(&inputs.input, observed).is_empty()
    } else {
        // The spec has changed since the intent: only the identity that created it is left to compare.
        let caller = status.declared.identity.as_ref().map(|identity| &identity.principal_arn);
        caller.is_some() && caller == observed.updated_by.as_ref()
    };
    intended.then(|| Applied {
        fingerprint: creation.fingerprint.clone(),
        at: Some(creation.intended_at.clone()),
        tags: facts.object.spec.tags.clone().unwrap_or_default(),
        ..Applied::default()
    })
}

/// Whether the object takes over a connection that it did not create.
fn adopts(facts: &ConnectionFacts<'_>) -> bool {
    facts.object.spec.adoption_policy.unwrap_or_default() == AdoptionPolicy::Adopt
}

/// What `status.applied` is when the object adopts a connection that is as the spec describes it, and hides nothing: no
/// call is needed.
fn adopted_as_it_is(facts: &ConnectionFacts<'_>, inputs: &ConnectionInputs, observed: &Connection) -> Option<Applied> {
    let is_as_described = !drift::hides(&inputs.input) && drift::of(&inputs.input, observed).is_empty();
    (adopts(facts) && is_as_described).then(|| Applied {
        fingerprint: inputs.fingerprint.clone(),
        at: Some(Time(facts.common.now)),
        adopted: true,
        ..Applied::default()
    })
}

/// A connection that this object does not own: it is adopted by an update, or left alone.
fn foreign(facts: &ConnectionFacts<'_>, mut status: GlueConnectionStatus, observed: &Connection) -> ConnectionPlan {
    (status.applied, status.drift) = (None, None);
    status.creation = None;
    if adopts(facts) {
        return before_change(facts, &status, Reason::Updating, Origin::Adopted).unwrap_or_else(|| {
            update(facts, status, Reason::Updating, "the connection existed before: it is being adopted")
        });
    }
    let changed_by = observed.updated_by.as_ref().map(|who| format!(" (changed last by {who})")).unwrap_or_default();
    let message = format!(
        "connection {} exists already{changed_by}, and this object did not create it: delete it, choose another \
         spec.connectionName, or set spec.adoptionPolicy to Adopt",
        observed.name
    );
    let remove = Step::RemoveFinalizer { left_behind: None };
    let step = if facts.common.has_finalizer() { remove } else { Step::AwaitChange };
    report(facts, status, SyncState::Stalled, Reason::AlreadyExists, &message, step)
}

/// Whether Glue has other values than the spec and its Secrets have now. A Secret that was rewritten with the same values
/// only changes the fingerprint.
fn is_outdated(facts: &ConnectionFacts<'_>, status: &mut GlueConnectionStatus, inputs: &ConnectionInputs) -> bool {
    let Some(applied) = status.applied.as_mut().filter(|applied| applied.fingerprint != inputs.fingerprint) else {
        return false;
    };
    let known = facts.state.digest.as_ref();
    if !known.is_some_and(|known| known.fingerprint == applied.fingerprint && known.digest == inputs.digest) {
        return true;
    }
    if let Some(test) = status.last_test.as_mut().filter(|test| test.fingerprint == applied.fingerprint) {
        test.fingerprint.clone_from(&inputs.fingerprint);
    }
    applied.fingerprint.clone_from(&inputs.fingerprint);
    false
}

/// The fields that differ. When another identity changed the connection, that includes the values that Glue hides.
fn differing_fields(status: &GlueConnectionStatus, inputs: &ConnectionInputs, observed: &Connection) -> Vec<String> {
    let mut fields = drift::of(&inputs.input, observed);
    let by = status.applied.as_ref().and_then(|applied| applied.by.as_ref());
    if fields.is_empty() && by.is_some() && by != observed.updated_by.as_ref() && drift::hides(&inputs.input) {
        fields.push("hidden values".to_owned());
    }
    fields
}

/// Somebody changed the connection in Glue.
fn correct_drift(
    facts: &ConnectionFacts<'_>,
    mut status: GlueConnectionStatus,
    observed: &Connection,
    fields: Vec<String>,
) -> ConnectionPlan {
    let who = observed.updated_by.as_deref().unwrap_or("somebody");
    let when = observed.updated_at.map(|at| format!(" at {}", seconds(at).0)).unwrap_or_default();
    let what = format!("changed in Glue by {who}{when}: {}", fields.join(", "));
    status.drift = Some(Drift { fields, by: observed.updated_by.clone(), at: observed.updated_at.map(seconds) });
    drifted(facts, status, facts.object.spec.drift_policy, &what, |status| {
        before_change(facts, &status, Reason::Drifted, Origin::of(&status))
            .unwrap_or_else(|| update(facts, status, Reason::Drifted, &format!("{what}; it is being corrected")))
    })
}

/// The connection has the values of the spec: what remains are its tags, its state in Glue, and its tests.
fn tags_and_state(
    facts: &ConnectionFacts<'_>,
    status: GlueConnectionStatus,
    inputs: &ConnectionInputs,
    observed: &Connection,
) -> ConnectionPlan {
    let wanted = facts.object.spec.tags.clone().unwrap_or_default();
    let tags = status.applied.as_ref().map(|applied| applied.tags.clone()).unwrap_or_default();
    if tags != wanted {
        let Some(arn) = &status.arn else {
            let message = "the tags wait until AWS has named the account (GetCallerIdentity of STS)";
            return report(facts, status, SyncState::Progressing, Reason::Updating, message, Step::AwaitChange);
        };
        let remove = tags.into_keys().filter(|key| !wanted.contains_key(key)).collect();
        let tag = Step::Call(Call::Tag { arn: arn.clone(), remove });
        return before_call(facts, &status).unwrap_or_else(|| {
            report(facts, status, SyncState::Progressing, Reason::Updating, "the tags are being updated", tag)
        });
    }
    match observed.status.as_deref() {
        Some("IN_PROGRESS") => {
            let message = "Glue is still working on the connection";
            return report(facts, status, SyncState::Progressing, Reason::InProgress, message, Step::AwaitChange);
        }
        Some("FAILED") => {
            let why = status.state_reason.clone().unwrap_or_else(|| "it gives no reason".to_owned());
            let message = format!("Glue could not make the connection work: {why}");
            return report(facts, status, SyncState::Stalled, Reason::ConnectionFailed, &message, Step::AwaitChange);
        }
        _ => {}
    }
    if facts.state.digest.as_ref() != Some(&inputs.applied_digest()) {
        return Plan { step: Step::Call(Call::RecordDigest), ..tests(facts, status) };
    }
    tests(facts, status)
}

/// What the last test showed, and when the next one is due.
fn tests(facts: &ConnectionFacts<'_>, status: GlueConnectionStatus) -> ConnectionPlan {
    let due = test_schedule::due(facts, &status);
    if due == Due::Change {
        // A connection that is to be tested is Ready only after the test.
        return before_call(facts, &status).unwrap_or_else(|| {
            let message = "Glue has the connection as the spec describes it, and tests it";
            report(facts, status, SyncState::Progressing, Reason::Testing, message, Step::Call(Call::Test))
        });
    }
    let step = match due {
        Due::Change | Due::Never => Step::AwaitChange,
        Due::In(left) if left.is_zero() => {
            if let Some(problem) = facts.problem.as_ref().filter(|_| facts.state.has(&CallOutcome::NotTested)) {
                return blocked(facts, status, problem, Step::Backoff);
            }
            let pause = facts.common.backoff.filter(|_| !facts.state.edited);
            let step = pause.map_or(Step::Call(Call::Test), Step::RequeueAfter);
            if reports_refusal(facts) {
                return Plan { status: keep(facts, status), step };
            }
            step
        }
        Due::In(left) => Step::RequeueAfter(left),
    };
    let last = status.last_test.as_ref();
    let failed = last.filter(|test| test.result == TestOutcome::Failed && !test.before_create);
    match failed.map(|test| test.message.clone().unwrap_or_default()) {
        Some(why) => {
            let message = format!("Glue has the connection as the spec describes it, but could not connect: {why}");
            report(facts, status, SyncState::Stalled, Reason::TestFailed, &message, step)
        }
        None => in_sync(facts, status, step),
    }
}
