//! Table tests of the activation state, and the fixture of all trigger tests. (Firing: `firing`; properties:
//! `properties`.)

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::ObjectMeta;

use super::ownership::{owned_by_another, undetermined};
use crate::api::declared::{DeclaredStatus, DriftPolicy};
use crate::api::trigger::{
    Activation, Baseline, GlueTriggerSpec, GlueTriggerStatus, Target, TargetKind, TriggerDeletionPolicy,
};
use crate::api::{FINALIZER, GlueTrigger};
use crate::controllers::declared::facts::Facts;
use crate::controllers::declared::plan::plan;
use crate::controllers::runtime::context::Name;
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::ownership::Ownership;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::trigger::calls::Call;
use crate::controllers::trigger::local_state::PassState;
use crate::glue::ErrorKind;
use crate::glue::poller::Observation;
use crate::glue::triggers::source::TriggerItem;
use crate::glue::triggers::{Action, Trigger, TriggerState, TriggerType};

pub(crate) const SETTLE: Duration = Duration::from_mins(1);

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).expect("a time")
}

/// One object and its facts.
#[derive(Clone, Debug)]
pub(crate) struct Fixture {
    pub(crate) now: i64,
    pub(crate) object: GlueTrigger,
    pub(crate) leading: bool,
    pub(crate) credentials_problem: Option<Problem>,
    pub(crate) ownership: Ownership<Name>,
    pub(crate) observation: Option<Observation<TriggerItem>>,
    pub(crate) related: Vec<(String, Observation<TriggerItem>)>,
    pub(crate) related_problem: Option<Problem>,
    pub(crate) poll_problem: Option<Problem>,
    pub(crate) problem: Option<Problem>,
    pub(crate) state: PassState,
    pub(crate) fresh_intent: bool,
    pub(crate) behind: bool,
    pub(crate) backoff: Option<Duration>,
    pub(crate) intent_age: Duration,
    pub(crate) deleting_for: Duration,
}

pub(crate) type FixturePlan = Plan<GlueTriggerStatus, Call>;

impl Fixture {
    /// An object not yet reconciled, and an observed trigger of this type and state.
    pub(crate) fn new(type_: TriggerType, state: TriggerState) -> Self {
        let metadata = ObjectMeta {
            name: Some("one".to_owned()),
            namespace: Some("default".to_owned()),
            generation: Some(1),
            creation_timestamp: Some(Time(at(0))),
            ..ObjectMeta::default()
        };
        let spec = GlueTriggerSpec { trigger_name: "nightly".to_owned(), ..GlueTriggerSpec::default() };
        let declared = DeclaredStatus::unobserved();
        let status = GlueTriggerStatus { declared, ..GlueTriggerStatus::default() };
        Self {
            now: 10,
            object: GlueTrigger { metadata, spec, status: Some(status) },
            leading: true,
            credentials_problem: None,
            ownership: Ownership::Owned,
            observation: Some(Observation::Present(TriggerItem::Trigger(trigger(type_, state)))),
            related: Vec::new(),
            related_problem: None,
            poll_problem: None,
            problem: None,
            state: PassState::default(),
            fresh_intent: false,
            behind: false,
            backoff: None,
            intent_age: Duration::ZERO,
            deleting_for: Duration::ZERO,
        }
    }

    pub(crate) fn scheduled(state: TriggerState) -> Self {
        Self::new(TriggerType::Scheduled, state)
    }

    pub(crate) fn on_demand() -> Self {
        Self::new(TriggerType::OnDemand, TriggerState::Created)
    }

    pub(crate) fn spec(mut self, change: impl FnOnce(&mut GlueTriggerSpec)) -> Self {
        change(&mut self.object.spec);
        self
    }

    pub(crate) fn status(mut self, change: impl FnOnce(&mut GlueTriggerStatus)) -> Self {
        change(self.object.status.as_mut().expect("a status"));
        self
    }

    /// Sets the status of an object whose trigger has reached this state.
    fn applied(self, applied: Activation) -> Self {
        let mut fixture = self.status(|status| status.last_applied_state = Some(applied));
        let plan = Fixture { observation: Some(Observation::Present(in_state(applied))), ..fixture.clone() };
        let plan = plan.spec(|spec| spec.state = Some(applied)).plan();
        fixture.object.status = Some(plan.status);
        fixture
    }

