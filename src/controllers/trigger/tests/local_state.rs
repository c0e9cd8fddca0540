//! Tests of the process-local state of a trigger object.

use super::firing::wants_a;
use crate::api::GlueTrigger;
use crate::controllers::runtime::lifecycle::Earlier;
use crate::controllers::trigger::local_state::{FIRED_ANNOTATION, TriggerLocalState};

/// An object with this generation and `fire` value, whose status has this `observedGeneration`.
fn object(generation: i64, value: &str, observed: i64) -> GlueTrigger {
    let mut object = wants_a().object;
    object.metadata.generation = Some(generation);
    object.spec.fire = Some(value.to_owned());
    object.status.as_mut().unwrap().declared.observed_generation = observed;
    object
}

#[test]
fn only_a_watch_event_outside_a_list_proves_a_creation() {
    let first = object(1, "a", -1);
    for (listed, created) in [(false, true), (true, false)] {
        let mut local = TriggerLocalState::default();
        local.on_applied(&first, listed);
        local.on_applied(&first, true);
        local.on_applied(&first, false);
        let state = local.begin_pass(&first, Earlier::default());
        assert_eq!((state.saw_creation, state.existed_before), (created, false));
    }
}

#[test]
fn an_object_that_had_a_status_or_has_the_annotation_existed_before() {
    let mut local = TriggerLocalState::default();
    local.on_applied(&object(1, "a", 1), false);
    assert!(local.begin_pass(&object(1, "a", -1), Earlier::default()).existed_before, "the status was lost");
    let mut annotated = object(1, "a", -1);
    annotated.metadata.annotations = Some([(FIRED_ANNOTATION.to_owned(), "true".to_owned())].into());
    assert!(
        TriggerLocalState::default().begin_pass(&annotated, Earlier::default()).existed_before,
        "the object was restored"
    );
}

#[test]
fn each_delivered_value_is_kept_in_order_until_the_status_accounts_for_it() {
    let mut local = TriggerLocalState::default();
    for (generation, value, observed) in [(1, "a", -1), (2, "b", -1), (2, "b", -1), (3, "c", 1)] {
        local.on_applied(&object(generation, value, observed), false);
    }
    let delivered = local.begin_pass(&object(3, "c", 1), Earlier::default()).delivered_fires;
    assert_eq!(delivered, [(2, Some("b".to_owned())), (3, Some("c".to_owned()))]);
}
