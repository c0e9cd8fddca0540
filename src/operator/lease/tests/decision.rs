//! The decision for each observed record.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;
use tokio::time::Instant;

use crate::operator::lease::decision::{Action, ObservedRecord, decide};

const OWN_DURATION: Duration = Duration::from_secs(15);

fn spec(holder: Option<&str>, seconds: Option<i32>) -> LeaseSpec {
    LeaseSpec { holder_identity: holder.map(str::to_owned), lease_duration_seconds: seconds, ..LeaseSpec::default() }
}

#[test]
fn the_action_depends_on_holder_duration_and_age_of_the_record() {
    let seconds = Duration::from_secs;
    let table = [
        // holder, duration in the record in seconds, unchanged for seconds, action
        (None, None, 0, Action::Acquire),
        (Some(""), Some(1), 0, Action::Acquire),
        (Some("me"), Some(15), 0, Action::Renew),
        (Some("me"), Some(15), 1000, Action::Renew),
        (Some("other"), Some(15), 0, Action::Wait(seconds(15))),
        (Some("other"), Some(15), 14, Action::Wait(seconds(1))),
        (Some("other"), Some(15), 15, Action::Acquire),
        (Some("other"), Some(15), 1000, Action::Acquire),
        (Some("other"), Some(60), 20, Action::Wait(seconds(40))),
        (Some("other"), None, 5, Action::Wait(seconds(10))),
        (Some("other"), None, 15, Action::Acquire),
        (Some("other"), Some(0), 0, Action::Acquire),
        (Some("other"), Some(-1), 0, Action::Acquire),
    ];
    let observed_at = Instant::now();
    for (holder, duration, unchanged_for, expected) in table {
        let record = ObservedRecord { spec: spec(holder, duration), observed_at };
        let action = decide(Some(&record), "me", OWN_DURATION, observed_at + seconds(unchanged_for));
        assert_eq!(action, expected, "{holder:?} {duration:?} {unchanged_for}");
    }
    assert_eq!(decide(None, "me", OWN_DURATION, observed_at), Action::Create);
}

#[test]
fn only_a_changed_record_restarts_the_countdown() {
    let start = Instant::now();
    let later = start + Duration::from_secs(5);
    let first = ObservedRecord::update(None, spec(Some("other"), Some(15)), start);
    let same = ObservedRecord::update(Some(first), spec(Some("other"), Some(15)), later);
    assert_eq!(same.observed_at, start);
    let changed = ObservedRecord::update(Some(same), spec(Some("third"), Some(15)), later);
    assert_eq!(changed.observed_at, later);
}
