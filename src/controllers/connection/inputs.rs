//! The values from Secrets, and how a change of them is detected.
//!
//! Two substitutes are compared instead of the values, because a hash of a weak password in a status could be guessed by
//! everybody who may read the status:
//!
//! - the *fingerprint* is in the status and survives a restart. It is made of the spec and of the uid and resource version
//!   of each Secret, none of which is secret. While it stays the same, nothing has changed.
//! - the *digest* is a hash of the values, with a random key that exists only in this process, and is kept in memory. It
//!   tells a Secret with new values from one that was rewritten with the same values.
//!
//! After a restart, a Secret that was rewritten meanwhile with the same values causes one update with the same content.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::time::Duration;

use kube::{Client, ResourceExt};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::AppliedDigest;
use super::desired;
use super::secrets::Secrets;
use crate::api::GlueConnection;
use crate::api::connection::GlueConnectionSpec;
use crate::api::credentials::Aws;
use crate::controllers::runtime::Settings;
use crate::controllers::runtime::kind::Inputs;
use crate::controllers::runtime::problem::Problem;
use crate::glue::Glue;
use crate::glue::connections::ConnectionInput;
use crate::glue::identity::Sensitive;

/// The interval at which Secrets that are not watched are read again.
pub const READ_AGAIN: Duration = Duration::from_mins(5);

/// The key of the digests of this process.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The input of a connection, with the values from its Secrets.
#[derive(Clone, Debug)]
pub struct ConnectionInputs {
    /// The `ConnectionInput` for Glue.
    pub input: ConnectionInput,
    /// What represents the input in the status.
    pub fingerprint: String,
    /// A hash of the input, with a key of this process.
    pub digest: u64,
    /// After how long the Secrets are read again, where no watch reports their changes.
    pub reread: Option<Duration>,
    /// The values that came from Secrets.
    secrets: Vec<Sensitive>,
}

impl ConnectionInputs {
    /// The inputs of `object`, with the values from `secrets`.
    pub fn new(object: &GlueConnection, secrets: &Secrets) -> Result<Self, Problem> {
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let values = desired::values(namespace, &object.spec, secrets)?;
        let input = desired::input((namespace, object.connection_name()), &object.spec, &values)?;
        Ok(Self {
            fingerprint: fingerprint(&object.spec, secrets),
            digest: KEY.hash_one(&input),
            input,
            reread: None,
            secrets: values.into_values().collect(),
        })
    }

    /// The same, where Secrets are not watched and must be read again.
    #[must_use]
    pub fn unwatched(self) -> Self {
        let reread = (!self.secrets.is_empty()).then_some(READ_AGAIN);
        Self { reread, ..self }
    }

    /// What the process keeps once Glue has these values.
    #[must_use]
    pub fn applied_digest(&self) -> AppliedDigest {
        AppliedDigest { fingerprint: self.fingerprint.clone(), digest: self.digest }
    }
}

impl Inputs<GlueConnection> for ConnectionInputs {
    fn secrets(object: &GlueConnection) -> Vec<&str> {
        let keys = object.spec.secret_keys();
        let mut names: Vec<_> = keys.into_iter().map(|(_, key)| key.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    async fn read(
        object: &GlueConnection,
        client: &Client,
        _: Option<&Glue>,
        settings: &Settings,
    ) -> Result<Self, Problem> {
        let namespace = object.namespace().unwrap_or_default();
        let keys = object.spec.secret_keys();
        let keys: Vec<_> = keys.iter().map(|(_, key)| *key).collect();
        let secrets = super::secrets::read(client, &namespace, &keys).await?;
        let inputs = Self::new(object, &secrets)?;
        Ok(if settings.watch_secrets { inputs } else { inputs.unwatched() })
    }

    fn sensitive(&self) -> &[Sensitive] {
        &self.secrets
    }

    fn are_applied(&self, object: &GlueConnection) -> bool {
        let Some(status) = &object.status else { return true };
        let applied = status.applied.as_ref().map(|applied| &applied.fingerprint);
        let intended = status.creation.as_ref().map(|creation| &creation.fingerprint);
        applied.into_iter().chain(intended).all(|fingerprint| *fingerprint == self.fingerprint)
    }

    fn reread_after(&self) -> Option<Duration> {
        self.reread
    }
}

/// The fingerprint of what the spec applies to Glue, and of the versions of its Secrets.
fn fingerprint(spec: &GlueConnectionSpec, secrets: &Secrets) -> String {
    let brought = GlueConnectionSpec {
        tags: None,
        drift_policy: None,
        adoption_policy: None,
        deletion_policy: None,
        test: None,
        aws: Aws::default(),
        ..spec.clone()
    };
    let versions: BTreeMap<_, _> = secrets.iter().map(|(name, values)| (name, &values.version)).collect();
    let hash = Sha256::digest(json!([brought, versions]).to_string().as_bytes());
    hash.iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
