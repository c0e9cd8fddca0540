//! Which of a job's runs a lookup considers, and which of them it is about. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::controllers::run::calls::RunQuery;
use crate::glue::job_runs::{JobRun, RunMatch, RunMatcher};

/// How much earlier than the intent, by Glue's clock, a run may have started and still be ours: more than any two clocks
/// differ. It bounds how far a lookup goes back, and decides no start.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_hours(1);
/// The same for runs without a key. It is short, since any other run with the same arguments would match as well.
const UNKEYED_CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// The earliest start, by Glue's clock, of a run that the lookup considers; `None` where it considers all.
pub(crate) fn earliest_start(query: &RunQuery, matcher: &RunMatcher) -> Option<Timestamp> {
    let slack = if matches!(matcher, RunMatcher::Argument { .. }) { CLOCK_SLACK } else { UNKEYED_CLOCK_SLACK };
    query.since.and_then(|since| since.checked_sub(slack).ok())
}

/// The run of `attempt`, or of the newest attempt where it is `None`, among what a search has `found`. Runs that
/// `is_recorded` accepts belong to other attempts of the object: where runs carry no key argument, the next attempt looks
/// like the one before it.
pub(crate) fn newest(found: Vec<JobRun>, attempt: Option<u32>, is_recorded: impl Fn(&str) -> bool) -> Option<JobRun> {
    let is_asked_for =
        |run: &JobRun| attempt.is_none_or(|attempt| attempt_of(run).is_none_or(|number| number == attempt));
    let ours = found.into_iter().filter(|run| is_asked_for(run) && !is_recorded(&run.id));
    // Of the runs of one attempt, those that have not ended come first.
    ours.fold(None, |newest: Option<JobRun>, run| match newest {
        Some(newest) if attempt_of(&newest) >= attempt_of(&run) => Some(newest),
        _ => Some(run),
    })
}

/// The number of the attempt that the run's key names.
pub(super) fn attempt_of(run: &JobRun) -> Option<u32> {
    match run.matched? {
        RunMatch::Attempt(number) => Some(number),
        RunMatch::Arguments => None,
    }
}
