//! The state of the model: the object, Glue, the controllers, and what can happen next.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::time::Instant;

use super::mutations::Mutation;
use super::{Exploration, Subject};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::{IntentTracker, Lookup, StartOutcome, records_intent};
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::ErrorKind;

/// The settle time in seconds; the model's clock moves by it.
pub const SETTLE: i64 = 60;
/// The model's time 0.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The object as the API server has it.
#[derive(Clone, Debug)]
pub struct Object<S: Subject> {
    pub version: u32,
    pub finalizer: bool,
    pub spec: S::Spec,
    pub status: S::Status,
    /// A hash of all but the version, made at each change: states are compared far more often than changed.
    hash: u64,
}

impl<S: Subject> Object<S> {
    fn new(version: u32, finalizer: bool, spec: S::Spec, status: S::Status) -> Self {
        let hash = hash(&format!("{finalizer}{spec:?}{status:?}"));
        Self { version, finalizer, spec, status, hash }
    }
}

/// A start that took effect in Glue.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct Started {
    /// What it is for.
    pub label: String,
    /// Whether a controller of the model sent it.
    pub ours: bool,
    pub live: bool,
    /// Whether every lookup shows it: within the settle time it may not.
    pub settled: bool,
}

/// One pass of a controller.
#[derive(Clone, Debug)]
pub struct Pass<S: Subject> {
    pub object: Object<S>,
    pub state: S::PassState,
    pub fresh_intent: bool,
    pub intent_age: Duration,
    /// Why the last call was refused.
    pub problem: Option<Problem>,
}

/// One controller.
#[derive(Clone, Debug)]
pub struct Controller<S: Subject> {
    /// The oldest version that its cache may still show.
    cache: u32,
    pub pass: Option<Pass<S>>,
    pub tracker: IntentTracker,
    pub local: S::Local,
}

impl<S: Subject> Controller<S> {
    fn new(cache: u32) -> Self {
        Self { cache, pass: None, tracker: IntentTracker::default(), local: S::Local::default() }
    }
}

/// Something that happens, and the state that it leads to.
#[derive(Clone)]
pub struct Transition<S: Subject> {
    pub label: String,
    pub next: Box<World<S>>,
}

impl<S: Subject> fmt::Debug for Transition<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

impl<S: Subject> PartialEq for Transition<S> {
    fn eq(&self, other: &Self) -> bool {
        self.label == other.label
    }
}

/// The state.
#[derive(Clone, Debug)]
pub struct World<S: Subject> {
    pub subject: Arc<S>,
    pub mutation: Option<Mutation>,
    active: usize,
    pub object: Arc<Object<S>>,
    history: Vec<Arc<Object<S>>>,
    /// What was started, oldest first.
    pub started: Vec<Started>,
    /// Starts that were sent and have not taken effect.
    in_flight: Vec<String>,
    pub clock: i64,
    pub controllers: [Controller<S>; 2],
    pub faults: u8,
    others: u8,
    pub notes: S::Notes,
    violation: Option<String>,
}

impl<S: Subject> Hash for World<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let age = |version: u32| self.object.version.saturating_sub(version).min(3);
        for controller in &self.controllers {
            age(controller.cache).hash(state);
            if let Some(pass) = &controller.pass {
                (age(pass.object.version), pass.object.hash, pass.fresh_intent).hash(state);
                hash(&format!("{:?}{:?}{:?}", pass.state, pass.problem, pass.intent_age)).hash(state);
            }
            hash(&format!("{:?}{:?}", controller.tracker, controller.local)).hash(state);
        }
        for object in self.history.iter().rev().take(S::VISIBLE) {
            object.hash.hash(state);
        }
        (&self.started, &self.in_flight, self.clock, self.faults, self.others).hash(state);
        hash(&format!("{:?}", self.notes)).hash(state);
        self.violation.hash(state);
    }
}

impl<S: Subject> PartialEq for World<S> {
    fn eq(&self, other: &Self) -> bool {
        hash(self) == hash(other)
    }
}

pub fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A problem with this kind of AWS error.
pub fn problem(kind: ErrorKind) -> Problem {
    Problem { reason: kind.into(), message: "words".to_owned(), kind: Some(kind) }
}

impl<S: Subject> World<S> {
    pub fn new(exploration: &Exploration<S>) -> Self {
        let (spec, status) = exploration.subject.initial();
        let object = Arc::new(Object::new(0, false, spec, status));
        let foreign = Started { label: String::new(), ours: false, live: true, settled: true };
        Self {
            subject: Arc::new(exploration.subject.clone()),
            mutation: exploration.mutation,
            active: exploration.controllers,
            history: vec![Arc::clone(&object)],
            object,
            started: if exploration.busy { vec![foreign] } else { Vec::new() },
            in_flight: Vec::new(),
            clock: 0,
            controllers: [Controller::new(0), Controller::new(0)],
            faults: exploration.faults,
            others: exploration.others,
            notes: S::Notes::default(),
            violation: None,
        }
    }

