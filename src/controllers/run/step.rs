//! What a decision about a run comes to.

use jiff::Timestamp;

use crate::api::run::{Baseline, RunStatus};
use crate::controllers::runtime::step;

/// The status that must stand, and the step that may follow.
pub type Plan = step::Plan<RunStatus, Call>;
/// One step.
pub type Step = step::Step<Call>;

/// What only runs do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Look up the current attempt's run in Glue.
    LookUp(RunQuery),
    /// See what is there before a start that carries no key.
    ReadBaseline {
        /// What the attempt has recorded already.
        baseline: Option<Baseline>,
    },
    /// Send the start of the current attempt, once.
    Start,
    /// Stop this run.
    Stop(String),
}

/// What a run is looked for by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// The key.
    pub key: String,
    /// When the intent was recorded; `None` looks through everything that Glue remembers.
    pub since: Option<Timestamp>,
    /// What was there before, where runs carry no key.
    pub baseline: Option<Baseline>,
}
