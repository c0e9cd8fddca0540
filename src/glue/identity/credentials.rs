//! The credentials that sign the calls, or assume the role.

use super::role::RequestedRole;
use super::secret::SecretView;
use super::{IdentityError, ResolveInput, Rules, Sensitive};

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Keys {
    /// The key id. It is no secret, and not shown either.
    pub access_key_id: Sensitive,
    /// The secret key.
    pub secret_access_key: Sensitive,
    /// The token of a temporary key.
    pub session_token: Option<Sensitive>,
}

/// Where the credentials come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CredentialSource {
    /// The keys of a Secret.
    Keys(Keys),
    /// The controller's own credentials, from its environment.
    Controller,
    /// A profile of the controller's AWS configuration.
    Profile(String),
}

pub(super) fn source(
    input: &ResolveInput<'_>,
    secret: &SecretView<'_>,
    role: Option<&RequestedRole>,
    rules: &Rules,
) -> Result<CredentialSource, IdentityError> {
    let namespace = input.namespace;
    if let Some(profile) = &input.credentials.profile {
        return if rules.allows_profile(namespace, profile) {
            Ok(CredentialSource::Profile(profile.clone()))
        } else {
            Err(IdentityError::ProfileNotAllowed { namespace: namespace.to_owned(), profile: profile.clone() })
        };
    }
    // With a role, a Secret may have no keys: the controller's credentials assume the role then.
    let keys = if role.is_some() { secret.keys()? } else { secret.required_keys()? };
    match keys {
        Some(keys) => Ok(CredentialSource::Keys(keys)),
        None if rules.allows_controller_identity(namespace) => Ok(CredentialSource::Controller),
        None => Err(IdentityError::NoCredentials { namespace: namespace.to_owned(), secret: secret.name.to_owned() }),
    }
}
