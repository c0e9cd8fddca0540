//! From a phase to the conditions that kstatus, `kubectl wait`, Flux, Helm and Argo CD read.
//!
//! | phase | Ready | Reconciling | Stalled | also |
//! |---|---|---|---|---|
//! | Pending, Waiting, Starting, Running, Stopping, Unknown | False | True | | |
//! | Running with `readyWhen: Started` | True | | | |
//! | Succeeded | True | | | Complete=True, Finished=True |
//! | Failed, `TimedOut`, Error, Expired, Stopped | False | | True | Failed=True, Finished=True |
//! | Suspended | False | | | Suspended=True |
//! | invalid spec, in any phase that is not final | False | | True | |
//!
//! A condition that is not True is absent, as kstatus expects it. Only Suspended stays, as False, as in batch/v1.
//!
//! `Finished` is what a tool waits for that must go on after either end. Its message is the phase: Ready has the words.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::run::{Phase, ReadyWhen, RunStatus};
use crate::controllers::runtime::conditions;
use crate::controllers::runtime::reason::Reason;

/// The reason of the Ready condition; `None` for a word of another version.
#[must_use]
pub fn ready_reason(status: &RunStatus) -> Option<Reason> {
    status.condition("Ready").and_then(conditions::reason_of)
}

/// The conditions for `phase`. Those of `before` whose status stays keep their transition time.
#[must_use]
pub fn of(
    phase: Phase,
    reason: Reason,
    message: &str,
    ready_when: ReadyWhen,
    before: &[Condition],
    now: Timestamp,
) -> Vec<Condition> {
    let started = phase == Phase::Running && ready_when == ReadyWhen::Started;
    let ready = phase == Phase::Succeeded || started;
    let stalled = (phase.is_final() && !ready) || (reason == Reason::InvalidSpec && !phase.is_final());
    let reconciling = !phase.is_final() && !ready && !stalled && phase != Phase::Suspended;
    let was_suspended = before.iter().any(|condition| condition.type_ == "Suspended");
    [
        Some(("Ready", ready)),
        reconciling.then_some(("Reconciling", true)),
        stalled.then_some(("Stalled", true)),
        (phase == Phase::Succeeded).then_some(("Complete", true)),
        (phase.is_final() && phase != Phase::Succeeded).then_some(("Failed", true)),
        phase.is_final().then_some(("Finished", true)),
        (was_suspended || phase == Phase::Suspended).then_some(("Suspended", phase == Phase::Suspended)),
    ]
    .into_iter()
    .flatten()
    .map(|(type_, status)| {
        let message = if type_ == "Finished" { phase.as_str() } else { message };
        condition(type_, status, reason, message, before, now)
    })
    .collect()
}

fn condition(
    type_: &str,
    status: bool,
    reason: Reason,
    message: &str,
    before: &[Condition],
    now: Timestamp,
) -> Condition {
    if type_ == "Suspended" && !status {
        // It keeps the time and the message of the moment when the run was resumed.
        let unchanged = before.iter().find(|condition| condition.type_ == type_ && condition.status == "False");
        return unchanged
            .cloned()
            .unwrap_or_else(|| conditions::condition(type_, false, Reason::Resumed, message, before, now));
    }
    conditions::condition(type_, status, reason, message, before, now)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn shape(phase: Phase, reason: Reason, ready_when: ReadyWhen) -> Vec<String> {
        of(phase, reason, "", ready_when, &[], Timestamp::UNIX_EPOCH)
            .into_iter()
            .map(|condition| format!("{}={}", condition.type_, condition.status))
            .collect()
    }

    #[test]
    fn each_phase_has_the_documented_conditions() {
        for phase in Phase::ALL {
            let expected: &[&str] = match phase {
                Phase::Succeeded => &["Ready=True", "Complete=True", "Finished=True"],
                Phase::Suspended => &["Ready=False", "Suspended=True"],
                Phase::Failed | Phase::TimedOut | Phase::Error | Phase::Expired | Phase::Stopped => {
                    &["Ready=False", "Stalled=True", "Failed=True", "Finished=True"]
                }
                _ => &["Ready=False", "Reconciling=True"],
            };
            assert_eq!(shape(phase, Reason::Starting, ReadyWhen::Completed), expected, "{phase:?}");
        }
        assert_eq!(shape(Phase::Running, Reason::Running, ReadyWhen::Started), ["Ready=True"]);
        assert_eq!(
            shape(Phase::Failed, Reason::Failed, ReadyWhen::Started),
            ["Ready=False", "Stalled=True", "Failed=True", "Finished=True"]
        );
        assert_eq!(shape(Phase::Pending, Reason::InvalidSpec, ReadyWhen::Completed), ["Ready=False", "Stalled=True"]);
    }

    #[test]
    fn the_transition_time_moves_only_when_the_status_flips() {
        let later = Timestamp::from_second(60).unwrap();
        let first = of(Phase::Starting, Reason::Starting, "a", ReadyWhen::Completed, &[], Timestamp::UNIX_EPOCH);
        let second = of(Phase::Running, Reason::Running, "b", ReadyWhen::Completed, &first, later);
        assert!(second.iter().all(|condition| condition.last_transition_time == Time(Timestamp::UNIX_EPOCH)));
        let third = of(Phase::Succeeded, Reason::Succeeded, "c", ReadyWhen::Completed, &second, later);
        assert!(third.iter().all(|condition| condition.last_transition_time == Time(later)));
    }

    #[test]
    fn suspended_stays_as_false_after_the_release() {
        let held = of(Phase::Suspended, Reason::Suspended, "", ReadyWhen::Completed, &[], Timestamp::UNIX_EPOCH);
        let later = Timestamp::from_second(60).unwrap();
        let released = of(Phase::Running, Reason::Running, "", ReadyWhen::Completed, &held, later);
        let suspended = released.iter().find(|condition| condition.type_ == "Suspended").unwrap();
        assert_eq!((suspended.status.as_str(), &suspended.last_transition_time), ("False", &Time(later)));
        let on = of(
            Phase::Succeeded,
            Reason::Succeeded,
            "",
            ReadyWhen::Completed,
            &released,
            Timestamp::from_second(90).unwrap(),
        );
        assert_eq!(on.iter().find(|condition| condition.type_ == "Suspended").unwrap(), suspended);
    }
}
