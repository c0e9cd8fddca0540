//! What the operator of kube-glue allows: the controller's own identity, roles, profiles and endpoints.

use std::str::FromStr;

use wildmatch::WildMatch;

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
    /// The endpoints that a Secret may name.
    pub endpoints: Vec<AllowedEndpoint>,
    /// Whether sessions are tagged with namespace and kind.
    pub session_tags: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            controller_identity_namespaces: Vec::new(),
            roles: Vec::new(),
            profiles: Vec::new(),
            endpoints: Vec::new(),
            session_tags: true,
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

    /// The endpoint, rebuilt from the parts that were checked; `None` where it is not allowed.
    #[must_use]
    pub(super) fn allowed_endpoint(&self, url: &str) -> Option<String> {
        let origin = Origin::parse(url)?;
        self.endpoints.iter().any(|allowed| allowed.matches(&origin)).then(|| origin.to_string())
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// `NAMESPACE=VALUE`, both patterns with `*` and `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    namespace: String,
    value: String,
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

/// `host`, `.suffix` or `http://host`, each with an optional `:port`. The default scheme is https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedEndpoint(Origin);

impl AllowedEndpoint {
    fn matches(&self, other: &Origin) -> bool {
        let Origin { secure, host, port } = &self.0;
        let is_host = match host.strip_prefix('.') {
            Some(_) => other.host.ends_with(host.as_str()) && other.host.len() > host.len(),
            None => *host == other.host,
        };
        is_host && *secure == other.secure && *port == other.port
    }
}

impl FromStr for AllowedEndpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        Origin::parse(&url).map(Self).ok_or("expected a host, a suffix like .vpce.amazonaws.com, or http://host:port")
    }
}

/// The scheme, host and port of a URL without any other part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    secure: bool,
    /// In lower case.
    host: String,
    port: u16,
}

impl Origin {
    fn parse(url: &str) -> Option<Self> {
        let (secure, rest) = match url.split_once("://")? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return None,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (rest, if secure { 443 } else { 80 }),
        };
        // Anything else, such as user@host or a path, could mean another host to the client that connects.
        let is_host = host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
            && host.bytes().any(|b| b.is_ascii_alphanumeric());
        is_host.then(|| Self { secure, host: host.to_ascii_lowercase(), port })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scheme, default_port) = if self.secure { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default_port { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(endpoints: &[&str], roles: &[&str]) -> Rules {
        Rules {
            endpoints: endpoints.iter().map(|text| text.parse().unwrap()).collect(),
            roles: roles.iter().map(|text| text.parse().unwrap()).collect(),
            ..Rules::default()
        }
    }

    #[test]
    fn an_endpoint_matches_an_exact_host_or_a_suffix() {
        let rules = rules(&["glue.example.com", ".vpce.amazonaws.com", "http://127.0.0.1:4566"], &[]);
        for (url, is_allowed) in [
            ("https://glue.example.com", true),
            ("https://glue.example.com:443/", true),
            ("https://GLUE.example.com", true),
            ("https://vpce-1.glue.eu-west-1.vpce.amazonaws.com", true),
            ("http://127.0.0.1:4566", true),
            ("http://glue.example.com", false),
            ("https://glue.example.com:8443", false),
            ("https://x.glue.example.com", false),
            ("https://glue.example.com.evil.org", false),
            ("https://evil.org/glue.example.com", false),
            ("https://glue.example.com@evil.org", false),
            ("https://evil.org#glue.example.com", false),
            ("https://evil.org\\.vpce.amazonaws.com", false),
            ("https://vpce.amazonaws.com", false),
            ("https://.vpce.amazonaws.com", false),
            ("https://evilvpce.amazonaws.com", false),
            ("http://127.0.0.1:4567", false),
            ("http://127.0.0.1", false),
            ("glue.example.com", false),
            ("", false),
        ] {
            assert_eq!(rules.allowed_endpoint(url).is_some(), is_allowed, "{url}");
        }
        assert_eq!(rules.allowed_endpoint("https://GLUE.example.com/").unwrap(), "https://glue.example.com");
        assert!(Rules::default().allowed_endpoint("https://glue.example.com").is_none());
        for bad in ["", "ftp://a", "https://a/b", "a b", "a@b"] {
            assert!(bad.parse::<AllowedEndpoint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_controllers_credentials_assume_only_listed_roles() {
        let arn = "arn:aws:iam::111122223333:role/team-a/etl";
        let none = rules(&[], &[]);
        assert!(none.allows_role("team-a", arn, true));
        assert!(!none.allows_role("team-a", arn, false));
        let listed = rules(&[], &["team-?=arn:aws:iam::111122223333:role/team-a/*"]);
        for own in [true, false] {
            assert!(listed.allows_role("team-a", arn, own));
            assert!(!listed.allows_role("other", arn, own));
            assert!(!listed.allows_role("team-a", "arn:aws:iam::111122223333:role/team-b/etl", own));
        }
        for bad in ["", "=", "a=", "=b", "a"] {
            assert!(bad.parse::<Grant>().is_err(), "{bad}");
        }
    }
}
