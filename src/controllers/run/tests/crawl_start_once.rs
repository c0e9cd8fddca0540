//! As [`interleavings`](super::start_once), for starts that carry no key: walks every interleaving of crashes,
//! lost answers, stale caches, histories that lag, polls that know nothing yet, a crawler that somebody else
//! starts, and a second controller. However it goes, an object starts one crawl at most; no crawl is taken for
//! its own that was there before it asked; and once the trouble is over it is served by one.
//!
//! The model keeps the shell's rules, and what is known of Glue: a crawler crawls once at a time and knows its
//! own state; its history may lag behind a start, but not for longer than the settle time; what was sent takes
//! effect within the settle time or never, and not while the crawler is busy.

mod glue;

use std::rc::Rc;

use self::glue::{Crawl, State, number};
use super::fixture::Fixture;
use super::start_once::{Controller, Object, SETTLE, bench};
use crate::api::crawler_run::OnAlreadyRunning;
use crate::api::run::Attempt;
use crate::controllers::run::concurrency;
use crate::controllers::run::facts::{ConcurrencyPolicy, CrawlerActivity, Observation, PassState, StartOutcome};
use crate::controllers::run::step::{Call, Plan, Step};
use crate::controllers::runtime::tests::model_checker::{self, Course, Model as _, hash};

/// How many versions a cache may show.
const VISIBLE: usize = 2;

#[derive(Clone, Debug)]
struct Pass {
    object: Object,
    state: PassState,
    fresh_intent: bool,
    /// What the poller has told.
    activity: CrawlerActivity,
    crawler: Option<State>,
    /// How many crawls had begun when the read_baseline of this pass was.
    baseline_read: Option<usize>,
}

#[derive(Clone, Debug)]
struct Model {
    coalesce: bool,
    object: Object,
    /// How many crawls had begun when somebody asked what the object's attempt has on record.
    floor: usize,
    history: Vec<Rc<Object>>,
    crawls: Vec<Crawl>,
    in_flight: usize,
    clock: i64,
    /// How often the settle time may pass.
    settles: i64,
    controllers: [Controller<Pass>; 2],
    hands: usize,
    course: Course,
    /// How often somebody else may still start the crawler.
    others: u8,
}

impl Model {
    fn new(coalesce: bool, hands: usize, faults: u8, others: u8, busy: bool) -> Self {
        let mut object = Object::default();
        object.status.observed_generation = -1;
        let crawls = if busy { vec![Crawl { ours: false, live: true, settled: true }] } else { Vec::new() };
        Self {
            coalesce,
            history: vec![Rc::new(object.clone())],
            object,
            floor: 0,
            crawls,
            in_flight: 0,
            clock: 0,
            settles: if hands == 1 { 2 } else { 1 },
            controllers: [Controller::new(0), Controller::new(0)],
            hands,
            course: Course::of(faults),
            others,
        }
    }

    fn decide(&mut self, who: usize) -> Plan {
        let clock = self.clock;
        let controller = &mut self.controllers[who];
        let Pass { object, state, fresh_intent, activity, .. } = controller.pass.clone().expect("a pass");
        let open_for = controller.open_for(&object.status, clock);
        let attempt = object.status.attempt();
        let id = attempt.and_then(|attempt| attempt.id.clone());
        Fixture {
            concurrency: Some(ConcurrencyPolicy {
                on_already_running: OnAlreadyRunning::Wait,
                coalesce: self.coalesce,
            }),
            activity: attempt
                .filter(|attempt| concurrency::is_waiting(attempt))
                .map_or(CrawlerActivity::Unchanged, |_| activity),
            observation: id.map(|id| Observation::Present(self.observed(number(&id)))),
            ..bench(&object, state, fresh_intent, clock, open_for)
        }
        .plan()
    }

