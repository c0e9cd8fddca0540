//! The groups, their watched items and the subscriptions. Pure, apart from the clock.

mod siblings;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::debug;

use super::failing::Failing;
use super::urgency::{self, UsualDuration};
use super::{Extras, Observation, Pause, PollRequest, Polled, Report, Source};
use crate::glue::rate_limiter::{News, Pace};

/// How soon a poll that an object waits for is made, as a part of the base interval.
const SOON: u32 = 5;
/// After how many base intervals the pace of a waiting group is computed again at the latest.
const LOOK_AGAIN: u32 = 12;
/// How long after a poll asked for the history in vain another one does.
const HISTORY_AGAIN: Duration = Duration::from_hours(1);
/// For how long an item that has finished is kept for subscribers that have not seen it.
const KEPT_FOR: Duration = Duration::from_mins(10);

/// The groups of one poller.
pub(crate) struct State<S: Source, R> {
    groups: HashMap<S, Group<S::Item, R>>,
    /// The items of each subscriber.
    subscriptions: HashMap<R, Vec<(S, String)>>,
    /// How many watched items are not finished.
    live: usize,
    base_interval: Duration,
}

struct Group<T, R> {
    items: HashMap<String, WatchedItem<T, R>>,
    /// Has the group compute its pace again.
    wake: Arc<Notify>,
    /// From when on an object waits for a poll.
    requested_at: Option<Instant>,
    /// How long a change may stay unseen, when that was last computed.
    tolerance: Duration,
    /// When the last poll was sent.
    polled_at: Option<Instant>,
    /// When the poll of a sibling last showed that nothing has changed.
    unchanged_at: Option<Instant>,
    /// What the poll of a sibling showed since.
    news: News,
    /// How many groups its polls inform, with itself.
    informs: usize,
    /// How long items usually last.
    usual: Option<UsualDuration>,
    /// When a poll last asked for it.
    history_asked_at: Option<Instant>,
}

struct WatchedItem<T, R> {
    subscribers: HashSet<R>,
    /// Those that have not seen yet that it has finished.
    unaware: HashSet<R>,
    last: Option<Observation<T>>,
    /// The page of the list that showed the item last, or where it is at least.
    page: Option<usize>,
    /// What is known of its polls while they fail.
    failing: Option<Failing>,
    /// Since when the item is watched, or when it was last refreshed.
    since: Instant,
    /// How old it was at a time, where Glue shows when it began.
    age: Option<(Instant, Duration)>,
    /// When the observation last changed.
    changed_at: Instant,
    /// Results of polls from before this are stale.
    refreshed_at: Instant,
}

impl<S: Source, R: Clone + Eq + Hash> State<S, R> {
    pub(crate) fn new(base_interval: Duration) -> Self {
        Self { groups: HashMap::new(), subscriptions: HashMap::new(), live: 0, base_interval }
    }

    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// Records `items` as the subscriptions of `subscriber`, and ends its others.
    pub(crate) fn replace_subscriptions(&mut self, items: &[(S, String)], subscriber: &R) {
        let before = self.subscriptions.insert(subscriber.clone(), items.to_vec()).unwrap_or_default();
        for (source, id) in before.iter().filter(|item| !items.contains(item)) {
            self.unsubscribe(source, id, subscriber);
        }
    }

    /// Adds `subscriber` to an item. `spawn` starts the task of a new group.
    pub(crate) fn subscribe(
        &mut self,
        source: &S,
        id: &str,
        subscriber: &R,
        spawn: impl FnOnce(&S, Arc<Notify>),
    ) -> Report<S::Item> {
        let group = match self.groups.entry(source.clone()) {
            Entry::Occupied(group) => group.into_mut(),
            Entry::Vacant(entry) => {
                let wake = Arc::<Notify>::default();
                spawn(source, Arc::clone(&wake));
                entry.insert(Group::new(wake))
            }
        };
        let now = Instant::now();
        let item = group.items.entry(id.to_owned()).or_insert_with(|| {
            self.live += 1;
            if !group.tolerance.is_zero() {
                group.wake.notify_one();
            }
            WatchedItem {
                subscribers: HashSet::new(),
                unaware: HashSet::new(),
                last: None,
                page: None,
                failing: None,
                since: now,
                age: None,
                changed_at: now,
                refreshed_at: now,
            }
        });
        item.subscribers.insert(subscriber.clone());
        item.unaware.remove(subscriber);
        let error = item.failing.as_ref().and_then(Failing::reported);
        Report { observation: item.last.clone(), error: error.cloned() }
    }

