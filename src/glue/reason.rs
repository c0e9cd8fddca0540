//! The condition reasons of errors. This file moves to the controllers: no other code in `glue` uses it.

use crate::glue::ErrorKind;
use crate::glue::identity::IdentityError;

impl ErrorKind {
    /// The reason of a condition that reports an error of this kind.
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

impl IdentityError {
    /// The reason of a condition that reports this error.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::SecretNotFound { .. } => "SecretNotFound",
            Self::NoCredentials { .. } => "CredentialsMissing",
            Self::MissingKey { .. } | Self::InvalidValue { .. } => "SecretInvalid",
            Self::NoRole { .. } => "RoleMissing",
            Self::RoleNotAllowed { .. } => "RoleNotAllowed",
            Self::ProfileNotAllowed { .. } => "ProfileNotAllowed",
            Self::EndpointNotAllowed { .. } => "EndpointNotAllowed",
            Self::NoRegion { .. } => "RegionMissing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::identity::Setting;

    #[test]
    fn each_identity_error_has_its_reason() {
        let [secret, namespace, name] = ["a/s", "a", "x"].map(|text| move || text.to_owned());
        let setting = || Setting::Field("assumeRole.roleArn");
        for (error, reason) in [
            (IdentityError::SecretNotFound { secret: secret() }, "SecretNotFound"),
            (IdentityError::NoCredentials { namespace: namespace(), secret: secret() }, "CredentialsMissing"),
            (IdentityError::MissingKey { secret: secret(), key: "AWS_REGION", similar: None }, "SecretInvalid"),
            (IdentityError::InvalidValue { setting: setting(), problem: "is empty" }, "SecretInvalid"),
            (IdentityError::NoRole { secret: secret() }, "RoleMissing"),
            (
                IdentityError::RoleNotAllowed {
                    namespace: namespace(),
                    arn: name(),
                    with_controller_credentials: false,
                },
                "RoleNotAllowed",
            ),
            (IdentityError::ProfileNotAllowed { namespace: namespace(), profile: name() }, "ProfileNotAllowed"),
            (IdentityError::EndpointNotAllowed { setting: setting() }, "EndpointNotAllowed"),
            (IdentityError::NoRegion { secret: secret() }, "RegionMissing"),
        ] {
            assert_eq!(error.reason(), reason, "{error:?}");
        }
    }
}
