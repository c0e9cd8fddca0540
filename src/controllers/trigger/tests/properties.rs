//! Properties of the trigger plan: for any sequence of events every pass ends, no call is sent to a trigger that is in
//! transition or already in the spec's state, and after the last event the trigger reaches the spec's state.

use proptest::prelude::*;

use super::plan::{Fixture, problem, trigger};
use crate::api::declared::DriftPolicy;
use crate::api::trigger::{Activation, TriggerDeletionPolicy};
use crate::api::{FINALIZER, GlueTrigger};
use crate::controllers::runtime::step::Step;
use crate::controllers::trigger::calls::Call;
use crate::controllers::trigger::local_state::PassState;
use crate::glue::ErrorKind;
use crate::glue::poller::Observation;
use crate::glue::triggers::source::TriggerItem;
use crate::glue::triggers::{TriggerState, TriggerType};

/// An event that affects the trigger or its object.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The spec's state changes.
    Spec(Activation),
    /// Another caller switches the trigger.
    ByHand(Activation),
    /// Glue completes the transition.
    TransitionEnds,
    /// A poll observes the trigger, and a pass follows.
    Poll,
    /// A pass without a new observation.
    Pass,
    /// The next call fails with this error.
    NextCallFails(ErrorKind),
    /// The policies change.
    Policy(DriftPolicy, TriggerDeletionPolicy),
    /// The trigger is deleted in Glue, or created again.
    DeletedOrCreated,
    /// The status is lost.
    StatusLost,
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![Just(Activation::Activated), Just(Activation::Deactivated)]
}

fn event() -> impl Strategy<Value = Event> {
    let error = prop_oneof![
        Just(ErrorKind::Conflict),
        Just(ErrorKind::Throttled),
        Just(ErrorKind::LimitExceeded),
        Just(ErrorKind::Ambiguous),
        Just(ErrorKind::Denied)
    ];
    let drift = prop_oneof![Just(DriftPolicy::Correct), Just(DriftPolicy::Report)];
    let deletion = prop_oneof![Just(TriggerDeletionPolicy::Retain), Just(TriggerDeletionPolicy::Deactivate)];
    prop_oneof![
        3 => activation().prop_map(Event::Spec),
        2 => activation().prop_map(Event::ByHand),
        4 => Just(Event::TransitionEnds),
        6 => Just(Event::Poll),
        2 => Just(Event::Pass),
        1 => error.prop_map(Event::NextCallFails),
        1 => (drift, deletion).prop_map(|(drift, deletion)| Event::Policy(drift, deletion)),
        1 => Just(Event::DeletedOrCreated),
        1 => Just(Event::StatusLost),
    ]
}

/// An object and its trigger in Glue.
struct Model {
    fixture: Fixture,
    /// The state in Glue; none while the trigger does not exist.
    state: Option<TriggerState>,
    next_error: Option<ErrorKind>,
}

impl Model {
    fn new() -> Self {
        let fixture = Fixture { observation: None, ..Fixture::new(TriggerType::Scheduled, TriggerState::Created) };
        Self { fixture, state: Some(TriggerState::Created), next_error: None }
    }

    fn object(&mut self) -> &mut GlueTrigger {
        &mut self.fixture.object
    }

    fn apply(&mut self, event: Event) -> Result<(), TestCaseError> {
        match event {
            Event::Spec(activation) => {
                let object = self.object();
                object.spec.state = Some(activation);
                object.metadata.generation = object.metadata.generation.map(|generation| generation + 1);
                self.pass()
            }
            Event::ByHand(activation) => {
                if self.state.as_ref().is_some_and(|state| !state.is_transitional()) {
                    self.state = Some(transitional(activation));
                }
                Ok(())
            }
            Event::TransitionEnds => {
                self.end_transition();
                Ok(())
            }
            Event::Poll => self.poll(),
            Event::Pass => self.pass(),
            Event::NextCallFails(kind) => {
                self.next_error = Some(kind);
                Ok(())
            }
            Event::Policy(drift, deletion) => {
                let spec = &mut self.object().spec;
                spec.drift_policy = Some(drift);
                spec.deletion_policy = Some(deletion);
                self.pass()
            }
            Event::DeletedOrCreated => {
                self.state = if self.state.is_some() { None } else { Some(TriggerState::Created) };
                Ok(())
            }
            Event::StatusLost => {
                self.object().status = Fixture::on_demand().object.status;
                self.pass()
            }
        }
    }

