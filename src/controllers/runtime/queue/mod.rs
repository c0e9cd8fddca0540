//! Which objects wait until a start that AWS refused may succeed, and whose turn it is to try. Pure: time is passed in.
//!
//! A waiting list exists for each target (the job or crawler, for one client) and each [`Cause`]. One object of a list
//! tries, after a pause that grows; the others wait for its success. So an obstacle costs one try per list and not one
//! per object, and a place that comes free goes to the oldest object. Clients that wait for the same job in Glue take turns: a
//! place is offered to the one that was offered one the longest time ago.
//!
//! The lists hold exactly the objects that wait for a start: at the end of each pass [`Queues::settle`] puts the object
//! where its status says that it is. An object that is running, followed, suspended, blocked by something else, or
//! gone, is in no list. Asking ([`Queues::turn`]) changes nothing.
//!
//! After a restart the lists are empty, and the order is in the statuses. [`Queues::expect`] notes each object that the
//! first list of the watch shows as waiting; until its first pass has settled it, younger objects wait behind it.

mod cause;
#[cfg(test)]
mod tests;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::glue::Error;

pub use self::cause::Cause;

/// The waiting lists of objects `O`. A target `T` belongs to one client and has a name, by which objects are expected.
pub struct Queues<T, O> {
    lists: HashMap<(T, Cause), WaitingList<O>>,
    /// The objects that may wait, by what they are known from.
    objects: HashMap<O, Member<T>>,
    /// The objects that waited when the controller started, by the name of the target.
    expected: HashMap<String, BTreeSet<(Timestamp, O)>>,
}

/// What names the target of a waiting list.
pub trait Target: Clone + Eq + Hash {
    /// The name of the job or crawler, whatever the client.
    fn name(&self) -> &str;

    /// Whether it is the same job or crawler in Glue, maybe for another client.
    fn has_same_places(&self, other: &Self) -> bool;
}

/// For how long a client leaves the place of its run that has ended to another one, which is offered it.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(4);

struct Member<T> {
    created: Timestamp,
    /// What AWS has refused of what the object itself asks for.
    invalid: Option<Invalid>,
    place: Place<T>,
}

/// What AWS refused because of the object's own spec.
#[derive(Clone, Copy)]
struct Invalid {
    /// How often it did.
    refusals: u32,
    /// When it did last.
    at: Instant,
}

impl Invalid {
    /// Until when the object does not try again.
    fn until(self) -> Instant {
        self.at + Cause::Invalid.pause(self.refusals.saturating_sub(1))
    }
}

/// Where an object waits.
enum Place<T> {
    Nowhere,
    /// Its status says that it waits; no pass has found out yet for which client.
    Expected(String),
    In {
        target: T,
        cause: Cause,
        /// When it tried last, for lists that take turns.
        tried: Option<Instant>,
    },
}

/// The position in a list: who has not tried first, then who tried the longest time ago; of these, the oldest.
type Position<O> = (Option<Instant>, Timestamp, O);

struct WaitingList<O> {
    waiting: BTreeSet<Position<O>>,
    /// Tries in a row that AWS refused.
    refusals: u32,
    /// When the first object may try again.
    next_try: Instant,
    /// AWS's last answer, for the objects that have not tried.
    refusal: Option<Error>,
    /// When it was offered a place last; when it began to wait, if it was offered none.
    offered: Instant,
}

/// Whether an object may try to start now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may.
    Now,
    /// It is the first, and tries after this pause.
    After(Cause, Duration),
    /// Other objects come first.
    Behind(Cause),
}

impl<T, O> Default for Queues<T, O> {
    fn default() -> Self {
        Self { lists: HashMap::new(), objects: HashMap::new(), expected: HashMap::new() }
    }
}

impl<T: Target, O: Clone + Ord + Hash> Queues<T, O> {
    /// The watch shows the object, which is not finished. One of another creation time replaces it. Returns the objects
    /// whose turn it is by that.
    #[must_use]
    pub fn register(&mut self, created: Timestamp, object: &O) -> Vec<O> {
        let is_known = self.objects.get(object).is_some_and(|known| known.created == created);
        let woken = if is_known { Vec::new() } else { self.remove(object) };
        self.objects.entry(object.clone()).or_insert(Member { created, invalid: None, place: Place::Nowhere });
        woken
    }

    /// The status of a registered object says that it waits for `target`, and no pass has settled it yet.
    pub fn expect(&mut self, target: &str, object: &O) {
        let Some(member) = self.objects.get_mut(object).filter(|member| matches!(member.place, Place::Nowhere)) else {
            return;
        };
        member.place = Place::Expected(target.to_owned());
        self.expected.entry(target.to_owned()).or_default().insert((member.created, object.clone()));
    }