    pub fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    pub fn instant(&self) -> Instant {
        *EPOCH + Duration::from_secs(self.clock.unsigned_abs())
    }

    /// What happens next as `label` says, with the state changed so.
    pub fn then(&self, label: impl Into<String>, change: impl FnOnce(&mut Self)) -> Transition<S> {
        let mut next = Box::new(self.clone());
        change(&mut next);
        Transition { label: label.into(), next }
    }

    /// The same for a fault, while any may happen.
    pub fn fault(&self, label: impl Into<String>, change: impl FnOnce(&mut Self)) -> Option<Transition<S>> {
        (self.faults > 0).then(|| {
            self.then(label, |next| {
                next.faults -= 1;
                change(next);
            })
        })
    }

    /// The numbers of the starts that Glue shows; when it lags, only those that have settled.
    pub fn shown(&self, lags: bool) -> Vec<usize> {
        (0..self.started.len()).filter(|number| !lags || self.started[*number].settled).collect()
    }

    pub fn has_lag(&self) -> bool {
        self.started.iter().any(|started| !started.settled)
    }

    pub fn live(&self) -> Option<usize> {
        self.started.iter().position(|started| started.live)
    }

    pub fn pass_mut(&mut self, who: usize) -> Option<&mut Pass<S>> {
        self.controllers[who].pass.as_mut()
    }

    /// For how long the controller has known of the intent, at this moment.
    pub fn intent_age(&self, who: usize) -> Duration {
        let pass = self.controllers[who].pass.as_ref().expect("a pass");
        let mut tracker = self.controllers[who].tracker.clone();
        tracker.observe(S::intent(&pass.object.status).as_ref(), self.instant())
    }

    /// Somebody changes the object: a pass, a user, or an accident.
    pub fn put(&mut self, change: impl FnOnce(&mut bool, &mut S::Spec, &mut S::Status)) {
        let Object { version, mut finalizer, mut spec, mut status, .. } = (*self.object).clone();
        change(&mut finalizer, &mut spec, &mut status);
        self.object = Arc::new(Object::new(version + 1, finalizer, spec, status));
        self.history.push(Arc::clone(&self.object));
    }

    /// Everything that can happen next.
    pub fn transitions(&self) -> Vec<Transition<S>> {
        if self.violation.is_some() {
            return Vec::new();
        }
        let mut next: Vec<_> = (0..self.active).flat_map(|who| self.of_controller(who)).collect();
        for place in 0..self.in_flight.len() {
            next.push(self.then("a sent start takes effect", |next| {
                let label = next.in_flight.remove(place);
                next.start(&label, true);
            }));
            next.push(self.then("a sent start is lost", |next| drop(next.in_flight.remove(place))));
        }
        let most = if self.active == 1 { 2 } else { 1 };
        if self.in_flight.is_empty() && self.clock < most * SETTLE {
            next.push(self.then("the settle time passes", Self::settle));
        }
        match self.live().filter(|_| S::EXCLUSIVE) {
            Some(live) => next.push(self.then(format!("start {live} ends"), |next| next.started[live].live = false)),
            None if self.others > 0 => next.push(self.then("somebody else starts the target", |next| {
                next.others -= 1;
                next.start("", false);
            })),
            None => {}
        }
        next.extend(self.subject.environment(self));
        next
    }

    /// What a controller can do next.
    pub fn of_controller(&self, who: usize) -> Vec<Transition<S>> {
        let controller = &self.controllers[who];
        let Some(pass) = &controller.pass else {
            // A pass begins on what the cache shows: never on a version from before the controller's own last write.
            let visible =
                self.history.iter().rev().take(S::VISIBLE).filter(|object| object.version >= controller.cache);
            return visible.flat_map(|object| self.begins(who, object)).collect();
        };
        let mut next = Vec::new();
        next.extend(self.fault(format!("{who} crashes"), |next| {
            next.controllers[who] = Controller::new(next.object.version);
        }));
        let plan = self.plan(who, pass);
        if plan.status != pass.object.status {
            next.push(self.then(format!("{who} writes the status"), |next| next.write_status(who, plan.status)));
            return next;
        }
        match plan.step {
            Step::AddFinalizer => next.push(self.then(format!("{who} adds the finalizer"), |next| {
                next.write(who, |finalizer, _| *finalizer = true);
            })),
            Step::RemoveFinalizer { .. } => next.push(self.then(format!("{who} removes the finalizer"), |next| {
                next.write(who, |finalizer, _| *finalizer = false);
            })),
            Step::Call(call) if S::is_start(&call) => next.extend(self.sends(who)),
            Step::Call(call) => next.extend(self.subject.call(self, who, &call)),
            Step::Backoff | Step::AwaitChange | Step::RequeueAfter(_) => {
                next.push(self.then(format!("{who} ends its pass"), |next| next.controllers[who].pass = None));
            }
            Step::Annotate(_) | Step::Delete => panic!("no plan of the model asks for {:?}", plan.step),
        }
        next
    }

