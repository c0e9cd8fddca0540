//! Why the controller cannot take a step, as a reason and a message.

use super::reason::Reason;
use crate::glue::identity::Provenance;
use crate::glue::{Error, ErrorKind};

/// Why a step cannot be taken; it may heal by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The reason of the condition that reports it.
    pub reason: Reason,
    /// What is wrong, and the remedy.
    pub message: String,
    /// The kind of AWS's error, when AWS answered.
    pub kind: Option<ErrorKind>,
}

impl Problem {
    /// A problem on the Kubernetes side: no call to AWS was made.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), kind: None }
    }

    /// A spec that kube-glue refuses without asking AWS.
    #[must_use]
    pub fn invalid_spec(message: impl Into<String>) -> Self {
        Self { reason: Reason::InvalidSpec, message: message.into(), kind: Some(ErrorKind::Invalid) }
    }

    /// AWS's error, with the remedy for an object whose credentials come from `provenance`.
    #[must_use]
    pub fn of(error: &Error, provenance: Option<&Provenance>) -> Self {
        let remedy = provenance.map(|provenance| format!(" ({})", error.remedy(provenance)));
        let message = format!("{error}{}", remedy.unwrap_or_default());
        Self { reason: error.kind.into(), message, kind: Some(error.kind) }
    }
}
