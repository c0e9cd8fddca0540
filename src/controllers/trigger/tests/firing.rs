//! Firing by tables: which values are new, and what becomes of each. (What can go wrong: `interleavings`.)

use std::time::Duration;

use super::plan::{Fixture, job, newest, problem, ready, types};
use crate::api::GlueTrigger;
use crate::api::trigger::{Activation, Firing, GlueTriggerStatus, Started};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome, StartState, records_intent};
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::trigger::calls::Call;
use crate::controllers::trigger::local_state::{BaselineReading, FIRED_ANNOTATION, FoundRuns, PassState};
use crate::glue::ErrorKind;
use crate::glue::poller::Observation;
use crate::glue::triggers::source::TriggerItem;
use crate::glue::triggers::{RunSummary, TriggerState, TriggerType};

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
        let fixture = Fixture::on_demand().spec(|spec| {
            spec.fire = now.map(str::to_owned);
            spec.fire_on_creation = Some(past != Whatever);
        });
        let mut fixture = fixture.status(|status| {
            status.declared.observed_generation = observed;
            status.last_handled_fire = taken.map(str::to_owned);
        });
        fixture.object.metadata.generation = Some(generation);
        fixture.state.delivered_fires = seen.iter().map(|(at, value)| (*at, value.map(str::to_owned))).collect();
        fixture.state.saw_creation = past == Born;
        fixture.state.existed_before = past == Lived;
        // Held up, so that what waits is written down.
        fixture.credentials_problem = Some(problem(ErrorKind::Denied));
        let status = fixture.plan().status;
        assert_eq!(status.pending_fires, waits, "{what}");
        assert_eq!(status.requires_history_check, past == Unseen && !waits.is_empty(), "{what}");
    }
}

/// The newest value always has a place, and what lost its own is counted.
#[test]
fn a_hundred_values_wait_and_the_newest_is_among_them() {
    let values: Vec<_> = (0..150).map(|day| format!("day-{day}")).collect();
    let mut fixture = Fixture::on_demand().status(|status| status.declared.observed_generation = 1);
    fixture.object.spec.fire = values.last().cloned();
    fixture.object.metadata.generation = Some(151);
    fixture.state.delivered_fires = values.iter().zip(2..).map(|(value, at)| (at, Some(value.clone()))).collect();
    fixture.credentials_problem = Some(problem(ErrorKind::Denied));
    let status = fixture.plan().status;
    assert_eq!(status.pending_fires[..99], values[..99]);
    assert_eq!((status.pending_fires.len(), status.pending_fires.last()), (100, values.last()));
    assert_eq!((status.dropped_fires, status.last_handled_fire.as_ref()), (50, values.last()));
}

fn intends(before: Option<&GlueTriggerStatus>, after: &GlueTriggerStatus) -> bool {
    records_intent(before.and_then(GlueTrigger::intent).as_ref(), GlueTrigger::intent(after).as_ref())
}

/// An object whose value `a` is new.
pub(crate) fn wants_a() -> Fixture {
    let mut fixture = Fixture::on_demand().spec(|spec| spec.fire = Some("a".to_owned()));
    fixture = fixture.status(|status| status.declared.observed_generation = 1);
    fixture.object.metadata.generation = Some(2);
    fixture
}

fn surveyed(fixture: Fixture, ever: bool) -> Fixture {
    let baseline = BaselineReading { baseline: newest(Some("jr_0")), has_started: ever };
    Fixture { state: PassState { baseline: Some(Ok(baseline)), ..fixture.state }, ..fixture }
}

