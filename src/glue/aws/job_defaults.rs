//! What the default arguments of a job say that an argument of a run would replace. A client remembers it for a minute.

use std::time::{Duration, Instant};

use super::Glue;
use super::remembered::Remembered;
use crate::glue::job_runs::SparkDefaults;
use crate::glue::rate_limiter::Priority;

/// For how long it is remembered, also that there was no answer.
const REMEMBERED: Duration = Duration::from_mins(1);
/// The most jobs that are remembered.
const MOST: usize = 1_000;

/// The defaults that a client remembers, by job.
pub(super) fn defaults() -> Remembered<SparkDefaults> {
    Remembered::new(MOST, REMEMBERED, REMEMBERED)
}

impl Glue {
    /// What the defaults of a job say of Spark (`GetJob`); `None` where Glue does not answer, refuses, or knows no such job.
    pub async fn spark_defaults(&self, job: &str) -> Option<SparkDefaults> {
        let remembered = &self.inner.job_defaults;
        if let Some(earlier) = remembered.get(job, Instant::now()) {
            return earlier.answer;
        }
        let definition = self.job(job, Priority::Start).await.ok();
        let defaults = definition.map(|job| {
            let command = job.command.and_then(|command| command.name).unwrap_or_default();
            let conf = job.default_arguments.and_then(|mut arguments| arguments.remove("--conf"));
            SparkDefaults { is_spark: matches!(command.as_str(), "glueetl" | "gluestreaming"), conf }
        });
        remembered.put(job, defaults.clone(), Instant::now());
        defaults
    }
}
