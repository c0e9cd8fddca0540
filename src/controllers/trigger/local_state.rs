//! What the process remembers of an object, and what one pass learns. All of it may be lost: a restart makes
//! the controller look once more, never fire once more.

use std::time::Duration;

use kube::ResourceExt;
use tokio::time::Instant;

use crate::api::GlueTrigger;
use crate::api::trigger::{Baseline, Firing, Started, Target};
use crate::controllers::runtime::problem::Problem;

/// What is done in Glue about a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Activate it.
    Activate,
    /// Deactivate it.
    Deactivate,
    /// See what was started last of all that it starts.
    ReadBaseline {
        /// What it starts.
        targets: Vec<Target>,
        /// Whether it matters, too, if it has ever started anything.
        history: bool,
    },
    /// Look for what it has started since.
    LookUp(Vec<Baseline>),
    /// Fire it, once.
    Fire,
}

/// A value of fire, and the generation of the object that had it.
pub type Seen = (i64, Option<String>);

/// What is remembered of one object.
#[derive(Clone, Debug, Default)]
pub struct LocalTriggerState {
    /// The values of fire that the watch has shown, oldest first, as far as no status speaks of them yet.
    seen: Vec<Seen>,
    /// Whether the watch has shown the object before.
    known: bool,
    /// Whether this process saw the object come to be.
    born: bool,
    /// Whether a status of it has told of anything: one that tells of nothing by now has lost it.
    told: bool,
    /// The intent that counts, by its number, and since when this process has known of it.
    intent: Option<(u32, Instant)>,
    /// What Glue answered to it.
    outcome: Option<(u32, StartOutcome)>,
}

/// What Glue answered to a firing.
#[derive(Clone, Debug, PartialEq)]
pub enum StartOutcome {
    /// Fired.
    Accepted,
    /// A clear no.
    Refused(Problem),
    /// Anything else.
    Unclear,
}

/// What was started last when Glue was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineReading {
    /// The newest run of each target.
    pub newest: Vec<Baseline>,
    /// Whether the trigger has, or may have, started anything that Glue still lists; where that was asked.
    pub ever: bool,
}

/// What came of looking for what a firing started.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundRuns {
    /// What is newer than what the intent recorded, and may be of this trigger.
    pub started: Vec<Started>,
    /// For how long the intent had been known when Glue was asked: a look from before the settle time had passed
    /// says nothing about a firing that was still on its way.
    pub known_for: Duration,
}

/// What one pass learns.
#[derive(Clone, Debug, Default)]
pub struct PassState {
    /// The values of fire that the watch has shown.
    pub seen: Vec<Seen>,
    /// Whether this process saw the object come to be.
    pub born: bool,
    /// Whether the object has lived before: when its status tells of nothing, that was lost.
    pub lived: bool,
    /// For how long the intent of this number has been known when the pass began.
    pub known: Option<(u32, Duration)>,
    /// Whether this pass has sent a firing: one is enough.
    pub sent: bool,
    /// What Glue answered to the intent of this number.
    pub outcome: Option<(u32, StartOutcome)>,
    /// What was started last.
    pub baseline: Option<Result<BaselineReading, Problem>>,
    /// What was found of the intent of this number.
    pub found: Option<(u32, Result<FoundRuns, Problem>)>,
}

impl PassState {
    /// For how long the intent of this number has been known; not at all, when it is of this pass.
    #[must_use]
    pub fn known_for(&self, number: u32) -> Duration {
        self.known.filter(|(known, _)| *known == number).map(|(_, known_for)| known_for).unwrap_or_default()
    }
}

/// The mark of an object that has fired for the value it was created with. It stands outside the status, so that
/// a backup that drops the status still tells of it.
pub const FIRED_ANNOTATION: &str = "kube-glue.dev/fired";

impl LocalTriggerState {
    /// The watch shows the object.
    pub fn on_applied(&mut self, object: &GlueTrigger, listed: bool) {
        self.born |= !self.known && !listed;
        self.known = true;
        let observed = object.status.as_ref().map_or(-1, |status| status.declared.observed_generation);
        self.told |= observed >= 0;
        let generation = object.metadata.generation.unwrap_or_default();
        if self.seen.last().is_none_or(|(last, _)| *last < generation) {
            self.seen.push((generation, object.spec.fire.clone()));
        }
        self.seen.retain(|(generation, _)| *generation > observed);
    }

