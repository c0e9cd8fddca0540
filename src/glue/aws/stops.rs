//! Stops of job runs, batched by job.

use std::collections::HashMap;

use super::Glue;
use super::batching::{BatchOperation, PendingBatches};
use crate::glue::Error;
use crate::glue::job_runs::{STOP_BATCH_SIZE, StopOutcome};

/// `BatchStopJobRun`; a group is a job.
struct StopJobRuns;

impl BatchOperation for StopJobRuns {
    const OPERATION: &'static str = "BatchStopJobRun";
    const MAX_ITEMS: usize = STOP_BATCH_SIZE;
    type Outcome = StopOutcome;

    fn pending(glue: &Glue) -> &PendingBatches<StopOutcome> {
        &glue.inner.pending_stops
    }

    fn object(job: &str, id: &str) -> String {
        format!("job {job} run {id}")
    }

    async fn send(glue: &Glue, job: &str, ids: &[String]) -> Result<HashMap<String, StopOutcome>, Error> {
        glue.stop_job_runs(job, ids).await
    }

    fn success() -> StopOutcome {
        StopOutcome::Accepted
    }
}

impl Glue {
    /// Stops a run of a job, in one `BatchStopJobRun` with others that are stopped at the same time.
    pub async fn stop_job_run(&self, job: &str, id: &str) -> Result<StopOutcome, Error> {
        self.send_batched::<StopJobRuns>(job, id).await
    }
}
