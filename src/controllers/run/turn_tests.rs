//! Turns at a crawler by tables. (By properties: `lives`; by every interleaving: `crawl_interleavings`.)

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::facts::{Answer, Learnt, Look, Observed, Sight, Stir, Survey, Turns};
use super::scene::{Scene, at, intent, nothing, observed, problem, word};
use super::step::{Act, Step};
use super::turn::CRAWLER_RUNNING;
use crate::api::crawler_run::OnAlreadyRunning::{self, Attach, Fail, Wait};
use crate::api::run::{Attempt, DeletionPolicy, Newest, Phase, RunPolicy};
use crate::glue::Class;

#[allow(clippy::unnecessary_wraps, reason = "as a scene has it")]
fn turns(on_already_running: OnAlreadyRunning, coalesce: bool) -> Option<Turns> {
    Some(Turns { on_already_running, coalesce })
}

fn newest(id: &str) -> Newest {
    Newest { id: Some(id.to_owned()), started_at: Some(Time(at(0))) }
}

fn crawl(id: &str) -> Observed {
    Observed { id: id.to_owned(), ..observed(Phase::Running) }
}

fn new() -> Scene {
    Scene { turns: turns(Wait, true), ..Scene::new() }
}

/// An intent with what was there before.
fn after(id: &str) -> Attempt {
    Attempt { after: Some(newest(id)), ..intent() }
}

fn waiting(id: &str) -> Scene {
    let record = Attempt { refused: Some(CRAWLER_RUNNING.to_owned()), ..after(id) };
    new().with(Phase::Waiting, record)
}

fn open(id: &str) -> Scene {
    new().held().with(Phase::Starting, after(id))
}

/// What was seen before the start: the newest crawl, whether it is under way, and the next after the record.
fn surveyed(scene: Scene, newest_id: &str, busy: bool, next: Option<&str>) -> Scene {
    let survey =
        Survey::Seen { busy, newest: newest(newest_id), live: busy.then(|| crawl(newest_id)), next: next.map(crawl) };
    Scene { learnt: Learnt { survey: Some(survey), ..scene.learnt.clone() }, ..scene }
}

fn looked(scene: Scene, look: Look, answer: Option<Answer>) -> Scene {
    Scene { learnt: Learnt { look: Some(look), answer, ..scene.learnt.clone() }, ..scene }
}