    fn begins(&self, who: usize, object: &Arc<Object<S>>) -> Vec<Transition<S>> {
        let mut with_tracker = self.clone();
        let controller = &mut with_tracker.controllers[who];
        let keeps = self.is(Mutation::OutcomeOfAnotherIntentIsKept);
        let outcome = controller.tracker.outcome().cloned().filter(|_| keeps);
        let intent_age = controller.tracker.observe(S::intent(&object.status).as_ref(), self.instant());
        if let Some(outcome) = outcome {
            controller.tracker.record(&outcome);
        }
        controller.cache = object.version;
        let states = self.subject.begin(&with_tracker, who, object);
        let begin = |state: S::PassState| {
            let label = format!("{who} begins a pass on version {}", object.version);
            with_tracker.then(label, |next| {
                let (object, fresh_intent) = ((**object).clone(), false);
                next.controllers[who].pass = Some(Pass { object, state, fresh_intent, intent_age, problem: None });
            })
        };
        states.into_iter().map(begin).collect()
    }

    fn plan(&self, who: usize, pass: &Pass<S>) -> Plan<S::Status, S::Call> {
        let open = S::intent(&pass.object.status).is_some_and(|intent| intent.open);
        let mut seen = pass.clone();
        seen.intent_age = self.intent_age(who);
        seen.fresh_intent |= open && self.is(Mutation::AnyPassMaySend);
        self.subject.plan(self, &seen)
    }

    /// A patch by the pass: refused, and the end of the pass, when the object has changed since.
    fn write(&mut self, who: usize, change: impl FnOnce(&mut bool, &mut S::Status)) -> bool {
        let Some(pass) = self.controllers[who].pass.take() else { return false };
        let is_current = pass.object.version == self.object.version;
        if !is_current && !self.is(Mutation::PatchesCarryNoVersion) {
            return false;
        }
        self.put(|finalizer, _, status| {
            *finalizer = pass.object.finalizer;
            *status = pass.object.status.clone();
            change(finalizer, status);
        });
        let object = (*self.object).clone();
        self.controllers[who].cache = object.version;
        self.controllers[who].pass = Some(Pass { object, ..pass });
        true
    }

    fn write_status(&mut self, who: usize, after: S::Status) {
        let before = self.controllers[who].pass.as_ref().expect("a pass").object.status.clone();
        let intends = records_intent(S::intent(&before).as_ref(), S::intent(&after).as_ref());
        if intends && self.is(Mutation::IntentIsNotWritten) {
            // The pass goes on as if it were.
            let pass = self.pass_mut(who).expect("a pass");
            pass.object.status = after;
        } else if !self.write(who, |_, status| *status = after) {
            return;
        }
        let subject = Arc::clone(&self.subject);
        let mut pass = self.controllers[who].pass.take().expect("a pass");
        pass.fresh_intent |= intends;
        subject.on_status_written(self, &mut pass, &before, intends);
        self.controllers[who].tracker.observe(S::intent(&pass.object.status).as_ref(), self.instant());
        self.controllers[who].pass = Some(pass);
    }

    /// A start, by a controller or by somebody else; Glue's answer.
    pub fn start(&mut self, label: &str, ours: bool) -> StartOutcome {
        if S::EXCLUSIVE && self.live().is_some() {
            return StartOutcome::Rejected(problem(ErrorKind::Busy));
        }
        self.started.push(Started { label: label.to_owned(), ours, live: true, settled: false });
        S::answer(self.started.len() - 1)
    }

    fn sends(&self, who: usize) -> Vec<Transition<S>> {
        let label = S::label(&self.controllers[who].pass.as_ref().expect("a pass").object.status);
        let lost = || StartOutcome::Unconfirmed(problem(ErrorKind::Ambiguous));
        let mut next = vec![self.then(format!("{who} starts {label}"), |next| {
            let outcome = next.start(&label, true);
            next.sent(who, outcome);
        })];
        next.extend(self.fault(format!("{who} starts {label}, the answer is lost"), |next| {
            next.start(&label, true);
            if next.is(Mutation::SdkRetries) {
                next.start(&label, true);
            }
            next.sent(who, lost());
        }));
        next.extend(self.fault(format!("{who} sends a start for {label} that hangs"), |next| {
            next.in_flight.push(label.clone());
            next.sent(who, lost());
        }));
        next.extend(self.fault(format!("{who} is throttled"), |next| {
            next.sent(who, StartOutcome::Rejected(problem(ErrorKind::Throttled)));
        }));
        next
    }

