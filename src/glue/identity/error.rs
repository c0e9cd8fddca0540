//! Why an identity cannot be resolved.

use super::validation;

/// Where a value is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A field of the object's [`Credentials`](crate::api::credentials::Credentials), such as `assumeRole.roleArn`.
    Field(&'static str),
    /// A key of a Secret.
    SecretKey {
        /// `namespace/name`.
        secret: String,
        /// Such as `AWS_ROLE_ARN`.
        key: &'static str,
    },
}

/// Why no identity can be resolved. A `secret` is `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields name what the variant is about")]
pub enum IdentityError {
    /// The object references a Secret that does not exist.
    SecretNotFound { secret: String },
    /// There are no credentials, and the namespace may not use the controller's.
    NoCredentials { namespace: String, secret: String },
    /// The Secret lacks a required key. `similar` is a key of the Secret with a similar name.
    MissingKey { secret: String, key: &'static str, similar: Option<String> },
    /// A value is not valid. `problem` is the predicate of a sentence about it, and never contains the value.
    InvalidValue { setting: Setting, problem: &'static str },
    /// The object sets parameters of `AssumeRole` but no role, and neither does the Secret.
    NoRole { secret: String },
    /// [`Rules::roles`](super::Rules::roles) does not allow the role with these credentials.
    RoleNotAllowed { namespace: String, arn: String, with_controller_credentials: bool },
    /// [`Rules::profiles`](super::Rules::profiles) does not allow the profile.
    ProfileNotAllowed { namespace: String, profile: String },
    /// [`Rules::endpoints`](super::Rules::endpoints) does not allow the endpoint for the namespace.
    EndpointNotAllowed { namespace: String, setting: Setting },
    /// The Secret names an endpoint and has no keys: the controller's credentials would be sent there.
    EndpointWithoutKeys { setting: Setting },
    /// Neither the object, the Secret nor the controller sets a region.
    NoRegion { secret: String },
}

/// The result of a validation, as an error about `setting`.
pub(super) fn check(setting: &Setting, check: validation::Check) -> Result<(), IdentityError> {
    check.map_err(|problem| IdentityError::InvalidValue { setting: setting.clone(), problem })
}