    /// The object is finished or gone. Returns the objects whose turn it is by that.
    #[must_use]
    pub fn remove(&mut self, object: &O) -> Vec<O> {
        let woken = self.leave(object);
        self.objects.remove(object);
        woken
    }

    /// Whether the object may try to start. `recorded` is what its status says that it waits for.
    #[must_use]
    pub fn turn(&self, target: &T, object: &O, recorded: Option<Cause>, now: Instant) -> Turn {
        let Some(member) = self.objects.get(object) else { return Turn::Now };
        let own_pause = member.invalid.filter(|_| recorded == Some(Cause::Invalid)).map(Invalid::until);
        if let Some(until) = own_pause.filter(|until| *until > now) {
            return Turn::After(Cause::Invalid, until.saturating_duration_since(now));
        }
        let expected = self.expected.get(target.name());
        let first_expected = expected.and_then(BTreeSet::first);
        if first_expected.is_some_and(|first| *first < (member.created, object.clone())) {
            return Turn::Behind(Cause::ConcurrentRuns);
        }
        let mut turn = Turn::Now;
        for cause in Cause::ALL.into_iter().filter(|cause| cause.is_shared() || recorded == Some(*cause)) {
            let Some(list) = self.lists.get(&(target.clone(), cause)) else { continue };
            let tried = match &member.place {
                Place::In { target: own, cause: of, tried } if own == target && *of == cause => *tried,
                _ => member.tried(cause),
            };
            let position = (tried, member.created, object.clone());
            if list.waiting.first().is_some_and(|first| *first < position) {
                return Turn::Behind(cause);
            }
            let left = list.next_try.saturating_duration_since(now);
            if !left.is_zero() && matches!(turn, Turn::Now) {
                turn = Turn::After(cause, left);
            }
        }
        turn
    }

    /// AWS refused the object's start: it waits from now on, and the list's next try is after a pause, unless
    /// `notified` says that somebody reports when the cause is gone. For a cause that is not shared, a new object tries
    /// out of turn: that does not put off the turn of the others.
    #[must_use]
    pub fn refused(&mut self, target: &T, cause: Cause, object: &O, notified: bool, now: Instant) -> Vec<O> {
        let first = self.lists.get(&(target.clone(), cause)).and_then(WaitingList::first);
        let is_in_turn = cause.is_shared() || first.is_none_or(|first| first == *object);
        let mut woken = self.settle(object, Some((target, cause)), now);
        let Some(member) = self.objects.get_mut(object) else { return woken };
        let Some(list) = self.lists.get_mut(&(target.clone(), cause)) else { return woken };
        if cause == Cause::Invalid {
            // The object may wait for something else in between. Its own pause grows all the same.
            let refusals = member.invalid.map_or(0, |refused| refused.refusals);
            member.invalid = Some(Invalid { refusals: refusals.saturating_add(1), at: now });
        }
        if let Place::In { tried, .. } = &mut member.place
            && cause.takes_turns()
        {
            list.waiting.remove(&(*tried, member.created, object.clone()));
            *tried = Some(now);
            list.waiting.insert((*tried, member.created, object.clone()));
        }
        if is_in_turn {
            list.next_try = if notified { now } else { now + cause.pause(list.refusals) };
            list.refusals = list.refusals.saturating_add(1);
            // The next object takes its turn after the pause, and must know of it.
            woken.extend(list.first().filter(|first| first != object));
        }
        woken
    }

    /// AWS's answer to the start that was refused last. The objects of a list have the same credentials, so it is the
    /// answer that each of them would get.
    pub fn record_refusal(&mut self, target: &T, cause: Cause, error: Error) {
        if let Some(list) = self.lists.get_mut(&(target.clone(), cause)) {
            list.refusal = Some(error);
        }
    }

    /// The last answer that [`Queues::record_refusal`] has recorded.
    #[must_use]
    pub fn refusal(&self, target: &T, cause: Cause) -> Option<&Error> {
        self.lists.get(&(target.clone(), cause))?.refusal.as_ref()
    }

    /// AWS accepted a start of `target`, so no shared cause holds any more. Returns the objects that may try now.
    #[must_use]
    pub fn succeeded(&mut self, target: &T, object: &O, now: Instant) -> Vec<O> {
        let mut woken = self.settle(object, None, now);
        for cause in Cause::ALL.into_iter().filter(|cause| cause.is_shared()) {
            let Entry::Occupied(mut list) = self.lists.entry((target.clone(), cause)) else { continue };
            if cause.admits_one() {
                list.get_mut().try_at(now);
                woken.extend(list.get().first());
                continue;
            }
            for (_, _, waiting) in list.remove().waiting {
                if let Some(member) = self.objects.get_mut(&waiting) {
                    member.place = Place::Nowhere;
                }
                woken.push(waiting);
            }
        }
        woken
    }