    /// A write by the pass of `who`, if the API server takes it.
    fn write(&mut self, who: usize, change: impl FnOnce(&mut Object)) {
        let Some(mut pass) = self.controllers[who].pass.take() else { return };
        if pass.object.version != self.object.version {
            return;
        }
        let before = pass.object.status.clone();
        change(&mut pass.object);
        let after = &pass.object.status;
        pass.fresh_intent |= PassState::records_intent(&before, after);
        pass.state.on_status_written(&before, after);
        let record = |attempt: Option<&Attempt>| attempt.and_then(|attempt| attempt.baseline.clone());
        if record(before.attempt()) != record(after.attempt()) {
            self.floor = pass.baseline_read.expect("what is on record was asked for by this pass");
        }
        if let Some(id) = after.attempt().and_then(|attempt| attempt.id.as_deref()) {
            let crawl = number(id);
            assert!(crawl >= self.floor, "{id} was there before:\n{}", self.course.tell());
            // Only while the outcome of its own start is open may another crawl pass for its own.
            let open = before.attempt().is_some_and(|attempt| attempt.is_open() || attempt.id.is_some());
            assert!(
                self.coalesce || self.crawls[crawl].ours || open,
                "{id} is somebody else's:\n{}",
                self.course.tell()
            );
        }
        pass.object.version += 1;
        // Without the version: what counts is how old a observation is.
        pass.object.print = hash(&format!("{}{:?}", pass.object.finalizer, pass.object.status));
        self.object = pass.object.clone();
        self.history.push(Rc::new(pass.object.clone()));
        self.controllers[who].cache = pass.object.version;
        self.controllers[who].pass = Some(pass);
    }

    fn learn(&mut self, who: usize, change: impl FnOnce(&mut Pass)) {
        if let Some(pass) = &mut self.controllers[who].pass {
            change(pass);
        }
    }

    fn answered(&mut self, who: usize, outcome: &StartOutcome) {
        self.controllers[who].keep(outcome);
        self.learn(who, |pass| {
            pass.fresh_intent = false;
            pass.state.answered(outcome.clone());
        });
    }

    /// The settle time passes: an intent that was not sent by now is not sent any more.
    fn settle(&mut self) {
        self.clock += SETTLE;
        self.crawls.iter_mut().for_each(|crawl| crawl.settled = true);
        for controller in &mut self.controllers {
            if controller.pass.as_ref().is_some_and(|pass| pass.fresh_intent) {
                controller.pass = None;
            }
        }
    }

    /// A pass of `who` begins on what its cache shows.
    fn begin(&mut self, who: usize, object: &Object, activity: CrawlerActivity) {
        let clock = self.clock;
        let controller = &mut self.controllers[who];
        controller.open_for(&object.status, clock);
        let state = PassState {
            had_earlier_attempt: object.finalizer,
            outcome: controller.outcome.clone(),
            ..PassState::default()
        };
        controller.cache = object.version;
        controller.pass = Some(Pass {
            object: object.clone(),
            state,
            fresh_intent: false,
            activity,
            crawler: None,
            baseline_read: None,
        });
    }

    fn acts(&self, who: usize) -> Vec<Self> {
        let controller = &self.controllers[who];
        if controller.pass.is_none() {
            // The newest version, or the one before it, but never one from before our own last write; and what
            // the poller sees, or nothing yet.
            let visible = self.history.iter().rev().take(VISIBLE).filter(|object| object.version >= controller.cache);
            return visible
                .flat_map(|object| {
                    let waits = object.status.attempt().is_some_and(concurrency::is_waiting);
                    let exact =
                        waits.then(|| self.activity(object)).filter(|activity| *activity != CrawlerActivity::Unchanged);
                    std::iter::once(CrawlerActivity::Unchanged).chain(exact).map(move |activity| {
                        let what = format!("{who} begins on version {}, {activity:?}", object.version);
                        self.with(what, |next| next.begin(who, object, activity))
                    })
                })
                .collect();
        }
        let mut model = self.clone();
        let Plan { status, step } = model.decide(who);
        let current = model.controllers[who].pass.as_ref().map(|pass| pass.object.status.clone());
        let mut next = Vec::new();
        next.extend(model.fault(format!("{who} crashes"), |next| {
            next.controllers[who] = Controller::new(next.object.version);
        }));
        if current.as_ref() != Some(&status) {
            next.push(model.with(format!("{who} writes {:?}", status.phase), |next| {
                next.write(who, |object| object.status = status);
            }));
            return next;
        }
        match step {
            Step::AddFinalizer => next.push(model.with(format!("{who} adds the finalizer"), |next| {
                next.write(who, |object| object.finalizer = true);
            })),
            Step::RemoveFinalizer { .. } => next.push(model.with(format!("{who} takes the finalizer off"), |next| {
                next.write(who, |object| object.finalizer = false);
            })),
            Step::Call(Call::ReadBaseline { baseline: after }) => next.extend(model.surveys(who, after.as_ref())),
            Step::Call(Call::LookUp(query)) => {
                next.extend(model.looks(who, &query.baseline.expect("it was asked for")))
            }
            Step::Call(Call::Start) => next.extend(model.starts(who)),
            Step::AwaitChange | Step::RequeueAfter(_) | Step::Backoff => {
                next.push(model.with(format!("{who} rests"), |next| next.controllers[who].pass = None));
            }
            other => panic!("nothing here asks for {other:?}"),
        }
        next
    }

