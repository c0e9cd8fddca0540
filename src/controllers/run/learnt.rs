//! What one pass has learnt so far: pure, so that the shell and the walk through all interleavings
//! (`interleavings`, a test) keep it by the same rules.

use super::facts::{Answer, Look, Problem};
use super::memory::{is_open, same_intent};
use crate::api::run::RunStatus;

/// What one pass has learnt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learnt {
    /// The object carried the finalizer, or told of an attempt, before this pass: when its status tells of
    /// none, that was lost.
    pub lived_before: bool,
    /// The intent that stands in the status was written by this pass, and nothing was sent since.
    pub fresh_intent: bool,
    /// What came of looking for the key.
    pub look: Option<Look>,
    /// What Glue answered to the start; of an earlier pass, when it could not be written then.
    pub answer: Option<Answer>,
    /// Why the stop was refused.
    pub stop_problem: Option<Problem>,
}

impl Learnt {
    /// Whether writing `after` over `before` records an intent to start.
    #[must_use]
    pub fn intends(before: &RunStatus, after: &RunStatus) -> bool {
        let open = |status: &RunStatus| status.attempt().filter(|attempt| is_open(attempt)).cloned();
        match (open(before), open(after)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(after)) => !same_intent(&before, &after),
        }
    }

    /// `after` was written over `before`.
    pub fn wrote(&mut self, before: &RunStatus, after: &RunStatus) {
        if Self::intends(before, after) {
            self.fresh_intent = true;
            self.answer = None;
        }
    }

    /// The start was sent, and this came of it. What a look said before is older than that.
    pub fn answered(&mut self, answer: Answer) {
        self.fresh_intent = false;
        self.look = None;
        self.answer = Some(answer);
    }
}
