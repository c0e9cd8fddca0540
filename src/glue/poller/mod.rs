//! Glue as a watch: one task per group polls Glue, compares, and requeues the subscribers whose item changed.
//!
//! A group is what one call can show, such as the runs of one job for one client. A subscriber watches an item with
//! [`Poller::watch`] and gets the last observation of it. When the observation changes, the poller requeues the
//! subscriber. A finished item is not polled any more, and the task of a group ends when no unfinished item is left.
//!
//! The answers of a poll count one by one: an error of one item changes nothing for the others. See `failing` for when a
//! subscriber hears of an error.

pub(crate) mod calls;
mod failing;
pub(crate) mod pause;
mod state;

use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use self::pause::Load;
pub(crate) use self::state::State;
use super::Error;
use super::rate_limiter::{PollGroup, RateLimiter};

/// After how many base intervals a pause is computed again.
const LOOK_AGAIN: u32 = 12;

/// A group of items that are polled together. Equal sources are one group.
pub trait Source: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// An item as Glue shows it.
    type Item: Clone + PartialEq + Send + Sync + 'static;

    /// The rate limiter of the account that is polled. All groups of an account share what it allows.
    fn limiter(&self) -> Arc<RateLimiter>;

    /// Polls all `requests`, those first that do not fail. An item without a result keeps its last observation.
    fn poll(&self, requests: Vec<PollRequest<Self::Item>>) -> impl Future<Output = Polled<Self::Item>> + Send;

    /// Whether the item will never change again.
    fn is_finished(item: &Self::Item) -> bool;
}

/// An item to poll.
#[derive(Clone, Debug)]
pub struct PollRequest<T> {
    /// The item's id in the group.
    pub id: String,
    /// The last observation.
    pub last: Option<Observation<T>>,
    /// How long ago the observation last changed.
    pub unchanged_for: Duration,
    /// The page of the list that showed the item last, or where it is at least.
    pub page: Option<usize>,
    /// How many polls in a row failed.
    pub failures: u32,
}

/// What a poll came to.
#[derive(Clone, Debug)]
pub struct Polled<T> {
    /// What it showed, as far as it got.
    pub results: Vec<PollResult<T>>,
    /// How many calls it took.
    pub calls: usize,
}

/// What one poll showed of an item.
#[derive(Clone, Debug)]
pub struct PollResult<T> {
    /// The id of the request.
    pub id: String,
    /// What Glue shows, or why it does not.
    pub answer: Result<Observation<T>, Arc<Error>>,
    /// The page of the list that showed the item, or where it is at least; `None` leaves it.
    pub page: Option<usize>,
}

/// What Glue shows of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation<T> {
    /// The item exists.
    Present(T),
    /// Glue reports that it does not exist.
    NotFound,
}

impl<T> From<Option<T>> for Observation<T> {
    fn from(item: Option<T>) -> Self {
        item.map_or(Self::NotFound, Self::Present)
    }
}

/// What the poller knows of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Report<T> {
    /// The last observation; `None` before the first poll and after [`Poller::refresh`].
    pub observation: Option<Observation<T>>,
    /// Why polls of the item fail, once that has lasted.
    pub error: Option<Arc<Error>>,
}

/// Of an item that is not watched.
impl<T> Default for Report<T> {
    fn default() -> Self {
        Self { observation: None, error: None }
    }
}

/// Polls items for subscribers `R`. Cheap to clone.
pub struct Poller<S: Source, R> {
    shared: Arc<Shared<S, R>>,
}

impl<S: Source, R> Clone for Poller<S, R> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

struct Shared<S: Source, R> {
    base_interval: Duration,
    requeue: Box<dyn Fn(R) + Send + Sync>,
    state: Mutex<State<S, R>>,
}

impl<S: Source, R: Clone + Eq + Hash + Send + Sync + 'static> Poller<S, R> {
    /// A poller that polls a young group every `base_interval`, and calls `requeue` for each subscriber whose item
    /// changed.
    #[must_use]
    pub fn new(base_interval: Duration, requeue: impl Fn(R) + Send + Sync + 'static) -> Self {
        let state = Mutex::new(State::new(base_interval));
        Self { shared: Arc::new(Shared { base_interval, requeue: Box::new(requeue), state }) }
    }

    /// Replaces all subscriptions of `subscriber` by one to `id` of `source`.
    #[must_use]
    pub fn watch(&self, source: &S, id: &str, subscriber: &R) -> Report<S::Item> {
        let reports = self.watch_all(&[(source.clone(), id.to_owned())], subscriber);
        reports.into_iter().next().unwrap_or_default()
    }

    /// Replaces all subscriptions of `subscriber` by these `items`, and reports on each in their order.
    #[must_use]
    pub fn watch_all(&self, items: &[(S, String)], subscriber: &R) -> Vec<Report<S::Item>> {
        let mut state = self.state();
        state.replace_subscriptions(items, subscriber);
        let spawn = |source: &S, poll_soon: Arc<Notify>| {
            tokio::spawn(self.clone().run(source.clone(), poll_soon));
        };
        items.iter().map(|(source, id)| state.subscribe(source, id, subscriber, spawn)).collect()
    }

    /// Discards the observation of `id`, and the result of a poll that is under way, since the caller has just changed
    /// the item. The group polls soon.
    pub fn refresh(&self, source: &S, id: &str) {
        self.state().refresh(source, id);
    }

    /// Has the group of `source` poll after a fifth of the base interval.
    pub fn poll_soon(&self, source: &S) {
        self.state().poll_soon(source);
    }

    /// Ends all subscriptions of `subscriber`.
    pub fn forget(&self, subscriber: &R) {
        self.state().forget(subscriber);
    }

    /// How many watched items are not finished.
    #[must_use]
    pub fn live(&self) -> usize {
        self.state().live()
    }

    /// Polls one group until no unfinished item is left.
    async fn run(self, source: S, poll_soon: Arc<Notify>) {
        let mut group = PollGroup::join(source.limiter());
        loop {
            self.pause(&source, &group, &poll_soon).await;
            let Some(requests) = self.state().poll_requests(&source) else {
                return;
            };
            if requests.is_empty() {
                continue;
            }
            let polled_at = Instant::now();
            let Polled { results, calls } = source.poll(requests).await;
            group.record(source.limiter(), calls);
            let changed = self.state().apply(&source, polled_at, results);
            for subscriber in changed {
                (self.shared.requeue)(subscriber);
            }
        }
    }

    /// The pause before the next poll of a group, with a jitter of a tenth so that groups spread out. A long pause gets
    /// shorter when the account recovers.
    async fn pause(&self, source: &S, group: &PollGroup, poll_soon: &Notify) {
        let (from, jitter) = (Instant::now(), 0.9 + 0.2 * fastrand::f64());
        let base = self.shared.base_interval;
        loop {
            let load = Load { groups: group.groups(), calls: group.calls(), rate: group.rate() };
            let youngest = self.state().youngest(source);
            let left = pause::pause(base, load, youngest).mul_f64(jitter).saturating_sub(from.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(base * LOOK_AGAIN)) => {}
                () = poll_soon.notified() => return tokio::time::sleep(base / 5).await,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<S, R>> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
