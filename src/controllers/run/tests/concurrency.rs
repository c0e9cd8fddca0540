//! Table tests of the concurrency policy at a crawler. (Properties: `properties`; every interleaving:
//! `runtime/tests/start_once/crawl`.)

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::fixture::{BEHIND, Fixture, at, intent, not_found, observed, problem, step_name};
use crate::api::crawler_run::OnAlreadyRunning::{self, Attach, Fail, Wait};
use crate::api::run::{Attempt, Baseline, DeletionPolicy, Phase, RunPolicy};
use crate::controllers::run::calls::{Call, Step};
use crate::controllers::run::facts::{
    ConcurrencyPolicy, CrawlerActivity, CrawlerSnapshot, Observation, ObservedRun, PassState,
};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome, StartState};
use crate::glue::ErrorKind;

#[allow(clippy::unnecessary_wraps, reason = "the type of the fixture's field")]
fn concurrency(on_already_running: OnAlreadyRunning, coalesce: bool) -> Option<ConcurrencyPolicy> {
    Some(ConcurrencyPolicy { on_already_running, coalesce })
}

fn newest(id: &str) -> Baseline {
    Baseline { id: Some(id.to_owned()), started_at: Some(Time(at(0))) }
}

fn crawl(id: &str) -> ObservedRun {
    ObservedRun { id: id.to_owned(), ..observed(Phase::Running) }
}

fn object() -> Fixture {
    Fixture { concurrency: concurrency(Wait, true), ..Fixture::new() }
}

/// An intent whose baseline is the crawl `id`.
fn intent_after(id: &str) -> Attempt {
    Attempt { baseline: Some(newest(id)), ..intent() }
}

fn waiting(id: &str) -> Fixture {
    let record = Attempt { rejected_reason: Some("CrawlerRunning".to_owned()), ..intent_after(id) };
    object().with(Phase::Waiting, record)
}

fn open(id: &str) -> Fixture {
    object().with_finalizer().with(Phase::Starting, intent_after(id))
}

/// Adds the snapshot read before the start: the newest crawl, whether it is live, and the first crawl after the
/// recorded baseline.
fn with_snapshot(fixture: Fixture, newest_id: &str, busy: bool, next: Option<&str>) -> Fixture {
    let snapshot = CrawlerSnapshot {
        busy,
        newest: newest(newest_id),
        live: busy.then(|| crawl(newest_id)),
        next: next.map(crawl),
    };
    Fixture { state: PassState { snapshot: Some(Ok(snapshot)), ..fixture.state.clone() }, ..fixture }
}

