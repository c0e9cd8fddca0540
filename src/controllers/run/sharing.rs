//! The runs that an object needs and may share with others.

use super::facts::{ObservedRun, shared_key};
use super::kind::RunKind;
use crate::api::run::{Phase, RunStatus};
use crate::controllers::runtime::shared_runs::Need;

/// What the object, with this status, needs of the runs of its job or crawler.
#[must_use]
pub fn need<K: RunKind>(object: &K, status: &RunStatus) -> Need {
    let is_over = status.phase.is_some_and(Phase::is_final) || object.meta().deletion_timestamp.is_some();
    if is_over || object.follow().is_some() {
        return Need::default();
    }
    let live = status.attempt().filter(|attempt| attempt.ended_at.is_none());
    let started = status.attempts.iter().filter_map(|attempt| Some((attempt.number, attempt.id.clone()?)));
    let keyed = shared_key(object.meta(), object.policy()).and_then(|key| {
        let (number, id) = started.max_by_key(|(number, _)| *number)?;
        Some((key, number, id))
    });
    let is_own = live.is_some_and(|attempt| !attempt.adopted);
    Need { run: live.and_then(|attempt| attempt.id.clone()), is_own, keyed }
}

/// The newer attempt of what Glue lists for a key and what another object has recorded for it: Glue may list an older
/// attempt only. What Glue lists says more.
#[must_use]
pub fn newest(listed: Option<ObservedRun>, of_other: Option<ObservedRun>) -> Option<ObservedRun> {
    match (listed, of_other) {
        (Some(listed), Some(other)) if other.attempt > listed.attempt => Some(other),
        (listed, other) => listed.or(other),
    }
}

/// The run of another object's attempt, as far as it is known before the poller has shown it.
#[must_use]
pub fn run_of_other((number, id): (u32, String)) -> ObservedRun {
    ObservedRun {
        id,
        state: "STARTING".to_owned(),
        phase: Phase::Starting,
        attempt: Some(number),
        retry_expected: false,
        message: None,
        reason: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_attempt_of_a_key_counts_whoever_knows_it() {
        let run = |number, id: &str| Some(run_of_other((number, id.to_owned())));
        for (listed, of_other, id) in [
            (None, None, None),
            (run(0, "listed"), None, Some("listed")),
            (None, run(0, "recorded"), Some("recorded")),
            (run(0, "stopped"), run(1, "not listed yet"), Some("not listed yet")),
            (run(1, "newer"), run(0, "older"), Some("newer")),
        ] {
            assert_eq!(newest(listed, of_other).map(|run| run.id).as_deref(), id);
        }
    }
}
