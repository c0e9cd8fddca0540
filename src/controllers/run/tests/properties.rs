//! Properties of the run plan: for any sequence of events, every pass reaches a fixed point, the start rules hold, and
//! a final phase never changes.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;

use super::fixture::{Fixture, at, not_found, observed, problem};
use crate::api::FINALIZER;
use crate::api::crawler_run::OnAlreadyRunning;
use crate::api::run::{Attempt, Baseline, DeletionPolicy, Phase, Retry, RunPolicy};
use crate::controllers::run::calls::{Call, Step};
use crate::controllers::run::concurrency;
use crate::controllers::run::facts::{
    ConcurrencyPolicy, CrawlerActivity, CrawlerSnapshot, Observation, ObservedRun, PassState,
};
use crate::controllers::run::lifecycle::intent;
use crate::controllers::runtime::queue::{Cause, Turn};
use crate::controllers::runtime::start_once::{Lookup, StartOutcome, records_intent};
use crate::glue::ErrorKind;

/// An event between two passes.
#[derive(Clone, Copy, Debug)]
enum Event {
    Suspend(bool),
    Stop,
    Delete,
    /// The newest run enters this phase, unless it has ended.
    RunPhase(Phase),
    /// Seconds pass, and the backoff ends.
    TimePasses(i64),
    /// Glue throttles starts.
    Throttle(bool),
    Lease(bool),
    /// The credentials are expired.
    CredentialsExpired(bool),
    /// Another caller starts the crawler.
    ForeignCrawl,
    /// Whose turn it is.
    Turn(Turn),
    /// Whether stops have an effect. Without it, the run stays in STOPPING.
    StopsWork(bool),
    /// What the poller shows of the live run.
    Polls(Polls),
    /// Whether lookups fail.
    LookupsFail(bool),
    /// Whether Glue shows a free place.
    HasPlace(bool),
    /// Whether another object needs the same run.
    Shared(bool),
}

/// What the poller shows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Polls {
    Runs,
    Nothing,
    NotFound,
    Errors,
}

