//! The plan by tables. (By properties: `lives`.)

use std::time::Duration;

use super::fixture::{Fixture, at, intent, live, no, nothing, observed, problem, word};
use crate::api::run::{Attempt, DeletionPolicy, Phase, Retry, RetryOn, RunPolicy, StopCause};
use crate::controllers::run::calls::{Call, RunQuery, Step};
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
fn the_start_protocol() {
    let table: Vec<(&str, Fixture, &str, Phase)> = vec![
        ("a new object is held first", Fixture::new(), "hold", Phase::Pending),
        ("then the intent is written", Fixture::new().held(), "start", Phase::Starting),
        (
            "which is asked for only with the lease",
            Fixture { leading: false, ..Fixture::new() },
            "rest",
            Phase::Pending,
        ),
        (
            "a finalizer without an attempt tells of an earlier life",
            Fixture { state: PassState { had_earlier_attempt: true, ..PassState::default() }, ..Fixture::new().held() },
            "look",
            Phase::Pending,
        ),
        ("so does age", Fixture { now: 3600, ..Fixture::new() }, "look", Phase::Pending),
        (
            "a key of the user's is always looked for",
            Fixture {
                policy: RunPolicy { idempotency_key: Some("k".to_owned()), ..RunPolicy::default() },
                ..Fixture::new()
            },
            "look",
            Phase::Pending,
        ),
        (
            "an intent of this pass is sent",
            Fixture { fresh_intent: true, ..Fixture::new().held().with(Phase::Starting, intent()) },
            "start",
            Phase::Starting,
        ),
        (
            "but not without the lease",
            Fixture { leading: false, fresh_intent: true, ..Fixture::new().held().with(Phase::Starting, intent()) },
            "rest",
            Phase::Starting,
        ),
        (
            "an intent of another pass is looked for",
            Fixture::new().held().with(Phase::Starting, intent()),
            "look",
            Phase::Starting,
        ),
        (
            "an unclear outcome too",
            Fixture {
                state: sent(Some(StartOutcome::Unconfirmed(problem(ErrorKind::Ambiguous)))),
                ..Fixture::new().held().with(Phase::Starting, intent())
            },
            "look",
            Phase::Starting,
        ),
        (
            "a look that failed starts nothing",
            Fixture {
                state: looked_up(Some(Lookup::Failed(problem(ErrorKind::Denied)))),
                intent_age: 9999,
                ..Fixture::new().held().with(Phase::Starting, intent())
            },
            "retry",
            Phase::Starting,
        ),
        (
            "a look that came too early starts nothing, however late it is read",
            Fixture {
                state: looked_up(Some(nothing(59))),
                intent_age: 9999,
                ..Fixture::new().held().with(Phase::Starting, intent())
            },
            "rest for a while",
            Phase::Starting,
        ),
        (
            "a settled look that found nothing leads to a new intent",
            Fixture {
                now: 100,
                state: looked_up(Some(nothing(60))),
                intent_age: 60,
                ..Fixture::new().held().with(Phase::Starting, intent())
            },
            "start",
            Phase::Starting,
        ),
        (
            "a busy job may be busy with our own run",
            Fixture {
                state: sent(Some(StartOutcome::Rejected(problem(ErrorKind::Busy)))),
                ..Fixture::new().held().with(Phase::Starting, intent())
            },
            "look",
            Phase::Starting,
        ),
        (
            "a throttle is a clear no",
            Fixture {
                state: sent(Some(StartOutcome::Rejected(problem(ErrorKind::Throttled)))),
                ..Fixture::new().held().with(Phase::Starting, intent())
            },
            "retry",
            Phase::Pending,
        ),
        ("who is behind in line waits", Fixture { behind: true, ..Fixture::new() }, "rest", Phase::Waiting),
        (
            "and says so until a try gets through",
            Fixture::new().held().with(Phase::Waiting, no()).observed(1),
            "start",
            Phase::Waiting,
        ),
        (
            "as does who was refused",
            Fixture::new().held().with(Phase::Pending, no()).observed(1),
            "start",
            Phase::Pending,
        ),
        (
            "which says nothing about another spec",
            Fixture::new().held().with(Phase::Pending, no()).observed(0),
            "start",
            Phase::Starting,
        ),
        (
            "without AWS nothing is held",
            Fixture { credentials_problem: Some(problem(ErrorKind::Denied)), ..Fixture::new() },
            "retry",
            Phase::Pending,
        ),
    ];
    for (what, fixture, step, phase) in table {
        let plan = fixture.plan();
        assert_eq!((word(&plan), plan.status.phase.unwrap_or_default()), (step, phase), "{what}: {plan:#?}");
    }
}

