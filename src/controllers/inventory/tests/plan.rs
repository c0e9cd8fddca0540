//! When a status is written, and what its conditions say.

use jiff::ToSpan;
use serde_json::json;

use super::fixture::Fixture;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::glue::ErrorKind;
use crate::glue::job_runs::JobRunState::{Failed, Running, Succeeded};

fn problem(reason: Reason, kind: ErrorKind) -> Problem {
    Problem { reason, message: "why".to_owned(), kind: Some(kind) }
}

#[test]
fn what_does_not_change_is_not_written() {
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[Succeeded]), ("load", &[Failed]), ("new", &[])]);
    assert!(fixture.apply().is_some());
    let read_at = fixture.status().last_whole_at.clone();
    // Four reads an hour, each with other numbers of calls.
    for _ in 0..4 {
        fixture.now += 15.minutes();
        (fixture.picture.read_at, fixture.picture.calls) = (fixture.now, fixture.picture.calls + 1);
        assert_eq!(fixture.apply().map(|events| events.len()), None);
    }
    assert_eq!((&fixture.status().last_whole_at, fixture.status().calls), (&read_at, Some(7)));
    fixture.set_runs("etl", [Running]);
    assert!(fixture.apply().is_some());
    assert_eq!((fixture.status().last_whole_at.as_ref().unwrap().0, fixture.status().calls), (fixture.now, Some(11)));
    // The first read of a day is written.
    fixture.now += 24.hours();
    fixture.picture.read_at = fixture.now;
    assert!(fixture.apply().is_some() && fixture.apply().is_none());
}

#[test]
fn conditions_say_what_stands_in_the_way_and_the_items_stay() {
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[Succeeded])]);
    let ready = |status: &str, reason: &str| (status.to_owned(), reason.to_owned());
    fixture.is_read = false;
    fixture.apply();
    assert_eq!(fixture.ready(), ready("False", "Reading"));
    fixture.is_read = true;
    fixture.apply();
    assert_eq!(fixture.ready(), ready("True", "Observed"));
    fixture.poll_problem = Some(problem(Reason::Throttled, ErrorKind::Throttled));
    fixture.apply();
    assert_eq!((fixture.ready(), fixture.names()), (ready("False", "Throttled"), vec!["etl"]));
    fixture.poll_problem = None;
    fixture.is_read = false;
    fixture.credentials_problem = Some(problem(Reason::SecretNotFound, ErrorKind::Denied));
    fixture.apply();
    assert_eq!((fixture.ready(), fixture.names()), (ready("False", "SecretNotFound"), vec!["etl"]));
    fixture.credentials_problem = None;
    fixture.object.spec.jobs = Some(serde_json::from_value(json!({"excludes": ["a", "b["]})).unwrap());
    fixture.apply();
    assert_eq!((fixture.ready(), fixture.names()), (ready("False", "InvalidSpec"), vec!["etl"]));
    let stalled = fixture.status().declared.condition("Stalled").unwrap();
    let message = "spec.jobs.excludes[1]: invalid regular expression at character 2: unclosed character class";
    assert_eq!(stalled.message, message);
}

#[test]
fn what_was_read_before_is_shown_until_it_is_read_again() {
    let mut fixture = Fixture::with_jobs(json!({}), &[("etl", &[Succeeded])]);
    fixture.apply();
    // After a restart nothing is known of the account.
    fixture.is_read = false;
    assert!(fixture.apply().is_none());
    fixture.object.metadata.generation = Some(2);
    assert!(fixture.apply().is_some());
    assert_eq!(fixture.ready(), ("False".to_owned(), "Reading".to_owned()));
    fixture.is_read = true;
    fixture.apply();
    assert_eq!(fixture.ready(), ("True".to_owned(), "Observed".to_owned()));
}

#[test]
fn a_refusal_is_reported_by_those_whom_it_concerns() {
    let denied = |spec| {
        let mut fixture = Fixture::with_jobs(spec, &[("etl", &[Succeeded])]);
        fixture.picture.crawlers.is_whole = false;
        fixture.refused = vec![
            ("GetCrawlers", problem(Reason::AccessDenied, ErrorKind::Denied)),
            ("GetTags", problem(Reason::AccessDenied, ErrorKind::Denied)),
        ];
        fixture.apply();
        fixture
    };
    let fixture = denied(json!({"includeTags": true}));
    let ready = fixture.status().declared.condition("Ready").unwrap();
    assert_eq!((ready.reason.as_str(), ready.message.as_str()), ("AccessDenied", "why; refused as well: GetTags"));
    assert_eq!(fixture.names(), ["etl"], "the rest is shown");
    assert_eq!(fixture.status().counts.as_ref().unwrap().crawlers, None);
    let fixture = denied(json!({"crawlers": {"enabled": false}}));
    assert_eq!(fixture.ready(), ("True".to_owned(), "Observed".to_owned()));
}