    /// What a pass knows when it begins.
    pub fn begin(&mut self, object: &GlueTrigger) -> PassState {
        let last = object.status.as_ref().and_then(|status| status.last_firing.as_ref());
        self.keep_intent(last);
        PassState {
            seen: self.seen.clone(),
            born: self.born,
            lived: self.told || has_lived(object),
            known: self.intent.map(|(number, since)| (number, since.elapsed())),
            outcome: self.outcome.clone().filter(|(number, _)| last.is_some_and(|last| last.number == *number)),
            ..PassState::default()
        }
    }

    fn keep_intent(&mut self, last: Option<&Firing>) {
        let number = last.map(|last| last.number);
        if self.intent.map(|(number, _)| number) != number {
            self.intent = number.map(|number| (number, Instant::now()));
        }
    }

    /// Glue answered to the intent of this number.
    pub fn answered(&mut self, number: u32, outcome: StartOutcome) {
        self.outcome = (outcome != StartOutcome::Unclear).then_some((number, outcome));
    }
}

/// Whether the object itself shows that it has lived before.
fn has_lived(object: &GlueTrigger) -> bool {
    object.annotations().contains_key(FIRED_ANNOTATION)
        || object.finalizers().iter().any(|name| name == crate::api::FINALIZER)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::wants_a;
    use super::*;

    /// An object of this generation, with this value, and a status of that generation.
    fn object(generation: i64, value: &str, observed: i64) -> GlueTrigger {
        let mut object = wants_a().object;
        object.metadata.generation = Some(generation);
        object.spec.fire = Some(value.to_owned());
        object.status.as_mut().unwrap().declared.observed_generation = observed;
        object
    }

    #[test]
    fn an_object_is_born_when_the_watch_shows_it_for_the_first_time_and_not_in_a_list() {
        let first = object(1, "a", -1);
        for (listed, born) in [(false, true), (true, false)] {
            let mut memory = LocalTriggerState::default();
            memory.on_applied(&first, listed);
            memory.on_applied(&first, true);
            memory.on_applied(&first, false);
            let state = memory.begin(&first);
            assert_eq!((state.born, state.lived), (born, false));
        }
    }

    #[test]
    fn an_object_whose_status_has_told_of_it_or_that_is_marked_has_lived() {
        let mut memory = LocalTriggerState::default();
        memory.on_applied(&object(1, "a", 1), false);
        assert!(memory.begin(&object(1, "a", -1)).lived, "its status was lost");
        let mut marked = object(1, "a", -1);
        marked.metadata.annotations = Some([(FIRED_ANNOTATION.to_owned(), "true".to_owned())].into());
        assert!(LocalTriggerState::default().begin(&marked).lived, "it was restored");
    }

    #[test]
    fn each_value_is_kept_in_order_until_a_status_speaks_of_it() {
        let mut memory = LocalTriggerState::default();
        for (generation, value, observed) in [(1, "a", -1), (2, "b", -1), (2, "b", -1), (3, "c", 1)] {
            memory.on_applied(&object(generation, value, observed), false);
        }
        let seen = memory.begin(&object(3, "c", 1)).seen;
        assert_eq!(seen, [(2, Some("b".to_owned())), (3, Some("c".to_owned()))]);
    }

    #[test]
    fn an_answer_belongs_to_one_intent() {
        let intended = |number| {
            let mut object = object(2, "a", 2);
            let newest = Vec::new();
            let mut status = object.status.take().unwrap();
            status.pending_fires = vec!["a".to_owned()];
            let mut status = super::super::intent::next_intent(status, "a", newest, jiff::Timestamp::UNIX_EPOCH);
            status.last_firing.as_mut().unwrap().number = number;
            object.status = Some(status);
            object
        };
        let mut memory = LocalTriggerState::default();
        memory.begin(&intended(0));
        memory.answered(0, StartOutcome::Accepted);
        assert_eq!(memory.begin(&intended(0)).outcome, Some((0, StartOutcome::Accepted)));
        assert_eq!(memory.begin(&intended(1)).outcome, None);
        memory.answered(1, StartOutcome::Unclear);
        let state = memory.begin(&intended(1));
        assert_eq!((state.outcome.clone(), state.known_for(0)), (None, Duration::ZERO));
        assert!(state.known.is_some_and(|(number, _)| number == 1));
    }
}
