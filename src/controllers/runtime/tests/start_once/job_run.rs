//! `GlueJobRun`: each run carries the key of its attempt, by which it is found again.

use std::time::Duration;

use tokio::time::Instant;

use super::object::{Object, Pass};
use super::world::{Transition, World, problem};
use super::{Exploration, Mutation, Subject};
use crate::api::run::{Phase, RunStatus};
use crate::controllers::run::calls::{Call, Plan, RunQuery};
use crate::controllers::run::facts::{Observation, ObservedRun, PassState};
use crate::controllers::run::lifecycle::intent;
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::run::tests::fixture::{Fixture, observed};
use crate::controllers::runtime::start_once::{Intent, Lookup, StartOutcome, StartState};
use crate::glue::ErrorKind;
use crate::glue::job_runs::{attempt_key, parse_attempt_key};

#[derive(Clone, Debug)]
pub struct JobRun;

/// The run with this number.
fn run(number: usize) -> ObservedRun {
    ObservedRun { id: format!("jr_{number}"), ..observed(Phase::Running) }
}

impl Subject for JobRun {
    type Status = RunStatus;
    type Spec = ();
    type PassState = PassState;
    type Local = RunLocalState;
    type Call = Call;
    type Notes = ();

    const VISIBLE: usize = 3;

    fn initial(&self) -> ((), RunStatus) {
        ((), RunStatus::unobserved())
    }

    fn intent(status: &RunStatus) -> Option<Intent> {
        intent(status)
    }

    fn observe(local: &mut RunLocalState, object: &Object<Self>, now: Instant) {
        local.observe(&object.status, now);
    }

    fn begin(&self, world: &World<Self>, who: usize, object: &Object<Self>) -> Vec<PassState> {
        let knows = !world.is(Mutation::LostStatusIsNotLookedUp);
        let local = &world.controllers[who].local;
        let had_earlier_attempt = knows && (object.finalizer || local.had_attempt());
        let at_once = world.is(Mutation::LostStatusSettlesAtOnce);
        let lost_for = local.lost_for(world.instant()).map(|lost_for| if at_once { Duration::MAX } else { lost_for });
        let start = StartState::resume(world.controllers[who].tracker.outcome());
        vec![PassState { had_earlier_attempt, lost_for, start, ..PassState::default() }]
    }

    fn plan(&self, world: &World<Self>, pass: &Pass<Self>) -> Plan {
        let id = pass.object.status.attempt().and_then(|attempt| attempt.id.clone());
        let fixture = Fixture {
            now: world.clock,
            status: pass.object.status.clone(),
            state: pass.state.clone(),
            fresh_intent: pass.fresh_intent,
            intent_age: i64::try_from(pass.intent_age.as_secs()).expect("seconds"),
            observation: id.map(|id| Observation::Present(ObservedRun { id, ..run(0) })),
            ..Fixture::new()
        };
        if pass.object.finalizer { fixture.with_finalizer() } else { fixture }.plan()
    }

    fn on_status_written(&self, _: &mut World<Self>, pass: &mut Pass<Self>, before: &RunStatus, records_intent: bool) {
        let after = pass.object.status.clone();
        pass.state.on_status_written(before, &after, records_intent);
    }

    fn call(&self, world: &World<Self>, who: usize, call: &Call) -> Vec<Transition<Self>> {
        let Call::LookUp(RunQuery { base_key, attempt, .. }) = call else {
            panic!("no plan of the model asks for {call:?}")
        };
        let intent_age = world.mutated_age(who);
        let key = attempt.map_or_else(|| format!("{base_key}/*"), |number| attempt_key(base_key, number));
        let is_ours = |label: &str| {
            parse_attempt_key(label)
                .is_some_and(|(base, number)| base == base_key && attempt.is_none_or(|it| it == number))
        };
        let found = |lags: bool| world.shown(lags).into_iter().find(|number| is_ours(&world.started[*number].label));
        let shown =
            |lags: bool| found(lags).map_or(Lookup::NotFound { intent_age }, |number| Lookup::Found(run(number)));
        let look = |lookup: Lookup<ObservedRun>| {
            move |next: &mut World<Self>| {
                if let Some(pass) = next.pass_mut(who) {
                    pass.state.start.lookup = Some(lookup);
                }
            }
        };
        let mut next = vec![world.then(format!("{who} looks up {key}: {:?}", found(false)), look(shown(false)))];
        let failed = world.failed_lookup(problem(ErrorKind::Ambiguous));
        next.extend(world.fault(format!("{who} cannot look up {key}"), look(failed)));
        if world.has_lag() {
            next.extend(world.fault(format!("{who} looks up {key} before Glue shows it"), look(shown(true))));
        }
        next
    }

    fn is_start(call: &Call) -> bool {
        *call == Call::Start
    }

    fn label(status: &RunStatus) -> String {
        status.attempt().expect("an attempt").key.clone()
    }

    fn answer(started: usize) -> StartOutcome {
        StartOutcome::Started(format!("jr_{started}"))
    }

    fn on_sent(pass: &mut Pass<Self>, outcome: StartOutcome) {
        pass.state.start.on_sent(outcome);
    }

    fn environment(&self, world: &World<Self>) -> Vec<Transition<Self>> {
        let mut next = Vec::new();
        // Without both, an object looks like a new one for some minutes.
        let lists_all = !world.object.status.attempts.is_empty() || world.started.is_empty() && world.is_shown();
        if world.object.finalizer && lists_all {
            next.extend(world.fault("kubectl replace removes the finalizer", |next| {
                next.put(|finalizer, (), _| *finalizer = false);
            }));
            // A controller that has not seen the attempt does not notice that it was lost.
            let is_noticed = world.active() == 1 && world.controllers[0].local.had_attempt();
            if is_noticed || world.is_shown() {
                next.extend(world.fault("the status is lost", |next| {
                    next.put(|_, (), status| *status = JobRun.initial().1);
                }));
            }
        }
        next
    }

    /// A restart forgets when the status was lost, so the model has none until what was started before is shown.
    fn may_crash(&self, world: &World<Self>) -> bool {
        let is_lost = world.object.finalizer && world.object.status.attempts.is_empty();
        !is_lost || world.is_shown()
    }

    fn violation(&self, world: &World<Self>) -> Option<String> {
        (world.started.len() > 1).then(|| format!("{} runs", world.started.len()))
    }

    fn is_settled(&self, world: &World<Self>) -> bool {
        let id = world.object.status.attempt().and_then(|attempt| attempt.id.as_deref());
        world.started.len() == 1 && id == Some("jr_0")
    }
}

#[test]
fn however_it_goes_a_job_runs_once() {
    for (controllers, faults) in [(1, 3), (2, 0), (2, 1)] {
        let states = Exploration::new(JobRun, controllers, faults).explore();
        println!("{controllers} controllers, {faults} faults: {states} states");
        assert!(states > 100, "the model has only {states} states");
    }
}