#[allow(clippy::unnecessary_wraps, reason = "as a pass has it")]
fn busy_no() -> Option<Answer> {
    Some(Answer::Refused(problem(Class::Busy)))
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn the_turn_of_an_object() {
    let own = || turns(Wait, false);
    let unlisted = Survey::Seen { busy: true, newest: newest("x"), live: None, next: None };
    let blind = Survey::Failed(problem(Class::Denied));
    let survey = |survey: &Survey| Learnt { survey: Some(survey.clone()), ..Learnt::default() };
    // What there is, what is asked for, the phase, and the crawl that is taken.
    let table: Vec<(&str, Scene, &str, Phase, Option<&str>)> = vec![
        ("what is there is asked for first", new(), "survey", Phase::Pending, None),
        ("and not without the lease", Scene { leading: false, ..new() }, "rest", Phase::Pending, None),
        ("age tells of no earlier life: there is no key", Scene { now: 3600, ..new() }, "survey", Phase::Pending, None),
        ("nothing is done blindly", Scene { learnt: survey(&blind), ..new() }, "retry", Phase::Pending, None),
        ("it is free", surveyed(new(), "x", false, None), "hold", Phase::Pending, None),
        ("it is free and held", surveyed(new().held(), "x", false, None), "start", Phase::Starting, None),
        ("it is busy", surveyed(new(), "x", true, None), "rest", Phase::Waiting, None),
        (
            "attached",
            Scene { turns: turns(Attach, true), ..surveyed(new(), "x", true, None) },
            "rest",
            Phase::Running,
            Some("x"),
        ),
        ("fails", Scene { turns: turns(Fail, true), ..surveyed(new(), "x", true, None) }, "rest", Phase::Failed, None),
        (
            "busy with what is not listed yet",
            Scene { learnt: survey(&unlisted), ..new() },
            "rest for a while",
            Phase::Waiting,
            None,
        ),
        (
            "which nobody attaches to",
            Scene { turns: turns(Attach, true), learnt: survey(&unlisted), ..new() },
            "rest for a while",
            Phase::Waiting,
            None,
        ),
        (
            "who would attach does so from any place in the line",
            Scene { behind: true, turns: turns(Attach, false), ..surveyed(new(), "x", true, None) },
            "rest",
            Phase::Running,
            Some("x"),
        ),
        (
            "who would not wait does not",
            Scene { behind: true, turns: turns(Fail, false), ..surveyed(new(), "x", true, None) },
            "rest",
            Phase::Failed,
            None,
        ),
        ("who is behind asks as well", Scene { behind: true, ..new() }, "survey", Phase::Pending, None),
        (
            "and waits on record",
            Scene { behind: true, ..surveyed(new(), "x", false, None) },
            "rest",
            Phase::Waiting,
            None,
        ),
        ("but not for a crawl of its own", Scene { behind: true, turns: own(), ..new() }, "rest", Phase::Waiting, None),
        ("who waits asks nobody", waiting("x"), "rest", Phase::Waiting, None),
        ("until it is free", Scene { stir: Stir::Free, ..waiting("x") }, "survey", Phase::Waiting, None),
        ("and it is its turn", Scene { stir: Stir::Free, behind: true, ..waiting("x") }, "rest", Phase::Waiting, None),
        (
            "or another crawl began, which may serve all",
            Scene { stir: Stir::Another, behind: true, ..waiting("x") },
            "survey",
            Phase::Waiting,
            None,
        ),
        (
            "who share",
            Scene { stir: Stir::Another, behind: true, turns: own(), ..waiting("x") },
            "rest",
            Phase::Waiting,
            None,
        ),
        (
            "a crawl that began meanwhile is taken",
            Scene { stir: Stir::Another, ..surveyed(waiting("x"), "y", true, Some("y")) },
            "rest",
            Phase::Running,
            Some("y"),
        ),
        (
            "but not by who wants its own",
            Scene { stir: Stir::Another, turns: own(), ..surveyed(waiting("x"), "y", true, Some("y")) },
            "rest",
            Phase::Waiting,
            None,
        ),
        (
            "who changes its mind asks at once",
            Scene { turns: turns(Attach, true), ..waiting("x") },
            "survey",
            Phase::Waiting,
            None,
        ),
        (
            "polls that fail are told",
            Scene { poll_problem: Some(problem(Class::Denied)), ..waiting("x") },
            "rest",
            Phase::Waiting,
            None,
        ),
    ];
    for (what, scene, step, phase, id) in table {
        let plan = scene.plan();
        assert_eq!((word(&plan), plan.status.phase.unwrap_or_default()), (step, phase), "{what}: {plan:#?}");
        assert_eq!(plan.status.attempt().and_then(|attempt| attempt.id.as_deref()), id, "{what}");
    }
}

#[test]
fn what_an_open_intent_leads_to() {
    let own = || turns(Wait, false);
    let found = || Look::Found(crawl("y"));
    let yes = || Some(Answer::Accepted);
    let accepted = |scene: Scene| {
        let attempt = Attempt { accepted: true, ..after("x") };
        scene.with(Phase::Starting, attempt)
    };
    let table: Vec<(&str, Scene, &str, Option<&str>, bool)> = vec![
        ("nobody knows whether it was sent", open("x"), "look", None, false),
        ("a newer one is its own", looked(open("x"), found(), None), "rest", Some("y"), false),
        ("nothing yet", looked(open("x"), nothing(1), None), "rest for a while", None, false),
        ("nothing for good", looked(open("x"), nothing(60), None), "survey", None, false),
        (
            "a yes names no crawl",
            Scene { learnt: Learnt { answer: yes(), ..Learnt::default() }, ..open("x") },
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
            Scene { turns: own(), ..looked(open("x"), found(), busy_no()) },
            "rest",
            None,
            false,
        ),
        ("busy with one that does not show", looked(open("x"), nothing(0), busy_no()), "rest", None, false),
    ];
    for (what, scene, step, id, adopted) in table {
        let plan = scene.plan();
        let attempt = plan.status.attempt().expect("an attempt");
        assert_eq!((word(&plan), attempt.id.as_deref(), attempt.adopted), (step, id, adopted), "{what}: {plan:#?}");
    }
}

/// What is on record is kept by who shares, and renewed by who wants a crawl of its own.
#[test]
fn what_was_there_before_stands_in_the_intent() {
    for (coalesce, kept) in [(true, "x"), (false, "y")] {
        let scene = Scene { turns: turns(Wait, coalesce), stir: Stir::Free, ..waiting("x") }.held();
        let plan = surveyed(scene, "y", false, None).plan();
        assert_eq!(plan.step, Step::Act(Act::Start));
        let attempt = plan.status.attempt().expect("an intent");
        assert_eq!((attempt.after.as_ref(), attempt.is_open()), (Some(&newest(kept)), true), "{coalesce}");
    }
    let none = Survey::Seen { busy: false, newest: Newest::default(), live: None, next: None };
    let plan = Scene { learnt: Learnt { survey: Some(none), ..Learnt::default() }, ..new().held() }.plan();
    let first = plan.status.attempt().and_then(|attempt| attempt.after.clone());
    assert_eq!(first, Some(Newest::default()), "somebody has looked, and there was none");
}

/// An object waits for an hour; what it may take counts from its start.
#[test]
fn waiting_is_not_counted_as_running() {
    let policy = RunPolicy { active_deadline_seconds: Some(60), ..RunPolicy::default() };
    let scene = Scene { policy, now: 3600, stir: Stir::Free, ..waiting("x") }.held();
    let plan = surveyed(scene, "x", false, None).plan();
    assert_eq!(plan.step, Step::Act(Act::Start));
    assert_eq!(plan.status.attempt().map(|attempt| attempt.active_since.0), Some(at(3600)));
}

/// Who was held back while it waited asks anew what is there: a crawl of that time may have missed what it was
/// held back for.
#[test]
fn who_is_held_back_forgets_what_it_waited_for() {
    let suspended = |suspend| RunPolicy { suspend: Some(suspend), ..RunPolicy::default() };
    let held = Scene { policy: suspended(true), stir: Stir::Another, ..waiting("x") }.plan();
    assert_eq!((word(&held), held.status.phase), ("rest", Some(Phase::Suspended)));
    let released = Scene { policy: suspended(false), status: held.status, ..new() };
    assert_eq!(released.plan().step, Step::Act(Act::Survey { after: None }));
    let plan = surveyed(released.held(), "y", false, None).plan();
    assert_eq!(plan.status.attempt().and_then(|attempt| attempt.after.clone()), Some(newest("y")));
}

#[test]
fn deletion_leaves_what_is_not_its_own() {
    let crawling = |adopted| {
        let attempt = Attempt { id: Some("x".to_owned()), adopted, ..after("w") };
        let scene = new().held().deleted().with(Phase::Running, attempt);
        Scene { sight: Some(Sight::Here(crawl("x"))), ..scene }
    };
    let stop = || RunPolicy { deletion_policy: Some(DeletionPolicy::Stop), ..RunPolicy::default() };
    let table = [
        ("its own", crawling(false), "stop"),
        ("one that serves others too", Scene { shared: true, ..crawling(false) }, "release"),
        ("even that, where it is said", Scene { shared: true, policy: stop(), ..crawling(false) }, "stop"),
        ("somebody else's", crawling(true), "release"),
        ("even that, where it is said", Scene { policy: stop(), ..crawling(true) }, "stop"),
        ("who waits has nothing to stop", waiting("x").held().deleted(), "release"),
        ("an open start is looked for, whoever else waits", Scene { shared: true, ..open("x").deleted() }, "look"),
    ];
    for (what, scene, step) in table {
        let plan = scene.plan();
        assert_eq!(word(&plan), step, "{what}: {plan:#?}");
    }
}
