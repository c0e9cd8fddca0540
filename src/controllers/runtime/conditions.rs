//! Conditions as Kubernetes keeps them: one of each type, and a transition time that moves only when the status flips.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::reason::Reason;
use super::text::truncated;

/// The condition of `type_`. It keeps the transition time of the one in `before` while its status stays the same.
#[must_use]
pub fn condition(
    type_: &str,
    status: bool,
    reason: Reason,
    message: &str,
    before: &[Condition],
    now: Timestamp,
) -> Condition {
    let status = if status { "True" } else { "False" };
    let unchanged = before.iter().find(|condition| condition.type_ == type_ && condition.status == status);
    Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.as_str().to_owned(),
        message: truncated(message),
        last_transition_time: unchanged.map_or(Time(now), |unchanged| unchanged.last_transition_time.clone()),
        observed_generation: None,
    }
}

/// The reason of a condition; `None` for one of another version.
#[must_use]
pub fn reason_of(condition: &Condition) -> Option<Reason> {
    Reason::parse(&condition.reason)
}
