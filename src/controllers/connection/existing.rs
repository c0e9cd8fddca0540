//! The plan for a connection that is there: whose it is, whether it is what it should be, how Glue finds it.

use super::CallOutcome;
use super::calls::Call;
use super::inputs::Inputs;
use super::preconditions::{before_change, deletes, waits};
use super::status::{
    ALREADY_EXISTS, CONNECTION_FAILED, ConnectionFacts, ConnectionPlan, DRIFTED, IN_PROGRESS, TEST_FAILED, TESTING,
    UPDATING, draft, in_line, keep, seconds, show,
};
use super::test_schedule::Due;
use super::{drift, test_schedule};
use crate::api::GlueConnectionStatus;
use crate::api::connection::AdoptionPolicy;
use crate::api::connection::status::{Applied, Drift, TestOutcome};
use crate::api::declared::DriftPolicy;
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::runtime::step::Step;
use crate::glue::connections::Connection;

/// There is a connection of that name.
pub(super) fn there(
    facts: &ConnectionFacts<'_>,
    mut status: GlueConnectionStatus,
    seen: &Connection,
) -> ConnectionPlan {
    show(&mut status, Some(seen), facts.inputs);
    let Some(inputs) = facts.inputs else { return keep(facts, Step::AwaitChange) };
    let Some(applied) = ours(facts, &status, seen) else { return foreign(facts, status, seen) };
    status.creation = None;
    status.applied = Some(Applied {
        // Whoever changed it first after we did: what comes later is told apart from that.
        by: applied.by.or_else(|| seen.updated_by.clone()),
        created_at: seen.created_at.map(seconds).or(applied.created_at),
        ..applied
    });
    if facts.leading && deletes(facts) != facts.has_finalizer() {
        let step = if deletes(facts) { Step::AddFinalizer } else { Step::RemoveFinalizer { left_behind: None } };
        return ConnectionPlan { status, step };
    }
    if is_outdated(facts, &mut status, inputs) {
        status.drift = None;
        return before_change(facts, &status, UPDATING).unwrap_or_else(|| {
            let message = "the spec or one of its Secrets has changed: the connection is being updated";
            draft(facts, status, SyncState::Progressing, UPDATING, message, Step::Call(Call::Update))
        });
    }
    let fields = differing(&status, inputs, seen);
    if !fields.is_empty() {
        return drifted(facts, status, seen, fields);
    }
    status.drift = None;
    settled(facts, status, inputs, seen)
}

/// What stands in the status about the connection when it is this object's.
pub(super) fn ours(facts: &ConnectionFacts<'_>, status: &GlueConnectionStatus, seen: &Connection) -> Option<Applied> {
    if let Some(applied) = &status.applied {
        // One that was created at another time is another connection.
        let created = seen.created_at.map(seconds);
        let same = applied.created_at.is_none() || created.is_none() || applied.created_at == created;
        return same.then(|| applied.clone());
    }
    let (creation, inputs) = (status.creation.as_ref()?, facts.inputs?);
    let intended = if creation.fingerprint == inputs.fingerprint {
        drift::of(&inputs.input, seen).is_empty()
    } else {
        // The spec has moved on since the intent; whoever created it is left to tell by.
        let us = status.declared.identity.as_ref().map(|identity| &identity.principal_arn);
        us.is_some() && us == seen.updated_by.as_ref()
    };
    intended.then(|| Applied {
        fingerprint: creation.fingerprint.clone(),
        at: Some(creation.intended_at.clone()),
        tags: facts.object.spec.tags.clone().unwrap_or_default(),
        ..Applied::default()
    })
}

/// Somebody else's: left alone, or taken over.
fn foreign(facts: &ConnectionFacts<'_>, mut status: GlueConnectionStatus, seen: &Connection) -> ConnectionPlan {
    (status.applied, status.drift) = (None, None);
    if facts.object.spec.adoption_policy.unwrap_or_default() == AdoptionPolicy::Adopt {
        status.creation = None;
        return before_change(facts, &status, UPDATING).unwrap_or_else(|| {
            let message = "the connection was there before: it is being taken over";
            draft(facts, status, SyncState::Progressing, UPDATING, message, Step::Call(Call::Update))
        });
    }
    let message = format!(
        "connection {} exists already{}, and is not this object's: delete it, choose another spec.connectionName, or \
         set spec.adoptionPolicy to Adopt",
        seen.name,
        seen.updated_by.as_ref().map(|who| format!(" (changed last by {who})")).unwrap_or_default()
    );
    status.creation = None;
    let held = facts.has_finalizer();
    let step = if held { Step::RemoveFinalizer { left_behind: None } } else { Step::AwaitChange };
    draft(facts, status, SyncState::Stalled, ALREADY_EXISTS, &message, step)
}

/// Whether what was brought to Glue is not what it is asked for now. A Secret that was only written again is
/// taken note of.
fn is_outdated(facts: &ConnectionFacts<'_>, status: &mut GlueConnectionStatus, inputs: &Inputs) -> bool {
    let Some(applied) = status.applied.as_mut().filter(|applied| applied.fingerprint != inputs.fingerprint) else {
        return false;
    };
    let known = facts.state.digest.as_ref();
    if !known.is_some_and(|digest| digest.fingerprint == applied.fingerprint && digest.digest == inputs.digest) {
        return true;
    }
    if let Some(test) = status.last_test.as_mut().filter(|test| test.fingerprint == applied.fingerprint) {
        test.fingerprint.clone_from(&inputs.fingerprint);
    }
    applied.fingerprint.clone_from(&inputs.fingerprint);
    false
}

