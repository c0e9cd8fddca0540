//! Which attempt is next, when it may start, and what is left of the deadlines.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::facts::Facts;
use crate::api::run::{Attempt, DeletionPolicy, MAX_ATTEMPTS, Phase, Retry, RetryOn, RunStatus, StopCause};
use crate::controllers::runtime::time;
use crate::failpoints::without;

/// The attempt that would be started now: the same one after a start that had no effect, else the next.
pub(super) fn next_attempt(facts: &Facts<'_>) -> Attempt {
    let now = Time(facts.common.now);
    let last = facts.status.attempt();
    let (number, retry, active_since) = match last {
        None => (0, 0, now.clone()),
        // The first attempt never ran: its active deadline counts from the start that succeeds.
        Some(last) if last.ended_at.is_none() && last.retry == 0 => (last.number, 0, now.clone()),
        Some(last) if last.ended_at.is_none() => (last.number, last.retry, last.active_since.clone()),
        Some(last) if last.stop_cause == Some(StopCause::Suspended) => (last.number + 1, last.retry, now.clone()),
        Some(last) => (last.number + 1, last.retry + 1, last.active_since.clone()),
    };
    Attempt {
        retry,
        active_since,
        baseline: last.filter(|last| last.ended_at.is_none()).and_then(|last| last.baseline.clone()),
        resumes: last.filter(|last| last.ended_at.is_none()).and_then(|last| last.resumes.clone()),
        ..Attempt::intended(number, facts.key(number), now)
    }
}

/// The attempts, with `attempt` in place of the one of its number; the last [`MAX_ATTEMPTS`].
pub(super) fn with_attempt(status: &RunStatus, attempt: Attempt) -> Vec<Attempt> {
    let mut attempts: Vec<_> = status.attempts.iter().filter(|other| other.number != attempt.number).cloned().collect();
    attempts.push(attempt);
    let surplus = attempts.len().saturating_sub(MAX_ATTEMPTS);
    attempts.split_off(surplus)
}

pub(super) fn may_retry(retry: Option<&Retry>, phase: Phase, retries: u32) -> bool {
    let Some(retry) = retry else { return false };
    let kind = match phase {
        Phase::Failed => RetryOn::Failed,
        Phase::TimedOut => RetryOn::Timeout,
        Phase::Error => RetryOn::Error,
        Phase::Expired => RetryOn::Expired,
        _ => return false,
    };
    let default = [RetryOn::Failed, RetryOn::Error, RetryOn::Timeout];
    retries < retry.limit && retry.states.as_deref().unwrap_or(&default).contains(&kind)
}

/// What is left of the pause before retry `number`; `None` when there is none, or it has passed.
pub(super) fn retry_pause(facts: &Facts<'_>, number: u32) -> Option<Duration> {
    let retry = facts.policy.retry.as_ref()?;
    let last = facts.status.attempt()?;
    let ended_at = last.ended_at.as_ref().filter(|_| last.stop_cause != Some(StopCause::Suspended))?;
    let first = retry.backoff_seconds.unwrap_or(10);
    let most = retry.max_backoff_seconds.unwrap_or(600).max(first);
    let pause = u64::from(first).saturating_mul(1 << number.saturating_sub(1).min(20)).min(u64::from(most));
    Some(left(facts.common.now, ended_at.0, i64::try_from(pause).unwrap_or(i64::MAX))).filter(|left| !left.is_zero())
}

/// Whether no attempt has had a run yet.
pub(super) fn never_ran(status: &RunStatus) -> bool {
    status.attempts.iter().all(|attempt| attempt.id.is_none())
}

/// What is left of `startDeadlineSeconds`.
pub(super) fn start_deadline(facts: &Facts<'_>) -> Option<Duration> {
    let seconds = facts.policy.start_deadline_seconds?;
    let released = facts.status.condition("Suspended").filter(|suspended| suspended.status == "False");
    let from = match released {
        Some(released) => released.last_transition_time.0,
        None if facts.policy.suspend == Some(true) || facts.status.phase == Some(Phase::Suspended) => return None,
        None => facts.common.meta.creation_timestamp.as_ref()?.0,
    };
    Some(left(facts.common.now, from, seconds))
}

/// What is left of `activeDeadlineSeconds`.
pub(super) fn active_deadline(facts: &Facts<'_>, active_since: &Time) -> Option<Duration> {
    Some(left(facts.common.now, active_since.0, facts.policy.active_deadline_seconds?))
}

pub(super) fn left(now: Timestamp, from: Timestamp, seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default()).saturating_sub(time::since(now, from))
}

/// Whether the object needs our finalizer: only while there is, or may soon be, a run to stop.
pub(super) fn needs_finalizer(facts: &Facts<'_>) -> bool {
    let elsewhere = facts.follow.is_some()
        || facts.status.attempt().is_some_and(|attempt| attempt.adopted && attempt.ended_at.is_none());
    let default = if elsewhere { DeletionPolicy::Orphan } else { DeletionPolicy::Stop };
    facts.policy.deletion_policy.unwrap_or(default) == DeletionPolicy::Stop && !without("finalizer")
}
