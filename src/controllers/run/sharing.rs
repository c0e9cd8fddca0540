//! The runs that an object needs and may share with others.

use std::collections::BTreeMap;

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
    let started: BTreeMap<_, _> =
        status.attempts.iter().filter_map(|attempt| Some((attempt.number, attempt.id.clone()?))).collect();
    let newest = started.into_iter().next_back();
    Need {
        run: live.and_then(|attempt| attempt.id.clone()),
        keyed: shared_key(object.meta(), object.policy()).zip(newest).map(|(key, (number, id))| (key, number, id)),
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
    }
}
