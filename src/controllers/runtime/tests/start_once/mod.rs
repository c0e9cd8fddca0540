//! A model of the start protocol, explored to the end for every kind that starts something.
//!
//! The model checker (stateright) explores every interleaving of crashes, lost answers, calls that hang, stale caches,
//! lookups that fail or lag, metadata or a status that is lost, a second controller that believes it leads too, and
//! starts that somebody else makes. The plans are the product's own. However it goes, Glue has at most one start per
//! attempt, and once the faults stop, a fair continuation comes to an end: exactly one start, recorded in the object,
//! and then no further write.
//!
//! The model keeps the reconciler's rules: a patch needs the resource version that it was decided on; a start is sent
//! only by the pass that wrote its intent, and not after the settle time has passed; what was sent takes effect within
//! the settle time or never, and every lookup shows it after that. [`Mutation`] breaks one rule at a time: the model
//! must find each of them.
//!
//! | module | what it is |
//! |---|---|
//! | `world`, `object` | the state: the object, Glue, the controllers, and what can happen next |
//! | `continuation` | whether a state leads to an end when nothing goes wrong any more |
//! | `stability` | whether every fair continuation of every state ends, and then writes nothing |
//! | `mutations` | the rules that can be broken, and that each is found |
//! | `job_run`, `workflow_run`, `crawl`, `firing`, `connection` | what each kind adds |

mod connection;
mod continuation;
mod crawl;
mod firing;
mod job_run;
mod mutations;
mod object;
mod stability;
mod workflow_run;
mod world;

use std::fmt::Debug;

use kube_glue_testbed::Proof;
use stateright::{Checker, Model, Property};
use tokio::time::Instant;

use self::mutations::Mutation;
use self::world::{Transition, World};
use crate::controllers::runtime::start_once::{Intent, StartOutcome};
use crate::controllers::runtime::step::Plan;

/// A kind, as far as the start protocol concerns it.
trait Subject: Clone + Debug + Send + Sync + 'static {
    /// The kind's status.
    type Status: Clone + Debug + PartialEq + Send + Sync;
    /// The part of the spec that may change.
    type Spec: Clone + Debug + Default + PartialEq + Send + Sync;
    /// What a pass observes, with what the model notes about it.
    type PassState: Clone + Debug + Send + Sync;
    /// What the process keeps.
    type Local: Clone + Debug + Default + Send + Sync;
    /// The kind's calls.
    type Call: Clone + Debug;
    /// What else the model keeps.
    type Notes: Clone + Debug + Default + Send + Sync;

    /// How many versions of the object a cache may show.
    const VISIBLE: usize;
    /// Whether Glue runs one start at a time, and answers "busy" to others.
    const EXCLUSIVE: bool = false;

    /// The spec and the status at the beginning.
    fn initial(&self) -> (Self::Spec, Self::Status);
    /// The intent of a status.
    fn intent(status: &Self::Status) -> Option<Intent>;
    /// The process notes what the object is like.
    fn observe(_local: &mut Self::Local, _object: &object::Object<Self>, _now: Instant) {}
    /// The states in which a pass may begin: by what the poller has shown, the newest observation last.
    fn begin(&self, world: &World<Self>, who: usize, object: &object::Object<Self>) -> Vec<Self::PassState>;
    /// The product's plan.
    fn plan(&self, world: &World<Self>, pass: &object::Pass<Self>) -> Plan<Self::Status, Self::Call>;
    /// The pass wrote `after` over `before`.
    fn on_status_written(
        &self,
        world: &mut World<Self>,
        pass: &mut object::Pass<Self>,
        before: &Self::Status,
        records_intent: bool,
    );
    /// What a call that starts nothing may lead to, without faults first.
    fn call(&self, world: &World<Self>, who: usize, call: &Self::Call) -> Vec<Transition<Self>>;
    /// Whether a call is the start.
    fn is_start(call: &Self::Call) -> bool;
    /// What the start of the intent in this status is for: the key of an attempt, the value of a firing.
    fn label(status: &Self::Status) -> String;
    /// Glue's answer to a start that took effect as number `started`.
    fn answer(started: usize) -> StartOutcome;
    /// The start was sent with this outcome.
    fn on_sent(pass: &mut object::Pass<Self>, outcome: StartOutcome);
    /// What else can happen: changes by users, lost metadata.
    fn environment(&self, _world: &World<Self>) -> Vec<Transition<Self>> {
        Vec::new()
    }
    /// Whether the model lets a controller crash in this state.
    fn may_crash(&self, _world: &World<Self>) -> bool {
        true
    }
    /// Why the state is wrong, if it is.
    fn violation(&self, world: &World<Self>) -> Option<String>;
    /// Whether the object records everything that was to be started, and Glue has it.
    fn is_settled(&self, world: &World<Self>) -> bool;
}

/// One exploration.
#[derive(Clone, Debug)]
struct Exploration<S: Subject> {
    subject: S,
    /// How many controllers act: one or two.
    controllers: usize,
    /// How many faults may happen.
    faults: u8,
    /// How often somebody else may start the target.
    others: u8,
    /// Whether something was running before.
    busy: bool,
    mutation: Option<Mutation>,
}

impl<S: Subject> Exploration<S> {
    fn new(subject: S, controllers: usize, faults: u8) -> Self {
        Self { subject, controllers, faults, others: 0, busy: false, mutation: None }
    }

    /// Explores every state; how many there are. Panics with the shortest path that was found to a state that is wrong.
    fn explore(self) -> usize {
        let what = format!("{self:?}");
        let checker = self.checker().threads(2).spawn_dfs().join();
        if let Some((property, path)) = checker.discoveries().into_iter().next() {
            let actions: Vec<_> = path.clone().into_actions().iter().map(|action| action.label.clone()).collect();
            let last = path.last_state();
            let why = last.problem();
            panic!("{property}: {why}\n{what}\n{}", actions.join("\n"));
        }
        let states = checker.unique_state_count();
        Proof::new(states, "states", 0).print();
        states
    }

    /// Whether some state is wrong.
    fn finds_a_violation(self) -> bool {
        !self.checker().threads(2).spawn_dfs().join().discoveries().is_empty()
    }
}

impl<S: Subject> Model for Exploration<S> {
    type State = World<S>;
    type Action = Transition<S>;

    fn init_states(&self) -> Vec<World<S>> {
        vec![World::new(self)]
    }

    fn actions(&self, state: &World<S>, actions: &mut Vec<Transition<S>>) {
        actions.extend(state.transitions());
    }

    fn next_state(&self, _: &World<S>, action: Transition<S>) -> Option<World<S>> {
        Some(*action.next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("every state is right", |_, state: &World<S>| state.violation().is_none()),
            Property::always("a fair continuation ends, and then writes nothing", |_, state: &World<S>| {
                state.comes_to_an_end()
            }),
        ]
    }
}