#[test]
fn what_a_found_run_leads_to() {
    let mut fixture = Fixture::new().held().with(Phase::Starting, intent());
    fixture.state.start.lookup = Some(Lookup::Found(observed(Phase::Running)));
    let plan = fixture.plan();
    assert_eq!(plan.status.attempt().and_then(|attempt| attempt.id.as_deref()), Some("jr_1"));
    fixture.state = sent(Some(StartOutcome::Started("jr_9".to_owned())));
    assert_eq!(fixture.plan().status.attempt().and_then(|attempt| attempt.id.clone()).as_deref(), Some("jr_9"));
}

#[test]
fn deletion() {
    let orphan = RunPolicy { deletion_policy: Some(DeletionPolicy::Orphan), ..RunPolicy::default() };
    let running = || Fixture::new().held().deleted().with(Phase::Running, live());
    let open = || Fixture::new().held().deleted().with(Phase::Starting, intent());
    let table: Vec<(&str, Fixture, &str)> = vec![
        ("nothing was ever started", Fixture::new().held().deleted(), "release"),
        ("somebody else's finalizer is not ours to wait for", Fixture::new().deleted(), "rest"),
        ("a live run is stopped", running(), "stop"),
        ("once", Fixture { stop_sent: true, ..running() }, "rest"),
        ("an orphan is left", Fixture { policy: orphan.clone(), ..running() }, "release"),
        ("a run that has ended holds nothing", running().seen(Phase::Stopped), "release"),
        ("nor one that is gone", Fixture { observation: Some(Observation::NotFound), ..running() }, "release"),
        ("an open start is looked for first", open(), "look"),
        ("and let go when it left no query", Fixture { state: looked_up(Some(nothing(60))), ..open() }, "release"),
        ("but not too early", Fixture { state: looked_up(Some(nothing(1))), ..open() }, "rest for a while"),
        (
            "without AWS it waits",
            Fixture { credentials_problem: Some(problem(ErrorKind::Denied)), ..running() },
            "retry",
        ),
        (
            "but not for ever",
            Fixture { now: 605, credentials_problem: Some(problem(ErrorKind::Denied)), ..running() },
            "leave behind",
        ),
    ];
    for (what, fixture, step) in table {
        let plan = fixture.plan();
        assert_eq!(word(&plan), step, "{what}: {plan:#?}");
    }
}

