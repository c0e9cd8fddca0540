//! What is due when: a heap of events, popped in the order of their time and, within one moment, of their entry.

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
pub struct Agenda<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    entered: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), entered: 0 }
    }
}

impl<E> Agenda<E> {
    /// Enters an event.
    pub fn at(&mut self, due: Time, event: E) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_by_entry() {
        let mut agenda = Agenda::default();
        agenda.at(Time(20), 'c');
        agenda.at(Time(10), 'a');
        agenda.at(Time(20), 'd');
        agenda.at(Time(10), 'b');
        agenda.at(Time(30), 'e');
        let mut seen = String::new();
        while let Some((_, event)) = agenda.pop_due(Time(29)) {
            seen.push(event);
        }
        assert_eq!(seen, "abcd");
    }
}