/// What differs, what Glue hides included once somebody else had their hands on it.
fn differing(status: &GlueConnectionStatus, inputs: &Inputs, seen: &Connection) -> Vec<String> {
    let mut fields = drift::of(&inputs.input, seen);
    let by = status.applied.as_ref().and_then(|applied| applied.by.as_ref());
    if fields.is_empty() && by.is_some() && by != seen.updated_by.as_ref() && drift::hides(&inputs.input) {
        fields.push("what Glue hides".to_owned());
    }
    fields
}

/// Somebody else has changed it.
fn drifted(
    facts: &ConnectionFacts<'_>,
    mut status: GlueConnectionStatus,
    seen: &Connection,
    fields: Vec<String>,
) -> ConnectionPlan {
    let who = seen.updated_by.as_deref().unwrap_or("somebody");
    let when = seen.updated_at.map(|at| format!(" at {}", seconds(at).0)).unwrap_or_default();
    let what = fields.join(", ");
    status.drift = Some(Drift { fields, by: seen.updated_by.clone(), at: seen.updated_at.map(seconds) });
    if facts.object.spec.drift_policy == Some(DriftPolicy::Report) {
        let message = format!("changed in Glue by {who}{when}: {what}; driftPolicy Report leaves it so");
        return draft(facts, status, SyncState::Stalled, DRIFTED, &message, Step::AwaitChange);
    }
    let message = format!("changed in Glue by {who}{when}: {what}; it is being put right");
    before_change(facts, &status, DRIFTED)
        .unwrap_or_else(|| draft(facts, status, SyncState::Progressing, DRIFTED, &message, Step::Call(Call::Update)))
}

/// Glue has what it should: the tags, how Glue finds it, and the tests.
fn settled(
    facts: &ConnectionFacts<'_>,
    status: GlueConnectionStatus,
    inputs: &Inputs,
    seen: &Connection,
) -> ConnectionPlan {
    let wanted = facts.object.spec.tags.clone().unwrap_or_default();
    let tags = status.applied.as_ref().map(|applied| applied.tags.clone()).unwrap_or_default();
    if tags != wanted {
        let Some(arn) = &status.arn else {
            let message = "the tags wait until AWS has said which account this is (GetCallerIdentity of STS)";
            return draft(facts, status, SyncState::Progressing, UPDATING, message, Step::AwaitChange);
        };
        let remove = tags.into_keys().filter(|key| !wanted.contains_key(key)).collect();
        let tag = Step::Call(Call::Tag { arn: arn.clone(), remove });
        return waits(facts, &status).unwrap_or_else(|| {
            draft(facts, status, SyncState::Progressing, UPDATING, "the tags are being brought in line", tag)
        });
    }
    match seen.status.as_deref() {
        Some("IN_PROGRESS") => {
            let message = "Glue is still at work on the connection";
            return draft(facts, status, SyncState::Progressing, IN_PROGRESS, message, Step::AwaitChange);
        }
        Some("FAILED") => {
            let why = status.state_reason.clone().unwrap_or_else(|| "it gives no reason".to_owned());
            let message = format!("Glue could not make the connection work: {why}");
            return draft(facts, status, SyncState::Stalled, CONNECTION_FAILED, &message, Step::AwaitChange);
        }
        _ => {}
    }
    let digest = inputs.digest();
    if facts.state.digest.as_ref() != Some(&digest) {
        return ConnectionPlan { step: Step::Call(Call::RecordDigest), ..tested(facts, status) };
    }
    tested(facts, status)
}

/// What the last test says, and when the next one is due.
fn tested(facts: &ConnectionFacts<'_>, status: GlueConnectionStatus) -> ConnectionPlan {
    let due = test_schedule::due(facts, &status);
    if due == Due::Change {
        // Ready is what was tested, where that is asked for.
        return waits(facts, &status).unwrap_or_else(|| {
            let message = "Glue has the connection as the spec says, and is asked to connect";
            draft(facts, status, SyncState::Progressing, TESTING, message, Step::Call(Call::Test))
        });
    }
    let step = match due {
        Due::Change | Due::Never => Step::AwaitChange,
        Due::In(left) if left.is_zero() => match (&facts.problem, facts.rest.filter(|_| !facts.state.edited)) {
            // Whether it still works could not be asked; the connection is none the worse for that.
            (Some(_), _) if facts.state.has(&CallOutcome::Untested) => Step::Backoff,
            (_, Some(pause)) => Step::RequeueAfter(pause),
            _ if !facts.leading => Step::AwaitChange,
            _ => Step::Call(Call::Test),
        },
        Due::In(left) => Step::RequeueAfter(left),
    };
    let failed = status.last_test.as_ref().filter(|test| test.result == TestOutcome::Failed && !test.before_create);
    match failed.map(|test| test.message.clone().unwrap_or_default()) {
        Some(why) => {
            let message = format!("Glue has the connection as the spec says, and could not connect: {why}");
            draft(facts, status, SyncState::Stalled, TEST_FAILED, &message, step)
        }
        None => in_line(facts, status, step),
    }
}
