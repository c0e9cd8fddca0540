//! The resource versions of Secrets, kept by a watch on their metadata: enough to know when a client is out of date. The
//! data of a Secret is read by name when it is needed, and not kept.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::future::join_all;
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;

use zeroize::Zeroizing;

use crate::controllers::runtime::WATCH_SECRETS;
use crate::controllers::runtime::cache_sync::CacheSync;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::requeue::scopes;
use crate::controllers::runtime::watch::PAGE_SIZE;
use crate::glue::identity::SecretData;

/// A Secret by namespace and name.
pub type SecretKey = (String, String);

/// The API server did not show a Secret.
#[derive(Debug, thiserror::Error)]
#[error("Secret {namespace}/{name} cannot be read: {source}")]
pub struct SecretError {
    /// The Secret's namespace.
    pub namespace: String,
    /// The Secret's name.
    pub name: String,
    /// The answer.
    pub source: Box<kube::Error>,
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        Self::new(Reason::SecretNotReadable, error.to_string())
    }
}

/// Reads a Secret; `None` when it does not exist.
pub async fn read(client: &Client, namespace: &str, name: &str) -> Result<Option<Secret>, SecretError> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    api.get_opt(name).await.map_err(|source| SecretError {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        source: Box::new(source),
    })
}

/// The value of a key of a Secret.
#[must_use]
pub fn take(secret: Secret, key: &str) -> Option<Vec<u8>> {
    data(secret).remove(key).map(|mut value| std::mem::take(&mut *value))
}

/// The data of a Secret.
#[must_use]
pub fn data(secret: Secret) -> SecretData {
    secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, Zeroizing::new(value.0))).collect()
}

/// The resource versions. Cheap to clone.
#[derive(Clone, Default)]
pub struct Secrets {
    watched: bool,
    versions: Arc<Mutex<HashMap<SecretKey, String>>>,
}

impl Secrets {
    /// No versions yet. Unless Secrets are `watched`, only [`Secrets::note`] adds some.
    #[must_use]
    pub fn new(watched: bool) -> Self {
        Self { watched, ..Self::default() }
    }

    /// Whether a watch keeps the versions.
    #[must_use]
    pub fn are_watched(&self) -> bool {
        self.watched
    }

