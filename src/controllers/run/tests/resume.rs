//! `spec.resume`: each new value continues a run that has ended, once.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::fixture::{Fixture, at, live, observed, problem, step_name};
use crate::api::run::{Attempt, Phase, Retry, RunPolicy, RunStatus};
use crate::controllers::run::calls::{Call, Step};
use crate::controllers::run::conditions::ready_reason;
use crate::controllers::run::facts::{Observation, ObservedRun, PassState, Resumable};
use crate::controllers::run::resume::is_requested;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::StartOutcome;
use crate::glue::ErrorKind;

fn ended() -> Attempt {
    Attempt { state: Some("COMPLETED".to_owned()), ended_at: Some(Time(at(5))), ..live() }
}

/// A run that has failed, and a new value of `spec.resume`.
fn failed() -> Fixture {
    Fixture { resume: Some("b".to_owned()), ..Fixture::new().with(Phase::Failed, ended()).observed_generation(1) }
}

fn resumable(nodes: &[&str], resumed_by: Option<ObservedRun>, obstacle: Option<&str>) -> PassState {
    let nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
    let resumable = Resumable { resumed_by, nodes, obstacle: obstacle.map(str::to_owned) };
    PassState { resumable: Some(Ok(resumable)), ..PassState::default() }
}

#[test]
fn a_value_is_requested_once_and_only_of_a_run_that_did_not_succeed() {
    let status = |phase, attempt: Attempt, handled: Option<&str>| RunStatus {
        observed_generation: 1,
        phase: Some(phase),
        attempts: vec![attempt],
        last_handled_resume: handled.map(str::to_owned),
        ..RunStatus::default()
    };
    for (what, status, value, requested) in [
        ("a new value", status(Phase::Failed, ended(), Some("a")), Some("b"), true),
        ("the first value", status(Phase::Failed, ended(), None), Some("b"), true),
        ("a handled value", status(Phase::Failed, ended(), Some("b")), Some("b"), false),
        ("no value", status(Phase::Failed, ended(), Some("b")), None, false),
        ("a run that succeeded", status(Phase::Succeeded, ended(), None), Some("b"), false),
        ("a live run", status(Phase::Running, live(), None), Some("b"), false),
        ("a run that will be retried", status(Phase::Waiting, ended(), None), Some("b"), true),
        ("an object that was never observed", RunStatus::unobserved(), Some("b"), false),
    ] {
        assert_eq!(is_requested(&status, value), requested, "{what}");
    }
}

#[test]
fn the_value_that_an_object_is_created_with_counts_as_handled() {
    let fixture = Fixture { resume: Some("a".to_owned()), ..Fixture::new().with_finalizer() };
    let plan = fixture.plan();
    assert_eq!((plan.status.last_handled_resume.as_deref(), step_name(&plan)), (Some("a"), "start"));
}

#[test]
fn what_failed_is_read_then_the_intent_names_it_and_then_the_resume_is_sent() {
    let plan = failed().plan();
    assert_eq!(plan.step, Step::Call(Call::ReadResumable { run: "jr_1".to_owned() }));
    let read = Fixture { state: resumable(&["wnode_1"], None, None), ..failed() };
    let plan = read.clone().plan();
    assert_eq!((step_name(&plan), plan.status.last_handled_resume), ("add finalizer", None));
    let plan = read.with_finalizer().plan();
    assert_eq!((step_name(&plan), plan.status.phase), ("start", Some(Phase::Starting)));
    assert_eq!((plan.status.last_handled_resume.as_deref(), &plan.status.finished_at), (Some("b"), &None));
    let attempt = plan.status.attempt().expect("an attempt");
    let resumes = attempt.resumes.as_ref().expect("what it resumes");
    assert_eq!(
        (attempt.number, resumes.run_id.as_str(), resumes.node_ids.as_slice()),
        (1, "jr_1", &["wnode_1".to_owned()][..])
    );

    // Glue answers: the nodes are not needed any more.
    let mut sent = Fixture { status: plan.status, ..failed().with_finalizer() };
    sent.state.start.outcome = Some(StartOutcome::Started("jr_2".to_owned()));
    let plan = sent.plan();
    let attempt = plan.status.attempt().expect("an attempt");
    assert_eq!(attempt.id.as_deref(), Some("jr_2"));
    assert!(attempt.resumes.as_ref().is_some_and(|resumes| resumes.node_ids.is_empty()));
    assert!(plan.status.condition("Ready").is_some_and(|ready| ready.message.contains("resumes jr_1")));
}

