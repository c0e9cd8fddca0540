//! What the status says of lineage.

use jiff::Timestamp;
use serde_json::json;

use super::fixture::{Fixture, notes};
use crate::controllers::inventory::lineage::LineageFacts;
use crate::controllers::runtime::step::Step;

fn facts(receiver: &str, until: Option<i64>, problem: Option<&str>, is_pending: bool) -> LineageFacts {
    LineageFacts {
        receiver: receiver.to_owned(),
        delivered_until: until.map(|until| Timestamp::from_second(until).unwrap()),
        problem: problem.map(str::to_owned),
        is_pending,
    }
}

fn until(fixture: &Fixture) -> Option<i64> {
    Some(fixture.status().lineage.as_ref()?.delivered_until.as_ref()?.0.as_second())
}

#[test]
fn the_time_stays_until_a_later_one_is_to_be_written_or_the_receiver_is_another_one() {
    let mut fixture = Fixture::new(json!({"lineage": {}}));
    fixture.lineage = Some(facts("controller", Some(60), None, false));
    assert!(fixture.apply().is_some());
    assert_eq!(until(&fixture), Some(60));
    fixture.lineage = Some(facts("controller", None, None, false));
    assert!(fixture.apply().is_none(), "nothing is new");
    // Without a client, or while the Secret is missing, what was delivered stays.
    fixture.lineage = None;
    assert!(fixture.apply().is_none());
    fixture.lineage = Some(facts("http://marquez:5000/api/v1/lineage", None, None, true));
    assert!(fixture.apply().is_some());
    assert_eq!(until(&fixture), None);
    fixture.object.spec.lineage = None;
    fixture.lineage = None;
    assert!(fixture.apply().is_some());
    assert_eq!(fixture.status().lineage, None);
}

#[test]
fn a_receiver_that_takes_nothing_is_reported_once_and_looked_at_again() {
    let mut fixture = Fixture::new(json!({"lineage": {}}));
    fixture.lineage = Some(facts("controller", None, None, true));
    fixture.apply();
    assert!(matches!(fixture.plan().step, Step::RequeueAfter(_)), "{:?}", fixture.plan().step);
    fixture.lineage = Some(facts("controller", None, Some("it answers with status 503"), true));
    let expected =
        "ReceiverFailed: the receiver of lineage, controller, takes no events: it answers with status 503; they wait";
    assert_eq!(notes(fixture.apply()), [expected]);
    assert_eq!(fixture.ready(), ("True".to_owned(), "Observed".to_owned()));
    assert!(fixture.apply().is_none());
    fixture.lineage = Some(facts("controller", Some(60), None, false));
    assert_eq!(notes(fixture.apply()), [""; 0]);
    assert_eq!(fixture.plan().step, Step::AwaitChange);
}
