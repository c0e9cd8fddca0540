//! From an object to its AWS client, by way of the Secret that it names.
//!
//! Secrets are watched as metadata only. Their data is read by name when a client is built, and is not kept. A client is
//! built once per version of a Secret, however many objects ask at once. Where Secrets may not be watched, they are read
//! again at intervals, and when AWS refuses their credentials.
//!
//! A client costs memory, and so the number that one namespace has at once is bounded ([`Rules::most_identities`]): the one
//! that was not used for the longest time makes way for a new one. While all of them are needed, such as by live runs, the
//! objects that need another one wait, and are woken when one of them is not needed any more.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tracing::warn;

use super::identity_bound::{Place, place_for_one_more, too_many};
use super::identity_queue::{IdentityQueue, Waiter};
use super::secrets::{self, SecretError, SecretKey, Secrets};
use crate::api::credentials::Aws;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::glue::aws::WeakGlue;
use crate::glue::identity::{self, IdentityError, Provenance, ResolveInput, Rules, SecretData};
use crate::glue::{Clients, Glue};

/// The Secret of a namespace that is used by objects that name none.
pub const DEFAULT_SECRET: &str = "kube-glue-credentials";

/// The interval at which a Secret that is not watched is read again.
const READ_AGAIN: Duration = Duration::from_mins(5);
/// The same when AWS refuses its credentials.
const REFUSED_READ_AGAIN: Duration = Duration::from_secs(2);
/// How long an unused client is kept.
const KEEP_UNUSED: Duration = Duration::from_mins(15);
/// The interval of the search for unused clients.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// A client, and the provenance of its credentials. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ResolvedClient {
    /// The client, shared by all objects with the same AWS identity.
    pub client: Glue,
    /// Where the credentials of the object come from.
    pub provenance: Arc<Provenance>,
}

/// Resolves the client of an object. Cheap to clone.
#[derive(Clone)]
pub struct ClientResolver {
    inner: Arc<Inner>,
    /// The kind of the objects, for the session tags.
    kind: &'static str,
}

struct Inner {
    client: Client,
    clients: Clients,
    secrets: Secrets,
    rules: Rules,
    built: Mutex<Entries>,
}

/// Two objects with the same key use the same client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ClientKey {
    kind: &'static str,
    namespace: String,
    aws: Aws,
}

impl ClientKey {
    fn secret(&self) -> &str {
        secret_name(&self.aws)
    }
}

/// The Secret that `aws` names, or the namespace's default.
#[must_use]
pub fn secret_name(aws: &Aws) -> &str {
    aws.credentials.as_ref().and_then(|credentials| credentials.secret_name.as_deref()).unwrap_or(DEFAULT_SECRET)
}

/// Reads the Secret that `aws` names, or the namespace's default; none where a profile is named instead.
pub async fn read(client: &Client, namespace: &str, aws: &Aws) -> Result<Option<SecretData>, SecretError> {
    if aws.credentials.as_ref().is_some_and(|credentials| credentials.profile.is_some()) {
        return Ok(None);
    }
    let found = secrets::read(client, namespace, secret_name(aws)).await?;
    Ok(found.map(secrets::data))
}

/// The object that the calls are made for.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its kind, for the session tag.
    pub kind: &'a str,
}

/// The client for `aws` with the data of its Secret, within `rules`. Nothing is sent.
pub fn resolve(
    clients: &Clients,
    rules: &Rules,
    owner: Owner<'_>,
    aws: &Aws,
    secret: Option<&SecretData>,
) -> Result<ResolvedClient, IdentityError> {
    let credentials = aws.credentials.clone().unwrap_or_default();
    let default_region = clients.default_region();
    let input = ResolveInput {
        namespace: owner.namespace,
        kind: owner.kind,
        region: aws.region.as_deref(),
        credentials: &credentials,
        secret_name: secret_name(aws),
        secret,
        default_region: default_region.as_deref(),
    };
    let (identity, provenance) = identity::resolve(&input, rules)?;
    Ok(ResolvedClient { client: clients.get(identity), provenance: Arc::new(provenance) })
}

struct Entries {
    by_key: HashMap<ClientKey, Built>,
    waiting: IdentityQueue<ClientKey, Box<dyn FnOnce() + Send>>,
    swept: Instant,
}

impl Entries {
    /// Makes sure that the namespace may have one more client.
    fn make_way(&mut self, namespace: &str, most: usize) -> Result<(), Problem> {
        let of_namespace = self.by_key.iter().filter(|(key, _)| key.namespace == namespace);
        let candidates = of_namespace.map(|(key, entry)| (key, entry.used, entry.is_in_use()));
        match place_for_one_more(candidates, most) {
            Place::Free => {}
            Place::Of(oldest) => {
                let oldest = oldest.clone();
                self.by_key.remove(&oldest);
            }
            Place::None => return Err(too_many(namespace, most)),
        }
        Ok(())
    }

