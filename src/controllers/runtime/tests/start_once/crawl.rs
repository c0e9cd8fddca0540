//! `GlueCrawlerRun`: a crawler runs one crawl at a time, and its starts carry no key. A crawl is identified by what
//! existed before it.
//!
//! Beyond what holds for every kind: no crawl that began before the object asked is taken for its own, and where objects
//! do not share, no crawl of somebody else.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::object::{Object, Pass};
use super::world::{Transition, World, problem};
use super::{Exploration, Mutation, Subject};
use crate::api::crawler_run::OnAlreadyRunning;
use crate::api::run::{Attempt, Baseline, Phase, RunStatus};
use crate::controllers::run::calls::{Call, Plan};
use crate::controllers::run::concurrency::is_waiting;
use crate::controllers::run::facts::{
    ConcurrencyPolicy, CrawlerActivity, CrawlerSnapshot, Observation, ObservedRun, PassState,
};
use crate::controllers::run::lifecycle::intent;
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::run::tests::fixture::Fixture;
use crate::controllers::runtime::start_once::{Intent, Lookup, StartOutcome, StartState};
use crate::glue::ErrorKind;

#[derive(Clone, Debug)]
pub struct Crawl {
    /// Whether a crawl that began after the object asked covers it, whatever started it.
    pub coalesce: bool,
}

/// A pass over a crawler run.
#[derive(Clone, Debug)]
pub struct CrawlPass {
    observed: PassState,
    /// What the poller has shown.
    activity: CrawlerActivity,
    /// The crawler, read before its history.
    crawler: Option<Crawler>,
    /// How many crawls had begun when this pass read its baseline.
    begun: Option<usize>,
}

/// The crawler as it was read.
#[derive(Clone, Debug)]
struct Crawler {
    busy: bool,
    /// The last crawl that had ended.
    last: Option<usize>,
    begun: usize,
}

/// How many crawls had begun when the baseline in the status was read.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    begun: usize,
}

fn began(crawl: usize) -> Time {
    Time(Timestamp::from_second(i64::try_from(crawl).expect("few")).expect("a time"))
}

fn number(id: &str) -> usize {
    id.trim_start_matches("crawl-").parse().expect("an id")
}

impl World<Crawl> {
    fn crawl(&self, number: usize) -> ObservedRun {
        let phase = if self.started[number].live { Phase::Running } else { Phase::Succeeded };
        ObservedRun {
            id: format!("crawl-{number}"),
            state: "ANY".to_owned(),
            phase,
            attempt: None,
            retry_expected: false,
            message: None,
            reason: None,
        }
    }

    /// What a poll that sees everything shows of the crawler.
    fn activity(&self, status: &RunStatus) -> CrawlerActivity {
        let baseline = status.attempt().and_then(|attempt| attempt.baseline.as_ref()?.started_at.clone());
        match self.live() {
            None => CrawlerActivity::Idle,
            Some(live) if baseline == Some(began(live)) => CrawlerActivity::Unchanged,
            Some(_) => CrawlerActivity::NewCrawl,
        }
    }

    /// The first crawl of `shown` that is newer than `baseline`.
    fn newer(&self, shown: &[usize], baseline: &Baseline) -> Option<ObservedRun> {
        let after = baseline.started_at.as_ref().map(|time| time.0);
        shown.iter().find(|crawl| Some(began(**crawl).0) > after).map(|crawl| self.crawl(*crawl))
    }

