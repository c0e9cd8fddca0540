//! Who we are to AWS: worked out by a pure function from what the object says, what its Secret holds, and
//! what the operator admits.
//!
//! [`resolve`] is the one place that decides it:
//!
//! | the object names | the Secret | credentials |
//! |---|---|---|
//! | a profile | not looked at | the controller's profile, where [`Rules::profiles`] has it |
//! | a Secret | is not there | none: the message names it |
//! | a Secret, or none | the named one, else the default one, has keys | those keys |
//! | a role, or its Secret does | has no keys | the controller's own, where [`Rules::own_identity`] has the namespace |
//! | nothing | there is no default Secret | the same |
//!
//! With a role on top they are what the role is assumed with, where [`Rules::roles`] has it.

mod caller;
mod provenance;
mod rules;
mod secret;
mod validation;

use std::fmt;

pub use self::caller::Caller;
pub use self::provenance::Provenance;
pub use self::rules::{AllowedEndpoint, Grant, Rules};
pub use self::secret::SecretData;
use self::secret::SecretView;
use crate::api::credentials::Credentials;

/// A secret shorter than this is not looked for in messages: it would be found in every other word.
const SHORTEST_SECRET: usize = 4;

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

    /// `text` without any of `secrets`; the longest first, since one may stand within another.
    #[must_use]
    pub fn redact(text: &str, secrets: &[Self]) -> String {
        let mut secrets: Vec<_> = secrets.iter().map(Self::expose).filter(|one| one.len() >= SHORTEST_SECRET).collect();
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[hidden]"))
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
    pub access_key_id: Sensitive,
    /// Its secret.
    pub secret_access_key: Sensitive,
    /// The token of temporary keys.
    pub session_token: Option<Sensitive>,
}

/// Whose credentials sign, or assume the role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Those of a Secret.
    Keys(Keys),
    /// The controller's own, as its environment gives them.
    Own,
    /// A profile of the controller's AWS configuration.
    Profile(String),
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
    /// The tags of the object.
    pub tags: Vec<(String, String)>,
    /// The tags of the controller. They are transitive: a role that is assumed from this one has them too.
    pub our_tags: Vec<(&'static str, String)>,
    /// How long a session lasts, in seconds; STS's default is an hour.
    pub duration: Option<i32>,
}

/// Where AWS is, when not where the controller's own configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Endpoints {
    /// Glue's URL.
    pub glue: Option<String>,
    /// STS's URL.
    pub sts: Option<String>,
}

/// Everything that makes two clients different. Equal identities share one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The region.
    pub region: String,
    /// Whose credentials.
    pub source: Source,
    /// The role assumed with them.
    pub role: Option<Role>,
    /// Where AWS is.
    pub endpoints: Endpoints,
}

/// What an object asks for, and what is there for it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's kind.
    pub kind: &'a str,
    /// The object's own region.
    pub region: Option<&'a str>,
    /// The object's own words.
    pub credentials: &'a Credentials,
    /// The name of the Secret: the object's, else the default one.
    pub secret_name: &'a str,
    /// What stands in it; nothing when there is no such Secret.
    pub secret: Option<&'a SecretData>,
    /// The controller's region.
    pub default_region: Option<&'a str>,
}

/// Why no identity could be worked out. Each says what is missing or not admitted, and where to put it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The object names a Secret that is not there.
    #[error("Secret {secret} does not exist: create it with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    NoSecret {
        /// `namespace/name`.
        secret: String,
    },
    /// There are no credentials, and the controller's own are not for this namespace.
    #[error(
        "no credentials for namespace {namespace}: create Secret {secret} with the keys AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, or name another Secret in spec.credentials.secretName (the controller's own \
         identity is not allowed for this namespace)"
    )]
    NoCredentials {
        /// The namespace.
        namespace: String,
        /// `namespace/name`.
        secret: String,
    },
    /// The Secret lacks a key.
    #[error("Secret {secret} has no key {key}: add it (its keys are named as AWS names them{hint})")]
    MissingKey {
        /// `namespace/name`.
        secret: String,
        /// The key.
        key: &'static str,
        /// What may be meant.
        hint: String,
    },
    /// A value cannot be used as it stands.
    #[error("{place} {problem}")]
    BadValue {
        /// A field, or a key of a Secret.
        place: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// How to assume a role is said, and not which.
    #[error("spec.credentials.assumeRole names no role: set roleArn there, or AWS_ROLE_ARN in Secret {secret}")]
    NoRole {
        /// `namespace/name`.
        secret: String,
    },
    /// The operator's list of roles does not have it.
    #[error(
        "namespace {namespace} may not assume role {arn}{with}: the operator of kube-glue lists the roles of each \
         namespace (--allowed-roles)"
    )]
    RoleNotAllowed {
        /// The namespace.
        namespace: String,
        /// The role.
        arn: String,
        /// With whose credentials, where that matters.
        with: &'static str,
    },
    /// The operator's list of profiles does not have it.
    #[error(
        "namespace {namespace} may not use profile {profile}: the operator of kube-glue lists the profiles of each \
         namespace (--allowed-profiles)"
    )]
    ProfileNotAllowed {
        /// The namespace.
        namespace: String,
        /// The profile.
        profile: String,
    },
    /// The operator's list of endpoints does not have it.
    #[error(
        "{place} is not allowed: the operator of kube-glue lists the endpoints that a Secret may name \
         (--allowed-endpoints); remove the key to use the usual one"
    )]
    EndpointNotAllowed {
        /// A key of a Secret.
        place: String,
    },
    /// Nobody said which region.
    #[error("no region: set spec.region, or AWS_REGION in Secret {secret}, or the controller's default region")]
    NoRegion {
        /// `namespace/name`.
        secret: String,
    },
}

