//! When a connection is tested, and what becomes of the verdict.

use serde_json::json;

use super::fixture::{Fixture, jdbc};
use super::plan::{password, ready, with};
use crate::controllers::connection::calls::Call;

#[test]
fn it_is_tested_once_it_stands_after_changes_and_at_intervals() {
    let mut bench = Fixture::new(with(json!({"test": {"everyMinutes": 60}})));
    bench.settle();
    assert_eq!(bench.calls, [Call::Create, Call::Test]);
    bench.calls.clear();
    bench.pass_time(50 * 60);
    bench.settle();
    assert_eq!(bench.calls, [], "not before its time");
    bench.pass_time(20 * 60);
    bench.settle();
    assert_eq!(bench.calls, [Call::Test]);
    bench.write_secret("changed");
    bench.settle();
    assert_eq!(bench.calls, [Call::Test, Call::Update, Call::Test]);
    bench.edit(jdbc());
    bench.settle();
    assert_eq!(bench.object.status.as_ref().unwrap().last_test, None);
}

#[test]
fn a_test_that_fails_undoes_nothing_and_is_said() {
    let mut bench = Fixture::new(with(json!({"test": {}})));
    bench.tests = vec![Some("no route to host".to_owned())];
    bench.settle();
    let (state, message) = ready(&bench);
    assert_eq!(state, "False TestFailed");
    assert!(message.ends_with("could not connect: no route to host"), "{message}");
    let status = bench.object.status.clone().unwrap();
    assert_eq!(status.declared.condition("Tested").unwrap().status, "False");
    assert!(bench.glue.is_some());
    bench.pass_time(20 * 60);
    bench.settle();
    assert_eq!(ready(&bench).0, "True InSync", "the other side may be back");
}

#[test]
fn a_broken_connection_never_replaces_a_good_one() {
    let before = json!({"test": {"enabled": false, "beforeCreate": true}});
    let mut bench = Fixture::new(with(before));
    bench.tests = vec![Some("wrong password".to_owned()), Some("wrong password".to_owned())];
    bench.pass();
    assert_eq!((ready(&bench).0.as_str(), bench.glue.is_some()), ("False TestFailed", false));
    bench.pass_time(5);
    bench.settle();
    assert_eq!(bench.calls, [Call::TestInput, Call::TestInput, Call::TestInput, Call::Create]);
    bench.tests = vec![Some("wrong password".to_owned())];
    bench.write_secret("wrong");
    bench.pass();
    assert_eq!((password(&bench), ready(&bench).0.as_str()), ("hunter2", "False TestFailed"));
    bench.write_secret("right");
    bench.settle();
    assert_eq!((password(&bench), ready(&bench).0.as_str()), ("right", "True InSync"));
}
