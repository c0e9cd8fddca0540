//! The plan by properties: whatever happens to an object and its runs, every pass comes to rest, nothing is
//! started that must not be, and what is over stays over.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;

use super::fixture::{Fixture, at, nothing, observed, problem};
use crate::api::FINALIZER;
use crate::api::crawler_run::OnAlreadyRunning;
use crate::api::run::{Attempt, Baseline, DeletionPolicy, Phase, Retry, RunPolicy};
use crate::controllers::run::calls::{Call, Step};
use crate::controllers::run::concurrency;
use crate::controllers::run::facts::{
    ConcurrencyPolicy, CrawlerActivity, CrawlerSnapshot, Observation, ObservedRun, PassState,
};
use crate::controllers::run::lifecycle::intent;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome, records_intent};
use crate::glue::ErrorKind;

/// What can happen to an object between two passes.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Suspend(bool),
    Stop,
    Delete,
    /// The live run comes into this phase.
    Glue(Phase),
    Time(i64),
    Refuse(bool),
    Lease(bool),
    Blocked(bool),
    /// Somebody else starts the crawler.
    Elsewhere,
    /// Older objects wait for it.
    Behind(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Phase::{Error, Expired, Failed, Running, Starting, Stopped, Stopping, Succeeded, TimedOut, Unknown, Waiting};
    let phases =
        vec![Waiting, Starting, Running, Stopping, Stopped, Succeeded, Failed, TimedOut, Error, Expired, Unknown];
    prop_oneof![
        any::<bool>().prop_map(Happening::Suspend),
        Just(Happening::Stop),
        Just(Happening::Delete),
        prop::sample::select(phases).prop_map(Happening::Glue),
        (0..400i64).prop_map(Happening::Time),
        any::<bool>().prop_map(Happening::Refuse),
        any::<bool>().prop_map(Happening::Lease),
        any::<bool>().prop_map(Happening::Blocked),
        Just(Happening::Elsewhere),
        any::<bool>().prop_map(Happening::Behind),
    ]
}

fn policy() -> impl Strategy<Value = RunPolicy> {
    (any::<bool>(), 0..3u32, prop::option::of(1..300i64), prop::option::of(1..300i64), any::<bool>()).prop_map(
        |(suspend, limit, start, active, orphan)| RunPolicy {
            suspend: Some(suspend),
            retry: Some(Retry { limit, backoff_seconds: Some(5), ..Retry::default() }),
            start_deadline_seconds: start,
            active_deadline_seconds: active,
            deletion_policy: orphan.then_some(DeletionPolicy::Orphan),
            ..RunPolicy::default()
        },
    )
}

fn concurrency() -> impl Strategy<Value = ConcurrencyPolicy> {
    use OnAlreadyRunning::{Attach, Fail, Wait};
    (prop::sample::select(vec![Wait, Attach, Fail]), any::<bool>())
        .prop_map(|(on_already_running, coalesce)| ConcurrencyPolicy { on_already_running, coalesce })
}

/// A Glue of one object's runs, or one crawler with everybody's crawls, and the passes over the object.
struct Stage {
    fixture: Fixture,
    runs: Vec<Phase>,
    refuse: bool,
}

