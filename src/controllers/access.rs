//! From an object to its AWS client: which Secret it names, what stands in it, and the client for that.
//!
//! Secrets are watched as metadata only; their data is read by name when a client is built and is not
//! kept. A client is built once for each version of a Secret, however many objects ask at once.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::sync::OnceCell;

use super::run::facts::Problem;
use super::secrets::{SecretKey, Secrets};
use crate::api::credentials::Credentials;
use crate::glue::{Clients, Glue, identity};

/// The Secret that serves a namespace whose objects name none.
pub const DEFAULT_SECRET: &str = "kube-glue-credentials";

/// Finds the client for an object. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    clients: Clients,
    secrets: Secrets,
    /// Patterns of the namespaces that may use the controller's own identity.
    own_identity: Vec<String>,
    built: Mutex<HashMap<Wish, Built>>,
}

/// What makes two objects need different clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Wish {
    namespace: String,
    secret: String,
    region: Option<String>,
    /// Whether the object named the Secret itself.
    named: bool,
}

#[derive(Default)]
struct Built {
    /// The version of the Secret that the cell was, or is being, filled from.
    version: Option<String>,
    cell: Arc<OnceCell<Result<Glue, Problem>>>,
    /// What worked last: for stopping runs whose Secret was deleted before them.
    last_good: Option<Glue>,
}

impl Access {
    /// Finds clients by the Secrets in `secrets`.
    #[must_use]
    pub fn new(client: Client, clients: Clients, secrets: Secrets, own_identity: Vec<String>) -> Self {
        Self { inner: Arc::new(Inner { client, clients, secrets, own_identity, built: Mutex::default() }) }
    }

    /// The client for an object of `namespace`. While it is `releasing`, the last one that worked is good
    /// enough: its Secret may have been deleted before it.
    pub async fn client(
        &self,
        namespace: &str,
        credentials: Option<&Credentials>,
        region: Option<&str>,
        releasing: bool,
    ) -> Result<Glue, Problem> {
        let named = credentials.and_then(|credentials| credentials.secret_name.as_deref());
        let wish = Wish {
            namespace: namespace.to_owned(),
            secret: named.unwrap_or(DEFAULT_SECRET).to_owned(),
            region: region.map(str::to_owned),
            named: named.is_some(),
        };
        let version = self.inner.secrets.version(&wish.namespace, &wish.secret);
        let cell = self.cell(&wish, version.as_deref());
        let found = cell.get_or_init(|| self.build(&wish)).await.clone();
        let mut built = self.built();
        let entry = built.entry(wish).or_default();
        match found {
            Ok(client) => {
                entry.last_good = Some(client.clone());
                Ok(client)
            }
            Err(problem) => {
                // A failure is not kept: the watch may lag behind, and the next pass comes after a pause.
                if Arc::ptr_eq(&entry.cell, &cell) {
                    entry.cell = Arc::default();
                }
                entry.last_good.clone().filter(|_| releasing).ok_or(problem)
            }
        }
    }

    /// The cell for this version of the Secret; a new one when the Secret has moved on.
    fn cell(&self, wish: &Wish, version: Option<&str>) -> Arc<OnceCell<Result<Glue, Problem>>> {
        let mut built = self.built();
        let entry = built.entry(wish.clone()).or_default();
        if entry.version.as_deref() != version {
            entry.version = version.map(str::to_owned);
            entry.cell = Arc::default();
        }
        Arc::clone(&entry.cell)
    }

    async fn build(&self, wish: &Wish) -> Result<Glue, Problem> {
        let Wish { namespace, secret, region, named } = wish;
        let default_region = self.inner.clients.default_region();
        let api: Api<Secret> = Api::namespaced(self.inner.client.clone(), namespace);
        let found = api.get_opt(secret).await.map_err(|error| Problem {
            reason: "SecretNotReadable".to_owned(),
            message: format!("Secret {namespace}/{secret} cannot be read: {error}"),
            class: None,
        })?;
        let place = format!("{namespace}/{secret}");
        let identity = match found {
            Some(found) => {
                let data = found.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
                identity::from_secret(&place, &data, region.as_deref(), default_region.as_deref())
                    .map_err(|error| problem(error.reason(), error.to_string()))?
            }
            None if *named => {
                return Err(problem(
                    "SecretNotFound",
                    format!(
                        "Secret {place} does not exist: create it with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                    ),
                ));
            }
            None if self.may_use_own_identity(namespace) => identity::own(region.as_deref(), default_region.as_deref())
                .map_err(|error| problem(error.reason(), error.to_string()))?,
            None => {
                return Err(problem(
                    "CredentialsMissing",
                    format!(
                        "no credentials for namespace {namespace}: create Secret {place} with the keys AWS_ACCESS_KEY_ID and \
                         AWS_SECRET_ACCESS_KEY, or name another Secret in spec.credentials.secretName (the controller's own \
                         identity is not allowed for this namespace)"
                    ),
                ));
            }
        };
        Ok(self.inner.clients.get(identity))
    }

    fn may_use_own_identity(&self, namespace: &str) -> bool {
        self.inner.own_identity.iter().any(|pattern| wildmatch::WildMatch::new(pattern).matches(namespace))
    }

    fn built(&self) -> MutexGuard<'_, HashMap<Wish, Built>> {
        self.inner.built.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn problem(reason: &str, message: String) -> Problem {
    Problem { reason: reason.to_owned(), message, class: None }
}

/// Who depends on which Secret, so that a change wakes those and nobody else.
pub struct Dependents<R> {
    by_secret: Mutex<HashMap<SecretKey, HashSet<R>>>,
}

impl<R> Default for Dependents<R> {
    fn default() -> Self {
        Self { by_secret: Mutex::default() }
    }
}

impl<R: Clone + Eq + Hash> Dependents<R> {
    /// `who` depends on the Secret that `credentials` name.
    pub fn add(&self, namespace: &str, credentials: Option<&Credentials>, who: &R) {
        self.lock().entry(Self::key(namespace, credentials)).or_default().insert(who.clone());
    }

    /// `who` does not any more.
    pub fn remove(&self, namespace: &str, credentials: Option<&Credentials>, who: &R) {
        let mut by_secret = self.lock();
        let key = Self::key(namespace, credentials);
        if let Some(dependents) = by_secret.get_mut(&key) {
            dependents.remove(who);
            if dependents.is_empty() {
                by_secret.remove(&key);
            }
        }
    }

    /// Who depends on this Secret.
    #[must_use]
    pub fn of(&self, secret: &SecretKey) -> Vec<R> {
        self.lock().get(secret).map(|dependents| dependents.iter().cloned().collect()).unwrap_or_default()
    }

    fn key(namespace: &str, credentials: Option<&Credentials>) -> SecretKey {
        let secret = credentials.and_then(|credentials| credentials.secret_name.as_deref()).unwrap_or(DEFAULT_SECRET);
        (namespace.to_owned(), secret.to_owned())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretKey, HashSet<R>>> {
        self.by_secret.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
