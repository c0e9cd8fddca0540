//! Walks every interleaving of what can go wrong around a firing over the plan: crashes, lost answers, stale
//! caches, looks that fail or come too early, a status that is lost, a value that is replaced, and a second
//! controller that believes it leads as well. However it goes, Glue has fired at most once for each value and in
//! their order; and once the trouble is over exactly once for each value that a controller has taken in.
//!
//! The model keeps the shell's rules: a write needs the version that it was decided on; a firing is sent only by
//! the pass that wrote the intent, and not after the settle time has passed; what was sent takes effect within
//! the settle time or never, and is sure to be seen after it.

mod glue;

use std::rc::Rc;
use std::time::Duration;

use self::glue::Run;
use super::firing::wants_a;
use super::plan::{Fixture, SETTLE};
use crate::api::GlueTrigger;
use crate::api::trigger::GlueTriggerStatus;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::tests::model_checker::{self, Course, Model as _, hash};
use crate::controllers::trigger::kind::records_intent;
use crate::controllers::trigger::local_state::{Call, PassState, StartOutcome};
use crate::glue::ErrorKind;

/// One settle time in seconds; the model's clock moves in these.
const ONE: i64 = 60;

/// The object as the API server has it.
#[derive(Clone, Debug)]
struct Object {
    version: u32,
    it: GlueTrigger,
    /// A hash of the rest, made at each change: states are compared far more often than changed.
    print: u64,
}

impl Object {
    fn sealed(version: u32, it: GlueTrigger) -> Self {
        let print = hash(&format!("{version} {:?} {:?}", it.status, it.spec));
        Self { version, it, print }
    }

    fn status(&self) -> &GlueTriggerStatus {
        self.it.status.as_ref().expect("a status")
    }
}

#[derive(Clone, Debug)]
struct Pass {
    object: Object,
    state: PassState,
    fresh: bool,
    problem: Option<Problem>,
}

#[derive(Clone, Debug, Default)]
struct Controller {
    /// The oldest version that its cache may still show.
    cache: u32,
    pass: Option<Pass>,
    /// The intent that it knows of, by its number, and since when.
    knows: Option<(u32, i64)>,
    outcome: Option<(u32, StartOutcome)>,
}

#[derive(Clone, Debug)]
struct Model {
    object: Rc<Object>,
    history: Vec<Rc<Object>>,
    runs: Vec<Run>,
    in_flight: Vec<String>,
    clock: i64,
    controllers: [Controller; 2],
    /// How many controllers there are: one or two.
    hands: usize,
    course: Course,
    /// Whether the value may still be replaced.
    replaceable: bool,
    /// Whether the status was lost: what was not fired by then is not fired any more.
    lost: bool,
}

impl Model {
    fn new(hands: usize, faults: u8, replaceable: bool) -> Self {
        let object = Rc::new(Object::sealed(0, wants_a().object));
        Self {
            history: vec![Rc::clone(&object)],
            object,
            runs: Vec::new(),
            in_flight: Vec::new(),
            clock: 0,
            controllers: [Controller::default(), Controller::default()],
            hands,
            course: Course::of(faults),
            replaceable,
            lost: false,
        }
    }

    /// Somebody else, or a pass, changes the object.
    fn put(&mut self, change: impl FnOnce(&mut GlueTrigger)) {
        let mut object = self.object.it.clone();
        change(&mut object);
        self.object = Rc::new(Object::sealed(self.object.version + 1, object));
        self.history.push(Rc::clone(&self.object));
    }

    fn decide(&self, who: usize) -> Plan<GlueTriggerStatus, Call> {
        let pass = self.controllers[who].pass.clone().expect("a pass");
        Fixture {
            now: self.clock,
            object: pass.object.it,
            state: pass.state,
            fresh_intent: pass.fresh,
            problem: pass.problem,
            ..Fixture::on_demand()
        }
        .plan()
    }

