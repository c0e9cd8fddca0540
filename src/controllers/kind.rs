//! What every kind says about itself, and what a life is: the part of the reconcile that kinds of one sort share.
//!
//! A kind names its [`Life`]; the [`shell`](super::shell) does the rest. There are two lives:
//! [`run`](super::run) for what has an end, and [`declared`](super::declared) for what is kept in line.

use std::fmt::Debug;
use std::future::Future;

use k8s_openapi::NamespaceResourceScope;
use kube::runtime::controller::Action;
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Settings;
use super::context::Context;
use super::problem::Problem;
use super::shell::Pass;
use super::step::Plan;
use crate::api::credentials::{AwsIdentity, Credentials};
use crate::glue::poller::Source;

/// A kind of custom resource.
pub trait Kind:
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
    /// How its objects live.
    type Life: Life<Self>;
    /// How the poller asks for what its objects stand for.
    type Source: Source;
    /// What it needs from elsewhere in the namespace.
    type Inputs: Send + Sync;
    /// The whole status.
    type Status: Clone + Serialize + PartialEq + Send + Sync;

    /// As whom we work for it.
    fn credentials(&self) -> Option<&Credentials>;
    /// Where in AWS.
    fn region(&self) -> Option<&str>;
    /// The status as it stands, if there is one.
    fn status(&self) -> Option<&Self::Status>;
    /// Where a status says as whom AWS knows us.
    fn identity(status: &mut Self::Status) -> &mut Option<AwsIdentity>;

    /// The Secrets that the inputs are read from: a change of one wakes the object.
    fn input_secrets(&self) -> Vec<&str>;
    /// Reads the inputs; what is missing is said, and healed by itself once it is there.
    fn inputs(
        &self,
        client: &Client,
        settings: &Settings,
    ) -> impl Future<Output = Result<Self::Inputs, Problem>> + Send;
}

/// How the objects of a kind live: what is decided, and what is done about it beyond what all kinds do.
pub trait Life<K: Kind>: Sized + 'static {
    /// What one pass learns on its way.
    type Learnt: Send + Sync;
    /// What the process remembers of an object between passes. All of it may be lost.
    type Memory: Default + Send;
    /// What only this life does in Glue.
    type Act: Debug + Send;

    /// The watch shows the object, new or changed; or `listed`, among those that are there.
    fn appears(_context: &Context<K>, _object: &K, _listed: bool) {}
    /// The object is gone.
    fn leaves(_context: &Context<K>, _object: &K) {}
    /// What a pass knows when it begins.
    fn begin(object: &K, memory: &mut Self::Memory) -> Self::Learnt;
    /// Whether the object needs nothing of AWS any more.
    fn is_over(object: &K) -> bool;
    /// Gathers what is known and decides.
    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, Self::Act>;
    /// Whether writing `after` over `before` records the intent to send what must not be sent twice.
    fn intends(before: Option<&K::Status>, after: &K::Status) -> bool;
    /// The object's status was written over `before`: takes note, and tells of it.
    fn wrote(pass: &mut Pass<'_, K>, before: Option<&K::Status>);
    /// Acts. An action ends the pass; none means: plan again.
    fn act(pass: &mut Pass<'_, K>, act: Self::Act) -> impl Future<Output = Option<Action>> + Send;
    /// The object rests.
    fn rests(pass: &Pass<'_, K>);
    /// What becomes of `left_behind` in Glue, and what a person should do about it.
    fn left_behind(left_behind: &str) -> String;
}

/// What one pass over an object of `K` learns.
pub type Learnt<K> = <<K as Kind>::Life as Life<K>>::Learnt;
/// What is remembered of an object of `K`.
pub type Remembered<K> = <<K as Kind>::Life as Life<K>>::Memory;
/// A thing in Glue as an object of `K` sees it.
pub type Item<K> = <<K as Kind>::Source as Source>::Item;
