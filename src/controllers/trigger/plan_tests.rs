//! The plan by tables: a trigger that is held in its state, and the scenes of all tables. (Firing:
//! `firing_tests`; by properties: `lives`.)

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::ObjectMeta;

use super::memory::{Act, Learnt};
use super::plan::plan;
use crate::api::declared::{DeclaredStatus, DriftPolicy};
use crate::api::trigger::{
    Activation, GlueTriggerSpec, GlueTriggerStatus, Newest, Target, TargetKind, TriggerDeletionPolicy,
};
use crate::api::{FINALIZER, GlueTrigger};
use crate::controllers::claims::Claim;
use crate::controllers::context::Name;
use crate::controllers::declared::facts::Facts;
use crate::controllers::problem::Problem;
use crate::controllers::step::{Plan, Step};
use crate::glue::Class;
use crate::glue::poller::Sight;
use crate::glue::trigger_source::TriggerItem;
use crate::glue::triggers::{Action, Trigger, TriggerState, TriggerType};

pub(super) const SETTLE: Duration = Duration::from_mins(1);

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).expect("a time")
}

/// One object and all that is known of it.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) now: i64,
    pub(super) object: GlueTrigger,
    pub(super) leading: bool,
    pub(super) blocked: Option<Problem>,
    pub(super) claim: Claim<Name>,
    pub(super) sight: Option<Sight<TriggerItem>>,
    pub(super) also: Vec<(String, Sight<TriggerItem>)>,
    pub(super) poll_problem: Option<Problem>,
    pub(super) problem: Option<Problem>,
    pub(super) learnt: Learnt,
    pub(super) fresh_intent: bool,
    pub(super) behind: bool,
    pub(super) rest: Option<Duration>,
}

pub(super) type ScenePlan = Plan<GlueTriggerStatus, Act>;

impl Scene {
    /// An object that nobody has seen yet, about a trigger of this type in this state.
    pub(super) fn new(type_: TriggerType, state: TriggerState) -> Self {
        let metadata = ObjectMeta {
            name: Some("one".to_owned()),
            namespace: Some("default".to_owned()),
            generation: Some(1),
            creation_timestamp: Some(Time(at(0))),
            ..ObjectMeta::default()
        };
        let spec = GlueTriggerSpec { trigger_name: "nightly".to_owned(), ..GlueTriggerSpec::default() };
        let declared = DeclaredStatus { observed_generation: -1, ..DeclaredStatus::default() };
        let status = GlueTriggerStatus { declared, ..GlueTriggerStatus::default() };
        Self {
            now: 10,
            object: GlueTrigger { metadata, spec, status: Some(status) },
            leading: true,
            blocked: None,
            claim: Claim::Ours,
            sight: Some(Sight::Here(TriggerItem::Trigger(trigger(type_, state)))),
            also: Vec::new(),
            poll_problem: None,
            problem: None,
            learnt: Learnt::default(),
            fresh_intent: false,
            behind: false,
            rest: None,
        }
    }

    pub(super) fn scheduled(state: TriggerState) -> Self {
        Self::new(TriggerType::Scheduled, state)
    }

    pub(super) fn on_demand() -> Self {
        Self::new(TriggerType::OnDemand, TriggerState::Created)
    }

    pub(super) fn spec(mut self, change: impl FnOnce(&mut GlueTriggerSpec)) -> Self {
        change(&mut self.object.spec);
        self
    }

    pub(super) fn status(mut self, change: impl FnOnce(&mut GlueTriggerStatus)) -> Self {
        change(self.object.status.as_mut().expect("a status"));
        self
    }

    /// Its status speaks of the object as it is, and of this state as reached.
    fn held(self, reached: Activation) -> Self {
        let mut held = self.status(|status| status.reached = Some(reached));
        let plan = Scene { sight: Some(Sight::Here(in_state(reached))), ..held.clone() };
        let plan = plan.spec(|spec| spec.state = Some(reached)).plan();
        held.object.status = Some(plan.status);
        held
    }

