//! The client-side rate limit per account and region: starts and stops before polls, slower when AWS throttles.
//!
//! AWS counts calls per account and region, whoever makes them. The account of an identity is known only after AWS
//! reports it: a client begins with a rate limiter of its own, and shares the account's from then on.
//!
//! A rate limiter is a token bucket whose rate follows AWS's responses: it is halved at a throttle (at most once a second,
//! since throttles come in bursts), and grows by a quarter for each second without one.
//! Glue publishes no rate that holds for every account, so none is configured here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

/// The priority of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Starts, stops, and the reads before them.
    Start,
    /// Polls: they wait behind all starts.
    Poll,
    /// The caller has acquired a token before, with [`RateLimiter::acquire`].
    Acquired,
}

/// Calls per second until AWS throttles for the first time.
const FULL_RATE: f64 = 1000.0;
/// Calls per second after the first throttle. The full rate was never measured, so halving it would not help.
const FIRST_THROTTLED_RATE: f64 = 10.0;
/// The lowest rate, in calls per second: enough to notice that AWS stopped throttling.
const MIN_RATE: f64 = 0.5;
/// How many seconds of the rate an idle bucket saves.
const BURST_SECONDS: f64 = 0.25;

/// The rate limit of one account and region.
#[derive(Debug)]
pub struct RateLimiter {
    bucket: Mutex<Bucket>,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self { bucket: Mutex::new(Bucket::new(Instant::now())) }
    }
}

impl RateLimiter {
    /// Waits for a token.
    pub async fn acquire(&self, priority: Priority) {
        // A token is a point in time, so that no queue has to be woken, and callers go first in, first out.
        let at = self.bucket().reserve(priority, Instant::now());
        tokio::time::sleep_until(at).await;
    }

    /// Records that AWS throttled a call.
    pub fn record_throttle(&self) {
        self.bucket().record_throttle(Instant::now());
    }

    /// Records any other response.
    pub fn record_response(&self) {
        self.bucket().record_response(Instant::now());
    }

    /// Takes over the rate of `other`, where that is lower.
    fn adopt_lower_rate(&self, other: &Self) {
        let (rate, changed_at) = {
            let other = other.bucket();
            (other.rate, other.changed_at)
        };
        let mut bucket = self.bucket();
        if rate < bucket.rate {
            (bucket.rate, bucket.changed_at) = (rate, changed_at);
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The scope in which AWS counts calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RateLimitScope {
    /// The account id.
    pub account: String,
    pub region: String,
    /// Glue's URL, unless it is AWS's own.
    pub endpoint: Option<String>,
}

/// The limiters in use, by scope. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RateLimiters {
    by_scope: Arc<Mutex<HashMap<RateLimitScope, Weak<RateLimiter>>>>,
}

impl RateLimiters {
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

/// The tokens of a rate limiter; pure.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Calls per second.
    rate: f64,
    /// When the next start may be sent.
    next_start: Instant,
    /// When the next poll may be sent, starts aside.
    next_poll: Instant,
    /// When the rate last changed.
    changed_at: Instant,
}

impl Bucket {
    pub(crate) fn new(now: Instant) -> Self {
        Self { rate: FULL_RATE, next_start: now, next_poll: now, changed_at: now }
    }

    pub(crate) fn reserve(&mut self, priority: Priority, now: Instant) -> Instant {
        let step = Duration::from_secs_f64(1.0 / self.rate);
        let earliest = now.checked_sub(Duration::from_secs_f64(BURST_SECONDS)).unwrap_or(now);
        let at = match priority {
            Priority::Acquired => return now,
            Priority::Start => self.next_start.max(earliest),
            // A poll never goes before a start that is already waiting.
            Priority::Poll => self.next_poll.max(self.next_start).max(earliest),
        };
        match priority {
            // A later start may overtake a poll, but the poll keeps its token.
            Priority::Poll => self.next_poll = at + step,
            _ => self.next_start = at + step,
        }
        at.max(now)
    }

    pub(crate) fn record_throttle(&mut self, now: Instant) {
        let is_full = self.rate >= FULL_RATE;
        if is_full || now.duration_since(self.changed_at) >= Duration::from_secs(1) {
            self.rate = if is_full { FIRST_THROTTLED_RATE } else { (self.rate / 2.0).max(MIN_RATE) };
            self.changed_at = now;
        }
    }

    pub(crate) fn record_response(&mut self, now: Instant) {
        let elapsed = now.duration_since(self.changed_at);
        if self.rate < FULL_RATE && elapsed >= Duration::from_secs(1) {
            self.rate = (self.rate * 1.25f64.powf(elapsed.as_secs_f64().min(10.0))).min(FULL_RATE);
            self.changed_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_lowers_the_rate_and_other_responses_raise_it() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        bucket.record_throttle(start);
        assert!((bucket.rate - 10.0).abs() < f64::EPSILON);
        bucket.record_throttle(start);
        assert!((bucket.rate - 10.0).abs() < f64::EPSILON, "a burst of throttles counts once");
        bucket.record_throttle(start + Duration::from_secs(2));
        assert!((bucket.rate - 5.0).abs() < f64::EPSILON);
        for second in 3..60 {
            bucket.record_response(start + Duration::from_secs(second));
        }
        assert!((bucket.rate - FULL_RATE).abs() < f64::EPSILON);
    }

    #[test]
    fn clients_of_one_account_and_region_share_a_rate_limiter() {
        let limiters = RateLimiters::default();
        let scope = |account: &str, region: &str| RateLimitScope {
            account: account.to_owned(),
            region: region.to_owned(),
            endpoint: None,
        };
        let [first, second, third] = [(); 3].map(|()| Arc::<RateLimiter>::default());
        assert!(Arc::ptr_eq(&limiters.share(scope("1", "eu-west-1"), &first), &first));
        second.record_throttle();
        assert!(Arc::ptr_eq(&limiters.share(scope("1", "eu-west-1"), &second), &first));
        assert!(first.bucket().rate < FULL_RATE, "the throttle of the second client slows both");
        for other in [scope("1", "eu-west-2"), scope("2", "eu-west-1")] {
            assert!(Arc::ptr_eq(&limiters.share(other, &third), &third));
        }
        drop((first, second));
        let fresh = Arc::<RateLimiter>::default();
        assert!(Arc::ptr_eq(&limiters.share(scope("1", "eu-west-1"), &fresh), &fresh), "no client uses the scope");
    }

    #[test]
    fn the_rate_never_falls_below_the_minimum() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        for second in 0..100 {
            bucket.record_throttle(start + Duration::from_secs(second * 2));
        }
        assert!((bucket.rate - MIN_RATE).abs() < f64::EPSILON);
    }

    #[test]
    fn polls_wait_behind_starts_and_starts_do_not_wait_behind_polls() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        bucket.record_throttle(start);
        let now = start + Duration::from_secs(10);
        let polls: Vec<_> = (0..20).map(|_| bucket.reserve(Priority::Poll, now)).collect();
        let starts: Vec<_> = (0..20).map(|_| bucket.reserve(Priority::Start, now)).collect();
        assert_eq!(starts.first(), Some(&now), "a start is sent at once, however many polls wait");
        let later = bucket.reserve(Priority::Poll, now);
        assert!(starts.iter().all(|at| *at <= later) && polls.iter().all(|at| *at <= later));
    }
}
