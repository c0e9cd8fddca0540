//! What the plan of a run rests on, and nothing else: no client, no clock, no lock.

use std::time::Duration;

use kube::core::ObjectMeta;

use crate::api::crawler_run::OnAlreadyRunning;
use crate::api::run::{Baseline, Phase, RunPolicy, RunStatus};
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::kind::{Item, Kind};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::queue::{Cause, Turn};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::StartState;
use crate::glue::job_runs::{self, attempt_key};
use crate::glue::poller;

/// Everything that the plan rests on.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// What every plan needs.
    pub common: CommonFacts<'a>,
    /// The run policy of the spec.
    pub policy: &'a RunPolicy,
    /// Glue's noun for a run of this kind: run, or crawl.
    pub noun: &'static str,
    /// What it is a run of: job, crawler, or workflow.
    pub target: &'static str,
    /// How objects share the target, for kinds whose starts carry no key.
    pub concurrency: Option<ConcurrencyPolicy>,
    /// The id of a run that was started elsewhere and is only followed.
    pub follow: Option<&'a str>,
    /// The value of `spec.resume`.
    pub resume: Option<&'a str>,
    /// The status as the object has it.
    pub status: &'a RunStatus,
    /// What this pass has observed so far.
    pub state: &'a PassState,
    /// What the poller has observed of the crawler since the object began to wait for it.
    pub activity: CrawlerActivity,
    /// Whether the runs of this kind carry the key of their attempt.
    pub carries_key: bool,
    /// Whether the object may try to start now.
    pub turn: Turn,
    /// What AWS answered to another object's start, while this one waits for the same cause.
    pub refusal: Option<Problem>,
    /// Whether other objects need the same run.
    pub shared: bool,
    /// Whether the live run belongs to another namespace: it was started for it, by its key, or an object there that
    /// started it needs it.
    pub is_foreign: bool,
    /// For how long this process has known the id of the live run.
    pub id_age: Duration,
    /// The poller's last observation of the live run.
    pub observation: Option<Observation>,
    /// AWS accepted a stop of the live run: after this time it is sent again.
    pub stop_sent: Option<Duration>,
}

/// The run as Glue shows it.
pub type Observation = poller::Observation<ObservedRun>;

/// A run, reduced to what the plan needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedRun {
    /// Glue's id.
    pub id: String,
    /// Glue's word for its state.
    pub state: String,
    /// The phase of that state.
    pub phase: Phase,
    /// The number of the attempt that its key names, when it was found by its key.
    pub attempt: Option<u32>,
    /// Whether it failed, and Glue is about to retry it by itself.
    pub retry_expected: bool,
    /// Glue's message about a failure, bounded and redacted.
    pub message: Option<String>,
    /// The reason of its end, where the phase does not say enough.
    pub reason: Option<Reason>,
}

/// What there is to resume of a run that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Resumable<T> {
    /// A run that resumes it already, and that no attempt has.
    pub resumed_by: Option<T>,
    /// Glue's ids of the nodes to run again.
    pub nodes: Vec<String>,
    /// Why there is nothing to resume.
    pub obstacle: Option<String>,
}

/// How objects share a crawler, which runs one crawl at a time and whose starts carry no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConcurrencyPolicy {
    /// What happens when a crawl is running that began before the object asked.
    pub on_already_running: OnAlreadyRunning,
    /// Whether a crawl that began after the object asked covers it, whatever started it.
    pub coalesce: bool,
}

/// What the poller has observed of a crawler since an object began to wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrawlerActivity {
    /// Nothing new.
    #[default]
    Unchanged,
    /// It runs no crawl.
    Idle,
    /// It runs another crawl.
    NewCrawl,
}

/// What a crawler and its history show before a start.
#[derive(Clone, Debug, PartialEq)]
pub struct CrawlerSnapshot<T> {
    /// Whether a crawl is running. The crawler is asked before its history: a running crawl that the history does not
    /// list may have begun at any time.
    pub busy: bool,
    /// The newest crawl.
    pub newest: Baseline,
    /// The newest crawl, when it is running.
    pub live: Option<T>,
    /// The oldest crawl that is newer than the recorded baseline.
    pub next: Option<T>,
}

