//! `GlueWorkflowRun`: a run that has ended is resumed once for a value of `spec.resume`. (Its start is that of a job run.)
//!
//! A resumed run carries no key of its attempt. It is known by the run that it resumes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::object::{Object, Pass};
use super::world::{Transition, World, problem};
use super::{Exploration, Subject};
use crate::api::run::{Attempt, Phase, RunStatus};
use crate::controllers::run::calls::{Call, Plan, RunQuery};
use crate::controllers::run::facts::{Observation, ObservedRun, PassState, Resumable};
use crate::controllers::run::lifecycle::intent;
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::run::tests::fixture::{Fixture, at, live, observed};
use crate::controllers::runtime::start_once::{Intent, Lookup, StartOutcome, StartState};
use crate::glue::ErrorKind;

/// The run that has failed.
const FAILED: &str = "wr_failed";
/// The value of `spec.resume`.
const VALUE: &str = "again";

#[derive(Clone, Debug)]
pub struct ResumedRun;

/// The run with this number.
fn run(number: usize) -> ObservedRun {
    ObservedRun { id: format!("wr_{number}"), ..observed(Phase::Running) }
}

impl World<ResumedRun> {
    /// A run that resumes the failed one, as far as Glue shows it.
    fn continuation(&self, lags: bool) -> Option<ObservedRun> {
        self.shown(lags).into_iter().next().map(run)
    }

    fn reads(&self, who: usize, label: &str, state: impl FnOnce(&mut PassState)) -> Transition<ResumedRun> {
        self.then(format!("{who} {label}"), |next| {
            if let Some(pass) = next.pass_mut(who) {
                state(&mut pass.state);
            }
        })
    }
}

impl Subject for ResumedRun {
    type Status = RunStatus;
    type Spec = ();
    type PassState = PassState;
    type Local = RunLocalState;
    type Call = Call;
    type Notes = ();

    const VISIBLE: usize = 3;

    fn initial(&self) -> ((), RunStatus) {
        let failed = Attempt {
            id: Some(FAILED.to_owned()),
            state: Some("COMPLETED".to_owned()),
            ended_at: Some(Time(at(5))),
            ..live()
        };
        let status = RunStatus { observed_generation: 1, phase: Some(Phase::Failed), ..RunStatus::default() };
        ((), RunStatus { attempts: vec![failed], ..status })
    }

    fn intent(status: &RunStatus) -> Option<Intent> {
        intent(status)
    }

    fn begin(&self, world: &World<Self>, who: usize, _: &Object<Self>) -> Vec<PassState> {
        let start = StartState::resume(world.controllers[who].tracker.outcome());
        vec![PassState { start, ..PassState::default() }]
    }

    fn plan(&self, world: &World<Self>, pass: &Pass<Self>) -> Plan {
        let attempt = pass.object.status.attempt().filter(|attempt| attempt.ended_at.is_none());
        let id = attempt.and_then(|attempt| attempt.id.clone());
        let fixture = Fixture {
            now: world.clock,
            status: pass.object.status.clone(),
            state: pass.state.clone(),
            fresh_intent: pass.fresh_intent,
            intent_age: i64::try_from(pass.intent_age.as_secs()).expect("seconds"),
            observation: id.map(|id| Observation::Present(ObservedRun { id, ..run(0) })),
            resume: Some(VALUE.to_owned()),
            ..Fixture::new()
        };
        if pass.object.finalizer { fixture.with_finalizer() } else { fixture }.plan()
    }

    fn on_status_written(&self, _: &mut World<Self>, pass: &mut Pass<Self>, before: &RunStatus, records_intent: bool) {
        let after = pass.object.status.clone();
        pass.state.on_status_written(before, &after, records_intent);
    }

    fn call(&self, world: &World<Self>, who: usize, call: &Call) -> Vec<Transition<Self>> {
        match call {
            Call::ReadResumable { run } => {
                assert_eq!(run, FAILED);
                let resumable = |resumed_by| Resumable { resumed_by, nodes: vec!["wnode".to_owned()], obstacle: None };
                let shown = resumable(world.continuation(false));
                let mut next = vec![world.reads(who, "reads what failed", |state| state.resumable = Some(Ok(shown)))];
                next.extend(world.fault(format!("{who} cannot read what failed"), |next| {
                    if let Some(pass) = next.pass_mut(who) {
                        pass.state.resumable = Some(Err(problem(ErrorKind::Ambiguous)));
                    }
                }));
                next
            }
            Call::LookUp(RunQuery { resumes, .. }) => {
                assert_eq!(resumes.as_deref(), Some(FAILED));
                let intent_age = world.mutated_age(who);
                let lookup = |found: Option<ObservedRun>| found.map_or(Lookup::NotFound { intent_age }, Lookup::Found);
                let look = |lookup: Lookup<ObservedRun>| {
                    move |next: &mut World<Self>| {
                        if let Some(pass) = next.pass_mut(who) {
                            pass.state.start.lookup = Some(lookup);
                        }
                    }
                };
                let mut next = vec![
                    world.then(format!("{who} looks for a continuation"), look(lookup(world.continuation(false)))),
                ];
                let failed = world.failed_lookup(problem(ErrorKind::Ambiguous));
                next.extend(world.fault(format!("{who} cannot look for a continuation"), look(failed)));
                if world.has_lag() {
                    let late = look(lookup(world.continuation(true)));
                    next.extend(world.fault(format!("{who} looks before Glue shows the continuation"), late));
                }
                next
            }
            call => panic!("no plan of the model asks for {call:?}"),
        }
    }

    fn is_start(call: &Call) -> bool {
        *call == Call::Start
    }

    fn label(status: &RunStatus) -> String {
        status.attempt().expect("an attempt").key.clone()
    }

    fn answer(started: usize) -> StartOutcome {
        StartOutcome::Started(format!("wr_{started}"))
    }

    fn on_sent(pass: &mut Pass<Self>, outcome: StartOutcome) {
        pass.state.start.on_sent(outcome);
    }

    fn environment(&self, world: &World<Self>) -> Vec<Transition<Self>> {
        let mut next = Vec::new();
        if world.object.finalizer {
            next.extend(world.fault("kubectl replace removes the finalizer", |next| {
                next.put(|finalizer, (), _| *finalizer = false);
            }));
        }
        next
    }

    fn violation(&self, world: &World<Self>) -> Option<String> {
        (world.started.len() > 1).then(|| format!("{} continuations", world.started.len()))
    }

    fn is_settled(&self, world: &World<Self>) -> bool {
        let status = &world.object.status;
        let id = status.attempt().and_then(|attempt| attempt.id.as_deref());
        world.started.len() == 1 && id == Some("wr_0") && status.last_handled_resume.as_deref() == Some(VALUE)
    }
}

#[test]
fn however_it_goes_a_run_is_resumed_once() {
    for (controllers, faults) in [(1, 3), (2, 0), (2, 1)] {
        let states = Exploration::new(ResumedRun, controllers, faults).explore();
        println!("{controllers} controllers, {faults} faults: {states} states");
        assert!(states > 100, "the model has only {states} states");
    }
}