    fn sent(&mut self, who: usize, outcome: StartOutcome) {
        let outcome = match outcome {
            StartOutcome::Unconfirmed(problem) if self.is(Mutation::LostAnswersCountAsFailures) => {
                StartOutcome::Rejected(problem)
            }
            outcome => outcome,
        };
        self.controllers[who].tracker.record(&outcome);
        if let Some(pass) = self.pass_mut(who) {
            pass.fresh_intent = false;
            pass.problem = match &outcome {
                StartOutcome::Rejected(problem) | StartOutcome::Unconfirmed(problem) => Some(problem.clone()),
                StartOutcome::Started(_) | StartOutcome::Accepted => None,
            };
            S::on_sent(pass, outcome);
        }
    }

    /// The settle time passes: every lookup shows what was started, and an intent that was not sent is not sent any more.
    pub fn settle(&mut self) {
        self.clock += SETTLE;
        self.started.iter_mut().for_each(|started| started.settled = true);
        if self.is(Mutation::LateStartsAreSent) {
            return;
        }
        for controller in &mut self.controllers {
            if controller.pass.as_ref().is_some_and(|pass| pass.fresh_intent) {
                controller.pass = None;
            }
        }
    }

    pub fn flag(&mut self, why: String) {
        self.violation.get_or_insert(why);
    }

    pub fn violation(&self) -> Option<String> {
        self.violation.clone().or_else(|| self.subject.violation(self))
    }

    /// Why the state is wrong.
    pub fn problem(&self) -> String {
        self.violation().unwrap_or_else(|| format!("no end is reached: {:#?}", self.continued().object.status))
    }

    /// Whether the object comes to its end from here when nothing goes wrong any more, and is not written after that.
    /// Asked between passes only: every other state leads to one of those.
    pub fn comes_to_an_end(&self) -> bool {
        let is_between = self.controllers.iter().all(|controller| controller.pass.is_none());
        if self.faults > 0 || !is_between || self.violation.is_some() {
            return true;
        }
        let end = self.continued();
        let again = end.clone().pass_alone();
        self.subject.is_settled(&end) && end.violation().is_none() && again.object.version == end.object.version
    }

    /// One controller alone, that begins anew, until the object has come to its end.
    fn continued(&self) -> Self {
        let mut world = self.clone();
        (world.faults, world.others) = (0, 0);
        world.in_flight.clear();
        world.controllers = [Controller::new(world.object.version), Controller::new(0)];
        for _ in 0..8 {
            world = world.pass_alone();
            if world.subject.is_settled(&world) {
                break;
            }
            world.settle();
            world.started.iter_mut().for_each(|started| started.live = false);
        }
        world
    }

    /// One pass of controller 0 on the newest version, with the newest observation.
    fn pass_alone(self) -> Self {
        let newest = Arc::clone(&self.object);
        let mut world = match self.begins(0, &newest).pop() {
            Some(begun) => *begun.next,
            None => return self,
        };
        for _ in 0..60 {
            if world.controllers[0].pass.is_none() {
                break;
            }
            world = *world.of_controller(0).swap_remove(0).next;
        }
        world
    }
}

impl<S: Subject> World<S> {
    /// The age of the intent as a lookup notes it.
    pub fn mutated_age(&self, who: usize) -> Duration {
        if self.is(Mutation::EarlyLookupsSettle) {
            return Duration::from_secs(SETTLE.unsigned_abs());
        }
        self.intent_age(who)
    }

    /// A lookup that failed.
    pub fn failed_lookup<T>(&self, problem: Problem) -> Lookup<T> {
        if self.is(Mutation::FailedLookupsCountAsNotFound) {
            return Lookup::NotFound { intent_age: Duration::from_secs(SETTLE.unsigned_abs()) };
        }
        Lookup::Failed(problem)
    }

    /// Whether the model lets the status be lost: as the last fault, and with no pass or start under way. After a loss the
    /// plan looks once for an earlier run, and does not wait for one that is still on its way.
    pub fn can_lose_status(&self) -> bool {
        let at_rest = self.controllers.iter().all(|controller| controller.pass.is_none());
        self.faults == 1 && at_rest && self.in_flight.is_empty()
    }
}
