//! The calls, and what is state from their answers.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::inputs::Inputs;
use super::{CallOutcome, PassState};
use crate::api::GlueConnection;
use crate::api::connection::status::{TestOutcome, TestResult};
use crate::controllers::runtime::conditions::bounded;
use crate::controllers::runtime::time;
use crate::glue::{Error, ErrorKind, Glue};

/// What is done about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Create it.
    Create,
    /// Bring all of it to Glue.
    Update,
    /// Delete it.
    Delete,
    /// Test what is about to be brought to Glue.
    TestInput,
    /// Test what stands in Glue.
    Test,
    /// Bring its tags in line.
    Tag {
        /// Its ARN.
        arn: String,
        /// The tags that are not wanted any more.
        remove: Vec<String>,
    },
    /// Nothing in Glue: take note of which values the fingerprint in the status stands for.
    RecordDigest,
}

/// Acts.
pub(super) async fn act(
    object: &GlueConnection,
    client: &Glue,
    inputs: Option<&Inputs>,
    act: &Call,
    state: &mut PassState,
) -> Result<(), Error> {
    let catalog = object.spec.catalog_id.as_deref();
    let name = object.connection_name();
    if let Call::Delete = act {
        return match client.delete_connection(catalog, name).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(repeatable(error)),
            // Gone is gone, whoever it was.
            Ok(()) | Err(_) => {
                state.outcomes.push(CallOutcome::Deleted);
                Ok(())
            }
        };
    }
    let Some(inputs) = inputs else { return Ok(()) };
    let tags = object.spec.tags.clone().unwrap_or_default();
    match act {
        Call::Create => match client.create_connection(catalog, &inputs.input, &tags).await {
            Ok(()) => {
                state.outcomes.push(CallOutcome::Created(time::now()));
                state.digest = Some(inputs.digest());
            }
            Err(error) if error.code == "AlreadyExistsException" => state.outcomes.push(CallOutcome::Exists),
            Err(error) => {
                state.outcomes.extend(error.kind.is_definite_failure().then_some(CallOutcome::Refused));
                return Err(error);
            }
        },
        Call::Update => {
            client.update_connection(catalog, &inputs.input).await.map_err(repeatable)?;
            state.outcomes.push(CallOutcome::Updated(time::now()));
            state.digest = Some(inputs.digest());
        }
        Call::TestInput => {
            let answer = client.test_connection_input(catalog, &inputs.input).await;
            state.outcomes.extend(verdict(&answer, inputs, true).map(CallOutcome::Tested));
            answer?;
        }
        Call::Test => {
            let answer = client.test_connection(catalog, name).await;
            let Some(verdict) = verdict(&answer, inputs, false) else {
                state.outcomes.push(CallOutcome::Untested);
                return answer;
            };
            // A verdict is no failure of ours, whatever it says.
            state.outcomes.push(CallOutcome::Tested(verdict));
        }
        Call::Tag { arn, remove } => {
            client.tag_connection(arn, &tags, remove).await?;
            state.outcomes.push(CallOutcome::Tagged);
        }
        Call::RecordDigest => state.digest = Some(inputs.digest()),
        Call::Delete => {}
    }
    Ok(())
}

/// What can be sent again without harm rests like anything else that was refused, whether it was done or not.
fn repeatable(error: Error) -> Error {
    let kind = if error.kind == ErrorKind::Ambiguous { ErrorKind::Transient } else { error.kind };
    Error { kind, ..error }
}

/// What an answer says about the connection; nothing, when the test was not made.
fn verdict(answer: &Result<(), Error>, inputs: &Inputs, before_create: bool) -> Option<TestResult> {
    let (result, message) = match answer {
        Ok(()) => (TestOutcome::Succeeded, None),
        Err(error) => match error.kind {
            ErrorKind::Throttled | ErrorKind::ExpiredCredentials | ErrorKind::LimitExceeded | ErrorKind::Transient => {
                return None;
            }
            ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Busy
            | ErrorKind::Denied
            | ErrorKind::Invalid
            | ErrorKind::Ambiguous => (TestOutcome::Failed, Some(bounded(&inputs.redact(&error.to_string())))),
        },
    };
    let (at, fingerprint) = (Time(time::now()), inputs.fingerprint.clone());
    Some(TestResult { result, message, at, fingerprint, before_create })
}
