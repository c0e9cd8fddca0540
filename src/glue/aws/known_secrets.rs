//! The secrets of one identity: nothing that AWS says about its calls shows them.

use std::sync::Arc;

use super::cached_credentials::CachedCredentials;
use crate::glue::Error;
use crate::glue::identity::{CredentialSource, Identity};
use crate::redaction::Redactor;

/// The keys and the external id of an identity, and the credentials of its sessions.
#[derive(Debug)]
pub(super) struct KnownSecrets {
    identity: Redactor,
    sessions: Vec<Arc<CachedCredentials>>,
}

impl KnownSecrets {
    /// Those of `identity`, and of the credentials that these caches have and had before.
    pub(super) fn new(identity: &Identity, sessions: impl IntoIterator<Item = Arc<CachedCredentials>>) -> Self {
        let keys = match &identity.source {
            CredentialSource::Keys(keys) => Some(keys),
            CredentialSource::Controller | CredentialSource::Profile(_) => None,
        };
        let keys = keys.into_iter().flat_map(|keys| {
            [Some(&keys.access_key_id), Some(&keys.secret_access_key), keys.session_token.as_ref()]
                .into_iter()
                .flatten()
        });
        let external_id = identity.role.as_ref().and_then(|role| role.external_id.as_ref());
        let identity = Redactor::new(keys.chain(external_id));
        Self { identity, sessions: sessions.into_iter().collect() }
    }

    /// What may be shown of a text of AWS.
    pub(super) fn redact(&self, text: &str) -> String {
        self.sessions.iter().fold(self.identity.redact(text), |text, session| session.hide(&text))
    }

    /// What may be shown of an error of AWS.
    pub(super) fn redact_error(&self, error: Error) -> Error {
        let sessions = self.sessions.iter();
        sessions.fold(error.redacted(&self.identity), |error, session| session.hide_in(error))
    }
}
