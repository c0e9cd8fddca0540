//! Firing by tables: which values are new, and what becomes of each. (What can go wrong: `interleavings`.)

use std::time::Duration;

use super::memory::{Act, Answer, Found, Learnt, MARK, Survey};
use super::plan_tests::{Scene, job, newest, problem, ready, types};
use crate::api::trigger::{Activation, Firing, Started};
use crate::controllers::step::{Plan, Step};
use crate::glue::Class;
use crate::glue::poller::Sight;
use crate::glue::trigger_source::TriggerItem;
use crate::glue::triggers::{RunSeen, TriggerState, TriggerType};

fn started(id: &str, state: &str, ended: bool) -> Started {
    Started { target: job(), id: id.to_owned(), state: Some(state.to_owned()), ended }
}

/// What is known of an object's past, where `fireOnCreation` asks for it.
#[derive(Clone, Copy, PartialEq)]
enum Past {
    /// `fireOnCreation` does not ask.
    Whatever,
    /// This process saw it come to be.
    Born,
    /// Nobody saw it come to be.
    Unseen,
    /// It was restored, or its status lost.
    Lived,
}

/// Which values of fire wait to be fired, after the object was seen so: observed generation and the value taken
/// last, what the watch has shown, and what stands there now.
#[test]
fn which_values_are_new() {
    use Past::{Born, Lived, Unseen, Whatever};
    const A: Option<&str> = Some("a");
    const B: Option<&str> = Some("b");
    let cases: [(_, _, _, &[_], _, &[&str]); 13] = [
        ("no value", Born, (-1, None), &[], (1, None), &[]),
        ("there from the beginning", Whatever, (-1, None), &[], (1, A), &[]),
        ("fired on creation", Born, (-1, None), &[], (1, A), &["a"]),
        ("created, and nobody saw it", Unseen, (-1, None), &[], (1, A), &["a"]),
        ("restored, or its status lost", Lived, (-1, None), &[], (1, A), &[]),
        ("the same, and more had been seen of it", Lived, (-1, None), &[(1, A), (2, B)], (3, A), &[]),
        ("a new value", Whatever, (1, None), &[], (2, A), &["a"]),
        ("the same value", Whatever, (1, A), &[], (2, A), &[]),
        ("taken away", Whatever, (1, A), &[], (2, None), &[]),
        ("two within a moment", Whatever, (1, None), &[(1, None), (2, A), (3, B)], (3, B), &["a", "b"]),
        ("there and back again", Whatever, (1, A), &[(2, B)], (3, A), &["b", "a"]),
        ("replaced before anybody decided", Whatever, (-1, None), &[(1, A), (2, B)], (2, B), &["b"]),
        ("nothing but another field", Whatever, (3, A), &[], (3, A), &[]),
    ];
    for (what, past, (observed, taken), seen, (generation, now), waits) in cases {
        let scene = Scene::on_demand().spec(|spec| {
            spec.fire = now.map(str::to_owned);
            spec.fire_on_creation = Some(past != Whatever);
        });
        let mut scene = scene.status(|status| {
            status.declared.observed_generation = observed;
            status.taken_fire = taken.map(str::to_owned);
        });
        scene.object.metadata.generation = Some(generation);
        scene.learnt.seen = seen.iter().map(|(at, value)| (*at, value.map(str::to_owned))).collect();
        scene.learnt.born = past == Born;
        scene.learnt.lived = past == Lived;
        // Held up, so that what waits is written down.
        scene.blocked = Some(problem(Class::Denied));
        let status = scene.plan().status;
        assert_eq!(status.waiting_fires, waits, "{what}");
        assert_eq!(status.unproven, past == Unseen && !waits.is_empty(), "{what}");
    }
}

/// The newest value always has a place, and what lost its own is counted.
#[test]
fn a_hundred_values_wait_and_the_newest_is_among_them() {
    let values: Vec<_> = (0..150).map(|day| format!("day-{day}")).collect();
    let mut scene = Scene::on_demand().status(|status| status.declared.observed_generation = 1);
    scene.object.spec.fire = values.last().cloned();
    scene.object.metadata.generation = Some(151);
    scene.learnt.seen = values.iter().zip(2..).map(|(value, at)| (at, Some(value.clone()))).collect();
    scene.blocked = Some(problem(Class::Denied));
    let status = scene.plan().status;
    assert_eq!(status.waiting_fires[..99], values[..99]);
    assert_eq!((status.waiting_fires.len(), status.waiting_fires.last()), (100, values.last()));
    assert_eq!((status.dropped_fires, status.taken_fire.as_ref()), (50, values.last()));
}

