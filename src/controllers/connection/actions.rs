//! The calls, and what is learnt from their answers.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::inputs::Inputs;
use super::{Came, Learnt};
use crate::api::GlueConnection;
use crate::api::connection::status::{TestOutcome, TestResult};
use crate::controllers::conditions::bounded;
use crate::controllers::times;
use crate::glue::{Class, Error, Glue};

/// What is done about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Create it.
    Create,
    /// Bring all of it to Glue.
    Update,
    /// Delete it.
    Remove,
    /// Test what is about to be brought to Glue.
    TestFirst,
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
    Note,
}

/// Acts.
pub(super) async fn act(
    object: &GlueConnection,
    client: &Glue,
    inputs: Option<&Inputs>,
    act: &Act,
    learnt: &mut Learnt,
) -> Result<(), Error> {
    let catalog = object.spec.catalog_id.as_deref();
    let name = object.connection_name();
    if let Act::Remove = act {
        return match client.delete_connection(catalog, name).await {
            Err(error) if error.class != Class::NotFound => Err(repeatable(error)),
            // Gone is gone, whoever it was.
            Ok(()) | Err(_) => {
                learnt.came.push(Came::Deleted);
                Ok(())
            }
        };
    }
    let Some(inputs) = inputs else { return Ok(()) };
    let tags = object.spec.tags.clone().unwrap_or_default();
    match act {
        Act::Create => match client.create_connection(catalog, &inputs.input, &tags).await {
            Ok(()) => {
                learnt.came.push(Came::Created(times::now()));
                learnt.noted = Some(inputs.noted());
            }
            Err(error) if error.code == "AlreadyExistsException" => learnt.came.push(Came::Exists),
            Err(error) => {
                learnt.came.extend(error.class.is_clear_no().then_some(Came::Refused));
                return Err(error);
            }
        },
        Act::Update => {
            client.update_connection(catalog, &inputs.input).await.map_err(repeatable)?;
            learnt.came.push(Came::Updated(times::now()));
            learnt.noted = Some(inputs.noted());
        }
        Act::TestFirst => {
            let answer = client.test_connection_input(catalog, &inputs.input).await;
            learnt.came.extend(verdict(&answer, inputs, true).map(Came::Tested));
            answer?;
        }
        Act::Test => {
            let answer = client.test_connection(catalog, name).await;
            let Some(verdict) = verdict(&answer, inputs, false) else {
                learnt.came.push(Came::Untested);
                return answer;
            };
            // A verdict is no failure of ours, whatever it says.
            learnt.came.push(Came::Tested(verdict));
        }
        Act::Tag { arn, remove } => {
            client.tag_connection(arn, &tags, remove).await?;
            learnt.came.push(Came::Tagged);
        }
        Act::Note => learnt.noted = Some(inputs.noted()),
        Act::Remove => {}
    }
    Ok(())
}

/// What can be sent again without harm rests like anything else that was refused, whether it was done or not.
fn repeatable(error: Error) -> Error {
    let class = if error.class == Class::Ambiguous { Class::Transient } else { error.class };
    Error { class, ..error }
}

/// What an answer says about the connection; nothing, when the test was not made.
fn verdict(answer: &Result<(), Error>, inputs: &Inputs, before_create: bool) -> Option<TestResult> {
    let (result, message) = match answer {
        Ok(()) => (TestOutcome::Succeeded, None),
        Err(error) => match error.class {
            Class::Throttled | Class::ExpiredCredentials | Class::LimitExceeded | Class::Transient => return None,
            Class::NotFound | Class::Conflict | Class::Busy | Class::Denied | Class::Invalid | Class::Ambiguous => {
                (TestOutcome::Failed, Some(bounded(&inputs.redact(&error.to_string()))))
            }
        },
    };
    let (at, fingerprint) = (Time(times::now()), inputs.fingerprint.clone());
    Some(TestResult { result, message, at, fingerprint, before_create })
}
