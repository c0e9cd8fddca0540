//! Who we are to AWS: worked out from a Secret's data and the object's own words, by a pure function.

use std::collections::BTreeMap;
use std::fmt;

/// Text that no log, event, status or error ever shows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sensitive(String);

impl Sensitive {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that signs with it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Keys {
    /// Its id; not secret by itself, and shown nowhere all the same.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Sensitive,
    /// The token of temporary keys.
    pub session_token: Option<Sensitive>,
}

/// A role to assume.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// What the role's trust policy asks of third parties.
    pub external_id: Option<String>,
    /// Names the session in AWS's own logs.
    pub session_name: String,
    /// Who is behind the session, in AWS's own logs.
    pub source_identity: Option<String>,
}

/// Everything that makes two clients different. Equal identities share one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The region.
    pub region: String,
    /// `None`: the controller's own credentials.
    pub keys: Option<Keys>,
    /// The role assumed with them.
    pub role: Option<Role>,
}

/// Why no identity could be worked out. Each says what is missing and where to put it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The Secret lacks a key.
    #[error("Secret {secret} has no key {key}: add it (its keys are named as AWS names them)")]
    MissingKey {
        /// `namespace/name`.
        secret: String,
        /// The key.
        key: &'static str,
    },
    /// A value cannot be used as it stands.
    #[error("key {key} of Secret {secret} {problem}")]
    BadValue {
        /// `namespace/name`.
        secret: String,
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Nobody said which region.
    #[error("no region: set spec.region, or AWS_REGION in Secret {secret}, or the controller's default region")]
    NoRegion {
        /// `namespace/name`.
        secret: String,
    },
    /// Nobody said which region, and there is no Secret either.
    #[error("no region: set spec.region, or the controller's default region")]
    NoOwnRegion,
}

impl IdentityError {
    /// The reason of the condition that says it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MissingKey { .. } | Self::BadValue { .. } => "SecretInvalid",
            Self::NoRegion { .. } | Self::NoOwnRegion => "RegionMissing",
        }
    }
}

/// The session name when nobody gave one.
const SESSION_NAME: &str = "kube-glue";

/// The identity that the Secret `secret` (`namespace/name`) holds in `data`.
///
/// Regions: the object's own, else the Secret's, else the controller's default.
pub fn from_secret(
    secret: &str,
    data: &BTreeMap<String, Vec<u8>>,
    region: Option<&str>,
    default_region: Option<&str>,
) -> Result<Identity, IdentityError> {
    let value = |key: &'static str| text(secret, data, key);
    let required =
        |key: &'static str| value(key)?.ok_or_else(|| IdentityError::MissingKey { secret: secret.to_owned(), key });
    let keys = Keys {
        access_key_id: required("AWS_ACCESS_KEY_ID")?,
        secret_access_key: Sensitive::new(required("AWS_SECRET_ACCESS_KEY")?),
        session_token: value("AWS_SESSION_TOKEN")?.map(Sensitive::new),
    };
    let role = match value("AWS_ROLE_ARN")? {
        None => None,
        Some(arn) => Some(Role {
            arn,
            external_id: value("AWS_EXTERNAL_ID")?,
            session_name: value("AWS_ROLE_SESSION_NAME")?.unwrap_or_else(|| SESSION_NAME.to_owned()),
            source_identity: value("AWS_SOURCE_IDENTITY")?,
        }),
    };
    let region = match region {
        Some(region) => region.to_owned(),
        None => region_of_secret(secret, value("AWS_REGION")?)?
            .or_else(|| default_region.map(str::to_owned))
            .ok_or_else(|| IdentityError::NoRegion { secret: secret.to_owned() })?,
    };
    Ok(Identity { region, keys: Some(keys), role })
}

/// The region that a Secret names, held to what `spec.region` is held to: it becomes part of a host's name.
fn region_of_secret(secret: &str, region: Option<String>) -> Result<Option<String>, IdentityError> {
    let is_word = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) && !word.is_empty();
    match region {
        Some(region) if !region.contains('-') || region.len() > 32 || !region.split('-').all(is_word) => {
            Err(IdentityError::BadValue {
                secret: secret.to_owned(),
                key: "AWS_REGION".to_owned(),
                problem: "is not the name of a region, such as eu-west-1",
            })
        }
        region => Ok(region),
    }
}

