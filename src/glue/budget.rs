//! How fast one account may be called in one region: starts and stops before polls, slower when AWS throttles.
//!
//! AWS counts by account and region, whoever calls. Which account an identity belongs to only AWS can say, so a
//! client begins with a budget of its own, and shares one with the others of its account as soon as it is named.
//!
//! A token bucket whose rate follows what AWS says: halved at a throttle (at most once a second, since
//! throttles come in bunches), grown back by a quarter for each second of good answers.
//! Glue publishes no rates that would hold for every account, so none is written down here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

/// How urgent a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Starts, stops, and what they wait for.
    Start,
    /// What can wait for the next round.
    Poll,
    /// A token was taken before, see [`Budget::take`].
    Taken,
}

/// Calls per second before AWS has said anything about it.
const FULL_RATE: f64 = 1000.0;
/// Calls per second however much AWS throttles: enough to notice that it stopped.
const LEAST_RATE: f64 = 0.5;
/// Seconds of the rate that may be saved up.
const BURST_SECONDS: f64 = 0.25;

/// The calls that may be made.
#[derive(Debug)]
pub struct Budget {
    bucket: Mutex<Bucket>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bucket: Mutex::new(Bucket::new(Instant::now())) }
    }
}

impl Budget {
    /// Waits for a token.
    pub async fn take(&self, priority: Priority) {
        // The token is handed out as a time from which it may be used, so that nobody waits in a
        // queue that has to be woken, and who asked first goes first.
        let at = self.bucket().reserve(priority, Instant::now());
        tokio::time::sleep_until(at).await;
    }

    /// AWS said: too fast.
    pub fn throttled(&self) {
        self.bucket().throttled(Instant::now());
    }

    /// AWS answered anything else.
    pub fn answered(&self) {
        self.bucket().answered(Instant::now());
    }

    /// What `other` has learnt of AWS holds here, too.
    fn learn_from(&self, other: &Self) {
        let (rate, changed) = {
            let other = other.bucket();
            (other.rate, other.changed)
        };
        let mut bucket = self.bucket();
        if rate < bucket.rate {
            (bucket.rate, bucket.changed) = (rate, changed);
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where AWS counts calls together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Counter {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// Glue's URL, when it is not the usual one.
    pub endpoint: Option<String>,
}

/// The budgets that are in use. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Budgets {
    known: Arc<Mutex<HashMap<Counter, Weak<Budget>>>>,
}

impl Budgets {
    /// The budget that counts there, for a client that has had `own` until now: that becomes it when nobody else
    /// calls there, and else what it has learnt is not lost.
    #[must_use]
    pub fn join(&self, counter: Counter, own: &Arc<Budget>) -> Arc<Budget> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = known.get(&counter).and_then(Weak::upgrade) {
            shared.learn_from(own);
            return shared;
        }
        known.retain(|_, budget| budget.strong_count() > 0);
        known.insert(counter, Arc::downgrade(own));
        Arc::clone(own)
    }
}

#[derive(Debug)]
struct Bucket {
    /// Calls per second.
    rate: f64,
    /// When the next urgent call may go out.
    next_start: Instant,
    /// When the next poll may go out: never before the urgent ones that are already waiting.
    next_poll: Instant,
    /// When the rate was last changed.
    changed: Instant,
}

impl Bucket {
    fn new(now: Instant) -> Self {
        Self { rate: FULL_RATE, next_start: now, next_poll: now, changed: now }
    }

    fn reserve(&mut self, priority: Priority, now: Instant) -> Instant {
        let step = Duration::from_secs_f64(1.0 / self.rate);
        let earliest = now.checked_sub(Duration::from_secs_f64(BURST_SECONDS)).unwrap_or(now);
        let at = match priority {
            Priority::Taken => return now,
            Priority::Start => self.next_start.max(earliest),
            Priority::Poll => self.next_poll.max(self.next_start).max(earliest),
        };
        match priority {
            // A poll may be overtaken by starts that come after it, but takes its token all the same.
            Priority::Poll => self.next_poll = at + step,
            _ => self.next_start = at + step,
        }
        at.max(now)
    }

    fn throttled(&mut self, now: Instant) {
        if self.rate >= FULL_RATE || now.duration_since(self.changed) >= Duration::from_secs(1) {
            // From the full rate, which nobody measured, the first step goes down to something real.
            self.rate = if self.rate >= FULL_RATE { 10.0 } else { (self.rate / 2.0).max(LEAST_RATE) };
            self.changed = now;
        }
    }

    fn answered(&mut self, now: Instant) {
        let elapsed = now.duration_since(self.changed);
        if self.rate < FULL_RATE && elapsed >= Duration::from_secs(1) {
            self.rate = (self.rate * 1.25f64.powf(elapsed.as_secs_f64().min(10.0))).min(FULL_RATE);
            self.changed = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_slows_down_and_good_answers_speed_up_again() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        bucket.throttled(start);
        assert!((bucket.rate - 10.0).abs() < f64::EPSILON);
        bucket.throttled(start);
        assert!((bucket.rate - 10.0).abs() < f64::EPSILON, "a bunch of throttles counts once");
        bucket.throttled(start + Duration::from_secs(2));
        assert!((bucket.rate - 5.0).abs() < f64::EPSILON);
        for second in 3..60 {
            bucket.answered(start + Duration::from_secs(second));
        }
        assert!((bucket.rate - FULL_RATE).abs() < f64::EPSILON);
    }

    #[test]
    fn who_calls_the_same_account_and_region_shares_what_was_learnt() {
        let budgets = Budgets::default();
        let counter = |account: &str, region: &str| Counter {
            account: account.to_owned(),
            region: region.to_owned(),
            endpoint: None,
        };
        let [first, second, third] = [(); 3].map(|()| Arc::<Budget>::default());
        assert!(Arc::ptr_eq(&budgets.join(counter("1", "eu-west-1"), &first), &first));
        second.throttled();
        assert!(Arc::ptr_eq(&budgets.join(counter("1", "eu-west-1"), &second), &first));
        assert!(first.bucket().rate < FULL_RATE, "what the second was told holds for both");
        for other in [counter("1", "eu-west-2"), counter("2", "eu-west-1")] {
            assert!(Arc::ptr_eq(&budgets.join(other, &third), &third));
        }
        drop((first, second));
        let fresh = Arc::<Budget>::default();
        assert!(Arc::ptr_eq(&budgets.join(counter("1", "eu-west-1"), &fresh), &fresh), "nobody calls there any more");
    }

    #[test]
    fn it_never_stops_altogether() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        for second in 0..100 {
            bucket.throttled(start + Duration::from_secs(second * 2));
        }
        assert!((bucket.rate - LEAST_RATE).abs() < f64::EPSILON);
    }

    #[test]
    fn polls_wait_behind_starts_and_starts_do_not_wait_behind_polls() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        bucket.throttled(start);
        let now = start + Duration::from_secs(10);
        let polls: Vec<_> = (0..20).map(|_| bucket.reserve(Priority::Poll, now)).collect();
        let urgent: Vec<_> = (0..20).map(|_| bucket.reserve(Priority::Start, now)).collect();
        assert_eq!(urgent.first(), Some(&now), "a start goes out at once however many polls wait");
        let later = bucket.reserve(Priority::Poll, now);
        assert!(urgent.iter().all(|at| *at <= later) && polls.iter().all(|at| *at <= later));
    }
}