    pub(super) fn plan(&self) -> ScenePlan {
        plan(&Facts {
            now: at(self.now),
            object: &self.object,
            inputs: Some(&()),
            leading: self.leading,
            blocked: self.blocked.clone(),
            unprepared: None,
            claim: self.claim.clone(),
            sight: self.sight.clone(),
            also: self.also.clone(),
            poll_problem: self.poll_problem.clone(),
            problem: self.problem.clone(),
            learnt: &self.learnt,
            fresh_intent: self.fresh_intent,
            behind: self.behind,
            rest: self.rest,
            settle: SETTLE,
            deletion_timeout: Duration::from_mins(10),
        })
    }

    /// Plans, and takes over the status as if it had been written, until it stands.
    pub(super) fn settled(mut self) -> (Self, Step<Act>) {
        for _ in 0..8 {
            let Plan { status, step } = self.plan();
            if self.object.status.as_ref() == Some(&status) {
                return (self, step);
            }
            self.object.status = Some(status);
        }
        panic!("the plan does not come to rest: {self:?}");
    }
}

pub(super) fn trigger(type_: TriggerType, state: TriggerState) -> Trigger {
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

pub(super) fn problem(class: Class) -> Problem {
    Problem { reason: class.reason().to_owned(), message: "words".to_owned(), class: Some(class) }
}

pub(super) fn job() -> Target {
    Target { kind: TargetKind::Job, name: "etl".to_owned() }
}

pub(super) fn newest(id: Option<&str>) -> Vec<Newest> {
    vec![Newest { target: job(), id: id.map(str::to_owned) }]
}

/// Reason of Ready, and whether it holds.
pub(super) fn ready(status: &GlueTriggerStatus) -> (&str, bool) {
    let ready = status.declared.condition("Ready").expect("Ready");
    (ready.reason.as_str(), ready.status == "True")
}

pub(super) fn types(status: &GlueTriggerStatus) -> Vec<&str> {
    status.declared.conditions.iter().map(|condition| condition.type_.as_str()).collect()
}

/// Each state of Glue under each state of the spec, reached before or not.
#[test]
fn a_trigger_is_brought_to_its_state_and_what_is_on_its_way_is_waited_out() {
    use Activation::{Activated, Deactivated};
    use TriggerState as Is;
    let rest = Step::Rest(None);
    for (state, wanted, reached, reason, step) in [
        (Is::Created, Activated, None, "Activating", Step::Act(Act::Activate)),
        (Is::Deactivated, Activated, None, "Activating", Step::Act(Act::Activate)),
        (Is::Activated, Deactivated, None, "Deactivating", Step::Act(Act::Deactivate)),
        (Is::Created, Deactivated, None, "Deactivated", rest.clone()),
        (Is::Deactivated, Deactivated, None, "Deactivated", rest.clone()),
        (Is::Activating, Activated, None, "Activating", rest.clone()),
        (Is::Activating, Deactivated, None, "Activating", rest.clone()),
        (Is::Deactivating, Activated, None, "Deactivating", rest.clone()),
        (Is::Creating, Activated, None, "Creating", rest.clone()),
        (Is::Updating, Activated, None, "Updating", rest.clone()),
        (Is::Deleting, Activated, None, "Deleting", rest.clone()),
        (Is::Unknown("NEW".to_owned()), Activated, None, "StateUnknown", rest.clone()),
        // Somebody else has done this.
        (Is::Deactivated, Activated, Some(Activated), "Drifted", Step::Act(Act::Activate)),
        (Is::Activated, Deactivated, Some(Deactivated), "Drifted", Step::Act(Act::Deactivate)),
        (Is::Deactivating, Activated, Some(Activated), "Deactivating", rest.clone()),
        // The spec has changed since.
        (Is::Activated, Deactivated, Some(Activated), "Deactivating", Step::Act(Act::Deactivate)),
        // Another trigger of the same name.
        (Is::Created, Activated, Some(Activated), "Activating", Step::Act(Act::Activate)),
    ] {
        let scene = Scene::scheduled(state.clone())
            .spec(|spec| spec.state = Some(wanted))
            .status(|status| status.reached = reached);
        let (after, taken) = scene.settled();
        let status = after.object.status.expect("a status");
        assert_eq!((ready(&status).0, &taken), (reason, &step), "{state:?}, {wanted:?} wanted, {reached:?} reached");
        assert_eq!(status.state.as_deref(), Some(state.as_str()));
        let ours = step != rest && reason != "Drifted";
        assert!(!ours || status.reached.is_none(), "{state:?}: what we change ourselves is no drift, whatever follows");
        assert_eq!(status.declared.observed_generation, 1);
    }
}

#[test]
fn an_activated_trigger_is_ready_and_shows_when_it_fires_next() {
    let (after, step) = Scene::scheduled(TriggerState::Activated).settled();
    let status = after.object.status.expect("a status");
    assert_eq!(ready(&status), ("Activated", true));
    let schedule = status.schedule.expect("a schedule");
    assert_eq!(schedule.words.as_deref(), Some("At 12:15, UTC"));
    let next = schedule.next.expect("a time").0;
    assert!(next > at(10));
    let Step::Rest(Some(pause)) = step else { panic!("{step:?}") };
    assert_eq!(pause.as_secs(), (next.as_second() - at(10).as_second() + 1).unsigned_abs());
    let (after, _) =
        Scene::scheduled(TriggerState::Deactivated).spec(|spec| spec.state = Some(Activation::Deactivated)).settled();
    assert_eq!(after.object.status.expect("a status").schedule.expect("a schedule").next, None);
}

#[test]
fn a_drift_is_only_told_where_the_policy_says_report() {
    let scene = Scene::scheduled(TriggerState::Deactivated)
        .held(Activation::Activated)
        .spec(|spec| spec.drift_policy = Some(DriftPolicy::Report));
    let (after, step) = scene.settled();
    let status = after.object.status.clone().expect("a status");
    assert_eq!((ready(&status), step), (("Drifted", false), Step::Rest(None)));
    assert_eq!(types(&status), ["Ready", "Stalled"]);
    let back = Scene { sight: Some(Sight::Here(in_state(Activation::Activated))), ..after.clone() };
    assert_eq!(types(&back.settled().0.object.status.expect("a status")), ["Ready"]);
    // The spec itself is another matter.
    let (_, step) = Scene::scheduled(TriggerState::Activated)
        .held(Activation::Activated)
        .spec(|spec| {
            spec.drift_policy = Some(DriftPolicy::Report);
            spec.state = Some(Activation::Deactivated);
        })
        .settled();
    assert_eq!(step, Step::Act(Act::Deactivate));
}

#[test]
fn nothing_is_sent_before_the_trigger_is_seen_again_nor_out_of_turn_nor_without_the_lease() {
    let scene = Scene::scheduled(TriggerState::Deactivated);
    assert_eq!(Scene { sight: None, ..scene.clone() }.settled().1, Step::Rest(None));
    assert_eq!(Scene { behind: true, ..scene.clone() }.settled().1, Step::Rest(None));
    assert_eq!(Scene { leading: false, ..scene.clone() }.settled().1, Step::Rest(None));
    assert_eq!(Scene { claim: Claim::Open, ..scene.clone() }.settled().1, Step::Rest(Some(Duration::from_secs(1))));
    let pause = Duration::from_secs(3);
    assert_eq!(Scene { rest: Some(pause), ..scene.clone() }.settled().1, Step::Rest(Some(pause)));
    let held = Scene { claim: Claim::HeldBy(("other".to_owned(), "older".to_owned())), ..scene };
    let (after, step) = held.settled();
    assert_eq!((ready(&after.object.status.expect("a status")), step), (("HeldByAnother", false), Step::Rest(None)));
}

/// What Glue refuses is said, tried again, and stays said until it goes through; a conflict passes unsaid.
#[test]
fn a_refusal_is_said_once_and_a_conflict_is_not() {
    for class in [Class::LimitExceeded, Class::Denied, Class::Throttled, Class::Busy] {
        let refused = Scene { problem: Some(problem(class)), ..Scene::scheduled(TriggerState::Created) };
        let (after, step) = refused.settled();
        assert_eq!(step, Step::Retry);
        let again = Scene { problem: None, ..after };
        let before = again.object.status.clone();
        let (after, step) = again.settled();
        assert_eq!((after.object.status == before, step), (true, Step::Act(Act::Activate)), "{class:?}");
        assert_eq!(ready(&before.expect("a status")).0, class.reason());
    }
    let conflict = Scene { problem: Some(problem(Class::Conflict)), ..Scene::scheduled(TriggerState::Created) };
    let (after, step) = conflict.settled();
    assert_eq!((ready(&after.object.status.expect("a status")).0, step), ("Activating", Step::Retry));
    // A time-out on Glue's side: it may have been done, so the trigger is seen first.
    let unclear =
        Scene { sight: None, problem: Some(problem(Class::Ambiguous)), ..Scene::scheduled(TriggerState::Created) };
    let (after, step) = unclear.settled();
    assert_eq!((ready(&after.object.status.expect("a status")).0, step), ("AnswerUnclear", Step::Rest(None)));
}

#[test]
fn a_trigger_that_is_gone_is_said_and_taken_up_again() {
    let gone =
        Scene { sight: Some(Sight::Gone), ..Scene::scheduled(TriggerState::Activated).held(Activation::Activated) };
    let (after, step) = gone.settled();
    let status = after.object.status.as_ref().expect("a status");
    assert_eq!((ready(status), status.state.as_deref(), status.reached), (("NotFound", false), None, None));
    assert_eq!(step, Step::Rest(None));
    let created = TriggerItem::Trigger(trigger(TriggerType::Scheduled, TriggerState::Created));
    let back = Scene { sight: Some(Sight::Here(created)), ..after };
    let (after, step) = back.settled();
    assert_eq!(
        (ready(after.object.status.as_ref().expect("a status")).0, step),
        ("Activating", Step::Act(Act::Activate))
    );
}

#[test]
fn the_finalizer_is_held_only_to_deactivate_a_trigger_that_has_a_state() {
    let deactivate = |spec: &mut GlueTriggerSpec| spec.deletion_policy = Some(TriggerDeletionPolicy::Deactivate);
    assert_eq!(Scene::scheduled(TriggerState::Created).spec(deactivate).settled().1, Step::Hold);
    assert_ne!(Scene::on_demand().spec(deactivate).settled().1, Step::Hold);
    let mut held = Scene::scheduled(TriggerState::Activated).spec(deactivate);
    held.object.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
    let release = Step::Release { left_behind: None };
    let retain = held.clone().spec(|spec| spec.deletion_policy = None);
    assert_eq!(retain.settled().1, release);

    held.object.metadata.deletion_timestamp = Some(Time(at(5)));
    let (after, step) = held.clone().settled();
    assert_eq!((ready(&after.object.status.expect("a status")).0, step), ("Deactivating", Step::Act(Act::Deactivate)));
    let seen = |state| Some(Sight::Here(TriggerItem::Trigger(trigger(TriggerType::Scheduled, state))));
    for (sight, expected) in [
        (seen(TriggerState::Deactivated), release.clone()),
        (seen(TriggerState::Created), release.clone()),
        (Some(Sight::Gone), release.clone()),
        (seen(TriggerState::Deactivating), Step::Rest(Some(Duration::from_secs(595)))),
        (None, Step::Rest(Some(Duration::from_secs(595)))),
    ] {
        assert_eq!(Scene { sight: sight.clone(), ..held.clone() }.settled().1, expected, "{sight:?}");
    }
    let others = Scene { claim: Claim::HeldBy(("a".to_owned(), "b".to_owned())), sight: None, ..held.clone() };
    assert_eq!(others.settled().1, release, "what another object holds is not deactivated");
    let blocked = Scene { blocked: Some(problem(Class::Denied)), sight: None, ..held };
    assert_eq!(blocked.clone().settled().1, Step::Retry);
    let late = Scene { now: 1000, ..blocked };
    assert_eq!(late.settled().1, Step::Release { left_behind: Some("nightly".to_owned()) });
}
