//! Glue's side of the model: one crawler, its crawls, what it shows of them, and what it answers.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::super::facts::{Answer, Look, Observed, Stir, Survey};
use super::super::interleavings::Object;
use super::super::scene::problem;
use super::Model;
use crate::api::run::{Newest, Phase};
use crate::controllers::walk::Model as _;
use crate::glue::Class;

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

    pub(super) fn observed(&self, crawl: usize) -> Observed {
        let phase = if self.crawls[crawl].live { Phase::Running } else { Phase::Succeeded };
        Observed { id: format!("crawl-{crawl}"), state: "ANY".to_owned(), phase, retry_expected: false, message: None }
    }

    /// What a poll that sees everything tells of the crawler.
    pub(super) fn stir(&self, object: &Object) -> Stir {
        let after = object.status.attempt().and_then(|attempt| attempt.after.as_ref()?.started_at.clone());
        match self.live() {
            None => Stir::Free,
            Some(live) if after == Some(began(live)) => Stir::Still,
            Some(_) => Stir::Another,
        }
    }

    /// What Glue does about a start.
    pub(super) fn start(&mut self, ours: bool) -> Answer {
        if self.live().is_some() {
            return Answer::Refused(problem(Class::Busy));
        }
        self.crawls.push(Crawl { ours, live: true, settled: false });
        Answer::Accepted
    }

    /// The first crawl that the history shows to be newer than `after`.
    fn newer(&self, shown: &[usize], after: &Newest) -> Option<Observed> {
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
    pub(super) fn surveys(&self, who: usize, after: Option<&Newest>) -> Vec<Self> {
        let Some(state) = self.controllers[who].pass.as_ref().expect("a pass").state.clone() else {
            let busy = self.live().is_some();
            let last = self.crawls.iter().rposition(|crawl| !crawl.live);
            let state = State { busy, last, begun: self.crawls.len() };
            return vec![self.with(format!("{who} sees the crawler: {state:?}"), |next| {
                next.learn(who, |pass| pass.state = Some(state));
            })];
        };
        let seen = |lags: bool| {
            let shown = self.shown(lags);
            let listed = shown.last().copied();
            let newest = match (listed, state.last) {
                (listed, Some(last)) if Some(last) > listed => Newest { id: None, started_at: Some(began(last)) },
                (Some(listed), _) => Newest { id: Some(format!("crawl-{listed}")), started_at: Some(began(listed)) },
                (None, _) => Newest::default(),
            };
            let live = listed.filter(|crawl| state.busy && self.crawls[*crawl].live).map(|crawl| self.observed(crawl));
            let next = after.and_then(|after| self.newer(&shown, after));
            Survey::Seen { busy: state.busy, newest, live, next }
        };
        let begun = state.begun;
        let learn = |survey: Survey| {
            move |next: &mut Self| {
                next.learn(who, |pass| {
                    pass.learnt.survey = Some(survey);
                    pass.state = None;
                    pass.surveyed = Some(begun);
                });
            }
        };
        let mut next = vec![self.with(format!("{who} surveys"), learn(seen(false)))];
        let failed = Survey::Failed(problem(Class::Ambiguous));
        next.extend(self.fault(format!("{who} cannot survey"), learn(failed)));
        if self.has_lag() {
            next.extend(self.fault(format!("{who} surveys what lags"), learn(seen(true))));
        }
        next
    }

    pub(super) fn looks(&self, who: usize, after: &Newest) -> Vec<Self> {
        let nothing = Look::Nothing { known_for: self.controllers[who].known_for(self.clock) };
        let seen = |lags: bool| self.newer(&self.shown(lags), after).map_or(nothing.clone(), Look::Found);
        let learn = |look: Look| move |next: &mut Self| next.learn(who, |pass| pass.learnt.look = Some(look));
        let mut next = vec![self.with(format!("{who} looks"), learn(seen(false)))];
        let failed = Look::Failed(problem(Class::Ambiguous));
        next.extend(self.fault(format!("{who} cannot look"), learn(failed)));
        if self.has_lag() {
            next.extend(self.fault(format!("{who} looks at what lags"), learn(seen(true))));
        }
        next
    }

    pub(super) fn starts(&self, who: usize) -> Vec<Self> {
        let pass = self.controllers[who].pass.as_ref().expect("a pass");
        assert!(pass.fresh_intent, "a start without an intent of this pass");
        let unclear = Answer::Unclear(problem(Class::Ambiguous));
        let mut next = vec![self.with(format!("{who} starts"), |next| {
            let answer = next.start(true);
            next.answered(who, &answer);
        })];
        next.extend(self.fault(format!("{who} starts, the answer is lost"), |next| {
            next.start(true);
            next.answered(who, &unclear);
        }));
        next.extend(self.fault(format!("{who} sends a start that hangs"), |next| {
            next.in_flight += 1;
            next.answered(who, &unclear);
        }));
        next.extend(self.fault(format!("{who} is throttled"), |next| {
            next.answered(who, &Answer::Refused(problem(Class::Throttled)));
        }));
        next
    }
}
