//! What is known when a run's next step is decided, and nothing else: no client, no clock, no lock.

use std::time::Duration;

use jiff::Timestamp;
use kube::core::ObjectMeta;

use crate::api::crawler_run::OnAlreadyRunning;
use crate::api::run::{Baseline, Phase, RunPolicy, RunStatus};
use crate::controllers::runtime::kind::{Item, Kind};
use crate::controllers::runtime::patch;
pub use crate::controllers::runtime::problem::Problem;
use crate::glue::poller;

/// Everything a decision rests on.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub struct Facts<'a> {
    /// The controller's time.
    pub now: Timestamp,
    /// The object's metadata, as the cache or the last write showed it.
    pub meta: &'a ObjectMeta,
    /// The run's policy, from the spec.
    pub policy: &'a RunPolicy,
    /// What Glue calls a run of this kind: run, or crawl.
    pub noun: &'static str,
    /// How objects of this kind take concurrency, when their starts carry no key.
    pub concurrency: Option<ConcurrencyPolicy>,
    /// The id of a run that was started elsewhere and is only followed.
    pub follow: Option<&'a str>,
    /// The status as the object has it.
    pub status: &'a RunStatus,
    /// Whether this replica holds the lease at this moment.
    pub leading: bool,
    /// Why AWS cannot be asked at all: no credentials, say.
    pub blocked: Option<Problem>,
    /// Why a start could not be put together: an input that is missing, say.
    pub unprepared: Option<Problem>,
    /// What this pass has state so far.
    pub state: &'a PassState,
    /// The intent that stands in the status was written by this pass, and nothing was sent since.
    pub fresh_intent: bool,
    /// For how long this process has known of the open intent. Two machines' clocks are never compared.
    pub open_for: Duration,
    /// How long a sent call can take to show its effect.
    pub settle: Duration,
    /// For how long a refused start should still rest.
    pub rest: Option<Duration>,
    /// Whether older objects wait for the same job or crawler to be free.
    pub behind: bool,
    /// What the poller has seen of the crawler since the object began to wait for it.
    pub activity: CrawlerActivity,
    /// Other objects follow the same run.
    pub shared: bool,
    /// What the poller knows of the live run.
    pub observation: Option<Observation>,
    /// Why the poller knows nothing newer.
    pub poll_problem: Option<Problem>,
    /// A stop was sent for the live run and accepted, not long ago.
    pub stop_sent: bool,
    /// After this long a deletion that cannot reach AWS lets the object go.
    pub deletion_timeout: Duration,
}

/// The run as Glue shows it.
pub type Observation = poller::Observation<ObservedRun>;

/// A run, reduced to what decisions need.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedRun {
    /// Glue's id.
    pub id: String,
    /// Glue's word for its state.
    pub state: String,
    /// The phase that this state is.
    pub phase: Phase,
    /// It failed, and Glue is about to retry it by itself.
    pub retry_expected: bool,
    /// Glue's words about a failure, bounded and redacted.
    pub message: Option<String>,
}

/// How objects of one target take concurrency, when starts carry no key: one run at a time, and what tells a run is
/// that it was not there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConcurrencyPolicy {
    /// What is done about a run that was there before.
    pub on_already_running: OnAlreadyRunning,
    /// Whether a run that began after the object began to wait serves it, whoever started it.
    pub coalesce: bool,
}

/// What has come of a crawler since an object began to wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrawlerActivity {
    /// Nothing, as far as anybody has seen.
    #[default]
    Unchanged,
    /// It is free.
    Idle,
    /// It is at another crawl.
    NewCrawl,
}

/// What stood there before a start that carries no key.
#[derive(Clone, Debug, PartialEq)]
pub enum BaselineRead {
    /// Glue was asked.
    Read {
        /// Whether something is under way. It was asked before the rest: what is under way and is not listed
        /// may have begun at any time.
        busy: bool,
        /// The newest run, whatever became of it.
        newest: Baseline,
        /// The newest run, when it is under way.
        live: Option<ObservedRun>,
        /// The first run that is newer than what the attempt has recorded.
        next: Option<ObservedRun>,
    },
    /// Glue could not be asked.
    Failed(Problem),
}

/// What came of looking for a run, by its key or by what was there before it.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// There it is.
    Found(ObservedRun),
    /// Glue was asked, down to before the intent, and has no such run.
    NotFound {
        /// For how long the open intent had been known when Glue was asked: a look from before the
        /// settle time had passed says nothing about a start that was still on its way.
        known_for: Duration,
    },
    /// Glue could not be asked: nothing may be started.
    Failed(Problem),
}

/// What Glue answered to a start.
#[derive(Clone, Debug, PartialEq)]
pub enum StartOutcome {
    /// Started: the id.
    Started(String),
    /// Started, and Glue does not say as what.
    Accepted,
    /// A clear no.
    Refused(Problem),
    /// Anything else.
    Unclear(Problem),
}

impl Facts<'_> {
    /// Whether the object is being deleted.
    #[must_use]
    pub fn deleting(&self) -> bool {
        self.meta.deletion_timestamp.is_some()
    }

    /// Whether our finalizer is on the object.
    #[must_use]
    pub fn has_finalizer(&self) -> bool {
        patch::has_finalizer(self.meta)
    }

    /// The key of attempt `number`: what names it to Glue.
    #[must_use]
    pub fn key(&self, number: u32) -> String {
        let base = self.policy.idempotency_key.as_deref().or(self.meta.uid.as_deref()).unwrap_or_default();
        format!("{base}/{number}")
    }
}

/// What one pass has state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PassState {
    /// The object carried the finalizer, or told of an attempt, before this pass: when its status tells of
    /// none, that was lost.
    pub had_earlier_attempt: bool,
    /// What stood there before the start.
    pub read_baseline: Option<BaselineRead>,
    /// What came of looking for the key.
    pub lookup: Option<Lookup>,
    /// What Glue answered to the start; of an earlier pass, when it could not be written then.
    pub outcome: Option<StartOutcome>,
    /// Why the stop was refused.
    pub stop_problem: Option<Problem>,
}

impl PassState {
    /// Whether writing `after` over `before` records an intent to start.
    #[must_use]
    pub fn records_intent(before: &RunStatus, after: &RunStatus) -> bool {
        let open = |status: &RunStatus| status.attempt().filter(|attempt| attempt.is_open()).cloned();
        match (open(before), open(after)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(after)) => !before.is_same_intent(&after),
        }
    }

    /// `after` was written over `before`.
    pub fn on_status_written(&mut self, before: &RunStatus, after: &RunStatus) {
        if Self::records_intent(before, after) {
            self.outcome = None;
        }
        let which = |status: &RunStatus| status.attempt().map(|attempt| (attempt.number, attempt.ended_at.is_some()));
        if which(before) != which(after) {
            // What was found belongs to the attempt that was: the next one has a key of its own.
            self.lookup = None;
            self.read_baseline = None;
        }
    }

    /// The start was sent, and this came of it. What a look said before is older than that.
    pub fn answered(&mut self, outcome: StartOutcome) {
        self.lookup = None;
        self.read_baseline = None;
        self.outcome = Some(outcome);
    }
}

/// What one pass over a run knows beyond the object.
pub struct RunPass<K: Kind> {
    /// What decisions rest on.
    pub state: PassState,
    /// The run as it was seen last, by the poller or by looking.
    pub item: Option<Item<K>>,
}
