//! The writes to an object, each on the resource version that it was decided on.
//!
//! The API server refuses the patch (409) when the object has changed since: a stale cache or a second controller writes
//! nothing.

use json_patch::Patch as JsonPatch;
use kube::api::{Api, DeleteParams, ObjectMeta, Patch, PatchParams, Preconditions};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::FINALIZER;

/// The field manager in `metadata.managedFields`.
pub const MANAGER: &str = "kube-glue";

/// A write that the API server refused, or that never reached it.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The object has changed or was deleted: the watch delivers that.
    #[error("the object changed during the pass")]
    Conflict,
    /// Anything else.
    #[error("{operation} of {object}")]
    Api {
        /// The write.
        operation: &'static str,
        /// `namespace/name`.
        object: String,
        /// Why it failed.
        #[source]
        source: Box<kube::Error>,
    },
    /// The status cannot be serialized: a defect of this program.
    #[error("serialize a patch")]
    Serialize(#[from] serde_json::Error),
}

/// Whether our finalizer is on the object.
#[must_use]
pub fn has_finalizer(meta: &ObjectMeta) -> bool {
    meta.finalizers.iter().flatten().any(|name| name == FINALIZER)
}

/// Adds our finalizer, or removes it.
pub async fn finalizer<K>(api: &Api<K>, object: &K, add: bool) -> Result<K, WriteError>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned,
{
    let mut finalizers: Vec<_> = object.finalizers().iter().filter(|name| *name != FINALIZER).cloned().collect();
    if add {
        finalizers.push(FINALIZER.to_owned());
    }
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": finalizers}});
    let operation = if add { "add the finalizer" } else { "remove the finalizer" };
    api.patch(&object.name_any(), &params(), &Patch::Merge(patch))
        .await
        .map_err(|error| refused(operation, object, error))
}

/// Sets an annotation to `true`.
pub async fn annotation<K>(api: &Api<K>, object: &K, annotation: &str) -> Result<K, WriteError>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned,
{
    let patch =
        json!({"metadata": {"resourceVersion": object.resource_version(), "annotations": {annotation: "true"}}});
    api.patch(&object.name_any(), &params(), &Patch::Merge(patch))
        .await
        .map_err(|error| refused("add an annotation", object, error))
}

/// Replaces the whole status.
pub async fn status<K, S>(api: &Api<K>, object: &K, status: &S) -> Result<K, WriteError>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned,
    S: Serialize,
{
    let patch: JsonPatch = serde_json::from_value(json!([
        {"op": "replace", "path": "/metadata/resourceVersion", "value": object.resource_version()},
        {"op": "add", "path": "/status", "value": status},
    ]))?;
    api.patch_status(&object.name_any(), &params(), &Patch::Json::<Value>(patch))
        .await
        .map_err(|error| refused("write the status", object, error))
}

/// Deletes the object, unless it has changed or was replaced.
pub async fn delete<K>(api: &Api<K>, object: &K) -> Result<(), WriteError>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned,
{
    let preconditions = Preconditions { uid: object.uid(), resource_version: object.resource_version() };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
    match api.delete(&object.name_any(), &params).await {
        Ok(_) => Ok(()),
        Err(error) => Err(refused("delete the finished object", object, error)),
    }
}

fn params() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}

fn refused<K: Resource>(operation: &'static str, object: &K, error: kube::Error) -> WriteError {
    match error {
        kube::Error::Api(status) if matches!(status.code, 404 | 409) => WriteError::Conflict,
        source => WriteError::Api {
            operation,
            object: format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any()),
            source: Box::new(source),
        },
    }
}
