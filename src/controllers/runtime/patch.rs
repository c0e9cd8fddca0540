//! The writes to an object, each on the resource version that it was decided on.
//!
//! The API server refuses the patch (409) when the object has changed since: a stale cache or a second controller writes
//! nothing.

use std::any::type_name;

use kube::api::{Api, DeleteParams, ObjectMeta, Patch, PatchParams, Preconditions};
use kube::core::object::HasStatus;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::api::FINALIZER;
use crate::failpoints;

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
    let patch = json!({"metadata": decided_on(object, Some(("finalizers", json!(finalizers))))});
    let operation = if add { "add the finalizer" } else { "remove the finalizer" };
    sent(operation, object, api.patch(&object.name_any(), &params(), &Patch::Merge(patch))).await
}

/// Sets an annotation to `true`.
pub async fn annotation<K>(api: &Api<K>, object: &K, annotation: &str) -> Result<K, WriteError>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned,
{
    let patch = json!({"metadata": decided_on(object, Some(("annotations", json!({annotation: "true"}))))});
    sent("add an annotation", object, api.patch(&object.name_any(), &params(), &Patch::Merge(patch))).await
}

/// Writes the status: only what differs from the status that the object has. What the cache does not hold of a status,
/// and fields of other versions, stay as they are.
pub async fn status<K, S>(api: &Api<K>, object: &K, status: &S) -> Result<K, WriteError>
where
    K: HasStatus + Resource + Clone + std::fmt::Debug + DeserializeOwned,
    K::Status: Serialize,
    S: Serialize,
{
    let before = serde_json::to_value(object.status())?;
    let patch = json!({
        "metadata": decided_on(object, None),
        "status": difference(&before, &serde_json::to_value(status)?),
    });
    sent("write the status", object, api.patch_status(&object.name_any(), &params(), &Patch::Merge(patch))).await
}

/// The merge patch (RFC 7386) that makes `after` of `before`. Neither has a null within.
fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return after.clone();
    };
    let removed = before.keys().filter(|key| !after.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let changed = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    let changed = changed.map(|(key, value)| (key.clone(), difference(before.get(key).unwrap_or(&Value::Null), value)));
    removed.chain(changed).collect::<Map<_, _>>().into()
}

/// The metadata of a patch: the version that it is decided on, and a change.
fn decided_on<K: Resource>(object: &K, change: Option<(&str, Value)>) -> Value {
    let version = object.resource_version().map(Value::from);
    // A null would be refused.
    let version = version.filter(|_| !failpoints::without("versions")).map(|version| ("resourceVersion", version));
    version.into_iter().chain(change).map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

/// Deletes the object, unless it has changed or was replaced.
pub async fn delete<K>(api: &Api<K>, object: &K) -> Result<(), WriteError>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned,
{
    let preconditions = Preconditions { uid: object.uid(), resource_version: object.resource_version() };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
    sent("delete the finished object", object, api.delete(&object.name_any(), &params)).await.map(drop)
}

/// Sends a write.
async fn sent<K: Resource, T>(
    operation: &'static str,
    object: &K,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, WriteError> {
    let change = || format!("{operation} of {}", type_name::<K>().rsplit("::").next().unwrap_or_default());
    failpoints::before(change);
    let answer = request.await;
    failpoints::after(change);
    answer.map_err(|error| refused(operation, object, error))
}

fn params() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}

/// The error of a request about an object.
pub(super) fn refused<K: Resource>(operation: &'static str, object: &K, error: kube::Error) -> WriteError {
    match error {
        kube::Error::Api(status) if matches!(status.code, 404 | 409) => WriteError::Conflict,
        source => WriteError::Api {
            operation,
            object: format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any()),
            source: Box::new(source),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_difference_makes_the_new_status_of_the_old_one(before in value(), after in value()) {
            let patch = difference(&before, &after);
            let mut patched = before.clone();
            json_patch::merge(&mut patched, &patch);
            prop_assert_eq!(&patched, &after);
            if before == after && before.is_object() {
                prop_assert_eq!(patch, json!({}));
            }
        }
    }

    #[test]
    fn what_the_cache_does_not_hold_is_not_written() {
        let cached = json!({"observedGeneration": 1, "phase": "Succeeded"});
        let planned = json!({"observedGeneration": 2, "phase": "Succeeded"});
        let mut stored = json!({"observedGeneration": 1, "phase": "Succeeded", "links": {"console": "https://..."}});
        json_patch::merge(&mut stored, &difference(&cached, &planned));
        assert_eq!(stored["links"]["console"], "https://...");
        assert_eq!(stored["observedGeneration"], 2);
    }
}