    /// From here on nothing goes wrong, one controller works alone, and crawls come to their ends.
    fn comes_to_rest(mut self) -> Self {
        self.course.faults = 0;
        self.in_flight = 0;
        self.controllers = [Controller::new(self.object.version), Controller::new(0)];
        for _ in 0..300 {
            if self.controllers[0].pass.is_some() {
                self = self.acts(0).swap_remove(0);
                continue;
            }
            if self.object.status.attempt().is_some_and(|attempt| attempt.id.is_some()) {
                break;
            }
            self.settle();
            self.crawls.iter_mut().for_each(|crawl| crawl.live = false);
            let object = self.object.clone();
            let activity = self.activity(&object);
            self.begin(0, &object, activity);
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
        let ours = self.crawls.iter().filter(|crawl| crawl.ours).count();
        assert!(ours <= 1, "two crawls:\n{}", self.course.tell());
        // Every other state leads to one of these.
        let idle = self.controllers.iter().all(|controller| controller.pass.is_none());
        if self.course.faults == 0 && idle {
            let rested = self.clone().comes_to_rest();
            let ours = rested.crawls.iter().filter(|crawl| crawl.ours).count();
            let served = rested.object.status.attempt().is_some_and(|attempt| attempt.id.is_some());
            assert!(served && ours <= 1, "no rest:\n{}", rested.course.tell());
        }
    }

    fn successors(&self) -> Vec<Self> {
        let mut next: Vec<Self> = (0..self.hands).flat_map(|who| self.acts(who)).collect();
        if self.in_flight > 0 {
            next.push(self.with("the sent start takes effect", |next| {
                next.in_flight -= 1;
                next.start(true);
            }));
            next.push(self.with("the sent start is lost", |next| next.in_flight -= 1));
        }
        if self.in_flight == 0 && self.clock < self.settles * SETTLE {
            next.push(self.with("the settle time passes", Self::settle));
        }
        if let Some(live) = self.live() {
            next.push(self.with(format!("crawl-{live} ends"), |next| next.crawls[live].live = false));
        } else if self.others > 0 {
            next.push(self.with("somebody else starts the crawler", |next| {
                next.others -= 1;
                next.start(false);
            }));
        }
        next
    }

    fn fingerprint(&self) -> u64 {
        let age = |version: u32| (self.object.version - version).min(2);
        let controllers = self.controllers.iter().map(|controller| {
            let Controller { cache, pass, knows, outcome } = controller;
            let pass = pass.as_ref().map(|pass| {
                let Pass { object, state, fresh_intent, activity, crawler, baseline_read } = pass;
                (
                    age(object.version),
                    object.print,
                    format!("{state:?}{fresh_intent}{activity:?}"),
                    crawler.clone(),
                    *baseline_read,
                )
            });
            let knows = knows.as_ref().map(|(intent, since)| (intent.number, intent.intended_at.0, *since));
            (age(*cache), pass, knows, format!("{outcome:?}"))
        });
        let controllers: Vec<_> = controllers.collect();
        let history: Vec<_> = self.history.iter().rev().take(VISIBLE).map(|object| object.print).collect();
        let glue = (&self.crawls, self.in_flight, self.clock);
        hash(&(self.object.print, self.floor, history, glue, controllers, self.course.faults, self.others))
    }
}

fn walk_all(coalesce: bool, models: &[(usize, u8, u8, bool)]) {
    for (hands, faults, others, busy) in models {
        let states = model_checker::walk(Model::new(coalesce, *hands, *faults, *others, *busy));
        assert!(states > 1000, "the walk saw only {states} states");
    }
}

#[test]
fn whatever_goes_wrong_an_object_starts_one_crawl_and_takes_none_that_was_there_before() {
    walk_all(true, &[(1, 2, 1, false), (1, 1, 1, true), (2, 0, 1, false), (2, 1, 0, false)]);
}

#[test]
fn whatever_goes_wrong_an_object_has_a_crawl_of_its_own_where_it_wants_one() {
    walk_all(false, &[(1, 2, 1, false), (1, 1, 1, true)]);
}
