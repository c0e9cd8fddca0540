//! The role to assume, and the parameters of its session.

use super::secret::SecretView;
use super::{IdentityError, ResolveInput, Rules, Setting, check, validation};

/// The session tag with the object's namespace.
pub const NAMESPACE_TAG: &str = "kube-glue-namespace";
/// The session tag with the object's kind.
pub const KIND_TAG: &str = "kube-glue-kind";

/// A role, and the other parameters of STS's `AssumeRole`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// The role's ARN.
    pub arn: String,
    /// The external id that the role's trust policy may require.
    pub external_id: Option<String>,
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
    let (session_name, _) =
        parameter(fields.session_name, "assumeRole.sessionName", "AWS_ROLE_SESSION_NAME", validation::session_name)?;
    let (source_identity, _) = parameter(
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
    // STS allows 64 characters, and a namespace has up to 63.
    let default_name = || format!("kube-glue-{}", input.namespace).chars().take(64).collect();
    let session_name = session_name.unwrap_or_else(default_name);
    let role = Role { arn, external_id, session_name, source_identity, tags, controller_tags, duration };
    Ok(Some(RequestedRole { role, arn_setting }))
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