impl Stage {
    /// Passes over the object until the plan rests; the steps it took.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.fixture.fresh_intent = false;
        self.fixture.state =
            PassState { had_earlier_attempt: self.fixture.meta.finalizers.is_some(), ..PassState::default() };
        for _ in 0..32 {
            let attempt = self.fixture.status.attempt();
            let id = attempt.and_then(|attempt| attempt.id.as_deref());
            self.fixture.observation = id.map(|id| Observation::Present(self.seen(number(id))));
            self.fixture.activity = attempt
                .filter(|attempt| concurrency::is_waiting(attempt))
                .map_or(CrawlerActivity::Unchanged, |it| self.activity(it));
            let plan = self.fixture.plan();
            if plan.status != self.fixture.status {
                let before = std::mem::replace(&mut self.fixture.status, plan.status);
                prop_assert!(!before.phase.is_some_and(Phase::is_final) || before.phase == self.fixture.status.phase);
                let after = self.fixture.status.clone();
                let recorded = records_intent(intent(&before).as_ref(), intent(&after).as_ref());
                self.fixture.fresh_intent |= recorded;
                self.fixture.state.on_status_written(&before, &after, recorded);
                self.check_adoption(before.attempt())?;
                continue;
            }
            match plan.step {
                Step::AddFinalizer => self.fixture.meta.finalizers = Some(vec![FINALIZER.to_owned()]),
                Step::RemoveFinalizer { .. } => self.fixture.meta.finalizers = None,
                Step::Call(Call::LookUp(query)) => {
                    let found = query.baseline.and_then(|after| self.newer(&after));
                    self.fixture.state.start.lookup = Some(found.map_or(nothing(9999), Lookup::Found));
                }
                Step::Call(Call::ReadBaseline { recorded: after }) => {
                    let newest = self.runs.len().checked_sub(1);
                    let live = newest.filter(|run| !self.runs[*run].is_final());
                    self.fixture.state.snapshot = Some(Ok(CrawlerSnapshot {
                        busy: live.is_some(),
                        newest: Baseline { id: newest.map(|run| format!("jr_{run}")), started_at: None },
                        live: live.map(|run| self.seen(run)),
                        next: after.and_then(|after| self.newer(&after)),
                    }));
                }
                Step::Call(Call::Start) => self.start()?,
                Step::Call(Call::Stop(id)) => {
                    self.runs[number(&id)] = Phase::Stopped;
                }
                Step::Annotate(_) | Step::Delete | Step::Backoff | Step::AwaitChange | Step::RequeueAfter(_) => {
                    return Ok(());
                }
            }
        }
        Err(TestCaseError::fail("no fixed point"))
    }

    fn start(&mut self) -> Result<(), TestCaseError> {
        prop_assert!(self.fixture.fresh_intent, "a start without an intent of this pass");
        prop_assert!(self.fixture.leading, "a start without the lease");
        prop_assert!(self.fixture.policy.stop != Some(true), "a start after stop");
        prop_assert!(self.fixture.policy.suspend != Some(true), "a start while suspended");
        prop_assert!(self.fixture.meta.deletion_timestamp.is_none(), "a start of a deleted object");
        let attempts = self.fixture.status.attempts.iter();
        let own = attempts.filter_map(|attempt| attempt.id.as_deref()).map(number);
        prop_assert!(own.into_iter().all(|run| self.runs[run].is_final()), "two attempts at once");
        let concurrency = self.fixture.concurrency.is_some();
        let outcome = if self.refuse {
            self.fixture.backoff = Some(Duration::from_secs(1));
            StartOutcome::Rejected(problem(ErrorKind::Throttled))
        } else if concurrency && self.runs.last().is_some_and(|run| !run.is_final()) {
            StartOutcome::Rejected(problem(ErrorKind::Busy))
        } else if concurrency {
            self.runs.push(Phase::Running);
            StartOutcome::Accepted
        } else {
            self.runs.push(Phase::Starting);
            StartOutcome::Started(format!("jr_{}", self.runs.len() - 1))
        };
        self.fixture.fresh_intent = false;
        self.fixture.state.start.on_sent(outcome);
        self.fixture.state.snapshot = None;
        Ok(())
    }

    fn seen(&self, run: usize) -> ObservedRun {
        ObservedRun { id: format!("jr_{run}"), ..observed(self.runs[run]) }
    }

    /// The first crawl that is newer.
    fn newer(&self, after: &Baseline) -> Option<ObservedRun> {
        let known: Vec<_> = self.fixture.status.attempts.iter().filter_map(|attempt| attempt.id.as_deref()).collect();
        let first = after.id.as_deref().map_or(0, |id| number(id) + 1);
        (first..self.runs.len()).map(|run| self.seen(run)).find(|run| !known.contains(&run.id.as_str()))
    }

    fn activity(&self, waiting: &Attempt) -> CrawlerActivity {
        let after = waiting.baseline.as_ref().and_then(|after| after.id.as_deref()).map(number);
        if self.runs.iter().all(|run| run.is_final()) {
            CrawlerActivity::Idle
        } else if after.is_some_and(|after| after + 1 == self.runs.len()) {
            CrawlerActivity::Unchanged
        } else {
            CrawlerActivity::NewCrawl
        }
    }

    /// What was there before the object began to wait is never taken for its own, except where it asks for that.
    fn check_adoption(&self, before: Option<&Attempt>) -> Result<(), TestCaseError> {
        let attaches = self
            .fixture
            .concurrency
            .is_none_or(|concurrency| concurrency.on_already_running == OnAlreadyRunning::Attach);
        let attempt = self.fixture.status.attempt().filter(|attempt| !attaches && attempt.id.is_some());
        if let Some(attempt) = attempt.filter(|attempt| before.is_none_or(|before| before.id != attempt.id)) {
            let after = attempt.baseline.as_ref().ok_or_else(|| TestCaseError::fail("nobody looked what was there"))?;
            let run = attempt.id.as_deref().map(number);
            prop_assert!(run > after.id.as_deref().map(number), "{attempt:?} was there before");
        }
        Ok(())
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Suspend(suspend) => self.fixture.policy.suspend = Some(suspend),
            Happening::Stop => self.fixture.policy.stop = Some(true),
            Happening::Delete => {
                self.fixture.meta.deletion_timestamp.get_or_insert(Time(at(self.fixture.now)));
            }
            Happening::Glue(phase) => {
                if let Some(run) = self.runs.last_mut().filter(|run| !run.is_final()) {
                    *run = phase;
                }
            }
            Happening::Time(seconds) => {
                self.fixture.now += seconds;
                self.fixture.backoff = None;
            }
            Happening::Refuse(refuse) => self.refuse = refuse,
            Happening::Elsewhere => {
                if self.fixture.concurrency.is_some() && self.runs.iter().all(|run| run.is_final()) {
                    self.runs.push(Phase::Running);
                }
            }
            Happening::Behind(behind) => self.fixture.behind = behind,
            Happening::Lease(leading) => self.fixture.leading = leading,
            Happening::Blocked(blocked) => {
                self.fixture.credentials_problem = blocked.then(|| problem(ErrorKind::ExpiredCredentials));
            }
        }
    }
}

fn number(id: &str) -> usize {
    id.trim_start_matches("jr_").parse().unwrap_or_default()
}

proptest! {
    #[test]
    fn every_life_comes_to_rest_and_keeps_the_rules(
        policy in policy(),
        concurrency in prop::option::of(concurrency()),
        life in prop::collection::vec(happening(), 1..30),
    ) {
        let mut stage = Stage { fixture: Fixture { policy, concurrency, ..Fixture::new() }, runs: Vec::new(), refuse: false };
        stage.settle()?;
        for happening in life {
            stage.happen(happening);
            stage.settle()?;
            let again = stage.fixture.plan();
            prop_assert_eq!(&again.status, &stage.fixture.status, "a pass that changes nothing writes nothing");
        }
    }
}
