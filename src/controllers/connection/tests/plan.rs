//! What is decided, case by case.

use serde_json::{Value, json};

use super::fixture::{Fate, Fixture, THEM, jdbc};
use crate::controllers::connection::calls::Call;
use crate::controllers::connection::drift;
use crate::controllers::connection::inputs::READ_AGAIN;
use crate::glue::ErrorKind;
use crate::glue::identity::Sensitive;

/// A spec with more in it.
pub fn with(extra: Value) -> Value {
    let mut spec = jdbc();
    if let (Value::Object(spec), Value::Object(extra)) = (&mut spec, extra) {
        spec.extend(extra);
    }
    spec
}

/// A connection that has come to rest.
pub fn settled(extra: Value) -> Fixture {
    let mut bench = Fixture::new(with(extra));
    bench.settle();
    bench.calls.clear();
    bench
}

/// `Ready` as status and reason, and its message.
pub fn ready(bench: &Fixture) -> (String, String) {
    let status = bench.object.status.as_ref().unwrap();
    let ready = status.declared.condition("Ready").unwrap();
    (format!("{} {}", ready.status, ready.reason), ready.message.clone())
}

pub fn password(bench: &Fixture) -> &str {
    bench.glue.as_ref().unwrap().input.properties["PASSWORD"].expose()
}

pub fn is_held(bench: &Fixture) -> bool {
    bench.object.metadata.finalizers.is_some()
}

#[test]
fn a_connection_is_created_once_and_left_alone() {
    let mut bench = Fixture::new(jdbc());
    bench.settle();
    assert_eq!(bench.calls, [Call::Create]);
    assert_eq!(ready(&bench).0, "True InSync");
    assert!(is_held(&bench));
    assert_eq!(password(&bench), "hunter2");
    bench.restart();
    bench.pass_time(1000);
    bench.settle();
    assert_eq!(bench.calls, [Call::Create], "a restart changes nothing");
    let status = serde_json::to_string(&bench.object.status).unwrap();
    assert!(!status.contains("hunter2"), "{status}");
}

#[test]
fn wherever_the_controller_dies_the_connection_is_its_own_and_there_once() {
    for fate in [Fate::DiesBefore, Fate::DiesAfter, Fate::Lost, Fate::Refused(ErrorKind::Throttled)] {
        let mut bench = Fixture::new(jdbc());
        bench.fates.push((Call::Create, fate));
        bench.settle();
        assert_eq!(ready(&bench).0, "True InSync", "{fate:?}");
        assert!(bench.object.status.as_ref().unwrap().creation.is_none(), "{fate:?}");
        bench.delete();
        bench.settle();
        assert_eq!(bench.glue, None, "{fate:?}: it is deleted as its own");
        assert_eq!(bench.released, [None]);
    }
    for fate in [Fate::DiesBefore, Fate::DiesAfter, Fate::Lost, Fate::Refused(ErrorKind::Transient)] {
        let mut bench = settled(json!({}));
        bench.fates.push((Call::Update, fate));
        bench.write_secret("changed");
        bench.settle();
        assert_eq!((password(&bench), ready(&bench).0.as_str()), ("changed", "True InSync"), "{fate:?}");
    }
    for fate in [Fate::DiesBefore, Fate::DiesAfter, Fate::Lost, Fate::Refused(ErrorKind::Throttled)] {
        let mut bench = settled(json!({}));
        bench.fates.push((Call::Delete, fate));
        bench.delete();
        bench.settle();
        assert_eq!((bench.glue.clone(), bench.released.as_slice()), (None, [None].as_slice()), "{fate:?}");
    }
}

#[test]
fn a_secret_that_changes_goes_to_glue_and_one_that_is_written_again_does_not() {
    let mut bench = settled(json!({}));
    bench.write_secret("changed");
    bench.settle();
    assert_eq!((bench.calls.as_slice(), password(&bench)), ([Call::Update].as_slice(), "changed"));
    bench.write_secret("changed");
    bench.settle();
    bench.restart();
    bench.settle();
    assert_eq!(bench.calls, [Call::Update], "the same values again are no change");
    bench.restart();
    bench.settle();
    bench.write_secret("changed");
    bench.settle();
    assert_eq!(bench.calls, [Call::Update], "nor are they after a restart");
}

