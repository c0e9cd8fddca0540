//! One rate limiter per service, account and region: AWS counts calls there, whoever makes them.
//!
//! The account of an identity is known only after AWS reports it: a client begins with a rate limiter of its own, and
//! shares the account's from then on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::RateLimiter;

/// A service that counts the calls that it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// AWS Glue.
    Glue,
    /// CloudWatch Logs.
    Logs,
    /// S3.
    S3,
}

/// The scope in which AWS counts calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RateLimitScope {
    pub service: Service,
    /// The account id.
    pub account: String,
    pub region: String,
    /// The service's URL, unless it is AWS's own.
    pub endpoint: Option<String>,
}

/// The limiters in use, by scope. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RateLimiters {
    by_scope: Arc<Mutex<HashMap<RateLimitScope, Weak<RateLimiter>>>>,
    poll_calls_per_minute: Option<u32>,
}

impl RateLimiters {
    /// Without limiters. The operator may have said how many calls the polls of a scope take in a minute at most.
    #[must_use]
    pub fn new(poll_calls_per_minute: Option<u32>) -> Self {
        Self { by_scope: Arc::default(), poll_calls_per_minute }
    }

    /// A limiter for a client whose scope is not known yet.
    #[must_use]
    pub fn unshared(&self) -> Arc<RateLimiter> {
        Arc::new(RateLimiter::new(self.poll_calls_per_minute))
    }

    /// The rate limiter of `scope`, for a client that has used `own` until now. Where no other client uses the scope, `own`
    /// becomes its limiter; otherwise the shared one takes over the rate of `own` if that is lower.
    #[must_use]
    pub fn share(&self, scope: RateLimitScope, own: &Arc<RateLimiter>) -> Arc<RateLimiter> {
        let mut limiters = self.by_scope.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = limiters.get(&scope).and_then(Weak::upgrade) {
            shared.adopt_lower_rate(own);
            return shared;
        }
        limiters.retain(|_, limiter| limiter.strong_count() > 0);
        limiters.insert(scope, Arc::downgrade(own));
        Arc::clone(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_one_account_and_region_share_a_rate_limiter_for_each_service() {
        let limiters = RateLimiters::default();
        let scope = |account: &str, region: &str| RateLimitScope {
            service: Service::Glue,
            account: account.to_owned(),
            region: region.to_owned(),
            endpoint: None,
        };
        let [first, second, third] = [(); 3].map(|()| Arc::<RateLimiter>::default());
        assert!(Arc::ptr_eq(&limiters.share(scope("1", "eu-west-1"), &first), &first));
        second.record_throttle();
        assert!(Arc::ptr_eq(&limiters.share(scope("1", "eu-west-1"), &second), &first));
        assert!(first.rate() < 20.0, "the throttle of the second client slows both");
        let logs = RateLimitScope { service: Service::Logs, ..scope("1", "eu-west-1") };
        for other in [scope("1", "eu-west-2"), scope("2", "eu-west-1"), logs] {
            assert!(Arc::ptr_eq(&limiters.share(other, &third), &third));
        }
        drop((first, second));
        let fresh = Arc::<RateLimiter>::default();
        assert!(Arc::ptr_eq(&limiters.share(scope("1", "eu-west-1"), &fresh), &fresh), "no client uses the scope");
    }
}
