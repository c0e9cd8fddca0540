//! Walks every interleaving of what can go wrong around a start over the plan: crashes, lost answers,
//! stale caches, looks that fail or come too early, wiped metadata, and a second controller that believes
//! it leads as well. However it goes, Glue has at most one run, and once the trouble is over exactly one,
//! with its id in the object.
//!
//! The model keeps the shell's rules: a write needs the version that it was decided on; a start is sent
//! only by the pass that wrote the intent, and not after the settle time has passed; what was sent takes
//! effect within the settle time or never.

use std::rc::Rc;
use std::time::Duration;

use super::fixture::{self, Fixture, problem};
use crate::api::run::{Attempt, Phase, RunStatus};
use crate::controllers::run::facts::{Lookup, Observation, ObservedRun, PassState, StartOutcome};
use crate::controllers::run::step::{Call, Plan, RunQuery, Step};
use crate::controllers::runtime::tests::model_checker::{self, Course, Model as _, hash};
use crate::glue::ErrorKind;

/// One settle time; the model's clock moves in these.
pub(super) const SETTLE: i64 = 60;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object {
    pub(super) version: u32,
    pub(super) finalizer: bool,
    pub(super) status: RunStatus,
    /// A hash of the rest, made at each change: states are compared far more often than changed.
    pub(super) print: u64,
}

impl Object {
    fn sealed(mut self) -> Self {
        self.print = hash(&format!("{}{}{:?}", self.version, self.finalizer, self.status));
        self
    }
}

#[derive(Clone, Debug)]
struct Run {
    key: String,
    /// Whether GetJobRuns is sure to show it: within the settle time it may not.
    settled: bool,
}

#[derive(Clone, Debug)]
struct Pass {
    object: Object,
    state: PassState,
    fresh_intent: bool,
}

/// One controller, and what it remembers; `P` is what it knows in the middle of a pass.
#[derive(Clone, Debug)]
pub(super) struct Controller<P> {
    /// The oldest version that its cache may still show.
    pub(super) cache: u32,
    pub(super) pass: Option<P>,
    /// The open intent that it knows of, and since when.
    pub(super) knows: Option<(Attempt, i64)>,
    pub(super) outcome: Option<StartOutcome>,
}

impl<P> Controller<P> {
    /// One that has just begun, on a cache that shows this version.
    pub(super) fn new(cache: u32) -> Self {
        Self { cache, pass: None, knows: None, outcome: None }
    }

    /// As `RunLocalState::open_for`: an outcome belongs to one intent only.
    pub(super) fn open_for(&mut self, status: &RunStatus, clock: i64) -> i64 {
        let open = status.attempt().filter(|attempt| attempt.is_open());
        match (open, &self.knows) {
            (Some(open), Some((known, since))) if open.is_same_intent(known) => clock - since,
            (open, _) => {
                self.knows = open.cloned().map(|open| (open, clock));
                self.outcome = None;
                0
            }
        }
    }

    /// For how long the open intent has been known, as looks have it.
    pub(super) fn known_for(&self, clock: i64) -> Duration {
        let known_for = self.knows.as_ref().map_or(0, |(_, since)| clock - since);
        Duration::from_secs(known_for.unsigned_abs())
    }

    /// What Glue answered is kept until it stands in the object, unless it is unclear.
    pub(super) fn keep(&mut self, outcome: &StartOutcome) {
        self.outcome = (!matches!(outcome, StartOutcome::Unclear(_))).then(|| outcome.clone());
    }
}

/// The bench with what a pass over `object` knows of it at `clock`.
pub(super) fn bench(object: &Object, state: PassState, fresh_intent: bool, clock: i64, open_for: i64) -> Fixture {
    let fixture =
        Fixture { now: clock, status: object.status.clone(), state, fresh_intent, open_for, ..Fixture::new() };
    if object.finalizer { fixture.held() } else { fixture }
}

#[derive(Clone, Debug)]
struct Model {
    object: Object,
    history: Vec<Rc<Object>>,
    runs: Vec<Run>,
    in_flight: Vec<String>,
    clock: i64,
    controllers: [Controller<Pass>; 2],
    /// How many controllers there are: one or two.
    hands: usize,
    course: Course,
}

fn observed(run: usize) -> ObservedRun {
    ObservedRun { id: format!("jr_{run}"), ..fixture::observed(Phase::Running) }
}

impl Model {
    fn new(hands: usize, faults: u8) -> Self {
        let object =
            Object { status: RunStatus { observed_generation: -1, ..RunStatus::default() }, ..Object::default() };
        Self {
            history: vec![Rc::new(object.clone())],
            object,
            runs: Vec::new(),
            in_flight: Vec::new(),
            clock: 0,
            controllers: [Controller::new(0), Controller::new(0)],
            hands,
            course: Course::of(faults),
        }
    }