impl IdentityError {
    /// The reason of the condition that says it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoSecret { .. } => "SecretNotFound",
            Self::NoCredentials { .. } => "CredentialsMissing",
            Self::MissingKey { .. } | Self::BadValue { .. } => "SecretInvalid",
            Self::NoRole { .. } => "RoleMissing",
            Self::RoleNotAllowed { .. } => "RoleNotAllowed",
            Self::ProfileNotAllowed { .. } => "ProfileNotAllowed",
            Self::EndpointNotAllowed { .. } => "EndpointNotAllowed",
            Self::NoRegion { .. } => "RegionMissing",
        }
    }
}

/// The tag that names an object's namespace.
pub const NAMESPACE_TAG: &str = "kube-glue-namespace";
/// The tag that names an object's kind.
pub const KIND_TAG: &str = "kube-glue-kind";

/// As whom the object talks to AWS, and where that comes from.
pub fn resolve(request: &Request<'_>, rules: &Rules) -> Result<(Identity, Provenance), IdentityError> {
    let secret = format!("{}/{}", request.namespace, request.secret_name);
    let by_profile = request.credentials.profile.is_some();
    let named = request.credentials.secret_name.is_some();
    if named && request.secret.is_none() && !by_profile {
        return Err(IdentityError::NoSecret { secret });
    }
    let holder = SecretView { name: &secret, data: request.secret.filter(|_| !by_profile) };
    let role = role(request, &holder, rules)?;
    let source = source(request, &holder, role.as_ref(), rules)?;
    let region = region(request, &holder)?;
    if let Some((role, place)) = &role {
        check(place, validation::same_partition(&role.arn, &region))?;
        let with_own_keys = matches!(source, Source::Keys(_));
        if !rules.allows_role(request.namespace, &role.arn, with_own_keys) {
            let with = if with_own_keys { "" } else { " with the controller's credentials" };
            let (namespace, arn) = (request.namespace.to_owned(), role.arn.clone());
            return Err(IdentityError::RoleNotAllowed { namespace, arn, with });
        }
    }
    let endpoints = endpoints(&holder, rules)?;
    let (role, place) = role.unzip();
    let provenance = Provenance::new(&source, &secret, place);
    Ok((Identity { region, source, role, endpoints }, provenance))
}

fn source(
    request: &Request<'_>,
    holder: &SecretView<'_>,
    role: Option<&(Role, String)>,
    rules: &Rules,
) -> Result<Source, IdentityError> {
    let namespace = request.namespace;
    if let Some(profile) = &request.credentials.profile {
        return if rules.allows_profile(namespace, profile) {
            Ok(Source::Profile(profile.clone()))
        } else {
            Err(IdentityError::ProfileNotAllowed { namespace: namespace.to_owned(), profile: profile.clone() })
        };
    }
    // A Secret without keys says how to assume a role, and leaves it open with what.
    let keys = if role.is_some() { holder.keys()? } else { holder.required_keys()? };
    match keys {
        Some(keys) => Ok(Source::Keys(keys)),
        None if rules.allows_own_identity(namespace) => Ok(Source::Own),
        None => Err(IdentityError::NoCredentials { namespace: namespace.to_owned(), secret: holder.name.to_owned() }),
    }
}