/// What the keys of all attempts of an object begin with: its namespace, and its `idempotencyKey` or else its uid.
#[must_use]
pub fn base_key(meta: &ObjectMeta, policy: &RunPolicy) -> String {
    shared_key(meta, policy).unwrap_or_else(|| in_namespace(meta, meta.uid.as_deref().unwrap_or_default()))
}

/// The base key that an object shares with others: that of its `idempotencyKey`.
#[must_use]
pub fn shared_key(meta: &ObjectMeta, policy: &RunPolicy) -> Option<String> {
    Some(in_namespace(meta, policy.idempotency_key.as_deref()?))
}

fn in_namespace(meta: &ObjectMeta, identity: &str) -> String {
    job_runs::base_key(meta.namespace.as_deref().unwrap_or_default(), identity)
}

impl Facts<'_> {
    /// The key of attempt `number`, by which its run is found again.
    #[must_use]
    pub fn key(&self, number: u32) -> String {
        attempt_key(&base_key(self.common.meta, self.policy), number)
    }

    /// Whether older objects wait for the same target.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.turn == Turn::Behind(Cause::ConcurrentRuns)
    }

    /// Whether Glue does not know the live run. Right after a start it may not show the run yet.
    #[must_use]
    pub fn is_unknown_to_glue(&self) -> bool {
        self.observation == Some(Observation::NotFound) && self.id_age >= self.common.settle
    }

    /// Whether it is not known yet for which namespace a run was started that the object only follows. Such a run is not
    /// stopped.
    #[must_use]
    pub fn awaits_origin(&self) -> bool {
        self.follow.is_some() && !matches!(self.observation, Some(Observation::Present(_)))
    }

    /// The final observation of the live run, when it has ended and Glue does not retry it.
    #[must_use]
    pub fn ended_run(&self) -> Option<&ObservedRun> {
        match &self.observation {
            Some(Observation::Present(run)) if run.phase.is_final() && !run.retry_expected => Some(run),
            _ => None,
        }
    }
}

/// What one pass has observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PassState {
    /// Whether the object had an attempt before this pass, by its finalizer or its earlier status: when the status
    /// lists none, the status was lost.
    pub had_earlier_attempt: bool,
    /// For how long this process had known, when the pass began, that the status lists none of the attempts that it listed
    /// before; `None` where it never listed any. One that was lost before the process began is not known.
    pub lost_for: Option<Duration>,
    /// The crawler before the start, or why it could not be read.
    pub snapshot: Option<Result<CrawlerSnapshot<ObservedRun>, Problem>>,
    /// What there is to resume, or why it could not be read.
    pub resumable: Option<Result<Resumable<ObservedRun>, Problem>>,
    /// Whether the target may have a free place, for an object that waits for one.
    pub has_place: Option<bool>,
    /// The start protocol.
    pub start: StartState<ObservedRun>,
    /// Why AWS refused the stop.
    pub stop_problem: Option<Problem>,
}

impl PassState {
    /// `after` was written over `before`: what was found belongs to the attempt before, and the next attempt has a key
    /// of its own.
    pub fn on_status_written(&mut self, before: &RunStatus, after: &RunStatus, records_intent: bool) {
        if records_intent {
            self.start.outcome = None;
        }
        let which = |status: &RunStatus| status.attempt().map(|attempt| (attempt.number, attempt.ended_at.is_some()));
        if which(before) != which(after) {
            self.forget_attempt();
        }
    }

    /// Forgets what was found of the attempt.
    pub fn forget_attempt(&mut self) {
        self.start.lookup = None;
        self.snapshot = None;
        self.resumable = None;
    }
}

/// What one pass over a run has beyond the object.
pub struct RunPass<K: Kind> {
    /// What the plan needs.
    pub observed: PassState,
    /// The run as it was observed last, by the poller or by a lookup.
    pub item: Option<Item<K>>,
}