#[test]
fn a_lost_answer_is_looked_up_by_the_run_that_was_resumed() {
    let read = Fixture { state: resumable(&["wnode_1"], None, None), ..failed().with_finalizer() };
    let lost = Fixture { status: read.plan().status, ..failed().with_finalizer() };
    let plan = lost.clone().plan();
    let Step::Call(Call::LookUp(query)) = plan.step else { panic!("{plan:?}") };
    assert_eq!((query.resumes.as_deref(), query.attempt), (Some("jr_1"), Some(1)));
    // Nothing was started: the same attempt resumes the same run.
    let mut late = Fixture { intent_age: 100, now: 200, ..lost };
    late.state.start.lookup = Some(super::fixture::not_found(100));
    let plan = late.plan();
    assert_eq!(step_name(&plan), "start");
    let attempt = plan.status.attempt().expect("an attempt");
    assert_eq!((attempt.number, attempt.resumes.as_ref().map(|resumes| resumes.node_ids.len())), (1, Some(1)));
}

#[test]
fn a_run_that_somebody_else_resumed_is_adopted() {
    let other = ObservedRun { id: "jr_9".to_owned(), ..observed(Phase::Running) };
    let plan = Fixture { state: resumable(&["wnode_1"], Some(other), None), ..failed() }.plan();
    let attempt = plan.status.attempt().expect("an attempt");
    assert_eq!((attempt.id.as_deref(), attempt.adopted, attempt.number), (Some("jr_9"), true, 1));
    assert_eq!(
        (ready_reason(&plan.status), plan.status.last_handled_resume.as_deref()),
        (Some(Reason::Adopted), Some("b"))
    );
}

#[test]
fn what_cannot_be_resumed_stays_as_it_ended() {
    let policy = RunPolicy { stop: Some(true), ..RunPolicy::default() };
    let never_ran = Attempt { id: None, ..ended() };
    for (fixture, why) in [
        (Fixture { state: resumable(&[], None, Some("nothing failed")), ..failed() }, "nothing failed"),
        (Fixture { policy, ..failed() }, "spec.stop is true"),
        (failed().with(Phase::Failed, never_ran), "no run was started"),
    ] {
        let plan = fixture.plan();
        let ready = plan.status.condition("Ready").expect("a condition");
        assert!(ready.message.contains(why), "{ready:?}");
        assert_eq!((ready_reason(&plan.status), plan.status.phase), (Some(Reason::NotResumed), Some(Phase::Failed)));
        assert_eq!((plan.status.last_handled_resume.as_deref(), plan.step), (Some("b"), Step::AwaitChange));
    }
    // An obstacle that may pass leaves the value for later.
    let blocked = Fixture { credentials_problem: Some(problem(ErrorKind::Denied)), ..failed() };
    let plan = blocked.plan();
    assert_eq!(
        (step_name(&plan), plan.status.phase, plan.status.last_handled_resume),
        ("backoff", Some(Phase::Failed), None)
    );
}

#[test]
fn a_refusal_for_good_ends_the_attempt_and_another_one_is_tried_again() {
    let read = Fixture { state: resumable(&["wnode_1"], None, None), ..failed().with_finalizer() };
    let intent = read.plan().status;
    for (kind, phase) in
        [(ErrorKind::Invalid, Phase::Failed), (ErrorKind::Busy, Phase::Waiting), (ErrorKind::Throttled, Phase::Pending)]
    {
        let mut sent = Fixture { status: intent.clone(), ..failed().with_finalizer() };
        sent.state.start.outcome = Some(StartOutcome::Rejected(problem(kind)));
        sent.state.start.lookup = Some(super::fixture::not_found(0));
        let plan = sent.plan();
        assert_eq!(plan.status.phase, Some(phase), "{kind:?}");
        assert!(!is_requested(&plan.status, Some("b")), "the value is handled");
        let attempt = plan.status.attempt().expect("an attempt");
        assert!(attempt.rejected_reason.is_some() && attempt.resumes.is_some());
    }
}

#[test]
fn a_value_that_waits_for_the_end_continues_the_run_in_place_of_a_retry() {
    let retry = Some(Retry { limit: 3, ..Retry::default() });
    let policy = RunPolicy { retry, ..RunPolicy::default() };
    let running = Fixture::new().with_finalizer().with(Phase::Running, live()).observed_generation(1);
    let fixture = Fixture { policy, observation: Some(Observation::Present(observed(Phase::Failed))), ..running };
    let retried = fixture.clone().plan();
    assert_eq!(retried.status.phase, Some(Phase::Waiting), "without a value");
    let waiting = Fixture { resume: Some("b".to_owned()), ..fixture };
    let plan = waiting.clone().plan();
    assert_eq!(plan.status.phase, Some(Phase::Failed));
    let next = Fixture { status: plan.status, observation: None, ..waiting }.plan();
    assert_eq!(step_name(&next), "read resumable");
}
