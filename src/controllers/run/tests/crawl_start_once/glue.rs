//! Glue's side of the model: one crawler, its crawls, what it shows of them, and what it answers.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::super::fixture::problem;
use super::super::start_once::Object;
use super::Model;
use crate::api::run::{Baseline, Phase};
use crate::controllers::run::facts::{BaselineRead, CrawlerActivity, Lookup, ObservedRun, StartOutcome};
use crate::controllers::runtime::tests::model_checker::Model as _;
use crate::glue::ErrorKind;

#[derive(Clone, Debug, Hash)]
pub(super) struct Crawl {
    pub(super) ours: bool,
    pub(super) live: bool,
    /// Whether the history is sure to show it: within the settle time it may not.
    pub(super) settled: bool,
}

/// What a pass has seen of the crawler before it asked for the history.
#[derive(Clone, Debug, Hash)]
pub(super) struct State {
    pub(super) busy: bool,
    /// The last crawl that is over.
    pub(super) last: Option<usize>,
    /// How many crawls had begun: what comes later covers the object.
    pub(super) begun: usize,
}

pub(super) fn began(crawl: usize) -> Time {
    Time(Timestamp::from_second(i64::try_from(crawl).expect("few")).expect("a time"))
}

pub(super) fn number(id: &str) -> usize {
    id.trim_start_matches("crawl-").parse().expect("an id")
}

impl Model {
    pub(super) fn live(&self) -> Option<usize> {
        self.crawls.iter().position(|crawl| crawl.live)
    }

    pub(super) fn observed(&self, crawl: usize) -> ObservedRun {
        let phase = if self.crawls[crawl].live { Phase::Running } else { Phase::Succeeded };
        ObservedRun {
            id: format!("crawl-{crawl}"),
            state: "ANY".to_owned(),
            phase,
            retry_expected: false,
            message: None,
        }
    }

    /// What a poll that sees everything tells of the crawler.
    pub(super) fn activity(&self, object: &Object) -> CrawlerActivity {
        let after = object.status.attempt().and_then(|attempt| attempt.baseline.as_ref()?.started_at.clone());
        match self.live() {
            None => CrawlerActivity::Idle,
            Some(live) if after == Some(began(live)) => CrawlerActivity::Unchanged,
            Some(_) => CrawlerActivity::NewCrawl,
        }
    }

    /// What Glue does about a start.
    pub(super) fn start(&mut self, ours: bool) -> StartOutcome {
        if self.live().is_some() {
            return StartOutcome::Refused(problem(ErrorKind::Busy));
        }
        self.crawls.push(Crawl { ours, live: true, settled: false });
        StartOutcome::Accepted
    }

    /// The first crawl that the history shows to be newer than `after`.
    fn newer(&self, shown: &[usize], after: &Baseline) -> Option<ObservedRun> {
        let newer = |crawl: &&usize| Some(began(**crawl).0) > after.started_at.as_ref().map(|time| time.0);
        shown.iter().find(newer).map(|crawl| self.observed(*crawl))
    }

    /// What the history shows: everything, or what is settled only.
    fn shown(&self, lags: bool) -> Vec<usize> {
        (0..self.crawls.len()).filter(|crawl| !lags || self.crawls[*crawl].settled).collect()
    }

    fn has_lag(&self) -> bool {
        self.crawls.iter().any(|crawl| !crawl.settled)
    }

    /// First the crawler's state, then its history.
    pub(super) fn surveys(&self, who: usize, after: Option<&Baseline>) -> Vec<Self> {
        let Some(state) = self.controllers[who].pass.as_ref().expect("a pass").crawler.clone() else {
            let busy = self.live().is_some();
            let last = self.crawls.iter().rposition(|crawl| !crawl.live);
            let state = State { busy, last, begun: self.crawls.len() };
            return vec![self.with(format!("{who} sees the crawler: {state:?}"), |next| {
                next.learn(who, |pass| pass.crawler = Some(state));
            })];
        };
        let seen = |lags: bool| {
            let shown = self.shown(lags);
            let listed = shown.last().copied();
            let newest = match (listed, state.last) {
                (listed, Some(last)) if Some(last) > listed => Baseline { id: None, started_at: Some(began(last)) },
                (Some(listed), _) => Baseline { id: Some(format!("crawl-{listed}")), started_at: Some(began(listed)) },
                (None, _) => Baseline::default(),
            };
            let live = listed.filter(|crawl| state.busy && self.crawls[*crawl].live).map(|crawl| self.observed(crawl));
            let next = after.and_then(|after| self.newer(&shown, after));
            BaselineRead::Read { busy: state.busy, newest, live, next }
        };
        let begun = state.begun;
        let learn = |read_baseline: BaselineRead| {
            move |next: &mut Self| {
                next.learn(who, |pass| {
                    pass.state.read_baseline = Some(read_baseline);
                    pass.crawler = None;
                    pass.baseline_read = Some(begun);
                });
            }
        };
        let mut next = vec![self.with(format!("{who} surveys"), learn(seen(false)))];
        let failed = BaselineRead::Failed(problem(ErrorKind::Ambiguous));
        next.extend(self.fault(format!("{who} cannot read_baseline"), learn(failed)));
        if self.has_lag() {
            next.extend(self.fault(format!("{who} surveys what lags"), learn(seen(true))));
        }
        next
    }

    pub(super) fn looks(&self, who: usize, after: &Baseline) -> Vec<Self> {
        let nothing = Lookup::NotFound { known_for: self.controllers[who].known_for(self.clock) };
        let seen = |lags: bool| self.newer(&self.shown(lags), after).map_or(nothing.clone(), Lookup::Found);
        let learn = |lookup: Lookup| move |next: &mut Self| next.learn(who, |pass| pass.state.lookup = Some(lookup));
        let mut next = vec![self.with(format!("{who} looks"), learn(seen(false)))];
        let failed = Lookup::Failed(problem(ErrorKind::Ambiguous));
        next.extend(self.fault(format!("{who} cannot look"), learn(failed)));
        if self.has_lag() {
            next.extend(self.fault(format!("{who} looks at what lags"), learn(seen(true))));
        }
        next
    }

    pub(super) fn starts(&self, who: usize) -> Vec<Self> {
        let pass = self.controllers[who].pass.as_ref().expect("a pass");
        assert!(pass.fresh_intent, "a start without an intent of this pass");
        let unclear = StartOutcome::Unclear(problem(ErrorKind::Ambiguous));
        let mut next = vec![self.with(format!("{who} starts"), |next| {
            let outcome = next.start(true);
            next.answered(who, &outcome);
        })];
        next.extend(self.fault(format!("{who} starts, the outcome is lost"), |next| {
            next.start(true);
            next.answered(who, &unclear);
        }));
        next.extend(self.fault(format!("{who} sends a start that hangs"), |next| {
            next.in_flight += 1;
            next.answered(who, &unclear);
        }));
        next.extend(self.fault(format!("{who} is throttled"), |next| {
            next.answered(who, &StartOutcome::Refused(problem(ErrorKind::Throttled)));
        }));
        next
    }
}
