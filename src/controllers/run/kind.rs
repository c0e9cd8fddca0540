//! What a kind supplies to be reconciled as a run.

use std::future::Future;

use jiff::Timestamp;

use super::calls::RunQuery;
use super::facts::{ConcurrencyPolicy, CrawlerActivity, CrawlerSnapshot, ObservedRun, Resumable, RunPass};
use super::local_state::RunLocalState;
use crate::api::run::{Attempt, Baseline, Phase, RunPolicy, RunStatus};
use crate::controllers::runtime::kind::{Item, Kind};
use crate::controllers::runtime::reason::Reason;
use crate::glue::logs::failure::FailureSource;
use crate::glue::{Error, Glue};
use crate::lineage::run::{JobKind, RunSight};
use crate::redaction::{Sensitive, Withheld};

/// A kind of which each object is one run in Glue.
pub trait RunKind: Kind<PassState = RunPass<Self>, LocalState = RunLocalState> {
    /// Glue's noun for a run of this kind.
    const NOUN: &'static str;
    /// Glue's noun for what it is a run of.
    const TARGET: &'static str;
    /// What it is a run of, for lineage.
    const JOB_KIND: JobKind;
    /// How the controller identifies the run of an object: [`ByKey`], or by a baseline.
    type Identification: Identification<Self>;

    /// The run policy of the spec.
    fn policy(&self) -> &RunPolicy;
    /// The id of a run that is only followed.
    fn follow(&self) -> Option<&str>;
    /// The name of the job, crawler or workflow.
    fn target(&self) -> &str;
    /// The part of the status that all runs share.
    fn run_status(status: &Self::Status) -> &RunStatus;

    /// The poller's source of its runs.
    fn source(&self, client: &Glue) -> Self::Source;
    /// The id by which the poller is asked about this attempt; `None` when it need not be.
    fn poll_id(&self, attempt: &Attempt) -> Option<String> {
        attempt.id.clone()
    }
    /// The value of the spec that asks to resume a run that has ended; `None` also where runs cannot be resumed.
    fn resume(&self) -> Option<&str> {
        None
    }
    /// Whether the runs that `client` starts carry the key of their attempt.
    #[must_use]
    fn carries_key(client: &Glue) -> bool {
        client.run_key_argument().is_some()
    }
    /// What the spec says that Glue may not do, as the reason and the note of an Event; `None` when there is nothing.
    fn warning(&self) -> Option<(Reason, String)> {
        None
    }
    /// The run in an item, as the spec judges it; `None` when the item is no run.
    fn observe(&self, item: &Item<Self>) -> Option<ObservedRun>;
    /// When the run ended, by Glue's clock.
    fn ended_on(item: &Item<Self>) -> Option<Timestamp>;
    /// The whole status, from the shared part and from the run as it was observed last.
    fn render(&self, client: Option<&Glue>, run: RunStatus, item: Option<&Item<Self>>) -> Self::Status;
    /// The namespace that the run of an item was started for, by its key.
    fn started_for(_item: &Item<Self>) -> Option<&str> {
        None
    }
    /// The values from Secrets that the run of an item was given, as Glue shows them; why they are not known.
    fn given(&self, _item: &Item<Self>) -> Result<Vec<Sensitive>, Withheld> {
        Ok(Vec::new())
    }

    /// The run in an item, and after it those that it started, for lineage; none when the item is no run.
    fn runs(&self, item: &Item<Self>) -> Vec<RunSight>;
    /// Whether the status has the end of a run that the run of the object started, by Glue's id of it.
    fn has_ended(_status: &Self::Status, _run: &str) -> bool {
        false
    }

    /// Where the log of the failed run of an item may be; `None` for kinds whose runs write none.
    fn failure_source(_item: &Item<Self>) -> Option<FailureSource> {
        None
    }

    /// Removes names from the item that its run's arguments gave, where `is_shown` does not say that all may be shown.
    fn clear_names(_item: &mut Item<Self>, _is_shown: impl Fn(&str) -> bool) {}

    /// Looks for a run of the object, without those that its status lists. Where runs carry no key, those that `is_taken`
    /// says that other objects have are not the object's either.
    fn look_up(
        &self,
        client: &Glue,
        query: &RunQuery,
        is_taken: impl Fn(&str) -> bool + Send + Sync,
    ) -> impl Future<Output = Result<Option<Item<Self>>, Error>> + Send;
    /// Whether the target may have a free place. Only a start shows it for certain; this saves tries, and their writes.
    fn has_place(&self, _client: &Glue) -> impl Future<Output = Result<bool, Error>> + Send {
        async { Ok(true) }
    }
    /// What there is to resume of `run`, which has ended.
    fn resumable(
        &self,
        _client: &Glue,
        _run: &str,
    ) -> impl Future<Output = Result<Resumable<Item<Self>>, Error>> + Send {
        let obstacle = format!("a {} cannot be resumed", Self::NOUN);
        async { Ok(Resumable { resumed_by: None, nodes: Vec::new(), obstacle: Some(obstacle) }) }
    }
    /// Starts the run of this attempt, in one call. Its id, when Glue answers with one.
    fn start(
        &self,
        client: &Glue,
        attempt: &Attempt,
        inputs: &Self::Inputs,
    ) -> impl Future<Output = Result<Option<String>, Error>> + Send;
    /// Stops a run. A run that has ended, or that Glue does not know, is no error.
    fn stop(&self, client: &Glue, id: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Removes what no plan reads of the shared status of a finished run: earlier attempts, and the words of its conditions.
/// Whether it has finished.
pub fn strip_finished(status: &mut RunStatus) -> bool {
    if !status.phase.is_some_and(Phase::is_final) {
        return false;
    }
    status.attempts.drain(..status.attempts.len().saturating_sub(1));
    status.attempts.shrink_to_fit();
    status.conditions.retain(|condition| condition.type_ == "Ready");
    status.conditions.shrink_to_fit();
    status.conditions.iter_mut().for_each(|condition| condition.message = String::new());
    status.identity = None;
    true
}

/// How the controller identifies the run of an object among the runs of its job or crawler.
pub trait Identification<K: RunKind> {
    /// How objects share the target; `None` where each run carries a key.
    fn concurrency(_object: &K) -> Option<ConcurrencyPolicy> {
        None
    }
    /// What an item shows of the target since `baseline` was its newest run.
    fn activity(_item: &Item<K>, _baseline: &Baseline) -> CrawlerActivity {
        CrawlerActivity::Unchanged
    }
    /// What exists before a start; with the first run that is newer than `recorded`.
    fn snapshot(
        _object: &K,
        _client: &Glue,
        _recorded: Option<&Baseline>,
    ) -> impl Future<Output = Result<CrawlerSnapshot<Item<K>>, Error>> + Send {
        async { Ok(CrawlerSnapshot { busy: false, newest: Baseline::default(), live: None, next: None }) }
    }
}

/// Each run carries the key of its attempt.
pub struct ByKey;

impl<K: RunKind> Identification<K> for ByKey {}