    fn end_transition(&mut self) {
        self.state = self.state.take().map(|state| match state {
            TriggerState::Activating => TriggerState::Activated,
            TriggerState::Deactivating => TriggerState::Deactivated,
            other => other,
        });
    }

    fn poll(&mut self) -> Result<(), TestCaseError> {
        self.fixture.observation = Some(self.state.clone().map_or(Observation::NotFound, |state| {
            Observation::Present(TriggerItem::Trigger(trigger(TriggerType::Scheduled, state)))
        }));
        self.pass()
    }

    /// One pass, as the reconciler makes it.
    fn pass(&mut self) -> Result<(), TestCaseError> {
        self.fixture.problem = None;
        self.fixture.state = PassState::default();
        for _ in 0..12 {
            let plan = self.fixture.plan();
            if self.fixture.object.status.as_ref() != Some(&plan.status) {
                self.object().status = Some(plan.status);
                continue;
            }
            match plan.step {
                Step::AddFinalizer => self.object().metadata.finalizers = Some(vec![FINALIZER.to_owned()]),
                Step::RemoveFinalizer { .. } => self.object().metadata.finalizers = None,
                Step::Call(Call::Activate) => self.switch(Activation::Activated)?,
                Step::Call(Call::Deactivate) => self.switch(Activation::Deactivated)?,
                Step::AwaitChange | Step::RequeueAfter(_) | Step::Backoff => return Ok(()),
                other => return Err(TestCaseError::fail(format!("unexpected step {other:?}"))),
            }
        }
        Err(TestCaseError::fail("the pass does not end"))
    }

    fn switch(&mut self, to: Activation) -> Result<(), TestCaseError> {
        let Some(Observation::Present(TriggerItem::Trigger(seen))) = &self.fixture.observation else {
            return Err(TestCaseError::fail("a call without an observation"));
        };
        prop_assert!(!seen.state.is_transitional(), "a call during a transition");
        prop_assert_eq!(self.fixture.object.spec.state.unwrap_or_default(), to, "the call does not match the spec");
        let is_applied = (seen.state == TriggerState::Activated) == (to == Activation::Activated);
        prop_assert!(!is_applied, "a call to a trigger that is {:?} already", seen.state);
        let error = self.next_error.take();
        self.fixture.problem = error.map(problem);
        if error.is_none() && self.state.as_ref().is_some_and(|state| !state.is_transitional()) {
            self.state = Some(transitional(to));
        }
        if error.is_none_or(|kind| kind == ErrorKind::Ambiguous) {
            // The observation is outdated.
            self.fixture.observation = None;
        }
        Ok(())
    }
}

fn transitional(to: Activation) -> TriggerState {
    match to {
        Activation::Activated => TriggerState::Activating,
        Activation::Deactivated => TriggerState::Deactivating,
    }
}

proptest! {
    #[test]
    fn after_any_events_the_trigger_reaches_the_spec_state(events in prop::collection::vec(event(), 0..40)) {
        let mut model = Model::new();
        for event in events {
            model.apply(event)?;
        }
        // No more events; drift is corrected.
        model.next_error = None;
        model.object().spec.drift_policy = Some(DriftPolicy::Correct);
        if model.state.is_none() {
            model.state = Some(TriggerState::Created);
        }
        for _ in 0..6 {
            model.end_transition();
            model.poll()?;
        }
        let desired = model.fixture.object.spec.state.unwrap_or_default();
        let state = model.state.clone().expect("a state");
        prop_assert_eq!(state == TriggerState::Activated, desired == Activation::Activated);
        prop_assert!(!state.is_transitional());
        let status = model.fixture.object.status.clone().expect("a status");
        prop_assert_eq!(status.declared.condition("Ready").map(|ready| ready.status.as_str()), Some("True"));
        prop_assert_eq!(status.last_applied_state, Some(desired));
        let has_finalizer = model.fixture.object.metadata.finalizers.is_some();
        let deactivate = model.fixture.object.spec.deletion_policy == Some(TriggerDeletionPolicy::Deactivate);
        prop_assert_eq!(has_finalizer, deactivate);
        // Another pass changes nothing.
        model.poll()?;
        prop_assert_eq!(Some(status), model.fixture.object.status);
    }
}
