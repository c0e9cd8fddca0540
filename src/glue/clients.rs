//! One client per identity, shared by all objects that talk to AWS as the same one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::aws::Base;
use super::identity::Identity;
use super::{Glue, aws};

/// The clients in use. Cheap to clone.
#[derive(Clone)]
pub struct Clients {
    base: Base,
    known: Arc<Mutex<HashMap<Identity, aws::WeakGlue>>>,
}

impl Clients {
    /// None yet.
    #[must_use]
    pub fn new(base: Base) -> Self {
        Self { base, known: Arc::default() }
    }

    /// The region that the controller itself was given.
    #[must_use]
    pub fn default_region(&self) -> Option<String> {
        self.base.region()
    }

    /// The client of `identity`. Building one sends nothing; it is dropped when nobody holds it any more.
    #[must_use]
    pub fn get(&self, identity: Identity) -> Glue {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(&identity).and_then(aws::WeakGlue::upgrade) {
            return client;
        }
        known.retain(|_, client| client.upgrade().is_some());
        let client = Glue::new(&self.base, identity.clone());
        known.insert(identity, client.downgrade());
        client
    }
}
