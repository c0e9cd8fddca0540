//! What a kind must say about itself to live as a run. All else is shared.

use std::future::Future;

use jiff::Timestamp;

use super::facts::{Known, Observed};
use super::memory::Memory;
use crate::api::run::{RunPolicy, RunStatus};
use crate::controllers::kind::{Item, Kind};
use crate::glue::{Error, Glue};

/// A kind of which each object is one run in Glue.
pub trait RunKind: Kind<Learnt = Known<Self>, Memory = Memory> {
    /// How it lives.
    fn policy(&self) -> &RunPolicy;
    /// The id of a run that is only followed.
    fn follow(&self) -> Option<&str>;
    /// The job or crawler that is run.
    fn target(&self) -> &str;
    /// The part of its status that all runs share.
    fn run_status(status: &Self::Status) -> &RunStatus;

    /// Where its runs are seen.
    fn source(&self, client: &Glue) -> Self::Source;
    /// What a decision needs of a run.
    fn observe(item: &Item<Self>) -> Observed;
    /// When it ended, by Glue's clock.
    fn ended_on(item: &Item<Self>) -> Option<Timestamp>;
    /// The whole status, from the shared part and from the run as it was seen last.
    fn render(&self, client: Option<&Glue>, run: RunStatus, item: Option<&Item<Self>>) -> Self::Status;

    /// The run without any secret that its inputs hold; without inputs, without whatever might hold one.
    fn redact(&self, item: Item<Self>, inputs: Option<&Self::Inputs>) -> Item<Self>;

    /// Looks for the run with this key, newest first, down to `since`.
    fn look(
        &self,
        client: &Glue,
        key: &str,
        since: Option<Timestamp>,
        inputs: Option<&Self::Inputs>,
    ) -> impl Future<Output = Result<Option<Item<Self>>, Error>> + Send;
    /// Starts a run with this key, in one call: its id.
    fn start(
        &self,
        client: &Glue,
        key: &str,
        inputs: &Self::Inputs,
    ) -> impl Future<Output = Result<String, Error>> + Send;
    /// Stops a run. One that is over, or gone, is no error.
    fn stop(&self, client: &Glue, id: &str) -> impl Future<Output = Result<(), Error>> + Send;
}
