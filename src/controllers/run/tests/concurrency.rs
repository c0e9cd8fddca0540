//! ConcurrencyPolicy at a crawler by tables. (By properties: `lives`; by every interleaving: `crawl_interleavings`.)

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::fixture::{Fixture, at, intent, nothing, observed, problem, word};
use crate::api::crawler_run::OnAlreadyRunning::{self, Attach, Fail, Wait};
use crate::api::run::{Attempt, Baseline, DeletionPolicy, Phase, RunPolicy};
use crate::controllers::run::calls::{Call, Step};
use crate::controllers::run::facts::{
    ConcurrencyPolicy, CrawlerActivity, CrawlerSnapshot, Observation, ObservedRun, PassState,
};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome, StartState};
use crate::glue::ErrorKind;

#[allow(clippy::unnecessary_wraps, reason = "as a fixture has it")]
fn concurrency(on_already_running: OnAlreadyRunning, coalesce: bool) -> Option<ConcurrencyPolicy> {
    Some(ConcurrencyPolicy { on_already_running, coalesce })
}

fn newest(id: &str) -> Baseline {
    Baseline { id: Some(id.to_owned()), started_at: Some(Time(at(0))) }
}

fn crawl(id: &str) -> ObservedRun {
    ObservedRun { id: id.to_owned(), ..observed(Phase::Running) }
}

fn new() -> Fixture {
    Fixture { concurrency: concurrency(Wait, true), ..Fixture::new() }
}

/// An intent with what was there before.
fn after(id: &str) -> Attempt {
    Attempt { baseline: Some(newest(id)), ..intent() }
}

fn waiting(id: &str) -> Fixture {
    let record = Attempt { rejected_reason: Some("CrawlerRunning".to_owned()), ..after(id) };
    new().with(Phase::Waiting, record)
}

fn open(id: &str) -> Fixture {
    new().held().with(Phase::Starting, after(id))
}

/// What was seen before the start: the newest crawl, whether it is under way, and the next after the record.
fn baseline_read(fixture: Fixture, newest_id: &str, busy: bool, next: Option<&str>) -> Fixture {
    let snapshot = CrawlerSnapshot {
        busy,
        newest: newest(newest_id),
        live: busy.then(|| crawl(newest_id)),
        next: next.map(crawl),
    };
    Fixture { state: PassState { snapshot: Some(Ok(snapshot)), ..fixture.state.clone() }, ..fixture }
}

fn looked(fixture: Fixture, lookup: Lookup<ObservedRun>, outcome: Option<StartOutcome>) -> Fixture {
    Fixture {
        state: PassState { start: StartState { outcome, lookup: Some(lookup) }, ..fixture.state.clone() },
        ..fixture
    }
}

