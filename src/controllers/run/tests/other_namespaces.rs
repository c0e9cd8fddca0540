//! A run that was started for another namespace: it may be followed, and goes on whatever becomes of the object.

use std::time::Duration;

use super::fixture::{Fixture, live, step_name};
use crate::api::run::{Attempt, DeletionPolicy, Phase, RunPolicy};
use crate::controllers::run::conditions::ready_reason;
use crate::controllers::run::facts::Observation;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::Step;

/// An object that follows `jr_1`.
fn follower(policy: RunPolicy) -> Fixture {
    let attempt = Attempt { key: String::new(), ..live() };
    Fixture { policy, follow: Some("jr_1".to_owned()), ..Fixture::new().with(Phase::Running, attempt) }
}

fn stop() -> RunPolicy {
    RunPolicy { stop: Some(true), ..RunPolicy::default() }
}

fn stops_at_deletion() -> RunPolicy {
    RunPolicy { deletion_policy: Some(DeletionPolicy::Stop), ..RunPolicy::default() }
}

fn deadline() -> RunPolicy {
    RunPolicy { active_deadline_seconds: Some(5), ..RunPolicy::default() }
}

fn suspended() -> RunPolicy {
    RunPolicy { suspend: Some(true), ..RunPolicy::default() }
}

#[test]
fn it_is_let_go_where_a_run_of_nobody_is_stopped() {
    for (policy, phase, reason) in [
        (stop(), Phase::Stopped, Reason::StopRequested),
        (deadline(), Phase::Failed, Reason::DeadlineExceeded),
        (suspended(), Phase::Suspended, Reason::Suspended),
    ] {
        let of_nobody = follower(policy).observing(Phase::Running);
        assert_eq!(step_name(&of_nobody.plan()), "stop");
        let foreign = Fixture { is_foreign: true, ..of_nobody };
        // An object that does not only follow is suspended, and starts a run of its own when it is resumed.
        let foreign =
            if phase == Phase::Suspended { Fixture { follow: None, ..foreign.with_finalizer() } } else { foreign };
        let plan = foreign.plan();
        assert_eq!((plan.status.phase, ready_reason(&plan.status)), (Some(phase), Some(reason)));
        assert_eq!(step_name(&plan), "await change");
        assert!(plan.status.attempt().is_some_and(|attempt| attempt.ended_at.is_some()), "it is not followed any more");
        let message = &plan.status.condition("Ready").expect("Ready").message;
        assert!(phase == Phase::Suspended || message.contains("it goes on"), "{message}");
    }
}

#[test]
fn the_deletion_of_its_follower_leaves_it_alone() {
    let deleted = || follower(stops_at_deletion()).with_finalizer().deleted();
    let of_nobody = deleted().observing(Phase::Running);
    assert_eq!(step_name(&of_nobody.plan()), "stop");
    assert_eq!(step_name(&Fixture { is_foreign: true, ..of_nobody }.plan()), "remove finalizer");
    // Before Glue has shown the run, the controller does not know which namespace it was started for.
    assert_eq!(step_name(&deleted().plan()), "requeue");
    let unknown = Fixture { observation: Some(Observation::NotFound), id_age: Duration::ZERO, ..deleted() };
    assert_eq!(step_name(&unknown.plan()), "requeue");
    assert_eq!(step_name(&Fixture { id_age: Duration::from_mins(5), ..unknown.clone() }.plan()), "remove finalizer");
    assert_eq!(step_name(&Fixture { now: 700, ..unknown }.plan()), "leave behind");
}

#[test]
fn no_stop_is_sent_before_glue_has_shown_which_namespace_a_followed_run_was_started_for() {
    for observation in [None, Some(Observation::NotFound)] {
        let fixture = Fixture { observation, id_age: Duration::from_secs(20), ..follower(stop()) };
        let plan = fixture.plan();
        assert_eq!(plan.step, Step::RequeueAfter(Duration::from_secs(40)), "the end of the settle time");
        assert_eq!(plan.status.attempt().and_then(|attempt| attempt.stop_cause), None);
    }
    let unknown = Fixture { observation: Some(Observation::NotFound), ..follower(stop()) };
    assert_eq!(unknown.plan().status.phase, Some(Phase::Stopped), "Glue does not know it");
}

#[test]
fn its_end_is_the_end_of_its_follower() {
    let foreign = Fixture { is_foreign: true, ..follower(RunPolicy::default()).observing(Phase::Succeeded) };
    assert_eq!(foreign.plan().status.phase, Some(Phase::Succeeded));
}