/// An object whose value `a` is new.
pub(super) fn wants_a() -> Scene {
    let mut scene = Scene::on_demand().spec(|spec| spec.fire = Some("a".to_owned()));
    scene = scene.status(|status| status.declared.observed_generation = 1);
    scene.object.metadata.generation = Some(2);
    scene
}

fn surveyed(scene: Scene, ever: bool) -> Scene {
    let survey = Survey { newest: newest(Some("jr_0")), ever };
    Scene { learnt: Learnt { survey: Some(Ok(survey)), ..scene.learnt }, ..scene }
}

#[test]
fn a_value_is_fired_once_what_was_there_before_stands_in_its_intent() {
    let (scene, step) = wants_a().settled();
    assert_eq!(step, Step::Act(Act::Survey { targets: vec![job()], history: false }));
    assert_eq!(scene.object.status.as_ref().expect("a status").last_firing, None, "nothing is written before the look");
    let failed =
        Scene { learnt: Learnt { survey: Some(Err(problem(Class::Denied))), ..Learnt::default() }, ..scene.clone() };
    let (after, step) = failed.settled();
    assert_eq!((ready(&after.object.status.expect("a status")).0, step), ("AccessDenied", Step::Retry));

    let Plan { status, step } = surveyed(scene, false).plan();
    assert_eq!(step, Step::Act(Act::Fire));
    assert!(super::kind::intends(None, &status));
    let firing = status.last_firing.as_ref().expect("an intent");
    assert_eq!((firing.value.as_str(), firing.before.clone(), firing.is_open()), ("a", newest(Some("jr_0")), true));
    assert_eq!((ready(&status), status.waiting_fires.len()), (("Firing", false), 0));

    let mut scene = wants_a();
    scene.object.status = Some(status);
    let (fresh, step) = Scene { fresh_intent: true, ..scene.clone() }.settled();
    assert_eq!(step, Step::Act(Act::Fire));
    assert!(!super::kind::intends(scene.object.status.as_ref(), fresh.object.status.as_ref().expect("a status")));
    assert_eq!(scene.settled().1, Step::Act(Act::Look(newest(Some("jr_0")))), "not of this pass: look first");
}

/// The intent to fire `a` stands; this came of it.
fn intended() -> Scene {
    let mut scene = wants_a();
    scene.object.status = Some(surveyed(wants_a(), false).plan().status);
    scene
}

#[test]
fn what_becomes_of_an_open_intent() {
    let answered = |answer| Learnt { answer: Some((0, answer)), sent: true, ..Learnt::default() };
    let found = |started: Vec<Started>, known_for: u64| Learnt {
        found: Some((0, Ok(Found { started, known_for: Duration::from_secs(known_for) }))),
        ..Learnt::default()
    };
    let live = || vec![started("jr_1", "RUNNING", false)];
    for (what, learnt, reason, step) in [
        ("fired", answered(Answer::Fired), "Fired", Step::Act(Act::Look(newest(Some("jr_0"))))),
        (
            "refused",
            answered(Answer::Refused(problem(Class::Busy))),
            "ConcurrentRunsExceeded",
            Step::Rest(Some(Duration::ZERO)),
        ),
        ("unclear", answered(Answer::Unclear), "Firing", Step::Act(Act::Look(newest(Some("jr_0"))))),
        ("found", found(live(), 1), "Fired", Step::Rest(None)),
        ("nothing found yet", found(vec![], 1), "AnswerUnclear", Step::Rest(Some(Duration::from_secs(5)))),
        (
            "nothing found for long enough",
            found(vec![], 60),
            "Firing",
            Step::Act(Act::Survey { targets: vec![job()], history: false }),
        ),
        (
            "not to be asked",
            Learnt { found: Some((0, Err(problem(Class::Denied)))), ..Learnt::default() },
            "AccessDenied",
            Step::Retry,
        ),
        (
            "an answer to another intent",
            Learnt { answer: Some((7, Answer::Fired)), ..Learnt::default() },
            "Firing",
            Step::Act(Act::Look(newest(Some("jr_0")))),
        ),
    ] {
        let (after, taken) = Scene { learnt, ..intended() }.settled();
        let status = after.object.status.expect("a status");
        assert_eq!((ready(&status).0, &taken), (reason, &step), "{what}");
        assert_eq!(status.taken_fire.as_deref(), Some("a"), "{what}");
    }
}

