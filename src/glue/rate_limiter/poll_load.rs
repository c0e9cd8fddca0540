//! How many groups poll an account, and how many calls that takes. It decides how long each of them pauses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::RateLimiter;

/// The groups that poll one account and region, of all kinds and all clients.
#[derive(Debug, Default)]
pub(super) struct PollLoad {
    groups: AtomicUsize,
    /// The calls of the last poll of each group, together.
    calls: AtomicUsize,
}

/// A group among those that poll an account. Dropping it leaves them.
pub struct PollGroup {
    limiter: Arc<RateLimiter>,
    calls: usize,
}

impl PollGroup {
    /// Adds a group. It counts as one call until it has polled.
    #[must_use]
    pub fn join(limiter: Arc<RateLimiter>) -> Self {
        limiter.polls.groups.fetch_add(1, Ordering::Relaxed);
        limiter.polls.calls.fetch_add(1, Ordering::Relaxed);
        Self { limiter, calls: 1 }
    }

    /// Records how many calls the last poll took. `limiter` is the one that the group's client uses now: it changes once
    /// AWS has reported the account.
    pub fn record(&mut self, limiter: Arc<RateLimiter>, calls: usize) {
        if !Arc::ptr_eq(&self.limiter, &limiter) {
            *self = Self::join(limiter);
        }
        self.limiter.polls.calls.fetch_add(calls, Ordering::Relaxed);
        self.limiter.polls.calls.fetch_sub(self.calls, Ordering::Relaxed);
        self.calls = calls;
    }

    /// How many groups poll the account.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.limiter.polls.groups.load(Ordering::Relaxed)
    }

    /// How many calls one poll of all groups takes.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.limiter.polls.calls.load(Ordering::Relaxed)
    }

    /// The calls per second that the account allows now.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.limiter.rate()
    }
}

impl Drop for PollGroup {
    fn drop(&mut self) {
        self.limiter.polls.groups.fetch_sub(1, Ordering::Relaxed);
        self.limiter.polls.calls.fetch_sub(self.calls, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_counted_where_their_calls_are() {
        let [own, shared] = [(); 2].map(|()| Arc::<RateLimiter>::default());
        let (mut first, second) = (PollGroup::join(Arc::clone(&own)), PollGroup::join(Arc::clone(&shared)));
        assert_eq!((second.groups(), second.calls()), (1, 1));
        first.record(Arc::clone(&own), 3);
        first.record(Arc::clone(&shared), 7);
        assert_eq!((second.groups(), second.calls()), (2, 8));
        drop(first);
        assert_eq!((second.groups(), second.calls()), (1, 1));
        let alone = PollGroup::join(own);
        assert_eq!((alone.groups(), alone.calls()), (1, 1));
    }
}
