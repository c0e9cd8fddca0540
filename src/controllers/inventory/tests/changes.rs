//! Events of items that began to fail, and that healed.

use serde_json::json;

use super::fixture::{Fixture, notes};
use crate::glue::job_runs::JobRunState::{Failed, Running, Succeeded, Timeout};

#[test]
fn an_item_that_begins_to_fail_and_heals_has_one_event_each() {
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[Succeeded]), ("load", &[Failed])]);
    assert!(notes(fixture.apply()).is_empty(), "the first picture is no change");
    fixture.set_runs("etl", [Failed]);
    fixture.picture.jobs.items.get_mut("etl").unwrap().runs.as_mut().unwrap()[0].error_message =
        Some("no such path".to_owned());
    let began = "BeganToFail: job etl began to fail with run jr_etl_0 (FAILED): no such path";
    assert_eq!(notes(fixture.apply()), [began]);
    fixture.set_runs("etl", [Timeout]);
    assert!(notes(fixture.apply()).is_empty(), "it fails already");
    fixture.set_runs("etl", [Running]);
    assert!(notes(fixture.apply()).is_empty());
    fixture.set_runs("etl", [Succeeded]);
    assert_eq!(notes(fixture.apply()), ["Healed: job etl succeeds again with run jr_etl_0 (SUCCEEDED)"]);
}

#[test]
fn another_spec_and_a_deletion_are_no_change_of_an_item() {
    let mut fixture =
        Fixture::with_jobs(json!({"jobs": {"includes": ["etl"]}}), &[("etl", &[Failed]), ("load", &[Failed])]);
    fixture.apply();
    fixture.object.spec.jobs = None;
    fixture.object.metadata.generation = Some(2);
    assert!(notes(fixture.apply()).is_empty());
    assert_eq!(fixture.names().len(), 2);
    fixture.picture.jobs.items.remove("etl");
    assert!(notes(fixture.apply()).is_empty());
}

#[test]
fn many_changes_are_ten_events_and_a_number() {
    let mut fixture = Fixture::new(json!({}));
    for n in 0..37 {
        fixture.set_runs(&format!("job{n}"), [Succeeded]);
    }
    fixture.apply();
    for n in 0..37 {
        fixture.set_runs(&format!("job{n}"), [Failed]);
    }
    let events = notes(fixture.apply());
    assert_eq!(events.len(), 11);
    assert_eq!(events[10], "BeganToFail: and 27 more: see status.items");
}
