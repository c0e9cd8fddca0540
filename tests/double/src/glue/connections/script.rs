//! Scripts that define how changes and tests of connections end.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::AwsError;

/// The time of a change with OAUTH2, which exchanges the credentials for a token.
const TOKEN_EXCHANGE: Duration = Duration::from_secs(5);

/// The AWS error of a failed test of a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The error code.
    pub code: String,
    /// The error message.
    pub message: String,
}

impl Failure {
    /// A failure with this code and message.
    #[must_use]
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned() }
    }
}

/// How a connection's changes and tests end. Times are on the double's clock; in JSON, seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ConnectionScript {
    /// The time of a change in `IN_PROGRESS`; none takes the default of the authentication type.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_progress: Option<Seconds>,
    /// The outcomes of the next changes: the reason of a FAILED one, none for READY. After the last, READY.
    changes: VecDeque<Option<String>>,
    /// The outcomes of the next tests: the failure, none for success. After the last, success.
    tests: VecDeque<Option<Failure>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Seconds(#[serde(with = "crate::seconds")] Duration);

impl ConnectionScript {
    /// Sets the time of a change in `IN_PROGRESS`.
    #[must_use]
    pub fn in_progress(mut self, time: Duration) -> Self {
        self.in_progress = Some(Seconds(time));
        self
    }

    /// Appends a change that ends as FAILED with this reason.
    #[must_use]
    pub fn change_fails(mut self, reason: &str) -> Self {
        self.changes.push_back(Some(reason.to_owned()));
        self
    }

    /// Appends a change that ends as READY.
    #[must_use]
    pub fn change_succeeds(mut self) -> Self {
        self.changes.push_back(None);
        self
    }

    /// Appends a test with this failure.
    #[must_use]
    pub fn test_fails(mut self, failure: Failure) -> Self {
        self.tests.push_back(Some(failure));
        self
    }

    /// Appends a test that succeeds.
    #[must_use]
    pub fn test_succeeds(mut self) -> Self {
        self.tests.push_back(None);
        self
    }
}

/// The scripts of a region by connection name; `*` stands for all others.
#[derive(Debug, Default)]
pub(super) struct Scripts(HashMap<String, ConnectionScript>);

impl Scripts {
    pub fn set(&mut self, name: &str, script: ConnectionScript) {
        self.0.insert(name.to_owned(), script);
    }

    fn of(&mut self, name: &str) -> Option<&mut ConnectionScript> {
        let name = if self.0.contains_key(name) { name } else { "*" };
        self.0.get_mut(name)
    }

    /// The time that the next change takes, and the reason if it fails.
    pub fn outcome(&mut self, name: &str, input: &Map<String, Value>) -> (Duration, Option<String>) {
        let authentication = input.get("AuthenticationConfiguration").and_then(|auth| auth.get("AuthenticationType"));
        let default = match authentication.and_then(Value::as_str) {
            Some("OAUTH2") => TOKEN_EXCHANGE,
            _ => Duration::ZERO,
        };
        match self.of(name) {
            None => (default, None),
            Some(script) => {
                (script.in_progress.map_or(default, |Seconds(time)| time), script.changes.pop_front().flatten())
            }
        }
    }

    /// The outcome of the next test.
    pub fn test(&mut self, name: &str) -> Result<(), AwsError> {
        match self.of(name).and_then(|script| script.tests.pop_front()).flatten() {
            None => Ok(()),
            Some(Failure { code, message }) => {
                Err(AwsError { code: code.into(), message, status: 400, modelled: true })
            }
        }
    }
}
