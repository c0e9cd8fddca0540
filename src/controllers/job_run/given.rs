//! The values from Secrets that a run was given. Glue shows the arguments that a run was started with, whatever the Secrets
//! have now, and whichever process started it. Pure.

use crate::api::GlueJobRun;
use crate::glue::job_runs::JobRun;
use crate::redaction::{MIN_LENGTH, Sensitive, Withheld};

/// The values that Glue's words about `run` may quote; why they are not known. None where there are no words.
pub(super) fn values(object: &GlueJobRun, run: &JobRun) -> Result<Vec<Sensitive>, Withheld> {
    let namespace = object.metadata.namespace.as_deref();
    if run.started_for.is_some() && run.started_for.as_deref() != namespace {
        return Err(Withheld::OtherNamespace);
    }
    if run.error_message.is_none() && run.state_detail.is_none() {
        return Ok(Vec::new());
    }
    let mut given = of_own_secrets(object, run)?;
    let may_be_of_another = object.spec.run_id.is_some() || object.spec.policy.idempotency_key.is_some();
    if may_be_of_another && run.started_for.is_some() {
        given.extend(of_other_objects(object, run)?);
    }
    Ok(given)
}

/// The values of the arguments that the object takes from Secrets.
fn of_own_secrets(object: &GlueJobRun, run: &JobRun) -> Result<Vec<Sensitive>, Withheld> {
    let from = object.spec.arguments_from.iter().flatten();
    let secret = from.filter_map(|from| Some((&from.name, from.secret_key_ref.as_ref()?)));
    let mut given = Vec::new();
    for (name, key) in secret {
        match run.arguments.as_ref().map(|arguments| arguments.get(name)) {
            Some(Some(value)) => given.push(value.clone()),
            Some(None) if key.optional == Some(true) => {}
            Some(None) | None => return Err(Withheld::UnknownVersion),
        }
    }
    Ok(given)
}

/// The values of the arguments that the object does not have itself: another object of the namespace started the run, and
/// may have them from Secrets. A value that is too short to be recognized is left out: most are no secrets.
fn of_other_objects(object: &GlueJobRun, run: &JobRun) -> Result<Vec<Sensitive>, Withheld> {
    let Some(arguments) = &run.arguments else { return Err(Withheld::UnknownVersion) };
    let is_own = |name: &str, value: &Sensitive| {
        let literal = object.spec.arguments.as_ref().and_then(|literal| literal.get(name));
        let mut from = object.spec.arguments_from.iter().flatten();
        literal.is_some_and(|literal| literal == value.expose())
            || from.any(|from| from.name == name && from.config_map_key_ref.is_some())
    };
    let others = arguments.iter().filter(|(name, value)| !is_own(name, value)).map(|(_, value)| value);
    Ok(others.filter(|value| value.expose().trim().len() >= MIN_LENGTH).cloned().collect())
}
