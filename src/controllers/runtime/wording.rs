//! When a status is written that differs from the one in the object by its words only. Pure.
//!
//! Another version of the controller may word a message differently. The first pass of a process over each object would
//! then write all of them, for nothing that is urgent. So these writes are spread over [`SPREAD`]. A later change of words
//! is news, such as another message of AWS, and is written at once.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

/// Over which time the writes of other words are spread.
const SPREAD: Duration = Duration::from_mins(10);

/// What this process does about the words of one object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wording {
    /// No pass has planned its status yet.
    #[default]
    Unknown,
    /// The object keeps its words until then.
    Kept(Instant),
    /// The words are those of this process.
    Current,
}

impl Wording {
    /// A pass plans a status that differs from the object's, by its words only if `only_words`. For how long the object
    /// keeps its words, if it does. `share` is the part of [`SPREAD`] that this object waits: 0 to 1, at random.
    pub fn postpone(&mut self, only_words: impl FnOnce() -> bool, now: Instant, share: f64) -> Option<Duration> {
        if *self == Self::Unknown {
            *self = if only_words() { Self::Kept(now + SPREAD.mul_f64(share)) } else { Self::Current };
            return self.left(now);
        }
        let left = self.left(now).filter(|_| only_words());
        if left.is_none() {
            *self = Self::Current;
        }
        left
    }

    /// A pass planned the status that the object has.
    pub fn is_as_planned(&mut self) {
        *self = Self::Current;
    }

    fn left(self, now: Instant) -> Option<Duration> {
        let Self::Kept(until) = self else { return None };
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }
}

/// Whether two statuses differ in the messages of their conditions only.
#[must_use]
pub fn only_words_differ<S: Serialize>(before: &S, after: &S) -> bool {
    let without_words = |status: &S| {
        let mut status = serde_json::to_value(status).ok()?;
        let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
        for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
            condition.remove("message");
        }
        Some(status)
    };
    let (before, after) = (without_words(before), without_words(after));
    before.is_some() && before == after
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_first_pass_of_a_process_keeps_the_words_that_it_finds() {
        let (now, after) = (Instant::now(), |seconds| Instant::now() + Duration::from_secs(seconds));
        let mut reworded = Wording::default();
        assert_eq!(reworded.postpone(|| true, now, 0.5), Some(SPREAD / 2));
        assert_eq!(reworded.postpone(|| true, now + SPREAD / 4, 0.9), Some(SPREAD / 4));
        assert_eq!(reworded.postpone(|| true, now + SPREAD / 2, 0.9), None, "its time has come");
        assert_eq!(reworded.postpone(|| true, after(9999), 0.9), None, "other words are news now");

        let mut other = Wording::default();
        assert_eq!(other.postpone(|| false, now, 0.5), None);
        assert_eq!(other.postpone(|| true, now, 0.5), None, "the first difference was no matter of words");

        let mut changes = Wording::default();
        assert!(changes.postpone(|| true, now, 0.5).is_some());
        assert_eq!(changes.postpone(|| false, now, 0.5), None, "more than words changed meanwhile");

        let mut same = Wording::default();
        same.is_as_planned();
        assert_eq!(same.postpone(|| true, now, 0.5), None);
    }

    #[test]
    fn messages_of_conditions_are_words_and_nothing_else_is() {
        let status = |reason: &str, message: &str, error: &str| json!({"errorMessage": error, "conditions": [{"type": "Ready", "reason": reason, "message": message}]});
        let before = status("Denied", "may not", "boom");
        assert!(only_words_differ(&before, &status("Denied", "is not allowed to", "boom")));
        assert!(!only_words_differ(&before, &status("NotFound", "may not", "boom")));
        assert!(!only_words_differ(&before, &status("Denied", "may not", "bang")));
    }
}
