//! The error of an AWS call.
//!
//! The adapter maps each AWS error code to an [`ErrorKind`], in one place. The controllers decide by the kind and
//! never by the code.

use std::fmt;

use crate::redaction::Redactor;

/// What an error means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The named resource does not exist.
    NotFound,
    /// Another call changes the same resource. A retry may succeed.
    Conflict,
    /// The job or crawler has reached its concurrency limit (`ConcurrentRunsExceededException`,
    /// `CrawlerRunningException`).
    Busy,
    /// Too many calls. The call had no effect.
    Throttled,
    /// The identity is not authorized to make the call.
    Denied,
    /// AWS does not accept the credentials: they are expired or invalid.
    ExpiredCredentials,
    /// AWS rejected the request itself.
    Invalid,
    /// A quota of the account is exhausted.
    LimitExceeded,
    /// No response, or a response that does not say whether the call had an effect. It may have had one.
    Ambiguous,
    /// The call was not sent or had no effect. A retry may succeed.
    Transient,
}

impl ErrorKind {
    /// Whether the call certainly changed nothing.
    #[must_use]
    pub fn is_definite_failure(self) -> bool {
        self != Self::Ambiguous
    }
}

/// A failed AWS call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// The operation, as AWS names it.
    pub operation: &'static str,
    /// The resource that the call was about, such as `job etl`.
    pub object: String,
    /// What the error means for the caller.
    pub kind: ErrorKind,
    /// AWS's error code, or one of the adapter's own, such as `Timeout` and `NotSent`.
    pub code: String,
    /// AWS's message, or the chain of causes. May be empty.
    pub message: String,
}

/// The code of an error for which AWS gives none, or one that quotes a value of a Secret.
pub(crate) const UNKNOWN_CODE: &str = "Unknown";

/// The code of a search through a list that ended early.
const SEARCH_NOT_FINISHED: &str = "SearchNotFinished";

/// What IAM says of an action that it denies; the name of the action follows.
const NOT_AUTHORIZED: &str = "is not authorized to perform: ";

impl Error {
    /// The error of a search through a list that ended before it had read what it must. Nothing is known then: what it has not
    /// found may exist.
    #[must_use]
    pub(crate) fn search_not_finished(operation: &'static str, object: String, message: &str) -> Self {
        let (code, message) = (SEARCH_NOT_FINISHED.to_owned(), message.to_owned());
        Self { operation, object, kind: ErrorKind::Transient, code, message }
    }

    /// The error of a search that has read as many runs as one may, all of them newer than what it must read.
    #[must_use]
    pub(crate) fn too_many_newer_runs(operation: &'static str, object: String) -> Self {
        let message = "more runs were started since than a search reads, so it is not known whether the start had an effect, and \
                       it is not repeated: see in Glue, and create a new object if the run is missing";
        Self::search_not_finished(operation, object, message)
    }

    /// The action that IAM denied, such as `ec2:DescribeSubnets`, if the message names one.
    #[must_use]
    pub fn denied_action(&self) -> Option<&str> {
        let (_, rest) = self.message.split_once(NOT_AUTHORIZED)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, ':' | '-')).unwrap_or(rest.len());
        Some(&rest[..end]).filter(|action| action.contains(':'))
    }

    /// The same error, with what `redactor` shows of AWS's message. The code is kept unless it quotes a value: decisions
    /// and remedies depend on it.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        let message = redactor.redact(&self.message);
        self.with_message(message, redactor)
    }

    /// The same, for the answer to a request that did not contain the values.
    #[must_use]
    pub fn hidden(self, redactor: &Redactor) -> Self {
        let message = redactor.hide(&self.message);
        self.with_message(message, redactor)
    }

    /// What failed and how, without AWS's code and message: for the log of code that does not know which values of Secrets
    /// these may quote.
    #[must_use]
    pub fn summary(&self) -> String {
        format!("{} of {}: {:?}", self.operation, self.object, self.kind)
    }

    fn with_message(self, message: String, redactor: &Redactor) -> Self {
        let is_quote = redactor.hide(&self.code) != self.code;
        let code = if is_quote { UNKNOWN_CODE.to_owned() } else { self.code };
        Self { code, message, ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}: {}", self.operation, self.object, self.code)?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

/// The answer of a call; `None` when AWS reports that the resource does not exist.
pub(crate) fn if_found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}
