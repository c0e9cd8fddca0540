//! What the operator of kube-glue allows: the controller's own identity, roles, profiles, endpoints and job arguments.

use std::str::FromStr;

use wildmatch::WildMatch;

use super::allowed_endpoint::AllowedEndpoint;
use super::refused_arguments::RefusedArguments;

/// What the operator allows to which namespaces. By default, only credentials from Secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Patterns of the namespaces that may use the controller's own identity.
    pub controller_identity_namespaces: Vec<String>,
    /// Which namespaces may assume which roles. Empty: any role with the keys of a Secret, and none with the
    /// controller's credentials.
    pub roles: Vec<Grant>,
    /// Which namespaces may use which profiles of the controller's AWS configuration.
    pub profiles: Vec<Grant>,
    /// The endpoints that a Secret may name, and in which namespaces.
    pub endpoints: Vec<AllowedEndpoint>,
    /// The receivers of lineage that an inventory may name, and in which namespaces.
    pub receivers: Vec<AllowedEndpoint>,
    /// The arguments that job runs may not set.
    pub refused_arguments: RefusedArguments,
    /// Whether sessions are tagged with namespace and kind.
    pub session_tags: bool,
    /// How many different regions and credentials the objects of one namespace may use at once, counted for each kind: each
    /// has an AWS client. At least 1.
    pub most_identities: usize,
}

/// The default of [`Rules::most_identities`].
pub const MOST_IDENTITIES: u32 = 100;

impl Default for Rules {
    fn default() -> Self {
        Self {
            controller_identity_namespaces: Vec::new(),
            roles: Vec::new(),
            profiles: Vec::new(),
            endpoints: Vec::new(),
            receivers: Vec::new(),
            refused_arguments: RefusedArguments::default(),
            session_tags: true,
            most_identities: MOST_IDENTITIES as usize,
        }
    }
}

impl Rules {
    /// Whether objects of `namespace` may use the controller's own identity.
    #[must_use]
    pub(super) fn allows_controller_identity(&self, namespace: &str) -> bool {
        self.controller_identity_namespaces.iter().any(|pattern| matches(pattern, namespace))
    }

    /// Whether objects of `namespace` may assume the role, `with_own_keys` of a Secret or with the controller's
    /// credentials.
    #[must_use]
    pub(super) fn allows_role(&self, namespace: &str, arn: &str, with_own_keys: bool) -> bool {
        (with_own_keys && self.roles.is_empty()) || self.roles.iter().any(|grant| grant.allows(namespace, arn))
    }

    /// Whether objects of `namespace` may use this profile.
    #[must_use]
    pub(super) fn allows_profile(&self, namespace: &str, profile: &str) -> bool {
        self.profiles.iter().any(|grant| grant.allows(namespace, profile))
    }
}

/// Whether the pattern, in which `*` and `?` stand for any text and any character, has the text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// `NAMESPACE=VALUE`, both patterns with `*` and `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub(super) namespace: String,
    pub(super) value: String,
}

impl Grant {
    fn allows(&self, namespace: &str, value: &str) -> bool {
        matches(&self.namespace, namespace) && matches(&self.value, value)
    }
}

impl FromStr for Grant {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('=').filter(|(namespace, value)| !namespace.is_empty() && !value.is_empty());
        let (namespace, value) = parts.ok_or("expected NAMESPACE=VALUE, both patterns with * and ?")?;
        Ok(Self { namespace: namespace.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(roles: &[&str]) -> Rules {
        Rules { roles: roles.iter().map(|text| text.parse().unwrap()).collect(), ..Rules::default() }
    }

    #[test]
    fn the_controllers_credentials_assume_only_listed_roles() {
        let arn = "arn:aws:iam::111122223333:role/team-a/etl";
        let none = rules(&[]);
        assert!(none.allows_role("team-a", arn, true));
        assert!(!none.allows_role("team-a", arn, false));
        let listed = rules(&["team-?=arn:aws:iam::111122223333:role/team-a/*"]);
        for own in [true, false] {
            assert!(listed.allows_role("team-a", arn, own));
            assert!(!listed.allows_role("other", arn, own));
            assert!(!listed.allows_role("team-a", "arn:aws:iam::111122223333:role/team-b/etl", own));
        }
        // A wildcard matches any text: only a separator that names do not have ends a team's name.
        let prefix = rules(&["team-a=arn:aws:iam::111122223333:role/team-a-*"]);
        assert!(prefix.allows_role("team-a", "arn:aws:iam::111122223333:role/team-a-b-etl", true));
        let path = rules(&["team-a=arn:aws:iam::111122223333:role/team-a/*"]);
        assert!(path.allows_role("team-a", arn, true));
        assert!(!path.allows_role("team-a", "arn:aws:iam::111122223333:role/team-a-b/etl", true));
        for bad in ["", "=", "a=", "=b", "a"] {
            assert!(bad.parse::<Grant>().is_err(), "{bad}");
        }
    }
}
