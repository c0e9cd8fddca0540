//! Which objects wait for the same job, crawler or workflow, oldest first.
//!
//! Glue frees a run's place some seconds after the run's end and notifies nobody. So only the first object of a queue
//! asks again, after a growing pause; the others are requeued when it leaves.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// The queues of objects `W`, by what they wait for.
pub struct Queues<P, W> {
    state: Mutex<State<P, W>>,
}

struct State<P, W> {
    queues: HashMap<P, Queue<W>>,
    /// The queues that each object is in, so that leaving does not search all of them.
    members: HashMap<W, HashMap<P, Timestamp>>,
}

struct Queue<W> {
    /// The object that changes the resource now, where Glue takes one change at a time.
    holder: Option<W>,
    /// By creation time.
    waiting: BTreeSet<(Timestamp, W)>,
}

impl<P, W> Default for Queues<P, W> {
    fn default() -> Self {
        Self { state: Mutex::new(State { queues: HashMap::new(), members: HashMap::new() }) }
    }
}

impl<P: Clone + Eq + Hash, W: Clone + Ord + Hash> Queues<P, W> {
    /// Adds an object, created at `created`, to the queue of `place`.
    pub fn join(&self, place: &P, created: Timestamp, object: &W) {
        self.state().join(place, created, object);
    }

    /// Whether an older object waits for `place`. The object joins the queue then.
    #[must_use]
    pub fn is_behind(&self, place: &P, created: Timestamp, object: &W) -> bool {
        let mut state = self.state();
        let first = state.queues.get(place).and_then(|queue| queue.waiting.first());
        let behind = first.is_some_and(|first| *first < (created, object.clone()));
        if behind {
            state.join(place, created, object);
        }
        behind
    }

    /// Gives `place` to the object when no other object holds it, until [`Queues::leave`]; otherwise the object waits.
    /// Whether it holds it now.
    #[must_use]
    pub fn acquire(&self, place: &P, created: Timestamp, object: &W) -> bool {
        let mut state = self.state();
        let holder = state.queues.get(place).and_then(|queue| queue.holder.clone());
        if holder.as_ref() == Some(object) {
            return true;
        }
        if holder.is_some() {
            state.join(place, created, object);
            return false;
        }
        state.members.entry(object.clone()).or_default().insert(place.clone(), created);
        state.queue(place).holder = Some(object.clone());
        true
    }

    /// Removes the object from every queue. Returns the objects that come first by that.
    #[must_use]
    pub fn leave(&self, object: &W) -> Vec<W> {
        let mut state = self.state();
        let mut next = Vec::new();
        for (place, created) in state.members.remove(object).unwrap_or_default() {
            let Some(queue) = state.queues.get_mut(&place) else { continue };
            if queue.holder.as_ref() == Some(object) {
                queue.holder = queue.waiting.pop_first().map(|(_, first)| first);
                next.extend(queue.holder.clone());
            } else {
                let was_first =
                    queue.holder.is_none() && queue.waiting.first().is_some_and(|(_, first)| first == object);
                queue.waiting.remove(&(created, object.clone()));
                next.extend(queue.waiting.first().filter(|_| was_first).map(|(_, first)| first.clone()));
            }
            if queue.holder.is_none() && queue.waiting.is_empty() {
                state.queues.remove(&place);
            }
        }
        next
    }

    /// How many objects are in all queues, and when the oldest of them was created.
    #[must_use]
    pub fn depth(&self) -> (usize, Option<Timestamp>) {
        let state = self.state();
        let firsts = state.queues.values().filter_map(|queue| queue.waiting.first());
        (state.members.len(), firsts.map(|(created, _)| *created).min())
    }

    fn state(&self) -> MutexGuard<'_, State<P, W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Clone + Eq + Hash, W: Clone + Ord + Hash> State<P, W> {
    fn queue(&mut self, place: &P) -> &mut Queue<W> {
        self.queues.entry(place.clone()).or_insert_with(|| Queue { holder: None, waiting: BTreeSet::new() })
    }

    fn join(&mut self, place: &P, created: Timestamp, object: &W) {
        let before = self.members.entry(object.clone()).or_default().insert(place.clone(), created);
        let waiting = &mut self.queue(place).waiting;
        // An object of the same name was deleted and created again.
        if let Some(before) = before {
            waiting.remove(&(before, object.clone()));
        }
        waiting.insert((created, object.clone()));
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
    fn the_oldest_object_goes_first_and_its_leaving_requeues_the_next() {
        let queues = Queues::default();
        assert!(!queues.is_behind(&"job", at(2), &"b"), "no object waits yet");
        queues.join(&"job", at(2), &"b");
        assert!(queues.is_behind(&"job", at(3), &"c"));
        assert!(!queues.is_behind(&"job", at(2), &"b"));
        assert!(!queues.is_behind(&"job", at(1), &"a"), "an older object that comes later still goes first");
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

    #[test]
    fn one_object_holds_a_place_and_the_oldest_waiting_object_is_next() {
        let queues = Queues::default();
        assert!(queues.acquire(&"workflow", at(2), &"b"));
        assert!(queues.acquire(&"workflow", at(2), &"b"), "it keeps the place");
        assert!(!queues.acquire(&"workflow", at(3), &"c"));
        assert!(!queues.acquire(&"workflow", at(1), &"a"), "an older object that comes later waits as well");
        assert!(queues.acquire(&"other", at(9), &"z"));
        assert_eq!(queues.leave(&"b"), ["a"]);
        assert!(!queues.acquire(&"workflow", at(2), &"b"));
        assert_eq!(queues.leave(&"b"), Vec::<&str>::new(), "it does not wait any more");
        assert_eq!(queues.leave(&"a"), ["c"]);
        assert_eq!(queues.leave(&"c"), Vec::<&str>::new());
        assert!(queues.acquire(&"workflow", at(4), &"d"));
    }
}