/// The controller's own identity, in the object's region or else the controller's.
pub fn own(region: Option<&str>, default_region: Option<&str>) -> Result<Identity, IdentityError> {
    let region = region.or(default_region).ok_or(IdentityError::NoOwnRegion)?.to_owned();
    Ok(Identity { region, keys: None, role: None })
}

/// A value as text. Blanks around it are almost always a slip of `echo` or an editor, and AWS would
/// answer with a signature error that names no cause: so it is said here.
fn text(secret: &str, data: &BTreeMap<String, Vec<u8>>, key: &'static str) -> Result<Option<String>, IdentityError> {
    let bad = |problem| IdentityError::BadValue { secret: secret.to_owned(), key: key.to_owned(), problem };
    let Some(bytes) = data.get(key) else {
        return Ok(None);
    };
    let text =
        std::str::from_utf8(bytes).map_err(|_| bad("is not text: store the value itself, base64-encoded once"))?;
    if text.is_empty() {
        return Err(bad("is empty: fill it, or remove the key"));
    }
    if text.trim() != text {
        return Err(bad("begins or ends with white space or a line end: store it without (printf, not echo)"));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(bad("contains white space or control characters: store the value as AWS gave it"));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect()
    }

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "hush")];

    #[test]
    fn the_region_is_the_objects_then_the_secrets_then_the_controllers() {
        let with = |extra: &[(&str, &str)], own, default| {
            from_secret("a/s", &data(&[&KEYS, extra].concat()), own, default).map(|identity| identity.region)
        };
        assert_eq!(with(&[("AWS_REGION", "b-1")], Some("a"), Some("c")).unwrap(), "a");
        assert_eq!(with(&[("AWS_REGION", "b-1")], None, Some("c")).unwrap(), "b-1");
        assert_eq!(with(&[], None, Some("c")).unwrap(), "c");
        for wrong in ["Ireland", "eu-west-1/", "a.b-c", "eu--west", "euwest"] {
            let error = with(&[("AWS_REGION", wrong)], None, Some("c")).unwrap_err().to_string();
            assert!(error.contains("key AWS_REGION of Secret a/s is not the name of a region"), "{error}");
        }
        assert_eq!(with(&[], None, None), Err(IdentityError::NoRegion { secret: "a/s".to_owned() }));
    }

    #[test]
    fn what_is_wrong_with_a_secret_names_its_key_and_the_remedy() {
        for (pairs, words) in [
            (&[("AWS_ACCESS_KEY_ID", "AKIA1")][..], "Secret a/s has no key AWS_SECRET_ACCESS_KEY: add it"),
            (&[("AWS_ACCESS_KEY_ID", ""), KEYS[1]], "key AWS_ACCESS_KEY_ID of Secret a/s is empty"),
            (&[KEYS[0], ("AWS_SECRET_ACCESS_KEY", "hush\n")], "begins or ends with white space or a line end"),
            (&[KEYS[0], ("AWS_SECRET_ACCESS_KEY", "hu sh")], "contains white space or control characters"),
        ] {
            let error = from_secret("a/s", &data(pairs), Some("r"), None).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert!(!error.contains("hush") && !error.contains("hu sh"), "{error}");
        }
        let binary = BTreeMap::from([("AWS_ACCESS_KEY_ID".to_owned(), vec![0xff, 0xfe])]);
        assert!(from_secret("a/s", &binary, Some("r"), None).unwrap_err().to_string().contains("is not text"));
    }

    #[test]
    fn two_external_ids_are_two_identities() {
        let role = |id| {
            let pairs = [&KEYS[..], &[("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"), ("AWS_EXTERNAL_ID", id)]].concat();
            from_secret("a/s", &data(&pairs), Some("r"), None).unwrap()
        };
        assert_ne!(role("x"), role("y"));
        assert_eq!(role("x"), role("x"));
    }

    #[test]
    fn debug_output_hides_secrets() {
        let pairs = [&KEYS[..], &[("AWS_SESSION_TOKEN", "quiet")]].concat();
        let shown = format!("{:?}", from_secret("a/s", &data(&pairs), Some("r"), None).unwrap());
        assert!(!shown.contains("hush") && !shown.contains("quiet"), "{shown}");
    }
}
