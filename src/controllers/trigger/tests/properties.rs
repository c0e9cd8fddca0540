//! The plan by properties: whatever happens to a trigger and to its object, every pass comes to rest, nothing is
//! sent to a trigger on its way or in the state that is asked for, and when nothing happens any more the trigger
//! is where the spec wants it.

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

/// What can happen next.
#[derive(Clone, Copy, Debug)]
enum Happens {
    /// The spec asks for this state.
    Spec(Activation),
    /// Somebody switches the trigger by hand.
    ByHand(Activation),
    /// It comes to where it was on its way to.
    Arrives,
    /// A poll shows it, and a pass follows.
    Poll,
    /// A pass, for whatever reason.
    Wake,
    /// Glue refuses the next switch.
    Refuses(ErrorKind),
    /// The policies change.
    Policy(DriftPolicy, TriggerDeletionPolicy),
    /// It is deleted in Glue, or created again.
    GoesOrComes,
    /// The status is lost.
    Forgets,
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![Just(Activation::Activated), Just(Activation::Deactivated)]
}

fn happens() -> impl Strategy<Value = Happens> {
    let class = prop_oneof![
        Just(ErrorKind::Conflict),
        Just(ErrorKind::Throttled),
        Just(ErrorKind::LimitExceeded),
        Just(ErrorKind::Ambiguous),
        Just(ErrorKind::Denied)
    ];
    let drift = prop_oneof![Just(DriftPolicy::Correct), Just(DriftPolicy::Report)];
    let deletion = prop_oneof![Just(TriggerDeletionPolicy::Retain), Just(TriggerDeletionPolicy::Deactivate)];
    prop_oneof![
        3 => activation().prop_map(Happens::Spec),
        2 => activation().prop_map(Happens::ByHand),
        4 => Just(Happens::Arrives),
        6 => Just(Happens::Poll),
        2 => Just(Happens::Wake),
        1 => class.prop_map(Happens::Refuses),
        1 => (drift, deletion).prop_map(|(drift, deletion)| Happens::Policy(drift, deletion)),
        1 => Just(Happens::GoesOrComes),
        1 => Just(Happens::Forgets),
    ]
}

/// An object and its trigger in Glue.
struct Lifecycle {
    fixture: Fixture,
    /// Its state in Glue, while it is there.
    state: Option<TriggerState>,
    refuses: Option<ErrorKind>,
}

impl Lifecycle {
    fn new() -> Self {
        let fixture = Fixture { observation: None, ..Fixture::new(TriggerType::Scheduled, TriggerState::Created) };
        Self { fixture, state: Some(TriggerState::Created), refuses: None }
    }

    fn object(&mut self) -> &mut GlueTrigger {
        &mut self.fixture.object
    }

    fn happen(&mut self, happens: Happens) -> Result<(), TestCaseError> {
        match happens {
            Happens::Spec(activation) => {
                let object = self.object();
                object.spec.state = Some(activation);
                object.metadata.generation = object.metadata.generation.map(|generation| generation + 1);
                self.pass()
            }
            Happens::ByHand(activation) => {
                if self.state.as_ref().is_some_and(|state| !state.is_transitional()) {
                    self.state = Some(on_the_way(activation));
                }
                Ok(())
            }
            Happens::Arrives => {
                self.arrive();
                Ok(())
            }
            Happens::Poll => self.poll(),
            Happens::Wake => self.pass(),
            Happens::Refuses(kind) => {
                self.refuses = Some(kind);
                Ok(())
            }
            Happens::Policy(drift, deletion) => {
                let spec = &mut self.object().spec;
                spec.drift_policy = Some(drift);
                spec.deletion_policy = Some(deletion);
                self.pass()
            }
            Happens::GoesOrComes => {
                self.state = if self.state.is_some() { None } else { Some(TriggerState::Created) };
                Ok(())
            }
            Happens::Forgets => {
                self.object().status = Fixture::on_demand().object.status;
                self.pass()
            }
        }
    }

    fn arrive(&mut self) {
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

    /// One pass, as the shell makes it.
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
                other => return Err(TestCaseError::fail(format!("nothing asks for {other:?}"))),
            }
        }
        Err(TestCaseError::fail("a pass without end"))
    }

    fn switch(&mut self, to: Activation) -> Result<(), TestCaseError> {
        let Some(Observation::Present(TriggerItem::Trigger(seen))) = &self.fixture.observation else {
            return Err(TestCaseError::fail("sent without a observation"));
        };
        prop_assert!(!seen.state.is_transitional(), "sent to a trigger on its way");
        prop_assert_eq!(self.fixture.object.spec.state.unwrap_or_default(), to, "not what the spec asks for");
        let is_there = (seen.state == TriggerState::Activated) == (to == Activation::Activated);
        prop_assert!(!is_there, "sent to a trigger that is {:?} already", seen.state);
        let refusal = self.refuses.take();
        self.fixture.problem = refusal.map(problem);
        if refusal.is_none() && self.state.as_ref().is_some_and(|state| !state.is_transitional()) {
            self.state = Some(on_the_way(to));
        }
        if refusal.is_none_or(|kind| kind == ErrorKind::Ambiguous) {
            // What was seen before says nothing any more.
            self.fixture.observation = None;
        }
        Ok(())
    }
}

fn on_the_way(to: Activation) -> TriggerState {
    match to {
        Activation::Activated => TriggerState::Activating,
        Activation::Deactivated => TriggerState::Deactivating,
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_trigger_ends_where_the_spec_wants_it(story in prop::collection::vec(happens(), 0..40)) {
        let mut life = Lifecycle::new();
        for happens in story {
            life.happen(happens)?;
        }
        // From here on nobody meddles, and drift is put right.
        life.refuses = None;
        life.object().spec.drift_policy = Some(DriftPolicy::Correct);
        if life.state.is_none() {
            life.state = Some(TriggerState::Created);
        }
        for _ in 0..6 {
            life.arrive();
            life.poll()?;
        }
        let wanted = life.fixture.object.spec.state.unwrap_or_default();
        let is = life.state.clone().expect("a state");
        prop_assert_eq!(is == TriggerState::Activated, wanted == Activation::Activated);
        prop_assert!(!is.is_transitional());
        let status = life.fixture.object.status.clone().expect("a status");
        prop_assert_eq!(status.declared.condition("Ready").map(|ready| ready.status.as_str()), Some("True"));
        prop_assert_eq!(status.last_applied_state, Some(wanted));
        let held = life.fixture.object.metadata.finalizers.is_some();
        let deactivate = life.fixture.object.spec.deletion_policy == Some(TriggerDeletionPolicy::Deactivate);
        prop_assert_eq!(held, deactivate);
        // Once more changes nothing.
        life.poll()?;
        prop_assert_eq!(Some(status), life.fixture.object.status);
    }
}
