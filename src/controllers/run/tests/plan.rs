//! Table tests of the run plan. (Retries: `retries`; properties: `properties`.)

use std::time::Duration;

use super::fixture::{BEHIND, Fixture, at, intent, live, not_found, observed, problem, rejected, step_name};
use crate::api::run::{Attempt, DeletionPolicy, Phase, RunPolicy, StopCause};
use crate::controllers::run::calls::Step;
use crate::controllers::run::facts::{Observation, ObservedRun, PassState};
use crate::controllers::runtime::start_once::{Lookup, StartOutcome, StartState};
use crate::glue::ErrorKind;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

fn sent(outcome: Option<StartOutcome>) -> PassState {
    PassState { start: StartState { outcome, lookup: None }, ..PassState::default() }
}

fn looked_up(lookup: Option<Lookup<ObservedRun>>) -> PassState {
    PassState { start: StartState { outcome: None, lookup }, ..PassState::default() }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn each_stage_of_a_start_takes_one_step() {
    let table: Vec<(&str, Fixture, &str, Phase)> = vec![
        ("a new object first gets the finalizer", Fixture::new(), "add finalizer", Phase::Pending),
        ("then the intent is recorded", Fixture::new().with_finalizer(), "start", Phase::Starting),
        (
            "no finalizer is added without the lease",
            Fixture { leading: false, ..Fixture::new() },
            "await change",
            Phase::Pending,
        ),
        (
            "a finalizer without an attempt means an earlier start is possible",
            Fixture {
                state: PassState { had_earlier_attempt: true, ..PassState::default() },
                ..Fixture::new().with_finalizer()
            },
            "look up",
            Phase::Pending,
        ),
        ("so does age", Fixture { now: 3600, ..Fixture::new() }, "look up", Phase::Pending),
        (
            "a user-supplied idempotency key is always looked up",
            Fixture {
                policy: RunPolicy { idempotency_key: Some("k".to_owned()), ..RunPolicy::default() },
                ..Fixture::new()
            },
            "look up",
            Phase::Pending,
        ),
        (
            "an intent recorded in this pass is sent",
            Fixture { fresh_intent: true, ..Fixture::new().with_finalizer().with(Phase::Starting, intent()) },
            "start",
            Phase::Starting,
        ),
        (
            "an intent is not sent without the lease",
            Fixture {
                leading: false,
                fresh_intent: true,
                ..Fixture::new().with_finalizer().with(Phase::Starting, intent())
            },
            "await change",
            Phase::Starting,
        ),
        (
            "an intent of an earlier pass is looked up",
            Fixture::new().with_finalizer().with(Phase::Starting, intent()),
            "look up",
            Phase::Starting,
        ),
        (
            "an ambiguous outcome is looked up",
            Fixture {
                state: sent(Some(StartOutcome::Unconfirmed(problem(ErrorKind::Ambiguous)))),
                ..Fixture::new().with_finalizer().with(Phase::Starting, intent())
            },
            "look up",
            Phase::Starting,
        ),
        (
            "a failed lookup starts no run",
            Fixture {
                state: looked_up(Some(Lookup::Failed(problem(ErrorKind::Denied)))),
                intent_age: 9999,
                ..Fixture::new().with_finalizer().with(Phase::Starting, intent())
            },
            "backoff",
            Phase::Starting,
        ),
        (
            "a lookup before the settle time starts no run, however late its result is read",
            Fixture {
                state: looked_up(Some(not_found(59))),
                intent_age: 9999,
                ..Fixture::new().with_finalizer().with(Phase::Starting, intent())
            },
            "requeue",
            Phase::Starting,
        ),
        (
            "an empty lookup after the settle time leads to a new intent",
            Fixture {
                now: 100,
                state: looked_up(Some(not_found(60))),
                intent_age: 60,
                ..Fixture::new().with_finalizer().with(Phase::Starting, intent())
            },
            "start",
            Phase::Starting,
        ),
        (
            "a busy job may be running this object's run",
            Fixture {
                state: sent(Some(StartOutcome::Rejected(problem(ErrorKind::Busy)))),
                ..Fixture::new().with_finalizer().with(Phase::Starting, intent())
            },
            "look up",
            Phase::Starting,
        ),
        (
            "throttling is a definite failure",
            Fixture {
                state: sent(Some(StartOutcome::Rejected(problem(ErrorKind::Throttled)))),
                ..Fixture::new().with_finalizer().with(Phase::Starting, intent())
            },
            "backoff",
            Phase::Pending,
        ),
        ("an object behind others waits", Fixture { turn: BEHIND, ..Fixture::new() }, "await change", Phase::Waiting),
        (
            "phase Waiting is kept until a start succeeds",
            Fixture::new().with_finalizer().with(Phase::Waiting, rejected()).observed_generation(1),
            "start",
            Phase::Waiting,
        ),
        (
            "phase Pending is kept after a rejected start",
            Fixture::new().with_finalizer().with(Phase::Pending, rejected()).observed_generation(1),
            "start",
            Phase::Pending,
        ),
        (
            "a rejection of an older generation is not kept",
            Fixture::new().with_finalizer().with(Phase::Pending, rejected()).observed_generation(0),
            "start",
            Phase::Starting,
        ),
        (
            "without credentials no finalizer is added",
            Fixture { credentials_problem: Some(problem(ErrorKind::Denied)), ..Fixture::new() },
            "backoff",
            Phase::Pending,
        ),
    ];
    for (case, fixture, step, phase) in table {
        let plan = fixture.plan();
        assert_eq!((step_name(&plan), plan.status.phase.unwrap_or_default()), (step, phase), "{case}: {plan:#?}");
    }
}

#[test]
fn a_found_run_is_recorded_and_a_confirmed_start_wins() {
    let mut fixture = Fixture::new().with_finalizer().with(Phase::Starting, intent());
    fixture.state.start.lookup = Some(Lookup::Found(observed(Phase::Running)));
    let plan = fixture.plan();
    assert_eq!(plan.status.attempt().and_then(|attempt| attempt.id.as_deref()), Some("jr_1"));
    fixture.state = sent(Some(StartOutcome::Started("jr_9".to_owned())));
    assert_eq!(fixture.plan().status.attempt().and_then(|attempt| attempt.id.clone()).as_deref(), Some("jr_9"));
}

#[test]
fn deletion_stops_a_live_run_and_removes_the_finalizer() {
    let orphan = RunPolicy { deletion_policy: Some(DeletionPolicy::Orphan), ..RunPolicy::default() };
    let running = || Fixture::new().with_finalizer().deleted().with(Phase::Running, live());
    let open = || Fixture::new().with_finalizer().deleted().with(Phase::Starting, intent());
    let table: Vec<(&str, Fixture, &str)> = vec![
        ("no run was started", Fixture::new().with_finalizer().deleted(), "remove finalizer"),
        ("another controller's finalizer is left alone", Fixture::new().deleted(), "await change"),
        ("a live run is stopped", running(), "stop"),
        ("the stop is sent once", Fixture { stop_sent: Some(Duration::from_secs(9)), ..running() }, "requeue"),
        ("policy Orphan leaves the run", Fixture { policy: orphan.clone(), ..running() }, "remove finalizer"),
        ("a run that has ended does not block deletion", running().observing(Phase::Stopped), "remove finalizer"),
        (
            "nor one that is not found",
            Fixture { observation: Some(Observation::NotFound), ..running() },
            "remove finalizer",
        ),
        ("an open start is looked up first", open(), "look up"),
        (
            "an open start without a run does not",
            Fixture { state: looked_up(Some(not_found(60))), ..open() },
            "remove finalizer",
        ),
        ("but only after the settle time", Fixture { state: looked_up(Some(not_found(1))), ..open() }, "requeue"),
        (
            "without credentials deletion waits",
            Fixture { credentials_problem: Some(problem(ErrorKind::Denied)), ..running() },
            "backoff",
        ),
        (
            "until the deletion timeout",
            Fixture { now: 605, credentials_problem: Some(problem(ErrorKind::Denied)), ..running() },
            "leave behind",
        ),
    ];
    for (case, fixture, step) in table {
        let plan = fixture.plan();
        assert_eq!(step_name(&plan), step, "{case}: {plan:#?}");
    }
}

#[test]
fn a_live_run_is_followed_and_stopped() {
    let running = || Fixture::new().with_finalizer().with(Phase::Running, live());
    let with = |policy: RunPolicy| Fixture { policy, ..running() };
    let stop = || RunPolicy { stop: Some(true), ..RunPolicy::default() };
    let suspend = || RunPolicy { suspend: Some(true), ..RunPolicy::default() };
    let deadline = || RunPolicy { active_deadline_seconds: Some(60), ..RunPolicy::default() };
    let stopping =
        |cause| Fixture::new().with_finalizer().with(Phase::Stopping, Attempt { stop_cause: Some(cause), ..live() });
    let table: Vec<(&str, Fixture, &str, Phase, &str)> = vec![
        ("running", running().observing(Phase::Running), "await change", Phase::Running, "Running"),
        ("stop requested", with(stop()).observing(Phase::Running), "stop", Phase::Stopping, "StopRequested"),
        ("suspended while running", with(suspend()).observing(Phase::Running), "stop", Phase::Stopping, "Suspended"),
        ("deadline not reached", with(deadline()).observing(Phase::Running), "requeue", Phase::Running, "Running"),
        (
            "deadline reached",
            Fixture { now: 61, ..with(deadline()).observing(Phase::Running) },
            "stop",
            Phase::Stopping,
            "DeadlineExceeded",
        ),
        (
            "stopped by the controller",
            stopping(StopCause::StopRequested).observing(Phase::Stopped),
            "await change",
            Phase::Stopped,
            "StopRequested",
        ),
        (
            "stopped at the deadline",
            stopping(StopCause::DeadlineExceeded).observing(Phase::Stopped),
            "await change",
            Phase::Failed,
            "DeadlineExceeded",
        ),
        (
            "stopped and still suspended",
            Fixture { policy: suspend(), ..stopping(StopCause::Suspended).observing(Phase::Stopped) },
            "await change",
            Phase::Suspended,
            "Suspended",
        ),
        ("resumed", stopping(StopCause::Suspended).observing(Phase::Stopped), "start", Phase::Starting, "Starting"),
        ("stopped by another caller", running().observing(Phase::Stopped), "await change", Phase::Stopped, "Stopped"),
        (
            "succeeded before the stop took effect",
            stopping(StopCause::StopRequested).observing(Phase::Succeeded),
            "await change",
            Phase::Succeeded,
            "Succeeded",
        ),
        (
            "not found",
            Fixture { observation: Some(Observation::NotFound), ..running() },
            "await change",
            Phase::Unknown,
            "RunNotFound",
        ),
        (
            "not found after a stop request",
            Fixture { observation: Some(Observation::NotFound), ..with(stop()) },
            "await change",
            Phase::Stopped,
            "StopRequested",
        ),
        ("unknown state", running().observing(Phase::Unknown), "await change", Phase::Unknown, "Unknown"),
        (
            "failed poll",
            Fixture { poll_problem: Some(problem(ErrorKind::Denied)), ..running() },
            "await change",
            Phase::Running,
            "AccessDenied",
        ),
        ("removed finalizer", Fixture { meta: Fixture::new().meta, ..running() }, "add finalizer", Phase::Running, ""),
    ];
    for (case, fixture, step, phase, reason) in table {
        let plan = fixture.plan();
        assert_eq!((step_name(&plan), plan.status.phase), (step, Some(phase)), "{case}: {plan:#?}");
        let ready_reason = plan.status.condition("Ready").map_or("", |ready| ready.reason.as_str());
        assert_eq!(ready_reason, reason, "{case}");
    }
}

#[test]
fn a_finished_object_loses_its_finalizer_and_is_deleted_after_the_ttl() {
    let ended = || Attempt { ended_at: Some(Time(at(10))), ..live() };
    let ttl = RunPolicy { ttl_seconds_after_finished: Some(100), ..RunPolicy::default() };
    let done = || Fixture::new().with(Phase::Succeeded, ended());
    assert_eq!(step_name(&done().with_finalizer().plan()), "remove finalizer");
    assert_eq!(step_name(&done().plan()), "await change");
    let timed = |now| Fixture { now, policy: ttl.clone(), ..done() };
    assert_eq!(timed(50).plan().step, Step::RequeueAfter(Duration::from_mins(1)));
    assert_eq!(timed(110).plan().step, Step::Delete);
}

#[test]
fn the_start_deadline_counts_from_the_resume() {
    let policy =
        |suspend| RunPolicy { start_deadline_seconds: Some(30), suspend: Some(suspend), ..RunPolicy::default() };
    let fixture = |suspend, now| Fixture { now, policy: policy(suspend), ..Fixture::new().with_finalizer() };
    assert_eq!(fixture(false, 31).plan().status.phase, Some(Phase::Expired));
    let suspended = fixture(true, 1000).plan();
    assert_eq!(suspended.status.phase, Some(Phase::Suspended));
    // Resumed at 1000: the 30 seconds count from there.
    let resumed = |now| Fixture { status: suspended.status.clone(), ..fixture(false, now) };
    assert_ne!(resumed(1000).plan().status.phase, Some(Phase::Expired));
}

#[test]
fn an_adopted_run_is_followed_and_never_started() {
    let fixture = Fixture { follow: Some("jr_7".to_owned()), ..Fixture::new() };
    let plan = fixture.plan();
    assert_eq!(plan.status.attempt().and_then(|attempt| attempt.id.as_deref()), Some("jr_7"));
    assert_eq!(step_name(&plan), "await change");
}
