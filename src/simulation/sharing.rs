//! What objects share in the controller: the queues, the keys, the runs. As
//! [`lifecycle`](crate::controllers::run::lifecycle) and [`context`](crate::controllers::runtime::context) use them.

use tokio::time::Instant;

use super::Name;
use super::cluster::Object;
use super::kind::Simulated;
use super::mutations::Mutation;
use super::process::Target;
use super::shell::Pass;
use super::world::World;
use crate::api::run::{Attempt, Phase, RunStatus};
use crate::controllers::run::conditions::ready_reason;
use crate::controllers::run::facts::{ObservedRun, shared_key};
use crate::controllers::run::sharing;
use crate::controllers::run::waiting::{place, waits_for};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::queue::{Cause, Queues, Turn};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::StartOutcome;
use crate::glue::Error;

impl<K: Simulated> World<K> {
    /// The watch shows the object; `listed` when it came with a list.
    pub fn on_applied(&mut self, object: &Object, listed: bool) {
        let (name, status) = (&object.name, &object.status);
        self.process.local.register(object.uid(), false);
        if self.process.local.stale(object.uid(), Some(object.version)).is_some() {
            return;
        }
        self.process.shared_runs.set(name, K::need(object, status));
        if status.phase.is_some_and(Phase::is_final) {
            self.with_queues(|queues| queues.remove(name));
            return;
        }
        let expected = listed && waits_for(status).is_some() && !self.is(Mutation::RestartsForgetTheOrder);
        self.with_queues(|queues| {
            let woken = queues.register(object.created(), name);
            if expected {
                queues.expect(&object.target, name);
            }
            woken
        });
        let is_open = status.attempt().is_some_and(Attempt::is_open);
        if let Some(key) = shared_key(&object.meta, &object.policy).filter(|_| listed && is_open) {
            let _ = self.process.keys.acquire(&key, object.created(), name);
        }
    }

    /// The pass has ended.
    pub fn on_pass_end(&mut self, pass: &Pass, succeeded: bool) {
        let (object, status) = (&pass.object, &pass.object.status);
        let waits = place(status, self.turn(pass)).filter(|_| succeeded && !object.is_deleting());
        let is_idle = status.attempt().is_none_or(|attempt| attempt.rejected_reason.is_some());
        let stays = self.is(Mutation::BlockedObjectsStayInTheQueue) && waits.is_none() && is_idle;
        let target = self.target(pass);
        if !stays {
            self.with_queues(|queues| queues.settle(&object.name, target.as_ref().zip(waits), Instant::now()));
        }
        let waits_for_key = ready_reason(status) == Some(Reason::KeyInUse);
        if !waits_for_key && !status.attempt().is_some_and(Attempt::is_open) {
            self.leave_key(&object.name);
        }
    }

    /// The status was written.
    pub fn share_status(&mut self, pass: &Pass, before: &RunStatus, after: &RunStatus) {
        self.process.shared_runs.set(&pass.object.name, K::need(&pass.object, after));
        let live = |status: &RunStatus| status.attempt().filter(|last| last.ended_at.is_none())?.id.clone();
        if live(before).is_some()
            && live(after).is_none()
            && let Some(target) = self.target(pass)
        {
            self.with_queues(|queues| queues.freed(&target, Instant::now()));
        }
    }

    /// Whether the object may try to start now.
    pub fn turn(&self, pass: &Pass) -> Turn {
        let recorded = waits_for(&pass.object.status);
        let turn = |target: Target| self.process.queues.turn(&target, &pass.object.name, recorded, Instant::now());
        match self.target(pass).map_or(Turn::Now, turn) {
            Turn::Behind(cause) | Turn::After(cause, _)
                if cause != Cause::ConcurrentRuns && self.is(Mutation::EachObjectTriesByItself) =>
            {
                Turn::Now
            }
            turn => turn,
        }
    }

    /// What AWS answered to the start of another object that waits for the same cause.
    pub fn refusal(&self, pass: &Pass, turn: Turn) -> Option<Problem> {
        let (Turn::Behind(cause) | Turn::After(cause, _)) = turn else { return None };
        self.process.queues.refusal(&self.target(pass)?, cause).map(|error| Problem::of(error, None))
    }

    /// A start was answered, with this error where it failed.
    pub fn start_is_known(&mut self, pass: &Pass, outcome: &StartOutcome, cause: Option<Cause>, error: Option<Error>) {
        let Some(target) = self.target(pass) else { return };
        let (name, now) = (&pass.object.name, Instant::now());
        self.with_queues(|queues| match (outcome, cause) {
            (StartOutcome::Started(_) | StartOutcome::Accepted, _) => queues.succeeded(&target, name, now),
            (StartOutcome::Rejected(_), Some(cause)) => {
                let woken = queues.refused(&target, cause, name, false, now);
                if let Some(error) = error {
                    queues.record_refusal(&target, cause, error);
                }
                woken
            }
            (StartOutcome::Rejected(_) | StartOutcome::Unconfirmed(_), _) => Vec::new(),
        });
    }

    /// Glue would refuse a start of the object for this cause.
    pub fn is_refused(&mut self, pass: &Pass, cause: Cause) {
        if let Some(target) = self.target(pass) {
            self.with_queues(|queues| queues.refused(&target, cause, &pass.object.name, false, Instant::now()));
        }
    }

    /// Whether no other object starts a run of the object's key.
    pub fn acquire_key(&mut self, pass: &Pass) -> bool {
        let object = &pass.object;
        let key = shared_key(&object.meta, &object.policy).filter(|_| !self.is(Mutation::ObjectsOfOneKeyStartTogether));
        key.is_none_or(|key| self.process.keys.acquire(&key, object.created(), &object.name))
    }

    /// The run that another object has recorded for the same key, which Glue may not list yet.
    pub fn run_of_other(&self, pass: &Pass) -> Option<ObservedRun> {
        let object = &pass.object;
        let key = shared_key(&object.meta, &object.policy)?;
        let attempt = self.process.shared_runs.attempt_of_others(&key, &object.name)?;
        let is_known = object.status.attempts.iter().any(|own| own.id.as_deref() == Some(&attempt.1));
        (!is_known && !self.is(Mutation::OnlyGlueKnowsTheRunsOfAKey)).then(|| sharing::run_of_other(attempt))
    }

    /// The object waits for nothing any more.
    pub fn release(&mut self, name: &Name) {
        self.process.poller.forget(name);
        self.with_queues(|queues| queues.remove(name));
        self.process.shared_runs.remove(name);
        self.leave_key(name);
    }

    fn leave_key(&mut self, name: &Name) {
        if let Some(next) = self.process.keys.leave(name) {
            self.requeue(&next);
        }
    }

    fn with_queues(&mut self, work: impl FnOnce(&mut Queues<Target, Name>) -> Vec<Name>) {
        let mut woken = work(&mut self.process.queues);
        woken.sort();
        for name in woken {
            self.requeue(&name);
        }
    }

    fn target(&self, pass: &Pass) -> Option<Target> {
        let has_others = !self.is(Mutation::ClientsKeepTheirPlaces);
        pass.client().map(|client| Target { client, name: pass.object.target.clone(), has_others })
    }
}