#[test]
fn the_life_of_a_live_run() {
    let running = || Fixture::new().held().with(Phase::Running, live());
    let with = |policy: RunPolicy| Fixture { policy, ..running() };
    let stop = || RunPolicy { stop: Some(true), ..RunPolicy::default() };
    let suspend = || RunPolicy { suspend: Some(true), ..RunPolicy::default() };
    let deadline = || RunPolicy { active_deadline_seconds: Some(60), ..RunPolicy::default() };
    let stopping = |cause| Fixture::new().held().with(Phase::Stopping, Attempt { stop_cause: Some(cause), ..live() });
    let table: Vec<(&str, Fixture, &str, Phase, &str)> = vec![
        ("it runs", running().seen(Phase::Running), "rest", Phase::Running, "Running"),
        ("stop", with(stop()).seen(Phase::Running), "stop", Phase::Stopping, "StopRequested"),
        ("suspend", with(suspend()).seen(Phase::Running), "stop", Phase::Stopping, "Suspended"),
        ("deadline to come", with(deadline()).seen(Phase::Running), "rest for a while", Phase::Running, "Running"),
        (
            "deadline",
            Fixture { now: 61, ..with(deadline()).seen(Phase::Running) },
            "stop",
            Phase::Stopping,
            "DeadlineExceeded",
        ),
        (
            "stopped by us",
            stopping(StopCause::StopRequested).seen(Phase::Stopped),
            "rest",
            Phase::Stopped,
            "StopRequested",
        ),
        (
            "too late",
            stopping(StopCause::DeadlineExceeded).seen(Phase::Stopped),
            "rest",
            Phase::Failed,
            "DeadlineExceeded",
        ),
        (
            "held again",
            Fixture { policy: suspend(), ..stopping(StopCause::Suspended).seen(Phase::Stopped) },
            "rest",
            Phase::Suspended,
            "Suspended",
        ),
        ("resumed", stopping(StopCause::Suspended).seen(Phase::Stopped), "start", Phase::Starting, "Starting"),
        ("stopped by somebody", running().seen(Phase::Stopped), "rest", Phase::Stopped, "Stopped"),
        (
            "it was faster than the stop",
            stopping(StopCause::StopRequested).seen(Phase::Succeeded),
            "rest",
            Phase::Succeeded,
            "Succeeded",
        ),
        (
            "gone",
            Fixture { observation: Some(Observation::NotFound), ..running() },
            "rest",
            Phase::Unknown,
            "RunNotFound",
        ),
        (
            "gone and stopped",
            Fixture { observation: Some(Observation::NotFound), ..with(stop()) },
            "rest",
            Phase::Stopped,
            "StopRequested",
        ),
        ("a state that nobody knows", running().seen(Phase::Unknown), "rest", Phase::Unknown, "Unknown"),
        (
            "polls fail",
            Fixture { poll_problem: Some(problem(ErrorKind::Denied)), ..running() },
            "rest",
            Phase::Running,
            "AccessDenied",
        ),
        ("wiped finalizer", Fixture { meta: Fixture::new().meta, ..running() }, "hold", Phase::Running, ""),
    ];
    for (what, fixture, step, phase, reason) in table {
        let plan = fixture.plan();
        assert_eq!((word(&plan), plan.status.phase), (step, Some(phase)), "{what}: {plan:#?}");
        let told = plan.status.condition("Ready").map_or("", |ready| ready.reason.as_str());
        assert_eq!(told, reason, "{what}");
    }
}

/// In one pass: the look finds the first attempt's run, and the poller knows already that it has failed.
#[test]
fn what_was_found_of_one_attempt_is_not_taken_for_the_next() {
    let policy = RunPolicy {
        idempotency_key: Some("k".to_owned()),
        retry: Some(Retry { limit: 1, backoff_seconds: Some(0), ..Retry::default() }),
        ..RunPolicy::default()
    };
    let mut fixture = Fixture { policy, ..Fixture::new().held().with(Phase::Starting, live()) }.seen(Phase::Failed);
    fixture.state.start.lookup = Some(Lookup::Found(observed(Phase::Failed)));
    let plan = fixture.plan();
    let query = RunQuery { key: "k/1".to_owned(), ..RunQuery::default() };
    assert_eq!(plan.step, Step::Call(Call::LookUp(query.clone())));
    fixture.state.on_status_written(&fixture.status, &plan.status, false);
    fixture.status = plan.status;
    let plan = fixture.plan();
    assert_eq!((plan.status, plan.step), (fixture.status, Step::Call(Call::LookUp(query.clone()))));
}

