//! Tests of the connection plan, case by case.

use serde_json::{Value, json};

use super::fixture::{Fault, Fixture, OTHER_ARN, jdbc};
use crate::controllers::connection::calls::Call;
use crate::controllers::connection::drift;
use crate::controllers::connection::inputs::READ_AGAIN;
use crate::glue::ErrorKind;
use crate::glue::connections::description::{DescribedProperty, TypeDescription};
use crate::glue::identity::Sensitive;

/// The JDBC spec with further fields.
pub fn with(extra: Value) -> Value {
    let mut spec = jdbc();
    if let (Value::Object(spec), Value::Object(extra)) = (&mut spec, extra) {
        spec.extend(extra);
    }
    spec
}

/// A fixture after its first passes, with no calls recorded.
pub fn settled(extra: Value) -> Fixture {
    let mut fixture = Fixture::new(with(extra));
    fixture.settle();
    fixture.calls.clear();
    fixture
}

/// `Ready` as "status reason", and its message.
pub fn ready(fixture: &Fixture) -> (String, String) {
    let status = fixture.object.status.as_ref().unwrap();
    let ready = status.declared.condition("Ready").unwrap();
    (format!("{} {}", ready.status, ready.reason), ready.message.clone())
}

pub fn password(fixture: &Fixture) -> &str {
    fixture.glue.as_ref().unwrap().input.properties["PASSWORD"].expose()
}

pub fn has_finalizer(fixture: &Fixture) -> bool {
    fixture.object.metadata.finalizers.is_some()
}

#[test]
fn a_connection_is_created_once_and_left_alone() {
    let mut fixture = Fixture::new(jdbc());
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Create]);
    assert_eq!(ready(&fixture).0, "True InSync");
    assert!(has_finalizer(&fixture));
    assert_eq!(password(&fixture), "hunter2");
    fixture.restart();
    fixture.pass_time(1000);
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Create], "a restart sends no call");
    let status = serde_json::to_string(&fixture.object.status).unwrap();
    assert!(!status.contains("hunter2"), "{status}");
}

#[test]
fn a_fault_of_any_call_neither_duplicates_nor_abandons_the_connection() {
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::ResponseLost, Fault::Rejected(ErrorKind::Throttled)] {
        let mut fixture = Fixture::new(jdbc());
        fixture.faults.push((Call::Create, fault));
        fixture.settle();
        assert_eq!(ready(&fixture).0, "True InSync", "{fault:?}");
        assert!(fixture.object.status.as_ref().unwrap().creation.is_none(), "{fault:?}");
        fixture.delete();
        fixture.settle();
        assert_eq!(fixture.glue, None, "{fault:?}: the object deletes the connection it created");
        assert_eq!(fixture.released, [None]);
    }
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::ResponseLost, Fault::Rejected(ErrorKind::Transient)] {
        let mut fixture = settled(json!({}));
        fixture.faults.push((Call::Update, fault));
        fixture.write_secret("changed");
        fixture.settle();
        assert_eq!((password(&fixture), ready(&fixture).0.as_str()), ("changed", "True InSync"), "{fault:?}");
    }
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::ResponseLost, Fault::Rejected(ErrorKind::Throttled)] {
        let mut fixture = settled(json!({}));
        fixture.faults.push((Call::Delete, fault));
        fixture.delete();
        fixture.settle();
        assert_eq!((fixture.glue.clone(), fixture.released.as_slice()), (None, [None].as_slice()), "{fault:?}");
    }
}

#[test]
fn a_refusal_is_shown_while_the_call_is_made_again() {
    // A crash before the call is sent leaves the status that the object has while the call waits.
    let again = |fixture: &mut Fixture, call: Call| {
        fixture.faults = vec![(call.clone(), Fault::Rejected(ErrorKind::Throttled)), (call, Fault::CrashBefore)];
        fixture.pass();
        fixture.pass_time(5);
        fixture.pass();
        let left = fixture.faults.len();
        (left, ready(fixture).0)
    };
    let throttled = || (0, "False Throttled".to_owned());
    let mut fixture = Fixture::new(jdbc());
    assert_eq!(again(&mut fixture, Call::Create), throttled());
    fixture.settle();
    assert_eq!(ready(&fixture).0, "True InSync");
    fixture.write_secret("changed");
    assert_eq!(again(&mut fixture, Call::Update), throttled());
    fixture.settle();
    fixture.edit(with(json!({"tags": {"a": "1"}})));
    let arn = fixture.object.status.as_ref().unwrap().arn.clone().unwrap();
    assert_eq!(again(&mut fixture, Call::Tag { arn, remove: Vec::new() }), throttled());
    fixture.settle();
    fixture.edit(with(json!({"test": {"beforeCreate": true}, "description": "new"})));
    assert_eq!(again(&mut fixture, Call::TestInput), throttled());
    fixture.settle();
    fixture.delete();
    assert_eq!(again(&mut fixture, Call::Delete), throttled());
}