#[test]
fn secrets_that_may_not_be_watched_are_read_again() {
    let mut bench = settled(json!({}));
    assert_eq!(bench.rested, None);
    bench.watched = false;
    bench.pass();
    assert_eq!(bench.rested, Some(READ_AGAIN));
    bench.edit(with(json!({"test": {"everyMinutes": 1}})));
    bench.settle();
    assert!(bench.rested < Some(READ_AGAIN), "{:?}", bench.rested);
}

#[test]
fn what_passes_by_itself_is_not_worth_a_word() {
    for (kind, expected) in [
        (ErrorKind::Throttled, "True InSync"),
        (ErrorKind::Transient, "True InSync"),
        (ErrorKind::Denied, "False AccessDenied"),
        (ErrorKind::ExpiredCredentials, "False CredentialsNotAccepted"),
    ] {
        let mut bench = settled(json!({}));
        bench.poll_problem = Some(kind);
        bench.settle();
        assert_eq!(ready(&bench).0, expected, "{kind:?}");
    }
}

#[test]
fn a_missing_secret_is_said_and_healed() {
    let mut bench = Fixture::new(jdbc());
    bench.secrets.clear();
    bench.settle();
    let (state, message) = ready(&bench);
    assert_eq!(state, "False SecretNotFound");
    assert_eq!(message, "properties PASSWORD: there is no Secret team/db: create it with the key password");
    bench.write_secret("hunter2");
    bench.settle();
    assert_eq!(ready(&bench).0, "True InSync");
    bench.write_secret(&"x".repeat(1025));
    bench.settle();
    assert!(ready(&bench).1.ends_with("is too long: Glue takes 1024 bytes at most"), "{:?}", ready(&bench));
}

#[test]
fn a_change_by_hand_is_put_right_or_told_with_who_and_when() {
    let by_hand = |bench: &mut Fixture| {
        bench.by_hand(|input| drop(input.properties.insert("HOST".to_owned(), Sensitive::new("evil".to_owned()))));
    };
    let mut bench = settled(json!({}));
    by_hand(&mut bench);
    bench.fates.push((Call::Update, Fate::DiesBefore));
    bench.pass();
    let (state, message) = ready(&bench);
    assert_eq!(state, "False Drifted");
    let when = bench.glue.as_ref().unwrap().updated;
    assert_eq!(
        message,
        format!("changed in Glue by {THEM} at {when}: properties HOST; it is being corrected"),
        "no value is shown"
    );
    bench.settle();
    assert_eq!(ready(&bench).0, "True InSync");
    assert!(!bench.glue.as_ref().unwrap().input.properties.contains_key("HOST"));
    assert!(bench.object.status.as_ref().unwrap().drift.is_none());

    let mut bench = settled(json!({"driftPolicy": "Report"}));
    by_hand(&mut bench);
    bench.settle();
    assert_eq!((ready(&bench).0.as_str(), bench.calls.len()), ("False Drifted", 0));
    bench.by_hand(|input| drop(input.properties.remove("HOST")));
    bench.edit(with(json!({"driftPolicy": "Correct"})));
    bench.settle();
    assert_eq!(ready(&bench).0, "True InSync");
}

#[test]
fn what_glue_hides_is_put_right_when_somebody_else_was_there() {
    let mut bench = settled(json!({}));
    bench.by_hand(|input| drop(input.properties.insert("PASSWORD".to_owned(), Sensitive::new("theirs".to_owned()))));
    bench.settle();
    assert_eq!((bench.calls.as_slice(), password(&bench)), ([Call::Update].as_slice(), "hunter2"));
    // Without anything hidden there is nothing to put right.
    let properties = json!({"JDBC_CONNECTION_URL": "jdbc:x", "SECRET_ID": "db"});
    let mut bench = settled(json!({"properties": properties, "propertiesFrom": null}));
    bench.by_hand(|_| {});
    bench.settle();
    assert_eq!(bench.calls, []);
}

#[test]
fn one_that_is_deleted_by_hand_is_created_again_or_told() {
    let mut bench = settled(json!({}));
    bench.glue = None;
    bench.pass_time(100);
    bench.settle();
    assert_eq!((bench.calls.as_slice(), ready(&bench).0.as_str()), ([Call::Create].as_slice(), "True InSync"));
    let mut bench = settled(json!({"driftPolicy": "Report"}));
    bench.glue = None;
    bench.pass_time(100);
    bench.settle();
    assert_eq!((bench.calls.len(), ready(&bench).0.as_str()), (0, "False Drifted"));
}