    /// The version of a Secret; `None` when the watch has seen none.
    #[must_use]
    pub fn version(&self, namespace: &str, name: &str) -> Option<String> {
        self.versions().get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    /// Notes a version that was read. Whether it differs from the one before.
    #[must_use]
    pub fn note(&self, key: &SecretKey, version: Option<&str>) -> bool {
        let mut versions = self.versions();
        let before = match version {
            Some(version) => versions.insert(key.clone(), version.to_owned()),
            None => versions.remove(key),
        };
        before.as_deref() != version
    }

    /// CacheSync the Secrets of these namespaces (of all, when there are none) and reports each that changed.
    /// `listed` turns true when the first list is in; at once when nothing is to be watched. `watches` is told
    /// what stands in the way of that.
    pub fn watch(
        &self,
        client: &Client,
        namespaces: &[String],
        sync: &CacheSync,
        changed: impl Fn(&SecretKey) + Clone + Send,
        listed: &watch::Sender<bool>,
    ) -> impl Future<Output = ()> {
        let is_on = self.watched;
        let all: Vec<_> = scopes(namespaces).filter(|_| is_on).collect();
        let (count, listed) = (all.len(), listed.clone());
        if !is_on {
            listed.send_replace(true);
        }
        let done = Arc::new(Mutex::new(HashSet::new()));
        let each = all.into_iter().map(|scope| {
            let watch = sync.register("secrets", scope.as_deref(), WATCH_SECRETS);
            let api: Api<PartialObjectMeta<Secret>> = match &scope {
                Some(namespace) => Api::namespaced(client.clone(), namespace),
                None => Api::all(client.clone()),
            };
            let (secrets, changed, listed, done) = (self.clone(), changed.clone(), listed.clone(), Arc::clone(&done));
            async move {
                let mut seen = HashSet::new();
                // The metadata of a Secret may have a quarter of a megabyte.
                let config = watcher::Config::default().page_size(PAGE_SIZE);
                let mut events = watcher(api, config).default_backoff().boxed();
                while let Some(event) = events.next().await {
                    match event {
                        Ok(event) => {
                            let complete = matches!(event, Event::InitDone);
                            secrets.apply(event, scope.as_deref(), &mut seen).iter().for_each(&changed);
                            if complete {
                                watch.synced();
                                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                                done.insert(scope.clone());
                                listed.send_if_modified(|listed| {
                                    !std::mem::replace(listed, done.len() == count) && done.len() == count
                                });
                            }
                        }
                        Err(error) => watch.failed(&error),
                    }
                }
            }
        });
        let each: Vec<_> = each.collect();
        async move {
            join_all(each).await;
        }
    }

    /// Applies a watch event. Returns the Secrets that it changed.
    fn apply(
        &self,
        event: Event<PartialObjectMeta<Secret>>,
        scope: Option<&str>,
        seen: &mut HashSet<SecretKey>,
    ) -> Vec<SecretKey> {
        let mut versions = self.versions();
        match event {
            Event::Init => {
                seen.clear();
                Vec::new()
            }
            Event::InitApply(secret) | Event::Apply(secret) => {
                let key = key_of(&secret);
                seen.insert(key.clone());
                let version = secret.resource_version().unwrap_or_default();
                let changed = versions.insert(key.clone(), version.clone()) != Some(version);
                changed.then_some(key).into_iter().collect()
            }
            Event::Delete(secret) => versions.remove_entry(&key_of(&secret)).map(|(key, _)| key).into_iter().collect(),
            Event::InitDone => {
                let in_scope = |key: &SecretKey| scope.is_none_or(|namespace| namespace == key.0);
                let gone: Vec<_> =
                    versions.keys().filter(|key| in_scope(key) && !seen.contains(*key)).cloned().collect();
                for key in &gone {
                    versions.remove(key);
                }
                seen.clear();
                gone
            }
        }
    }

    fn versions(&self) -> MutexGuard<'_, HashMap<SecretKey, String>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_of(secret: &PartialObjectMeta<Secret>) -> SecretKey {
    (secret.namespace().unwrap_or_default(), secret.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(namespace: &str, name: &str, version: &str) -> PartialObjectMeta<Secret> {
        let mut secret = PartialObjectMeta::<Secret>::default();
        secret.metadata.namespace = Some(namespace.to_owned());
        secret.metadata.name = Some(name.to_owned());
        secret.metadata.resource_version = Some(version.to_owned());
        secret
    }

    #[test]
    fn a_new_list_reveals_secrets_changed_and_deleted_while_the_watch_was_down() {
        let secrets = Secrets::default();
        let mut seen = HashSet::new();
        let mut events = |events: Vec<Event<_>>| -> Vec<SecretKey> {
            events.into_iter().flat_map(|event| secrets.apply(event, None, &mut seen)).collect()
        };
        let key = |name: &str| ("a".to_owned(), name.to_owned());
        let first = events(vec![
            Event::Init,
            Event::InitApply(secret("a", "x", "1")),
            Event::InitApply(secret("a", "y", "2")),
            Event::InitDone,
        ]);
        assert_eq!(first, [key("x"), key("y")]);
        assert_eq!(events(vec![Event::Apply(secret("a", "x", "1"))]), []);
        let second = events(vec![Event::Init, Event::InitApply(secret("a", "x", "3")), Event::InitDone]);
        assert_eq!(second, [key("x"), key("y")]);
        assert_eq!(secrets.version("a", "x").as_deref(), Some("3"));
        assert_eq!(secrets.version("a", "y"), None);
        assert_eq!(events(vec![Event::Delete(secret("a", "x", "4"))]), [key("x")]);
    }
}
