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
    Ok(has_room(places, &newest.items))
}

/// Whether fewer of the runs take a place than there are `places`. A run that Glue has queued takes none.
fn has_room(places: i32, runs: &[JobRun]) -> bool {
    let takes_place = |run: &&JobRun| !run.state.is_final() && run.state != JobRunState::Waiting;
    runs.iter().filter(takes_place).count() < usize::try_from(places).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use JobRunState::{Running, Starting, Stopping, Succeeded, Waiting};

    #[test]
    fn runs_that_are_over_or_queued_take_no_place() {
        for (places, states, expected) in [
            (1, &[][..], true),
            (0, &[], false),
            (1, &[Succeeded, Waiting], true),
            (1, &[Succeeded, Stopping], false),
            (2, &[Running, Waiting], true),
            (2, &[Running, Starting, Succeeded], false),
        ] {
            let runs: Vec<_> = states.iter().map(|state| JobRun::fixture("jr_1", state.clone())).collect();
            assert_eq!(has_room(places, &runs), expected, "{places} places, {states:?}");
        }
    }
}