#[test]
fn a_value_is_fired_once_what_was_there_before_stands_in_its_intent() {
    let (fixture, step) = wants_a().settled();
    assert_eq!(step, Step::Call(Call::ReadBaseline { targets: vec![job()], history: false }));
    assert_eq!(
        fixture.object.status.as_ref().expect("a status").last_firing,
        None,
        "nothing is written before the look"
    );
    let failed = Fixture {
        state: PassState { baseline: Some(Err(problem(ErrorKind::Denied))), ..PassState::default() },
        ..fixture.clone()
    };
    let (after, step) = failed.settled();
    assert_eq!((ready(&after.object.status.expect("a status")).0, step), ("AccessDenied", Step::Backoff));

    let Plan { status, step } = surveyed(fixture, false).plan();
    assert_eq!(step, Step::Call(Call::Fire));
    assert!(intends(None, &status));
    let firing = status.last_firing.as_ref().expect("an intent");
    assert_eq!((firing.value.as_str(), firing.baseline.clone(), firing.is_open()), ("a", newest(Some("jr_0")), true));
    assert_eq!((ready(&status), status.pending_fires.len()), (("Firing", false), 0));

    let mut fixture = wants_a();
    fixture.object.status = Some(status);
    let (fresh, step) = Fixture { fresh_intent: true, ..fixture.clone() }.settled();
    assert_eq!(step, Step::Call(Call::Fire));
    assert!(!intends(fixture.object.status.as_ref(), fresh.object.status.as_ref().expect("a status")));
    assert_eq!(fixture.settled().1, Step::Call(Call::LookUp(newest(Some("jr_0")))), "not of this pass: look first");
}

fn looked_up(started: Vec<Started>, intent_age: Duration) -> StartState<FoundRuns> {
    StartState { outcome: None, lookup: Some(Lookup::Found(FoundRuns { started, intent_age })) }
}

/// The intent to fire `a` is recorded; this came of it.
fn intended() -> Fixture {
    let mut fixture = wants_a();
    fixture.object.status = Some(surveyed(wants_a(), false).plan().status);
    fixture
}

#[test]
fn what_becomes_of_an_open_intent() {
    let answered = |outcome| PassState {
        start: StartState { outcome: Some(outcome), lookup: None },
        sent: true,
        ..PassState::default()
    };
    let found = |started: Vec<Started>, intent_age: u64| PassState {
        start: looked_up(started, Duration::from_secs(intent_age)),
        ..PassState::default()
    };
    let live = || vec![started("jr_1", "RUNNING", false)];
    for (what, state, reason, step) in [
        ("fired", answered(StartOutcome::Accepted), "Fired", Step::Call(Call::LookUp(newest(Some("jr_0"))))),
        (
            "refused",
            answered(StartOutcome::Rejected(problem(ErrorKind::Busy))),
            "ConcurrentRunsExceeded",
            Step::RequeueAfter(Duration::ZERO),
        ),
        (
            "unclear",
            answered(StartOutcome::Unconfirmed(problem(ErrorKind::Ambiguous))),
            "Firing",
            Step::Call(Call::LookUp(newest(Some("jr_0")))),
        ),
        ("found", found(live(), 1), "Fired", Step::AwaitChange),
        ("nothing found yet", found(vec![], 1), "AnswerUnclear", Step::RequeueAfter(Duration::from_secs(5))),
        (
            "nothing found for long enough",
            found(vec![], 60),
            "Firing",
            Step::Call(Call::ReadBaseline { targets: vec![job()], history: false }),
        ),
        (
            "not to be asked",
            PassState {
                start: StartState { outcome: None, lookup: Some(Lookup::Failed(problem(ErrorKind::Denied))) },
                ..PassState::default()
            },
            "AccessDenied",
            Step::Backoff,
        ),
    ] {
        let (after, taken) = Fixture { state, ..intended() }.settled();
        let status = after.object.status.expect("a status");
        assert_eq!((ready(&status).0, &taken), (reason, &step), "{what}");
        assert_eq!(status.last_handled_fire.as_deref(), Some("a"), "{what}");
    }
}

#[test]
fn the_next_value_waits_until_what_this_one_started_is_known() {
    let fixture = intended().status(|status| status.pending_fires = vec!["b".to_owned()]);
    let found = |started: Vec<Started>| PassState {
        start: StartState { outcome: Some(StartOutcome::Accepted), ..looked_up(started, Duration::ZERO) },
        ..PassState::default()
    };
    let (after, step) = Fixture { state: found(vec![]), ..fixture.clone() }.settled();
    let status = after.object.status.expect("a status");
    assert_eq!((ready(&status), step), (("Fired", false), Step::RequeueAfter(Duration::from_secs(5))));
    assert_eq!(status.pending_fires, ["b"]);

    let (after, step) = Fixture { state: found(vec![started("jr_1", "RUNNING", false)]), ..fixture }.settled();
    let status = after.object.status.clone().expect("a status");
    assert_eq!(step, Step::Call(Call::ReadBaseline { targets: vec![job()], history: false }));
    let first = status.last_firing.expect("a firing");
    assert_eq!((first.runs_resolved, first.baseline.len(), first.started.len()), (true, 0, 1));
    let baseline = BaselineReading { baseline: newest(Some("jr_1")), has_started: false };
    let next = Fixture { state: PassState { baseline: Some(Ok(baseline)), ..PassState::default() }, ..after.clone() };
    let status = next.plan().status;
    assert_eq!(status.last_firing.as_ref().map(|last| (last.number, last.value.as_str())), Some((1, "b")));
    assert_eq!(status.earlier_firings.len(), 1);
    let sent = Fixture { state: PassState { sent: true, ..PassState::default() }, ..after };
    assert_eq!(sent.settled().1, Step::RequeueAfter(Duration::ZERO), "one pass sends one firing");
}

