//! Items that Glue does not have any more.

use jiff::ToSpan;
use serde_json::json;

use super::fixture::{Fixture, start};
use crate::glue::job_runs::JobRunState::{Failed, Succeeded};

fn without_load(spec: serde_json::Value) -> Fixture {
    let mut fixture = Fixture::with_jobs(spec, &[("etl", &[Succeeded]), ("load", &[Failed])]);
    fixture.apply();
    fixture.picture.jobs.items.remove("load");
    fixture.now = start() + 1.hour();
    fixture.apply();
    fixture
}

#[test]
fn a_deleted_item_is_marked_for_a_week() {
    let mut fixture = without_load(json!({}));
    let load = fixture.item("load");
    assert_eq!((load.deleted_at.as_ref().unwrap().0, load.failing), (start() + 1.hour(), false));
    assert_eq!((fixture.status().failing, fixture.names()), (Some(0), vec!["load", "etl"]));
    let jobs = fixture.status().counts.as_ref().unwrap().jobs.clone().unwrap();
    assert_eq!((jobs.total, jobs.states), (1, [("SUCCEEDED".to_owned(), 1)].into()));
    fixture.now += (6 * 24).hours();
    assert!(fixture.apply().is_none(), "the time of the deletion stays");
    fixture.now += 24.hours();
    fixture.apply();
    assert_eq!(fixture.names(), ["etl"]);
}

#[test]
fn an_item_that_comes_back_is_not_deleted() {
    let mut fixture = without_load(json!({}));
    fixture.set_runs("load", [Succeeded]);
    fixture.apply();
    assert_eq!(fixture.item("load").deleted_at, None);
}

#[test]
fn nothing_is_marked_where_that_is_off_or_the_spec_does_not_select_it() {
    assert_eq!(without_load(json!({"markDeleted": false})).names(), ["etl"]);
    let mut fixture = without_load(json!({}));
    fixture.object.spec.jobs = Some(serde_json::from_value(json!({"excludes": ["load"]})).unwrap());
    fixture.apply();
    assert_eq!(fixture.names(), ["etl"]);
}

#[test]
fn a_list_that_could_not_be_read_deletes_nothing() {
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[Succeeded]), ("load", &[Failed])]);
    fixture.apply();
    fixture.picture.jobs.items.clear();
    fixture.picture.jobs.is_whole = false;
    fixture.apply();
    assert_eq!(fixture.names(), ["load", "etl"]);
    assert!(fixture.item("load").failing && fixture.item("load").deleted_at.is_none());
    assert_eq!(fixture.status().counts.as_ref().unwrap().jobs, None);
}
