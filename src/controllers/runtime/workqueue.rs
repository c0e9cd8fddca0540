//! Which object is reconciled next: client-go's workqueue, with an order, and a share for each namespace. Pure.
//!
//! - An object waits once, however often it is added. One that is added during its own pass gets another pass.
//! - Namespaces take turns. Within one, objects that are being deleted come first, and then the oldest.
//! - Passes are bounded: see [`MOST_PASSES`]. A burst of changes costs the names of the objects, not a pass each.
//! - A namespace whose passes all wait for an AWS that does not answer keeps no other namespace waiting.
//!
//! kube's `Controller` has neither order nor shares: what waits for it is a hash set.

use std::collections::{BTreeSet, HashMap, VecDeque};

use jiff::Timestamp;
use tokio::time::Instant;

use super::context::Name;

/// How many passes over objects of one kind run at a time; beyond it, each namespace still has [`ASSURED`].
pub const MOST_PASSES: usize = 64;
/// How many passes of one namespace run at a time.
pub const MOST_OF_NAMESPACE: usize = 32;
/// How many passes a namespace may always have.
pub const ASSURED: usize = 2;

/// The order of the objects of one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// Objects that are being deleted come first.
    is_kept: bool,
    created: Timestamp,
}

impl Rank {
    /// The rank of an object that was created at this time.
    #[must_use]
    pub fn new(deleting: bool, created: Timestamp) -> Self {
        Self { is_kept: !deleting, created }
    }
}

/// The objects of one kind that are reconciled, that wait for it, and that will.
#[derive(Debug, Default)]
pub struct Workqueue {
    namespaces: HashMap<String, Share>,
    /// The namespaces in which objects wait, in the order of their turns; each once.
    turns: VecDeque<String>,
    waiting: HashMap<Name, Rank>,
    /// The objects that are reconciled now; with a rank when they were added meanwhile.
    active: HashMap<Name, Option<Rank>>,
    /// The objects that are added at a later time, by that time.
    delayed: BTreeSet<(Instant, Name)>,
    delayed_until: HashMap<Name, Instant>,
}

/// The passes of one namespace.
#[derive(Debug, Default)]
struct Share {
    waiting: BTreeSet<(Rank, String)>,
    active: usize,
}

impl Workqueue {
    /// Adds the object, now. Its pass is the one that it was delayed for, too.
    pub fn add(&mut self, name: &Name, rank: Rank) {
        self.cancel_delay(name);
        if let Some(again) = self.active.get_mut(name) {
            *again = Some(rank);
            return;
        }
        let share = self.namespaces.entry(name.0.clone()).or_default();
        if share.waiting.is_empty() {
            self.turns.push_back(name.0.clone());
        }
        if let Some(before) = self.waiting.insert(name.clone(), rank) {
            share.waiting.remove(&(before, name.1.clone()));
        }
        share.waiting.insert((rank, name.1.clone()));
    }

    /// Adds the object at a later time, unless it is added before.
    pub fn add_at(&mut self, name: &Name, at: Instant) {
        let is_earlier = self.delayed_until.get(name).is_some_and(|earlier| *earlier <= at);
        if is_earlier || self.waiting.contains_key(name) {
            return;
        }
        self.cancel_delay(name);
        self.delayed.insert((at, name.clone()));
        self.delayed_until.insert(name.clone(), at);
    }

    /// When the next delay ends.
    #[must_use]
    pub fn next_delay_ends(&self) -> Option<Instant> {
        self.delayed.first().map(|(at, _)| *at)
    }

    /// An object whose delay has ended; the caller adds it.
    pub fn pop_due(&mut self, now: Instant) -> Option<Name> {
        if self.next_delay_ends()? > now {
            return None;
        }
        let (_, name) = self.delayed.pop_first()?;
        self.delayed_until.remove(&name);
        Some(name)
    }

    /// The object to reconcile now. It is active until [`Workqueue::done`].
    pub fn pop(&mut self) -> Option<Name> {
        for _ in 0..self.turns.len() {
            let namespace = self.turns.pop_front()?;
            let is_full = self.active.len() >= MOST_PASSES;
            let share = self.namespaces.get_mut(&namespace)?;
            if share.active >= if is_full { ASSURED } else { MOST_OF_NAMESPACE } {
                self.turns.push_back(namespace);
                continue;
            }
            let (_, name) = share.waiting.pop_first()?;
            share.active += 1;
            let name = (namespace.clone(), name);
            if !share.waiting.is_empty() {
                self.turns.push_back(namespace);
            }
            self.waiting.remove(&name);
            self.active.insert(name.clone(), None);
            return Some(name);
        }
        None
    }

    /// The pass over the object has ended. If the object was added meanwhile, it waits for another one.
    pub fn done(&mut self, name: &Name) {
        let Some(again) = self.active.remove(name) else { return };
        if let Some(share) = self.namespaces.get_mut(&name.0) {
            share.active -= 1;
            if share.active == 0 && share.waiting.is_empty() {
                self.namespaces.remove(&name.0);
            }
        }
        if let Some(rank) = again {
            self.add(name, rank);
        }
    }

    /// The object is gone: it waits for nothing any more.
    pub fn remove(&mut self, name: &Name) {
        self.cancel_delay(name);
        if let Some(again) = self.active.get_mut(name) {
            *again = None;
        }
        let Some(rank) = self.waiting.remove(name) else { return };
        let Some(share) = self.namespaces.get_mut(&name.0) else { return };
        share.waiting.remove(&(rank, name.1.clone()));
        if share.waiting.is_empty() {
            self.turns.retain(|namespace| *namespace != name.0);
            if share.active == 0 {
                self.namespaces.remove(&name.0);
            }
        }
    }

    /// How many objects wait for a pass.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.waiting.len()
    }

    /// How many objects are reconciled now.
    #[must_use]
    pub fn active(&self) -> usize {
        self.active.len()
    }

    fn cancel_delay(&mut self, name: &Name) {
        if let Some(at) = self.delayed_until.remove(name) {
            self.delayed.remove(&(at, name.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
