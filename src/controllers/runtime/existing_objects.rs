//! The objects that a watch shows, finished ones included: of those that are done, nothing else is kept.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The objects that exist, by uid.
#[derive(Debug, Default)]
pub struct ExistingObjects {
    by_uid: HashMap<String, Existing>,
    /// How many each namespace has; none with zero.
    by_namespace: HashMap<Arc<str>, usize>,
}

#[derive(Debug)]
struct Existing {
    namespace: Arc<str>,
    done: bool,
}

impl ExistingObjects {
    /// An object exists, and nothing is left to do for it, or something is. Whether it was done before.
    pub fn insert(&mut self, uid: &str, namespace: &str, done: bool) -> bool {
        if let Some(existing) = self.by_uid.get_mut(uid) {
            return std::mem::replace(&mut existing.done, done);
        }
        let shared = self.by_namespace.get_key_value(namespace).map(|(shared, _)| Arc::clone(shared));
        let namespace = shared.unwrap_or_else(|| Arc::from(namespace));
        *self.by_namespace.entry(Arc::clone(&namespace)).or_default() += 1;
        self.by_uid.insert(uid.to_owned(), Existing { namespace, done });
        false
    }

    /// An object was deleted.
    pub fn remove(&mut self, uid: &str) {
        if let Some(existing) = self.by_uid.remove(uid) {
            self.count_removal(&existing.namespace);
        }
    }

    /// Only these objects exist.
    pub fn retain(&mut self, uids: &HashSet<&str>) {
        let removed: Vec<_> = self.by_uid.extract_if(|uid, _| !uids.contains(uid.as_str())).collect();
        for (_, existing) in removed {
            self.count_removal(&existing.namespace);
        }
    }

    fn count_removal(&mut self, namespace: &Arc<str>) {
        if let Some(count) = self.by_namespace.get_mut(namespace) {
            *count -= 1;
            if *count == 0 {
                self.by_namespace.remove(namespace);
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.by_uid.len()
    }

    /// How many the namespace with the most of them has.
    #[must_use]
    pub fn most_of_namespace(&self) -> usize {
        self.by_namespace.values().copied().max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_counted_by_namespace_until_they_are_gone() {
        let mut existing = ExistingObjects::default();
        let counts = |existing: &ExistingObjects| (existing.count(), existing.most_of_namespace());
        assert_eq!(counts(&existing), (0, 0));
        for (uid, namespace) in [("1", "a"), ("2", "a"), ("3", "b")] {
            assert!(!existing.insert(uid, namespace, false));
        }
        assert_eq!(counts(&existing), (3, 2));
        // A change of an object is no other object.
        assert!(!existing.insert("1", "a", true));
        assert!(existing.insert("1", "a", false), "it was done before");
        assert_eq!(counts(&existing), (3, 2));
        existing.remove("2");
        existing.remove("2");
        assert_eq!(counts(&existing), (2, 1));
        existing.retain(&HashSet::from(["3"]));
        assert_eq!(counts(&existing), (1, 1));
        existing.retain(&HashSet::new());
        assert_eq!(counts(&existing), (0, 0));
        assert!(existing.by_namespace.is_empty());
    }
}
