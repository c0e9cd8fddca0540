//! Table tests of firing: which values of `fire` are new, and how each is handled. (Every interleaving:
//! `runtime/tests/start_once/firing`.)

use std::time::Duration;

use super::plan::{Fixture, at, job, newest, problem, ready, types};
use crate::api::GlueTrigger;
use crate::api::trigger::{Activation, Firing, GlueTriggerSpec, GlueTriggerStatus, Started};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome, StartState, records_intent};
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::trigger::calls::Call;
use crate::controllers::trigger::firing::record_intent;
use crate::controllers::trigger::local_state::{BaselineReading, FIRED_ANNOTATION, FoundRuns, PassState};
use crate::glue::ErrorKind;
use crate::glue::poller::Observation;
use crate::glue::triggers::source::TriggerItem;
use crate::glue::triggers::{RunSummary, TriggerState, TriggerType};

fn started(id: &str, state: &str, ended: bool) -> Started {
    let failed = ended && !matches!(state, "SUCCEEDED" | "COMPLETED");
    Started { target: job(), id: id.to_owned(), state: Some(state.to_owned()), ended, failed, message: None }
}

/// The evidence about an object's creation, used only under `fireOnCreation`.
#[derive(Clone, Copy, PartialEq)]
enum Evidence {
    /// `fireOnCreation` is not set.
    NotNeeded,
    /// This process observed the creation.
    Created,
    /// The creation was not observed.
    Unknown,
    /// The object was restored, or its status was lost.
    Existed,
}

/// A case: its name, the evidence, (`observedGeneration`, `lastHandledFire`), the (generation, value) pairs the watch
/// delivered, the current pair, and the expected `pendingFires`.
#[test]
fn only_new_values_become_pending() {
    use Evidence::{Created, Existed, NotNeeded, Unknown};
    const A: Option<&str> = Some("a");
    const B: Option<&str> = Some("b");
    let cases: [(_, _, _, &[_], _, &[&str]); 13] = [
        ("no value", Created, (-1, None), &[], (1, None), &[]),
        ("set before the object was first seen", NotNeeded, (-1, None), &[], (1, A), &[]),
        ("fired on creation", Created, (-1, None), &[], (1, A), &["a"]),
        ("created unobserved", Unknown, (-1, None), &[], (1, A), &["a"]),
        ("restored, or status lost", Existed, (-1, None), &[], (1, A), &[]),
        ("restored, with later values delivered", Existed, (-1, None), &[(1, A), (2, B)], (3, A), &[]),
        ("a new value", NotNeeded, (1, None), &[], (2, A), &["a"]),
        ("the same value", NotNeeded, (1, A), &[], (2, A), &[]),
        ("value removed", NotNeeded, (1, A), &[], (2, None), &[]),
        ("two values before a pass", NotNeeded, (1, None), &[(1, None), (2, A), (3, B)], (3, B), &["a", "b"]),
        ("changed and changed back", NotNeeded, (1, A), &[(2, B)], (3, A), &["b", "a"]),
        ("replaced before the first pass", NotNeeded, (-1, None), &[(1, A), (2, B)], (2, B), &["b"]),
        ("another field changed", NotNeeded, (3, A), &[], (3, A), &[]),
    ];
    for (case, evidence, (observed, handled), delivered, (generation, current), pending) in cases {
        let fixture = Fixture::on_demand().spec(|spec| {
            spec.fire = current.map(str::to_owned);
            spec.fire_on_creation = Some(evidence != NotNeeded);
        });
        let mut fixture = fixture.status(|status| {
            status.declared.observed_generation = observed;
            status.last_handled_fire = handled.map(str::to_owned);
        });
        fixture.object.metadata.generation = Some(generation);
        fixture.state.delivered_fires = delivered.iter().map(|(at, value)| (*at, value.map(str::to_owned))).collect();
        fixture.state.saw_creation = evidence == Created;
        fixture.state.existed_before = evidence == Existed;
        // A credentials problem keeps the values pending.
        fixture.credentials_problem = Some(problem(ErrorKind::Denied));
        let status = fixture.plan().status;
        assert_eq!(status.pending_fires, pending, "{case}");
        assert_eq!(status.requires_history_check, evidence == Unknown && !pending.is_empty(), "{case}");
    }
}

