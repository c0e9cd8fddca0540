//! Resolves the AWS identity of an object from its fields, the data of its Secret and the operator's rules.
//!
//! [`resolve`] is pure, and the only code that decides it:
//!
//! | the object names | the Secret | credentials |
//! |---|---|---|
//! | a profile | is not used | the controller's profile, where [`Rules::profiles`] allows it |
//! | a Secret | does not exist | none: the error names the Secret |
//! | a Secret, or none | the named or else the default one has keys | those keys |
//! | a role, or its Secret does | has no keys | the controller's own, where [`Rules::controller_identity_namespaces`] has the namespace |
//! | nothing | the default one does not exist | the same |
//!
//! With a role, these credentials assume the role, where [`Rules::roles`] allows it. Endpoints come from the Secret, where
//! [`Rules::endpoints`] allows them, and only together with its keys.

mod allowed_endpoint;
mod caller_identity;
mod credentials;
mod error;
mod provenance;
mod refused_arguments;
mod region;
mod role;
mod rules;
mod secret;
mod validation;

pub use self::allowed_endpoint::AllowedEndpoint;
pub use self::caller_identity::{Acceptance, CallerIdentity};
pub use self::credentials::{CredentialSource, Keys};
use self::error::check;
pub use self::error::{IdentityError, Setting};
pub use self::provenance::{CredentialOrigin, Provenance};
pub use self::refused_arguments::{CODE_ARGUMENTS, RefusedArguments};
pub(crate) use self::region::partition_of;
pub use self::region::{ENDPOINT_SETTINGS, Endpoints};
use self::role::RequestedRole;
pub use self::role::Role;
#[cfg(test)]
use self::role::{KIND_TAG, NAMESPACE_TAG};
pub use self::rules::{Grant, MOST_IDENTITIES, Rules};
pub use self::secret::SecretData;
use self::secret::SecretView;
pub(crate) use self::validation::is_header_value;
use crate::api::credentials::Credentials;
pub use crate::redaction::Sensitive;

/// Everything that makes two clients different. Equal identities share one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The region's name.
    pub region: String,
    /// What signs the calls, or assumes the role.
    pub source: CredentialSource,
    /// The role to assume.
    pub role: Option<Role>,
    /// Custom endpoints.
    pub endpoints: Endpoints,
}

/// What an identity is resolved from.
#[derive(Clone, Copy, Debug)]
pub struct ResolveInput<'a> {
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's kind, for the session tag.
    pub kind: &'a str,
    /// The object's region.
    pub region: Option<&'a str>,
    /// The object's credentials.
    pub credentials: &'a Credentials,
    /// The name of the object's Secret, or else of the default one.
    pub secret_name: &'a str,
    /// The data of that Secret; `None` where it does not exist.
    pub secret: Option<&'a SecretData>,
    /// The controller's region.
    pub default_region: Option<&'a str>,
}

#[cfg(test)]
impl<'a> ResolveInput<'a> {
    /// An object in namespace a, which has no Secret.
    pub(crate) fn example(credentials: &'a Credentials) -> Self {
        Self {
            namespace: "a",
            kind: "GlueJobRun",
            region: None,
            credentials,
            secret_name: "s",
            secret: None,
            default_region: Some("eu-west-1"),
        }
    }
}

/// The identity of an object, and where its credentials come from.
pub fn resolve(input: &ResolveInput<'_>, rules: &Rules) -> Result<(Identity, Provenance), IdentityError> {
    let secret_name = format!("{}/{}", input.namespace, input.secret_name);
    let has_profile = input.credentials.profile.is_some();
    let names_secret = input.credentials.secret_name.is_some();
    if names_secret && input.secret.is_none() && !has_profile {
        return Err(IdentityError::SecretNotFound { secret: secret_name });
    }
    let secret = SecretView { name: &secret_name, data: input.secret.filter(|_| !has_profile) };
    let role = role::role(input, &secret, rules)?;
    let source = credentials::source(input, &secret, role.as_ref(), rules)?;
    let region = region::region(input, &secret)?;
    if let Some(requested) = &role {
        let RequestedRole { role, arn_setting, .. } = requested;
        check(arn_setting, validation::same_partition(&role.arn, &region))?;
        let with_own_keys = matches!(source, CredentialSource::Keys(_));
        if !with_own_keys {
            requested.check_attribution(input.namespace)?;
        }
        if !rules.allows_role(input.namespace, &role.arn, with_own_keys) {
            return Err(IdentityError::RoleNotAllowed {
                namespace: input.namespace.to_owned(),
                arn: role.arn.clone(),
                with_controller_credentials: !with_own_keys,
            });
        }
    }
    let endpoints = region::endpoints(input.namespace, &secret, &source, rules)?;
    let (role, arn_setting) = role.map(|requested| (requested.role, requested.arn_setting)).unzip();
    let provenance = Provenance::new(&source, &secret_name, arn_setting);
    Ok((Identity { region, source, role, endpoints }, provenance))
}

#[cfg(test)]
mod tests;
