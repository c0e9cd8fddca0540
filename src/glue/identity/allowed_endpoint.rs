//! The endpoints that a Secret may name, and the receivers of lineage that an inventory may name, in the namespaces of the
//! operator's choice.

use std::str::FromStr;

use super::Rules;
use super::rules::matches;

impl Rules {
    /// The endpoint, rebuilt from the parts that were checked; `None` where objects of `namespace` may not use it.
    #[must_use]
    pub(super) fn allowed_endpoint(&self, namespace: &str, url: &str) -> Option<String> {
        allowed(&self.endpoints, namespace, url)
    }

    /// The URL of a receiver of lineage, rebuilt from the parts that were checked; `None` where inventories of `namespace`
    /// may not use it.
    #[must_use]
    pub fn allowed_receiver(&self, namespace: &str, url: &str) -> Option<String> {
        allowed(&self.receivers, namespace, url)
    }
}

fn allowed(list: &[AllowedEndpoint], namespace: &str, url: &str) -> Option<String> {
    let origin = Origin::parse(url)?;
    list.iter().any(|allowed| allowed.allows(namespace, &origin)).then(|| origin.to_string())
}

/// `NAMESPACE=ENDPOINT`: a pattern of namespaces, and `host`, `.suffix` or `http://host`, each with an optional `:port`.
/// The default scheme is https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedEndpoint {
    namespace: String,
    origin: Origin,
}

impl AllowedEndpoint {
    fn allows(&self, namespace: &str, other: &Origin) -> bool {
        matches(&self.namespace, namespace) && self.has(other)
    }

    fn has(&self, other: &Origin) -> bool {
        let Origin { secure, host, port } = &self.origin;
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
        let expected = "expected NAMESPACE=ENDPOINT: a pattern with * and ?, and a host, a suffix like \
                        .vpce.amazonaws.com, or http://host:port";
        let (namespace, endpoint) =
            text.split_once('=').filter(|(namespace, _)| !namespace.is_empty()).ok_or(expected)?;
        let url = if endpoint.contains("://") { endpoint.to_owned() } else { format!("https://{endpoint}") };
        let origin = Origin::parse(&url).ok_or(expected)?;
        Ok(Self { namespace: namespace.to_owned(), origin })
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

    fn rules(endpoints: &[&str]) -> Rules {
        Rules { endpoints: endpoints.iter().map(|text| text.parse().unwrap()).collect(), ..Rules::default() }
    }

    #[test]
    fn an_endpoint_matches_an_exact_host_or_a_suffix() {
        let rules = rules(&["a=glue.example.com", "a*=.vpce.amazonaws.com", "?=http://127.0.0.1:4566"]);
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
            assert_eq!(rules.allowed_endpoint("a", url).is_some(), is_allowed, "{url}");
        }
        assert_eq!(rules.allowed_endpoint("a", "https://GLUE.example.com/").unwrap(), "https://glue.example.com");
        assert!(Rules::default().allowed_endpoint("a", "https://glue.example.com").is_none());
        assert!(rules.allowed_receiver("a", "https://glue.example.com").is_none(), "a list of its own");
        let receivers = Rules { receivers: rules.endpoints.clone(), ..Rules::default() };
        assert!(receivers.allowed_receiver("a", "https://glue.example.com").is_some());
        assert!(receivers.allowed_receiver("b", "https://glue.example.com").is_none());
        for (namespace, is_allowed) in [("a", true), ("ab", true), ("b", false), ("", false)] {
            let url = "https://vpce-1.glue.eu-west-1.vpce.amazonaws.com";
            assert_eq!(rules.allowed_endpoint(namespace, url).is_some(), is_allowed, "{namespace}");
        }
        for bad in ["", "a", "=a", "a=", "a=ftp://a", "a=https://a/b", "a=a b", "a=a@b"] {
            assert!(bad.parse::<AllowedEndpoint>().is_err(), "{bad}");
        }
    }
}
