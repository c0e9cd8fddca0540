//! What a kind must say about itself to live as a run. All else is shared.

use std::future::Future;

use jiff::Timestamp;

use super::facts::{ConcurrencyPolicy, CrawlerActivity, ObservedRun, RunPass};
use super::local_state::RunLocalState;
use super::step::RunQuery;
use crate::api::run::{Attempt, Baseline, RunPolicy, RunStatus};
use crate::controllers::runtime::kind::{Item, Kind};
use crate::glue::{Error, Glue};

/// A kind of which each object is one run in Glue.
pub trait RunKind: Kind<PassState = RunPass<Self>, LocalState = RunLocalState> {
    /// What Glue calls a run of this kind.
    const NOUN: &'static str;

    /// How it lives.
    fn policy(&self) -> &RunPolicy;
    /// The id of a run that is only followed.
    fn follow(&self) -> Option<&str>;
    /// How its objects take concurrency, when their starts carry no key.
    fn concurrency(&self) -> Option<ConcurrencyPolicy> {
        None
    }
    /// The job or crawler that is run.
    fn target(&self) -> &str;
    /// The part of its status that all runs share.
    fn run_status(status: &Self::Status) -> &RunStatus;

    /// Where its runs are seen.
    fn source(&self, client: &Glue) -> Self::Source;
    /// By which id the poller is asked about this attempt, if it is to be asked.
    fn poll_id(&self, attempt: &Attempt) -> Option<String> {
        attempt.id.clone()
    }
    /// What a decision needs of a run; `None` when what is seen is none.
    fn observe(item: &Item<Self>) -> Option<ObservedRun>;
    /// What `item` shows to have come since `after` was the newest; nobody waits so for a run that has a key.
    fn activity(_item: &Item<Self>, _after: &Baseline) -> CrawlerActivity {
        CrawlerActivity::Unchanged
    }
    /// When it ended, by Glue's clock.
    fn ended_on(item: &Item<Self>) -> Option<Timestamp>;
    /// The whole status, from the shared part and from the run as it was seen last.
    fn render(&self, client: Option<&Glue>, run: RunStatus, item: Option<&Item<Self>>) -> Self::Status;

    /// The run without any secret that its inputs hold; without inputs, without whatever might hold one.
    fn redact(&self, item: Item<Self>, inputs: Option<&Self::Inputs>) -> Item<Self>;

    /// What is there before a start that carries no key; a start that carries one waits for nobody.
    fn read_baseline(
        &self,
        _client: &Glue,
        _after: Option<&Baseline>,
    ) -> impl Future<Output = Result<BaselineReading<Item<Self>>, Error>> + Send {
        async { Ok(BaselineReading { busy: false, newest: Baseline::default(), live: None, next: None }) }
    }
    /// Looks for the run that has left this query, newest first.
    fn look_up(
        &self,
        client: &Glue,
        query: &RunQuery,
        inputs: Option<&Self::Inputs>,
    ) -> impl Future<Output = Result<Option<Item<Self>>, Error>> + Send;
    /// Starts a run with this key, in one call: its id, when Glue says it.
    fn start(
        &self,
        client: &Glue,
        key: &str,
        inputs: &Self::Inputs,
    ) -> impl Future<Output = Result<Option<String>, Error>> + Send;
    /// Stops a run. One that is over, or gone, is no error.
    fn stop(&self, client: &Glue, id: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What is there before a start, as [`BaselineRead::Read`](super::facts::BaselineRead::Read) has it.
#[derive(Clone, Debug)]
pub struct BaselineReading<T> {
    /// Whether something is under way.
    pub busy: bool,
    /// The newest.
    pub newest: Baseline,
    /// The newest, when it is under way.
    pub live: Option<T>,
    /// The first that is newer than what was recorded.
    pub next: Option<T>,
}
