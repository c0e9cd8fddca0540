//! The objects that wait because their namespace has as many AWS clients as it may. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use jiff::Timestamp;

/// An object of a namespace. The order is that in which objects are woken: the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiter {
    /// When it was created.
    pub created: Timestamp,
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

/// The objects that wait for clients `K`, each with what wakes it, by namespace.
pub(super) struct IdentityQueue<K, W> {
    by_namespace: HashMap<String, BTreeMap<Waiter, (K, W)>>,
}

impl<K, W> Default for IdentityQueue<K, W> {
    fn default() -> Self {
        Self { by_namespace: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash, W> IdentityQueue<K, W> {
    /// The object waits for this client, and for no other one any more.
    pub(super) fn add(&mut self, namespace: &str, waiter: Waiter, client: K, wake: W) {
        self.by_namespace.entry(namespace.to_owned()).or_default().insert(waiter, (client, wake));
    }

    /// The object does not wait any more.
    pub(super) fn remove(&mut self, namespace: &str, waiter: &Waiter) {
        let Some(waiting) = self.by_namespace.get_mut(namespace) else { return };
        waiting.remove(waiter);
        if waiting.is_empty() {
            self.by_namespace.remove(namespace);
        }
    }

    /// Takes out the objects whose client `exists`, and those for whose clients the namespace has `free` places: as many
    /// clients as that, for the objects that have waited from the earliest creation on.
    pub(super) fn take(&mut self, free: impl Fn(&str) -> usize, exists: impl Fn(&K) -> bool) -> Vec<W> {
        let mut woken = Vec::new();
        self.by_namespace.retain(|namespace, waiting| {
            let free = free(namespace);
            let mut admitted = HashSet::new();
            for (waiter, (client, wake)) in std::mem::take(waiting) {
                if exists(&client) || admitted.contains(&client) {
                    woken.push(wake);
                } else if admitted.len() < free {
                    admitted.insert(client);
                    woken.push(wake);
                } else {
                    waiting.insert(waiter, (client, wake));
                }
            }
            !waiting.is_empty()
        });
        woken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue with these objects: the second of their creation, their client and their name, which is what wakes them.
    fn queue(objects: &[(&str, i64, char, &'static str)]) -> IdentityQueue<char, &'static str> {
        let mut queue = IdentityQueue::default();
        for (namespace, created, client, name) in objects {
            queue.add(namespace, waiter(*created, name), *client, *name);
        }
        queue
    }

    fn waiter(created: i64, name: &str) -> Waiter {
        Waiter { created: Timestamp::from_second(created).unwrap(), kind: "GlueJobRun", name: name.to_owned() }
    }

    #[test]
    fn a_free_place_is_for_the_client_of_the_oldest_object_and_for_all_that_share_it() {
        let mut queue =
            queue(&[("a", 3, 'x', "three"), ("a", 1, 'y', "one"), ("a", 2, 'x', "two"), ("a", 4, 'y', "four")]);
        assert!(queue.take(|_| 0, |_| false).is_empty());
        assert_eq!(queue.take(|_| 1, |_| false), ["one", "four"]);
        assert_eq!(queue.take(|_| 1, |_| false), ["two", "three"]);
        assert!(queue.take(|_| 9, |_| true).is_empty(), "nobody waits any more");
    }

    #[test]
    fn an_object_whose_client_exists_needs_no_place() {
        let mut queue = queue(&[("a", 1, 'x', "one"), ("a", 2, 'y', "two")]);
        assert_eq!(queue.take(|_| 0, |client| *client == 'y'), ["two"]);
    }

    #[test]
    fn namespaces_have_places_of_their_own() {
        let mut queue = queue(&[("a", 1, 'x', "one"), ("b", 2, 'y', "two")]);
        assert_eq!(queue.take(|namespace| usize::from(namespace == "b"), |_| false), ["two"]);
    }

    #[test]
    fn an_object_that_waits_no_more_leaves_its_place_to_others_and_waits_for_one_client_only() {
        let mut queue = queue(&[("a", 1, 'x', "one"), ("a", 2, 'y', "two"), ("a", 2, 'z', "two")]);
        queue.remove("a", &waiter(1, "one"));
        queue.remove("elsewhere", &waiter(1, "one"));
        assert!(queue.take(|_| 0, |client| *client == 'y').is_empty());
        assert_eq!(queue.take(|_| 1, |_| false), ["two"]);
        assert!(queue.by_namespace.is_empty());
    }
}