fn with_lookup(fixture: Fixture, lookup: Lookup<ObservedRun>, outcome: Option<StartOutcome>) -> Fixture {
    Fixture {
        state: PassState { start: StartState { outcome, lookup: Some(lookup) }, ..fixture.state.clone() },
        ..fixture
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the type of the outcome")]
fn busy_error() -> Option<StartOutcome> {
    Some(StartOutcome::Rejected(problem(ErrorKind::Busy)))
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn an_object_waits_attaches_fails_or_starts_by_its_policy() {
    let own = || concurrency(Wait, false);
    let unlisted = Ok(CrawlerSnapshot { busy: true, newest: newest("x"), live: None, next: None });
    let denied = Err(problem(ErrorKind::Denied));
    let read = |snapshot: &Result<CrawlerSnapshot<ObservedRun>, Problem>| PassState {
        snapshot: Some(snapshot.clone()),
        ..PassState::default()
    };
    // The case, its facts, the step, the phase, and the crawl recorded in the attempt.
    let table: Vec<(&str, Fixture, &str, Phase, Option<&str>)> = vec![
        ("the baseline is read first", object(), "read baseline", Phase::Pending, None),
        (
            "no baseline is read without the lease",
            Fixture { leading: false, ..object() },
            "await change",
            Phase::Pending,
            None,
        ),
        (
            "an old object is not looked up: StartCrawler has no key",
            Fixture { now: 3600, ..object() },
            "read baseline",
            Phase::Pending,
            None,
        ),
        (
            "a failed read starts no crawl",
            Fixture { state: read(&denied), ..object() },
            "backoff",
            Phase::Pending,
            None,
        ),
        ("idle, no finalizer", with_snapshot(object(), "x", false, None), "add finalizer", Phase::Pending, None),
        (
            "idle, with finalizer",
            with_snapshot(object().with_finalizer(), "x", false, None),
            "start",
            Phase::Starting,
            None,
        ),
        ("busy", with_snapshot(object(), "x", true, None), "await change", Phase::Waiting, None),
        (
            "Attach takes the live crawl",
            Fixture { concurrency: concurrency(Attach, true), ..with_snapshot(object(), "x", true, None) },
            "await change",
            Phase::Running,
            Some("x"),
        ),
        (
            "Fail fails at a busy crawler",
            Fixture { concurrency: concurrency(Fail, true), ..with_snapshot(object(), "x", true, None) },
            "await change",
            Phase::Failed,
            None,
        ),
        (
            "Wait polls while the live crawl is not listed yet",
            Fixture { state: read(&unlisted), ..object() },
            "requeue",
            Phase::Waiting,
            None,
        ),
        (
            "Attach polls while the live crawl is not listed yet",
            Fixture { concurrency: concurrency(Attach, true), state: read(&unlisted), ..object() },
            "requeue",
            Phase::Waiting,
            None,
        ),
        (
            "Attach takes the live crawl from any position in the queue",
            Fixture {
                turn: BEHIND,
                concurrency: concurrency(Attach, false),
                ..with_snapshot(object(), "x", true, None)
            },
            "await change",
            Phase::Running,
            Some("x"),
        ),
        (
            "Fail fails from any position in the queue",
            Fixture { turn: BEHIND, concurrency: concurrency(Fail, false), ..with_snapshot(object(), "x", true, None) },
            "await change",
            Phase::Failed,
            None,
        ),
        (
            "behind others, the baseline is read too",
            Fixture { turn: BEHIND, ..object() },
            "read baseline",
            Phase::Pending,
            None,
        ),
        (
            "behind others, the baseline is recorded",
            Fixture { turn: BEHIND, ..with_snapshot(object(), "x", false, None) },
            "await change",
            Phase::Waiting,
            None,
        ),
        (
            "behind others, no baseline is read without coalescing",
            Fixture { turn: BEHIND, concurrency: own(), ..object() },
            "await change",
            Phase::Waiting,
            None,
        ),
        ("a waiting object sends no call", waiting("x"), "await change", Phase::Waiting, None),
        (
            "a waiting object reads the baseline at an idle crawler",
            Fixture { activity: CrawlerActivity::Idle, ..waiting("x") },
            "read baseline",
            Phase::Waiting,
            None,
        ),
        (
            "but not behind others",
            Fixture { activity: CrawlerActivity::Idle, turn: BEHIND, ..waiting("x") },
            "await change",
            Phase::Waiting,
            None,
        ),
        (
            "or after a new crawl, which all may share",
            Fixture { activity: CrawlerActivity::NewCrawl, turn: BEHIND, ..waiting("x") },
            "read baseline",
            Phase::Waiting,
            None,
        ),
        (
            "without coalescing a new crawl changes nothing",
            Fixture { activity: CrawlerActivity::NewCrawl, turn: BEHIND, concurrency: own(), ..waiting("x") },
            "await change",
            Phase::Waiting,
            None,
        ),
        (
            "a crawl after the baseline is taken",
            Fixture { activity: CrawlerActivity::NewCrawl, ..with_snapshot(waiting("x"), "y", true, Some("y")) },
            "await change",
            Phase::Running,
            Some("y"),
        ),
        (
            "a crawl after the baseline is not taken without coalescing",
            Fixture {
                activity: CrawlerActivity::NewCrawl,
                concurrency: own(),
                ..with_snapshot(waiting("x"), "y", true, Some("y"))
            },
            "await change",
            Phase::Waiting,
            None,
        ),
        (
            "a policy change to Attach reads the baseline at once",
            Fixture { concurrency: concurrency(Attach, true), ..waiting("x") },
            "read baseline",
            Phase::Waiting,
            None,
        ),
        (
            "a failed poll keeps the object waiting",
            Fixture { poll_problem: Some(problem(ErrorKind::Denied)), ..waiting("x") },
            "await change",
            Phase::Waiting,
            None,
        ),
    ];
    for (case, fixture, step, phase, id) in table {
        let plan = fixture.plan();
        assert_eq!((step_name(&plan), plan.status.phase.unwrap_or_default()), (step, phase), "{case}: {plan:#?}");
        assert_eq!(plan.status.attempt().and_then(|attempt| attempt.id.as_deref()), id, "{case}");
    }
}

#[test]
fn only_a_busy_crawler_is_waited_for() {
    let refused = |kind| {
        let outcome = Some(StartOutcome::Rejected(problem(kind)));
        let state = PassState { start: StartState { outcome, lookup: None }, ..PassState::default() };
        let plan = Fixture { concurrency: concurrency(Wait, false), state, ..open("x") }.plan();
        plan.status.attempt().and_then(|attempt| attempt.rejected_reason.clone())
    };
    assert_eq!(refused(ErrorKind::Busy).as_deref(), Some("CrawlerRunning"));
    assert_eq!(refused(ErrorKind::Throttled).as_deref(), Some("Throttled"));
}

#[test]
fn an_open_intent_is_settled_by_outcome_and_lookup() {
    let own = || concurrency(Wait, false);
    let found = || Lookup::Found(crawl("y"));
    let accepted = || Some(StartOutcome::Accepted);
    let after_accept = |fixture: Fixture| {
        let attempt = Attempt { accepted: true, ..intent_after("x") };
        fixture.with(Phase::Starting, attempt)
    };
    let table: Vec<(&str, Fixture, &str, Option<&str>, bool)> = vec![
        ("an intent without an outcome is looked up", open("x"), "look up", None, false),
        ("a newer crawl is its own", with_lookup(open("x"), found(), None), "await change", Some("y"), false),
        ("no crawl before the settle time", with_lookup(open("x"), not_found(1), None), "requeue", None, false),
        ("no crawl after the settle time", with_lookup(open("x"), not_found(60), None), "read baseline", None, false),
        (
            "an accepted start names no crawl",
            Fixture {
                state: PassState { start: StartState { outcome: accepted(), lookup: None }, ..PassState::default() },
                ..open("x")
            },
            "look up",
            None,
            false,
        ),
        ("an accepted start is found", with_lookup(open("x"), found(), accepted()), "await change", Some("y"), false),
        (
            "an accepted start is not forgotten",
            with_lookup(open("x"), not_found(60), accepted()),
            "backoff",
            None,
            false,
        ),
        ("however old it is", with_lookup(after_accept(open("x")), not_found(9999), None), "backoff", None, false),
        (
            "until its crawl is listed",
            with_lookup(after_accept(open("x")), found(), None),
            "await change",
            Some("y"),
            false,
        ),
        ("busy with a newer crawl", with_lookup(open("x"), found(), busy_error()), "await change", Some("y"), true),
        (
            "busy with a newer crawl, without coalescing",
            Fixture { concurrency: own(), ..with_lookup(open("x"), found(), busy_error()) },
            "await change",
            None,
            false,
        ),
        (
            "busy with an unlisted crawl",
            with_lookup(open("x"), not_found(0), busy_error()),
            "await change",
            None,
            false,
        ),
    ];
    for (case, fixture, step, id, adopted) in table {
        let plan = fixture.plan();
        let attempt = plan.status.attempt().expect("an attempt");
        assert_eq!(
            (step_name(&plan), attempt.id.as_deref(), attempt.adopted),
            (step, id, adopted),
            "{case}: {plan:#?}"
        );
    }
}

/// With coalescing the recorded baseline is kept; without it the baseline is replaced.
#[test]
fn the_intent_records_the_baseline() {
    for (coalesce, kept) in [(true, "x"), (false, "y")] {
        let fixture =
            Fixture { concurrency: concurrency(Wait, coalesce), activity: CrawlerActivity::Idle, ..waiting("x") }
                .with_finalizer();
        let plan = with_snapshot(fixture, "y", false, None).plan();
        assert_eq!(plan.step, Step::Call(Call::Start));
        let attempt = plan.status.attempt().expect("an intent");
        assert_eq!((attempt.baseline.as_ref(), attempt.is_open()), (Some(&newest(kept)), true), "{coalesce}");
    }
    let none = CrawlerSnapshot { busy: false, newest: Baseline::default(), live: None, next: None };
    let plan =
        Fixture { state: PassState { snapshot: Some(Ok(none)), ..PassState::default() }, ..object().with_finalizer() }
            .plan();
    let first = plan.status.attempt().and_then(|attempt| attempt.baseline.clone());
    assert_eq!(first, Some(Baseline::default()), "the baseline was read, and there was no crawl");
}

/// After an hour of waiting, `activeDeadlineSeconds` counts from the start.
#[test]
fn the_active_deadline_does_not_count_the_wait() {
    let policy = RunPolicy { active_deadline_seconds: Some(60), ..RunPolicy::default() };
    let fixture = Fixture { policy, now: 3600, activity: CrawlerActivity::Idle, ..waiting("x") }.with_finalizer();
    let plan = with_snapshot(fixture, "x", false, None).plan();
    assert_eq!(plan.step, Step::Call(Call::Start));
    assert_eq!(plan.status.attempt().map(|attempt| attempt.active_since.0), Some(at(3600)));
}

/// An object suspended while it waits reads a new baseline when it resumes: a crawl from before may have missed the
/// data it was suspended for.
#[test]
fn a_suspend_while_waiting_discards_the_baseline() {
    let suspended = |suspend| RunPolicy { suspend: Some(suspend), ..RunPolicy::default() };
    let paused = Fixture { policy: suspended(true), activity: CrawlerActivity::NewCrawl, ..waiting("x") }.plan();
    assert_eq!((step_name(&paused), paused.status.phase), ("await change", Some(Phase::Suspended)));
    let resumed = Fixture { policy: suspended(false), status: paused.status, ..object() };
    assert_eq!(resumed.plan().step, Step::Call(Call::ReadBaseline { recorded: None }));
    let plan = with_snapshot(resumed.with_finalizer(), "y", false, None).plan();
    assert_eq!(plan.status.attempt().and_then(|attempt| attempt.baseline.clone()), Some(newest("y")));
}

#[test]
fn deletion_stops_only_a_crawl_of_its_own_unless_the_policy_is_stop() {
    let crawling = |adopted| {
        let attempt = Attempt { id: Some("x".to_owned()), adopted, ..intent_after("w") };
        let fixture = object().with_finalizer().deleted().with(Phase::Running, attempt);
        Fixture { observation: Some(Observation::Present(crawl("x"))), ..fixture }
    };
    let stop = || RunPolicy { deletion_policy: Some(DeletionPolicy::Stop), ..RunPolicy::default() };
    let table = [
        ("its own crawl", crawling(false), "stop"),
        ("a crawl shared with other objects", Fixture { shared: true, ..crawling(false) }, "remove finalizer"),
        (
            "a shared crawl under policy Stop, which the last object stops",
            Fixture { shared: true, policy: stop(), ..crawling(false) },
            "remove finalizer",
        ),
        ("an adopted crawl", crawling(true), "remove finalizer"),
        ("an adopted crawl under policy Stop", Fixture { policy: stop(), ..crawling(true) }, "stop"),
        ("a waiting object has no crawl to stop", waiting("x").with_finalizer().deleted(), "remove finalizer"),
        (
            "an open start is looked up even when others wait",
            Fixture { shared: true, ..open("x").deleted() },
            "look up",
        ),
    ];
    for (case, fixture, step) in table {
        let plan = fixture.plan();
        assert_eq!(step_name(&plan), step, "{case}: {plan:#?}");
    }
}
