//! The host that an address names. What may be a part of credentials is never taken for one.

/// A host, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// Its name or address; that of IPv6 has its brackets.
    pub name: String,
    /// Its port, where the address names one.
    pub port: Option<String>,
}

impl Host {
    /// `host:port`, with this port where the address names none.
    pub(super) fn with_port(&self, port: &str) -> String {
        format!("{}:{}", self.name, self.port.as_deref().unwrap_or(port))
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        self.port.as_ref().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The first host of `[user:password@]host[:port][,...][/path][?parameters]`.
///
/// A password can contain what ends a host. So an `@` after that, other than in the value of a parameter, leaves open what
/// the host is: then there is none.
#[must_use]
pub(super) fn first(address: &str) -> Option<Host> {
    let end = address.find(['/', '?', ';', '\\', '#']).unwrap_or(address.len());
    let (authority, rest) = address.split_at_checked(end)?;
    if rest.split('=').next().is_some_and(|rest| rest.contains('@')) {
        return None;
    }
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let first = hosts.split(',').next()?.trim().to_ascii_lowercase();
    let (name, port) = match first.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (first.as_str(), None),
    };
    let is_number = |port: &str| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_host = match inner {
        Some(inner) => inner.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.')),
        None => name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')),
    };
    let is_whole = !name.is_empty() && is_host && port.is_none_or(is_number);
    is_whole.then(|| Host { name: name.to_owned(), port: port.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_host_is_found_and_no_part_of_credentials_is_taken_for_it() {
        for (address, host) in [
            ("db", Some("db")),
            ("DB.example.com:5432", Some("db.example.com:5432")),
            ("a:1,b:2/shop", Some("a:1")),
            ("[::1]:5432/shop", Some("[::1]:5432")),
            ("[::1]", Some("[::1]")),
            ("db\\instance:1433", Some("db")),
            ("user:pw@db:5432/shop?x=y", Some("db:5432")),
            ("user:p,w@db/shop", Some("db")),
            ("user:p@w@db/shop", Some("db")),
            ("db/shop?user=u&password=P@ss", Some("db")),
            ("user:p/w@db/shop", None),
            ("user:1234/w@db/shop", None),
            ("user:1234?w@db/shop", None),
            ("user:p@w/x@db/shop", None),
            ("user:pw", None),
            ("", None),
            (":5432", None),
            ("a b", None),
            ("(DESCRIPTION", None),
        ] {
            assert_eq!(first(address).map(|host| host.to_string()).as_deref(), host, "{address}");
        }
    }
}