/// The role to assume, and the place that named it.
fn role(
    request: &Request<'_>,
    holder: &SecretView<'_>,
    rules: &Rules,
) -> Result<Option<(Role, String)>, IdentityError> {
    let asked = request.credentials.assume_role.clone().unwrap_or_default();
    // The object's own word, else the Secret's; whoever said it, it is held against STS's rules.
    let said = |own: Option<String>, field: &str, key: &'static str, fits: fn(&str) -> validation::Check| {
        let (value, place) = match own {
            Some(own) => (Some(own), format!("spec.credentials.assumeRole.{field}")),
            None => (holder.text(key)?, holder.place(key)),
        };
        value.as_deref().map_or(Ok(()), |value| check(&place, fits(value)))?;
        Ok((value, place))
    };
    let (arn, place) = said(asked.role_arn, "roleArn", "AWS_ROLE_ARN", validation::role_arn)?;
    let Some(arn) = arn else {
        return if request.credentials.assume_role.is_some() {
            Err(IdentityError::NoRole { secret: holder.name.to_owned() })
        } else {
            Ok(None)
        };
    };
    let (external_id, _) = said(asked.external_id, "externalId", "AWS_EXTERNAL_ID", validation::external_id)?;
    let (session_name, _) = said(asked.session_name, "sessionName", "AWS_ROLE_SESSION_NAME", validation::session_name)?;
    let (source_identity, _) =
        said(asked.source_identity, "sourceIdentity", "AWS_SOURCE_IDENTITY", validation::session_name)?;
    let duration = asked.duration_seconds;
    duration.map_or(Ok(()), |seconds| {
        check("spec.credentials.assumeRole.durationSeconds", validation::duration(seconds))
    })?;
    let tags: Vec<_> = asked.session_tags.unwrap_or_default().into_iter().collect();
    let our_tags = our_tags(request, rules);
    check_tags(&tags, our_tags.len())?;
    // 64 characters at most, and a namespace has up to 63.
    let named_after = || format!("kube-glue-{}", request.namespace).chars().take(64).collect();
    let session_name = session_name.unwrap_or_else(named_after);
    let role = Role { arn, external_id, session_name, source_identity, tags, our_tags, duration };
    Ok(Some((role, place)))
}

fn our_tags(request: &Request<'_>, rules: &Rules) -> Vec<(&'static str, String)> {
    if rules.session_tags {
        vec![(NAMESPACE_TAG, request.namespace.to_owned()), (KIND_TAG, request.kind.to_owned())]
    } else {
        Vec::new()
    }
}

fn check_tags(tags: &[(String, String)], ours: usize) -> Result<(), IdentityError> {
    let place = "spec.credentials.assumeRole.sessionTags";
    if tags.len() + ours > validation::MAX_TAGS {
        return check(place, Err("has too many tags: STS admits 50, those of the controller included"));
    }
    for (n, (key, value)) in tags.iter().enumerate() {
        check(place, validation::tag_key(key))?;
        check(place, validation::tag_value(value))?;
        if tags[..n].iter().any(|(other, _)| other.to_lowercase() == key.to_lowercase()) {
            return check(place, Err("has two keys that differ in capitals only: to STS they are one"));
        }
    }
    Ok(())
}

/// The object's own region, else the Secret's, else the controller's.
fn region(request: &Request<'_>, holder: &SecretView<'_>) -> Result<String, IdentityError> {
    if let Some(region) = request.region {
        return Ok(region.to_owned());
    }
    if let Some(region) = holder.text("AWS_REGION")? {
        check(&holder.place("AWS_REGION"), validation::region(&region))?;
        return Ok(region);
    }
    let default = request.default_region.map(str::to_owned);
    default.ok_or_else(|| IdentityError::NoRegion { secret: holder.name.to_owned() })
}

fn endpoints(holder: &SecretView<'_>, rules: &Rules) -> Result<Endpoints, IdentityError> {
    let admitted = |key: &'static str| match holder.text(key)? {
        None => Ok(None),
        Some(url) => match rules.admitted_endpoint(&url) {
            Some(url) => Ok(Some(url)),
            None => Err(IdentityError::EndpointNotAllowed { place: holder.place(key) }),
        },
    };
    let both = admitted("AWS_ENDPOINT_URL")?;
    let (glue, sts) = (admitted("AWS_ENDPOINT_URL_GLUE")?, admitted("AWS_ENDPOINT_URL_STS")?);
    Ok(Endpoints { glue: glue.or_else(|| both.clone()), sts: sts.or(both) })
}

fn check(place: &str, check: validation::Check) -> Result<(), IdentityError> {
    check.map_err(|problem| IdentityError::BadValue { place: place.to_owned(), problem })
}

/// The partition of a region, as far as it matters.
#[must_use]
pub fn partition_of(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests;