    pub(crate) fn plan(&self) -> FixturePlan {
        plan(&Facts {
            common: CommonFacts {
                now: at(self.now),
                meta: &self.object.metadata,
                leading: self.leading,
                credentials_problem: self.credentials_problem.clone(),
                inputs_problem: None,
                poll_problem: self.poll_problem.clone(),
                fresh_intent: self.fresh_intent,
                intent_age: self.intent_age,
                backoff: self.backoff,
                settle: SETTLE,
                deletion_timeout: Duration::from_mins(10),
            },
            object: &self.object,
            inputs: Some(&()),
            ownership: self.ownership.clone(),
            observation: self.observation.clone(),
            related: self.related.clone(),
            related_problem: self.related_problem.clone(),
            deleting_for: self.deleting_for,
            behind: self.behind,
            problem: self.problem.clone(),
            state: &self.state,
        })
    }

    /// Plans and writes the status until it no longer changes; the step of the last plan.
    pub(crate) fn settled(mut self) -> (Self, Step<Call>) {
        for _ in 0..8 {
            let Plan { status, step } = self.plan();
            if self.object.status.as_ref() == Some(&status) {
                return (self, step);
            }
            self.object.status = Some(status);
        }
        panic!("the plan reaches no fixed point: {self:?}");
    }
}

pub(crate) fn trigger(type_: TriggerType, state: TriggerState) -> Trigger {
    let schedule = (type_ == TriggerType::Scheduled).then(|| "cron(15 12 * * ? *)".to_owned());
    Trigger {
        name: "nightly".to_owned(),
        type_,
        state,
        description: None,
        workflow: None,
        schedule,
        predicate: None,
        actions: vec![Action {
            job: Some("etl".to_owned()),
            crawler: None,
            timeout_minutes: None,
            security_configuration: None,
        }],
        event_batching: None,
    }
}

fn in_state(activation: Activation) -> TriggerItem {
    let state = match activation {
        Activation::Activated => TriggerState::Activated,
        Activation::Deactivated => TriggerState::Deactivated,
    };
    TriggerItem::Trigger(trigger(TriggerType::Scheduled, state))
}

pub(crate) fn problem(kind: ErrorKind) -> Problem {
    Problem { reason: kind.into(), message: "message".to_owned(), kind: Some(kind) }
}

pub(crate) fn job() -> Target {
    Target { kind: TargetKind::Job, name: "etl".to_owned() }
}

pub(crate) fn newest(id: Option<&str>) -> Vec<Baseline> {
    vec![Baseline { target: job(), id: id.map(str::to_owned) }]
}

/// The reason of `Ready`, and whether it is `True`.
pub(crate) fn ready(status: &GlueTriggerStatus) -> (&str, bool) {
    let ready = status.declared.condition("Ready").expect("Ready");
    (ready.reason.as_str(), ready.status == "True")
}

pub(crate) fn types(status: &GlueTriggerStatus) -> Vec<&str> {
    status.declared.conditions.iter().map(|condition| condition.type_.as_str()).collect()
}

/// Glue's states under both states of the spec, with and without an applied state.
#[test]
fn a_trigger_is_switched_to_the_spec_state_and_transitions_are_waited_out() {
    use Activation::{Activated, Deactivated};
    use TriggerState as Is;
    let wait = Step::AwaitChange;
    for (state, wanted, applied, reason, step) in [
        (Is::Created, Activated, None, "Activating", Step::Call(Call::Activate)),
        (Is::Deactivated, Activated, None, "Activating", Step::Call(Call::Activate)),
        (Is::Activated, Deactivated, None, "Deactivating", Step::Call(Call::Deactivate)),
        (Is::Created, Deactivated, None, "Deactivated", wait.clone()),
        (Is::Deactivated, Deactivated, None, "Deactivated", wait.clone()),
        (Is::Activating, Activated, None, "Activating", wait.clone()),
        (Is::Activating, Deactivated, None, "Activating", wait.clone()),
        (Is::Deactivating, Activated, None, "Deactivating", wait.clone()),
        (Is::Creating, Activated, None, "Creating", wait.clone()),
        (Is::Updating, Activated, None, "Updating", wait.clone()),
        (Is::Deleting, Activated, None, "Deleting", wait.clone()),
        (Is::Unknown("NEW".to_owned()), Activated, None, "StateUnknown", wait.clone()),
        // Another caller changed the state.
        (Is::Deactivated, Activated, Some(Activated), "Drifted", Step::Call(Call::Activate)),
        (Is::Activated, Deactivated, Some(Deactivated), "Drifted", Step::Call(Call::Deactivate)),
        (Is::Deactivating, Activated, Some(Activated), "Deactivating", wait.clone()),
        // The spec changed after the state was applied.
        (Is::Activated, Deactivated, Some(Activated), "Deactivating", Step::Call(Call::Deactivate)),
        // The trigger was created again under the same name.
        (Is::Created, Activated, Some(Activated), "Activating", Step::Call(Call::Activate)),
    ] {
        let fixture = Fixture::scheduled(state.clone())
            .spec(|spec| spec.state = Some(wanted))
            .status(|status| status.last_applied_state = applied);
        let (after, taken) = fixture.settled();
        let status = after.object.status.expect("a status");
        assert_eq!((ready(&status).0, &taken), (reason, &step), "{state:?}, {wanted:?} wanted, {applied:?} applied");
        assert_eq!(status.state.as_deref(), Some(state.as_str()));
        let own_change = step != wait && reason != "Drifted";
        assert!(
            !own_change || status.last_applied_state.is_none(),
            "{state:?}: a change by the controller is not drift later"
        );
        assert_eq!(status.declared.observed_generation, 1);
    }
}

