//! The values from Secrets, and what tells that they have changed.
//!
//! Two things are compared in place of values, since a hash of a weak password that stood in a status could be
//! guessed by whoever may read that:
//!
//! - the *fingerprint* stands in the status and survives a restart. It is made of the spec and of the uid and the
//!   resource version of each Secret, none of which is secret. While it stays, nothing has changed.
//! - the *digest* is a hash of the values themselves, keyed by a random key that dies with the process, and is
//!   kept in memory only. It tells a Secret whose values have changed from one that was merely written again.
//!
//! After a restart, a Secret that was written meanwhile with the same values costs one update of the same content.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::AppliedDigest;
use super::desired;
use super::secrets::Secrets;
use crate::api::GlueConnection;
use crate::api::connection::GlueConnectionSpec;
use crate::api::credentials::Aws;
use crate::controllers::runtime::problem::Problem;
use crate::glue::connections::ConnectionInput;
use crate::glue::identity::Sensitive;

/// How long what was read counts of Secrets that may not be watched.
pub const READ_AGAIN: Duration = Duration::from_mins(5);

/// The key of the digests of this process.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What Glue is asked for.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// All of it.
    pub input: ConnectionInput,
    /// Stands for it in the status.
    pub fingerprint: String,
    /// A keyed hash of it.
    pub digest: u64,
    /// After this long they are read again: no watch tells when a Secret changes.
    pub reread: Option<Duration>,
    /// The values that came from Secrets.
    secrets: Vec<Sensitive>,
}

impl Inputs {
    /// Puts together what `object` asks for; `secrets` hold what it names.
    pub fn new(object: &GlueConnection, secrets: &Secrets) -> Result<Self, Problem> {
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let values = desired::values(namespace, &object.spec, secrets)?;
        let input = desired::input(object.connection_name(), &object.spec, &values);
        Ok(Self {
            fingerprint: fingerprint(&object.spec, secrets),
            digest: KEY.hash_one(&input),
            input,
            reread: None,
            secrets: values.into_values().collect(),
        })
    }

    /// The same, where Secrets may not be watched: it has to be read again after a while.
    #[must_use]
    pub fn unwatched(self) -> Self {
        let reread = (!self.secrets.is_empty()).then_some(READ_AGAIN);
        Self { reread, ..self }
    }

    /// What a process remembers of it once it stands in Glue.
    #[must_use]
    pub fn digest(&self) -> AppliedDigest {
        AppliedDigest { fingerprint: self.fingerprint.clone(), digest: self.digest }
    }

    /// `text` without the values that came from Secrets.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        Sensitive::redact(text, &self.secrets)
    }
}

/// Stands for what the spec brings to Glue, and for the versions of its Secrets.
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
