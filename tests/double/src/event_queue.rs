//! A queue of future events, ordered by time; events of the same time keep the order in which they were pushed.

#[cfg(test)]
mod tests;

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use crate::clock::Time;

#[derive(Debug)]
struct Entry<E> {
    due: Time,
    order: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

/// The events to come. Outdated events are not removed: the handler ignores an event whose subject has changed
/// since it was pushed.
#[derive(Debug)]
pub struct EventQueue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    pushed: u64,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), pushed: 0 }
    }
}

impl<E> EventQueue<E> {
    /// Adds an event that is due at a time.
    pub fn push(&mut self, due: Time, event: E) {
        self.pushed += 1;
        self.heap.push(Reverse(Entry { due, order: self.pushed, event }));
    }

    /// Removes and returns the next event that is due by `now`, with its time.
    pub fn pop_due(&mut self, now: Time) -> Option<(Time, E)> {
        if self.heap.peek()?.0.due > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.due, entry.event))
    }
}
