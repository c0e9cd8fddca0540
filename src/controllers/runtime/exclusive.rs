//! Who changes what only one object may change at a time, and who waits for that: the triggers of one workflow, the runs
//! of one `idempotencyKey`. Pure.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use jiff::Timestamp;

/// The objects `O` that hold or wait for what `K` names. An object holds or waits for one `K` at the most.
pub struct Exclusive<K, O> {
    by_key: HashMap<K, Holders<O>>,
    /// What each object holds or waits for, and its creation time.
    members: HashMap<O, (K, Timestamp)>,
}

struct Holders<O> {
    holder: O,
    /// By creation time.
    waiting: BTreeSet<(Timestamp, O)>,
}

impl<K, O> Default for Exclusive<K, O> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), members: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash, O: Clone + Ord + Hash> Exclusive<K, O> {
    /// Gives `key` to the object, created at `created`, when no other object holds it, until [`Exclusive::leave`];
    /// otherwise the object waits. Whether it holds it now. What it held or waited for before must have been left
    /// ([`Exclusive::leave_other`]).
    #[must_use]
    pub fn acquire(&mut self, key: &K, created: Timestamp, object: &O) -> bool {
        self.members.insert(object.clone(), (key.clone(), created));
        let holders = self
            .by_key
            .entry(key.clone())
            .or_insert_with(|| Holders { holder: object.clone(), waiting: BTreeSet::new() });
        let holds = holders.holder == *object;
        if !holds {
            holders.waiting.insert((created, object.clone()));
        }
        holds
    }

    /// The object holds and waits for nothing but `key`: its credentials, or the workflow of its trigger, may have changed.
    /// Returns the object that holds the other key from now on.
    #[must_use]
    pub fn leave_other(&mut self, key: &K, object: &O) -> Option<O> {
        let (of_object, _) = self.members.get(object)?;
        if of_object == key { None } else { self.leave(object) }
    }

    /// The object holds and waits for nothing any more. Returns the object that holds its key from now on.
    #[must_use]
    pub fn leave(&mut self, object: &O) -> Option<O> {
        let (key, created) = self.members.remove(object)?;
        let holders = self.by_key.get_mut(&key)?;
        if holders.holder != *object {
            holders.waiting.remove(&(created, object.clone()));
            return None;
        }
        let Some((_, next)) = holders.waiting.pop_first() else {
            self.by_key.remove(&key);
            return None;
        };
        holders.holder = next.clone();
        Some(next)
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
    fn one_object_holds_a_key_and_the_oldest_waiting_object_is_next() {
        let mut exclusive = Exclusive::default();
        assert!(exclusive.acquire(&"workflow", at(2), &"b"));
        assert!(exclusive.acquire(&"workflow", at(2), &"b"), "it keeps the key");
        assert!(!exclusive.acquire(&"workflow", at(3), &"c"));
        assert!(!exclusive.acquire(&"workflow", at(1), &"a"), "an older object that comes later waits as well");
        assert!(exclusive.acquire(&"other", at(9), &"z"));
        assert_eq!(exclusive.leave(&"b"), Some("a"));
        assert!(!exclusive.acquire(&"workflow", at(2), &"b"));
        assert_eq!(exclusive.leave(&"b"), None, "it does not wait any more");
        assert_eq!(exclusive.leave(&"a"), Some("c"));
        assert_eq!(exclusive.leave(&"c"), None);
        assert!(exclusive.acquire(&"workflow", at(4), &"d"));
        assert_eq!(exclusive.leave(&"unknown"), None);
    }

    #[test]
    fn an_object_that_turns_to_another_key_holds_up_nobody_at_the_first() {
        let mut exclusive = Exclusive::default();
        assert!(exclusive.acquire(&"before", at(1), &"a"));
        assert!(!exclusive.acquire(&"before", at(2), &"b"));
        assert_eq!(exclusive.leave_other(&"before", &"a"), None);
        assert_eq!(exclusive.leave_other(&"after", &"a"), Some("b"));
        assert!(exclusive.acquire(&"after", at(1), &"a"));
        assert!(exclusive.acquire(&"before", at(2), &"b"));
        assert_eq!(exclusive.leave(&"a"), None);
        assert!(exclusive.acquire(&"after", at(3), &"c"));
    }
}
