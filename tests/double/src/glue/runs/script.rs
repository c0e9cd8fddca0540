//! How the runs of a job go: told by a test, since the double runs no scripts.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::glue::plans::Plans;

/// How a run ends if nobody stops it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state", content = "message")]
pub enum Outcome {
    /// SUCCEEDED
    #[default]
    Succeeded,
    /// FAILED, with this error message.
    Failed(String),
    /// ERROR, with this error message.
    Error(String),
    /// TIMEOUT after the planned time, whatever the timeout is.
    Timeout,
    /// It runs until it is stopped or times out.
    Never,
}

/// How one run (or one attempt of it) goes. All times are on the double's clock; in JSON they are seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RunPlan {
    /// How long it is STARTING.
    #[serde(with = "crate::seconds")]
    pub starting: Duration,
    /// How long it is RUNNING.
    #[serde(with = "crate::seconds")]
    pub running: Duration,
    /// How it ends.
    pub outcome: Outcome,
    /// How long it is STOPPING once it is stopped.
    #[serde(with = "crate::seconds")]
    pub stopping: Duration,
    /// How long after its end its slot (`MaxConcurrentRuns`) stays taken.
    #[serde(with = "crate::seconds")]
    pub slot_lag: Duration,
    /// How long after a failure Glue starts the next attempt, if the job has retries left.
    #[serde(with = "crate::seconds")]
    pub retry_after: Duration,
    /// How long it may be WAITING until it is EXPIRED.
    #[serde(with = "crate::seconds")]
    pub longest_wait: Duration,
}

impl Default for RunPlan {
    fn default() -> Self {
        Self {
            starting: Duration::from_secs(8),
            running: Duration::from_mins(1),
            outcome: Outcome::Succeeded,
            stopping: Duration::from_secs(3),
            slot_lag: Duration::from_secs(5),
            retry_after: Duration::from_secs(5),
            longest_wait: Duration::from_hours(24),
        }
    }
}

/// How the runs of a job go, one after the other.
///
/// Each start and each retry by Glue takes the next of the plans in order; when they are used up, the last one
/// goes for all that follow. A plan for an argument goes before them and is not used up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RunScript {
    plans: Plans<RunPlan>,
    by_argument: Vec<(String, String, RunPlan)>,
}

impl RunScript {
    /// Runs that all end so.
    #[must_use]
    pub fn ends(outcome: Outcome) -> Self {
        Self::sequence([RunPlan { outcome, ..RunPlan::default() }])
    }

    /// Runs that succeed.
    #[must_use]
    pub fn succeeds() -> Self {
        Self::ends(Outcome::Succeeded)
    }

    /// Runs that fail with this message.
    #[must_use]
    pub fn fails(message: &str) -> Self {
        Self::ends(Outcome::Failed(message.to_owned()))
    }

    /// Runs that go on until they are stopped or time out.
    #[must_use]
    pub fn never_ends() -> Self {
        Self::ends(Outcome::Never)
    }

    /// These plans one after the other; the last one repeats.
    #[must_use]
    pub fn sequence(plans: impl IntoIterator<Item = RunPlan>) -> Self {
        Self { plans: Plans::new(plans), ..Self::default() }
    }

    /// After the plans so far, one that ends like this, else like the last.
    #[must_use]
    pub fn then(mut self, outcome: Outcome) -> Self {
        self.plans.append_changed(|plan| plan.outcome = outcome);
        self
    }

    /// This plan for runs that are started with this argument.
    #[must_use]
    pub fn for_argument(mut self, key: &str, value: &str, plan: RunPlan) -> Self {
        self.by_argument.push((key.to_owned(), value.to_owned(), plan));
        self
    }

    /// How long runs are STARTING, in all plans.
    #[must_use]
    pub fn starting(self, time: Duration) -> Self {
        self.each(|plan| plan.starting = time)
    }

    /// How long runs are RUNNING, in all plans.
    #[must_use]
    pub fn running(self, time: Duration) -> Self {
        self.each(|plan| plan.running = time)
    }

    /// How long runs are STOPPING, in all plans.
    #[must_use]
    pub fn stopping(self, time: Duration) -> Self {
        self.each(|plan| plan.stopping = time)
    }

    /// How long slots stay taken after a run's end, in all plans.
    #[must_use]
    pub fn slot_lag(self, time: Duration) -> Self {
        self.each(|plan| plan.slot_lag = time)
    }

    /// How long runs may be WAITING, in all plans.
    #[must_use]
    pub fn longest_wait(self, time: Duration) -> Self {
        self.each(|plan| plan.longest_wait = time)
    }

    fn each(mut self, change: impl FnMut(&mut RunPlan)) -> Self {
        self.plans.each(change);
        self
    }

    /// The plan of the next run; `used` counts those given out.
    pub(super) fn next(&self, used: &mut usize, arguments: &BTreeMap<String, String>) -> RunPlan {
        let by_argument = self.by_argument.iter().find(|(key, value, _)| arguments.get(key) == Some(value));
        by_argument.map_or_else(|| self.plans.next(used), |(_, _, plan)| plan.clone())
    }
}
