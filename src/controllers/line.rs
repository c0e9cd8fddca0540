//! Who waits for a place: when a job or crawler runs as often as it may, its objects wait in a line,
//! oldest first, and only the first asks again.
//!
//! Glue frees a place some seconds after a run's end and tells nobody, so asking again is all there is;
//! one object that asks at a growing pause is enough for the whole line.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// The lines, by what is waited for.
pub struct Lines<P, W> {
    lines: Mutex<HashMap<P, BTreeSet<(Timestamp, W)>>>,
}

impl<P, W> Default for Lines<P, W> {
    fn default() -> Self {
        Self { lines: Mutex::default() }
    }
}

impl<P: Clone + Eq + Hash, W: Clone + Ord> Lines<P, W> {
    /// `who`, created at `created`, waits for `place`.
    pub fn join(&self, place: &P, created: Timestamp, who: &W) {
        self.lines().entry(place.clone()).or_default().insert((created, who.clone()));
    }

    /// Whether somebody older waits for `place`. Who finds a line there and is not its head joins it.
    #[must_use]
    pub fn is_behind(&self, place: &P, created: Timestamp, who: &W) -> bool {
        let mut lines = self.lines();
        let Some(line) = lines.get_mut(place) else { return false };
        let behind = line.first().is_some_and(|first| *first < (created, who.clone()));
        if behind {
            line.insert((created, who.clone()));
        }
        behind
    }

    /// `who` does not wait any more; answers who is first now, if that has changed.
    #[must_use]
    pub fn leave(&self, who: &W) -> Vec<W> {
        let mut next = Vec::new();
        self.lines().retain(|_, line| {
            let was_first = line.first().is_some_and(|(_, first)| first == who);
            line.retain(|(_, other)| other != who);
            if was_first {
                next.extend(line.first().map(|(_, first)| first.clone()));
            }
            !line.is_empty()
        });
        next
    }

    /// How many wait in all lines, and since when the oldest of them has been there.
    #[must_use]
    pub fn depth(&self) -> (usize, Option<Timestamp>) {
        let lines = self.lines();
        let oldest = lines.values().filter_map(|line| line.first()).map(|(created, _)| *created).min();
        (lines.values().map(BTreeSet::len).sum(), oldest)
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<P, BTreeSet<(Timestamp, W)>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
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
        let lines = Lines::default();
        assert!(!lines.is_behind(&"job", at(2), &"b"), "nobody waits yet");
        lines.join(&"job", at(2), &"b");
        assert!(lines.is_behind(&"job", at(3), &"c"));
        assert!(!lines.is_behind(&"job", at(2), &"b"));
        assert!(!lines.is_behind(&"job", at(1), &"a"), "an older one that comes late still goes first");
        assert!(!lines.is_behind(&"other", at(9), &"z"));
        assert_eq!(lines.leave(&"c"), Vec::<&str>::new());
        assert!(lines.is_behind(&"job", at(3), &"c"));
        assert_eq!(lines.depth(), (2, Some(at(2))));
        assert_eq!(lines.leave(&"b"), ["c"]);
        assert_eq!(lines.leave(&"c"), Vec::<&str>::new());
        assert_eq!(lines.depth(), (0, None));
        assert!(!lines.is_behind(&"job", at(4), &"d"));
    }
}
