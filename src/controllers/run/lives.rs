//! The plan by properties: whatever happens to an object and its runs, every pass comes to rest, nothing is
//! started that must not be, and what is over stays over.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;

use super::facts::{Answer, Learnt, Observed, Sight};
use super::plan_tests::{Scene, at, nothing, observed, problem};
use super::step::{Act, Step};
use crate::api::FINALIZER;
use crate::api::run::{DeletionPolicy, Phase, Retry, RunPolicy};
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

/// A Glue of one object's runs, and the passes over it.
struct Stage {
    scene: Scene,
    runs: Vec<Phase>,
    refuse: bool,
}

impl Stage {
    /// Passes over the object until the plan rests; the steps it took.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.scene.learnt = Learnt { lived_before: self.scene.meta.finalizers.is_some(), ..Learnt::default() };
        for _ in 0..32 {
            self.scene.sight = self.scene.status.attempt().and_then(|attempt| attempt.id.as_deref()).map(|id| {
                let run = id.trim_start_matches("jr_").parse::<usize>().unwrap_or_default();
                Sight::Here(Observed { id: id.to_owned(), ..observed(self.runs[run]) })
            });
            let plan = self.scene.plan();
            if plan.status != self.scene.status {
                let before = std::mem::replace(&mut self.scene.status, plan.status);
                prop_assert!(!before.phase.is_some_and(Phase::is_final) || before.phase == self.scene.status.phase);
                self.scene.learnt.wrote(&before, &self.scene.status);
                continue;
            }
            match plan.step {
                Step::Hold => self.scene.meta.finalizers = Some(vec![FINALIZER.to_owned()]),
                Step::Release { .. } => self.scene.meta.finalizers = None,
                Step::Act(Act::Look { .. }) => self.scene.learnt.look = Some(nothing(9999)),
                Step::Act(Act::Start) => self.start()?,
                Step::Act(Act::Stop(id)) => {
                    let run = id.trim_start_matches("jr_").parse::<usize>().unwrap_or_default();
                    self.runs[run] = Phase::Stopped;
                }
                Step::Delete | Step::Retry | Step::Rest(_) => return Ok(()),
            }
        }
        Err(TestCaseError::fail("no fixed point"))
    }

    fn start(&mut self) -> Result<(), TestCaseError> {
        prop_assert!(self.scene.learnt.fresh_intent, "a start without an intent of this pass");
        prop_assert!(self.scene.leading, "a start without the lease");
        prop_assert!(self.scene.policy.stop != Some(true), "a start after stop");
        prop_assert!(self.scene.policy.suspend != Some(true), "a start while suspended");
        prop_assert!(self.scene.meta.deletion_timestamp.is_none(), "a start of a deleted object");
        prop_assert!(self.runs.iter().all(|run| run.is_final()), "two attempts at once");
        let answer = if self.refuse {
            self.scene.rest = Some(Duration::from_secs(1));
            Answer::Refused(problem(Class::Throttled))
        } else {
            self.runs.push(Phase::Starting);
            Answer::Started(format!("jr_{}", self.runs.len() - 1))
        };
        self.scene.learnt.answered(answer);
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
            Happening::Lease(leading) => self.scene.leading = leading,
            Happening::Blocked(blocked) => self.scene.blocked = blocked.then(|| problem(Class::ExpiredCredentials)),
        }
    }
}

proptest! {
    #[test]
    fn every_life_comes_to_rest_and_keeps_the_rules(policy in policy(), life in prop::collection::vec(happening(), 1..30)) {
        let mut stage = Stage { scene: Scene { policy, ..Scene::new() }, runs: Vec::new(), refuse: false };
        stage.settle()?;
        for happening in life {
            stage.happen(happening);
            stage.settle()?;
            let again = stage.scene.plan();
            prop_assert_eq!(&again.status, &stage.scene.status, "a pass that changes nothing writes nothing");
        }
    }
}
