//! A cache of clients: all objects with the same identity share one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::aws::AwsConfig;
use super::identity::Identity;
use super::{Glue, aws};

/// The clients in use. Cheap to clone.
#[derive(Clone)]
pub struct Clients {
    config: AwsConfig,
    by_identity: Arc<Mutex<HashMap<Identity, aws::WeakGlue>>>,
}

impl Clients {
    /// An empty cache whose clients use `config`.
    #[must_use]
    pub fn new(config: AwsConfig) -> Self {
        Self { config, by_identity: Arc::default() }
    }

    /// The region of the controller's own AWS configuration.
    #[must_use]
    pub fn default_region(&self) -> Option<String> {
        self.config.region()
    }

    /// The client of `identity`. Building one sends no call. The cache holds it weakly, so it is dropped with its
    /// last user.
    #[must_use]
    pub fn get(&self, identity: Identity) -> Glue {
        let mut clients = self.by_identity.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&identity).and_then(aws::WeakGlue::upgrade) {
            return client;
        }
        clients.retain(|_, client| client.upgrade().is_some());
        let client = Glue::new(&self.config, identity.clone());
        clients.insert(identity, client.downgrade());
        client
    }
}
