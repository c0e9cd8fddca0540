//! Stops of several runs of one job that come together go as one `BatchStopJobRun`.

use std::collections::HashMap;

use super::Glue;
use super::gather::{Batch, Gathered};
use crate::glue::Error;
use crate::glue::job_runs::{STOP_BATCH, StopAnswer};

/// Stops of the runs of one job.
struct Stops;

impl Batch for Stops {
    const OPERATION: &'static str = "BatchStopJobRun";
    const MOST: usize = STOP_BATCH;
    type Answer = StopAnswer;

    fn gathered(glue: &Glue) -> &Gathered<StopAnswer> {
        &glue.inner.stops
    }

    fn object(job: &str, id: &str) -> String {
        format!("job {job} run {id}")
    }

    async fn send(glue: &Glue, job: &str, ids: &[String]) -> Result<HashMap<String, StopAnswer>, Error> {
        glue.stop_job_runs(job, ids).await
    }

    fn well() -> StopAnswer {
        StopAnswer::Accepted
    }
}

impl Glue {
    /// Stops a run of a job, together with others that are stopped at the same time.
    pub async fn stop_job_run(&self, job: &str, id: &str) -> Result<StopAnswer, Error> {
        self.together::<Stops>(job, id).await
    }
}