#[test]
fn what_a_firing_started_is_followed_until_it_ends() {
    let done = PassState {
        start: StartState {
            outcome: Some(StartOutcome::Accepted),
            ..looked_up(vec![started("jr_1", "RUNNING", false)], Duration::ZERO)
        },
        ..PassState::default()
    };
    let (fixture, _) = Fixture { state: done, ..intended() }.settled();
    let fixture = Fixture { state: PassState::default(), ..fixture };
    let run = |state: &str, ended| {
        let run = RunSummary { id: "jr_1".to_owned(), state: state.to_owned(), ended, is_triggered: true };
        vec![("jr_1".to_owned(), Observation::Present(TriggerItem::Run(run)))]
    };
    for (related, reason, ended) in [
        (vec![], "Fired", false),
        (run("RUNNING", false), "Fired", false),
        (run("SUCCEEDED", true), "Completed", true),
        (run("FAILED", true), "CompletedWithFailures", true),
    ] {
        let (after, step) = Fixture { related, ..fixture.clone() }.settled();
        let status = after.object.status.expect("a status");
        assert_eq!((ready(&status), step), ((reason, true), Step::AwaitChange));
        let firing: Firing = status.last_firing.expect("a firing");
        assert_eq!((firing.ended_at.is_some(), firing.started[0].ended), (ended, ended));
    }
    let gone = vec![("jr_1".to_owned(), Observation::NotFound)];
    let late = Fixture { related: gone.clone(), now: 100, ..fixture.clone() };
    assert!(late.settled().0.object.status.expect("a status").last_firing.expect("a firing").ended_at.is_some());
    let early = Fixture { related: gone, ..fixture };
    assert!(early.settled().0.object.status.expect("a status").last_firing.expect("a firing").ended_at.is_none());
}

/// Without evidence that the object is new, its first value fires only when the trigger has never started anything.
#[test]
fn an_unproven_value_is_fired_only_where_nothing_was_ever_started() {
    let fixture = Fixture::on_demand().spec(|spec| {
        spec.fire = Some("a".to_owned());
        spec.fire_on_creation = Some(true);
    });
    let (fixture, step) = fixture.settled();
    assert_eq!(step, Step::Call(Call::ReadBaseline { targets: vec![job()], history: true }));
    assert_eq!(surveyed(fixture.clone(), false).plan().step, Step::Call(Call::Fire));
    let (after, step) = surveyed(fixture, true).settled();
    let status = after.object.status.as_ref().expect("a status");
    assert_eq!((ready(status), &status.last_firing, status.requires_history_check), (("NotFired", true), &None, false));
    assert_eq!(step, Step::Annotate(FIRED_ANNOTATION));
}

#[test]
fn what_does_not_fit_the_type_is_said_and_nothing_is_done() {
    let fire = Fixture::scheduled(TriggerState::Deactivated).spec(|spec| spec.fire = Some("a".to_owned()));
    let state = Fixture::on_demand().spec(|spec| spec.state = Some(Activation::Deactivated));
    let type_ = Fixture::new(TriggerType::Unknown("NEW".to_owned()), TriggerState::Created);
    for (fixture, reason) in [(fire, "NotOnDemand"), (state, "StateNotApplicable"), (type_, "TypeUnknown")] {
        let (after, step) = fixture.settled();
        let status = after.object.status.expect("a status");
        assert_eq!((ready(&status), step), ((reason, false), Step::AwaitChange));
        assert_eq!(types(&status), ["Ready", "Stalled"]);
        assert!(status.pending_fires.is_empty());
    }
}
