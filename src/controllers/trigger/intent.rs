//! The intent to fire, as it goes into the status before anything is sent.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::trigger::{Baseline, Firing, GlueTriggerStatus, MAX_EARLIER_FIRINGS};

/// The status with a new intent to fire for `value`: the first of those that wait, or the one whose last intent
/// came to nothing.
pub(super) fn next_intent(
    mut status: GlueTriggerStatus,
    value: &str,
    baseline: Vec<Baseline>,
    now: Timestamp,
) -> GlueTriggerStatus {
    let last = status.last_firing.take();
    let is_next = last.as_ref().is_none_or(|last| last.fired_at.is_some());
    if is_next {
        status.pending_fires.remove(0);
    }
    status.requires_history_check = false;
    status.last_firing = Some(Firing {
        number: last.as_ref().map_or(0, |last| last.number + 1),
        value: value.to_owned(),
        intended_at: Time(now),
        baseline,
        rejected_reason: None,
        fired_at: None,
        started: Vec::new(),
        runs_resolved: false,
        ended_at: None,
    });
    if let Some(last) = last.filter(|_| is_next) {
        status.earlier_firings.push(last);
        let surplus = status.earlier_firings.len().saturating_sub(MAX_EARLIER_FIRINGS);
        status.earlier_firings.drain(..surplus);
    }
    status
}
