//! Answers that a client remembers for a while, by a name that users choose.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is remembered. A client is one identity in one account and region.
pub(super) struct Remembered<T> {
    answers: Mutex<HashMap<String, Earlier<T>>>,
    /// The most answers.
    most: usize,
    /// For how long an answer is remembered.
    kept: Duration,
    /// For how long it is remembered that there was no answer, such as for want of the permission.
    failure_kept: Duration,
}

/// What an earlier call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Earlier<T> {
    until: Instant,
    /// `None` when there was no answer.
    pub(super) answer: Option<T>,
}

impl<T: Clone> Remembered<T> {
    pub(super) fn new(most: usize, kept: Duration, failure_kept: Duration) -> Self {
        Self { answers: Mutex::default(), most, kept, failure_kept }
    }

    /// What is remembered of `name`.
    pub(super) fn get(&self, name: &str, now: Instant) -> Option<Earlier<T>> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(name).filter(|earlier| now < earlier.until).cloned()
    }

    /// Remembers an answer, unless so many are remembered already.
    pub(super) fn put(&self, name: &str, answer: Option<T>, now: Instant) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|_, earlier| now < earlier.until);
        if answers.len() < self.most {
            let until = now + if answer.is_some() { self.kept } else { self.failure_kept };
            answers.insert(name.to_owned(), Earlier { until, answer });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_remembered_for_a_while_and_are_bounded() {
        let hour = Duration::from_hours(1);
        let (remembered, now) = (Remembered::new(100, hour, Duration::from_mins(10)), Instant::now());
        let get = |name: &str, now| remembered.get(name, now).map(|earlier| earlier.answer);
        assert_eq!(get("ORACLE", now), None);
        remembered.put("ORACLE", Some(7), now);
        remembered.put("REST-X", None, now);
        let later = |minutes| now + Duration::from_mins(minutes);
        assert_eq!(get("ORACLE", later(59)), Some(Some(7)));
        assert_eq!(get("ORACLE", later(60)), None);
        assert_eq!(get("REST-X", later(9)), Some(None));
        assert_eq!(get("REST-X", later(10)), None);
        for number in 0..200 {
            remembered.put(&number.to_string(), None, now);
        }
        assert_eq!(remembered.answers.lock().unwrap().len(), 100);
        remembered.put("later", None, later(61));
        assert_eq!(remembered.answers.lock().unwrap().len(), 1, "expired answers are removed");
    }
}
