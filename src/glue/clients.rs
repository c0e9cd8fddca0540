//! A cache of clients: all objects with the same identity share one.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::aws::AwsConfig;
use super::identity::Identity;
use super::{Glue, aws};

/// The clients in use. Cheap to clone.
#[derive(Clone)]
pub struct Clients {
    config: AwsConfig,
    cache: Arc<Cache>,
}

#[derive(Default)]
struct Cache {
    hashes: RandomState,
    /// The clients by the hash of their identity. The identity itself has secrets: only the client keeps it.
    by_hash: Mutex<HashMap<u64, Vec<aws::WeakGlue>>>,
}

impl Clients {
    /// An empty cache whose clients use `config`.
    #[must_use]
    pub fn new(config: AwsConfig) -> Self {
        Self { config, cache: Arc::default() }
    }

    /// The region of the controller's own AWS configuration.
    #[must_use]
    pub fn default_region(&self) -> Option<String> {
        self.config.region()
    }

    /// The client of `identity`. Building one sends no call. The cache holds it weakly, so it is dropped with its
    /// last user, and its identity with it.
    #[must_use]
    pub fn get(&self, identity: Identity) -> Glue {
        let hash = self.cache.hashes.hash_one(&identity);
        let mut clients = self.clients();
        let known = clients.get(&hash).into_iter().flatten();
        if let Some(client) = known.filter_map(aws::WeakGlue::upgrade).find(|client| *client.identity() == identity) {
            return client;
        }
        forget_dropped(&mut clients);
        let client = Glue::new(&self.config, identity);
        clients.entry(hash).or_default().push(client.downgrade());
        client
    }

    /// Waits until a client has at most one user, who may be keeping it for others, since the last wait. For one task at a
    /// time.
    pub async fn one_is_unused(&self) {
        self.config.client_unused().await;
    }

    /// Forgets the clients that have been dropped.
    pub fn forget_dropped(&self) {
        forget_dropped(&mut self.clients());
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<u64, Vec<aws::WeakGlue>>> {
        self.cache.by_hash.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_dropped(clients: &mut HashMap<u64, Vec<aws::WeakGlue>>) {
    clients.retain(|_, clients| {
        clients.retain(|client| client.upgrade().is_some());
        !clients.is_empty()
    });
}