    fn unsubscribe(&mut self, source: &S, id: &str, subscriber: &R) {
        let Some(group) = self.groups.get_mut(source) else {
            return;
        };
        if let Some(item) = group.items.get_mut(id) {
            item.subscribers.remove(subscriber);
            item.unaware.remove(subscriber);
            if item.subscribers.is_empty() {
                self.live -= usize::from(!is_finished::<S>(item.last.as_ref()));
                group.items.remove(id);
            }
        }
    }

    /// See [`super::Poller::forget`].
    pub(crate) fn forget(&mut self, subscriber: &R) {
        for (source, id) in self.subscriptions.remove(subscriber).unwrap_or_default() {
            self.unsubscribe(&source, &id, subscriber);
        }
    }

    /// See [`super::Poller::refresh`].
    pub(crate) fn refresh(&mut self, source: &S, id: &str) {
        let Some(group) = self.groups.get_mut(source) else { return };
        if let Some(item) = group.items.get_mut(id) {
            self.live += usize::from(is_finished::<S>(item.last.as_ref()));
            item.last = None;
            item.refreshed_at = Instant::now();
            // A changed item is polled as often as a new one.
            (item.since, item.age) = (item.refreshed_at, None);
            if let Some(failing) = &mut item.failing {
                failing.pauses_until = item.refreshed_at;
            }
        }
        self.poll_soon(source);
    }

    /// Has a group compute its pace again.
    pub(crate) fn wake(&self, source: &S) {
        if let Some(group) = self.groups.get(source) {
            group.wake.notify_one();
        }
    }

    /// See [`super::Poller::poll_soon`].
    pub(crate) fn poll_soon(&mut self, source: &S) {
        if let Some(group) = self.groups.get_mut(source) {
            group.requested_at.get_or_insert(Instant::now() + self.base_interval / SOON);
            group.wake.notify_one();
        }
    }

    /// The pace of a group, and after what time it is to be computed again.
    pub(crate) fn pace(&mut self, source: &S) -> (Pace, Duration) {
        let (base, now) = (self.base_interval, Instant::now());
        let Some(group) = self.groups.get_mut(source) else { return (Pace::new(base), base) };
        if let Some(pause) = source.pause(group.items.keys().map(String::as_str)) {
            // What is known already is there for those who have just come.
            let is_new = |item: &WatchedItem<_, _>| item.last.is_none() && item.failing.is_none();
            let is_awaited = group.items.values().any(is_new);
            let pause = if is_awaited { Pause::Short } else { pause }.duration(base);
            group.tolerance = pause;
            let pace = Pace { tolerance: pause, requested_at: group.requested_at, ..Pace::new(pause / 3) };
            return (pace, base * LOOK_AGAIN);
        }
        let unfinished = group.items.values().filter(|item| !is_finished::<S>(item.last.as_ref()));
        let tolerance = unfinished.map(|item| urgency::tolerance(item.age(now), group.usual)).min();
        group.tolerance = tolerance.unwrap_or_default();
        // What may change at any moment does not become more urgent.
        let latest = base * LOOK_AGAIN;
        let again_after = if group.tolerance <= base { latest } else { group.tolerance.min(latest) };
        let pace = Pace {
            tolerance: group.tolerance,
            requested_at: group.requested_at,
            unchanged_at: group.unchanged_at,
            news: group.news,
            informs: group.informs,
            ..Pace::new(base)
        };
        (pace, again_after)
    }

    /// The unfinished items of a group that are to be polled now, those first that do not fail, and whether the poll asks
    /// for the history. `None` when there is no unfinished item and the subscribers have seen that: the group is removed
    /// then, and a later subscription opens it again.
    #[allow(clippy::type_complexity)]
    pub(crate) fn poll_requests(&mut self, source: &S) -> Option<(Vec<PollRequest<S::Item>>, Extras)> {
        let siblings = self.has_siblings(source);
        let group = self.groups.get_mut(source)?;
        let now = Instant::now();
        // This is the poll that was asked for, whether or not there is anything to ask.
        group.requested_at.take_if(|at| *at <= now);
        group.news = News::Nothing;
        let unfinished = || group.items.iter().filter(|(_, item)| !is_finished::<S>(item.last.as_ref()));
        if unfinished().next().is_none() {
            let is_kept = |item: &WatchedItem<_, _>| {
                !item.unaware.is_empty() && now.saturating_duration_since(item.changed_at) < KEPT_FOR
            };
            if group.items.values().any(is_kept) {
                return Some((Vec::new(), Extras::default()));
            }
            self.remove_group(source);
            return None;
        }
        let is_due = |item: &WatchedItem<_, _>| item.failing.as_ref().is_none_or(|failing| failing.pauses_until <= now);
        let mut requests: Vec<_> = unfinished()
            .filter(|(_, item)| is_due(item))
            .map(|(id, item)| PollRequest {
                id: id.clone(),
                last: item.last.clone(),
                unchanged_for: now - item.changed_at,
                page: item.page,
                failures: item.failing.as_ref().map_or(0, Failing::polls),
            })
            .collect();
        requests.sort_by_key(|request| request.failures);
        let is_old = || unfinished().all(|(_, item)| item.age(now) > urgency::FRESH);
        let was_asked = group.history_asked_at.is_some_and(|at| now.saturating_duration_since(at) < HISTORY_AGAIN);
        let history = group.usual.is_none() && !was_asked && !requests.is_empty() && is_old();
        if history {
            group.history_asked_at = Some(now);
        }
        Some((requests, Extras { history, siblings }))
    }

