//! A role and its trust policy.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Principal;

/// An IAM role with its trust policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// `arn:aws:iam::<account>:role/<name>`
    pub arn: String,
    /// The trusted principals: an account's id, the ARN of a user, a role or a session, a web identity's subject,
    /// or `*`. An empty list trusts the role's own account.
    #[serde(default)]
    trusts: Vec<String>,
    /// The external id that a caller must send.
    #[serde(default)]
    external_id: Option<String>,
    /// Whether the trust policy allows `sts:TagSession`.
    #[serde(default = "yes")]
    tag_session: bool,
    /// Whether the trust policy allows `sts:SetSourceIdentity`.
    #[serde(default = "yes")]
    source_identity: bool,
    /// The session tags that the trust policy requires (`aws:RequestTag/<key>`).
    #[serde(default)]
    required_tags: Vec<(String, String)>,
    /// The longest session; in JSON, seconds.
    #[serde(with = "crate::seconds", default = "an_hour")]
    max_session: Duration,
}

fn yes() -> bool {
    true
}

fn an_hour() -> Duration {
    Duration::from_hours(1)
}

impl Role {
    /// A role that its own account may assume without conditions, for at most an hour.
    #[must_use]
    pub fn new(arn: &str) -> Self {
        Self {
            arn: arn.to_owned(),
            trusts: Vec::new(),
            external_id: None,
            tag_session: true,
            source_identity: true,
            required_tags: Vec::new(),
            max_session: an_hour(),
        }
    }

    /// Adds a trusted account, user, role, session or web identity.
    #[must_use]
    pub fn trusts(mut self, principal: &str) -> Self {
        self.trusts.push(principal.to_owned());
        self
    }

    /// Requires this external id.
    #[must_use]
    pub fn external_id(mut self, id: &str) -> Self {
        self.external_id = Some(id.to_owned());
        self
    }

    /// Whether a caller may set session tags.
    #[must_use]
    pub fn allows_tag_session(mut self, allowed: bool) -> Self {
        self.tag_session = allowed;
        self
    }

    /// Whether a caller may set a source identity.
    #[must_use]
    pub fn allows_source_identity(mut self, allowed: bool) -> Self {
        self.source_identity = allowed;
        self
    }

    /// Requires this session tag.
    #[must_use]
    pub fn requires_tag(mut self, key: &str, value: &str) -> Self {
        self.required_tags.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Sets the longest session; AWS allows 1 to 12 hours.
    #[must_use]
    pub fn max_session(mut self, longest: Duration) -> Self {
        self.max_session = longest;
        self
    }

    /// The account's id in its ARN.
    #[must_use]
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// The name in its ARN, without a path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn max_session_duration(&self) -> Duration {
        self.max_session
    }

    pub(crate) fn trusts_principal(&self, principal: &Principal) -> bool {
        if self.trusts.is_empty() {
            return *principal.account == *self.account();
        }
        self.trusts.iter().any(|trusted| {
            trusted == "*"
                || **trusted == *principal.account
                || *trusted == format!("arn:aws:iam::{}:root", principal.account)
                || **trusted == *principal.arn
                || principal.session.as_ref().is_some_and(|session| session.role == *trusted)
        })
    }

    pub(crate) fn trusts_subject(&self, subject: &str) -> bool {
        self.trusts.iter().any(|trusted| trusted == "*" || trusted == subject)
    }

    pub(crate) fn accepts_external_id(&self, presented: Option<&str>) -> bool {
        self.external_id.as_deref().is_none_or(|wanted| presented == Some(wanted))
    }

    pub(crate) fn accepts_tags(&self, tags: &[(String, String)]) -> bool {
        self.tag_session || tags.is_empty()
    }

    pub(crate) fn has_required_tags(&self, tags: &[(String, String)]) -> bool {
        self.required_tags.iter().all(|wanted| tags.contains(wanted))
    }

    pub(crate) fn accepts_source_identity(&self) -> bool {
        self.source_identity
    }
}
