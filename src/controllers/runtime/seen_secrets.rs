//! Every version of the values from Secrets that an object had while this process knew it. Pure.
//!
//! A run, or Glue's words about a connection, may still show a value that the Secret does not have any more. So the values
//! are kept until the object is finished or gone. What this process cannot know, such as a version from before it began, or
//! one that was too large to keep, makes the record incomplete: then Glue's words are withheld.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use crate::redaction::Sensitive;

/// The most bytes of values that are kept of one object.
const MAX_BYTES: usize = 16 * 1024;

/// The key of the hashes of this process.
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The values that were read for one object.
#[derive(Debug, Default)]
pub struct SeenSecrets {
    /// A hash of the values that were read last.
    last: Option<u64>,
    values: Vec<Sensitive>,
    bytes: usize,
    /// Whether a value that was read last could not be kept.
    is_last_too_large: bool,
    is_incomplete: bool,
}

impl SeenSecrets {
    /// A pass has read these values. `are_applied` says whether they are those that Glue had when this process began.
    pub fn observe(&mut self, values: &[Sensitive], are_applied: bool) {
        let hash = HASHES.hash_one(values);
        if self.last == Some(hash) {
            return;
        }
        self.is_incomplete |= self.is_last_too_large || self.last.is_none() && !are_applied;
        self.last = Some(hash);
        self.is_last_too_large = false;
        for value in values {
            if self.values.contains(value) {
                continue;
            }
            if self.bytes + value.expose().len() > MAX_BYTES {
                self.is_last_too_large = true;
                continue;
            }
            self.bytes += value.expose().len();
            self.values.push(value.clone());
        }
    }

    /// The values of all versions that were kept.
    #[must_use]
    pub fn values(&self) -> &[Sensitive] {
        &self.values
    }

    /// Whether every version is known that Glue's words may show.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.is_incomplete
    }

    /// Glue says nothing about the object: what it says from now on is about values that are known.
    pub fn settle(&mut self) {
        self.is_incomplete = false;
    }

    /// Forgets the values.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(texts: &[&str]) -> Vec<Sensitive> {
        texts.iter().map(|text| Sensitive::new((*text).to_owned())).collect()
    }

    #[test]
    fn each_version_that_was_read_is_kept() {
        let mut seen = SeenSecrets::default();
        for version in [["first", "user"], ["second", "user"], ["second", "user"], ["third", "user"]] {
            seen.observe(&values(&version), true);
        }
        assert_eq!(seen.values(), values(&["first", "user", "second", "third"]));
        assert!(seen.is_complete());
        seen.clear();
        assert!(seen.values().is_empty());
    }

    #[test]
    fn a_version_that_is_not_known_makes_it_incomplete_until_glue_says_nothing() {
        let mut seen = SeenSecrets::default();
        seen.observe(&values(&["second"]), false);
        assert!(!seen.is_complete(), "the process began after a rotation");
        seen.settle();
        seen.observe(&values(&["third"]), false);
        assert!(seen.is_complete(), "it has read both");
    }

    #[test]
    fn values_that_are_too_large_to_keep_count_as_unknown_once_they_are_replaced() {
        let large = "x".repeat(MAX_BYTES + 1);
        let mut seen = SeenSecrets::default();
        seen.observe(&values(&[&large, "small"]), true);
        assert!(seen.is_complete(), "the object has the values itself");
        seen.observe(&values(&["other", "small"]), true);
        assert!(!seen.is_complete());
    }
}
