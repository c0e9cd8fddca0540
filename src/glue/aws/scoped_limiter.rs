//! The rate limiter of one service for one client: its own until AWS has reported the account, then the account's.

use std::sync::{Arc, OnceLock};

use super::signer::Signer;
use crate::glue::identity::Identity;
use crate::glue::rate_limiter::RateLimiter;
use crate::glue::rate_limiter::scope::{RateLimitScope, RateLimiters, Service};

pub(super) struct ScopedLimiter {
    service: Service,
    own: Arc<RateLimiter>,
    /// The rate limiter of the account and region.
    shared: OnceLock<Arc<RateLimiter>>,
    limiters: RateLimiters,
}

impl ScopedLimiter {
    pub(super) fn new(service: Service, limiters: &RateLimiters) -> Self {
        Self { service, own: limiters.unshared(), shared: OnceLock::new(), limiters: limiters.clone() }
    }

    /// The rate limiter of now.
    pub(super) fn get(&self, signer: &Signer, identity: &Identity) -> &Arc<RateLimiter> {
        if let Some(shared) = self.shared.get() {
            return shared;
        }
        let Some(caller) = signer.caller_identity() else { return &self.own };
        self.shared.get_or_init(|| {
            let endpoints = &identity.endpoints;
            let endpoint = match self.service {
                Service::Glue => &endpoints.glue,
                Service::Logs => &endpoints.logs,
                Service::S3 => &endpoints.s3,
            };
            let scope = RateLimitScope {
                service: self.service,
                account: caller.account_id,
                region: identity.region.clone(),
                endpoint: endpoint.clone(),
            };
            self.limiters.share(scope, &self.own)
        })
    }

    /// The rate limiter of the account and region, once AWS has reported the account.
    pub(super) fn shared(&self) -> Option<&Arc<RateLimiter>> {
        self.shared.get()
    }
}
