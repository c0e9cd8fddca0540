//! What an operation is: its name, what it is about, and the function that does it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Region;
use crate::{clock::Time, error::AwsError};

/// An operation of Glue.
#[derive(Debug)]
pub struct Operation {
    /// The name in `X-Amz-Target`, after `AWSGlue.`.
    pub name: &'static str,
    /// The kind of thing it is about, as it stands in ARNs.
    pub resource: &'static str,
    /// Where the body says the thing's name, as a JSON pointer; empty when it is about no one thing.
    pub subject: &'static str,
    /// Does it.
    pub run: fn(&mut Region, &Input<'_>) -> Result<Vec<u8>, AwsError>,
}

impl Operation {
    /// The name of the thing a request is about.
    #[must_use]
    pub fn subject(&self, body: &Value) -> Option<String> {
        body.pointer(self.subject)?.as_str().map(ToOwned::to_owned)
    }
}

/// The input of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The body, valid by the service's model.
    pub body: &'a Value,
    /// For a stale read: answer what was true then.
    pub as_of: Option<Time>,
    /// The caller's ARN.
    pub caller: &'a str,
}

impl Input<'_> {
    /// The body as a type of its own.
    pub fn read<'de, T: Deserialize<'de>>(&'de self) -> Result<T, AwsError> {
        T::deserialize(self.body).map_err(|error| AwsError::common("SerializationException", error.to_string()))
    }
}

/// An answer's body.
pub fn reply<T: Serialize>(answer: &T) -> Result<Vec<u8>, AwsError> {
    serde_json::to_vec(answer).map_err(|_| AwsError::internal())
}
