//! What every kind says about itself.
//!
//! What is done about its objects is its [`Lifecycle`](super::lifecycle::Lifecycle), which it names by
//! [`Kind`](super::lifecycle::Kind).

use std::fmt::Debug;
use std::future::Future;

use k8s_openapi::NamespaceResourceScope;
use kube::core::object::HasStatus;
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Settings;
use super::lifecycle::Lifecycle;
use super::problem::Problem;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::glue::poller::Source;

/// A kind of custom resource.
pub trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + HasStatus<Status: Clone + Serialize + PartialEq + Send + Sync>
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
    /// How the poller asks for what its objects stand for.
    type Source: Source;
    /// What it needs from elsewhere in the namespace.
    type Inputs: Send + Sync;
    /// What one pass learns on its way.
    type PassState: Send + Sync;
    /// What the process remembers of an object between passes. All of it may be lost.
    type LocalState: Default + Send;

    /// How its objects live.
    type Lifecycle: Lifecycle<Self>;

    /// Where in AWS it is at work, and as whom.
    fn aws(&self) -> &Aws;
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

/// A thing in Glue as an object of `K` sees it.
pub type Item<K> = <<K as Kind>::Source as Source>::Item;
