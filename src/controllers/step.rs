//! What a decision comes to, for every kind: the status that must stand, and the step that may follow.

use std::time::Duration;

/// What must stand in the object, and what may be done once it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<S, A> {
    /// The status.
    pub status: S,
    /// The step.
    pub step: Step<A>,
}

/// One step; `A` is what only one life does. After each but the last two the shell plans again with what it
/// learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<A> {
    /// Put our finalizer on the object.
    Hold,
    /// Take our finalizer off; `left_behind` names what lives on in Glue because nobody could end it.
    Release {
        /// What it is called there.
        left_behind: Option<String>,
    },
    /// Put this mark on the object, as an annotation: it tells what the status tells where that is lost.
    Mark(&'static str),
    /// Do this in Glue.
    Act(A),
    /// Delete the object: its time after the end is over.
    Delete,
    /// Something stands in the way: come back after a pause that grows each time.
    Retry,
    /// Nothing to do before something changes, or this time has passed.
    Rest(Option<Duration>),
}