#[test]
fn a_refusal_is_shown_while_an_earlier_creation_may_take_effect() {
    let mut fixture = Fixture::new(jdbc());
    // Whether it was sent is not known to the next process.
    fixture.faults.push((Call::Create, Fault::CrashBefore));
    fixture.pass();
    fixture.pass();
    assert_eq!(ready(&fixture).0, "False Creating");
    for _ in 0..3 {
        fixture.pass_time(5);
        fixture.faults.push((Call::Create, Fault::Rejected(ErrorKind::Throttled)));
        fixture.pass();
        assert_eq!((fixture.faults.len(), ready(&fixture).0.as_str()), (0, "False Throttled"));
    }
    fixture.settle();
    assert_eq!(ready(&fixture).0, "True InSync");
}

#[test]
fn a_changed_secret_value_is_applied_and_an_unchanged_one_is_not() {
    let mut fixture = settled(json!({}));
    fixture.write_secret("changed");
    fixture.settle();
    assert_eq!((fixture.calls.as_slice(), password(&fixture)), ([Call::Update].as_slice(), "changed"));
    fixture.write_secret("changed");
    fixture.settle();
    fixture.restart();
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Update], "the same value is no change");
    fixture.restart();
    fixture.settle();
    fixture.write_secret("changed");
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Update], "the same value is no change after a restart");
}

#[test]
fn secrets_without_watch_permission_are_read_periodically() {
    let mut fixture = settled(json!({}));
    assert_eq!(fixture.requeue_after, None);
    fixture.watched = false;
    fixture.pass();
    assert_eq!(fixture.requeue_after, Some(READ_AGAIN));
    fixture.edit(with(json!({"test": {"everyMinutes": 1}})));
    fixture.settle();
    assert!(fixture.requeue_after < Some(READ_AGAIN), "{:?}", fixture.requeue_after);
}

#[test]
fn polls_that_fail_are_reported_until_they_succeed() {
    for (kind, expected) in [
        (ErrorKind::Throttled, "False Throttled"),
        (ErrorKind::Transient, "False AwsUnreachable"),
        (ErrorKind::Ambiguous, "False AnswerUnclear"),
        (ErrorKind::Denied, "False AccessDenied"),
        (ErrorKind::ExpiredCredentials, "False CredentialsNotAccepted"),
    ] {
        let mut fixture = settled(json!({}));
        fixture.poll_problem = Some(kind);
        fixture.settle();
        assert_eq!(ready(&fixture).0, expected, "{kind:?}");
        fixture.poll_problem = None;
        fixture.settle();
        assert_eq!(ready(&fixture).0, "True InSync", "{kind:?}");
    }
}

#[test]
fn a_change_is_made_while_polls_fail_for_a_passing_reason() {
    let mut fixture = settled(json!({}));
    fixture.poll_problem = Some(ErrorKind::Throttled);
    fixture.edit(with(json!({"description": "new"})));
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Update]);
    assert_eq!(ready(&fixture).0, "False Throttled");
}

#[test]
fn a_missing_secret_is_reported_until_it_exists() {
    let mut fixture = Fixture::new(jdbc());
    fixture.secrets.clear();
    fixture.settle();
    let (state, message) = ready(&fixture);
    assert_eq!(state, "False SecretNotFound");
    assert_eq!(message, "properties PASSWORD: there is no Secret team/db: create it with the key password");
    fixture.write_secret("hunter2");
    fixture.settle();
    assert_eq!(ready(&fixture).0, "True InSync");
    fixture.write_secret(&"x".repeat(1025));
    fixture.settle();
    assert!(ready(&fixture).1.ends_with("is too long: Glue takes 1024 bytes at most"), "{:?}", ready(&fixture));
}