fn turn() -> impl Strategy<Value = Turn> {
    let cause = || prop::sample::select(Cause::ALL.to_vec());
    prop_oneof![
        2 => Just(Turn::Now),
        1 => cause().prop_map(Turn::Behind),
        1 => cause().prop_map(|cause| Turn::After(cause, Duration::from_secs(7))),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    use Phase::{Error, Expired, Failed, Running, Starting, Stopped, Stopping, Succeeded, TimedOut, Unknown, Waiting};
    let phases =
        vec![Waiting, Starting, Running, Stopping, Stopped, Succeeded, Failed, TimedOut, Error, Expired, Unknown];
    prop_oneof![
        any::<bool>().prop_map(Event::Suspend),
        Just(Event::Stop),
        Just(Event::Delete),
        prop::sample::select(phases).prop_map(Event::RunPhase),
        (0..400i64).prop_map(Event::TimePasses),
        any::<bool>().prop_map(Event::Throttle),
        any::<bool>().prop_map(Event::Lease),
        any::<bool>().prop_map(Event::CredentialsExpired),
        Just(Event::ForeignCrawl),
        turn().prop_map(Event::Turn),
        any::<bool>().prop_map(Event::StopsWork),
        prop::sample::select(vec![Polls::Runs, Polls::Nothing, Polls::NotFound, Polls::Errors]).prop_map(Event::Polls),
        any::<bool>().prop_map(Event::LookupsFail),
        any::<bool>().prop_map(Event::HasPlace),
        any::<bool>().prop_map(Event::Shared),
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

/// Glue with the runs of one object, or with all crawls of one crawler, and the passes over the object.
#[allow(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
struct Model {
    fixture: Fixture,
    runs: Vec<Phase>,
    throttle: bool,
    stops_work: bool,
    polls: Polls,
    lookups_fail: bool,
    has_place: bool,
}

impl Model {
    /// One pass: carries out steps until the plan returns one that ends the pass.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.fixture.fresh_intent = false;
        self.fixture.state =
            PassState { had_earlier_attempt: self.fixture.meta.finalizers.is_some(), ..PassState::default() };
        for _ in 0..32 {
            let attempt = self.fixture.status.attempt();
            let id = attempt.and_then(|attempt| attempt.id.as_deref());
            self.fixture.poll_problem = (self.polls == Polls::Errors).then(|| problem(ErrorKind::Denied));
            self.fixture.observation = id.and_then(|id| match self.polls {
                Polls::Runs => Some(Observation::Present(self.observed_run(number(id)))),
                Polls::NotFound => Some(Observation::NotFound),
                Polls::Nothing | Polls::Errors => None,
            });
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
                self.forget_gone_runs();
                continue;
            }
            match plan.step {
                Step::AddFinalizer => self.fixture.meta.finalizers = Some(vec![FINALIZER.to_owned()]),
                Step::RemoveFinalizer { .. } => self.fixture.meta.finalizers = None,
                Step::Call(Call::LookUp(query)) => {
                    if self.lookups_fail {
                        self.fixture.state.start.lookup = Some(Lookup::Failed(problem(ErrorKind::Denied)));
                        continue;
                    }
                    let found = query.baseline.and_then(|after| self.newer(&after));
                    self.fixture.state.start.lookup = Some(found.map_or(not_found(9999), Lookup::Found));
                }
                Step::Call(Call::ReadBaseline { recorded: after }) => {
                    let newest = self.runs.len().checked_sub(1);
                    let live = newest.filter(|run| !self.runs[*run].is_final());
                    self.fixture.state.snapshot = Some(Ok(CrawlerSnapshot {
                        busy: live.is_some(),
                        newest: Baseline { id: newest.map(|run| format!("jr_{run}")), started_at: None },
                        live: live.map(|run| self.observed_run(run)),
                        next: after.and_then(|after| self.newer(&after)),
                    }));
                }
                Step::Call(Call::ReadResumable { .. }) => {
                    return Err(TestCaseError::fail("nothing asks to resume a run"));
                }
                Step::Call(Call::CheckPlace) => self.fixture.state.has_place = Some(self.has_place),
                Step::Call(Call::Start) => self.start()?,
                Step::Call(Call::Stop(id)) => {
                    self.fixture.stop_sent = Some(Duration::from_mins(1));
                    self.runs[number(&id)] = if self.stops_work { Phase::Stopped } else { Phase::Stopping };
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
        let outcome = if self.throttle {
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

    /// Glue has said for longer than a start takes to show that it does not know the run: then there is none.
    fn forget_gone_runs(&mut self) {
        let gone = self.fixture.status.attempts.iter().filter(|attempt| attempt.state.as_deref() == Some("GONE"));
        for id in gone.filter_map(|attempt| attempt.id.as_deref()) {
            self.runs[number(id)] = Phase::Stopped;
        }
    }

    fn observed_run(&self, run: usize) -> ObservedRun {
        ObservedRun { id: format!("jr_{run}"), ..observed(self.runs[run]) }
    }

    /// The first crawl after the baseline that no attempt records.
    fn newer(&self, after: &Baseline) -> Option<ObservedRun> {
        let known: Vec<_> = self.fixture.status.attempts.iter().filter_map(|attempt| attempt.id.as_deref()).collect();
        let first = after.id.as_deref().map_or(0, |id| number(id) + 1);
        (first..self.runs.len()).map(|run| self.observed_run(run)).find(|run| !known.contains(&run.id.as_str()))
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

    /// A crawl at or before the baseline is never recorded as the object's own, except under Attach.
    fn check_adoption(&self, before: Option<&Attempt>) -> Result<(), TestCaseError> {
        let attaches = self
            .fixture
            .concurrency
            .is_none_or(|concurrency| concurrency.on_already_running == OnAlreadyRunning::Attach);
        let attempt = self.fixture.status.attempt().filter(|attempt| !attaches && attempt.id.is_some());
        if let Some(attempt) = attempt.filter(|attempt| before.is_none_or(|before| before.id != attempt.id)) {
            let after = attempt.baseline.as_ref().ok_or_else(|| TestCaseError::fail("a crawl without a baseline"))?;
            let run = attempt.id.as_deref().map(number);
            prop_assert!(run > after.id.as_deref().map(number), "{attempt:?} is not newer than the baseline");
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Suspend(suspend) => self.fixture.policy.suspend = Some(suspend),
            Event::Stop => self.fixture.policy.stop = Some(true),
            Event::Delete => {
                self.fixture.meta.deletion_timestamp.get_or_insert(Time(at(self.fixture.now)));
            }
            Event::RunPhase(phase) => {
                if let Some(run) = self.runs.last_mut().filter(|run| !run.is_final()) {
                    *run = phase;
                }
            }
            Event::TimePasses(seconds) => {
                self.fixture.now += seconds;
                self.fixture.stop_sent = None;
                self.fixture.backoff = None;
            }
            Event::Throttle(throttle) => self.throttle = throttle,
            Event::ForeignCrawl => {
                if self.fixture.concurrency.is_some() && self.runs.iter().all(|run| run.is_final()) {
                    self.runs.push(Phase::Running);
                }
            }
            Event::Turn(turn) => self.fixture.turn = turn,
            Event::StopsWork(works) => self.stops_work = works,
            Event::Polls(polls) => self.polls = polls,
            Event::LookupsFail(fail) => self.lookups_fail = fail,
            Event::HasPlace(has_place) => self.has_place = has_place,
            Event::Shared(shared) => self.fixture.shared = shared,
            Event::Lease(leading) => self.fixture.leading = leading,
            Event::CredentialsExpired(expired) => {
                self.fixture.credentials_problem = expired.then(|| problem(ErrorKind::ExpiredCredentials));
            }
        }
    }
}

fn number(id: &str) -> usize {
    id.trim_start_matches("jr_").parse().unwrap_or_default()
}

proptest! {
    #[test]
    fn every_event_sequence_reaches_a_fixed_point_and_keeps_the_rules(
        policy in policy(),
        concurrency in prop::option::of(concurrency()),
        events in prop::collection::vec(event(), 1..30),
    ) {
        let fixture = Fixture { policy, concurrency, ..Fixture::new() };
        let mut model = Model { fixture, runs: Vec::new(), throttle: false, stops_work: true, polls: Polls::Runs, lookups_fail: false, has_place: true };
        model.settle()?;
        for event in events {
            model.apply(event);
            model.settle()?;
            let again = model.fixture.plan();
            prop_assert_eq!(&again.status, &model.fixture.status, "a pass without a change writes no status");
        }
        // Whatever Glue does, a deleted object is gone after the deletion timeout.
        model.apply(Event::Delete);
        model.settle()?;
        model.apply(Event::TimePasses(601));
        model.settle()?;
        prop_assert_eq!(&model.fixture.meta.finalizers, &None);
    }
}
