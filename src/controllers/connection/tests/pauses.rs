//! The pause after a call that failed is about the spec that was refused.

use std::time::Duration;

use serde_json::json;

use super::fixture::{Fault, Fixture};
use super::plan::{ready, settled, with};
use crate::controllers::connection::calls::Call;
use crate::glue::ErrorKind;

#[test]
fn an_edited_spec_is_tried_in_the_pause_after_a_failure_and_the_same_spec_is_not() {
    let pause = Duration::from_mins(1);
    let edited = |fixture: &mut Fixture, description: &str| {
        fixture.edit(with(json!({ "description": description })));
        fixture.backoff = Some(pause);
        fixture.pass();
    };
    let mut fixture = settled(json!({}));
    fixture.faults = vec![(Call::Update, Fault::Rejected(ErrorKind::Invalid))];
    edited(&mut fixture, "refused");
    assert_eq!((fixture.calls.as_slice(), ready(&fixture).0.starts_with("False")), (&[Call::Update][..], true));
    fixture.backoff = Some(pause);
    fixture.pass();
    assert_eq!((fixture.calls.len(), fixture.requeue_after), (1, Some(pause)), "the same spec waits");
    edited(&mut fixture, "admitted");
    assert_eq!(fixture.calls, [Call::Update, Call::Update]);
    fixture.settle();
    assert_eq!(ready(&fixture).0, "True InSync");
}
