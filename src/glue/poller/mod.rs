//! Glue as a watch: one task per group polls Glue, compares, and requeues the subscribers whose item changed.
//!
//! A group is what one call can show, such as the runs of one job for one client. A subscriber watches an item with
//! [`Poller::watch`] and gets the last observation of it. When the observation changes, the poller requeues the
//! subscriber. A finished item is not polled any more, and the task of a group ends when no unfinished item is left.
//!
//! When a group polls is decided by [`super::rate_limiter`], for all groups of an account together: the poller reports how
//! long a change may stay unseen (`urgency`), and waits for its turn.
//!
//! Groups of several clients can be about the same job of an account: siblings. Each shows its objects only what AWS
//! answered to its own client, since what that may see is AWS's decision. But what one of them is shown tells the others
//! whether they have to ask: see [`Source::is_sibling_of`].
//!
//! The answers of a poll count one by one: an error of one item changes nothing for the others. See `failing` for when a
//! subscriber hears of an error.

pub(crate) mod calls;
pub(crate) mod client;
mod failing;
mod list_plan;
pub(crate) mod listing;
mod state;
mod urgency;

use std::collections::HashMap;
use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use self::state::State;
pub use self::urgency::UsualDuration;
use super::rate_limiter::{ClientId, News, PollGroup, RateLimiter};
use super::{Error, ErrorKind};

/// A group of items that are polled together. Equal sources are one group.
pub trait Source: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// An item as Glue shows it.
    type Item: Clone + PartialEq + Send + Sync + 'static;

    /// The rate limiter of the account that is polled. All groups of an account share what it allows.
    fn limiter(&self) -> Arc<RateLimiter>;

    /// The client that polls. The clients of an account take turns.
    fn client_id(&self) -> ClientId;

    /// Polls all `requests`, those first that do not fail. An item without a result keeps its last observation.
    fn poll(
        &self,
        requests: Vec<PollRequest<Self::Item>>,
        extras: Extras,
    ) -> impl Future<Output = Polled<Self::Item>> + Send;

    /// Whether the item will never change again.
    fn is_finished(item: &Self::Item) -> bool;

    /// When the item began, by Glue's clock, where that shows how soon it may end.
    fn started_at(_: &Self::Item) -> Option<Timestamp> {
        None
    }

    /// How long after a poll the group polls again, where the ages of its items, `ids`, do not show that: it comes after
    /// groups that may change soon.
    fn pause<'a>(&self, _ids: impl Iterator<Item = &'a str>) -> Option<Pause> {
        None
    }

    /// Whether the group of another client is about the same resource of the same account, so that the polls of one can
    /// show that something has changed for the other.
    fn is_sibling_of(&self, _: &Self) -> bool {
        false
    }

    /// The id under which Glue shows the item now, where that is not the id that is watched.
    fn current_id(_: &Self::Item) -> Option<&str> {
        None
    }

    /// What a sibling was shown, `seen`, means for the group that last observed `last`, or nothing yet. `None` where that is
    /// not clear.
    fn news(last: Option<&Self::Item>, seen: &Self::Item) -> Option<News> {
        Some(last.map_or(News::Unseen, |last| if last == seen { News::Nothing } else { News::Changed }))
    }
}

/// How long a group pauses between two polls, where its source says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// A fifth of the base interval: there is more to read.
    Short,
    /// The base interval.
    Usual,
    /// Twelve base intervals, a minute by default: what Glue refused may be allowed soon.
    Long,
    /// As long as this.
    For(Duration),
}

impl Pause {
    fn duration(self, base: Duration) -> Duration {
        match self {
            Self::Short => base / 5,
            Self::Usual => base,
            Self::Long => base * 12,
            Self::For(pause) => pause,
        }
    }
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

/// What a poll is to show beside what it must, if that takes no more calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras {
    /// What items usually last.
    pub history: bool,
    /// What siblings watch.
    pub siblings: bool,
}

/// What a poll came to.
#[derive(Clone, Debug)]
pub struct Polled<T> {
    /// What it showed, as far as it got.
    pub results: Vec<PollResult<T>>,
    /// How many calls it took.
    pub calls: usize,
    /// How long items of the group usually last, as far as it showed that.
    pub usual: Option<UsualDuration>,
    /// All items that it showed by id, where siblings want to know.
    pub seen: HashMap<String, T>,
}

