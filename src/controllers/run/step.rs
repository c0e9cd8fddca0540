//! What a decision comes to: the status that must stand, and the step that may follow.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::run::RunStatus;

/// What must stand in the object, and what may be done once it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The status.
    pub status: RunStatus,
    /// The step.
    pub step: Step,
}

/// One step. After each but the last two the shell plans again with what it learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put our finalizer on the object.
    Hold,
    /// Take our finalizer off; `left_behind` names a live run that nobody could stop.
    Release {
        /// The run's id, or the key of a start whose outcome is not known.
        left_behind: Option<String>,
    },
    /// Look for the current attempt's key in Glue.
    Look {
        /// The key.
        key: String,
        /// When the intent was recorded; `None` looks through everything that Glue remembers.
        since: Option<Timestamp>,
    },
    /// Send the start of the current attempt, once.
    Start,
    /// Stop this run.
    Stop(String),
    /// Delete the object: its time after the end is over.
    Delete,
    /// Something stands in the way: come back after a pause that grows each time.
    Retry,
    /// Nothing to do before something changes, or this time has passed.
    Rest(Option<Duration>),
}