    /// Takes out of the queues the objects that can have their clients now.
    fn take_woken(&mut self, most: usize) -> Vec<Box<dyn FnOnce() + Send>> {
        let Self { by_key, waiting, .. } = self;
        waiting.take(
            |namespace| {
                let in_use = by_key.iter().filter(|(key, entry)| key.namespace == namespace && entry.is_in_use());
                most.saturating_sub(in_use.count())
            },
            |key| by_key.contains_key(key),
        )
    }
}

/// A client, once it is built.
type Cell = Arc<OnceCell<Result<ResolvedClient, Problem>>>;

struct Built {
    /// The version of the Secret that the cell was, or is being, filled from.
    version: Option<String>,
    cell: Cell,
    since: Instant,
    used: Instant,
    /// The client that worked last: it stops runs whose Secret was deleted before them. An object with a run to stop
    /// follows the run, and so keeps the client.
    last_good: Option<(WeakGlue, Arc<Provenance>)>,
}

impl Built {
    fn new() -> Self {
        let now = Instant::now();
        Self { version: None, cell: Arc::default(), since: now, used: now, last_good: None }
    }

    fn last_good(&self) -> Option<ResolvedClient> {
        let (client, provenance) = self.last_good.as_ref()?;
        Some(ResolvedClient { client: client.upgrade()?, provenance: Arc::clone(provenance) })
    }

    /// Whether somebody else uses the client, or is having it built.
    fn is_in_use(&self) -> bool {
        match self.cell.get() {
            Some(Ok(resolved)) => resolved.client.is_shared(),
            Some(Err(_)) | None => Arc::strong_count(&self.cell) > 1 || self.last_good().is_some(),
        }
    }

    /// Whether the Secret must be read again although no watch reports a change.
    fn is_old(&self) -> bool {
        let found = self.cell.get().and_then(|found| found.as_ref().ok());
        let age = self.since.elapsed();
        age > READ_AGAIN
            || (age > REFUSED_READ_AGAIN && found.is_some_and(|found| found.client.are_credentials_refused()))
    }

    fn start_over(&mut self, version: Option<&str>) {
        self.version = version.map(str::to_owned);
        self.cell = Arc::default();
        self.since = Instant::now();
    }
}

impl ClientResolver {
    /// A resolver within the operator's `rules`.
    #[must_use]
    pub fn new(client: Client, clients: Clients, secrets: Secrets, rules: Rules) -> Self {
        let built =
            Mutex::new(Entries { by_key: HashMap::new(), waiting: IdentityQueue::default(), swept: Instant::now() });
        Self { inner: Arc::new(Inner { client, clients, secrets, rules, built }), kind: "" }
    }

    /// The resolver for objects of one kind.
    #[must_use]
    pub fn of_kind(&self, kind: &'static str) -> Self {
        Self { inner: Arc::clone(&self.inner), kind }
    }

    /// The client for an object of `namespace`. While the object is being deleted (`releasing`), the client that worked
    /// last is used when its Secret was deleted before it.
    pub async fn client(&self, namespace: &str, aws: &Aws, releasing: bool) -> Result<ResolvedClient, Problem> {
        let key = ClientKey { kind: self.kind, namespace: namespace.to_owned(), aws: aws.clone() };
        let version = self.inner.secrets.version(namespace, key.secret());
        let cell = self.cell(&key, version.as_deref())?;
        let found = cell.get_or_init(|| self.build(&key)).await.clone();
        let mut built = self.built();
        let Some(entry) = built.by_key.get_mut(&key) else { return found };
        match found {
            Ok(found) => {
                entry.last_good = Some((found.client.downgrade(), Arc::clone(&found.provenance)));
                Ok(found)
            }
            Err(problem) => {
                // A failure is not kept: the watch may lag, and the next pass comes after a pause.
                if Arc::ptr_eq(&entry.cell, &cell) {
                    entry.cell = Arc::default();
                }
                let found = entry.last_good().filter(|_| releasing).ok_or(problem);
                drop(built);
                // Nothing was built: another object may have the place.
                self.wake_waiting();
                found
            }
        }
    }

    /// Calls `wake` when the client for `aws` exists, or the namespace may have it: for an object that was told
    /// [`Reason::TooManyIdentities`].
    pub fn wait(&self, namespace: &str, waiter: Waiter, aws: &Aws, wake: impl FnOnce() + Send + 'static) {
        let key = ClientKey { kind: self.kind, namespace: namespace.to_owned(), aws: aws.clone() };
        self.built().waiting.add(namespace, waiter, key, Box::new(wake));
        // A client may have become free since the object asked for one.
        self.wake_waiting();
    }

