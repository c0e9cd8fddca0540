//! Glue as a watch: one task per group polls Glue, compares, and requeues the subscribers whose item changed.
//!
//! A group is what one call can show, such as the runs of one job for one client. A subscriber watches an item with
//! [`Poller::watch`] and gets the last observation of it. When the observation changes, the poller requeues the
//! subscriber. A finished item is not polled any more, and the task of a group ends when no unfinished item is left.

mod state;

use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use self::state::State;
use super::{Error, poll_plan};

/// A group of items that are polled together. Equal sources are one group.
pub trait Source: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// An item as Glue shows it.
    type Item: Clone + PartialEq + Send + Sync + 'static;

    /// What makes the calls.
    type Client: PartialEq;

    /// The client that polls. The poll interval grows with the number of groups of one client.
    fn client(&self) -> &Self::Client;

    /// Polls all `requests`. An item without a result keeps its last observation.
    fn poll(
        &self,
        requests: Vec<PollRequest<Self::Item>>,
    ) -> impl Future<Output = Result<Vec<PollResult<Self::Item>>, Error>> + Send;

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
    /// The page of the list that showed the item last.
    pub page: Option<usize>,
}

/// What one poll showed of an item.
#[derive(Clone, Debug)]
pub struct PollResult<T> {
    /// The id of the request.
    pub id: String,
    /// What Glue shows.
    pub observation: Observation<T>,
    /// The page of the list that showed the item; `None` where it was read by id.
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
    /// The error of the last poll, while polls fail.
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
        let state = Mutex::new(State::default());
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

    /// How many other subscribers the items of `subscriber` have.
    #[must_use]
    pub fn other_subscribers(&self, subscriber: &R) -> usize {
        self.state().other_subscribers(subscriber)
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
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.interval(&source)) => {}
                () = poll_soon.notified() => tokio::time::sleep(self.shared.base_interval / 5).await,
            }
            let Some(requests) = self.state().poll_requests(&source) else {
                return;
            };
            let polled_at = Instant::now();
            let results = source.poll(requests).await;
            let changed = self.state().apply(&source, polled_at, results);
            for subscriber in changed {
                (self.shared.requeue)(subscriber);
            }
        }
    }

    /// The pause before the next poll of a group, with a jitter of a tenth so that groups spread out.
    fn interval(&self, source: &S) -> Duration {
        let (groups, youngest) = self.state().load(source);
        poll_plan::interval(self.shared.base_interval, groups, youngest).mul_f64(0.9 + 0.2 * fastrand::f64())
    }

    fn state(&self) -> MutexGuard<'_, State<S, R>> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
