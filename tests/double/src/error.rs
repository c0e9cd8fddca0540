//! An error in the answer of an AWS service.

use std::borrow::Cow;

/// An AWS error: code, message and HTTP status.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// The code, like `EntityNotFoundException`.
    pub code: Cow<'static, str>,
    /// The message for people.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// Whether the service's model declares it. Otherwise it is one of the errors common to all services.
    pub modelled: bool,
}

impl AwsError {
    /// An exception that the service's model declares, with HTTP status 400.
    #[must_use]
    pub fn modelled(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400, modelled: true }
    }

    /// An error common to all services, with HTTP status 400.
    #[must_use]
    pub fn common(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400, modelled: false }
    }

    /// The same error with another HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// `EntityNotFoundException`
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::modelled("EntityNotFoundException", message)
    }

    /// `InvalidInputException`
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::modelled("InvalidInputException", message)
    }

    /// `AlreadyExistsException`
    #[must_use]
    pub fn exists(message: impl Into<String>) -> Self {
        Self::modelled("AlreadyExistsException", message)
    }

    /// `InternalServiceException`, with HTTP status 500.
    #[must_use]
    pub fn internal() -> Self {
        Self::modelled("InternalServiceException", "An internal error has occurred.").status(500)
    }

    /// `ServiceUnavailable`, with HTTP status 503.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::common("ServiceUnavailable", "The service is unavailable.").status(503)
    }

    /// `ThrottlingException`
    #[must_use]
    pub fn throttled() -> Self {
        Self::common("ThrottlingException", "Rate exceeded")
    }
}
