//! The search for the runs of one object among all runs of a job.

use jiff::Timestamp;

use super::{JobRun, RunMatcher};
use crate::glue::{Error, Glue};

/// Every run of `job` that satisfies `matcher` and that Glue shows as started at `since` or later; without `since`, as
/// far back as Glue keeps them. Those that have not ended come first, and newer runs before older ones.
/// [`JobRun::matched`] has the number of the attempt.
///
/// # Errors
///
/// Glue refuses or does not answer. Then nothing is known: a run that is not in a part of the answer may exist.
pub async fn matching_runs(
    client: &Glue,
    job: &str,
    matcher: &RunMatcher,
    since: Option<Timestamp>,
) -> Result<Vec<JobRun>, Error> {
    let (mut token, mut found) = (None, Vec::new());
    loop {
        let page = client.job_runs(job, token, Some(matcher)).await?;
        let is_past = page.runs.last().is_some_and(|run| !is_since(run, since));
        found.extend(page.runs.into_iter().filter(|run| run.matched.is_some() && is_since(run, since)));
        token = page.next;
        if token.is_none() || is_past {
            found.sort_by_key(|run| run.state.is_final());
            return Ok(found);
        }
    }
}

/// Whether a run started at `since` or later. A run without a start time may have.
fn is_since(run: &JobRun, since: Option<Timestamp>) -> bool {
    run.started_on.zip(since).is_none_or(|(started, since)| started >= since)
}
