//! The objects of one kind in a test's world: made, changed, deleted and waited for.

use std::future::ready;
use std::pin::pin;

use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use kube_glue::controllers::runtime::kind::Kind;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{PATIENCE, World, merged};

/// The objects of kind `K` in a test's namespace.
pub struct Of<'w, K> {
    pub(super) world: &'w World,
    /// They, as the API server has them.
    pub api: Api<K>,
}

impl World {
    /// The objects of one kind.
    pub fn of<K: Kind>(&self) -> Of<'_, K> {
        Of { world: self, api: Api::namespaced(self.client.clone(), &self.namespace) }
    }
}

impl<K: Kind> Of<'_, K> {
    /// The same objects, as a person could send them.
    pub fn untyped(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.world.client.clone(), &self.world.namespace, &ApiResource::erase::<K>(&()))
    }

    /// Creates an object, as the API server answers it.
    pub async fn create(&self, object: Value) -> Result<K, kube::Error> {
        let head = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&())});
        let object = serde_json::from_value(merged(head, object)).expect("an object");
        let created = self.untyped().create(&PostParams::default(), &object).await?;
        Ok(created.try_parse().expect("an object of its kind"))
    }

    /// Creates an object that must be admitted.
    pub async fn put(&self, name: &str, spec: Value) -> K {
        let created = self.create(json!({"metadata": {"name": name}, "spec": spec})).await;
        created.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Changes the spec of an object.
    pub async fn edit(&self, name: &str, spec: Value) -> K {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.api.patch(name, &PatchParams::default(), &patch).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Takes the status of an object away, as a restore without it does.
    pub async fn lose_status(&self, name: &str) {
        let patch = Patch::Merge(json!({"status": null}));
        self.api.patch_status(name, &PatchParams::default(), &patch).await.expect("a status");
    }

    /// Asks for the deletion of an object.
    pub async fn delete(&self, name: &str) {
        self.api.delete(name, &DeleteParams::default()).await.expect("the deletion");
    }

    /// Waits until the object is gone.
    pub async fn gone(&self, object: &K) {
        let name = object.name_any();
        let uid = object.uid();
        let is_gone = |seen: Option<K>| seen.is_none_or(|seen| seen.uid() != uid).then_some(());
        if self.seen(&name, is_gone).await.is_none() {
            self.give_up(&name, "it is gone").await;
        }
    }

    /// Waits until `condition` holds for the object.
    pub async fn until(&self, name: &str, what: &str, condition: impl Fn(&K) -> bool) -> K {
        match self.seen(name, |object| object.filter(&condition)).await {
            Some(object) => object,
            None => self.give_up(name, what).await,
        }
    }

    /// What `pick` makes of the first sight of the object that it takes, if one comes in time. A watch that breaks
    /// off is begun again.
    async fn seen<T>(&self, name: &str, pick: impl Fn(Option<K>) -> Option<T>) -> Option<T> {
        let sights = watch_object(self.api.clone(), name).default_backoff();
        let mut picked = pin!(sights.filter_map(|sight| ready(sight.ok().and_then(&pick))));
        timeout(PATIENCE, picked.next()).await.ok().flatten()
    }

    #[allow(dead_code, reason = "each kind takes what it needs")]
    /// Waits until the object is Ready for its present generation.
    pub async fn ready(&self, name: &str) -> K {
        self.until(name, "it is ready", |object| {
            let current = status(object)["observedGeneration"].as_i64() == object.meta().generation;
            current && condition(object, "Ready").is_some_and(|ready| ready.status == "True")
        })
        .await
    }

    /// Waits until the Ready condition of the object has this reason; its message.
    pub async fn reason(&self, name: &str, reason: &str) -> String {
        let has = |object: &K| condition(object, "Ready").is_some_and(|ready| ready.reason == reason);
        let object = self.until(name, &format!("its reason is {reason}"), has).await;
        condition(&object, "Ready").expect("it is there").message
    }

    /// Ends the test with what there is to know about an object.
    pub async fn give_up(&self, name: &str, what: &str) -> ! {
        let object = self.api.get_opt(name).await;
        panic!(
            "{name}: waited in vain until {what}\n{}\ncalls: {:?}",
            serde_json::to_string_pretty(&object.ok().flatten()).unwrap_or_default(),
            self.world.double.requests().counts(),
        );
    }
}

/// The status of an object, as JSON.
pub fn status<K: Kind>(object: &K) -> Value {
    serde_json::to_value(object).expect("JSON")["status"].take()
}

/// The conditions of an object.
pub fn conditions_in<K: Kind>(object: &K) -> Vec<Condition> {
    serde_json::from_value(status(object)["conditions"].take()).unwrap_or_default()
}

/// The condition of an object that has this type.
pub fn condition<K: Kind>(object: &K, type_: &str) -> Option<Condition> {
    conditions_in(object).into_iter().find(|condition| condition.type_ == type_)
}
