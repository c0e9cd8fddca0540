//! Whom AWS takes us for.

/// Whom AWS takes us for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account_id: String,
    /// The ARN of the user, or of the session of the role.
    pub principal_arn: String,
}
