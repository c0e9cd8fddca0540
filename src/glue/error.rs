//! What a call to AWS can answer when it does not answer well.
//!
//! Every error is one of a few [`Class`]es; the controllers decide by the class and never by AWS's codes.
//! The adapters do the mapping, in one place each.

use std::fmt;

/// What an error means for the one who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
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

impl Class {
    /// Whether it is certain that the call changed nothing.
    #[must_use]
    pub fn is_clear_no(self) -> bool {
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
    pub class: Class,
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
    /// What a person can do about it; empty when there is nothing but to wait.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self.class {
            Class::NotFound => format!(
                "there is no {} in this account and region; it is looked for again: create it, or check the name, spec.region and spec.credentials",
                self.object
            ),
            Class::Denied | Class::Invalid if self.operation == "AssumeRole" => self.remedy_of_role().to_owned(),
            // What STS finds wrong in the request.
            Class::ExpiredCredentials if self.operation == "AssumeRole" && self.code.starts_with("Validation") => {
                self.remedy_of_role().to_owned()
            }
            Class::Denied => format!(
                "allow glue:{} to the identity that spec.credentials names, or name another one",
                self.operation
            ),
            Class::ExpiredCredentials => {
                "put valid keys into the Secret that spec.credentials names; they are taken up by themselves".to_owned()
            }
            Class::Invalid => {
                "the fields cannot be changed: create a new object with what Glue accepts, or mend the Glue job"
                    .to_owned()
            }
            Class::LimitExceeded => "a quota of the account is used up; it is tried again by itself".to_owned(),
            Class::Busy => "it runs as often as it may; this one starts when a place is free".to_owned(),
            Class::Transient if self.code == "NoEndpoint" => {
                "an endpoint of one's own (AWS_ENDPOINT_URL) goes with none of the controller's switches \
                 AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT: keep one of them"
                    .to_owned()
            }
            Class::Throttled | Class::Transient | Class::Conflict | Class::Ambiguous => {
                "it is tried again by itself".to_owned()
            }
        }
    }
    /// STS names in its words what is not allowed, and not where that is to be said.
    fn remedy_of_role(&self) -> &'static str {
        if self.message.contains("sts:TagSession") {
            "allow sts:TagSession beside sts:AssumeRole in the role's trust policy: the session is tagged with \
             namespace and kind, unless the operator of kube-glue switches that off (--session-tags=false)"
        } else if self.message.contains("sts:SetSourceIdentity") {
            "allow sts:SetSourceIdentity beside sts:AssumeRole in the role's trust policy, or name no source identity"
        } else {
            "allow sts:AssumeRole to the credentials that assume the role, and check its ARN, and the external id that \
             the role's trust policy asks for, in spec.credentials and its Secret"
        }
    }
}