#[test]
fn without_the_lease_nothing_is_sent() {
    let mut bench = Fixture::new(jdbc());
    bench.leading = false;
    bench.settle();
    assert_eq!((bench.calls.len(), bench.object.status.is_none() || !is_held(&bench)), (0, true));
    bench.leading = true;
    bench.settle();
    assert_eq!(bench.calls, [Call::Create]);
}

#[test]
fn a_connection_that_is_to_stay_holds_nobody_up() {
    let mut bench = settled(json!({"deletionPolicy": "Retain"}));
    assert!(!is_held(&bench));
    bench.edit(jdbc());
    bench.settle();
    assert!(is_held(&bench));
    bench.edit(with(json!({"deletionPolicy": "Retain"})));
    bench.settle();
    assert!(!is_held(&bench));
    assert_eq!(bench.calls, []);
}

#[test]
fn tags_are_brought_in_line_and_others_stay() {
    let mut bench = settled(json!({"tags": {"a": "1", "b": "2"}}));
    bench.glue.as_mut().unwrap().tags.insert("theirs".to_owned(), "3".to_owned());
    bench.edit(with(json!({"tags": {"b": "4"}})));
    bench.settle();
    assert!(matches!(bench.calls.as_slice(), [Call::Tag { remove, .. }] if remove == &["a"]), "{:?}", bench.calls);
    let tags = serde_json::to_value(&bench.glue.as_ref().unwrap().tags).unwrap();
    assert_eq!(tags, json!({"b": "4", "theirs": "3"}));
}

#[test]
fn tags_wait_for_the_account_and_a_restart_does_not_forget_the_arn() {
    let mut bench = Fixture::new(with(json!({"tags": {"team": "a"}})));
    bench.knows_account = false;
    bench.settle();
    assert_eq!(bench.calls, [Call::Create], "{:?}", bench.glue);
    assert_eq!(ready(&bench).0, "True InSync", "they went along with the creation");
    bench.edit(with(json!({"tags": {"team": "b"}})));
    bench.settle();
    assert_eq!(ready(&bench).0, "False Updating");
    assert!(ready(&bench).1.contains("until AWS has named the account"), "{}", ready(&bench).1);
    bench.knows_account = true;
    bench.settle();
    assert_eq!(ready(&bench).0, "True InSync");
    assert_eq!(bench.glue.as_ref().unwrap().tags["team"], "b");
    let arn = |bench: &Fixture| bench.object.status.as_ref().unwrap().arn.clone();
    let known = arn(&bench);
    assert!(known.is_some());
    bench.restart();
    bench.knows_account = false;
    bench.settle();
    assert_eq!(arn(&bench), known);
    // Of another connection under this name nothing is known.
    bench.pass_time(10);
    let now = bench.now;
    bench.glue.as_mut().unwrap().created = now;
    bench.settle();
    assert_eq!(arn(&bench), None);
}

#[test]
fn how_glue_finds_the_connection_is_how_it_stands() {
    let mut bench = settled(json!({}));
    for (status, expected) in
        [("IN_PROGRESS", "False InProgress"), ("FAILED", "False ConnectionFailed"), ("READY", "True InSync")]
    {
        bench.glue.as_mut().unwrap().status = status.to_owned();
        bench.settle();
        assert_eq!(ready(&bench).0, expected);
    }
    assert_eq!(bench.calls, []);
}

#[test]
fn what_glue_adds_by_itself_is_no_drift() {
    let mut bench = settled(json!({"physicalRequirements": {"subnetId": "s", "securityGroupIds": ["a", "b"]}}));
    bench.by_hand(|input| {
        for (name, value) in crate::api::connection::properties::DEFAULTS {
            input.properties.insert(name.to_owned(), Sensitive::new(value.to_owned()));
        }
        let physical = input.physical.as_mut().unwrap();
        physical.availability_zone = Some("eu-west-1a".to_owned());
        physical.security_groups.reverse();
    });
    bench.glue.as_mut().unwrap().by = super::fixture::US.to_owned();
    bench.settle();
    assert_eq!(bench.calls, []);
    let stored = bench.glue.as_mut().unwrap();
    stored.input.properties.insert("JDBC_ENFORCE_SSL".to_owned(), Sensitive::new("true".to_owned()));
    bench.settle();
    assert_eq!(bench.calls, [Call::Update]);
    assert!(drift::hides(&bench.inputs().unwrap().input));
}
