//! Tests of ownership: which object owns a connection.

use serde_json::json;

use super::fixture::{Fault, Fixture, OTHER_ARN, jdbc};
use super::plan::{has_finalizer, ready, settled, with};
use crate::controllers::connection::calls::Call;
use crate::controllers::runtime::ownership::Ownership;

#[test]
fn a_spec_change_during_a_crash_does_not_lose_ownership() {
    let mut fixture = Fixture::new(jdbc());
    fixture.faults.push((Call::Create, Fault::CrashAfter));
    fixture.pass();
    let identity = json!({"accountId": "123456789012", "principalArn": super::fixture::CONTROLLER_ARN});
    fixture.object.status.as_mut().unwrap().declared.identity = serde_json::from_value(identity).unwrap();
    fixture.edit(with(json!({"description": "new"})));
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Create, Call::Update]);
    assert_eq!(ready(&fixture).0, "True InSync");
}

#[test]
fn a_foreign_connection_created_after_the_intent_is_not_owned() {
    let mut fixture = Fixture::new(jdbc());
    fixture.faults.push((Call::Create, Fault::CrashBefore));
    fixture.pass();
    // Another caller creates a different connection meanwhile.
    let mut other = settled(json!({"description": "theirs"}));
    fixture.glue = other.glue.take();
    fixture.settle();
    assert_eq!(ready(&fixture).0, "False AlreadyExists");
    assert_eq!(fixture.calls, []);
    fixture.delete();
    fixture.settle();
    assert!(fixture.glue.is_some(), "the object never owned it");
}

#[test]
fn an_existing_connection_is_left_alone_or_adopted_by_policy() {
    for policy in ["Fail", "Adopt"] {
        let mut fixture = Fixture::new(with(json!({"adoptionPolicy": policy})));
        fixture.glue = settled(json!({"description": "old"})).glue;
        fixture.by_hand(|_| {});
        let before = fixture.glue.clone();
        fixture.settle();
        if policy == "Adopt" {
            assert_eq!(
                (fixture.calls.as_slice(), ready(&fixture).0.as_str()),
                ([Call::Update].as_slice(), "True InSync")
            );
            assert!(fixture.glue.as_ref().unwrap().input.description.is_none());
            continue;
        }
        let (state, message) = ready(&fixture);
        assert_eq!(
            (state.as_str(), fixture.glue == before, has_finalizer(&fixture)),
            ("False AlreadyExists", true, false)
        );
        assert!(message.contains(OTHER_ARN) && message.contains("spec.adoptionPolicy"), "{message}");
        fixture.glue = None;
        fixture.settle();
        assert_eq!(ready(&fixture).0, "True InSync", "the connection is created after the other one is deleted");
    }
}

#[test]
fn a_connection_that_is_as_the_spec_describes_it_is_adopted_without_a_call() {
    let properties = json!({"JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/x", "SECRET_ID": "orders/db"});
    let value = json!({"connectionType": "JDBC", "properties": properties, "adoptionPolicy": "Adopt"});
    let mut before = Fixture::new(value.clone());
    before.settle();
    let mut fixture = Fixture::new(value.clone());
    fixture.glue = before.glue;
    fixture.by_hand(|_| {});
    fixture.settle();
    assert_eq!((fixture.calls.as_slice(), ready(&fixture).0.as_str()), ([].as_slice(), "True InSync"));
    assert!(fixture.object.status.as_ref().unwrap().applied.as_ref().unwrap().adopted);
    // It is the object's from now on.
    let mut changed = value;
    changed["description"] = json!("new");
    fixture.edit(changed);
    fixture.settle();
    assert_eq!(fixture.calls, [Call::Update]);
    fixture.delete();
    fixture.settle();
    assert!(fixture.glue.is_some());
}

#[test]
fn an_adopted_connection_stays_in_glue_unless_the_spec_says_delete() {
    for (policy, stays) in [(None, true), (Some("Retain"), true), (Some("Delete"), false)] {
        let mut fixture = Fixture::new(with(json!({"adoptionPolicy": "Adopt", "deletionPolicy": policy})));
        fixture.glue = settled(json!({"description": "old"})).glue;
        fixture.faults.push((Call::Update, Fault::CrashAfter));
        fixture.settle();
        assert_eq!((ready(&fixture).0.as_str(), has_finalizer(&fixture)), ("True InSync", !stays), "{policy:?}");
        // Later changes do not make it the object's own.
        fixture.write_secret("changed");
        fixture.restart();
        fixture.settle();
        fixture.delete();
        fixture.settle();
        assert_eq!(fixture.glue.is_some(), stays, "{policy:?}");
    }
}

#[test]
fn a_connection_that_is_created_again_in_place_of_an_adopted_one_is_deleted_with_the_object() {
    let mut fixture = Fixture::new(with(json!({"adoptionPolicy": "Adopt"})));
    fixture.glue = settled(json!({"description": "old"})).glue;
    fixture.settle();
    fixture.glue = None;
    fixture.calls.clear();
    fixture.settle();
    assert_eq!((fixture.calls.as_slice(), has_finalizer(&fixture)), ([Call::Create].as_slice(), true));
    fixture.delete();
    fixture.settle();
    assert_eq!((fixture.glue.as_ref(), fixture.released.as_slice()), (None, [None].as_slice()));
}

#[test]
fn a_connection_recreated_by_another_caller_is_no_longer_owned() {
    let mut fixture = settled(json!({}));
    fixture.pass_time(100);
    let now = fixture.now;
    fixture.glue.as_mut().unwrap().created = now;
    fixture.settle();
    assert_eq!(ready(&fixture).0, "False AlreadyExists");
    fixture.delete();
    fixture.settle();
    assert!(fixture.glue.is_some());
}

#[test]
fn the_younger_of_two_objects_sends_no_call_and_does_not_delete() {
    let mut fixture = Fixture::new(jdbc());
    fixture.ownership =
        Ownership::OwnedBy { owner: ("team".to_owned(), "older".to_owned()), at_most: None, regaining: false };
    fixture.glue = settled(json!({})).glue;
    fixture.settle();
    assert_eq!(
        (ready(&fixture).0.as_str(), fixture.calls.len(), has_finalizer(&fixture)),
        ("False OwnedByAnother", 0, false)
    );
    fixture.delete();
    fixture.settle();
    assert!(fixture.glue.is_some());
}
