//! The groups, their watched items and the subscriptions. Pure, apart from the clock.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::debug;

use super::failing::Failing;
use super::{Observation, PollRequest, PollResult, Report, Source};

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
    /// Shortens the pause before the next poll.
    poll_soon: Arc<Notify>,
}

struct WatchedItem<T, R> {
    subscribers: HashSet<R>,
    last: Option<Observation<T>>,
    /// The page of the list that showed the item last, or where it is at least.
    page: Option<usize>,
    /// What is known of its polls while they fail.
    failing: Option<Failing>,
    /// Since when the item is watched, or when it was last refreshed. The poll interval grows from here.
    since: Instant,
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
                let poll_soon = Arc::<Notify>::default();
                spawn(source, Arc::clone(&poll_soon));
                entry.insert(Group { items: HashMap::new(), poll_soon })
            }
        };
        let now = Instant::now();
        let item = group.items.entry(id.to_owned()).or_insert_with(|| {
            self.live += 1;
            WatchedItem {
                subscribers: HashSet::new(),
                last: None,
                page: None,
                failing: None,
                since: now,
                changed_at: now,
                refreshed_at: now,
            }
        });
        item.subscribers.insert(subscriber.clone());
        let error = item.failing.as_ref().and_then(Failing::reported);
        Report { observation: item.last.clone(), error: error.cloned() }
    }

    fn unsubscribe(&mut self, source: &S, id: &str, subscriber: &R) {
        let Some(group) = self.groups.get_mut(source) else {
            return;
        };
        if let Some(item) = group.items.get_mut(id) {
            item.subscribers.remove(subscriber);
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
            item.since = item.refreshed_at;
            if let Some(failing) = &mut item.failing {
                failing.pauses_until = item.refreshed_at;
            }
        }
        group.poll_soon.notify_one();
    }

    /// See [`super::Poller::poll_soon`].
    pub(crate) fn poll_soon(&self, source: &S) {
        if let Some(group) = self.groups.get(source) {
            group.poll_soon.notify_one();
        }
    }

    /// The age of the youngest item of a group.
    pub(crate) fn youngest(&self, source: &S) -> Duration {
        let now = Instant::now();
        let group = self.groups.get(source);
        let youngest = group.and_then(|group| group.items.values().map(|item| now - item.since).min());
        youngest.unwrap_or_default()
    }

    /// The unfinished items of a group that are to be polled now, those first that do not fail. `None` when there is no
    /// unfinished item: the group is removed then, since it has reported all its finished items, and a later
    /// subscription opens it again.
    pub(crate) fn poll_requests(&mut self, source: &S) -> Option<Vec<PollRequest<S::Item>>> {
        let group = self.groups.get(source)?;
        let now = Instant::now();
        let unfinished = || group.items.iter().filter(|(_, item)| !is_finished::<S>(item.last.as_ref()));
        if unfinished().next().is_none() {
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
        Some(requests)
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

    /// Applies the results of a poll that was sent at `polled_at`, and returns the subscribers to requeue.
    pub(crate) fn apply(&mut self, source: &S, polled_at: Instant, results: Vec<PollResult<S::Item>>) -> HashSet<R> {
        let mut changed = HashSet::new();
        let Some(group) = self.groups.get_mut(source) else {
            return changed;
        };
        let now = Instant::now();
        for result in results {
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
                        item.last = Some(observation);
                        item.changed_at = now;
                    }
                    is_new || was_reported
                }
                Err(error) => {
                    debug!(%error, id = result.id, "a poll failed");
                    let (failing, is_news) = Failing::record(item.failing.take(), error, now, self.base_interval);
                    item.failing = Some(failing);
                    is_news
                }
            };
            if is_news {
                changed.extend(item.subscribers.iter().cloned());
            }
        }
        changed
    }
}

fn is_finished<S: Source>(observation: Option<&Observation<S::Item>>) -> bool {
    match observation {
        Some(Observation::Present(item)) => S::is_finished(item),
        // An item that is not found may appear later, such as right after its start. It is polled on.
        Some(Observation::NotFound) | None => false,
    }
}