    /// A run of `target` has ended. The first object of the client whose turn it is may try now, and that of `target`, if it
    /// is another, some seconds later: who has many runs sees each place first, and would keep it. Returns both.
    #[must_use]
    pub fn freed(&mut self, target: &T, now: Instant) -> Vec<O> {
        let own = (target.clone(), Cause::ConcurrentRuns);
        let offers = self.lists.iter().filter(|((other, cause), _)| {
            *cause == Cause::ConcurrentRuns && (other == target || other.has_same_places(target))
        });
        let turn = offers.min_by_key(|(_, list)| (list.offered, list.waiting.first())).map(|(key, _)| key.clone());
        let mut woken = Vec::new();
        if let Some(list) = self.lists.get_mut(&own).filter(|_| turn.as_ref() != Some(&own)) {
            list.try_at(now + LEFT_TO_OTHERS);
            woken.extend(list.first());
        }
        if let Some(list) = turn.and_then(|turn| self.lists.get_mut(&turn)) {
            list.offered = now;
            list.try_at(now);
            woken.extend(list.first());
        }
        woken
    }

    /// Puts the object where its status says that it waits. Returns the objects whose turn it is by that.
    #[must_use]
    pub fn settle(&mut self, object: &O, waits: Option<(&T, Cause)>, now: Instant) -> Vec<O> {
        let Some(member) = self.objects.get(object) else { return Vec::new() };
        let created = member.created;
        match (&member.place, waits) {
            (Place::Nowhere, None) => return Vec::new(),
            (Place::In { target, cause, .. }, Some(place)) if (target, *cause) == place => return Vec::new(),
            _ => {}
        }
        let woken = self.leave(object);
        if let (Some((target, cause)), Some(member)) = (waits, self.objects.get_mut(object)) {
            let tried = member.tried(cause);
            member.place = Place::In { target: target.clone(), cause, tried };
            let list = self.lists.entry((target.clone(), cause)).or_insert_with(|| WaitingList::new(now));
            list.waiting.insert((tried, created, object.clone()));
        }
        woken
    }

    /// How many objects wait, and when the oldest of the first ones was created.
    #[must_use]
    pub fn depth(&self) -> (usize, Option<Timestamp>) {
        let firsts = self.lists.values().filter_map(|list| list.waiting.first());
        (self.lists.values().map(|list| list.waiting.len()).sum(), firsts.map(|(_, created, _)| *created).min())
    }

    /// Takes the object out of its place.
    fn leave(&mut self, object: &O) -> Vec<O> {
        let Some(member) = self.objects.get_mut(object) else { return Vec::new() };
        let created = member.created;
        match std::mem::replace(&mut member.place, Place::Nowhere) {
            Place::Nowhere => Vec::new(),
            Place::Expected(target) => {
                let Some(expected) = self.expected.get_mut(&target) else { return Vec::new() };
                expected.remove(&(created, object.clone()));
                if expected.is_empty() {
                    self.expected.remove(&target);
                }
                self.behind_expected(&target)
            }
            Place::In { target, cause, tried } => {
                let key = (target, cause);
                let Some(list) = self.lists.get_mut(&key) else { return Vec::new() };
                let was_first = list.first().as_ref() == Some(object);
                list.waiting.remove(&(tried, created, object.clone()));
                let next = list.first();
                if next.is_none() {
                    self.lists.remove(&key);
                }
                next.filter(|_| was_first).into_iter().collect()
            }
        }
    }

    /// The first objects of the lists of this name, which waited for one that was expected.
    fn behind_expected(&self, target: &str) -> Vec<O> {
        let lists = self.lists.iter().filter(|((list, _), _)| list.name() == target);
        lists.filter_map(|(_, list)| list.first()).collect()
    }
}

impl<T> Member<T> {
    /// When it tried last, as far as it is known of an object that comes into a list: what it does in between does not
    /// bring one that is invalid before the others.
    fn tried(&self, cause: Cause) -> Option<Instant> {
        self.invalid.filter(|_| cause == Cause::Invalid).map(|refused| refused.at)
    }
}

impl<O: Clone + Ord> WaitingList<O> {
    /// A list without a refusal that this process has seen: the first object tries at once.
    fn new(now: Instant) -> Self {
        Self { waiting: BTreeSet::new(), refusals: 0, next_try: now, refusal: None, offered: now }
    }

    fn first(&self) -> Option<O> {
        self.waiting.first().map(|(_, _, object)| object.clone())
    }

    /// The first object tries then; the pauses after it are short again.
    fn try_at(&mut self, at: Instant) {
        self.refusals = 0;
        self.next_try = at;
    }
}
