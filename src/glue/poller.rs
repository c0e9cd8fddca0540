//! Glue as a watch: one task per group asks Glue, compares, and wakes only those whose thing changed.
//!
//! A group is what one call can show: the runs of one job for one client. A reconcile says what it
//! waits for with [`Poller::watch`] and gets what is known by now; when that changes, its object is
//! sent to the waker and reconciled again. A group's task ends with the last thing that somebody waits
//! for, and what is over is not asked for any more.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::debug;

use super::{Error, poll_plan};

/// One group of things that are asked for together. Equal sources are one group.
pub trait Source: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// A thing as Glue shows it.
    type Item: Clone + PartialEq + Send + Sync + 'static;

    /// Who asks.
    type Client: PartialEq;

    /// The client that asks; groups of one client share its pace.
    fn client(&self) -> &Self::Client;

    /// Asks for everything in `wanted`. What the answer leaves out stays as it was.
    fn ask(
        &self,
        wanted: Vec<Wanted<Self::Item>>,
    ) -> impl Future<Output = Result<Vec<Observed<Self::Item>>, Error>> + Send;

    /// Whether the thing will not change any more.
    fn is_finished(item: &Self::Item) -> bool;
}

/// A thing that somebody waits for.
#[derive(Clone, Debug)]
pub struct Wanted<T> {
    /// Its id in the group.
    pub id: String,
    /// What was seen last.
    pub last: Option<Observation<T>>,
    /// For how long it has looked so.
    pub unchanged_for: Duration,
    /// The page of the list on which it was seen last.
    pub page: Option<usize>,
}

/// A thing as one poll saw it.
#[derive(Clone, Debug)]
pub struct Observed<T> {
    /// The id that it was wanted by.
    pub id: String,
    /// What was seen.
    pub observation: Observation<T>,
    /// The page of the list on which it stood, when a list showed it.
    pub page: Option<usize>,
}

/// What Glue shows of a thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation<T> {
    /// It is there.
    Present(T),
    /// Glue says that there is no such thing.
    NotFound,
}

/// What a reconcile is told about the thing it waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Report<T> {
    /// What was seen last; `None` before the first poll.
    pub observation: Option<Observation<T>>,
    /// The error of the last poll, while polls fail.
    pub error: Option<Arc<Error>>,
}

/// CacheSync things for subscribers `R`. Cheap to clone.
pub struct Poller<S: Source, R> {
    shared: Arc<Shared<S, R>>,
}

impl<S: Source, R> Clone for Poller<S, R> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

struct Shared<S: Source, R> {
    base: Duration,
    waker: Box<dyn Fn(R) + Send + Sync>,
    state: Mutex<State<S, R>>,
}

struct State<S: Source, R> {
    groups: HashMap<S, Group<S::Item, R>>,
    /// What each subscriber waits for, so that it never waits for what it does not ask about any more.
    subscriptions: HashMap<R, Vec<(S, String)>>,
    /// How many things are watched that are not over.
    live: usize,
}

struct Group<T, R> {
    watched: HashMap<String, Watched<T, R>>,
    error: Option<Arc<Error>>,
    /// Somebody waits for the next poll.
    poll_soon: Arc<Notify>,
}

struct Watched<T, R> {
    subscribers: HashSet<R>,
    since: Instant,
    last: Option<Observation<T>>,
    changed: Instant,
    /// What was asked before this says nothing about it.
    refreshed: Instant,
    page: Option<usize>,
}