    /// The object does not wait for a client any more.
    pub fn stop_waiting(&self, namespace: &str, waiter: &Waiter) {
        self.built().waiting.remove(namespace, waiter);
    }

    /// Wakes the objects that wait for a client whenever one is not needed any more. Never ends.
    pub async fn wake_as_clients_become_free(&self) -> Infallible {
        loop {
            self.inner.clients.one_is_unused().await;
            self.wake_waiting();
        }
    }

    fn wake_waiting(&self) {
        let woken = self.built().take_woken(self.inner.rules.most_identities);
        for wake in woken {
            wake();
        }
    }

    /// The cell for this version of the Secret; a new one when the Secret has moved on, or may have.
    fn cell(&self, key: &ClientKey, version: Option<&str>) -> Result<Cell, Problem> {
        let mut built = self.built();
        sweep(&mut built);
        if !built.by_key.contains_key(key) {
            built.make_way(&key.namespace, self.inner.rules.most_identities)?;
        }
        let entry = built.by_key.entry(key.clone()).or_insert_with(Built::new);
        entry.used = Instant::now();
        if entry.version.as_deref() != version {
            entry.start_over(version);
        }
        Ok(Arc::clone(&entry.cell))
    }

    /// Instead of a watch: reads the versions of Secrets at intervals, sooner where AWS refuses their credentials, and
    /// reports each that changed. Never ends.
    pub async fn reread(&self, changed: impl Fn(&SecretKey)) {
        loop {
            tokio::time::sleep(REFUSED_READ_AGAIN).await;
            for key in self.due() {
                let api: Api<Secret> = Api::namespaced(self.inner.client.clone(), &key.0);
                match api.get_metadata_opt(&key.1).await {
                    Ok(found) => {
                        if self
                            .inner
                            .secrets
                            .note(&key, found.and_then(|found| found.metadata.resource_version).as_deref())
                        {
                            changed(&key);
                        }
                    }
                    Err(error) => warn!(namespace = key.0, name = key.1, %error, "the Secret cannot be read"),
                }
            }
        }
    }

    /// A Secret changed: the clients with its earlier keys are dropped as soon as nobody uses them, also where no object
    /// asks for one any more.
    pub fn on_secret_changed(&self, secret: &SecretKey) {
        let version = self.inner.secrets.version(&secret.0, &secret.1);
        {
            let mut built = self.built();
            let of_secret =
                |key: &ClientKey| (key.namespace.as_str(), key.secret()) == (secret.0.as_str(), secret.1.as_str());
            for (_, entry) in built.by_key.iter_mut().filter(|(key, _)| of_secret(key)) {
                if entry.version != version {
                    entry.start_over(version.as_deref());
                }
            }
        }
        self.inner.clients.forget_dropped();
    }

    /// Drops the clients that no object has asked for in a while, and their secrets with them. Never ends.
    pub async fn drop_unused(&self) -> Infallible {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            sweep(&mut self.built());
            self.inner.clients.forget_dropped();
        }
    }

    /// The Secrets that must be read again; they count as read from now on.
    fn due(&self) -> HashSet<SecretKey> {
        let mut built = self.built();
        let old = built.by_key.iter_mut().filter(|(_, entry)| entry.is_old());
        old.map(|(key, entry)| {
            entry.since = Instant::now();
            (key.namespace.clone(), key.secret().to_owned())
        })
        .collect()
    }

    async fn build(&self, key: &ClientKey) -> Result<ResolvedClient, Problem> {
        let Inner { client, clients, rules, .. } = &*self.inner;
        let secret = read(client, &key.namespace, &key.aws).await?;
        let owner = Owner { namespace: &key.namespace, kind: key.kind };
        resolve(clients, rules, owner, &key.aws, secret.as_ref())
            .map_err(|error| Problem::new(Reason::from(&error), error.to_string()))
    }

    fn built(&self) -> MutexGuard<'_, Entries> {
        self.inner.built.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the clients that no object has asked for in a while. One that is still in use elsewhere is kept, to stop the
/// runs that it follows.
fn sweep(entries: &mut Entries) {
    if entries.swept.elapsed() < SWEEP_EVERY {
        return;
    }
    entries.swept = Instant::now();
    entries.by_key.retain(|_, entry| {
        if entry.used.elapsed() < KEEP_UNUSED {
            return true;
        }
        entry.cell = Arc::default();
        entry.last_good().is_some()
    });
}
