//! The end of a connection's object, whatever is the case: by exhaustion over all facts.

use std::time::Duration;

use super::fixture::{Fault, Fixture, jdbc};
use super::plan::settled;
use crate::controllers::connection::calls::Call;
use crate::controllers::runtime::ownership::{Ownership, Unknown};
use crate::glue::ErrorKind;
use serde_json::json;

fn ownerships() -> Vec<Ownership<(String, String)>> {
    let other = || ("team".to_owned(), "older".to_owned());
    let waited = Duration::from_mins(1);
    vec![
        Ownership::Owned,
        Ownership::OwnedBy { owner: other(), at_most: None, regaining: false },
        Ownership::Undetermined { other: other(), unknown: Unknown::OtherAccount, waited },
        Ownership::Lapsed { manager: None },
        Ownership::Lapsed { manager: Some(other()) },
        Ownership::Unregistered,
    ]
}

#[test]
fn whatever_glue_does_the_object_is_gone_after_the_deletion_timeout() {
    let errors = [None, Some(ErrorKind::Throttled), Some(ErrorKind::Denied), Some(ErrorKind::Transient)];
    for ownership in ownerships() {
        for poll in errors {
            for call in errors {
                for (in_glue, secret, observed) in (0..8).map(|bits| (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0)) {
                    let mut fixture = settled(json!({}));
                    fixture.ownership = ownership.clone();
                    fixture.poll_problem = poll;
                    fixture.observes = observed;
                    if !in_glue {
                        fixture.glue = None;
                    }
                    if !secret {
                        fixture.secrets.clear();
                    }
                    fixture.delete();
                    for _ in 0..100 {
                        fixture.faults.extend(call.map(|kind| (Call::Delete, Fault::Rejected(kind))));
                        fixture.pass();
                        fixture.pass_time(4);
                        if !fixture.released.is_empty() {
                            break;
                        }
                    }
                    let what = format!("{ownership:?} {poll:?} {call:?} {in_glue} {secret} {observed}");
                    assert_eq!(fixture.released.len(), 1, "{what}");
                    let managed =
                        matches!(ownership, Ownership::OwnedBy { .. } | Ownership::Lapsed { manager: Some(_) });
                    let left = fixture.glue.is_some() && !managed;
                    assert!(!left || fixture.released[0].is_some(), "{what}: nothing says that it is left");
                }
            }
        }
    }
}

#[test]
fn an_object_that_waits_for_another_and_created_nothing_is_deleted_at_once() {
    for ownership in ownerships() {
        let mut fixture = Fixture::new(jdbc());
        fixture.object.metadata.finalizers = Some(vec![crate::api::FINALIZER.to_owned()]);
        (fixture.ownership, fixture.observes) = (ownership, false);
        fixture.delete();
        fixture.pass();
        assert_eq!(fixture.released, [None]);
    }
}
