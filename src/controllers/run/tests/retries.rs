//! When a run that ended badly is tried again, by this controller and by Glue.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::fixture::{Fixture, at, live, observed, rejected};
use crate::api::run::{Attempt, Phase, Retry, RetryOn, RunPolicy, StopCause};
use crate::controllers::run::calls::{Call, RunQuery, Step};
use crate::controllers::run::facts::{Observation, ObservedRun};
use crate::controllers::runtime::start_once::Lookup;

/// In one pass the lookup finds the first attempt's run, which the poller already reports as failed.
#[test]
fn a_lookup_result_of_one_attempt_is_not_used_for_the_next() {
    let policy = RunPolicy {
        idempotency_key: Some("k".to_owned()),
        retry: Some(Retry { limit: 1, backoff_seconds: Some(0), ..Retry::default() }),
        ..RunPolicy::default()
    };
    let mut fixture =
        Fixture { policy, ..Fixture::new().with_finalizer().with(Phase::Starting, live()) }.observing(Phase::Failed);
    fixture.state.start.lookup = Some(Lookup::Found(observed(Phase::Failed)));
    let plan = fixture.plan();
    let query = RunQuery { base_key: "sales/k".to_owned(), ..RunQuery::default() };
    assert_eq!(plan.step, Step::Call(Call::LookUp(query.clone())));
    fixture.state.on_status_written(&fixture.status, &plan.status, false);
    fixture.status = plan.status;
    let plan = fixture.plan();
    assert_eq!((plan.status, plan.step), (fixture.status, Step::Call(Call::LookUp(query.clone()))));
}

#[test]
fn retries_follow_the_states_and_the_limit() {
    let retry = |limit, states| RunPolicy {
        retry: Some(Retry {
            limit,
            states,
            backoff_seconds: Some(10),
            max_backoff_seconds: Some(15),
            execution_class: None,
        }),
        ..RunPolicy::default()
    };
    let failed = |policy: RunPolicy, phase| Fixture {
        policy,
        ..Fixture::new().with_finalizer().with(Phase::Running, live()).observing(phase)
    };
    for (policy, end, phase) in [
        (retry(1, None), Phase::Failed, Phase::Waiting),
        (retry(1, None), Phase::TimedOut, Phase::Waiting),
        (retry(1, None), Phase::Error, Phase::Waiting),
        (retry(1, None), Phase::Expired, Phase::Expired),
        (retry(1, Some(vec![RetryOn::Expired])), Phase::Expired, Phase::Waiting),
        (retry(1, Some(vec![RetryOn::Timeout])), Phase::Failed, Phase::Failed),
        (retry(0, None), Phase::Failed, Phase::Failed),
        (retry(1, None), Phase::Stopped, Phase::Stopped),
        (RunPolicy::default(), Phase::Failed, Phase::Failed),
    ] {
        assert_eq!(failed(policy.clone(), end).plan().status.phase, Some(phase), "{policy:?} {end:?}");
    }
    // The backoff doubles up to its maximum; then the next attempt starts.
    let ended = |retry: u32| Attempt { retry, number: retry, ended_at: Some(Time(at(10))), ..live() };
    let waiting = |retries, now| Fixture {
        now,
        policy: retry(9, None),
        ..Fixture::new().with_finalizer().with(Phase::Waiting, ended(retries))
    };
    assert_eq!(waiting(0, 15).plan().step, Step::RequeueAfter(Duration::from_secs(5)));
    assert_eq!(waiting(1, 15).plan().step, Step::RequeueAfter(Duration::from_secs(10)));
    let next = waiting(1, 25).plan();
    assert_eq!(next.step, Step::Call(Call::Start));
    assert_eq!(next.status.attempt().map(|attempt| (attempt.number, attempt.retry)), Some((2, 2)));
}