    /// What the controller decides in its pass.
    fn decide(&mut self, who: usize) -> Plan {
        let clock = self.clock;
        let controller = &mut self.controllers[who];
        let Pass { object, state, fresh_intent } = controller.pass.clone().expect("a pass");
        let open_for = controller.open_for(&object.status, clock);
        let id = object.status.attempt().and_then(|attempt| attempt.id.clone());
        let observation = id.map(|id| Observation::Present(ObservedRun { id, ..observed(0) }));
        Fixture { observation, ..bench(&object, state, fresh_intent, clock, open_for) }.plan()
    }

    /// A write by the pass of `who`; whether the API server took it.
    fn write(&mut self, who: usize, change: impl FnOnce(&mut Object)) -> bool {
        let Some(mut pass) = self.controllers[who].pass.take() else { return false };
        if pass.object.version != self.object.version {
            return false;
        }
        let before = pass.object.status.clone();
        change(&mut pass.object);
        pass.fresh_intent |= PassState::records_intent(&before, &pass.object.status);
        pass.state.on_status_written(&before, &pass.object.status);
        pass.object.version += 1;
        pass.object = pass.object.sealed();
        self.object = pass.object.clone();
        self.history.push(Rc::new(pass.object.clone()));
        self.controllers[who].cache = pass.object.version;
        self.controllers[who].pass = Some(pass);
        true
    }

    fn end_pass(&mut self, who: usize) {
        self.controllers[who].pass = None;
    }

    fn learn(&mut self, who: usize, change: impl FnOnce(&mut PassState)) {
        if let Some(pass) = &mut self.controllers[who].pass {
            change(&mut pass.state);
        }
    }

    fn answered(&mut self, who: usize, outcome: &StartOutcome) {
        self.controllers[who].keep(outcome);
        if let Some(pass) = &mut self.controllers[who].pass {
            pass.fresh_intent = false;
            pass.state.answered(outcome.clone());
        }
    }

    fn start(&mut self, key: &str) -> StartOutcome {
        self.runs.push(Run { key: key.to_owned(), settled: false });
        StartOutcome::Started(format!("jr_{}", self.runs.len() - 1))
    }

    /// The settle time passes: an intent that was not sent by now is not sent any more.
    fn settle(&mut self) {
        self.clock += SETTLE;
        self.runs.iter_mut().for_each(|run| run.settled = true);
        for controller in &mut self.controllers {
            if controller.pass.as_ref().is_some_and(|pass| pass.fresh_intent) {
                controller.pass = None;
            }
        }
    }

    /// What controller `who` can do next.
    fn acts(&self, who: usize) -> Vec<Self> {
        let controller = &self.controllers[who];
        if controller.pass.is_none() {
            // A pass begins on what the cache shows: the newest version, or one of the two before it, but
            // never one from before our own last write.
            let visible = self.history.iter().rev().take(3).filter(|object| object.version >= controller.cache);
            return visible
                .map(|object| {
                    self.with(format!("{who} begins on version {}", object.version), |next| {
                        let clock = next.clock;
                        next.controllers[who].open_for(&object.status, clock);
                        let state = PassState {
                            had_earlier_attempt: object.finalizer,
                            outcome: next.controllers[who].outcome.clone(),
                            ..PassState::default()
                        };
                        next.controllers[who].cache = object.version;
                        next.controllers[who].pass =
                            Some(Pass { object: object.as_ref().clone(), state, fresh_intent: false });
                    })
                })
                .collect();
        }
        let mut model = self.clone();
        let Plan { status, step } = model.decide(who);
        let current = model.controllers[who].pass.as_ref().map(|pass| pass.object.status.clone());
        let mut next = Vec::new();
        // Crash: the pass and all that was remembered are lost, the cache is read anew.
        next.extend(model.fault(format!("{who} crashes"), |next| {
            next.controllers[who] = Controller::new(next.object.version);
        }));
        if current.as_ref() != Some(&status) {
            next.push(model.with(format!("{who} writes the status"), |next| {
                next.write(who, |object| object.status = status);
            }));
            return next;
        }
        match step {
            Step::AddFinalizer => next.push(model.with(format!("{who} adds the finalizer"), |next| {
                next.write(who, |object| object.finalizer = true);
            })),
            Step::Call(Call::LookUp(RunQuery { key, .. })) => next.extend(model.looks(who, &key)),
            Step::Call(Call::Start) => next.extend(model.starts(who)),
            Step::AwaitChange | Step::RequeueAfter(_) | Step::Backoff => {
                next.push(model.with(format!("{who} rests"), |next| next.end_pass(who)))
            }
            other => panic!("nothing here asks for {other:?}"),
        }
        next
    }