impl<S: Source, R: Clone + Eq + Hash + Send + Sync + 'static> Poller<S, R> {
    /// A poller with the pause `base` between two polls of a young group; `waker` is told who has news.
    #[must_use]
    pub fn new(base: Duration, waker: impl Fn(R) + Send + Sync + 'static) -> Self {
        let state = Mutex::new(State { groups: HashMap::new(), subscriptions: HashMap::new(), live: 0 });
        Self { shared: Arc::new(Shared { base, waker: Box::new(waker), state }) }
    }

    /// Waits for `id` of `source` on behalf of `subscriber`, and for nothing else any more; says what is known of
    /// it by now.
    #[must_use]
    pub fn watch(&self, source: &S, id: &str, subscriber: &R) -> Report<S::Item> {
        let reports = self.watch_all(&[(source.clone(), id.to_owned())], subscriber);
        reports.into_iter().next().unwrap_or(Report { observation: None, error: None })
    }

    /// Waits for all of `wanted` on behalf of `subscriber`, and for nothing else any more; says what is known of
    /// each by now.
    #[must_use]
    pub fn watch_all(&self, wanted: &[(S, String)], subscriber: &R) -> Vec<Report<S::Item>> {
        let mut state = self.state();
        let before = state.subscriptions.insert(subscriber.clone(), wanted.to_vec()).unwrap_or_default();
        for (source, id) in before.iter().filter(|one| !wanted.contains(one)) {
            state.unsubscribe(source, id, subscriber);
        }
        wanted.iter().map(|(source, id)| self.subscribe(&mut state, source, id, subscriber)).collect()
    }

    fn subscribe(&self, state: &mut State<S, R>, source: &S, id: &str, subscriber: &R) -> Report<S::Item> {
        let group = match state.groups.entry(source.clone()) {
            Entry::Occupied(group) => group.into_mut(),
            Entry::Vacant(place) => {
                let poll_soon = Arc::<Notify>::default();
                tokio::spawn(self.clone().run(source.clone(), Arc::clone(&poll_soon)));
                place.insert(Group { watched: HashMap::new(), error: None, poll_soon })
            }
        };
        let now = Instant::now();
        let watched = group.watched.entry(id.to_owned()).or_insert_with(|| {
            state.live += 1;
            Watched { subscribers: HashSet::new(), since: now, last: None, changed: now, refreshed: now, page: None }
        });
        watched.subscribers.insert(subscriber.clone());
        Report { observation: watched.last.clone(), error: group.error.clone() }
    }

    /// What is known of `id` counts no more, nor what an answer that is on its way will say: we have changed it
    /// just now. It is asked for again soon.
    pub fn refresh(&self, source: &S, id: &str) {
        let mut state = self.state();
        let state = &mut *state;
        let Some(group) = state.groups.get_mut(source) else { return };
        if let Some(watched) = group.watched.get_mut(id) {
            state.live += usize::from(is_finished::<S>(watched.last.as_ref()));
            watched.last = None;
            watched.refreshed = Instant::now();
            // What has just been changed is watched as closely as what is new.
            watched.since = watched.refreshed;
        }
        group.poll_soon.notify_one();
    }

    /// Somebody waits for the next poll of `source`: it comes after a fifth of the shortest pause.
    pub fn poll_soon(&self, source: &S) {
        if let Some(group) = self.state().groups.get(source) {
            group.poll_soon.notify_one();
        }
    }

    /// How many others wait for what `subscriber` waits for.
    #[must_use]
    pub fn other_subscribers(&self, subscriber: &R) -> usize {
        let state = self.state();
        let waits = state.subscriptions.get(subscriber).into_iter().flatten();
        let watched = waits.filter_map(|(source, id)| state.groups.get(source)?.watched.get(id));
        watched.map(|watched| watched.subscribers.iter().filter(|other| *other != subscriber).count()).sum()
    }

    /// `subscriber` waits for nothing any more.
    pub fn forget(&self, subscriber: &R) {
        let mut state = self.state();
        for (source, id) in state.subscriptions.remove(subscriber).unwrap_or_default() {
            state.unsubscribe(&source, &id, subscriber);
        }
    }

    /// How many things are waited for that are not over.
    #[must_use]
    pub fn live(&self) -> usize {
        self.state().live
    }

    async fn run(self, source: S, poll_soon: Arc<Notify>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.pause(&source)) => {}
                () = poll_soon.notified() => tokio::time::sleep(self.shared.base / 5).await,
            }
            let Some(wanted) = self.wanted(&source) else {
                return;
            };
            let asked = Instant::now();
            let answer = source.ask(wanted).await;
            for subscriber in self.take_in(&source, asked, answer) {
                (self.shared.waker)(subscriber);
            }
        }
    }

    /// The pause before the next poll of a group, with a jitter of a tenth so that groups spread out.
    fn pause(&self, source: &S) -> Duration {
        let now = Instant::now();
        let state = self.state();
        let groups = state.groups.keys().filter(|other| other.client() == source.client()).count();
        let youngest =
            state.groups.get(source).and_then(|group| group.watched.values().map(|watched| now - watched.since).min());
        drop(state);
        poll_plan::interval(self.shared.base, groups, youngest.unwrap_or_default()).mul_f64(0.9 + 0.2 * fastrand::f64())
    }

    /// What to ask for now; `None`, and the group is gone, when nobody waits for anything.
    fn wanted(&self, source: &S) -> Option<Vec<Wanted<S::Item>>> {
        let mut state = self.state();
        let group = state.groups.get(source)?;
        let now = Instant::now();
        let wanted: Vec<_> = group
            .watched
            .iter()
            .filter(|(_, watched)| !is_finished::<S>(watched.last.as_ref()))
            .map(|(id, watched)| Wanted {
                id: id.clone(),
                last: watched.last.clone(),
                unchanged_for: now - watched.changed,
                page: watched.page,
            })
            .collect();
        if wanted.is_empty() {
            // What is over has been reported; whoever asks again opens the group again.
            if let Some(group) = state.groups.remove(source) {
                for subscriber in group.watched.into_values().flat_map(|watched| watched.subscribers) {
                    if let Some(wanted) = state.subscriptions.get_mut(&subscriber) {
                        wanted.retain(|(other, _)| other != source);
                        if wanted.is_empty() {
                            state.subscriptions.remove(&subscriber);
                        }
                    }
                }
            }
            return None;
        }
        Some(wanted)
    }

    /// Takes in the answer to what was `asked` then, and says whom it concerns.
    fn take_in(&self, source: &S, asked: Instant, answer: Result<Vec<Observed<S::Item>>, Error>) -> HashSet<R> {
        let mut state = self.state();
        let state = &mut *state;
        let mut woken = HashSet::new();
        let Some(group) = state.groups.get_mut(source) else {
            return woken;
        };
        match answer {
            Ok(seen) => {
                if group.error.take().is_some() {
                    woken.extend(group.watched.values().flat_map(|watched| watched.subscribers.iter().cloned()));
                }
                for one in seen {
                    let Some(watched) = group.watched.get_mut(&one.id) else {
                        continue;
                    };
                    if watched.refreshed > asked {
                        continue;
                    }
                    watched.page = one.page.or(watched.page);
                    if watched.last.as_ref() != Some(&one.observation) {
                        state.live += usize::from(is_finished::<S>(watched.last.as_ref()));
                        state.live -= usize::from(is_finished::<S>(Some(&one.observation)));
                        watched.last = Some(one.observation);
                        watched.changed = Instant::now();
                        woken.extend(watched.subscribers.iter().cloned());
                    }
                }
            }
            Err(error) => {
                debug!(%error, "a poll failed");
                if group.error.as_ref().is_none_or(|before| before.code != error.code) {
                    woken.extend(group.watched.values().flat_map(|watched| watched.subscribers.iter().cloned()));
                }
                group.error = Some(Arc::new(error));
            }
        }
        woken
    }

    fn state(&self) -> MutexGuard<'_, State<S, R>> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Source, R: Eq + Hash> State<S, R> {
    fn unsubscribe(&mut self, source: &S, id: &str, subscriber: &R) {
        let Some(group) = self.groups.get_mut(source) else {
            return;
        };
        if let Some(watched) = group.watched.get_mut(id) {
            watched.subscribers.remove(subscriber);
            if watched.subscribers.is_empty() {
                self.live -= usize::from(!is_finished::<S>(watched.last.as_ref()));
                group.watched.remove(id);
            }
        }
    }
}

fn is_finished<S: Source>(observation: Option<&Observation<S::Item>>) -> bool {
    match observation {
        Some(Observation::Present(item)) => S::is_finished(item),
        // What is gone may come back (a look too early after the start), so it is asked for as before.
        Some(Observation::NotFound) | None => false,
    }
}

#[cfg(test)]
mod tests;