impl<T> Polled<T> {
    /// What comes of a poll that panicked, which is a defect of this program.
    fn panicked(requests: Vec<PollRequest<T>>) -> Self {
        let error = Arc::new(Error {
            operation: "poll",
            object: "Glue".to_owned(),
            kind: ErrorKind::Transient,
            code: "Panicked".to_owned(),
            message: "a defect of kube-glue, and the controller's log says where: please report it".to_owned(),
        });
        let failed =
            |request: PollRequest<T>| PollResult { id: request.id, answer: Err(Arc::clone(&error)), page: None };
        Self { results: requests.into_iter().map(failed).collect(), calls: 0, usual: None, seen: HashMap::new() }
    }
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
    requeue: Box<dyn Fn(R) + Send + Sync>,
    /// Called with each pause between two polls of a group.
    on_pause: Box<dyn Fn(Duration) + Send + Sync>,
    /// The time by which ages are known.
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    state: Mutex<State<S, R>>,
}

impl<S: Source, R: Clone + Eq + Hash + Send + Sync + 'static> Poller<S, R> {
    /// A poller that polls a group every `base_interval` if its items may change soon and the account allows it. It calls
    /// `requeue` for each subscriber whose item changed, and `on_pause` with each pause between two polls of a group.
    #[must_use]
    pub fn new(
        base_interval: Duration,
        requeue: impl Fn(R) + Send + Sync + 'static,
        on_pause: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Self {
        Self::with_clock(base_interval, Timestamp::now, requeue, on_pause)
    }

    /// A poller with another clock.
    pub(crate) fn with_clock(
        base_interval: Duration,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        requeue: impl Fn(R) + Send + Sync + 'static,
        on_pause: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Self {
        let (requeue, on_pause, clock) = (Box::new(requeue), Box::new(on_pause), Box::new(clock));
        Self { shared: Arc::new(Shared { requeue, on_pause, clock, state: Mutex::new(State::new(base_interval)) }) }
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
        let spawn = |source: &S, wake: Arc<Notify>| {
            tokio::spawn(self.clone().run(source.clone(), wake));
        };
        items.iter().map(|(source, id)| state.subscribe(source, id, subscriber, spawn)).collect()
    }

    /// Discards the observation of `id`, and the result of a poll that is under way, since the caller has just changed
    /// the item. The group polls soon.
    pub fn refresh(&self, source: &S, id: &str) {
        self.state().refresh(source, id);
    }

    /// Has the group of `source` poll after a fifth of the base interval, whatever is allowed: an object waits for it.
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
    async fn run(self, source: S, wake: Arc<Notify>) {
        let mut group = PollGroup::join(source.limiter(), source.client_id(), Arc::clone(&wake));
        let mut paused_since = None;
        loop {
            self.turn(&source, &group, &wake).await;
            let Some((requests, extras)) = self.state().poll_requests(&source) else {
                return;
            };
            if requests.is_empty() {
                group.record(source.limiter(), 0);
                continue;
            }
            let polled_at = Instant::now();
            if let Some(since) = paused_since {
                (self.shared.on_pause)(polled_at - since);
            }
            let polled = match AssertUnwindSafe(source.poll(requests, extras)).catch_unwind().await {
                Ok(polled) => polled,
                // A task that ends would leave its subscribers waiting for ever.
                Err(_) => Polled::panicked(self.state().poll_requests(&source).unwrap_or_default().0),
            };
            paused_since = Some(Instant::now());
            let calls = polled.calls;
            let applied = self.state().apply(&source, polled_at, (self.shared.clock)(), polled);
            for sibling in &applied.informed {
                self.state().wake(sibling);
            }
            group.record(source.limiter(), calls);
            for subscriber in applied.changed {
                (self.shared.requeue)(subscriber);
            }
        }
    }

    /// Waits until it is the group's turn. How urgent that is changes meanwhile.
    async fn turn(&self, source: &S, group: &PollGroup, wake: &Notify) {
        loop {
            let (pace, again_after) = self.state().pace(source);
            if group.is_turn(pace) {
                return;
            }
            tokio::select! {
                () = wake.notified() => {}
                () = tokio::time::sleep(again_after) => {}
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<S, R>> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