    fn looks(&self, who: usize, key: &str) -> Vec<Self> {
        let found = self.runs.iter().position(|run| run.key == key);
        let nothing = Lookup::NotFound { known_for: self.controllers[who].known_for(self.clock) };
        let look = |lookup: Lookup| move |next: &mut Self| next.learn(who, |state| state.lookup = Some(lookup));
        let mut next = Vec::new();
        next.push(self.with(
            format!("{who} looks: {found:?}"),
            look(found.map_or(nothing.clone(), |run| Lookup::Found(observed(run)))),
        ));
        next.extend(self.fault(format!("{who} cannot look"), look(Lookup::Failed(problem(ErrorKind::Ambiguous)))));
        if found.is_some_and(|run| !self.runs[run].settled) {
            // GetJobRuns may lag behind StartJobRun.
            next.extend(self.fault(format!("{who} looks too early"), look(nothing)));
        }
        next
    }

    fn starts(&self, who: usize) -> Vec<Self> {
        let Pass { object, fresh_intent, .. } = self.controllers[who].pass.as_ref().expect("a pass");
        assert!(fresh_intent, "a start without an intent of this pass");
        let key = &object.status.attempt().expect("an attempt").key;
        let unclear = StartOutcome::Unclear(problem(ErrorKind::Ambiguous));
        let mut next = vec![self.with(format!("{who} starts"), |next| {
            let outcome = next.start(key);
            next.answered(who, &outcome);
        })];
        next.extend(self.fault(format!("{who} starts, the outcome is lost"), |next| {
            next.start(key);
            next.answered(who, &unclear);
        }));
        next.extend(self.fault(format!("{who} sends a start that hangs"), |next| {
            next.in_flight.push(key.clone());
            next.answered(who, &unclear);
        }));
        next.extend(self.fault(format!("{who} is throttled"), |next| {
            next.answered(who, &StartOutcome::Refused(problem(ErrorKind::Throttled)));
        }));
        next
    }

    /// From here on nothing goes wrong and one controller works alone.
    fn comes_to_rest(mut self) -> Self {
        self.course.faults = 0;
        self.in_flight.clear();
        self.controllers = [Controller::new(self.object.version), Controller::new(0)];
        for _ in 0..200 {
            let steps = self.acts(0);
            let Some(next) = steps.into_iter().last() else { break };
            let idle = next.controllers[0].pass.is_none() && self.controllers[0].pass.is_some();
            self = next;
            if idle && self.object.status.attempt().is_some_and(|attempt| attempt.id.is_some()) {
                break;
            }
            if idle {
                self.settle();
            }
        }
        self
    }
}

impl model_checker::Model for Model {
    fn course(&self) -> &Course {
        &self.course
    }

    fn course_mut(&mut self) -> &mut Course {
        &mut self.course
    }

    fn check(&self) {
        assert!(self.runs.len() <= 1, "two runs: {}", self.course.tell());
        if self.course.faults == 0 {
            let rested = self.clone().comes_to_rest();
            let id = rested.object.status.attempt().and_then(|attempt| attempt.id.as_deref());
            assert!(rested.runs.len() == 1 && id == Some("jr_0"), "no rest: {}", rested.course.tell());
        }
    }

    fn successors(&self) -> Vec<Self> {
        let mut next: Vec<Self> = (0..self.hands).flat_map(|who| self.acts(who)).collect();
        // What was sent takes effect, or never does.
        for place in 0..self.in_flight.len() {
            next.push(self.with("the sent start takes effect", |next| {
                let key = next.in_flight.remove(place);
                next.start(&key);
            }));
            next.push(self.with("the sent start is lost", |next| drop(next.in_flight.remove(place))));
        }
        if self.in_flight.is_empty() && self.clock < 2 * SETTLE {
            next.push(self.with("the settle time passes", Self::settle));
        }
        // kubectl replace takes the finalizer away.
        if self.object.finalizer {
            next.extend(self.fault("the finalizer is wiped", |next| {
                next.object.finalizer = false;
                next.object.version += 1;
                next.object = std::mem::take(&mut next.object).sealed();
                next.history.push(Rc::new(next.object.clone()));
            }));
        }
        next
    }

    fn fingerprint(&self) -> u64 {
        let controllers = self.controllers.iter().map(|controller| {
            let Controller { cache, pass, knows, outcome } = controller;
            let pass = pass.as_ref().map(|pass| (pass.object.print, pass.fresh_intent, format!("{:?}", pass.state)));
            let knows = knows.as_ref().map(|(intent, since)| (intent.number, intent.intended_at.0, *since));
            (*cache, pass, knows, format!("{outcome:?}"))
        });
        let history: Vec<_> = self.history.iter().map(|object| object.print).collect();
        let runs: Vec<_> = self.runs.iter().map(|run| (&run.key, run.settled)).collect();
        let controllers: Vec<_> = controllers.collect();
        hash(&(self.object.print, history, runs, &self.in_flight, self.clock, controllers, self.course.faults))
    }
}

#[test]
fn whatever_goes_wrong_there_is_one_run() {
    for (hands, faults) in [(1, 3), (2, 0), (2, 1)] {
        let states = model_checker::walk(Model::new(hands, faults));
        assert!(states > 100, "the walk saw only {states} states");
    }
}
