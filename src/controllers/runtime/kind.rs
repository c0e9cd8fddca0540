//! What every kind says about itself.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::core::object::HasStatus;
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Settings;
use super::lifecycle::Lifecycle;
use super::problem::Problem;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::glue::Glue;
use crate::glue::identity::{CredentialOrigin, Rules};
use crate::glue::poller::Source;
use crate::redaction::Sensitive;

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
    /// What its objects have in common with those of other kinds of the same sort.
    type Lifecycle: Lifecycle<Self>;
    /// How the poller asks for its items in Glue.
    type Source: Source;
    /// What the spec names in Secrets and ConfigMaps; `()` when it names nothing.
    type Inputs: Inputs<Self>;
    /// What one pass observes beyond the object.
    type PassState: Send + Sync;
    /// What the process keeps about an object between passes. All of it may be lost.
    type LocalState: Default + Send;

    /// The region and the credentials of the spec.
    fn aws(&self) -> &Aws;
    /// The AWS identity in the status.
    fn identity(status: &mut Self::Status) -> &mut Option<AwsIdentity>;

    /// Removes what no plan reads of the object as it is: the cache holds many. A status is written as a difference to what
    /// is left, so nothing of it is lost.
    fn strip(&mut self) {}

    /// Removes all of a large spec that no handler of an event of the watch reads. A pass reads the object whole.
    fn strip_to_head(&mut self);

    /// Glue's own words in an item, which may quote values from Secrets.
    fn words(_item: &mut Item<Self>) -> Vec<&mut String> {
        Vec::new()
    }
}

/// The values that an object's spec takes from Secrets and ConfigMaps of its namespace.
pub trait Inputs<K>: Sized + Send + Sync {
    /// The names of the Secrets. A change of one requeues the object.
    fn secrets(object: &K) -> Vec<&str>;

    /// Reads them. What is missing is reported with its name and key. `glue` is the object's client for AWS, where it has
    /// one.
    fn read(
        object: &K,
        client: &Client,
        glue: Option<&Glue>,
        settings: &Settings,
    ) -> impl Future<Output = Result<Self, Problem>> + Send;

    /// The values that came from Secrets: no message of AWS shows them.
    fn sensitive(&self) -> &[Sensitive] {
        &[]
    }

    /// Whether Glue has no earlier values than these, as far as the object's status tells.
    fn are_applied(&self, _object: &K) -> bool {
        true
    }

    /// Why they may not be sent to AWS from `namespace` with credentials of this origin.
    fn refusal(&self, _namespace: &str, _credentials: &CredentialOrigin, _rules: &Rules) -> Option<Problem> {
        None
    }

    /// After how long they must be read again, because no watch reports changes.
    fn reread_after(&self) -> Option<Duration> {
        None
    }
}

impl<K: Sync> Inputs<K> for () {
    fn secrets(_: &K) -> Vec<&str> {
        Vec::new()
    }

    async fn read(_: &K, _: &Client, _: Option<&Glue>, _: &Settings) -> Result<Self, Problem> {
        Ok(())
    }
}

/// What Glue shows for one object of `K`.
pub type Item<K> = <<K as Kind>::Source as Source>::Item;