/// The number, the retry and the beginning of the active time of the attempt that follows the third retry.
#[test]
fn the_next_attempt_has_the_number_and_the_time_that_what_came_before_leaves_it() {
    let third = |attempt: Attempt| Attempt { number: 5, retry: 3, active_since: Time(at(4)), ..attempt };
    let ended = Attempt { ended_at: Some(Time(at(9))), ..live() };
    let suspended = Attempt { stop_cause: Some(StopCause::Suspended), ..ended.clone() };
    let policy = RunPolicy {
        retry: Some(Retry { limit: 9, backoff_seconds: Some(0), ..Retry::default() }),
        ..RunPolicy::default()
    };
    for (why, phase, before, expected) in [
        ("nothing was started", Phase::Pending, rejected(), (5, 3, at(4))),
        ("it failed", Phase::Waiting, ended, (6, 4, at(4))),
        ("it was suspended", Phase::Suspended, suspended, (6, 3, at(10))),
    ] {
        let fixture = Fixture {
            policy: policy.clone(),
            ..Fixture::new().with_finalizer().with(phase, third(before)).observed_generation(1)
        };
        let plan = fixture.plan();
        assert_eq!(plan.step, Step::Call(Call::Start), "{why}");
        let next = plan.status.attempt().expect("an attempt");
        assert_eq!((next.number, next.retry, next.active_since.0), expected, "{why}");
    }
}

#[test]
fn the_start_deadline_counts_from_the_release_of_a_suspended_object() {
    let released = Condition {
        type_: "Suspended".to_owned(),
        status: "False".to_owned(),
        reason: "Released".to_owned(),
        message: String::new(),
        last_transition_time: Time(at(8)),
        observed_generation: None,
    };
    let phase = |now, conditions: &[Condition]| {
        let policy = RunPolicy { start_deadline_seconds: Some(5), ..RunPolicy::default() };
        let mut fixture = Fixture { now, policy, ..Fixture::new().with_finalizer() };
        fixture.status.conditions = conditions.to_vec();
        fixture.plan().status.phase
    };
    assert_eq!(phase(12, std::slice::from_ref(&released)), Some(Phase::Starting));
    assert_eq!(phase(13, &[released]), Some(Phase::Expired));
    assert_eq!(phase(12, &[]), Some(Phase::Expired), "it was never suspended");
}

/// `startDeadlineSeconds` is about the first start.
#[test]
fn the_start_deadline_does_not_count_for_a_retry_or_while_the_object_is_suspended() {
    let policy = RunPolicy {
        start_deadline_seconds: Some(5),
        retry: Some(Retry { limit: 1, backoff_seconds: Some(0), ..Retry::default() }),
        ..RunPolicy::default()
    };
    let late = |phase, attempts: Vec<Attempt>| {
        let mut fixture = Fixture { policy: policy.clone(), ..Fixture::new().with_finalizer() };
        (fixture.status.phase, fixture.status.attempts) = (Some(phase), attempts);
        fixture.plan().status.phase
    };
    assert_eq!(late(Phase::Pending, Vec::new()), Some(Phase::Expired));
    assert_eq!(late(Phase::Suspended, Vec::new()), Some(Phase::Starting), "there is no time of the release yet");
    let ended = Attempt { ended_at: Some(Time(at(9))), ..live() };
    assert_eq!(late(Phase::Waiting, vec![ended]), Some(Phase::Starting));
}

#[test]
fn a_run_that_glue_retries_does_not_fail() {
    let mut fixture = Fixture::new().with_finalizer().with(Phase::Running, live());
    fixture.observation = Some(Observation::Present(ObservedRun { retry_expected: true, ..observed(Phase::Failed) }));
    assert_eq!(fixture.plan().status.phase, Some(Phase::Waiting));
    fixture.observation =
        Some(Observation::Present(ObservedRun { id: "jr_1_attempt_1".to_owned(), ..observed(Phase::Running) }));
    let plan = fixture.plan();
    assert_eq!(plan.status.phase, Some(Phase::Running));
    assert_eq!(plan.status.attempt().and_then(|attempt| attempt.id.as_deref()), Some("jr_1_attempt_1"));
}
