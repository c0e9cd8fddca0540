//! What a call to AWS can answer when it does not answer well.
//!
//! Every error is one of a few [`ErrorKind`]es; the controllers decide by the class and never by AWS's codes.
//! The adapters do the mapping, in one place each.

use std::fmt;

use super::identity::Provenance;

/// What an error means for the one who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The named thing is not there.
    NotFound,
    /// Somebody else changes the same thing just now; the same call may go through later.
    Conflict,
    /// The thing runs as often as it may already (`ConcurrentRunsExceededException`, `CrawlerRunningException`).
    Busy,
    /// Too many calls. Nothing was done.
    Throttled,
    /// These credentials may not do that.
    Denied,
    /// The credentials are no longer, or were never, valid.
    ExpiredCredentials,
    /// The request itself is wrong.
    Invalid,
    /// A quota of the account is used up.
    LimitExceeded,
    /// No answer, or one that does not say whether it was done: it may have happened.
    Ambiguous,
    /// Nothing was sent, or nothing was done; it may go through later.
    Transient,
}

impl ErrorKind {
    /// Whether it is certain that the call changed nothing.
    #[must_use]
    pub fn is_definite_failure(self) -> bool {
        self != Self::Ambiguous
    }

    /// The class as a condition's reason.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::Conflict => "Conflict",
            Self::Busy => "ConcurrentRunsExceeded",
            Self::Throttled => "Throttled",
            Self::Denied => "AccessDenied",
            Self::ExpiredCredentials => "CredentialsNotAccepted",
            Self::Invalid => "InvalidSpec",
            Self::LimitExceeded => "LimitExceeded",
            Self::Ambiguous => "AnswerUnclear",
            Self::Transient => "AwsUnreachable",
        }
    }
}

/// An answer of AWS, or its absence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// The operation, as AWS names it.
    pub operation: &'static str,
    /// What it was about, such as `job etl`.
    pub object: String,
    /// What it means.
    pub kind: ErrorKind,
    /// AWS's code, or `Timeout`, `NotSent` and the like.
    pub code: String,
    /// AWS's words, or the chain of causes.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}: {}", self.operation, self.object, self.code)?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

impl Error {
    /// What a person can do about it whose credentials come from there.
    #[must_use]
    pub fn remedy(&self, from: &Provenance) -> String {
        match self.kind {
            ErrorKind::NotFound => format!(
                "there is no {} in this account and region; it is looked for again: create it, or check the name, spec.region and spec.credentials",
                self.object
            ),
            ErrorKind::Denied | ErrorKind::Invalid if self.operation == "AssumeRole" => from.remedy_of_role(self),
            // What STS finds wrong in the request.
            ErrorKind::ExpiredCredentials if self.operation == "AssumeRole" && self.code.starts_with("Validation") => {
                from.remedy_of_role(self)
            }
            ErrorKind::Denied => from.remedy_of_denial(self),
            ErrorKind::ExpiredCredentials => from.remedy_of_refusal(self),
            ErrorKind::Invalid if matches!(self.operation, "StartTrigger" | "StopTrigger") => {
                "mend the trigger in Glue; it is tried again by itself".to_owned()
            }
            ErrorKind::Invalid if self.operation.ends_with("Connection") => {
                "correct the spec, or the Secrets that it names".to_owned()
            }
            ErrorKind::Invalid => format!(
                "the fields cannot be changed: create a new object with what Glue accepts, or mend the Glue {}",
                self.object.split(' ').next().unwrap_or_default()
            ),
            ErrorKind::LimitExceeded => "a quota of the account is used up; it is tried again by itself".to_owned(),
            ErrorKind::Busy => "it runs as often as it may; this one starts when a place is free".to_owned(),
            ErrorKind::Transient if self.code == "NoEndpoint" => {
                "an endpoint of one's own (AWS_ENDPOINT_URL) goes with none of the controller's switches \
                 AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT: keep one of them"
                    .to_owned()
            }
            ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Conflict | ErrorKind::Ambiguous => {
                "it is tried again by itself".to_owned()
            }
        }
    }
}
