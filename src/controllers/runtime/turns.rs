//! One at a time: where Glue refuses two changes at once (the triggers of one workflow), objects take turns.
//!
//! Who has the turn keeps it until its change is seen to be done; then the oldest of those who wait has it.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// The turns, by what is changed one at a time.
pub struct Turns<P, W> {
    turns: Mutex<HashMap<P, Turn<W>>>,
}

struct Turn<W> {
    of: W,
    waiting: BTreeSet<(Timestamp, W)>,
}

impl<P, W> Default for Turns<P, W> {
    fn default() -> Self {
        Self { turns: Mutex::default() }
    }
}

impl<P: Clone + Eq + Hash, W: Clone + Ord> Turns<P, W> {
    /// Whether it is the turn of `who`, created at `created`; when not, it waits.
    #[must_use]
    pub fn take(&self, place: &P, created: Timestamp, who: &W) -> bool {
        let mut turns = self.turns();
        let turn = turns.entry(place.clone()).or_insert_with(|| Turn { of: who.clone(), waiting: BTreeSet::new() });
        if turn.of != *who {
            turn.waiting.insert((created, who.clone()));
        }
        turn.of == *who
    }

    /// `who` has done, or does not wait any more; answers whose turn it is now, where that has changed.
    #[must_use]
    pub fn leave(&self, who: &W) -> Vec<W> {
        let mut next = Vec::new();
        self.turns().retain(|_, turn| {
            turn.waiting.retain(|(_, other)| other != who);
            if turn.of != *who {
                return true;
            }
            let Some((_, first)) = turn.waiting.pop_first() else { return false };
            next.push(first.clone());
            turn.of = first;
            true
        });
        next
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<P, Turn<W>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn one_at_a_time_and_the_oldest_of_those_who_wait_is_next() {
        let turns = Turns::default();
        assert!(turns.take(&"workflow", at(2), &"b"));
        assert!(turns.take(&"workflow", at(2), &"b"), "it keeps its turn");
        assert!(!turns.take(&"workflow", at(3), &"c"));
        assert!(!turns.take(&"workflow", at(1), &"a"), "an older one that comes late waits as well");
        assert!(turns.take(&"other", at(9), &"z"));
        assert_eq!(turns.leave(&"b"), ["a"]);
        assert!(!turns.take(&"workflow", at(2), &"b"));
        assert_eq!(turns.leave(&"b"), Vec::<&str>::new(), "it does not wait any more");
        assert_eq!(turns.leave(&"a"), ["c"]);
        assert_eq!(turns.leave(&"c"), Vec::<&str>::new());
        assert!(turns.take(&"workflow", at(4), &"d"));
    }
}
