//! The state of the model: the object, Glue, the controllers, and what can happen next.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::time::Instant;

use super::mutations::Mutation;
use super::object::{Controller, Object, Pass, Started, hash};
use super::stability::Calm;
use super::{Exploration, Subject};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::{StartOutcome, records_intent};
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::ErrorKind;

/// The settle time in seconds; the model's clock moves by it.
pub const SETTLE: i64 = 60;
/// The model's time 0.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

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
    pub in_flight: Vec<String>,
    pub clock: i64,
    pub controllers: [Controller<S>; 2],
    pub faults: u8,
    pub others: u8,
    pub notes: S::Notes,
    pub violation: Option<String>,
    /// While no fault happens any more: until when, and what is known.
    pub calm: Option<(i64, Calm)>,
}

impl<S: Subject> Hash for World<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let age = |version: u32| self.object.version.saturating_sub(version).min(3);
        for controller in &self.controllers {
            age(controller.cache).hash(state);
            if let Some(pass) = &controller.pass {
                (age(pass.object.version), pass.object.hash, pass.fresh_intent, pass.newest).hash(state);
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
        self.calm.hash(state);
    }
}

impl<S: Subject> PartialEq for World<S> {
    fn eq(&self, other: &Self) -> bool {
        hash(self) == hash(other)
    }
}

/// A problem with this kind of AWS error.
pub fn problem(kind: ErrorKind) -> Problem {
    Problem { reason: kind.into(), message: "message".to_owned(), kind: Some(kind) }
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
            calm: None,
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

    /// Whether every lookup shows everything that was started, and nothing is on its way.
    pub fn is_shown(&self) -> bool {
        let sends =
            self.controllers.iter().any(|controller| controller.pass.as_ref().is_some_and(|pass| pass.fresh_intent));
        !sends && !self.has_lag() && self.in_flight.is_empty()
    }

    pub fn live(&self) -> Option<usize> {
        self.started.iter().position(|started| started.live)
    }

    pub fn pass_mut(&mut self, who: usize) -> Option<&mut Pass<S>> {
        self.controllers[who].pass.as_mut().map(Arc::make_mut)
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
        next.extend(self.arrivals());
        if self.in_flight.is_empty() && self.clock < self.limit() {
            next.push(self.then("the settle time passes", Self::settle));
        }
        match self.live_ends() {
            Some(ends) => next.push(ends),
            None if self.others > 0 => next.push(self.then("somebody else starts the target", |next| {
                next.others -= 1;
                next.start("", false);
            })),
            None => {}
        }
        next.extend(self.subject.environment(self));
        next
    }

    /// What becomes of the starts that were sent and have not taken effect.
    pub fn arrivals(&self) -> Vec<Transition<S>> {
        let of = |place: usize| {
            let arrives = self.then("a sent start takes effect", |next| {
                let label = next.in_flight.remove(place);
                next.start(&label, true);
            });
            [arrives, self.then("a sent start is lost", |next| drop(next.in_flight.remove(place)))]
        };
        (0..self.in_flight.len()).flat_map(of).collect()
    }

    /// What is live ends, where that makes a difference to Glue.
    pub fn live_ends(&self) -> Option<Transition<S>> {
        let live = self.live().filter(|_| S::EXCLUSIVE)?;
        Some(self.then(format!("start {live} ends"), |next| next.started[live].live = false))
    }

    /// How many controllers act.
    pub fn active(&self) -> usize {
        self.active
    }

    /// Until when time passes while faults happen.
    pub fn limit(&self) -> i64 {
        if self.active == 1 { 2 * SETTLE } else { SETTLE }
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
        if self.subject.may_crash(self) {
            next.extend(self.fault(format!("{who} crashes"), |next| {
                next.controllers[who] = Controller::new(next.object.version);
            }));
        }
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
            Step::Backoff | Step::AwaitChange | Step::RequeueAfter(_)
                if who == 1 && pass.object.finalizer && self.undoes_writes() =>
            {
                next.push(self.then(format!("{who} undoes the finalizer"), |next| {
                    next.write(who, |finalizer, _| *finalizer = false);
                    next.controllers[who].pass = None;
                }));
            }
            Step::Backoff | Step::AwaitChange | Step::RequeueAfter(_) => {
                next.push(self.then(format!("{who} ends its pass"), |next| next.controllers[who].pass = None));
            }
            Step::Annotate(_) | Step::Delete => panic!("no plan of the model asks for {:?}", plan.step),
        }
        next
    }

    /// Whether a controller undoes what the other one wrote.
    fn undoes_writes(&self) -> bool {
        self.is(Mutation::ControllersUndoEachOther) && self.subject.is_settled(self)
    }

    pub fn begins(&self, who: usize, object: &Arc<Object<S>>) -> Vec<Transition<S>> {
        let mut with_tracker = self.clone();
        let controller = &mut with_tracker.controllers[who];
        let keeps = self.is(Mutation::OutcomeOfAnotherIntentIsKept);
        let outcome = controller.tracker.outcome().cloned().filter(|_| keeps);
        let intent_age = controller.tracker.observe(S::intent(&object.status).as_ref(), self.instant());
        if let Some(outcome) = outcome {
            controller.tracker.record(&outcome);
        }
        controller.cache = object.version;
        S::observe(&mut controller.local, object, self.instant());
        let states = self.subject.begin(&with_tracker, who, object);
        let last = states.len();
        let begin = |(number, state): (usize, S::PassState)| {
            let newest = self.calm.is_some() && number + 1 == last;
            let label = format!("{who} begins a pass on version {}", object.version);
            with_tracker.then(label, |next| {
                let (object, fresh_intent) = (Arc::clone(object), false);
                next.controllers[who].pass =
                    Some(Arc::new(Pass { object, state, fresh_intent, intent_age, newest, problem: None }));
            })
        };
        states.into_iter().enumerate().map(begin).collect()
    }

    fn plan(&self, who: usize, pass: &Pass<S>) -> Plan<S::Status, S::Call> {
        let open = S::intent(&pass.object.status).is_some_and(|intent| intent.open);
        let mut seen = Pass::clone(pass);
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
        self.controllers[who].cache = self.object.version;
        let object = Arc::clone(&self.object);
        self.controllers[who].pass = Some(Arc::new(Pass { object, ..Arc::unwrap_or_clone(pass) }));
        true
    }

    fn write_status(&mut self, who: usize, after: S::Status) {
        let before = self.controllers[who].pass.as_ref().expect("a pass").object.status.clone();
        let intends = records_intent(S::intent(&before).as_ref(), S::intent(&after).as_ref());
        if intends && self.is(Mutation::IntentIsNotWritten) {
            // The pass goes on as if it were.
            let pass = self.pass_mut(who).expect("a pass");
            Arc::make_mut(&mut pass.object).status = after;
        } else if !self.write(who, |_, status| *status = after) {
            return;
        }
        let subject = Arc::clone(&self.subject);
        let mut pass = self.controllers[who].pass.take().expect("a pass");
        let changed = Arc::make_mut(&mut pass);
        changed.fresh_intent |= intends;
        subject.on_status_written(self, changed, &before, intends);
        let now = self.instant();
        self.controllers[who].tracker.observe(S::intent(&pass.object.status).as_ref(), now);
        S::observe(&mut self.controllers[who].local, &pass.object, now);
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
}