/// The newest value is never dropped, and dropped values are counted.
#[test]
fn at_most_100_values_are_pending_and_the_newest_is_one_of_them() {
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

fn records_new_intent(before: Option<&GlueTriggerStatus>, after: &GlueTriggerStatus) -> bool {
    records_intent(before.and_then(GlueTrigger::intent).as_ref(), GlueTrigger::intent(after).as_ref())
}

/// An object with the new value `a`.
pub(crate) fn wants_a() -> Fixture {
    let mut fixture = Fixture::on_demand().spec(|spec| spec.fire = Some("a".to_owned()));
    fixture = fixture.status(|status| status.declared.observed_generation = 1);
    fixture.object.metadata.generation = Some(2);
    fixture
}

fn with_baseline(fixture: Fixture, has_started: bool) -> Fixture {
    let baseline = BaselineReading { baseline: newest(Some("jr_0")), has_started };
    Fixture { state: PassState { baseline: Some(Ok(baseline)), ..fixture.state }, ..fixture }
}

#[test]
fn a_value_is_fired_only_after_its_intent_records_the_baseline() {
    let (fixture, step) = wants_a().settled();
    assert_eq!(step, Step::Call(Call::ReadBaseline { targets: vec![job()], history: false }));
    assert_eq!(
        fixture.object.status.as_ref().expect("a status").last_firing,
        None,
        "no firing is recorded before the baseline is read"
    );
    let failed = Fixture {
        state: PassState { baseline: Some(Err(problem(ErrorKind::Denied))), ..PassState::default() },
        ..fixture.clone()
    };
    let (after, step) = failed.clone().settled();
    assert_eq!((ready(&after.object.status.expect("a status")).0, step), ("AccessDenied", Step::Backoff));
    // The same when the pause after the failure has begun, and in the passes during the pause.
    let pause = Duration::from_secs(7);
    let (after, step) = Fixture { backoff: Some(pause), ..failed }.settled();
    assert_eq!((ready(after.object.status.as_ref().expect("a status")).0, step), ("AccessDenied", Step::Backoff));
    let (after, step) = Fixture { state: PassState::default(), ..after }.settled();
    assert_eq!((ready(&after.object.status.expect("a status")).0, step), ("AccessDenied", Step::RequeueAfter(pause)));

    let Plan { status, step } = with_baseline(fixture, false).plan();
    assert_eq!(step, Step::Call(Call::Fire));
    assert!(records_new_intent(None, &status));
    let firing = status.last_firing.as_ref().expect("an intent");
    assert_eq!((firing.value.as_str(), firing.baseline.clone(), firing.is_open()), ("a", newest(Some("jr_0")), true));
    assert_eq!((ready(&status), status.pending_fires.len()), (("Firing", false), 0));

    let mut fixture = wants_a();
    fixture.object.status = Some(status);
    let (fresh, step) = Fixture { fresh_intent: true, ..fixture.clone() }.settled();
    assert_eq!(step, Step::Call(Call::Fire));
    assert!(!records_new_intent(fixture.object.status.as_ref(), fresh.object.status.as_ref().expect("a status")));
    assert_eq!(
        fixture.settled().1,
        Step::Call(Call::LookUp(newest(Some("jr_0")))),
        "an intent of an earlier pass is looked up first"
    );
}

fn looked_up(started: Vec<Started>, intent_age: Duration) -> StartState<FoundRuns> {
    StartState { outcome: None, lookup: Some(Lookup::Found(FoundRuns { started, intent_age })) }
}

/// An object whose intent to fire `a` is recorded.
fn with_open_intent() -> Fixture {
    let mut fixture = wants_a();
    fixture.object.status = Some(with_baseline(wants_a(), false).plan().status);
    fixture
}

#[test]
fn an_open_intent_is_settled_by_outcome_and_lookup() {
    let sent = |outcome| PassState {
        start: StartState { outcome: Some(outcome), lookup: None },
        sent: true,
        ..PassState::default()
    };
    let found = |started: Vec<Started>, intent_age: u64| PassState {
        start: looked_up(started, Duration::from_secs(intent_age)),
        ..PassState::default()
    };
    let live = || vec![started("jr_1", "RUNNING", false)];
    for (case, state, reason, step) in [
        ("fired", sent(StartOutcome::Accepted), "Fired", Step::Call(Call::LookUp(newest(Some("jr_0"))))),
        (
            "rejected",
            sent(StartOutcome::Rejected(problem(ErrorKind::Busy))),
            "ConcurrentRunsExceeded",
            Step::RequeueAfter(Duration::ZERO),
        ),
        (
            "ambiguous",
            sent(StartOutcome::Unconfirmed(problem(ErrorKind::Ambiguous))),
            "Firing",
            Step::Call(Call::LookUp(newest(Some("jr_0")))),
        ),
        ("run found", found(live(), 1), "Fired", Step::AwaitChange),
        (
            "no run before the settle time",
            found(vec![], 1),
            "AnswerUnclear",
            Step::RequeueAfter(Duration::from_secs(5)),
        ),
        (
            "no run after the settle time",
            found(vec![], 60),
            "Firing",
            Step::Call(Call::ReadBaseline { targets: vec![job()], history: false }),
        ),
        (
            "lookup denied",
            PassState {
                start: StartState { outcome: None, lookup: Some(Lookup::Failed(problem(ErrorKind::Denied))) },
                ..PassState::default()
            },
            "AccessDenied",
            Step::Backoff,
        ),
    ] {
        let (after, taken) = Fixture { state, ..with_open_intent() }.settled();
        let status = after.object.status.expect("a status");
        assert_eq!((ready(&status).0, &taken), (reason, &step), "{case}");
        assert_eq!(status.last_handled_fire.as_deref(), Some("a"), "{case}");
    }
}

#[test]
fn the_next_value_waits_until_the_runs_of_this_firing_are_resolved() {
    let fixture = with_open_intent().status(|status| status.pending_fires = vec!["b".to_owned()]);
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
    assert_eq!(sent.settled().1, Step::RequeueAfter(Duration::ZERO), "a pass fires at most once");
}

#[test]
fn the_runs_of_a_firing_are_followed_until_they_end() {
    let done = PassState {
        start: StartState {
            outcome: Some(StartOutcome::Accepted),
            ..looked_up(vec![started("jr_1", "RUNNING", false)], Duration::ZERO)
        },
        ..PassState::default()
    };
    let (fixture, _) = Fixture { state: done, ..with_open_intent() }.settled();
    let fixture = Fixture { state: PassState::default(), ..fixture };
    let run = |state: &str, ended| {
        let failure = (ended && state == "FAILED").then(|| "out of memory".to_owned());
        let (id, state, is_known) = ("jr_1".to_owned(), state.to_owned(), state != "NEW");
        let run =
            RunSummary { id, state, is_known, ended, failure, started_on: None, ended_on: None, is_triggered: true };
        vec![("jr_1".to_owned(), Observation::Present(TriggerItem::Crawl(run)))]
    };
    for (related, reason, ended) in [
        (vec![], "Fired", false),
        (run("RUNNING", false), "Fired", false),
        (run("NEW", false), "StateUnknown", false),
        (run("SUCCEEDED", true), "Completed", true),
        (run("FAILED", true), "CompletedWithFailures", true),
    ] {
        let (after, step) = Fixture { related, ..fixture.clone() }.settled();
        let status = after.object.status.expect("a status");
        let is_ready = !["StateUnknown", "CompletedWithFailures"].contains(&reason);
        assert_eq!((ready(&status), step), ((reason, is_ready), Step::AwaitChange));
        // To Flux and Argo CD, the object has failed.
        assert_eq!(types(&status).contains(&"Stalled"), reason == "CompletedWithFailures");
        let firing: Firing = status.last_firing.expect("a firing");
        assert_eq!((firing.ended_at.is_some(), firing.started[0].ended), (ended, ended));
    }
    // A workflow run is COMPLETED although its actions failed; what failed is in the message, until the next firing.
    let failure = Some("of 3 actions 1 failed".to_owned());
    let state = "COMPLETED".to_owned();
    let run = RunSummary {
        id: "jr_1".to_owned(),
        state,
        is_known: true,
        ended: true,
        failure,
        started_on: None,
        ended_on: None,
        is_triggered: true,
    };
    let related = vec![("jr_1".to_owned(), Observation::Present(TriggerItem::Crawl(run)))];
    let status = Fixture { related, ..fixture.clone() }.settled().0.object.status.expect("a status");
    assert_eq!(ready(&status).0, "CompletedWithFailures");
    let message = &status.declared.condition("Ready").expect("a condition").message;
    assert!(message.ends_with("(COMPLETED: of 3 actions 1 failed)"), "{message}");
    let mut next = status;
    next.pending_fires.push("b".to_owned());
    let next = record_intent(next, "b", Vec::new(), at(20));
    let run = &next.earlier_firings.last().expect("the firing").started[0];
    assert_eq!((run.failed, run.message.as_deref()), (true, None));

    let missing = vec![("jr_1".to_owned(), Observation::NotFound)];
    let late = Fixture { related: missing.clone(), now: 100, ..fixture.clone() };
    assert!(late.settled().0.object.status.expect("a status").last_firing.expect("a firing").ended_at.is_some());
    let early = Fixture { related: missing, ..fixture };
    assert!(early.settled().0.object.status.expect("a status").last_firing.expect("a firing").ended_at.is_none());
}

#[test]
fn polls_of_the_runs_that_fail_are_reported_until_they_succeed() {
    let done = PassState {
        start: StartState {
            outcome: Some(StartOutcome::Accepted),
            ..looked_up(vec![started("jr_1", "RUNNING", false)], Duration::ZERO)
        },
        ..PassState::default()
    };
    let (fired, _) = Fixture { state: done, ..with_open_intent() }.settled();
    let fired = Fixture { state: PassState::default(), ..fired };
    for kind in [ErrorKind::Throttled, ErrorKind::Ambiguous, ErrorKind::Denied, ErrorKind::ExpiredCredentials] {
        let (failing, step) = Fixture { related_problem: Some(problem(kind)), ..fired.clone() }.settled();
        let status = failing.object.status.as_ref().expect("a status");
        let reason = Reason::from(kind).as_str();
        assert_eq!((ready(status), step), ((reason, false), Step::AwaitChange), "{kind:?}");
        let (after, _) = Fixture { related_problem: None, ..failing }.settled();
        assert_eq!(ready(&after.object.status.expect("a status")), ("Fired", true), "{kind:?}");
    }
}

/// Without evidence that the object is new, its first value fires only when the trigger has never started anything.
#[test]
fn a_first_value_without_evidence_fires_only_if_the_trigger_never_started_a_run() {
    let fixture = Fixture::on_demand().spec(|spec| {
        spec.fire = Some("a".to_owned());
        spec.fire_on_creation = Some(true);
    });
    let (fixture, step) = fixture.settled();
    assert_eq!(step, Step::Call(Call::ReadBaseline { targets: vec![job()], history: true }));
    assert_eq!(with_baseline(fixture.clone(), false).plan().step, Step::Call(Call::Fire));
    let (after, step) = with_baseline(fixture, true).settled();
    let status = after.object.status.as_ref().expect("a status");
    assert_eq!((ready(status), &status.last_firing, status.requires_history_check), (("NotFired", true), &None, false));
    assert_eq!(step, Step::Annotate(FIRED_ANNOTATION));
}

#[test]
fn an_event_trigger_is_ready_as_glue_shows_it_and_gets_no_call() {
    for (state, expected) in [
        (TriggerState::Created, ("OnEvent", true)),
        (TriggerState::Activated, ("OnEvent", true)),
        (TriggerState::Deactivated, ("OnEvent", true)),
        (TriggerState::Creating, ("Creating", false)),
        (TriggerState::Unknown("NEW".to_owned()), ("StateUnknown", false)),
    ] {
        let (after, step) = Fixture::new(TriggerType::Event, state.clone()).settled();
        let status = after.object.status.expect("a status");
        assert_eq!(
            (ready(&status), step, status.state.as_deref()),
            (expected, Step::AwaitChange, Some(state.as_str()))
        );
    }
}

#[test]
fn a_spec_that_does_not_fit_the_trigger_type_is_reported_and_no_call_is_sent() {
    let fire = Fixture::scheduled(TriggerState::Deactivated).spec(|spec| spec.fire = Some("a".to_owned()));
    let state = Fixture::on_demand().spec(|spec| spec.state = Some(Activation::Deactivated));
    let type_ = Fixture::new(TriggerType::Unknown("NEW".to_owned()), TriggerState::Created);
    let event = |change: fn(&mut GlueTriggerSpec)| Fixture::new(TriggerType::Event, TriggerState::Created).spec(change);
    let event_fire = event(|spec| spec.fire = Some("a".to_owned()));
    let event_state = event(|spec| spec.state = Some(Activation::Deactivated));
    for (fixture, reason) in [
        (fire, "NotOnDemand"),
        (state, "StateNotApplicable"),
        (type_, "TypeUnknown"),
        (event_fire, "NotOnDemand"),
        (event_state, "StateNotApplicable"),
    ] {
        let (after, step) = fixture.settled();
        let status = after.object.status.expect("a status");
        assert_eq!((ready(&status), step), ((reason, false), Step::AwaitChange));
        assert_eq!(types(&status), ["Ready", "Stalled"]);
        assert!(status.pending_fires.is_empty());
    }
}