#[test]
fn the_next_value_waits_until_what_this_one_started_is_known() {
    let scene = intended().status(|status| status.waiting_fires = vec!["b".to_owned()]);
    let found = |started: Vec<Started>| Learnt {
        answer: Some((0, Answer::Fired)),
        found: Some((0, Ok(Found { started, known_for: Duration::ZERO }))),
        ..Learnt::default()
    };
    let (after, step) = Scene { learnt: found(vec![]), ..scene.clone() }.settled();
    let status = after.object.status.expect("a status");
    assert_eq!((ready(&status), step), (("Fired", false), Step::Rest(Some(Duration::from_secs(5)))));
    assert_eq!(status.waiting_fires, ["b"]);

    let (after, step) = Scene { learnt: found(vec![started("jr_1", "RUNNING", false)]), ..scene }.settled();
    let status = after.object.status.clone().expect("a status");
    assert_eq!(step, Step::Act(Act::Survey { targets: vec![job()], history: false }));
    let first = status.last_firing.expect("a firing");
    assert_eq!((first.traced, first.before.len(), first.started.len()), (true, 0, 1));
    let survey = Survey { newest: newest(Some("jr_1")), ever: false };
    let next = Scene { learnt: Learnt { survey: Some(Ok(survey)), ..Learnt::default() }, ..after.clone() };
    let status = next.plan().status;
    assert_eq!(status.last_firing.as_ref().map(|last| (last.number, last.value.as_str())), Some((1, "b")));
    assert_eq!(status.earlier_firings.len(), 1);
    let sent = Scene { learnt: Learnt { sent: true, ..Learnt::default() }, ..after };
    assert_eq!(sent.settled().1, Step::Rest(Some(Duration::ZERO)), "one pass sends one firing");
}

#[test]
fn what_a_firing_started_is_followed_until_it_ends() {
    let done = Learnt {
        answer: Some((0, Answer::Fired)),
        found: Some((0, Ok(Found { started: vec![started("jr_1", "RUNNING", false)], known_for: Duration::ZERO }))),
        ..Learnt::default()
    };
    let (scene, _) = Scene { learnt: done, ..intended() }.settled();
    let scene = Scene { learnt: Learnt::default(), ..scene };
    let run = |state: &str, ended| {
        let run = RunSeen { id: "jr_1".to_owned(), state: state.to_owned(), ended, is_triggered: true };
        vec![("jr_1".to_owned(), Sight::Here(TriggerItem::Run(run)))]
    };
    for (also, reason, ended) in [
        (vec![], "Fired", false),
        (run("RUNNING", false), "Fired", false),
        (run("SUCCEEDED", true), "Completed", true),
        (run("FAILED", true), "CompletedWithFailures", true),
    ] {
        let (after, step) = Scene { also, ..scene.clone() }.settled();
        let status = after.object.status.expect("a status");
        assert_eq!((ready(&status), step), ((reason, true), Step::Rest(None)));
        let firing: Firing = status.last_firing.expect("a firing");
        assert_eq!((firing.ended_at.is_some(), firing.started[0].ended), (ended, ended));
    }
    let gone = vec![("jr_1".to_owned(), Sight::Gone)];
    let late = Scene { also: gone.clone(), now: 100, ..scene.clone() };
    assert!(late.settled().0.object.status.expect("a status").last_firing.expect("a firing").ended_at.is_some());
    let early = Scene { also: gone, ..scene };
    assert!(early.settled().0.object.status.expect("a status").last_firing.expect("a firing").ended_at.is_none());
}

/// Without evidence that the object is new, its first value fires only when the trigger has never started anything.
#[test]
fn an_unproven_value_is_fired_only_where_nothing_was_ever_started() {
    let scene = Scene::on_demand().spec(|spec| {
        spec.fire = Some("a".to_owned());
        spec.fire_on_creation = Some(true);
    });
    let (scene, step) = scene.settled();
    assert_eq!(step, Step::Act(Act::Survey { targets: vec![job()], history: true }));
    assert_eq!(surveyed(scene.clone(), false).plan().step, Step::Act(Act::Fire));
    let (after, step) = surveyed(scene, true).settled();
    let status = after.object.status.as_ref().expect("a status");
    assert_eq!((ready(status), &status.last_firing, status.unproven), (("NotFired", true), &None, false));
    assert_eq!(step, Step::Mark(MARK));
}

#[test]
fn what_does_not_fit_the_type_is_said_and_nothing_is_done() {
    let fire = Scene::scheduled(TriggerState::Deactivated).spec(|spec| spec.fire = Some("a".to_owned()));
    let state = Scene::on_demand().spec(|spec| spec.state = Some(Activation::Deactivated));
    let type_ = Scene::new(TriggerType::Unknown("NEW".to_owned()), TriggerState::Created);
    for (scene, reason) in [(fire, "NotOnDemand"), (state, "HasNoState"), (type_, "TypeUnknown")] {
        let (after, step) = scene.settled();
        let status = after.object.status.expect("a status");
        assert_eq!((ready(&status), step), ((reason, false), Step::Rest(None)));
        assert_eq!(types(&status), ["Ready", "Stalled"]);
        assert!(status.waiting_fires.is_empty());
    }
}