#[allow(clippy::unnecessary_wraps, reason = "as a pass has it")]
fn busy_no() -> Option<StartOutcome> {
    Some(StartOutcome::Rejected(problem(ErrorKind::Busy)))
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn the_turn_of_an_object() {
    let own = || concurrency(Wait, false);
    let unlisted = Ok(CrawlerSnapshot { busy: true, newest: newest("x"), live: None, next: None });
    let blind = Err(problem(ErrorKind::Denied));
    let read = |snapshot: &Result<CrawlerSnapshot<ObservedRun>, Problem>| PassState {
        snapshot: Some(snapshot.clone()),
        ..PassState::default()
    };
    // What there is, what is asked for, the phase, and the crawl that is taken.
    let table: Vec<(&str, Fixture, &str, Phase, Option<&str>)> = vec![
        ("what is there is asked for first", new(), "read_baseline", Phase::Pending, None),
        ("and not without the lease", Fixture { leading: false, ..new() }, "rest", Phase::Pending, None),
        (
            "age tells of no earlier life: there is no key",
            Fixture { now: 3600, ..new() },
            "read_baseline",
            Phase::Pending,
            None,
        ),
        ("nothing is done blindly", Fixture { state: read(&blind), ..new() }, "retry", Phase::Pending, None),
        ("it is free", baseline_read(new(), "x", false, None), "hold", Phase::Pending, None),
        ("it is free and held", baseline_read(new().held(), "x", false, None), "start", Phase::Starting, None),
        ("it is busy", baseline_read(new(), "x", true, None), "rest", Phase::Waiting, None),
        (
            "attached",
            Fixture { concurrency: concurrency(Attach, true), ..baseline_read(new(), "x", true, None) },
            "rest",
            Phase::Running,
            Some("x"),
        ),
        (
            "fails",
            Fixture { concurrency: concurrency(Fail, true), ..baseline_read(new(), "x", true, None) },
            "rest",
            Phase::Failed,
            None,
        ),
        (
            "busy with what is not listed yet",
            Fixture { state: read(&unlisted), ..new() },
            "rest for a while",
            Phase::Waiting,
            None,
        ),
        (
            "which nobody attaches to",
            Fixture { concurrency: concurrency(Attach, true), state: read(&unlisted), ..new() },
            "rest for a while",
            Phase::Waiting,
            None,
        ),
        (
            "who would attach does so from any place in the line",
            Fixture { behind: true, concurrency: concurrency(Attach, false), ..baseline_read(new(), "x", true, None) },
            "rest",
            Phase::Running,
            Some("x"),
        ),
        (
            "who would not wait does not",
            Fixture { behind: true, concurrency: concurrency(Fail, false), ..baseline_read(new(), "x", true, None) },
            "rest",
            Phase::Failed,
            None,
        ),
        ("who is behind asks as well", Fixture { behind: true, ..new() }, "read_baseline", Phase::Pending, None),
        (
            "and waits on record",
            Fixture { behind: true, ..baseline_read(new(), "x", false, None) },
            "rest",
            Phase::Waiting,
            None,
        ),
        (
            "but not for a crawl of its own",
            Fixture { behind: true, concurrency: own(), ..new() },
            "rest",
            Phase::Waiting,
            None,
        ),
        ("who waits asks nobody", waiting("x"), "rest", Phase::Waiting, None),
        (
            "until it is free",
            Fixture { activity: CrawlerActivity::Idle, ..waiting("x") },
            "read_baseline",
            Phase::Waiting,
            None,
        ),
        (
            "and it is its turn",
            Fixture { activity: CrawlerActivity::Idle, behind: true, ..waiting("x") },
            "rest",
            Phase::Waiting,
            None,
        ),
        (
            "or another crawl began, which may serve all",
            Fixture { activity: CrawlerActivity::NewCrawl, behind: true, ..waiting("x") },
            "read_baseline",
            Phase::Waiting,
            None,
        ),
        (
            "who share",
            Fixture { activity: CrawlerActivity::NewCrawl, behind: true, concurrency: own(), ..waiting("x") },
            "rest",
            Phase::Waiting,
            None,
        ),
        (
            "a crawl that began meanwhile is taken",
            Fixture { activity: CrawlerActivity::NewCrawl, ..baseline_read(waiting("x"), "y", true, Some("y")) },
            "rest",
            Phase::Running,
            Some("y"),
        ),
        (
            "but not by who wants its own",
            Fixture {
                activity: CrawlerActivity::NewCrawl,
                concurrency: own(),
                ..baseline_read(waiting("x"), "y", true, Some("y"))
            },
            "rest",
            Phase::Waiting,
            None,
        ),
        (
            "who changes its mind asks at once",
            Fixture { concurrency: concurrency(Attach, true), ..waiting("x") },
            "read_baseline",
            Phase::Waiting,
            None,
        ),
        (
            "polls that fail are told",
            Fixture { poll_problem: Some(problem(ErrorKind::Denied)), ..waiting("x") },
            "rest",
            Phase::Waiting,
            None,
        ),
    ];
    for (what, fixture, step, phase, id) in table {
        let plan = fixture.plan();
        assert_eq!((word(&plan), plan.status.phase.unwrap_or_default()), (step, phase), "{what}: {plan:#?}");
        assert_eq!(plan.status.attempt().and_then(|attempt| attempt.id.as_deref()), id, "{what}");
    }
}

#[test]
fn what_an_open_intent_leads_to() {
    let own = || concurrency(Wait, false);
    let found = || Lookup::Found(crawl("y"));
    let yes = || Some(StartOutcome::Accepted);
    let accepted = |fixture: Fixture| {
        let attempt = Attempt { accepted: true, ..after("x") };
        fixture.with(Phase::Starting, attempt)
    };
    let table: Vec<(&str, Fixture, &str, Option<&str>, bool)> = vec![
        ("nobody knows whether it was sent", open("x"), "look", None, false),
        ("a newer one is its own", looked(open("x"), found(), None), "rest", Some("y"), false),
        ("nothing yet", looked(open("x"), nothing(1), None), "rest for a while", None, false),
        ("nothing for good", looked(open("x"), nothing(60), None), "read_baseline", None, false),
        (
            "a yes names no crawl",
            Fixture {
                state: PassState { start: StartState { outcome: yes(), lookup: None }, ..PassState::default() },
                ..open("x")
            },
            "look",
            None,
            false,
        ),
        ("it shows", looked(open("x"), found(), yes()), "rest", Some("y"), false),
        ("it does not: the yes is kept", looked(open("x"), nothing(60), yes()), "retry", None, false),
        ("for ever", looked(accepted(open("x")), nothing(9999), None), "retry", None, false),
        ("until it shows", looked(accepted(open("x")), found(), None), "rest", Some("y"), false),
        ("busy with one that began in time", looked(open("x"), found(), busy_no()), "rest", Some("y"), true),
        (
            "which is not for who wants its own",
            Fixture { concurrency: own(), ..looked(open("x"), found(), busy_no()) },
            "rest",
            None,
            false,
        ),
        ("busy with one that does not show", looked(open("x"), nothing(0), busy_no()), "rest", None, false),
    ];
    for (what, fixture, step, id, adopted) in table {
        let plan = fixture.plan();
        let attempt = plan.status.attempt().expect("an attempt");
        assert_eq!((word(&plan), attempt.id.as_deref(), attempt.adopted), (step, id, adopted), "{what}: {plan:#?}");
    }
}

/// What is on record is kept by who shares, and renewed by who wants a crawl of its own.
#[test]
fn what_was_there_before_stands_in_the_intent() {
    for (coalesce, kept) in [(true, "x"), (false, "y")] {
        let fixture =
            Fixture { concurrency: concurrency(Wait, coalesce), activity: CrawlerActivity::Idle, ..waiting("x") }
                .held();
        let plan = baseline_read(fixture, "y", false, None).plan();
        assert_eq!(plan.step, Step::Call(Call::Start));
        let attempt = plan.status.attempt().expect("an intent");
        assert_eq!((attempt.baseline.as_ref(), attempt.is_open()), (Some(&newest(kept)), true), "{coalesce}");
    }
    let none = CrawlerSnapshot { busy: false, newest: Baseline::default(), live: None, next: None };
    let plan = Fixture { state: PassState { snapshot: Some(Ok(none)), ..PassState::default() }, ..new().held() }.plan();
    let first = plan.status.attempt().and_then(|attempt| attempt.baseline.clone());
    assert_eq!(first, Some(Baseline::default()), "somebody has looked, and there was none");
}

/// An object waits for an hour; what it may take counts from its start.
#[test]
fn waiting_is_not_counted_as_running() {
    let policy = RunPolicy { active_deadline_seconds: Some(60), ..RunPolicy::default() };
    let fixture = Fixture { policy, now: 3600, activity: CrawlerActivity::Idle, ..waiting("x") }.held();
    let plan = baseline_read(fixture, "x", false, None).plan();
    assert_eq!(plan.step, Step::Call(Call::Start));
    assert_eq!(plan.status.attempt().map(|attempt| attempt.active_since.0), Some(at(3600)));
}

/// Who was held back while it waited asks anew what is there: a crawl of that time may have missed what it was
/// held back for.
#[test]
fn who_is_held_back_forgets_what_it_waited_for() {
    let suspended = |suspend| RunPolicy { suspend: Some(suspend), ..RunPolicy::default() };
    let held = Fixture { policy: suspended(true), activity: CrawlerActivity::NewCrawl, ..waiting("x") }.plan();
    assert_eq!((word(&held), held.status.phase), ("rest", Some(Phase::Suspended)));
    let released = Fixture { policy: suspended(false), status: held.status, ..new() };
    assert_eq!(released.plan().step, Step::Call(Call::ReadBaseline { recorded: None }));
    let plan = baseline_read(released.held(), "y", false, None).plan();
    assert_eq!(plan.status.attempt().and_then(|attempt| attempt.baseline.clone()), Some(newest("y")));
}

#[test]
fn deletion_leaves_what_is_not_its_own() {
    let crawling = |adopted| {
        let attempt = Attempt { id: Some("x".to_owned()), adopted, ..after("w") };
        let fixture = new().held().deleted().with(Phase::Running, attempt);
        Fixture { observation: Some(Observation::Present(crawl("x"))), ..fixture }
    };
    let stop = || RunPolicy { deletion_policy: Some(DeletionPolicy::Stop), ..RunPolicy::default() };
    let table = [
        ("its own", crawling(false), "stop"),
        ("one that serves others too", Fixture { shared: true, ..crawling(false) }, "release"),
        ("even that, where it is said", Fixture { shared: true, policy: stop(), ..crawling(false) }, "stop"),
        ("somebody else's", crawling(true), "release"),
        ("even that, where it is said", Fixture { policy: stop(), ..crawling(true) }, "stop"),
        ("who waits has nothing to stop", waiting("x").held().deleted(), "release"),
        ("an open start is looked for, whoever else waits", Fixture { shared: true, ..open("x").deleted() }, "look"),
    ];
    for (what, fixture, step) in table {
        let plan = fixture.plan();
        assert_eq!(word(&plan), step, "{what}: {plan:#?}");
    }
}
