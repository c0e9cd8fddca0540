//! Where the credentials of an object come from.

use super::{CredentialSource, Setting};

/// Where the credentials of an object come from. It is no part of the [`Identity`](super::Identity): two Secrets with
/// the same keys share one client, but each object's messages name its own Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// What signs the calls, or assumes the role.
    pub credentials: CredentialOrigin,
    /// The setting with the role's ARN.
    pub role: Option<Setting>,
}

/// A [`CredentialSource`] by name, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialOrigin {
    /// The keys of a Secret.
    Secret {
        /// `namespace/name`.
        name: String,
        /// Whether the keys are temporary.
        temporary: bool,
    },
    /// The controller's own credentials.
    Controller,
    /// A profile of the controller's AWS configuration.
    Profile(String),
}

impl Provenance {
    pub(super) fn new(source: &CredentialSource, secret: &str, role: Option<Setting>) -> Self {
        let credentials = match source {
            CredentialSource::Keys(keys) => {
                CredentialOrigin::Secret { name: secret.to_owned(), temporary: keys.session_token.is_some() }
            }
            CredentialSource::Controller => CredentialOrigin::Controller,
            CredentialSource::Profile(name) => CredentialOrigin::Profile(name.clone()),
        };
        Self { credentials, role }
    }
}
