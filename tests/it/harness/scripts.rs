//! How the runs of a test go in Glue, and how long a controller waits for them.

use std::time::Duration;

use jiff::SignedDuration;
use kube_glue_double::{Outcome, RunPlan, RunScript};

/// Each state of a [`stepwise`] run lasts so long on Glue's clock.
pub const STEP: Duration = Duration::from_mins(1);

/// Flags of a controller that soon takes an answer for lost, and a start that is not found for one that came to
/// nothing. Its own defaults are for whoever counts calls or writes: a machine that many tests share may well take
/// seconds over an answer, and then by these the stop is sent once more, or the run is looked for.
pub const HASTY: &[(&str, &str)] = &[("--aws-timeout", "3s"), ("--start-settle", "8s")];
/// After how long.
pub const SETTLE: SignedDuration = SignedDuration::from_secs(8);

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
