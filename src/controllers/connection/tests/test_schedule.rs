//! Tests of the test schedule: when a connection is tested, and how the result is reported.

use std::time::Duration;

use serde_json::json;

use super::fixture::{Fault, Fixture, jdbc};
use super::plan::{password, ready, with};
use crate::api::connection::status::TestOutcome;
use crate::controllers::connection::calls::Call;
use crate::glue::ErrorKind;

#[test]
fn a_connection_is_tested_after_creation_after_updates_and_periodically() {
    let mut fixture = Fixture::new(with(json!({"test": {"everyMinutes": 60}})));
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Create, Call::Test]);
    fixture.calls.clear();
    fixture.pass_time(50 * 60);
    fixture.settle();
    assert_eq!(fixture.calls, [], "no test before the interval ends");
    fixture.pass_time(20 * 60);
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Test]);
    fixture.write_secret("changed");
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Test, Call::Update, Call::Test]);
    fixture.edit(jdbc());
    fixture.settle();
    assert_eq!(fixture.object.status.as_ref().unwrap().last_test, None);
}

#[test]
fn a_failed_test_is_reported_and_keeps_the_connection() {
    let mut fixture = Fixture::new(with(json!({"test": {}})));
    fixture.tests = vec![Some("no route to host".to_owned())];
    fixture.settle();
    let (state, message) = ready(&fixture);
    assert_eq!(state, "False TestFailed");
    assert!(message.ends_with("could not connect: no route to host"), "{message}");
    let status = fixture.object.status.clone().unwrap();
    assert_eq!(status.declared.condition("Tested").unwrap().status, "False");
    assert!(fixture.glue.is_some());
    fixture.pass_time(20 * 60);
    fixture.settle();
    assert_eq!(ready(&fixture).0, "True InSync", "the retest succeeds");
}

#[test]
fn a_periodic_test_that_could_not_be_made_is_reported_until_one_is_made() {
    for (kind, expected) in [
        (ErrorKind::Throttled, "False Throttled"),
        (ErrorKind::Transient, "False AwsUnreachable"),
        (ErrorKind::Denied, "False AccessDenied"),
    ] {
        let mut fixture = Fixture::new(with(json!({"test": {"everyMinutes": 60}})));
        fixture.settle();
        fixture.pass_time(70 * 60);
        fixture.faults = vec![(Call::Test, Fault::Rejected(kind)), (Call::Test, Fault::Rejected(kind))];
        for _ in 0..2 {
            fixture.pass();
            assert_eq!(ready(&fixture).0, expected);
            fixture.backoff = Some(Duration::from_secs(2));
            fixture.pass();
            assert_eq!(ready(&fixture).0, expected, "during the pause");
            assert_eq!(fixture.requeue_after, Some(Duration::from_secs(2)));
            fixture.backoff = None;
        }
        let test = fixture.object.status.as_ref().unwrap().last_test.clone().unwrap();
        assert_eq!(test.result, TestOutcome::Succeeded, "no test has failed");
        fixture.pass();
        assert_eq!(ready(&fixture).0, "True InSync");
    }
}

#[test]
fn a_failed_test_before_create_blocks_creation_and_update() {
    let before = json!({"test": {"enabled": false, "beforeCreate": true}});
    let mut fixture = Fixture::new(with(before));
    fixture.tests = vec![Some("wrong password".to_owned()), Some("wrong password".to_owned())];
    fixture.pass();
    assert_eq!((ready(&fixture).0.as_str(), fixture.glue.is_some()), ("False TestFailed", false));
    fixture.pass_time(5);
    fixture.settle();
    assert_eq!(fixture.calls, [Call::TestInput, Call::TestInput, Call::TestInput, Call::Create]);
    fixture.tests = vec![Some("wrong password".to_owned())];
    fixture.write_secret("wrong");
    fixture.pass();
    assert_eq!((password(&fixture), ready(&fixture).0.as_str()), ("hunter2", "False TestFailed"));
    fixture.write_secret("right");
    fixture.settle();
    assert_eq!((password(&fixture), ready(&fixture).0.as_str()), ("right", "True InSync"));
}