#[test]
fn retries_by_class_and_only_so_many() {
    let retry = |limit, states| RunPolicy {
        retry: Some(Retry { limit, states, backoff_seconds: Some(10), max_backoff_seconds: Some(15) }),
        ..RunPolicy::default()
    };
    let failed =
        |policy: RunPolicy, phase| Fixture { policy, ..Fixture::new().held().with(Phase::Running, live()).seen(phase) };
    for (policy, end, phase) in [
        (retry(1, None), Phase::Failed, Phase::Waiting),
        (retry(1, None), Phase::TimedOut, Phase::Waiting),
        (retry(1, None), Phase::Expired, Phase::Expired),
        (retry(1, Some(vec![RetryOn::Expired])), Phase::Expired, Phase::Waiting),
        (retry(1, Some(vec![RetryOn::Timeout])), Phase::Failed, Phase::Failed),
        (retry(0, None), Phase::Failed, Phase::Failed),
        (retry(1, None), Phase::Stopped, Phase::Stopped),
        (RunPolicy::default(), Phase::Failed, Phase::Failed),
    ] {
        assert_eq!(failed(policy.clone(), end).plan().status.phase, Some(phase), "{policy:?} {end:?}");
    }
    // The pause doubles, up to its bound; then the next attempt starts.
    let ended = |retry: u32| Attempt { retry, number: retry, ended_at: Some(Time(at(10))), ..live() };
    let waiting = |retries, now| Fixture {
        now,
        policy: retry(9, None),
        ..Fixture::new().held().with(Phase::Waiting, ended(retries))
    };
    assert_eq!(waiting(0, 15).plan().step, Step::RequeueAfter(Duration::from_secs(5)));
    assert_eq!(waiting(1, 15).plan().step, Step::RequeueAfter(Duration::from_secs(10)));
    let next = waiting(1, 25).plan();
    assert_eq!(next.step, Step::Call(Call::Start));
    assert_eq!(next.status.attempt().map(|attempt| (attempt.number, attempt.retry)), Some((2, 2)));
}

#[test]
fn a_run_that_glue_retries_is_not_failed() {
    let mut fixture = Fixture::new().held().with(Phase::Running, live());
    fixture.observation = Some(Observation::Present(ObservedRun { retry_expected: true, ..observed(Phase::Failed) }));
    assert_eq!(fixture.plan().status.phase, Some(Phase::Waiting));
    fixture.observation =
        Some(Observation::Present(ObservedRun { id: "jr_1_attempt_1".to_owned(), ..observed(Phase::Running) }));
    let plan = fixture.plan();
    assert_eq!(plan.status.phase, Some(Phase::Running));
    assert_eq!(plan.status.attempt().and_then(|attempt| attempt.id.as_deref()), Some("jr_1_attempt_1"));
}

#[test]
fn what_is_finished_is_let_go_and_cleaned_away_in_time() {
    let over = || Attempt { ended_at: Some(Time(at(10))), ..live() };
    let ttl = RunPolicy { ttl_seconds_after_finished: Some(100), ..RunPolicy::default() };
    let done = || Fixture::new().with(Phase::Succeeded, over());
    assert_eq!(word(&done().held().plan()), "release");
    assert_eq!(word(&done().plan()), "rest");
    let timed = |now| Fixture { now, policy: ttl.clone(), ..done() };
    assert_eq!(timed(50).plan().step, Step::RequeueAfter(Duration::from_mins(1)));
    assert_eq!(timed(110).plan().step, Step::Delete);
}

#[test]
fn deadlines_for_the_start_count_from_the_release() {
    let policy =
        |suspend| RunPolicy { start_deadline_seconds: Some(30), suspend: Some(suspend), ..RunPolicy::default() };
    let fixture = |suspend, now| Fixture { now, policy: policy(suspend), ..Fixture::new().held() };
    assert_eq!(fixture(false, 31).plan().status.phase, Some(Phase::Expired));
    let held = fixture(true, 1000).plan();
    assert_eq!(held.status.phase, Some(Phase::Suspended));
    // Released at 1000: thirty seconds from then.
    let released = |now| Fixture { status: held.status.clone(), ..fixture(false, now) };
    assert_ne!(released(1000).plan().status.phase, Some(Phase::Expired));
}

#[test]
fn a_foreign_run_is_followed_and_never_started() {
    let fixture = Fixture { follow: Some("jr_7".to_owned()), ..Fixture::new() };
    let plan = fixture.plan();
    assert_eq!(plan.status.attempt().and_then(|attempt| attempt.id.as_deref()), Some("jr_7"));
    assert_eq!(word(&plan), "rest");
}
