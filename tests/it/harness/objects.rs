//! Objects of any kind in the test's namespace: create, change, delete, and wait for their state.

use std::future::ready;
use std::pin::pin;

use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use kube_glue::api::run::Phase;
use kube_glue::controllers::runtime::kind::Kind;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{TestEnv, WAIT_TIMEOUT, merged};

/// The objects of kind `K` in the test's namespace.
pub struct Objects<'e, K> {
    pub(super) env: &'e TestEnv,
    /// The typed API, for what this type has no method for.
    pub api: Api<K>,
}

impl TestEnv {
    /// The objects of one kind.
    pub fn objects<K: Kind>(&self) -> Objects<'_, K> {
        Objects { env: self, api: Api::namespaced(self.client.clone(), &self.namespace) }
    }
}

impl<K: Kind> Objects<'_, K> {
    /// The same objects without their Rust types: what the API server has, or any manifest.
    pub fn untyped(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.env.client.clone(), &self.env.namespace, &ApiResource::erase::<K>(&()))
    }

    /// Creates an object; the API server may reject it.
    pub async fn try_create(&self, object: Value) -> Result<K, kube::Error> {
        let head = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&())});
        let object = serde_json::from_value(merged(head, object)).expect("an object");
        let created = self.untyped().create(&PostParams::default(), &object).await?;
        Ok(created.try_parse().expect("an object of its kind"))
    }

    /// Creates an object that the API server must accept.
    pub async fn create(&self, name: &str, spec: Value) -> K {
        let created = self.try_create(json!({"metadata": {"name": name}, "spec": spec})).await;
        created.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Merges `spec` into the spec of an object.
    pub async fn patch_spec(&self, name: &str, spec: Value) -> K {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.api.patch(name, &PatchParams::default(), &patch).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Merges `status` into the status of an object, as a controller would.
    pub async fn patch_status(&self, name: &str, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        self.api.patch_status(name, &PatchParams::default(), &patch).await.expect("a status");
    }

    /// Removes the status of an object, as a restore without status does.
    pub async fn clear_status(&self, name: &str) {
        self.patch_status(name, Value::Null).await;
    }

    /// Requests the deletion of an object.
    pub async fn delete(&self, name: &str) {
        self.api.delete(name, &DeleteParams::default()).await.expect("the deletion");
    }

    /// Waits until the API server no longer has the object.
    pub async fn wait_deleted(&self, object: &K) {
        let name = object.name_any();
        let uid = object.uid();
        let is_deleted = |seen: Option<K>| seen.is_none_or(|seen| seen.uid() != uid).then_some(());
        if self.watch_until(&name, is_deleted).await.is_none() {
            self.fail(&name, "it is deleted").await;
        }
    }

    /// Waits until `condition` holds for the object.
    pub async fn wait_until(&self, name: &str, what: &str, condition: impl Fn(&K) -> bool) -> K {
        match self.watch_until(name, |object| object.filter(&condition)).await {
            Some(object) => object,
            None => self.fail(name, what).await,
        }
    }

    /// The first result of `pick` on the states of the object that a watch shows; none after [`WAIT_TIMEOUT`]. A
    /// broken watch is started again.
    async fn watch_until<T>(&self, name: &str, pick: impl Fn(Option<K>) -> Option<T>) -> Option<T> {
        let states = watch_object(self.api.clone(), name).default_backoff();
        let mut picked = pin!(states.filter_map(|state| ready(state.ok().and_then(&pick))));
        timeout(WAIT_TIMEOUT, picked.next()).await.ok().flatten()
    }

    /// Waits until the object is Ready for its current generation.
    pub async fn wait_ready(&self, name: &str) -> K {
        self.wait_until(name, "it is ready", |object| {
            let current = status(object)["observedGeneration"].as_i64() == object.meta().generation;
            current && condition(object, "Ready").is_some_and(|ready| ready.status == "True")
        })
        .await
    }

    /// Waits until the Ready condition of the object has this reason, and returns its message.
    pub async fn wait_for_reason(&self, name: &str, reason: &str) -> String {
        let has_reason = |object: &K| condition(object, "Ready").is_some_and(|ready| ready.reason == reason);
        let object = self.wait_until(name, &format!("its Ready reason is {reason}"), has_reason).await;
        condition(&object, "Ready").expect("a Ready condition").message
    }

    /// Waits until the object, which must be of a kind with phases, is in `phase`.
    pub async fn wait_for_phase(&self, name: &str, phase: Phase) -> K {
        self.wait_until(name, &format!("its phase is {phase:?}"), |object| is_in_phase(object, phase)).await
    }

    /// Waits until the object is in `phase` and its finalizer is removed.
    pub async fn wait_finished(&self, name: &str, phase: Phase) -> K {
        let what = format!("its phase is {phase:?} and it has no finalizer");
        self.wait_until(name, &what, |object| is_in_phase(object, phase) && !has_finalizer(object)).await
    }

    /// Fails the test with the object's state and the calls that Glue received.
    pub async fn fail(&self, name: &str, what: &str) -> ! {
        let object = self.api.get_opt(name).await;
        panic!(
            "{name}: timed out waiting until {what}\n{}\ncalls: {:?}",
            serde_json::to_string_pretty(&object.ok().flatten()).unwrap_or_default(),
            self.env.double.requests().counts(),
        );
    }
}

fn is_in_phase<K: Kind>(object: &K, phase: Phase) -> bool {
    status(object)["phase"] == serde_json::to_value(phase).expect("JSON")
}

/// The status of an object as JSON; null without one.
pub fn status<K: Kind>(object: &K) -> Value {
    serde_json::to_value(object).expect("JSON")["status"].take()
}

/// The conditions of an object.
pub fn conditions_in<K: Kind>(object: &K) -> Vec<Condition> {
    serde_json::from_value(status(object)["conditions"].take()).unwrap_or_default()
}

/// The condition of this type.
pub fn condition<K: Kind>(object: &K, type_: &str) -> Option<Condition> {
    conditions_in(object).into_iter().find(|condition| condition.type_ == type_)
}

/// Whether the object has the controller's finalizer.
pub fn has_finalizer(object: &impl ResourceExt) -> bool {
    object.finalizers().iter().any(|name| name == kube_glue::api::FINALIZER)
}
