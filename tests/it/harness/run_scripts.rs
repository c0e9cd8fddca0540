//! Scripts for runs in Glue, and short timeouts for a controller.

use std::time::Duration;

use jiff::SignedDuration;
use kube_glue_double::{Outcome, RunPlan, RunScript};

/// How long each state of a [`stepwise`] run lasts on Glue's clock.
pub const STEP: Duration = Duration::from_mins(1);

/// Flags with which a controller soon treats an answer as lost, and a start that it cannot find as never made.
///
/// Not for tests that count calls or writes: on a busy machine an answer may take longer than that, and the
/// controller then sends a stop again or looks for the run.
pub const SHORT_TIMEOUTS: &[(&str, &str)] = &[("--aws-timeout", "3s"), ("--start-settle", "8s")];
/// `--start-settle` of [`SHORT_TIMEOUTS`].
pub const SHORT_START_SETTLE: SignedDuration = SignedDuration::from_secs(8);

/// Runs that succeed within a second.
pub fn quick() -> RunScript {
    RunScript::succeeds().starting(Duration::from_millis(300)).running(Duration::from_millis(700))
}

/// Runs that are RUNNING at once, never end by themselves, and are STOPPING for 300 ms.
pub fn endless() -> RunScript {
    RunScript::never_ends().starting(Duration::ZERO).stopping(Duration::from_millis(300))
}

/// Runs that end with `outcome` and spend a [`STEP`] in each state.
pub fn stepwise(outcome: Outcome) -> RunScript {
    RunScript::sequence([RunPlan {
        starting: STEP,
        running: STEP,
        outcome,
        stopping: STEP,
        slot_lag: STEP,
        retry_after: STEP,
        longest_wait: STEP * 2,
        hidden: Duration::ZERO,
        logs: Vec::new(),
    }])
}
