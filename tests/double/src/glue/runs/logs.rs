//! The logs of runs: where they are, and what a script writes to them.
//!
//! Source: "Logging for AWS Glue jobs" and "Enabling continuous logging for AWS Glue 4.0 and earlier jobs", AWS Glue
//! developer guide; `JobRun` (`LogGroupName`), AWS Glue API reference.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::RunNumber;
use crate::{
    clock::Time,
    glue::{Region, jobs::JobSettings},
};

/// A log of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Log {
    /// Standard output; from Glue 5.0 on, standard error too.
    #[default]
    Output,
    /// Standard error; from Glue 5.0 on, the logs of Spark and of Glue's logger.
    Error,
    /// The continuous log before Glue 5.0. Without it, nothing is written.
    Continuous,
}

/// A line that a run writes. All times are on the double's clock; in JSON, seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LogLine {
    /// The text.
    pub message: Arc<str>,
    /// The log.
    pub log: Log,
    /// What follows the run id in the stream's name, such as `-1` for an executor; none is the driver's stream.
    pub stream: Option<String>,
    /// When it is written, after the begin of RUNNING. A run that has ended before does not write it.
    #[serde(with = "crate::seconds")]
    pub at: Duration,
    /// How much later it can be read. A line with a longer delay than the next one appears after it, with the older
    /// timestamp.
    #[serde(with = "crate::seconds")]
    pub delay: Duration,
}

impl LogLine {
    /// A line of the driver in the output log, written at the begin of RUNNING.
    #[must_use]
    pub fn new(message: &str) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Writes it to this log.
    #[must_use]
    pub fn to(self, log: Log) -> Self {
        Self { log, ..self }
    }

    /// Writes it to the stream whose name ends so after the run id.
    #[must_use]
    pub fn of_stream(self, suffix: &str) -> Self {
        Self { stream: Some(suffix.to_owned()), ..self }
    }

    /// Writes it this long after the begin of RUNNING.
    #[must_use]
    pub fn at(self, at: Duration) -> Self {
        Self { at, ..self }
    }

    /// Lets it be read this much later.
    #[must_use]
    pub fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// The log groups of a run, and what the names of its streams begin with.
#[derive(Debug, Default)]
pub(in crate::glue) struct Destinations {
    output: String,
    error: String,
    /// The group of the continuous log, where it is written.
    continuous: Option<String>,
    /// In place of the run id: that of the output and error logs, and of the continuous log.
    prefixes: [Option<String>; 2],
    /// What follows the run id in the driver's stream of the output and error logs.
    driver: &'static str,
}

impl Destinations {
    /// Those of a run by its arguments; `group` is its `LogGroupName`.
    pub(super) fn read<'a>(group: &str, job: &JobSettings, argument: impl Fn(&str) -> Option<&'a str>) -> Self {
        let given = |name| argument(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let is_realtime = job.is_spark() && job.major_version() >= 5;
        let of_realtime = |name| given(name).filter(|_| is_realtime);
        let base = of_realtime("--custom-logGroup-prefix").unwrap_or_else(|| group.to_owned());
        let is_continuous = job.is_spark()
            && !is_realtime
            && argument("--enable-continuous-cloudwatch-log").is_some_and(|on| on.eq_ignore_ascii_case("true"));
        let continuous = given("--continuous-log-logGroup").unwrap_or_else(|| "/aws-glue/jobs/logs-v2".to_owned());
        Self {
            output: format!("{base}/output"),
            error: format!("{base}/error"),
            continuous: is_continuous.then_some(continuous),
            prefixes: [of_realtime("--custom-logStream-prefix"), given("--continuous-log-logStreamPrefix")],
            driver: if is_realtime { "-driver" } else { "" },
        }
    }

    /// The group and the stream of a line of run `id`.
    fn of(&self, line: &LogLine, id: &str) -> Option<(&str, String)> {
        let [realtime, continuous] = &self.prefixes;
        let (group, prefix, driver) = match line.log {
            Log::Output => (&self.output, realtime, self.driver),
            Log::Error => (&self.error, realtime, self.driver),
            Log::Continuous => (self.continuous.as_ref()?, continuous, "-driver"),
        };
        let suffix = line.stream.as_deref().unwrap_or(driver);
        Some((group, format!("{}{suffix}", prefix.as_deref().unwrap_or(id))))
    }
}

impl Region {
    /// Writes a line of a run's script, unless the run had ended before.
    pub(super) fn write_log_line(&mut self, number: RunNumber, index: usize, written: Time) {
        let run = self.runs.get(number);
        if run.completed_on.is_some_and(|ended| ended < written) {
            return;
        }
        let Some(line) = run.plan.logs.get(index) else { return };
        let Some((group, stream)) = run.start.logs.of(line, &run.id) else { return };
        let now = self.now();
        self.logs.write(group, &stream, written, now, line.message.clone());
    }
}
