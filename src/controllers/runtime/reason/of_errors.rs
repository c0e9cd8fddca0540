//! The reasons of errors of AWS and of credentials.

use super::Reason;
use crate::glue::ErrorKind;
use crate::glue::identity::IdentityError;

impl From<ErrorKind> for Reason {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Busy => Self::ConcurrentRunsExceeded,
            ErrorKind::Throttled => Self::Throttled,
            ErrorKind::Denied => Self::AccessDenied,
            ErrorKind::ExpiredCredentials => Self::CredentialsNotAccepted,
            ErrorKind::Invalid => Self::InvalidSpec,
            ErrorKind::LimitExceeded => Self::LimitExceeded,
            ErrorKind::Ambiguous => Self::AnswerUnclear,
            ErrorKind::Transient => Self::AwsUnreachable,
        }
    }
}

impl From<&IdentityError> for Reason {
    fn from(error: &IdentityError) -> Self {
        match error {
            IdentityError::SecretNotFound { .. } => Self::SecretNotFound,
            IdentityError::NoCredentials { .. } => Self::CredentialsMissing,
            IdentityError::MissingKey { .. } | IdentityError::InvalidValue { .. } => Self::SecretInvalid,
            IdentityError::NoRole { .. } => Self::RoleMissing,
            IdentityError::RoleNotAllowed { .. } => Self::RoleNotAllowed,
            IdentityError::ProfileNotAllowed { .. } => Self::ProfileNotAllowed,
            IdentityError::EndpointNotAllowed { .. } | IdentityError::EndpointWithoutKeys { .. } => {
                Self::EndpointNotAllowed
            }
            IdentityError::NoRegion { .. } => Self::RegionMissing,
        }
    }
}
