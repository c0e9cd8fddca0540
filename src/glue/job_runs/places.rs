//! The places of a job: how many of its runs may be live at once, and how many are.

use super::{JobRun, JobRunState};
use crate::glue::{Error, Glue};

/// Whether `job` has fewer live runs than its `MaxConcurrentRuns` among the newest ones that Glue lists. Glue frees a
/// place some seconds after the run's end, so a start may be refused all the same.
///
/// # Errors
///
/// Glue refuses or does not answer `GetJob` or `GetJobRuns`.
pub async fn has_free_place(client: &Glue, job: &str) -> Result<bool, Error> {
    let places = client.job_max_concurrent_runs(job).await?;
    let newest = client.job_runs(job, None).await?;
    Ok(newest.items.iter().filter(|run| takes_place(run)).count() < usize::try_from(places).unwrap_or_default())
}

/// A run that Glue has queued takes no place.
fn takes_place(run: &JobRun) -> bool {
    !run.state.is_final() && run.state != JobRunState::Waiting
}
