//! What a decision about a run comes to.

use jiff::Timestamp;

use crate::api::run::RunStatus;
use crate::controllers::step;

/// The status that must stand, and the step that may follow.
pub type Plan = step::Plan<RunStatus, Act>;
/// One step.
pub type Step = step::Step<Act>;

/// What only runs do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
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
}
