//! What is due when: a heap of events, popped in the order of their time and, within one moment, of their entry.

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

/// The events to come. An event that lost its meaning is not searched out: whoever handles it finds
/// that its subject moved on.
#[derive(Debug)]
pub struct EventQueue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    entered: u64,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), entered: 0 }
    }
}

impl<E> EventQueue<E> {
    /// Enters an event.
    pub fn push(&mut self, due: Time, event: E) {
        self.entered += 1;
        self.heap.push(Reverse(Entry { due, order: self.entered, event }));
    }

    /// Takes the next event that is due by `now`.
    pub fn pop_due(&mut self, now: Time) -> Option<(Time, E)> {
        if self.heap.peek()?.0.due > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.due, entry.event))
    }
}
