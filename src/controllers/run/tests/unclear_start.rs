//! What is heeded while it is not known whether a start had an effect.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::fixture::{Fixture, at, intent, not_found, observed, problem, step_name};
use crate::api::run::{Attempt, Phase, RunPolicy};
use crate::controllers::run::calls::Step;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome};
use crate::glue::ErrorKind;

fn ready(fixture: &Fixture) -> (Option<Phase>, String) {
    let plan = fixture.plan();
    let ready = plan.status.condition("Ready").expect("a condition").message.clone();
    (plan.status.phase, ready)
}

/// Each status that reports a failed lookup requeues the object.
#[test]
fn a_lookup_that_failed_is_not_repeated_before_its_pause_unless_the_object_is_deleted() {
    let looks = |fixture: Fixture| {
        let pauses = Fixture { backoff: Some(Duration::from_secs(9)), ..fixture };
        let plan = pauses.plan();
        assert_eq!((&plan.status, plan.step), (&pauses.status, Step::RequeueAfter(Duration::from_secs(9))));
        let deleted = pauses.deleted();
        assert_eq!(step_name(&deleted.plan()), "look up");
        step_name(&Fixture { backoff: None, ..deleted }.plan())
    };
    let open = || Fixture::new().with_finalizer().with(Phase::Starting, intent()).observed_generation(1);
    assert_eq!(looks(open()), "look up");
    let mut failed = Fixture { backoff: Some(Duration::from_secs(9)), ..open() };
    failed.state.start.lookup = Some(Lookup::Failed(problem(ErrorKind::Throttled)));
    assert_eq!(step_name(&failed.plan()), "backoff", "the pass that looked reports it");
    failed.status.attempts.clear();
    failed.state.had_earlier_attempt = true;
    let plan = failed.plan();
    assert_eq!((plan.status.phase, step_name(&plan)), (Some(Phase::Pending), "backoff"));
}

#[test]
fn stop_suspend_and_the_deadlines_are_heeded_while_lookups_fail() {
    let policies = [
        ("spec.stop is true", RunPolicy { stop: Some(true), ..RunPolicy::default() }),
        ("spec.suspend is true", RunPolicy { suspend: Some(true), ..RunPolicy::default() }),
        ("startDeadlineSeconds passed", RunPolicy { start_deadline_seconds: Some(5), ..RunPolicy::default() }),
    ];
    for (why, policy) in policies {
        let mut open = Fixture { policy, ..Fixture::new().with_finalizer().with(Phase::Starting, intent()) };
        for lookup in [Lookup::Failed(problem(ErrorKind::Denied)), not_found(3)] {
            open.state.start.lookup = Some(lookup);
            let (phase, message) = ready(&open);
            assert_eq!(phase, Some(Phase::Stopping), "{message}");
            assert!(message.starts_with(why), "{message}");
        }
        open.state.start.lookup = Some(not_found(60));
        let plan = open.plan();
        assert_ne!(step_name(&plan), "start", "{why}: {plan:?}");
        assert!(
            plan.status.phase.is_some_and(|phase| phase.is_final() || phase == Phase::Suspended),
            "{why}: {plan:?}"
        );
    }
}

/// `activeDeadlineSeconds` of the first attempt counts from the start that succeeds.
#[test]
fn the_active_deadline_is_heeded_for_a_retry_only() {
    let open = |retry| {
        let attempt = Attempt { retry, active_since: Time(at(1)), ..intent() };
        let policy = RunPolicy { active_deadline_seconds: Some(5), ..RunPolicy::default() };
        let mut open = Fixture { policy, ..Fixture::new().with_finalizer().with(Phase::Starting, attempt) };
        open.state.start.lookup = Some(not_found(3));
        ready(&open)
    };
    assert_eq!(open(0).0, Some(Phase::Starting));
    for retry in [1, 2] {
        let (phase, message) = open(retry);
        assert_eq!(phase, Some(Phase::Stopping), "{message}");
        assert!(message.starts_with("activeDeadlineSeconds passed"), "{message}");
    }
}

#[test]
fn a_run_that_glue_accepted_is_the_object_s_own_and_any_other_is_adopted() {
    let found = |outcome| {
        let mut open = Fixture::new().with_finalizer().with(Phase::Starting, intent());
        open.state.start.lookup = Some(Lookup::Found(observed(Phase::Running)));
        open.state.start.outcome = outcome;
        ready(&open).1
    };
    assert_eq!(found(Some(StartOutcome::Accepted)), "run jr_1 was started");
    assert_eq!(found(None), "run jr_1 carries this object's key and was adopted");
}
