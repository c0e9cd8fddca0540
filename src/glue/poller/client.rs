//! What the poller and the rate limiters know of the client that a source calls with.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use crate::glue::Glue;
use crate::glue::rate_limiter::{ClientId, RateLimiter};

/// A client of one identity: a [`Glue`] client.
pub trait PollClient: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// The rate limiter of its account.
    fn limiter(&self) -> Arc<RateLimiter>;
    /// The client as rate limiters know it.
    fn client_id(&self) -> ClientId;
    /// Whether another client is of the same account, region and endpoint, by what AWS reported.
    fn is_of_same_account(&self, other: &Self) -> bool;
}

impl PollClient for Glue {
    fn limiter(&self) -> Arc<RateLimiter> {
        self.rate_limiter()
    }

    fn client_id(&self) -> ClientId {
        self.client_id()
    }

    fn is_of_same_account(&self, other: &Self) -> bool {
        self.is_of_same_account(other)
    }
}
