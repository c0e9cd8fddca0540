//! The calls that the plan of a run can ask for.

use jiff::Timestamp;

use crate::api::run::{Baseline, RunStatus};
use crate::controllers::runtime::step;

/// The status of a run and the step that may follow.
pub type Plan = step::Plan<RunStatus, Call>;
/// One step.
pub type Step = step::Step<Call>;

/// The calls about a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Look for the run of an attempt.
    LookUp(RunQuery),
    /// Read what exists before a start that carries no key.
    ReadBaseline {
        /// What the attempt has recorded already.
        recorded: Option<Baseline>,
    },
    /// Read what there is to resume of a run that has ended.
    ReadResumable {
        /// Glue's id of the run.
        run: String,
    },
    /// See whether the target may have a free place, before the object that waits for one tries again.
    CheckPlace,
    /// Start the current attempt, once.
    Start,
    /// Stop this run.
    Stop(String),
}

/// What identifies the run of an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// What the keys of all attempts of the object begin with.
    pub base_key: String,
    /// The number of the attempt; `None` for the newest one that Glue has, where the status may not list it.
    pub attempt: Option<u32>,
    /// When the intent was recorded, or the object created; `None` looks through everything that Glue keeps.
    pub since: Option<Timestamp>,
    /// The newest run before the start, where runs carry no key.
    pub baseline: Option<Baseline>,
    /// The run that the attempt resumes: the lookup finds a run that resumes it.
    pub resumes: Option<String>,
}
