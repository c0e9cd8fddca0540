//! The calls to Glue about a connection, and what a pass keeps of their answers.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::inputs::ConnectionInputs;
use super::{CallOutcome, PassState, TypeAnswer};
use crate::api::GlueConnection;
use crate::api::connection::status::{TestOutcome, TestResult};
use crate::controllers::declared::kind::Target;
use crate::controllers::runtime::text::truncated;
use crate::controllers::runtime::time;
use crate::glue::error::if_found;
use crate::glue::{Error, ErrorKind};
use crate::redaction::Redactor;

/// The calls about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Create it.
    Create,
    /// Replace all of it.
    Update,
    /// Delete it.
    Delete,
    /// Ask how Glue describes the type of the connection.
    DescribeType,
    /// Test the input before it is created or updated.
    TestInput,
    /// Test the connection that Glue has.
    Test,
    /// Bring its tags in sync.
    Tag {
        /// Its ARN.
        arn: String,
        /// The keys of the tags to remove.
        remove: Vec<String>,
    },
    /// No call: keep the digest of the values that the fingerprint in the status was made of.
    RecordDigest,
}

/// Makes the call.
pub(super) async fn call(
    object: &GlueConnection,
    target: &Target<'_, GlueConnection>,
    call: &Call,
    state: &mut PassState,
) -> Result<(), Error> {
    let (client, redactor) = (target.client, target.redactor);
    let catalog = object.spec.catalog_id.as_deref();
    let name = object.connection_name();
    if let Call::Delete = call {
        // A connection that does not exist is deleted.
        if_found(client.delete_connection(catalog, name).await).map_err(repeatable)?;
        state.outcomes.push(CallOutcome::Deleted);
        return Ok(());
    }
    if let Call::DescribeType = call {
        // Nothing depends on the answer, so its absence is no error.
        let description = client.connection_type(&object.spec.connection_type).await;
        state.described = Some(description.map_or(TypeAnswer::Unavailable, TypeAnswer::Description));
        return Ok(());
    }
    let Some(inputs) = target.inputs else { return Ok(()) };
    let tags = object.spec.tags.clone().unwrap_or_default();
    match call {
        Call::Create => match client.create_connection(catalog, &inputs.input, &tags).await {
            Ok(()) => {
                state.outcomes.push(CallOutcome::Created(time::now()));
                state.digest = Some(inputs.applied_digest());
            }
            Err(error) if error.code == "AlreadyExistsException" => state.outcomes.push(CallOutcome::Exists),
            Err(error) => {
                state.outcomes.extend(error.kind.is_definite_failure().then_some(CallOutcome::Rejected));
                return Err(error);
            }
        },
        Call::Update => {
            client.update_connection(catalog, &inputs.input).await.map_err(repeatable)?;
            state.outcomes.push(CallOutcome::Updated(time::now()));
            state.digest = Some(inputs.applied_digest());
        }
        Call::TestInput => {
            let answer = client.test_connection_input(catalog, &inputs.input).await;
            state.outcomes.extend(test_result(&answer, inputs, redactor, true).map(CallOutcome::Tested));
            answer.map_err(repeatable)?;
        }
        Call::Test => {
            let answer = client.test_connection(catalog, name).await;
            let Some(test_result) = test_result(&answer, inputs, redactor, false) else {
                state.outcomes.push(CallOutcome::NotTested);
                return answer.map_err(repeatable);
            };
            // A test that was made is no failed call, whatever its result.
            state.outcomes.push(CallOutcome::Tested(test_result));
        }
        Call::Tag { arn, remove } => {
            client.tag_connection(arn, &tags, remove).await?;
            state.outcomes.push(CallOutcome::Tagged);
        }
        Call::RecordDigest => state.digest = Some(inputs.applied_digest()),
        Call::Delete | Call::DescribeType => {}
    }
    Ok(())
}

/// The error of a call that may be repeated: whether it had an effect makes no difference, so it is delayed like any
/// other error.
fn repeatable(error: Error) -> Error {
    let kind = if error.kind == ErrorKind::Ambiguous { ErrorKind::Transient } else { error.kind };
    Error { kind, ..error }
}

/// Whether the error is Glue's answer about the connection. A test that did not end in time was made.
fn was_tested(error: &Error) -> bool {
    match error.kind {
        ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Busy | ErrorKind::Invalid => true,
        ErrorKind::Ambiguous => matches!(error.code.as_str(), "Timeout" | "OperationTimeoutException"),
        ErrorKind::Throttled
        | ErrorKind::ExpiredCredentials
        | ErrorKind::LimitExceeded
        | ErrorKind::Transient
        | ErrorKind::Denied => false,
    }
}

/// The result of a test; `None` when it was not made.
fn test_result(
    answer: &Result<(), Error>,
    inputs: &ConnectionInputs,
    redactor: &Redactor,
    before_create: bool,
) -> Option<TestResult> {
    let (result, message) = match answer {
        Ok(()) => (TestOutcome::Succeeded, None),
        Err(error) if was_tested(error) => {
            let error = error.clone().redacted(redactor);
            (TestOutcome::Failed, Some(truncated(&error.to_string())))
        }
        Err(_) => return None,
    };
    let (at, fingerprint) = (Time(time::now()), inputs.fingerprint.clone());
    Some(TestResult { result, message, at, fingerprint, before_create })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_could_not_be_made_has_not_failed() {
        use ErrorKind::{
            Ambiguous, Denied, ExpiredCredentials, Invalid, LimitExceeded, NotFound, Throttled, Transient,
        };
        for (kind, code, expected) in [
            (Invalid, "InvalidInputException", true),
            (NotFound, "EntityNotFoundException", true),
            (Ambiguous, "OperationTimeoutException", true),
            (Ambiguous, "Timeout", true),
            (Ambiguous, "InternalServiceException", false),
            (Ambiguous, "ConnectionLost", false),
            (Ambiguous, "AnswerNotUnderstood", false),
            (Denied, "AccessDeniedException", false),
            (Throttled, "ThrottlingException", false),
            (ExpiredCredentials, "ExpiredTokenException", false),
            (LimitExceeded, "ResourceNumberLimitExceededException", false),
            (Transient, "NotSent", false),
        ] {
            let (object, code) = ("connection db".to_owned(), code.to_owned());
            let error = Error { operation: "TestConnection", object, kind, code, message: String::new() };
            assert_eq!(was_tested(&error), expected, "{error}");
        }
    }
}