#[test]
fn an_activated_trigger_is_ready_and_shows_when_it_fires_next() {
    let (after, step) = Fixture::scheduled(TriggerState::Activated).settled();
    let status = after.object.status.expect("a status");
    assert_eq!(ready(&status), ("Activated", true));
    let schedule = status.schedule.expect("a schedule");
    assert_eq!(schedule.words.as_deref(), Some("At 12:15, UTC"));
    let next = schedule.next.expect("a time").0;
    assert!(next > at(10));
    let Step::RequeueAfter(pause) = step else { panic!("{step:?}") };
    assert_eq!(pause.as_secs(), (next.as_second() - at(10).as_second() + 1).unsigned_abs());
    let (after, _) =
        Fixture::scheduled(TriggerState::Deactivated).spec(|spec| spec.state = Some(Activation::Deactivated)).settled();
    assert_eq!(after.object.status.expect("a status").schedule.expect("a schedule").next, None);
}

#[test]
fn drift_is_only_reported_under_policy_report() {
    let fixture = Fixture::scheduled(TriggerState::Deactivated)
        .applied(Activation::Activated)
        .spec(|spec| spec.drift_policy = Some(DriftPolicy::Report));
    let (after, step) = fixture.settled();
    let status = after.object.status.clone().expect("a status");
    assert_eq!((ready(&status), step), (("Drifted", false), Step::AwaitChange));
    assert_eq!(types(&status), ["Ready", "Stalled"]);
    let back = Fixture { observation: Some(Observation::Present(in_state(Activation::Activated))), ..after.clone() };
    assert_eq!(types(&back.settled().0.object.status.expect("a status")), ["Ready"]);
    // A change of the spec is applied under policy Report too.
    let (_, step) = Fixture::scheduled(TriggerState::Activated)
        .applied(Activation::Activated)
        .spec(|spec| {
            spec.drift_policy = Some(DriftPolicy::Report);
            spec.state = Some(Activation::Deactivated);
        })
        .settled();
    assert_eq!(step, Step::Call(Call::Deactivate));
}

#[test]
fn no_call_is_sent_without_an_observation_the_lease_ownership_or_the_queue_position() {
    let fixture = Fixture::scheduled(TriggerState::Deactivated);
    assert_eq!(Fixture { observation: None, ..fixture.clone() }.settled().1, Step::AwaitChange);
    assert_eq!(Fixture { behind: true, ..fixture.clone() }.settled().1, Step::AwaitChange);
    assert_eq!(Fixture { leading: false, ..fixture.clone() }.settled().1, Step::AwaitChange);
    for ownership in [undetermined(9), undetermined(10), Ownership::Lapsed { manager: None }] {
        assert_eq!(Fixture { ownership, ..fixture.clone() }.settled().1, Step::Backoff);
    }
    let ownership = Ownership::Unregistered;
    assert_eq!(Fixture { ownership, ..fixture.clone() }.settled().1, Step::AwaitChange);
    let backoff = Duration::from_secs(3);
    assert_eq!(Fixture { backoff: Some(backoff), ..fixture.clone() }.settled().1, Step::RequeueAfter(backoff));
    let owned = Fixture { ownership: owned_by_another(), ..fixture };
    let (after, step) = owned.settled();
    assert_eq!((ready(&after.object.status.expect("a status")), step), (("OwnedByAnother", false), Step::AwaitChange));
}