    fn begin(&mut self, who: usize, object: &Rc<Object>) {
        let clock = self.clock;
        // The watch shows every version, so each value up to this one was seen.
        let seen = self
            .history
            .iter()
            .filter(|other| other.version <= object.version)
            .map(|other| (other.it.metadata.generation.unwrap_or_default(), other.it.spec.fire.clone()));
        let mut seen: Vec<_> = seen.collect();
        seen.dedup();
        let controller = &mut self.controllers[who];
        let number = object.status().last_firing.as_ref().map(|last| last.number);
        if controller.knows.map(|(number, _)| number) != number {
            controller.knows = number.map(|number| (number, clock));
        }
        let known =
            controller.knows.map(|(number, since)| (number, Duration::from_secs((clock - since).unsigned_abs())));
        let outcome = controller.outcome.clone().filter(|(of, _)| Some(*of) == number);
        let state = PassState { seen, known, outcome, lived: true, ..PassState::default() };
        controller.cache = object.version;
        controller.pass = Some(Pass { object: (**object).clone(), state, fresh: false, problem: None });
    }

    fn settle(&mut self) {
        self.clock += ONE;
        self.runs.iter_mut().for_each(|run| run.settled = true);
        for controller in &mut self.controllers {
            if controller.pass.as_ref().is_some_and(|pass| pass.fresh) {
                controller.pass = None;
            }
        }
    }

    fn acts(&self, who: usize) -> Vec<Self> {
        let controller = &self.controllers[who];
        if controller.pass.is_none() {
            let visible = self.history.iter().rev().take(3).filter(|object| object.version >= controller.cache);
            let begin = |object: &Rc<Object>| {
                self.with(format!("{who} begins on version {}", object.version), |next| next.begin(who, object))
            };
            return visible.map(begin).collect();
        }
        let Plan { status, step } = self.decide(who);
        let pass = controller.pass.as_ref().expect("a pass");
        let mut next = Vec::new();
        next.extend(self.fault(format!("{who} crashes"), |next| {
            next.controllers[who] = Controller { cache: next.object.version, ..Controller::default() };
        }));
        if pass.object.status() != &status {
            next.push(self.with(format!("{who} writes {:?}", status.last_firing), |next| next.write(who, status)));
            return next;
        }
        match step {
            Step::Call(Call::ReadBaseline { .. }) => next.extend(self.surveys(who)),
            Step::Call(Call::LookUp(before)) => next.extend(self.looks(who, &before)),
            Step::Call(Call::Fire) => next.extend(self.fires(who)),
            Step::AwaitChange | Step::RequeueAfter(_) | Step::Backoff => {
                next.push(self.with(format!("{who} rests"), |next| next.controllers[who].pass = None));
            }
            other => panic!("nothing here asks for {other:?}"),
        }
        next
    }

    /// A write by the pass of `who`, which ends with it when the object has changed since.
    fn write(&mut self, who: usize, status: GlueTriggerStatus) {
        let Some(mut pass) = self.controllers[who].pass.take() else { return };
        if pass.object.version != self.object.version {
            return;
        }
        pass.fresh |= records_intent(pass.object.it.status.as_ref(), &status);
        self.put(|object| object.status = Some(status));
        pass.object = (*self.object).clone();
        self.controllers[who].cache = pass.object.version;
        self.controllers[who].pass = Some(pass);
    }

    fn learn(&mut self, who: usize, problem: Option<ErrorKind>, change: impl FnOnce(&mut PassState)) {
        if let Some(pass) = &mut self.controllers[who].pass {
            change(&mut pass.state);
            pass.fresh = false;
            pass.problem = problem.map(super::plan::problem);
        }
    }

    fn number(&self, who: usize) -> u32 {
        let pass = self.controllers[who].pass.as_ref().expect("a pass");
        pass.object.status().last_firing.as_ref().map(|last| last.number).unwrap_or_default()
    }

