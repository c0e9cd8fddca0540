//! The run that a status does not list: by an `idempotencyKey`, or because the status was lost.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::fixture::{Fixture, at, live, observed, step_name};
use crate::api::run::{Attempt, Phase, RunPolicy};
use crate::controllers::run::calls::{Call, RunQuery, Step};
use crate::controllers::run::facts::ObservedRun;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::Lookup;

/// A new object with an `idempotencyKey`, whose lookup found attempt `number` in this phase.
fn found(number: u32, phase: Phase) -> Fixture {
    let policy = RunPolicy { idempotency_key: Some("orders".to_owned()), ..RunPolicy::default() };
    let mut fixture = Fixture { policy, ..Fixture::new().with_finalizer() };
    fixture.state.start.lookup = Some(Lookup::Found(ObservedRun { attempt: Some(number), ..observed(phase) }));
    fixture
}

#[test]
fn a_run_with_the_same_key_is_adopted_under_its_number() {
    for phase in [Phase::Running, Phase::Succeeded, Phase::Failed] {
        let plan = found(3, phase).plan();
        let attempt = plan.status.attempt().expect("an attempt");
        assert_eq!((attempt.number, attempt.key.as_str()), (3, "sales/orders/3"));
        assert_eq!((attempt.id.as_deref(), attempt.retry), (Some("jr_1"), 3), "those before it count as retries");
    }
}

/// A GitOps tool deletes the object while its run is live, and creates it again.
#[test]
fn a_run_that_was_stopped_is_not_adopted_and_the_work_is_done_by_another() {
    for phase in [Phase::Stopping, Phase::Stopped] {
        let plan = found(0, phase).plan();
        assert_eq!(step_name(&plan), "start");
        let attempt = plan.status.attempt().expect("an attempt");
        assert_eq!((attempt.number, attempt.key.as_str(), &attempt.id), (1, "sales/orders/1", &None));
    }
}

#[test]
fn a_lost_status_is_looked_for_whole_and_since_the_object_was_created() {
    let mut fixture = Fixture::new().with_finalizer();
    fixture.state.had_earlier_attempt = true;
    let created = fixture.meta.creation_timestamp.as_ref().map(|created| created.0);
    let query = RunQuery { base_key: "sales/uid".to_owned(), since: created, ..RunQuery::default() };
    assert_eq!(fixture.plan().step, Step::Call(Call::LookUp(query)));
    // After a suspension: the first attempt was stopped, and the second one runs.
    fixture.state.start.lookup = Some(Lookup::Found(ObservedRun { attempt: Some(1), ..observed(Phase::Running) }));
    let attempt = fixture.plan().status.attempt().cloned().expect("an attempt");
    assert_eq!((attempt.number, attempt.key.as_str()), (1, "sales/uid/1"));
}

/// A person wipes the status some seconds after the start, while Glue does not list the run yet.
#[test]
fn a_run_that_is_not_found_is_started_again_when_the_loss_of_the_status_has_settled() {
    let mut fixture = Fixture::new().with_finalizer();
    fixture.state.had_earlier_attempt = true;
    fixture.state.start.lookup = Some(Lookup::NotFound { intent_age: Duration::ZERO });
    assert_eq!(step_name(&fixture.plan()), "start", "only this process knows when the status was lost");
    for (lost_for, step, phase) in [
        (0, Step::RequeueAfter(Duration::from_secs(15)), Phase::Pending),
        (15, Step::RequeueAfter(Duration::from_secs(15)), Phase::Pending),
        (30, Step::RequeueAfter(Duration::from_secs(30)), Phase::Pending),
        (58, Step::RequeueAfter(Duration::from_secs(2)), Phase::Pending),
        (60, Step::Call(Call::Start), Phase::Starting),
    ] {
        fixture.state.lost_for = Some(Duration::from_secs(lost_for));
        let plan = fixture.plan();
        assert_eq!((&plan.step, plan.status.phase), (&step, Some(phase)), "{lost_for} s");
    }
    // The next pass looks again, and takes what it finds.
    fixture.state.lost_for = Some(Duration::ZERO);
    fixture.status = fixture.plan().status;
    fixture.state.start.lookup = None;
    assert_eq!(step_name(&fixture.plan()), "look up");
    fixture.state.start.lookup = Some(Lookup::Found(observed(Phase::Running)));
    assert_eq!(fixture.plan().status.attempt().and_then(|attempt| attempt.id.as_deref()), Some("jr_1"));
}

/// Without a key, yesterday's run with the same arguments looks like the object's own.
#[test]
fn an_old_object_without_attempts_looks_for_a_run_only_where_runs_carry_keys() {
    let old = || Fixture { now: 500, ..Fixture::new().with_finalizer() };
    assert_eq!(step_name(&old().plan()), "look up");
    assert_eq!(step_name(&Fixture { now: 120, ..old() }.plan()), "start", "two minutes are not old");
    assert_eq!(step_name(&Fixture { carries_key: false, ..old() }.plan()), "start");
    let mut had_attempt = Fixture { carries_key: false, ..old() };
    had_attempt.state.had_earlier_attempt = true;
    assert_eq!(step_name(&had_attempt.plan()), "look up");
}

/// While another object of its key starts something, the object says what it said before; any other failure is reported.
#[test]
fn a_key_in_use_is_not_reported_over_another_obstacle() {
    let failed = |reason: Reason, phase| {
        let mut fixture = found(0, Phase::Running).observed_generation(1);
        fixture.status.phase = Some(phase);
        fixture.state.start.lookup =
            Some(Lookup::Failed(Problem { reason, message: "message".to_owned(), kind: None }));
        let before = fixture.status.clone();
        let plan = fixture.plan();
        (plan.status == before, plan.status.condition("Ready").map(|ready| ready.reason.clone()))
    };
    assert_eq!(failed(Reason::KeyInUse, Phase::Pending), (true, None));
    assert_eq!(failed(Reason::KeyInUse, Phase::Waiting), (false, Some("KeyInUse".to_owned())));
    assert_eq!(failed(Reason::AccessDenied, Phase::Pending), (false, Some("AccessDenied".to_owned())));
}

/// A retry of an adopted run adopted older attempts of the key, one after the other, and then started an attempt twice.
#[test]
fn a_retry_adopts_no_attempt_from_before_those_that_the_status_lists() {
    let mut retry = found(1, Phase::Failed);
    let ended = Attempt { number: 3, ended_at: Some(Time(at(2))), state: Some("FAILED".to_owned()), ..live() };
    retry.status.attempts = vec![ended];
    let plan = retry.plan();
    assert_eq!(step_name(&plan), "start");
    assert_eq!(plan.status.attempt().map(|attempt| (attempt.number, attempt.id.clone())), Some((4, None)));
}
