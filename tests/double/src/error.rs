//! An error as an AWS service answers it.

use std::borrow::Cow;

/// An AWS error: its code, what it says, and the HTTP status it comes with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// The code, like `EntityNotFoundException`.
    pub code: Cow<'static, str>,
    /// What a person reads.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// Whether the service's model declares it (else it comes from the front door all services share).
    pub modelled: bool,
}

impl AwsError {
    /// An exception of the service's model, with HTTP status 400.
    #[must_use]
    pub fn modelled(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400, modelled: true }
    }

    /// An error of the front door, with HTTP status 400.
    #[must_use]
    pub fn common(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400, modelled: false }
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Something is not there.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::modelled("EntityNotFoundException", message)
    }

    /// The input makes no sense to Glue.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::modelled("InvalidInputException", message)
    }

    /// Something of that name is there already.
    #[must_use]
    pub fn exists(message: impl Into<String>) -> Self {
        Self::modelled("AlreadyExistsException", message)
    }

    /// Glue broke.
    #[must_use]
    pub fn internal() -> Self {
        Self::modelled("InternalServiceException", "An internal error has occurred.").status(500)
    }

    /// Too many requests.
    #[must_use]
    pub fn throttled() -> Self {
        Self::common("ThrottlingException", "Rate exceeded")
    }
}
