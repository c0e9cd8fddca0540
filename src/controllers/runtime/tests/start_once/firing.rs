//! `GlueTrigger` of type ON_DEMAND: each value of `spec.fire` is fired once, in order.

use super::object::{Object, Pass};
use super::world::{Transition, World, problem};
use super::{Exploration, Mutation, Subject};
use crate::api::GlueTrigger;
use crate::api::trigger::{Baseline, GlueTriggerStatus, Started};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::runtime::start_once::{Intent, Lookup, StartOutcome, StartState};
use crate::controllers::runtime::step::Plan;
use crate::controllers::trigger::calls::Call;
use crate::controllers::trigger::local_state::{BaselineReading, FoundRuns, PassState};
use crate::controllers::trigger::tests::firing::wants_a;
use crate::controllers::trigger::tests::plan::{Fixture, job};
use crate::glue::ErrorKind;

#[derive(Clone, Debug)]
pub struct Firing {
    /// Whether the value may be replaced by another one.
    pub replaceable: bool,
}

/// The generation, and the value of `spec.fire`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spec {
    generation: i64,
    fire: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Notes {
    replaced: bool,
    /// Whether the status was lost: what was not fired by then is not fired any more.
    lost: bool,
}

impl World<Firing> {
    fn baseline(&self, lags: bool) -> BaselineReading {
        let last = self.shown(lags).last().copied().filter(|_| !self.is(Mutation::NoBaselineIsRecorded));
        let id = last.map(|number| format!("jr_{number}"));
        BaselineReading { baseline: vec![Baseline { target: job(), id }], has_started: false }
    }

    fn newer(&self, lags: bool, baseline: &[Baseline]) -> Vec<Started> {
        let last = baseline.first().and_then(|newest| newest.id.as_ref());
        let last = last.and_then(|id| id[3..].parse::<usize>().ok());
        let newer = self.shown(lags).into_iter().filter(|number| last.is_none_or(|last| *number > last));
        let started = newer.map(|number| Started {
            target: job(),
            id: format!("jr_{number}"),
            state: Some("RUNNING".to_owned()),
            ended: false,
            failed: false,
            message: None,
        });
        started.collect()
    }
}

/// A read by the pass: its state changes, and `kind` is the error that it failed with.
fn reads(who: usize, kind: Option<ErrorKind>, change: impl FnOnce(&mut PassState)) -> impl FnOnce(&mut World<Firing>) {
    move |next: &mut World<Firing>| {
        if let Some(pass) = next.pass_mut(who) {
            change(&mut pass.state);
            pass.problem = kind.map(problem);
        }
    }
}

impl Subject for Firing {
    type Status = GlueTriggerStatus;
    type Spec = Spec;
    type PassState = PassState;
    type Local = ();
    type Call = Call;
    type Notes = Notes;

    const VISIBLE: usize = 3;

    fn initial(&self) -> (Spec, GlueTriggerStatus) {
        let object = wants_a().object;
        let spec = Spec { generation: object.metadata.generation.expect("one"), fire: object.spec.fire };
        (spec, object.status.expect("a status"))
    }

    fn intent(status: &GlueTriggerStatus) -> Option<Intent> {
        GlueTrigger::intent(status)
    }

    /// The watch delivers every version, so the pass knows each value up to its own.
    fn begin(&self, world: &World<Self>, who: usize, object: &Object<Self>) -> Vec<PassState> {
        let delivered = [(2, Some("a".to_owned())), (3, Some("b".to_owned()))];
        let delivered = delivered.into_iter().filter(|(generation, _)| *generation <= object.spec.generation);
        vec![PassState {
            delivered_fires: delivered.collect(),
            existed_before: true,
            start: StartState::resume(world.controllers[who].tracker.outcome()),
            ..PassState::default()
        }]
    }

    fn plan(&self, world: &World<Self>, pass: &Pass<Self>) -> Plan<GlueTriggerStatus, Call> {
        let mut object = wants_a().object;
        object.metadata.generation = Some(pass.object.spec.generation);
        object.spec.fire.clone_from(&pass.object.spec.fire);
        object.status = Some(pass.object.status.clone());
        Fixture {
            now: world.clock,
            object,
            state: pass.state.clone(),
            fresh_intent: pass.fresh_intent,
            intent_age: pass.intent_age,
            problem: pass.problem.clone(),
            ..Fixture::on_demand()
        }
        .plan()
    }

    fn on_status_written(
        &self,
        _: &mut World<Self>,
        pass: &mut Pass<Self>,
        _: &GlueTriggerStatus,
        records_intent: bool,
    ) {
        if records_intent {
            GlueTrigger::on_intent_recorded(&mut pass.state);
        }
    }