#[test]
fn drift_is_corrected_or_reported_with_caller_and_time() {
    let drift_host = |fixture: &mut Fixture| {
        fixture.by_hand(|input| drop(input.properties.insert("HOST".to_owned(), Sensitive::new("evil".to_owned()))));
    };
    let mut fixture = settled(json!({}));
    drift_host(&mut fixture);
    fixture.faults.push((Call::Update, Fault::CrashBefore));
    fixture.pass();
    let (state, message) = ready(&fixture);
    assert_eq!(state, "False Drifted");
    let updated = fixture.glue.as_ref().unwrap().updated;
    assert_eq!(
        message,
        format!("changed in Glue by {OTHER_ARN} at {updated}: properties HOST; it is being corrected"),
        "no value is in the message"
    );
    fixture.settle();
    assert_eq!(ready(&fixture).0, "True InSync");
    assert!(!fixture.glue.as_ref().unwrap().input.properties.contains_key("HOST"));
    assert!(fixture.object.status.as_ref().unwrap().drift.is_none());

    let mut fixture = settled(json!({"driftPolicy": "Report"}));
    drift_host(&mut fixture);
    fixture.settle();
    assert_eq!((ready(&fixture).0.as_str(), fixture.calls.len()), ("False Drifted", 0));
    fixture.by_hand(|input| drop(input.properties.remove("HOST")));
    fixture.edit(with(json!({"driftPolicy": "Correct"})));
    fixture.settle();
    assert_eq!(ready(&fixture).0, "True InSync");
}

#[test]
fn hidden_values_are_applied_again_after_a_change_by_another_caller() {
    let mut fixture = settled(json!({}));
    fixture.by_hand(|input| drop(input.properties.insert("PASSWORD".to_owned(), Sensitive::new("theirs".to_owned()))));
    fixture.settle();
    assert_eq!((fixture.calls.as_slice(), password(&fixture)), ([Call::Update].as_slice(), "hunter2"));
    // Without hidden values there is no update.
    let properties = json!({"JDBC_CONNECTION_URL": "jdbc:x", "SECRET_ID": "db"});
    let mut fixture = settled(json!({"properties": properties, "propertiesFrom": null}));
    fixture.by_hand(|_| {});
    fixture.settle();
    assert_eq!(fixture.calls, []);
}

#[test]
fn a_connection_deleted_by_another_caller_is_created_again_or_reported() {
    let mut fixture = settled(json!({}));
    fixture.glue = None;
    fixture.pass_time(100);
    fixture.settle();
    assert_eq!((fixture.calls.as_slice(), ready(&fixture).0.as_str()), ([Call::Create].as_slice(), "True InSync"));
    let mut fixture = settled(json!({"driftPolicy": "Report"}));
    fixture.glue = None;
    fixture.pass_time(100);
    fixture.settle();
    assert_eq!((fixture.calls.len(), ready(&fixture).0.as_str()), (0, "False Drifted"));
}

#[test]
fn no_call_is_sent_without_the_lease() {
    let mut fixture = Fixture::new(jdbc());
    fixture.leading = false;
    fixture.settle();
    assert_eq!((fixture.calls.len(), fixture.object.status.is_none() || !has_finalizer(&fixture)), (0, true));
    fixture.leading = true;
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Create]);
}

#[test]
fn policy_retain_needs_no_finalizer() {
    let mut fixture = settled(json!({"deletionPolicy": "Retain"}));
    assert!(!has_finalizer(&fixture));
    fixture.edit(jdbc());
    fixture.settle();
    assert!(has_finalizer(&fixture));
    fixture.edit(with(json!({"deletionPolicy": "Retain"})));
    fixture.settle();
    assert!(!has_finalizer(&fixture));
    assert_eq!(fixture.calls, []);
}

#[test]
fn tags_of_the_spec_are_applied_and_other_tags_are_kept() {
    let mut fixture = settled(json!({"tags": {"a": "1", "b": "2"}}));
    fixture.glue.as_mut().unwrap().tags.insert("theirs".to_owned(), "3".to_owned());
    fixture.edit(with(json!({"tags": {"b": "4"}})));
    fixture.settle();
    assert!(matches!(fixture.calls.as_slice(), [Call::Tag { remove, .. }] if remove == &["a"]), "{:?}", fixture.calls);
    let tags = serde_json::to_value(&fixture.glue.as_ref().unwrap().tags).unwrap();
    assert_eq!(tags, json!({"b": "4", "theirs": "3"}));
}

