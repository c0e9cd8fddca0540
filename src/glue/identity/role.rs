//! The role to assume, and the parameters of its session.

use sha2::{Digest, Sha256};

use super::secret::SecretView;
use super::{IdentityError, ResolveInput, Rules, Sensitive, Setting, check, validation};

/// The session tag with the object's namespace.
pub const NAMESPACE_TAG: &str = "kube-glue-namespace";
/// The session tag with the object's kind.
pub const KIND_TAG: &str = "kube-glue-kind";

/// What the names of the controller's sessions begin with. The namespace follows.
const SESSION_PREFIX: &str = "kube-glue-";
/// The most characters of the name of a session.
const MAX_SESSION_NAME: usize = 64;

/// A role, and the other parameters of STS's `AssumeRole`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// The role's ARN.
    pub arn: String,
    /// The external id that the role's trust policy may require.
    pub external_id: Option<Sensitive>,
    /// The name of the session in CloudTrail.
    pub session_name: String,
    /// The source identity of the session in CloudTrail.
    pub source_identity: Option<String>,
    /// The object's session tags.
    pub tags: Vec<(String, String)>,
    /// The controller's session tags. They are transitive: a role that is assumed from this one inherits them.
    pub controller_tags: Vec<(&'static str, String)>,
    /// Seconds; STS's default is an hour.
    pub duration: Option<i32>,
}

impl Role {
    /// The account of the role, which is also that of its sessions.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.arn.split(':').nth(4).filter(|account| !account.is_empty())
    }
}

/// A role, and the setting with its ARN.
pub(super) struct RequestedRole {
    pub role: Role,
    pub arn_setting: Setting,
    /// The setting with the session's name, where there is one.
    session_name: Option<Setting>,
    /// The setting with the source identity, where there is one.
    source_identity: Option<Setting>,
}

impl RequestedRole {
    /// With the controller's credentials, CloudTrail tells one namespace from another by what the controller sets: a
    /// namespace can neither take the session name of another one nor claim to act for somebody.
    pub(super) fn check_attribution(&self, namespace: &str) -> Result<(), IdentityError> {
        if let Some(setting) = &self.source_identity {
            let problem = "cannot be set with the controller's credentials: the controller does not know who acts through \
                           it; remove it, or use keys of the namespace";
            check(setting, Err(problem))?;
        }
        let name = &self.role.session_name;
        let is_reserved = name.to_ascii_lowercase().starts_with(SESSION_PREFIX) && *name != session_name(namespace);
        match &self.session_name {
            Some(setting) if is_reserved => {
                let problem = "begins with kube-glue-, which names the sessions of other namespaces when the controller's \
                               credentials assume the role: choose another name, or leave it out";
                check(setting, Err(problem))
            }
            _ => Ok(()),
        }
    }
}

/// The name of a session of this namespace, where none is chosen. Two namespaces have two names: one that is too long for
/// STS ends with a part of its hash.
fn session_name(namespace: &str) -> String {
    let name = format!("{SESSION_PREFIX}{namespace}");
    if name.len() <= MAX_SESSION_NAME {
        return name;
    }
    let hash = Sha256::digest(namespace.as_bytes());
    let hash = hash.iter().take(4).fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let kept = name.floor_char_boundary(MAX_SESSION_NAME - hash.len() - 1);
    format!("{}-{hash}", &name[..kept])
}

/// The role of the object or of its Secret. Each parameter comes from the object, or else from the Secret.
pub(super) fn role(
    input: &ResolveInput<'_>,
    secret: &SecretView<'_>,
    rules: &Rules,
) -> Result<Option<RequestedRole>, IdentityError> {
    let fields = input.credentials.assume_role.clone().unwrap_or_default();
    let parameter =
        |own: Option<String>, field: &'static str, key: &'static str, validate: fn(&str) -> validation::Check| {
            let (value, setting) = match own {
                Some(own) => (Some(own), Setting::Field(field)),
                None => (secret.text(key)?, secret.setting(key)),
            };
            value.as_deref().map_or(Ok(()), |value| check(&setting, validate(value)))?;
            Ok((value, setting))
        };
    let (arn, arn_setting) = parameter(fields.role_arn, "assumeRole.roleArn", "AWS_ROLE_ARN", validation::role_arn)?;
    let Some(arn) = arn else {
        return if input.credentials.assume_role.is_some() {
            Err(IdentityError::NoRole { secret: secret.name.to_owned() })
        } else {
            Ok(None)
        };
    };
    let (external_id, _) =
        parameter(fields.external_id, "assumeRole.externalId", "AWS_EXTERNAL_ID", validation::external_id)?;
    let (session_name, name_setting) =
        parameter(fields.session_name, "assumeRole.sessionName", "AWS_ROLE_SESSION_NAME", validation::session_name)?;
    let (source_identity, source_setting) = parameter(
        fields.source_identity,
        "assumeRole.sourceIdentity",
        "AWS_SOURCE_IDENTITY",
        validation::session_name,
    )?;
    let duration = fields.duration_seconds;
    duration.map_or(Ok(()), |seconds| {
        check(&Setting::Field("assumeRole.durationSeconds"), validation::duration(seconds))
    })?;
    let tags: Vec<_> = fields.session_tags.unwrap_or_default().into_iter().collect();
    let controller_tags = controller_tags(input, rules);
    check_tags(&tags, controller_tags.len())?;
    let name_setting = session_name.is_some().then_some(name_setting);
    let source_setting = source_identity.is_some().then_some(source_setting);
    let session_name = session_name.unwrap_or_else(|| self::session_name(input.namespace));
    let external_id = external_id.map(Sensitive::new);
    let role = Role { arn, external_id, session_name, source_identity, tags, controller_tags, duration };
    Ok(Some(RequestedRole { role, arn_setting, session_name: name_setting, source_identity: source_setting }))
}

fn controller_tags(input: &ResolveInput<'_>, rules: &Rules) -> Vec<(&'static str, String)> {
    if rules.session_tags {
        vec![(NAMESPACE_TAG, input.namespace.to_owned()), (KIND_TAG, input.kind.to_owned())]
    } else {
        Vec::new()
    }
}

fn check_tags(tags: &[(String, String)], controller_tags: usize) -> Result<(), IdentityError> {
    let setting = Setting::Field("assumeRole.sessionTags");
    if tags.len() + controller_tags > validation::MAX_TAGS {
        return check(&setting, Err("has too many tags: STS allows 50, including those of the controller"));
    }
    for (n, (key, value)) in tags.iter().enumerate() {
        check(&setting, validation::tag_key(key))?;
        check(&setting, validation::tag_value(value))?;
        if tags[..n].iter().any(|(other, _)| other.to_lowercase() == key.to_lowercase()) {
            return check(&setting, Err("has two keys that differ only in case: STS treats them as one"));
        }
    }
    Ok(())
}
