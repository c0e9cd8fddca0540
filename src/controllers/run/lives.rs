//! The plan by properties: whatever happens to an object and its runs, every pass comes to rest, nothing is
//! started that must not be, and what is over stays over.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;

use super::facts::{Answer, Learnt, Look, Observed, Sight, Stir, Survey, Turns};
use super::scene::{Scene, at, nothing, observed, problem};
use super::step::{Act, Step};
use super::turn;
use crate::api::FINALIZER;
use crate::api::crawler_run::OnAlreadyRunning;
use crate::api::run::{Attempt, DeletionPolicy, Newest, Phase, Retry, RunPolicy};
use crate::glue::Class;

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

fn turns() -> impl Strategy<Value = Turns> {
    use OnAlreadyRunning::{Attach, Fail, Wait};
    (prop::sample::select(vec![Wait, Attach, Fail]), any::<bool>())
        .prop_map(|(on_already_running, coalesce)| Turns { on_already_running, coalesce })
}

/// A Glue of one object's runs, or one crawler with everybody's crawls, and the passes over the object.
struct Stage {
    scene: Scene,
    runs: Vec<Phase>,
    refuse: bool,
}

impl Stage {
    /// Passes over the object until the plan rests; the steps it took.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.scene.fresh_intent = false;
        self.scene.learnt = Learnt { lived_before: self.scene.meta.finalizers.is_some(), ..Learnt::default() };
        for _ in 0..32 {
            let attempt = self.scene.status.attempt();
            let id = attempt.and_then(|attempt| attempt.id.as_deref());
            self.scene.sight = id.map(|id| Sight::Here(self.seen(number(id))));
            self.scene.stir =
                attempt.filter(|attempt| turn::is_waiting(attempt)).map_or(Stir::Still, |it| self.stir(it));
            let plan = self.scene.plan();
            if plan.status != self.scene.status {
                let before = std::mem::replace(&mut self.scene.status, plan.status);
                prop_assert!(!before.phase.is_some_and(Phase::is_final) || before.phase == self.scene.status.phase);
                self.scene.fresh_intent |= Learnt::intends(&before, &self.scene.status);
                self.scene.learnt.wrote(&before, &self.scene.status);
                self.check_adoption(before.attempt())?;
                continue;
            }
            match plan.step {
                Step::Hold => self.scene.meta.finalizers = Some(vec![FINALIZER.to_owned()]),
                Step::Release { .. } => self.scene.meta.finalizers = None,
                Step::Act(Act::Look(trace)) => {
                    let found = trace.after.and_then(|after| self.newer(&after));
                    self.scene.learnt.look = Some(found.map_or(nothing(9999), Look::Found));
                }
                Step::Act(Act::Survey { after }) => {
                    let newest = self.runs.len().checked_sub(1);
                    let live = newest.filter(|run| !self.runs[*run].is_final());
                    self.scene.learnt.survey = Some(Survey::Seen {
                        busy: live.is_some(),
                        newest: Newest { id: newest.map(|run| format!("jr_{run}")), started_at: None },
                        live: live.map(|run| self.seen(run)),
                        next: after.and_then(|after| self.newer(&after)),
                    });
                }
                Step::Act(Act::Start) => self.start()?,
                Step::Act(Act::Stop(id)) => {
                    self.runs[number(&id)] = Phase::Stopped;
                }
                Step::Mark(_) | Step::Delete | Step::Retry | Step::Rest(_) => return Ok(()),
            }
        }
        Err(TestCaseError::fail("no fixed point"))
    }

    fn start(&mut self) -> Result<(), TestCaseError> {
        prop_assert!(self.scene.fresh_intent, "a start without an intent of this pass");
        prop_assert!(self.scene.leading, "a start without the lease");
        prop_assert!(self.scene.policy.stop != Some(true), "a start after stop");
        prop_assert!(self.scene.policy.suspend != Some(true), "a start while suspended");
        prop_assert!(self.scene.meta.deletion_timestamp.is_none(), "a start of a deleted object");
        let attempts = self.scene.status.attempts.iter();
        let own = attempts.filter_map(|attempt| attempt.id.as_deref()).map(number);
        prop_assert!(own.into_iter().all(|run| self.runs[run].is_final()), "two attempts at once");
        let turns = self.scene.turns.is_some();
        let answer = if self.refuse {
            self.scene.rest = Some(Duration::from_secs(1));
            Answer::Refused(problem(Class::Throttled))
        } else if turns && self.runs.last().is_some_and(|run| !run.is_final()) {
            Answer::Refused(problem(Class::Busy))
        } else if turns {
            self.runs.push(Phase::Running);
            Answer::Accepted
        } else {
            self.runs.push(Phase::Starting);
            Answer::Started(format!("jr_{}", self.runs.len() - 1))
        };
        self.scene.fresh_intent = false;
        self.scene.learnt.answered(answer);
        Ok(())
    }

    fn seen(&self, run: usize) -> Observed {
        Observed { id: format!("jr_{run}"), ..observed(self.runs[run]) }
    }

    /// The first crawl that is newer.
    fn newer(&self, after: &Newest) -> Option<Observed> {
        let known: Vec<_> = self.scene.status.attempts.iter().filter_map(|attempt| attempt.id.as_deref()).collect();
        let first = after.id.as_deref().map_or(0, |id| number(id) + 1);
        (first..self.runs.len()).map(|run| self.seen(run)).find(|run| !known.contains(&run.id.as_str()))
    }

    fn stir(&self, waiting: &Attempt) -> Stir {
        let after = waiting.after.as_ref().and_then(|after| after.id.as_deref()).map(number);
        if self.runs.iter().all(|run| run.is_final()) {
            Stir::Free
        } else if after.is_some_and(|after| after + 1 == self.runs.len()) {
            Stir::Still
        } else {
            Stir::Another
        }
    }

    /// What was there before the object began to wait is never taken for its own, except where it asks for that.
    fn check_adoption(&self, before: Option<&Attempt>) -> Result<(), TestCaseError> {
        let attaches = self.scene.turns.is_none_or(|turns| turns.on_already_running == OnAlreadyRunning::Attach);
        let attempt = self.scene.status.attempt().filter(|attempt| !attaches && attempt.id.is_some());
        if let Some(attempt) = attempt.filter(|attempt| before.is_none_or(|before| before.id != attempt.id)) {
            let after = attempt.after.as_ref().ok_or_else(|| TestCaseError::fail("nobody looked what was there"))?;
            let run = attempt.id.as_deref().map(number);
            prop_assert!(run > after.id.as_deref().map(number), "{attempt:?} was there before");
        }
        Ok(())
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Suspend(suspend) => self.scene.policy.suspend = Some(suspend),
            Happening::Stop => self.scene.policy.stop = Some(true),
            Happening::Delete => {
                self.scene.meta.deletion_timestamp.get_or_insert(Time(at(self.scene.now)));
            }
            Happening::Glue(phase) => {
                if let Some(run) = self.runs.last_mut().filter(|run| !run.is_final()) {
                    *run = phase;
                }
            }
            Happening::Time(seconds) => {
                self.scene.now += seconds;
                self.scene.rest = None;
            }
            Happening::Refuse(refuse) => self.refuse = refuse,
            Happening::Elsewhere => {
                if self.scene.turns.is_some() && self.runs.iter().all(|run| run.is_final()) {
                    self.runs.push(Phase::Running);
                }
            }
            Happening::Behind(behind) => self.scene.behind = behind,
            Happening::Lease(leading) => self.scene.leading = leading,
            Happening::Blocked(blocked) => self.scene.blocked = blocked.then(|| problem(Class::ExpiredCredentials)),
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
        turns in prop::option::of(turns()),
        life in prop::collection::vec(happening(), 1..30),
    ) {
        let mut stage = Stage { scene: Scene { policy, turns, ..Scene::new() }, runs: Vec::new(), refuse: false };
        stage.settle()?;
        for happening in life {
            stage.happen(happening);
            stage.settle()?;
            let again = stage.scene.plan();
            prop_assert_eq!(&again.status, &stage.scene.status, "a pass that changes nothing writes nothing");
        }
    }
}
