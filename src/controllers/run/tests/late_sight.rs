//! What Glue does not show yet, and refusals that last: found by the simulation.

use std::time::Duration;

use super::fixture::{BEHIND, Fixture, intent, live, not_found, problem, step_name};
use crate::api::crawler_run::OnAlreadyRunning;
use crate::api::run::{Attempt, Baseline, Phase, RunPolicy};
use crate::controllers::run::calls::Step;
use crate::controllers::run::facts::{ConcurrencyPolicy, Observation};
use crate::controllers::run::waiting::place;
use crate::controllers::runtime::queue::{Cause, Turn};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome};
use crate::glue::ErrorKind;

/// Its suspension was taken for the end of the run, and the next attempt was started beside it.
#[test]
fn a_run_that_glue_does_not_show_yet_is_not_over() {
    let young =
        |fixture| Fixture { id_age: Duration::from_secs(3), observation: Some(Observation::NotFound), ..fixture };
    let running = || Fixture::new().with_finalizer().with(Phase::Starting, live());
    let suspended =
        || Fixture { policy: RunPolicy { suspend: Some(true), ..RunPolicy::default() }, ..young(running()) };
    assert_eq!(step_name(&suspended().plan()), "stop");
    assert_eq!(step_name(&young(running().deleted()).plan()), "stop");
    let old = Fixture { id_age: Duration::from_mins(1), ..suspended() };
    assert_eq!(old.plan().status.phase, Some(Phase::Suspended));
    let sent = Fixture { stop_sent: Some(Duration::from_mins(1)), ..suspended() };
    assert!(matches!(sent.plan().step, Step::RequeueAfter(left) if left.as_secs() == 57));
}

#[test]
fn a_refused_stop_is_reported_once_and_sent_again_after_a_pause() {
    let mut refused = Fixture::new().with_finalizer().deleted().with(Phase::Running, live()).observing(Phase::Running);
    refused.state.stop_problem = Some(problem(ErrorKind::Denied));
    let status = refused.plan().status;
    let paused = Fixture { backoff: Some(Duration::from_secs(9)), ..Fixture::new() };
    let paused = Fixture { meta: refused.meta.clone(), observation: refused.observation.clone(), status, ..paused };
    assert_eq!((step_name(&paused.plan()), paused.plan().status), ("requeue", paused.status.clone()));
    let due = Fixture { backoff: None, ..paused };
    assert_eq!((step_name(&due.plan()), due.plan().status), ("stop", due.status.clone()));
}

#[test]
fn while_lookups_fail_the_status_does_not_change_with_every_turn() {
    let policy = RunPolicy { idempotency_key: Some("orders".to_owned()), ..RunPolicy::default() };
    let mut object = Fixture { policy, ..Fixture::new().with_finalizer() };
    object.state.start.lookup = Some(Lookup::Failed(problem(ErrorKind::Denied)));
    object.status = object.plan().status;
    for turn in [Turn::Now, BEHIND, Turn::After(Cause::Denied, Duration::from_secs(3))] {
        let again = Fixture { turn, ..object.clone() };
        assert_eq!(again.plan().status, object.status, "{turn:?}");
        let mut key_in_use = problem(ErrorKind::Conflict);
        key_in_use.reason = Reason::KeyInUse;
        let mut other = again;
        other.state.start.lookup = Some(Lookup::Failed(key_in_use));
        assert_eq!(other.plan().status, object.status, "{turn:?}");
    }
}

#[test]
fn an_object_whose_spec_is_refused_says_so_while_it_waits_for_a_place() {
    let mut refused = Fixture::new().with_finalizer().with(Phase::Starting, intent());
    refused.state.start.outcome = Some(StartOutcome::Rejected(problem(ErrorKind::Invalid)));
    let status = refused.plan().status;
    let behind = Fixture { status, turn: BEHIND, ..Fixture::new() };
    assert_eq!(behind.plan().status, behind.status);
    assert_eq!(place(&behind.status, BEHIND), Some(Cause::ConcurrentRuns));
    assert_eq!(place(&behind.status, Turn::Now), Some(Cause::Invalid));
}

#[test]
fn a_crawl_that_glue_does_not_list_after_the_settle_time_is_reported() {
    let accepted = Attempt { accepted: true, baseline: Some(Baseline::default()), ..intent() };
    let policy = ConcurrencyPolicy { on_already_running: OnAlreadyRunning::Wait, coalesce: true };
    let mut object = Fixture::new().with_finalizer().with(Phase::Starting, accepted);
    object.concurrency = Some(policy);
    object.state.start.lookup = Some(not_found(5));
    let reason = |object: &Fixture| object.plan().status.condition("Ready").map(|ready| ready.reason.clone());
    assert_eq!(reason(&object).as_deref(), Some("Starting"));
    let late = Fixture { intent_age: 60, ..object };
    assert_eq!(reason(&late).as_deref(), Some("AnswerUnclear"));
}