    /// Reads the crawler first, then its history.
    fn reads_baseline(&self, who: usize, recorded: Option<&Baseline>) -> Vec<Transition<Crawl>> {
        let read = |change: fn(&mut CrawlPass, Crawler), crawler: Crawler| {
            move |next: &mut Self| {
                if let Some(pass) = next.pass_mut(who) {
                    change(&mut pass.state, crawler);
                }
            }
        };
        let Some(crawler) = self.controllers[who].pass.as_ref().expect("a pass").state.crawler.clone() else {
            let last = self.started.iter().rposition(|crawl| !crawl.live);
            let crawler = Crawler { busy: self.live().is_some(), last, begun: self.started.len() };
            let label = format!("{who} reads the crawler: {crawler:?}");
            return vec![self.then(label, read(|state, crawler| state.crawler = Some(crawler), crawler))];
        };
        let snapshot = |lags: bool| {
            let shown = self.shown(lags);
            let listed = shown.last().copied();
            let newest = match (listed, crawler.last) {
                _ if self.is(Mutation::NoBaselineIsRecorded) => Baseline::default(),
                (listed, Some(last)) if Some(last) > listed => Baseline { id: None, started_at: Some(began(last)) },
                (Some(listed), _) => Baseline { id: Some(format!("crawl-{listed}")), started_at: Some(began(listed)) },
                (None, _) => Baseline::default(),
            };
            let live = listed.filter(|crawl| crawler.busy && self.started[*crawl].live).map(|crawl| self.crawl(crawl));
            let next = recorded.and_then(|recorded| self.newer(&shown, recorded));
            Ok(CrawlerSnapshot { busy: crawler.busy, newest, live, next })
        };
        let begun = crawler.begun;
        let learn = |snapshot| {
            move |next: &mut Self| {
                if let Some(pass) = next.pass_mut(who) {
                    pass.state.observed.snapshot = Some(snapshot);
                    pass.state.crawler = None;
                    pass.state.begun = Some(begun);
                }
            }
        };
        let mut next = vec![self.then(format!("{who} reads the history"), learn(snapshot(false)))];
        let failed = Err(problem(ErrorKind::Ambiguous));
        next.extend(self.fault(format!("{who} cannot read the history"), learn(failed)));
        if self.has_lag() {
            next.extend(self.fault(format!("{who} reads a history that lags"), learn(snapshot(true))));
        }
        next
    }

    fn looks_up(&self, who: usize, baseline: &Baseline) -> Vec<Transition<Crawl>> {
        let intent_age = self.mutated_age(who);
        let shown = |lags: bool| {
            let found = self.newer(&self.shown(lags), baseline);
            found.map_or(Lookup::NotFound { intent_age }, Lookup::Found)
        };
        let learn = |lookup: Lookup<ObservedRun>| {
            move |next: &mut Self| {
                if let Some(pass) = next.pass_mut(who) {
                    pass.state.observed.start.lookup = Some(lookup);
                }
            }
        };
        let mut next = vec![self.then(format!("{who} looks up its crawl"), learn(shown(false)))];
        let failed = self.failed_lookup(problem(ErrorKind::Ambiguous));
        next.extend(self.fault(format!("{who} cannot look up its crawl"), learn(failed)));
        if self.has_lag() {
            next.extend(self.fault(format!("{who} looks up a history that lags"), learn(shown(true))));
        }
        next
    }
}

impl Subject for Crawl {
    type Status = RunStatus;
    type Spec = ();
    type PassState = CrawlPass;
    type Local = RunLocalState;
    type Call = Call;
    type Notes = Notes;

    const VISIBLE: usize = 2;
    const EXCLUSIVE: bool = true;

    fn initial(&self) -> ((), RunStatus) {
        ((), RunStatus::unobserved())
    }

    fn intent(status: &RunStatus) -> Option<Intent> {
        intent(status)
    }

    /// The poller has shown nothing yet, or what it sees now.
    fn begin(&self, world: &World<Self>, who: usize, object: &Object<Self>) -> Vec<CrawlPass> {
        let waits = object.status.attempt().is_some_and(is_waiting);
        let now = waits.then(|| world.activity(&object.status));
        let now = now.filter(|activity| *activity != CrawlerActivity::Unchanged);
        let start = StartState::resume(world.controllers[who].tracker.outcome());
        let observed = PassState { had_earlier_attempt: object.finalizer, start, ..PassState::default() };
        let pass = |activity| CrawlPass { observed: observed.clone(), activity, crawler: None, begun: None };
        std::iter::once(CrawlerActivity::Unchanged).chain(now).map(pass).collect()
    }

