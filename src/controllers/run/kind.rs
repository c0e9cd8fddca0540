//! What a kind must say about itself to live as a run. All else is shared.

use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;

use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::facts::{Observed, Problem};
use crate::api::credentials::Credentials;
use crate::api::run::{RunPolicy, RunStatus};
use crate::glue::poller::Source;
use crate::glue::{Error, Glue};

/// A kind of which each object is one run in Glue.
pub trait RunKind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
    /// The kind's name.
    const KIND: &'static str;
    /// How the poller asks for live ones.
    type Source: Source;
    /// What a start needs from elsewhere in the namespace.
    type Inputs: Send + Sync;
    /// The whole status.
    type Status: Serialize + PartialEq + Send + Sync;

    /// How it lives.
    fn policy(&self) -> &RunPolicy;
    /// The id of a run that is only followed.
    fn follow(&self) -> Option<&str>;
    /// As whom it runs.
    fn credentials(&self) -> Option<&Credentials>;
    /// Where it runs.
    fn region(&self) -> Option<&str>;
    /// The job or crawler that is run.
    fn target(&self) -> &str;
    /// The status as it stands, if there is one.
    fn status(&self) -> Option<&Self::Status>;
    /// Its part that all kinds share.
    fn run_status(status: &Self::Status) -> &RunStatus;

    /// Where its runs are seen.
    fn source(&self, client: &Glue) -> Self::Source;
    /// What a decision needs of a run.
    fn observe(item: &<Self::Source as Source>::Item) -> Observed;
    /// When it ended, by Glue's clock.
    fn ended_on(item: &<Self::Source as Source>::Item) -> Option<Timestamp>;
    /// The whole status, from the shared part and from the run as it was seen last.
    fn render(
        &self,
        client: Option<&Glue>,
        run: RunStatus,
        item: Option<&<Self::Source as Source>::Item>,
    ) -> Self::Status;

    /// The Secrets that the inputs are read from: a change of one wakes the object.
    fn input_secrets(&self) -> Vec<&str>;
    /// Reads the inputs; what is missing is said, and healed by itself once it is there. `reserved` is the
    /// name of the input that is ours.
    fn inputs(
        &self,
        client: &Client,
        reserved: Option<&str>,
    ) -> impl Future<Output = Result<Self::Inputs, Problem>> + Send;
    /// The run without any secret that its inputs hold; without inputs, without whatever might hold one.
    fn redact(
        &self,
        item: <Self::Source as Source>::Item,
        inputs: Option<&Self::Inputs>,
    ) -> <Self::Source as Source>::Item;

    /// Looks for the run with this key, newest first, down to `since`.
    fn look(
        &self,
        client: &Glue,
        key: &str,
        since: Option<Timestamp>,
        inputs: Option<&Self::Inputs>,
    ) -> impl Future<Output = Result<Option<<Self::Source as Source>::Item>, Error>> + Send;
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

/// What waits in one line: runs of one target for one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The client.
    pub client: Glue,
    /// The job or crawler.
    pub target: String,
}