/// A rejection is reported and retried, and its reason stays until the call succeeds. A conflict is retried without a
/// report.
#[test]
fn a_rejection_is_reported_until_the_call_succeeds_and_a_conflict_is_not() {
    for kind in [ErrorKind::LimitExceeded, ErrorKind::Denied, ErrorKind::Throttled, ErrorKind::Busy] {
        let rejected = Fixture { problem: Some(problem(kind)), ..Fixture::scheduled(TriggerState::Created) };
        let (after, step) = rejected.settled();
        assert_eq!(step, Step::Backoff);
        let again = Fixture { problem: None, ..after };
        let before = again.object.status.clone();
        let (after, step) = again.settled();
        assert_eq!((after.object.status == before, step), (true, Step::Call(Call::Activate)), "{kind:?}");
        assert_eq!(ready(&before.expect("a status")).0, Reason::from(kind).as_str());
    }
    let conflict = Fixture { problem: Some(problem(ErrorKind::Conflict)), ..Fixture::scheduled(TriggerState::Created) };
    let (after, step) = conflict.settled();
    assert_eq!((ready(&after.object.status.expect("a status")).0, step), ("Activating", Step::Backoff));
    // After an ambiguous error the call may have taken effect, so the trigger is observed first.
    let ambiguous = Fixture {
        observation: None,
        problem: Some(problem(ErrorKind::Ambiguous)),
        ..Fixture::scheduled(TriggerState::Created)
    };
    let (after, step) = ambiguous.settled();
    assert_eq!((ready(&after.object.status.expect("a status")).0, step), ("AnswerUnclear", Step::AwaitChange));
}

#[test]
fn a_missing_trigger_is_reported_and_activated_when_it_exists_again() {
    let missing = Fixture {
        observation: Some(Observation::NotFound),
        ..Fixture::scheduled(TriggerState::Activated).applied(Activation::Activated)
    };
    let (after, step) = missing.settled();
    let status = after.object.status.as_ref().expect("a status");
    assert_eq!((ready(status), status.state.as_deref(), status.last_applied_state), (("NotFound", false), None, None));
    assert_eq!(step, Step::AwaitChange);
    let created = TriggerItem::Trigger(trigger(TriggerType::Scheduled, TriggerState::Created));
    let back = Fixture { observation: Some(Observation::Present(created)), ..after };
    let (after, step) = back.settled();
    assert_eq!(
        (ready(after.object.status.as_ref().expect("a status")).0, step),
        ("Activating", Step::Call(Call::Activate))
    );
}

#[test]
fn the_finalizer_is_added_only_to_deactivate_a_trigger_with_a_state() {
    let deactivate = |spec: &mut GlueTriggerSpec| spec.deletion_policy = Some(TriggerDeletionPolicy::Deactivate);
    assert_eq!(Fixture::scheduled(TriggerState::Created).spec(deactivate).settled().1, Step::AddFinalizer);
    assert_ne!(Fixture::on_demand().spec(deactivate).settled().1, Step::AddFinalizer);
    let mut with_finalizer = Fixture::scheduled(TriggerState::Activated).spec(deactivate);
    with_finalizer.object.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
    let remove = Step::RemoveFinalizer { left_behind: None };
    let retain = with_finalizer.clone().spec(|spec| spec.deletion_policy = None);
    assert_eq!(retain.settled().1, remove);

    with_finalizer.object.metadata.deletion_timestamp = Some(Time(at(5)));
    let (after, step) = with_finalizer.clone().settled();
    assert_eq!(
        (ready(&after.object.status.expect("a status")).0, step),
        ("Deactivating", Step::Call(Call::Deactivate))
    );
    let observed = |state| Some(Observation::Present(TriggerItem::Trigger(trigger(TriggerType::Scheduled, state))));
    for (observation, expected) in [
        (observed(TriggerState::Deactivated), remove.clone()),
        (observed(TriggerState::Created), remove.clone()),
        (Some(Observation::NotFound), remove.clone()),
        (observed(TriggerState::Deactivating), Step::RequeueAfter(Duration::from_secs(595))),
        (None, Step::RequeueAfter(Duration::from_secs(595))),
    ] {
        assert_eq!(
            Fixture { observation: observation.clone(), ..with_finalizer.clone() }.settled().1,
            expected,
            "{observation:?}"
        );
    }
    let foreign = Fixture { ownership: owned_by_another(), observation: None, ..with_finalizer.clone() };
    assert_eq!(foreign.settled().1, remove, "a trigger owned by another object is not deactivated");
    let blocked =
        Fixture { credentials_problem: Some(problem(ErrorKind::Denied)), observation: None, ..with_finalizer };
    assert_eq!(blocked.clone().settled().1, Step::Backoff);
    let timed_out = Fixture { now: 1000, ..blocked };
    assert_eq!(timed_out.settled().1, Step::RemoveFinalizer { left_behind: Some("nightly".to_owned()) });
}
