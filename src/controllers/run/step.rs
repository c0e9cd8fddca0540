//! What a decision about a run comes to.

use jiff::Timestamp;

use crate::api::run::{Newest, RunStatus};
use crate::controllers::step;

/// The status that must stand, and the step that may follow.
pub type Plan = step::Plan<RunStatus, Act>;
/// One step.
pub type Step = step::Step<Act>;

/// What only runs do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Look for the current attempt's run in Glue.
    Look(Trace),
    /// See what is there before a start that carries no key.
    Survey {
        /// What the attempt has recorded already.
        after: Option<Newest>,
    },
    /// Send the start of the current attempt, once.
    Start,
    /// Stop this run.
    Stop(String),
}

/// What a run is looked for by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The key.
    pub key: String,
    /// When the intent was recorded; `None` looks through everything that Glue remembers.
    pub since: Option<Timestamp>,
    /// What was there before, where runs carry no key.
    pub after: Option<Newest>,
}
