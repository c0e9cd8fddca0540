//! An operation of Glue: its name, the resource it acts on, and its handler; and what all handlers share.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Region;
use crate::{clock::Time, error::AwsError};

/// An operation of Glue.
#[derive(Debug)]
pub struct Operation {
    /// The name in `X-Amz-Target`, after `AWSGlue.`.
    pub name: &'static str,
    /// The resource type in ARNs, such as `job`.
    pub resource: &'static str,
    /// Where the request body names the resource, as a JSON pointer; empty when it names no single resource.
    pub subject: &'static str,
    /// Handles a request; returns the body of the answer.
    pub run: fn(&mut Region, &Input<'_>) -> Reply,
}

/// The body of an answer, as JSON, or the error.
pub type Reply = Result<Vec<u8>, AwsError>;

/// A table of operations on one type of resource. Each line is an operation, the JSON pointer to the resource's
/// name in the request body, and the handler.
macro_rules! operations {
    ($resource:literal: $($name:ident($subject:literal) => $run:path,)+) => {
        &[$($crate::glue::operation::Operation {
            name: stringify!($name),
            resource: $resource,
            subject: $subject,
            run: $run,
        }),+]
    };
}
pub(crate) use operations;

impl Operation {
    /// The name of the resource a request acts on.
    #[must_use]
    pub fn subject(&self, body: &Value) -> Option<String> {
        body.pointer(self.subject)?.as_str().map(ToOwned::to_owned)
    }
}

/// The input of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The request body. It is valid by the service's model.
    pub body: &'a Value,
    /// For a stale read: the answer shows the state at this time.
    pub as_of: Option<Time>,
    /// The caller's ARN.
    pub caller: &'a str,
}

impl Input<'_> {
    /// Parses the request body.
    pub fn read<'de, T: Deserialize<'de>>(&'de self) -> Result<T, AwsError> {
        T::deserialize(self.body).map_err(|error| AwsError::common("SerializationException", error.to_string()))
    }
}

/// A request that names one resource: by `JobName` for jobs, else by `Name`.
#[derive(Debug, Deserialize)]
pub struct Named {
    /// The resource's name.
    #[serde(rename = "Name", alias = "JobName")]
    pub name: String,
}

/// Serializes an answer.
pub fn reply<T: Serialize>(answer: &T) -> Reply {
    serde_json::to_vec(answer).map_err(|_| AwsError::internal())
}

/// Answers a `BatchGet...` request: what `find` has for each requested name, and the names without a resource.
pub fn reply_to_batch<T: Serialize>(
    input: &Input<'_>,
    [found_member, missing_member]: [&str; 2],
    find: impl Fn(&str) -> Option<T>,
) -> Reply {
    #[derive(Deserialize)]
    struct Request {
        #[serde(rename = "JobNames", alias = "CrawlerNames", alias = "TriggerNames", alias = "Names")]
        names: Vec<String>,
    }
    let Request { names } = input.read()?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in &names {
        match find(name) {
            Some(resource) => found.push(resource),
            None => missing.push(name),
        }
    }
    reply(&json!({ found_member: found, missing_member: missing }))
}