    /// From here on nothing goes wrong and one controller works alone.
    fn comes_to_rest(mut self) -> Self {
        self.course.faults = 0;
        self.in_flight.clear();
        self.controllers = [Controller { cache: self.object.version, ..Controller::default() }, Controller::default()];
        let mut idle = 0;
        while idle < 3 {
            if self.controllers[0].pass.is_none() {
                let newest = Rc::clone(&self.object);
                self.begin(0, &newest);
            }
            let before = self.object.version;
            for _ in 0..40 {
                let Some(next) = self.acts(0).into_iter().last() else { break };
                self = next;
                if self.controllers[0].pass.is_none() {
                    break;
                }
            }
            assert!(self.controllers[0].pass.is_none(), "a pass without end: {}", self.course.tell());
            if self.object.version == before {
                idle += 1;
                self.settle();
            }
        }
        self
    }

    /// The values that a controller has taken in, and so must be fired.
    fn taken(&self) -> Vec<&str> {
        let status = self.object.status();
        let firings = status.earlier_firings.iter().chain(&status.last_firing).map(|firing| firing.value.as_str());
        firings.chain(status.pending_fires.iter().map(String::as_str)).collect()
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
        let fired: Vec<_> = self.runs.iter().map(|run| run.value.as_str()).collect();
        let in_order = ["", "a", "b", "ab"].contains(&fired.concat().as_str());
        assert!(in_order, "fired for {fired:?}: {}", self.course.tell());
        if self.course.faults == 0 {
            let rested = self.clone().comes_to_rest();
            let fired: Vec<_> = rested.runs.iter().map(|run| run.value.as_str()).collect();
            if !rested.lost {
                assert_eq!(fired, rested.taken(), "{}", rested.course.tell());
                let last = rested.object.it.spec.fire.as_deref();
                assert_eq!(fired.last().copied(), last, "{}", rested.course.tell());
            }
            let open = rested.object.status().last_firing.as_ref().is_some_and(|last| !last.runs_resolved);
            assert!(!open && rested.object.status().pending_fires.is_empty(), "no rest: {}", rested.course.tell());
        }
    }

    fn successors(&self) -> Vec<Self> {
        let mut next: Vec<Self> = (0..self.hands).flat_map(|who| self.acts(who)).collect();
        for place in 0..self.in_flight.len() {
            next.push(self.with("the sent firing takes effect", |next| {
                let value = next.in_flight.remove(place);
                next.runs.push(Run { value, settled: false });
            }));
            next.push(self.with("the sent firing is lost", |next| drop(next.in_flight.remove(place))));
        }
        if self.in_flight.is_empty() && self.clock < 2 * ONE {
            next.push(self.with("the settle time passes", Self::settle));
        }
        if self.replaceable {
            next.push(self.with("fire is set to b", |next| {
                next.replaceable = false;
                next.put(|object| {
                    object.spec.fire = Some("b".to_owned());
                    object.metadata.generation = Some(3);
                });
            }));
        }
        if !self.lost {
            next.extend(self.fault("the status is lost", |next| {
                next.lost = true;
                next.put(|object| object.status.clone_from(&Fixture::on_demand().object.status));
            }));
        }
        next
    }

    fn fingerprint(&self) -> u64 {
        let controllers = self.controllers.iter().map(|controller| {
            let Controller { cache, pass, knows, outcome } = controller;
            let pass = pass.as_ref().map(|pass| (pass.object.print, pass.fresh, format!("{:?}", pass.state)));
            let outcome = outcome.as_ref().map(|(number, outcome)| (*number, *outcome == StartOutcome::Accepted));
            (*cache, pass, *knows, outcome)
        });
        let controllers: Vec<_> = controllers.collect();
        let recent: Vec<_> = self.history.iter().rev().take(3).map(|object| object.print).collect();
        let chance = (self.course.faults, self.replaceable, self.lost);
        hash(&(controllers, recent, &self.runs, &self.in_flight, self.clock, chance))
    }
}

#[test]
fn whatever_goes_wrong_each_value_is_fired_once() {
    assert_eq!(SETTLE.as_secs(), ONE.unsigned_abs());
    for (hands, faults, replaceable) in [(1, 2, false), (1, 1, true), (2, 0, false)] {
        let states = model_checker::walk(Model::new(hands, faults, replaceable));
        assert!(states > 100, "the walk saw only {states} states");
    }
}
