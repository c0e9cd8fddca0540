//! How connections end: told by a test, since the double connects to nothing.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::AwsError;

/// How long a change takes whose credentials must be exchanged for a token first.
const TOKEN_EXCHANGE: Duration = Duration::from_secs(5);

/// An AWS error that a test of a connection ends with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The code.
    pub code: String,
    /// What it says.
    pub message: String,
}

impl Failure {
    /// A failure by its code and message.
    #[must_use]
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned() }
    }
}

/// How a connection's changes and tests end. Times are on the double's clock; in JSON they are seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ConnectionScript {
    /// How long a change is `IN_PROGRESS`; none is as long as the kind of authentication takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_progress: Option<Seconds>,
    /// The reasons that changes fail with, one after the other; none (and after the last) is READY.
    changes: VecDeque<Option<String>>,
    /// How tests end, one after the other; none (and after the last) is success.
    tests: VecDeque<Option<Failure>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Seconds(#[serde(with = "crate::seconds")] Duration);

impl ConnectionScript {
    /// Changes are `IN_PROGRESS` so long.
    #[must_use]
    pub fn in_progress(mut self, time: Duration) -> Self {
        self.in_progress = Some(Seconds(time));
        self
    }

    /// The next change (after those said so far) is FAILED with this reason.
    #[must_use]
    pub fn change_fails(mut self, reason: &str) -> Self {
        self.changes.push_back(Some(reason.to_owned()));
        self
    }

    /// The next change (after those said so far) is READY.
    #[must_use]
    pub fn change_succeeds(mut self) -> Self {
        self.changes.push_back(None);
        self
    }

    /// The next test (after those said so far) fails so.
    #[must_use]
    pub fn test_fails(mut self, failure: Failure) -> Self {
        self.tests.push_back(Some(failure));
        self
    }

    /// The next test (after those said so far) succeeds.
    #[must_use]
    pub fn test_succeeds(mut self) -> Self {
        self.tests.push_back(None);
        self
    }
}

/// The scripts of a region by connection; `*` is every other.
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

    /// How long a change takes, and how it fails, if it does.
    pub fn outcome(&mut self, name: &str, input: &Map<String, Value>) -> (Duration, Option<String>) {
        let authentication = input.get("AuthenticationConfiguration").and_then(|auth| auth.get("AuthenticationType"));
        let usual = match authentication.and_then(Value::as_str) {
            Some("OAUTH2") => TOKEN_EXCHANGE,
            _ => Duration::ZERO,
        };
        match self.of(name) {
            None => (usual, None),
            Some(script) => {
                (script.in_progress.map_or(usual, |Seconds(time)| time), script.changes.pop_front().flatten())
            }
        }
    }

    /// How a test ends.
    pub fn test(&mut self, name: &str) -> Result<(), AwsError> {
        match self.of(name).and_then(|script| script.tests.pop_front()).flatten() {
            None => Ok(()),
            Some(Failure { code, message }) => {
                Err(AwsError { code: code.into(), message, status: 400, modelled: true })
            }
        }
    }
}
