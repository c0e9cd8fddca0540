//! Who waits for a place: when a job or crawler runs as often as it may, its objects wait in a line,
//! oldest first, and only the first asks again.
//!
//! Glue frees a place some seconds after a run's end and tells nobody, so asking again is all there is;
//! one object that asks at a growing pause is enough for the whole line.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// The queues, by what is waited for.
pub struct Queues<P, W> {
    state: Mutex<State<P, W>>,
}

struct State<P, W> {
    queues: HashMap<P, BTreeSet<(Timestamp, W)>>,
    /// Where each is, so that who leaves is not looked for in every line.
    places: HashMap<W, HashMap<P, Timestamp>>,
}

impl<P, W> Default for Queues<P, W> {
    fn default() -> Self {
        Self { state: Mutex::new(State { queues: HashMap::new(), places: HashMap::new() }) }
    }
}

impl<P: Clone + Eq + Hash, W: Clone + Ord + Hash> Queues<P, W> {
    /// `who`, created at `created`, waits for `place`.
    pub fn join(&self, place: &P, created: Timestamp, who: &W) {
        self.state().join(place, created, who);
    }

    /// Whether somebody older waits for `place`. Who finds a line there and is not its head joins it.
    #[must_use]
    pub fn is_behind(&self, place: &P, created: Timestamp, who: &W) -> bool {
        let mut state = self.state();
        let first = state.queues.get(place).and_then(BTreeSet::first);
        let behind = first.is_some_and(|first| *first < (created, who.clone()));
        if behind {
            state.join(place, created, who);
        }
        behind
    }

    /// `who` does not wait any more; answers who is first now, if that has changed.
    #[must_use]
    pub fn leave(&self, who: &W) -> Vec<W> {
        let mut state = self.state();
        let mut next = Vec::new();
        for (place, created) in state.places.remove(who).unwrap_or_default() {
            let Some(line) = state.queues.get_mut(&place) else { continue };
            let was_first = line.first().is_some_and(|(_, first)| first == who);
            line.remove(&(created, who.clone()));
            if was_first {
                next.extend(line.first().map(|(_, first)| first.clone()));
            }
            if line.is_empty() {
                state.queues.remove(&place);
            }
        }
        next
    }

    /// How many wait in all queues, and since when the oldest of them has been there.
    #[must_use]
    pub fn depth(&self) -> (usize, Option<Timestamp>) {
        let state = self.state();
        let oldest = state.queues.values().filter_map(|line| line.first()).map(|(created, _)| *created).min();
        (state.places.len(), oldest)
    }

    fn state(&self) -> MutexGuard<'_, State<P, W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Clone + Eq + Hash, W: Clone + Ord + Hash> State<P, W> {
    fn join(&mut self, place: &P, created: Timestamp, who: &W) {
        let before = self.places.entry(who.clone()).or_default().insert(place.clone(), created);
        let line = self.queues.entry(place.clone()).or_default();
        // An object of the same name may have been there before this one.
        if let Some(before) = before {
            line.remove(&(before, who.clone()));
        }
        line.insert((created, who.clone()));
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
    fn the_oldest_goes_first_and_its_leaving_wakes_the_next() {
        let queues = Queues::default();
        assert!(!queues.is_behind(&"job", at(2), &"b"), "nobody waits yet");
        queues.join(&"job", at(2), &"b");
        assert!(queues.is_behind(&"job", at(3), &"c"));
        assert!(!queues.is_behind(&"job", at(2), &"b"));
        assert!(!queues.is_behind(&"job", at(1), &"a"), "an older one that comes late still goes first");
        assert!(!queues.is_behind(&"other", at(9), &"z"));
        assert_eq!(queues.leave(&"c"), Vec::<&str>::new());
        assert!(queues.is_behind(&"job", at(3), &"c"));
        assert_eq!(queues.depth(), (2, Some(at(2))));
        assert_eq!(queues.leave(&"b"), ["c"]);
        assert_eq!(queues.leave(&"c"), Vec::<&str>::new());
        assert_eq!(queues.depth(), (0, None));
        assert!(!queues.is_behind(&"job", at(4), &"d"));
        // An object is deleted and created again under its name: it goes to the end.
        queues.join(&"job", at(5), &"e");
        queues.join(&"job", at(6), &"f");
        queues.join(&"job", at(7), &"e");
        assert_eq!(queues.leave(&"f"), ["e"]);
        assert_eq!(queues.leave(&"e"), Vec::<&str>::new());
        assert_eq!(queues.depth(), (0, None));
    }
}