    fn call(&self, world: &World<Self>, who: usize, call: &Call) -> Vec<Transition<Self>> {
        let mut next = Vec::new();
        match call {
            Call::ReadBaseline { .. } => {
                let read =
                    |baseline| reads(who, None, move |state: &mut PassState| state.baseline = Some(Ok(baseline)));
                next.push(world.then(format!("{who} reads the baseline"), read(world.baseline(false))));
                let failed = |state: &mut PassState| state.baseline = Some(Err(problem(ErrorKind::Ambiguous)));
                let failed = reads(who, Some(ErrorKind::Ambiguous), failed);
                next.extend(world.fault(format!("{who} cannot read the baseline"), failed));
                if world.has_lag() {
                    let lagging = read(world.baseline(true));
                    next.extend(world.fault(format!("{who} reads a baseline that lags"), lagging));
                }
            }
            Call::LookUp(baseline) => {
                let intent_age = world.mutated_age(who);
                let look = |started| {
                    let lookup = Lookup::Found(FoundRuns { started, intent_age });
                    reads(who, None, move |state: &mut PassState| state.start.lookup = Some(lookup))
                };
                let found = world.newer(false, baseline);
                next.push(world.then(format!("{who} looks up its runs: {}", found.len()), look(found)));
                let failed = world.failed_lookup(problem(ErrorKind::Ambiguous));
                let failed = reads(who, Some(ErrorKind::Ambiguous), move |state: &mut PassState| {
                    state.start.lookup = Some(failed);
                });
                next.extend(world.fault(format!("{who} cannot look up its runs"), failed));
                if world.has_lag() {
                    let lagging = look(world.newer(true, baseline));
                    next.extend(world.fault(format!("{who} looks up its runs before Glue shows them"), lagging));
                }
            }
            Call::Activate | Call::Deactivate | Call::Fire => panic!("no plan of the model asks for {call:?}"),
        }
        next
    }

    fn is_start(call: &Call) -> bool {
        *call == Call::Fire
    }

    fn label(status: &GlueTriggerStatus) -> String {
        status.last_firing.as_ref().expect("an intent").value.clone()
    }

    fn answer(_: usize) -> StartOutcome {
        StartOutcome::Accepted
    }

    fn on_sent(pass: &mut Pass<Self>, outcome: StartOutcome) {
        pass.state.sent = true;
        pass.state.baseline = None;
        pass.state.start.on_sent(outcome);
    }

    fn environment(&self, world: &World<Self>) -> Vec<Transition<Self>> {
        let mut next = Vec::new();
        if self.replaceable && !world.notes.replaced {
            next.push(world.then("spec.fire is set to b", |next| {
                next.notes.replaced = true;
                next.put(|_, spec, _| *spec = Spec { generation: 3, fire: Some("b".to_owned()) });
            }));
        }
        if !world.notes.lost {
            next.extend(world.fault("the status is lost", |next| {
                next.notes.lost = true;
                next.put(|_, _, status| *status = Fixture::on_demand().object.status.expect("a status"));
            }));
        }
        next
    }

    fn violation(&self, world: &World<Self>) -> Option<String> {
        let fired: Vec<_> = world.started.iter().map(|run| run.label.as_str()).collect();
        let in_order = ["", "a", "b", "ab"].contains(&fired.concat().as_str());
        (!in_order).then(|| format!("fired for {fired:?}"))
    }

    fn is_settled(&self, world: &World<Self>) -> bool {
        let status = &world.object.status;
        let open = status.last_firing.as_ref().is_some_and(|last| !last.runs_resolved);
        if open
            || !status.pending_fires.is_empty()
            || status.declared.observed_generation < world.object.spec.generation
        {
            return false;
        }
        let firings = status.earlier_firings.iter().chain(&status.last_firing);
        let recorded: Vec<_> = firings.map(|firing| firing.value.as_str()).collect();
        let fired: Vec<_> = world.started.iter().map(|run| run.label.as_str()).collect();
        world.notes.lost || fired == recorded && fired.last().copied() == world.object.spec.fire.as_deref()
    }
}

#[test]
fn however_it_goes_each_value_is_fired_once_and_in_order() {
    for (controllers, faults, replaceable) in [(1, 2, false), (1, 1, true), (2, 0, false)] {
        let states = Exploration::new(Firing { replaceable }, controllers, faults).explore();
        println!("{controllers} controllers, {faults} faults, replaceable {replaceable}: {states} states");
        assert!(states > 100, "the model has only {states} states");
    }
}
