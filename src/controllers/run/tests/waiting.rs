//! Objects that wait for a start that AWS refused, and for the deletion timeout.

use std::time::Duration;

use super::fixture::{Fixture, intent, live, not_found, observed, problem, rejected, step_name};
use crate::api::run::{Attempt, Phase};
use crate::controllers::run::facts::Observation;
use crate::controllers::run::waiting::waits_for;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::queue::{Cause, Turn};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::StartOutcome;
use crate::glue::ErrorKind;

/// The object after Glue refused its start.
fn refused(kind: ErrorKind) -> Fixture {
    let mut fixture = Fixture::new().with_finalizer().with(Phase::Starting, intent());
    fixture.state.start.outcome = Some(StartOutcome::Rejected(problem(kind)));
    fixture.state.start.lookup = Some(not_found(0));
    let status = fixture.plan().status;
    Fixture { meta: fixture.meta, status, ..Fixture::new() }
}

#[test]
fn the_status_says_what_an_object_waits_for() {
    for (kind, cause) in [
        (ErrorKind::Busy, Some(Cause::ConcurrentRuns)),
        (ErrorKind::LimitExceeded, Some(Cause::Quota)),
        (ErrorKind::Denied, Some(Cause::Denied)),
        (ErrorKind::NotFound, Some(Cause::NoTarget)),
        (ErrorKind::Invalid, Some(Cause::Invalid)),
        (ErrorKind::Throttled, None),
        (ErrorKind::Transient, None),
    ] {
        assert_eq!(waits_for(&refused(kind).status), cause, "{kind:?}");
    }
    assert_eq!(waits_for(&Fixture::new().status), None, "a new object");
    assert_eq!(waits_for(&Fixture::new().with(Phase::Running, live()).status), None, "a live run");
}

/// The answer to a start was lost, and the start had no effect. Meanwhile the place was given to an older object.
#[test]
fn an_object_whose_start_had_no_effect_waits_like_any_other() {
    let mut settled = Fixture { intent_age: 60, ..Fixture::new().with_finalizer().with(Phase::Starting, intent()) };
    settled.state.start.lookup = Some(not_found(60));
    settled.turn = Turn::Behind(Cause::ConcurrentRuns);
    assert_eq!(waits_for(&settled.plan().status), Some(Cause::ConcurrentRuns));
}

/// The Secret of its arguments is deleted: it must not keep a younger object from the free place.
#[test]
fn an_object_that_is_blocked_by_something_else_waits_for_no_place() {
    let secret = Problem::new(Reason::CredentialsMissing, "there is no Secret");
    let blocked = Fixture { credentials_problem: Some(secret), ..refused(ErrorKind::Busy) };
    assert_eq!(waits_for(&blocked.plan().status), None);
}

#[test]
fn an_obstacle_is_written_once_and_then_costs_no_write() {
    for kind in [ErrorKind::Busy, ErrorKind::LimitExceeded, ErrorKind::Denied, ErrorKind::NotFound, ErrorKind::Invalid]
    {
        let cause = Cause::of(kind).expect("a cause");
        for turn in [Turn::Behind(cause), Turn::After(cause, Duration::from_secs(9))] {
            let waiting = Fixture { turn, ..refused(kind) };
            let plan = waiting.plan();
            assert_eq!(plan.status, waiting.status, "{kind:?} {turn:?}");
            let step = if matches!(turn, Turn::Behind(_)) { "await change" } else { "requeue" };
            assert_eq!(step_name(&plan), step);
        }
        // An object that has not tried: one write, then none.
        let newcomer = Fixture { turn: Turn::Behind(cause), ..Fixture::new() };
        let status = newcomer.plan().status;
        assert_eq!((status.phase, waits_for(&status)), (Some(Phase::Waiting), Some(cause)));
        let again = Fixture { status, ..newcomer };
        assert_eq!(again.plan().status, again.status);
    }
}

#[test]
fn whatever_glue_does_a_deleted_object_is_gone_after_the_deletion_timeout() {
    let deleting = |attempt: Attempt| Fixture::new().with_finalizer().deleted().with(Phase::Stopping, attempt);
    let stopping =
        || Fixture { observation: Some(Observation::Present(observed(Phase::Stopping))), ..deleting(live()) };
    let sent = || Fixture { stop_sent: Some(Duration::from_secs(9)), ..deleting(live()) };
    let denied = || Fixture { poll_problem: Some(problem(ErrorKind::Denied)), ..sent() };
    let table = [
        ("a run that stays in STOPPING", stopping(), "requeue", "leave behind"),
        ("a stop without an effect that the poller shows", sent(), "requeue", "leave behind"),
        ("polls that fail", denied(), "requeue", "leave behind"),
        ("a controller that was down meanwhile tries once", deleting(live()), "stop", "stop"),
        ("a start that was refused", deleting(rejected()), "remove finalizer", "remove finalizer"),
    ];
    for (case, fixture, before, after) in table {
        assert_eq!(step_name(&fixture.plan()), before, "{case}");
        assert_eq!(step_name(&Fixture { now: 606, ..fixture }.plan()), after, "{case}, after the timeout");
    }
}

/// A try costs two writes. While Glue shows that the place is taken, none is made.
#[test]
fn an_object_that_waits_for_a_place_looks_before_it_tries() {
    let waiting = || refused(ErrorKind::Busy);
    assert_eq!(step_name(&waiting().plan()), "check place");
    for (has_place, step) in [(false, "await change"), (true, "start")] {
        let mut looked = waiting().with_finalizer();
        looked.state.has_place = Some(has_place);
        let plan = looked.plan();
        assert_eq!((step_name(&plan), plan.status == looked.status), (step, !has_place));
    }
    assert_ne!(step_name(&refused(ErrorKind::LimitExceeded).plan()), "check place");
}

/// Whoever reads only this object's status sees why it is not started.
#[test]
fn an_object_that_has_not_tried_says_what_aws_answered_to_another() {
    let refusal = Some(problem(ErrorKind::Denied));
    let newcomer = Fixture { turn: Turn::Behind(Cause::Denied), refusal, ..Fixture::new() };
    let status = newcomer.plan().status;
    let ready = status.condition("Ready").expect("a condition");
    assert_eq!((ready.reason.as_str(), ready.message.as_str()), ("AccessDenied", "message"));
}
