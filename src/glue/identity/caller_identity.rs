//! The identity that AWS reports for a client.

/// The response of STS's `GetCallerIdentity`, or the same facts from `AssumeRole`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account id.
    pub account_id: String,
    /// The ARN of the user, or of the session of the role.
    pub principal_arn: String,
}
