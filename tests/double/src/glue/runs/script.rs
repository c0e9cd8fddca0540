//! Scripts that define how the runs of a job change state and end.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::logs::LogLine;
use crate::{clock::FOREVER, glue::plans::Plans};

/// How a run ends unless it is stopped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state", content = "message")]
pub enum Outcome {
    /// SUCCEEDED.
    #[default]
    Succeeded,
    /// FAILED with this error message.
    Failed(String),
    /// ERROR with this error message.
    Error(String),
    /// TIMEOUT after the plan's time in RUNNING, whatever the run's own timeout is.
    Timeout,
    /// The run continues until it is stopped or times out.
    Never,
}

/// How one run, or one attempt of it, changes state and ends. All times are on the double's clock; in JSON, seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RunPlan {
    /// The time in STARTING.
    #[serde(with = "crate::seconds")]
    pub starting: Duration,
    /// The time in RUNNING.
    #[serde(with = "crate::seconds")]
    pub running: Duration,
    /// The outcome.
    pub outcome: Outcome,
    /// The time in STOPPING after a stop.
    #[serde(with = "crate::seconds")]
    pub stopping: Duration,
    /// The time after the start during which Glue neither lists the run nor finds it by its id.
    #[serde(with = "crate::seconds")]
    pub hidden: Duration,
    /// The time after the end until the slot (`MaxConcurrentRuns`) is free.
    #[serde(with = "crate::seconds")]
    pub slot_lag: Duration,
    /// The time after a failure until Glue starts the next attempt, if the job has retries left.
    #[serde(with = "crate::seconds")]
    pub retry_after: Duration,
    /// The time in WAITING after which the run is EXPIRED.
    #[serde(with = "crate::seconds")]
    pub longest_wait: Duration,
    /// What the run writes to its logs.
    pub logs: Vec<LogLine>,
}

impl Default for RunPlan {
    fn default() -> Self {
        Self {
            starting: Duration::from_secs(8),
            running: Duration::from_mins(1),
            outcome: Outcome::Succeeded,
            stopping: Duration::from_secs(3),
            hidden: Duration::ZERO,
            slot_lag: Duration::from_secs(5),
            retry_after: Duration::from_secs(5),
            longest_wait: Duration::from_hours(24),
            logs: Vec::new(),
        }
    }
}

/// The plans of a job's runs.
///
/// Each start and each retry by Glue takes the next plan in order; the last plan repeats. A plan for an argument
/// takes precedence and does not use up a plan of the sequence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RunScript {
    plans: Plans<RunPlan>,
    by_argument: Vec<(String, String, RunPlan)>,
}

impl RunScript {
    /// All runs have this outcome.
    #[must_use]
    pub fn ends(outcome: Outcome) -> Self {
        Self::sequence([RunPlan { outcome, ..RunPlan::default() }])
    }

    /// All runs succeed.
    #[must_use]
    pub fn succeeds() -> Self {
        Self::ends(Outcome::Succeeded)
    }

    /// All runs fail with this message.
    #[must_use]
    pub fn fails(message: &str) -> Self {
        Self::ends(Outcome::Failed(message.to_owned()))
    }

    /// All runs continue until they are stopped or time out.
    #[must_use]
    pub fn never_ends() -> Self {
        Self::ends(Outcome::Never)
    }

    /// Takes these plans in order; the last plan repeats.
    #[must_use]
    pub fn sequence(plans: impl IntoIterator<Item = RunPlan>) -> Self {
        Self { plans: Plans::new(plans), ..Self::default() }
    }

    /// Appends a copy of the last plan with this outcome.
    #[must_use]
    pub fn then(mut self, outcome: Outcome) -> Self {
        self.plans.append_changed(|plan| plan.outcome = outcome);
        self
    }

    /// Takes this plan for runs that are started with this argument.
    #[must_use]
    pub fn for_argument(mut self, key: &str, value: &str, plan: RunPlan) -> Self {
        self.by_argument.push((key.to_owned(), value.to_owned(), plan));
        self
    }

    /// Sets the time in STARTING of all plans.
    #[must_use]
    pub fn starting(self, time: Duration) -> Self {
        self.each(|plan| plan.starting = time)
    }

    /// Sets the time in RUNNING of all plans.
    #[must_use]
    pub fn running(self, time: Duration) -> Self {
        self.each(|plan| plan.running = time)
    }

    /// Sets the time in STOPPING of all plans.
    #[must_use]
    pub fn stopping(self, time: Duration) -> Self {
        self.each(|plan| plan.stopping = time)
    }

    /// All stopped runs stay in STOPPING.
    #[must_use]
    pub fn never_stops(self) -> Self {
        self.stopping(FOREVER)
    }

    /// Sets the time during which all new runs are neither listed nor found.
    #[must_use]
    pub fn hidden(self, time: Duration) -> Self {
        self.each(|plan| plan.hidden = time)
    }

    /// Sets the time until the slot is free of all plans.
    #[must_use]
    pub fn slot_lag(self, time: Duration) -> Self {
        self.each(|plan| plan.slot_lag = time)
    }

    /// Sets the longest time in WAITING of all plans.
    #[must_use]
    pub fn longest_wait(self, time: Duration) -> Self {
        self.each(|plan| plan.longest_wait = time)
    }

    /// Sets what all runs write to their logs.
    #[must_use]
    pub fn logs(self, lines: impl IntoIterator<Item = LogLine>) -> Self {
        let lines: Vec<_> = lines.into_iter().collect();
        self.each(|plan| plan.logs.clone_from(&lines))
    }

    fn each(mut self, change: impl FnMut(&mut RunPlan)) -> Self {
        self.plans.each(change);
        self
    }

    /// The plan of the next run; `used` counts the plans used so far.
    pub(super) fn next(&self, used: &mut usize, arguments: &BTreeMap<String, String>) -> RunPlan {
        let by_argument = self.by_argument.iter().find(|(key, value, _)| arguments.get(key) == Some(value));
        by_argument.map_or_else(|| self.plans.next(used), |(_, _, plan)| plan.clone())
    }
}
