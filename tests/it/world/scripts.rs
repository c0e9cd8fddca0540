//! How the runs of a test go in Glue.

use std::time::Duration;

use kube_glue_double::{Outcome, RunPlan, RunScript};

/// Each state of a [`stepwise`] run lasts so long on Glue's clock.
pub const STEP: Duration = Duration::from_mins(1);

/// Runs that succeed within a second.
pub fn quick() -> RunScript {
    RunScript::succeeds().starting(Duration::from_millis(300)).running(Duration::from_millis(700))
}

/// Runs that go on until they are stopped, and stop at once.
pub fn endless() -> RunScript {
    RunScript::never_ends().starting(Duration::ZERO).stopping(Duration::from_millis(300))
}

/// Runs that end so, each of whose states lasts a [`STEP`].
pub fn stepwise(outcome: Outcome) -> RunScript {
    RunScript::sequence([plan(outcome)])
}

/// One such run.
pub fn plan(outcome: Outcome) -> RunPlan {
    RunPlan {
        starting: STEP,
        running: STEP,
        outcome,
        stopping: STEP,
        slot_lag: STEP,
        retry_after: STEP,
        longest_wait: STEP * 2,
    }
}