    fn remove_group(&mut self, source: &S) {
        let Some(group) = self.groups.remove(source) else { return };
        for subscriber in group.items.into_values().flat_map(|item| item.subscribers) {
            if let Some(items) = self.subscriptions.get_mut(&subscriber) {
                items.retain(|(other, _)| other != source);
                if items.is_empty() {
                    self.subscriptions.remove(&subscriber);
                }
            }
        }
    }

    /// Applies what a poll showed that was sent at `polled_at`. `time` is the time of now.
    pub(crate) fn apply(
        &mut self,
        source: &S,
        polled_at: Instant,
        time: Timestamp,
        polled: Polled<S::Item>,
    ) -> Applied<S, R> {
        let mut changed = HashSet::new();
        let Some(group) = self.groups.get_mut(source) else {
            return Applied { changed, informed: Vec::new() };
        };
        let now = Instant::now();
        group.polled_at = Some(polled_at);
        group.usual = polled.usual.or(group.usual);
        for result in polled.results {
            let Some(item) = group.items.get_mut(&result.id).filter(|item| item.refreshed_at <= polled_at) else {
                continue;
            };
            item.page = result.page.or(item.page);
            let is_news = match result.answer {
                Ok(observation) => {
                    let was_reported = item.failing.take().is_some_and(|failing| failing.reported().is_some());
                    let is_new = item.last.as_ref() != Some(&observation);
                    if is_new {
                        self.live += usize::from(is_finished::<S>(item.last.as_ref()));
                        self.live -= usize::from(is_finished::<S>(Some(&observation)));
                        if is_finished::<S>(Some(&observation)) {
                            item.unaware.clone_from(&item.subscribers);
                        }
                        item.age = age::<S>(&observation, time).map(|age| (now, age));
                        item.last = Some(observation);
                        item.changed_at = now;
                    }
                    is_new || was_reported
                }
                Err(error) => {
                    debug!(error = error.summary(), id = result.id, "a poll failed");
                    let (failing, is_news) = Failing::record(item.failing.take(), error, now, self.base_interval);
                    item.failing = Some(failing);
                    is_news
                }
            };
            if is_news {
                changed.extend(item.subscribers.iter().cloned());
            }
        }
        Applied { changed, informed: self.inform_siblings(source, polled_at, &polled.seen) }
    }
}

/// What follows from a poll.
pub(crate) struct Applied<S, R> {
    /// The subscribers to requeue.
    pub(crate) changed: HashSet<R>,
    /// The siblings of the group that have another pace now.
    pub(crate) informed: Vec<S>,
}

impl<T, R> Group<T, R> {
    fn new(wake: Arc<Notify>) -> Self {
        Self {
            items: HashMap::new(),
            wake,
            requested_at: None,
            tolerance: Duration::ZERO,
            polled_at: None,
            unchanged_at: None,
            news: News::Nothing,
            informs: 1,
            usual: None,
            history_asked_at: None,
        }
    }
}

impl<T, R> WatchedItem<T, R> {
    /// How old it is, or for how long it is watched, where Glue does not show that.
    fn age(&self, now: Instant) -> Duration {
        match self.age {
            Some((at, age)) => age + now.saturating_duration_since(at),
            None => now.saturating_duration_since(self.since),
        }
    }
}

/// How old an item is; nothing for one that begins later by this clock.
fn age<S: Source>(observation: &Observation<S::Item>, time: Timestamp) -> Option<Duration> {
    let Observation::Present(item) = observation else { return None };
    Some(time.duration_since(S::started_at(item)?).try_into().unwrap_or_default())
}

fn is_finished<S: Source>(observation: Option<&Observation<S::Item>>) -> bool {
    match observation {
        Some(Observation::Present(item)) => S::is_finished(item),
        // An item that is not found may appear later, such as right after its start. It is polled on.
        Some(Observation::NotFound) | None => false,
    }
}
