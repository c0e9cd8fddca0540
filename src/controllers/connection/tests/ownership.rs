//! Whose a connection is.

use serde_json::json;

use super::fixture::{Fate, Fixture, THEM, jdbc};
use super::plan::{is_held, ready, settled, with};
use crate::controllers::connection::calls::Call;
use crate::controllers::runtime::ownership::Ownership;

#[test]
fn a_spec_that_changed_while_the_controller_was_down_does_not_make_its_connection_foreign() {
    let mut bench = Fixture::new(jdbc());
    bench.fates.push((Call::Create, Fate::DiesAfter));
    bench.pass();
    let identity = json!({"accountId": "123456789012", "principalArn": super::fixture::US});
    bench.object.status.as_mut().unwrap().declared.identity = serde_json::from_value(identity).unwrap();
    bench.edit(with(json!({"description": "new"})));
    bench.settle();
    assert_eq!(bench.calls, [Call::Create, Call::Update]);
    assert_eq!(ready(&bench).0, "True InSync");
}

#[test]
fn one_that_appears_between_the_look_and_the_creation_is_not_taken_for_ours() {
    let mut bench = Fixture::new(jdbc());
    bench.fates.push((Call::Create, Fate::DiesBefore));
    bench.pass();
    // Somebody else creates one of other content meanwhile.
    let mut other = settled(json!({"description": "theirs"}));
    bench.glue = other.glue.take();
    bench.settle();
    assert_eq!(ready(&bench).0, "False AlreadyExists");
    assert_eq!(bench.calls, []);
    bench.delete();
    bench.settle();
    assert!(bench.glue.is_some(), "it was never ours");
}

#[test]
fn one_that_was_there_before_is_left_alone_or_taken_over() {
    for policy in ["Fail", "Adopt"] {
        let mut bench = Fixture::new(with(json!({"adoptionPolicy": policy})));
        bench.glue = settled(json!({"description": "old"})).glue;
        bench.by_hand(|_| {});
        let before = bench.glue.clone();
        bench.settle();
        if policy == "Adopt" {
            assert_eq!((bench.calls.as_slice(), ready(&bench).0.as_str()), ([Call::Update].as_slice(), "True InSync"));
            assert!(bench.glue.as_ref().unwrap().input.description.is_none());
            continue;
        }
        let (state, message) = ready(&bench);
        assert_eq!((state.as_str(), bench.glue == before, is_held(&bench)), ("False AlreadyExists", true, false));
        assert!(message.contains(THEM) && message.contains("spec.adoptionPolicy"), "{message}");
        bench.glue = None;
        bench.settle();
        assert_eq!(ready(&bench).0, "True InSync", "it heals when the other one goes");
    }
}

#[test]
fn what_was_created_anew_by_somebody_else_is_not_ours_any_more() {
    let mut bench = settled(json!({}));
    bench.pass_time(100);
    let now = bench.now;
    bench.glue.as_mut().unwrap().created = now;
    bench.settle();
    assert_eq!(ready(&bench).0, "False AlreadyExists");
    bench.delete();
    bench.settle();
    assert!(bench.glue.is_some());
}

#[test]
fn the_younger_of_two_objects_does_nothing_and_deletes_nothing() {
    let mut bench = Fixture::new(jdbc());
    bench.ownership = Ownership::OwnedBy(("team".to_owned(), "older".to_owned()));
    bench.glue = settled(json!({})).glue;
    bench.settle();
    assert_eq!((ready(&bench).0.as_str(), bench.calls.len(), is_held(&bench)), ("False OwnedByAnother", 0, false));
    bench.delete();
    bench.settle();
    assert!(bench.glue.is_some());
}