    fn plan(&self, world: &World<Self>, pass: &Pass<Self>) -> Plan {
        let attempt = pass.object.status.attempt();
        let id = attempt.and_then(|attempt| attempt.id.clone());
        let waits = attempt.is_some_and(is_waiting);
        let fixture = Fixture {
            now: world.clock,
            concurrency: Some(ConcurrencyPolicy {
                on_already_running: OnAlreadyRunning::Wait,
                coalesce: self.coalesce,
            }),
            status: pass.object.status.clone(),
            state: pass.state.observed.clone(),
            activity: if waits { pass.state.activity } else { CrawlerActivity::Unchanged },
            fresh_intent: pass.fresh_intent,
            intent_age: i64::try_from(pass.intent_age.as_secs()).expect("seconds"),
            observation: id.map(|id| Observation::Present(world.crawl(number(&id)))),
            ..Fixture::new()
        };
        if pass.object.finalizer { fixture.with_finalizer() } else { fixture }.plan()
    }

    fn on_status_written(
        &self,
        world: &mut World<Self>,
        pass: &mut Pass<Self>,
        before: &RunStatus,
        records_intent: bool,
    ) {
        let after = pass.object.status.clone();
        pass.state.observed.on_status_written(before, &after, records_intent);
        let baseline = |attempt: Option<&Attempt>| attempt.and_then(|attempt| attempt.baseline.clone());
        if let Some(begun) = pass.state.begun.filter(|_| baseline(before.attempt()) != baseline(after.attempt())) {
            world.notes.begun = begun;
        }
        let Some(id) = after.attempt().and_then(|attempt| attempt.id.as_deref()) else { return };
        let crawl = number(id);
        if crawl < world.notes.begun {
            world.flag(format!("{id} began before the object asked"));
        }
        // Only while its own start is open may another crawl pass for the object's own.
        let open = before.attempt().is_some_and(|attempt| attempt.is_open() || attempt.id.is_some());
        if !self.coalesce && !world.started[crawl].ours && !open {
            world.flag(format!("{id} is somebody else's"));
        }
    }

    fn call(&self, world: &World<Self>, who: usize, call: &Call) -> Vec<Transition<Self>> {
        match call {
            Call::ReadBaseline { recorded } => world.reads_baseline(who, recorded.as_ref()),
            Call::LookUp(query) => world.looks_up(who, &query.baseline.clone().unwrap_or_default()),
            Call::ReadResumable { .. } | Call::CheckPlace | Call::Start | Call::Stop(_) => {
                panic!("no plan of the model asks for {call:?}")
            }
        }
    }

    fn is_start(call: &Call) -> bool {
        *call == Call::Start
    }

    fn label(_: &RunStatus) -> String {
        String::new()
    }

    fn answer(_: usize) -> StartOutcome {
        StartOutcome::Accepted
    }

    fn on_sent(pass: &mut Pass<Self>, outcome: StartOutcome) {
        pass.state.observed.start.on_sent(outcome);
        pass.state.observed.snapshot = None;
    }

    fn violation(&self, world: &World<Self>) -> Option<String> {
        let ours = world.started.iter().filter(|crawl| crawl.ours).count();
        (ours > 1).then(|| format!("{ours} crawls"))
    }

    fn is_settled(&self, world: &World<Self>) -> bool {
        world.object.status.attempt().is_some_and(|attempt| attempt.id.is_some())
    }
}

fn explore(coalesce: bool, explorations: &[(usize, u8, u8, bool)]) {
    for (controllers, faults, others, busy) in explorations {
        let exploration = Exploration::new(Crawl { coalesce }, *controllers, *faults);
        let states = Exploration { others: *others, busy: *busy, ..exploration }.explore();
        println!("{controllers} controllers, {faults} faults, {others} others, busy {busy}: {states} states");
        assert!(states > 1000, "the model has only {states} states");
    }
}

#[test]
fn however_it_goes_an_object_starts_one_crawl_and_takes_none_that_began_before() {
    explore(true, &[(1, 2, 1, false), (1, 1, 1, true), (2, 0, 1, false), (2, 1, 0, false)]);
}

#[test]
fn however_it_goes_an_object_gets_a_crawl_of_its_own_where_it_does_not_share() {
    explore(false, &[(1, 2, 1, false), (1, 1, 1, true)]);
}