#[test]
fn tag_updates_wait_for_the_account_and_the_arn_survives_a_restart() {
    let mut fixture = Fixture::new(with(json!({"tags": {"team": "a"}})));
    fixture.account_known = false;
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Create], "{:?}", fixture.glue);
    assert_eq!(ready(&fixture).0, "True InSync", "CreateConnection sends the tags");
    fixture.edit(with(json!({"tags": {"team": "b"}})));
    fixture.settle();
    assert_eq!(ready(&fixture).0, "False Updating");
    assert!(ready(&fixture).1.contains("until AWS has named the account"), "{}", ready(&fixture).1);
    fixture.account_known = true;
    fixture.settle();
    assert_eq!(ready(&fixture).0, "True InSync");
    assert_eq!(fixture.glue.as_ref().unwrap().tags["team"], "b");
    let arn = |fixture: &Fixture| fixture.object.status.as_ref().unwrap().arn.clone();
    let known = arn(&fixture);
    assert!(known.is_some());
    fixture.restart();
    fixture.account_known = false;
    fixture.settle();
    assert_eq!(arn(&fixture), known);
    // The ARN is dropped when another connection has this name.
    fixture.pass_time(10);
    let now = fixture.now;
    fixture.glue.as_mut().unwrap().created = now;
    fixture.settle();
    assert_eq!(arn(&fixture), None);
}

#[test]
fn ready_follows_the_status_that_glue_reports() {
    let mut fixture = settled(json!({}));
    for (status, expected) in
        [("IN_PROGRESS", "False InProgress"), ("FAILED", "False ConnectionFailed"), ("READY", "True InSync")]
    {
        fixture.glue.as_mut().unwrap().status = status.to_owned();
        fixture.settle();
        assert_eq!(ready(&fixture).0, expected);
    }
    assert_eq!(fixture.calls, []);
}

#[test]
fn flags_in_another_case_are_not_drift() {
    let properties = json!({"JDBC_CONNECTION_URL": "jdbc:x", "USERNAME": "etl", "JDBC_ENFORCE_SSL": "True"});
    let mut fixture = settled(json!({"properties": properties}));
    fixture.by_hand(|input| {
        input.properties.insert("JDBC_ENFORCE_SSL".to_owned(), Sensitive::new("true".to_owned()));
    });
    fixture.glue.as_mut().unwrap().by = super::fixture::CONTROLLER_ARN.to_owned();
    fixture.settle();
    assert_eq!(fixture.calls, []);
}

#[test]
fn defaults_that_glue_adds_are_not_drift() {
    let mut fixture = settled(json!({"physicalRequirements": {"subnetId": "s", "securityGroupIds": ["a", "b"]}}));
    fixture.by_hand(|input| {
        for (name, value) in crate::api::connection::properties::DEFAULTS {
            input.properties.insert(name.to_owned(), Sensitive::new(value.to_owned()));
        }
        let physical = input.physical.as_mut().unwrap();
        physical.availability_zone = Some("eu-west-1a".to_owned());
        physical.security_groups.reverse();
    });
    fixture.glue.as_mut().unwrap().by = super::fixture::CONTROLLER_ARN.to_owned();
    fixture.settle();
    assert_eq!(fixture.calls, []);
    let stored = fixture.glue.as_mut().unwrap();
    stored.input.properties.insert("JDBC_ENFORCE_SSL".to_owned(), Sensitive::new("true".to_owned()));
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Update]);
    assert!(drift::hides(&fixture.inputs().unwrap().input));
}

/// Glue is asked before a change, and what it says stays until it is asked again.
#[test]
fn what_the_description_of_the_type_asks_for_is_said_and_a_refusal_says_nothing() {
    let spec = |properties: Value| {
        json!({"connectionType": "POSTGRESQL", "properties": properties,
            "authentication": {"type": "BASIC", "secretArn": "x"}})
    };
    let described = |required: &str| {
        let property = DescribedProperty { name: required.to_owned(), required: true, ..DescribedProperty::default() };
        TypeDescription { properties: vec![property], ..TypeDescription::default() }
    };
    let unmet = |fixture: &Fixture| {
        let status = fixture.object.status.as_ref().unwrap();
        status.declared.condition("UnmetRequirements").map(|condition| condition.message.clone())
    };
    let mut fixture = Fixture::new(spec(json!({"HOST": "db"})));
    fixture.described = Some(described("DATABASE"));
    fixture.settle();
    let message = "by Glue's description of the type POSTGRESQL: the properties DATABASE are required";
    assert_eq!((unmet(&fixture).as_deref(), ready(&fixture).0.as_str()), (Some(message), "True InSync"));
    fixture.restart();
    fixture.settle();
    assert_eq!(unmet(&fixture).as_deref(), Some(message));
    fixture.edit(spec(json!({"HOST": "db", "DATABASE": "orders"})));
    fixture.settle();
    assert_eq!((unmet(&fixture), fixture.calls.as_slice()), (None, [Call::Create, Call::Update].as_slice()));
    fixture.described = None;
    fixture.edit(spec(json!({"HOST": "db"})));
    fixture.settle();
    assert_eq!((unmet(&fixture), ready(&fixture).0.as_str()), (None, "True InSync"));
}
