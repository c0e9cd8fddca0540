//! What the default arguments of a job say that an argument of a run would replace. A client remembers it for a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Glue;
use crate::glue::job_runs::SparkDefaults;
use crate::glue::rate_limiter::Priority;

/// For how long it is remembered, also that there was no answer.
const REMEMBERED: Duration = Duration::from_mins(1);
/// The most jobs that are remembered.
const MOST: usize = 1_000;

/// The defaults by job, and until when they are remembered; `None` where Glue has not answered.
#[derive(Default)]
pub(super) struct JobDefaults(Mutex<HashMap<String, (Option<SparkDefaults>, Instant)>>);

impl JobDefaults {
    fn get(&self, job: &str, now: Instant) -> Option<Option<SparkDefaults>> {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(job).filter(|(_, until)| now < *until).map(|(defaults, _)| defaults.clone())
    }

    fn put(&self, job: &str, defaults: Option<SparkDefaults>, now: Instant) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.retain(|_, (_, until)| now < *until);
        if remembered.len() < MOST {
            remembered.insert(job.to_owned(), (defaults, now + REMEMBERED));
        }
    }
}

impl Glue {
    /// What the defaults of a job say of Spark (`GetJob`); `None` where Glue does not answer, refuses, or knows no such job.
    pub async fn spark_defaults(&self, job: &str) -> Option<SparkDefaults> {
        let remembered = &self.inner.job_defaults;
        if let Some(earlier) = remembered.get(job, Instant::now()) {
            return earlier;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_remembered_for_a_minute_and_are_bounded() {
        let (remembered, now) = (JobDefaults::default(), Instant::now());
        assert_eq!(remembered.get("etl", now), None);
        let defaults = SparkDefaults { is_spark: true, conf: Some("a=b".to_owned()) };
        remembered.put("etl", Some(defaults.clone()), now);
        remembered.put("denied", None, now);
        assert_eq!(remembered.get("etl", now + Duration::from_secs(59)), Some(Some(defaults)));
        assert_eq!(remembered.get("denied", now), Some(None));
        assert_eq!(remembered.get("etl", now + REMEMBERED), None);
        for number in 0..2 * MOST {
            remembered.put(&number.to_string(), None, now);
        }
        assert_eq!(remembered.0.lock().map(|jobs| jobs.len()).ok(), Some(MOST));
    }
}
