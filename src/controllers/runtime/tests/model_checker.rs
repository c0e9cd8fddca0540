//! A walk through every state that a model can come to, for the tests that try out each order of crashes, lost
//! answers and stale caches.
//!
//! A model says what can happen next and what must hold; here stands how its states are gone through, and how the
//! message of a failure tells the way to the state that failed.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// How a model came to its state, and how much may still go wrong on the way from there.
#[derive(Clone, Debug)]
pub struct Course {
    /// How many things may still go wrong.
    pub faults: u8,
    /// Not part of the state.
    story: Story,
}

/// What has happened, newest first: states share their pasts.
#[derive(Clone, Debug, Default)]
struct Story(Option<Rc<(String, Story)>>);

impl Course {
    /// The beginning of a walk on which so many things may go wrong.
    pub fn of(faults: u8) -> Self {
        Self { faults, story: Story::default() }
    }

    /// What happened, a line each.
    pub fn tell(&self) -> String {
        let newest = self.story.0.as_ref();
        let mut queues: Vec<_> =
            std::iter::successors(newest, |last| last.1.0.as_ref()).map(|last| last.0.as_str()).collect();
        queues.reverse();
        queues.join("\n")
    }
}

/// What can be walked through.
pub trait Model: Clone {
    /// How it came to this state.
    fn course(&self) -> &Course;

    /// The same, to be changed.
    fn course_mut(&mut self) -> &mut Course;

    /// A hash of everything but the story: equal states are gone on from once.
    fn fingerprint(&self) -> u64;

    /// Panics, and tells how it came to it, if something does not hold.
    fn check(&self);

    /// Everything that can happen next.
    fn successors(&self) -> Vec<Self>;

    /// The state after `what` has happened.
    fn with(&self, what: impl Into<String>, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        let course = next.course_mut();
        course.story = Story(Some(Rc::new((what.into(), course.story.clone()))));
        change(&mut next);
        next
    }

    /// The same for what goes wrong, if anything still may.
    fn fault(&self, what: impl Into<String>, change: impl FnOnce(&mut Self)) -> Option<Self> {
        (self.course().faults > 0).then(|| {
            self.with(what, |next| {
                next.course_mut().faults -= 1;
                change(next);
            })
        })
    }
}

/// Goes through every state that `first` leads to, each once; how many there are.
pub fn walk(first: impl Model) -> usize {
    let mut seen = HashSet::new();
    let mut open = vec![first];
    while let Some(model) = open.pop() {
        if seen.insert(model.fingerprint()) {
            model.check();
            open.extend(model.successors());
        }
    }
    seen.len()
}

/// A number for a value, as good as the value for telling states apart.
pub fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
