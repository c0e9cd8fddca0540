//! Which objects need the same run: those with one `idempotencyKey`, and those that one crawl covers. Pure.
//!
//! A run belongs to all objects of its namespace that need it, whichever credentials they have: the deletion of one stops it only when
//! no other is left. An object that only follows a run (`runId`), is being deleted, or is finished, needs it no more.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// The runs that objects `O` need.
pub struct SharedRuns<O> {
    needs: HashMap<O, Need>,
    /// Who needs each run, by Glue's id. Glue's ids are random, and differ between accounts.
    users: HashMap<String, Users<O>>,
    /// The newest attempt of each object, by the key that the objects share.
    attempts: HashMap<String, BTreeMap<O, (u32, String)>>,
}

/// The objects that need one run.
struct Users<O> {
    count: usize,
    /// Those that started it themselves.
    owners: Vec<O>,
}

/// What an object needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Glue's id of the live run.
    pub run: Option<String>,
    /// Whether the object started it itself.
    pub is_own: bool,
    /// The key that it shares with other objects, and the number and run id of its newest attempt.
    pub keyed: Option<(String, u32, String)>,
}

impl<O> Default for SharedRuns<O> {
    fn default() -> Self {
        Self { needs: HashMap::new(), users: HashMap::new(), attempts: HashMap::new() }
    }
}

impl<O: Clone + Ord + Hash> SharedRuns<O> {
    /// The object needs this, and nothing else.
    pub fn set(&mut self, object: &O, need: Need) {
        if self.needs.get(object).is_some_and(|known| *known == need) {
            return;
        }
        self.remove(object);
        if need == Need::default() {
            return;
        }
        if let Some(run) = &need.run {
            let users = self.users.entry(run.clone()).or_insert_with(|| Users { count: 0, owners: Vec::new() });
            users.count += 1;
            users.owners.extend(need.is_own.then(|| object.clone()));
        }
        if let Some((key, number, run)) = &need.keyed {
            self.attempts.entry(key.clone()).or_default().insert(object.clone(), (*number, run.clone()));
        }
        self.needs.insert(object.clone(), need);
    }

    /// The object needs nothing any more.
    pub fn remove(&mut self, object: &O) {
        let Some(need) = self.needs.remove(object) else { return };
        if let Some(run) = need.run
            && let Some(users) = self.users.get_mut(&run)
        {
            users.count -= 1;
            users.owners.retain(|owner| owner != object);
            if users.count == 0 {
                self.users.remove(&run);
            }
        }
        if let Some((key, ..)) = need.keyed
            && let Some(of_key) = self.attempts.get_mut(&key)
        {
            of_key.remove(object);
            if of_key.is_empty() {
                self.attempts.remove(&key);
            }
        }
    }

    /// Whether another object needs the run.
    #[must_use]
    pub fn is_needed_by_others(&self, run: &str, object: &O) -> bool {
        let own = self.needs.get(object).is_some_and(|need| need.run.as_deref() == Some(run));
        self.users.get(run).map(|users| users.count).unwrap_or_default() > usize::from(own)
    }

    /// Whether one of the objects that started the run themselves, and still need it, satisfies `predicate`.
    #[must_use]
    pub fn has_owner(&self, run: &str, predicate: impl Fn(&O) -> bool) -> bool {
        self.users.get(run).is_some_and(|users| users.owners.iter().any(predicate))
    }

    /// The newest attempt that another object has recorded for this key: its number and its run.
    #[must_use]
    pub fn attempt_of_others(&self, key: &str, object: &O) -> Option<(u32, String)> {
        let others = self.attempts.get(key)?.iter().filter(|(other, _)| *other != object);
        others.map(|(_, attempt)| attempt).max().cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn need(run: &str, key: &str, number: u32) -> Need {
        Need { run: Some(run.to_owned()), is_own: true, keyed: Some((key.to_owned(), number, run.to_owned())) }
    }

    #[test]
    fn the_last_object_that_needs_a_run_is_alone_with_it() {
        let mut runs = SharedRuns::default();
        runs.set(&"a", need("jr_1", "key", 0));
        assert!(!runs.is_needed_by_others("jr_1", &"a"));
        assert!(runs.is_needed_by_others("jr_1", &"b"), "an object that does not need it yet");
        runs.set(&"b", need("jr_1", "key", 0));
        assert!(runs.is_needed_by_others("jr_1", &"a") && runs.is_needed_by_others("jr_1", &"b"));
        // Both are deleted together: the first is out of it, and the second is the last.
        runs.remove(&"a");
        assert!(!runs.is_needed_by_others("jr_1", &"b"));
        runs.remove(&"b");
        assert!(runs.needs.is_empty() && runs.users.is_empty() && runs.attempts.is_empty());
    }

    #[test]
    fn the_owners_of_a_run_are_the_objects_that_started_it() {
        let mut runs = SharedRuns::default();
        let adopted = |run: &str| Need { run: Some(run.to_owned()), is_own: false, keyed: None };
        runs.set(&"a", need("jr_1", "key", 0));
        runs.set(&"b", adopted("jr_1"));
        assert!(runs.has_owner("jr_1", |owner| *owner == "a") && !runs.has_owner("jr_1", |owner| *owner == "b"));
        runs.remove(&"a");
        assert!(!runs.has_owner("jr_1", |_| true), "it is left to those that adopted it");
        assert!(runs.is_needed_by_others("jr_1", &"a"));
        assert!(!runs.has_owner("jr_2", |_| true));
    }

    #[test]
    fn the_newest_attempt_of_a_key_is_known_while_glue_does_not_list_it_yet() {
        let mut runs = SharedRuns::default();
        assert_eq!(runs.attempt_of_others("key", &"c"), None);
        runs.set(&"a", need("jr_1", "key", 0));
        runs.set(&"b", need("jr_2", "key", 1));
        assert_eq!(runs.attempt_of_others("key", &"c"), Some((1, "jr_2".to_owned())));
        assert_eq!(runs.attempt_of_others("key", &"b"), Some((0, "jr_1".to_owned())), "its own does not count");
    }

    proptest! {
        #[test]
        fn a_run_is_needed_by_others_exactly_when_another_object_says_so(
            sets in prop::collection::vec((0..4u8, prop::option::of(0..3u8)), 0..30)
        ) {
            let mut runs = SharedRuns::default();
            let mut model = HashMap::new();
            for (object, run) in sets {
                let run = run.map(|run| format!("jr_{run}"));
                runs.set(&object, Need { run: run.clone(), ..Need::default() });
                model.insert(object, run);
                for other in 0..4u8 {
                    for run in ["jr_0", "jr_1", "jr_2"] {
                        let needed: BTreeSet<_> = model
                            .iter()
                            .filter(|(object, need)| **object != other && need.as_deref() == Some(run))
                            .collect();
                        prop_assert_eq!(runs.is_needed_by_others(run, &other), !needed.is_empty());
                    }
                }
            }
        }
    }
}
