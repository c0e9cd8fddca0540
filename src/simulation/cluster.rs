//! A model of the API server: objects with resource versions, finalizers and deletion, and Secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::ObjectMeta;

use super::Name;
use super::scenario::ObjectPlan;
use super::time::{Ms, timestamp};
use crate::api::FINALIZER;
use crate::api::run::{RunPolicy, RunStatus};
use crate::controllers::runtime::patch::has_finalizer;

/// An object as the API server has it.
#[derive(Clone, Debug)]
pub struct Object {
    /// Which plan of the scenario it was created from.
    pub plan: usize,
    pub name: Name,
    pub meta: ObjectMeta,
    /// The job or the workflow.
    pub target: String,
    pub policy: RunPolicy,
    /// The Secret of its arguments.
    pub argument_secret: Option<String>,
    pub status: RunStatus,
    pub version: u64,
}

impl Object {
    pub fn uid(&self) -> &str {
        self.meta.uid.as_deref().unwrap_or_default()
    }

    pub fn is_deleting(&self) -> bool {
        self.meta.deletion_timestamp.is_some()
    }

    pub fn has_finalizer(&self) -> bool {
        has_finalizer(&self.meta)
    }

    pub fn set_finalizer(&mut self, add: bool) {
        self.meta.finalizers = add.then(|| vec![FINALIZER.to_owned()]);
    }

    pub fn is_finished(&self) -> bool {
        self.status.phase.is_some_and(crate::api::run::Phase::is_final)
    }

    pub fn created(&self) -> Timestamp {
        self.meta.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |created| created.0)
    }
}

/// What the watches report.
#[derive(Clone, Debug)]
pub enum Change {
    Applied(Arc<Object>),
    Deleted(Arc<Object>),
    /// A Secret appeared, changed or went, by namespace and name.
    Secret(Name),
}

/// A write on an old resource version.
#[derive(Debug)]
pub struct Conflict;

/// The API server.
#[derive(Debug, Default)]
pub struct Cluster {
    objects: BTreeMap<Name, Arc<Object>>,
    secrets: BTreeSet<Name>,
    versions: u64,
    uids: u64,
    changes: Vec<Change>,
}

impl Cluster {
    pub fn objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    pub fn get(&self, name: &Name) -> Option<&Arc<Object>> {
        self.objects.get(name)
    }

    pub fn has_secret(&self, namespace: &str, name: &str) -> bool {
        self.secrets.contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// What has changed since the last call.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Creates an object, unless one of its name exists.
    pub fn create(&mut self, number: usize, plan: &ObjectPlan, now: Ms) -> Option<Arc<Object>> {
        if self.objects.contains_key(&plan.name) {
            return None;
        }
        self.uids += 1;
        let (namespace, name) = plan.name.clone();
        let meta = ObjectMeta {
            namespace: Some(namespace),
            name: Some(name),
            uid: Some(format!("uid-{}", self.uids)),
            generation: Some(1),
            creation_timestamp: Some(Time(timestamp(now))),
            ..ObjectMeta::default()
        };
        self.versions += 1;
        let object = Arc::new(Object {
            plan: number,
            name: plan.name.clone(),
            meta,
            target: plan.target.clone(),
            policy: plan.policy.clone(),
            argument_secret: plan.argument_secret.clone(),
            status: RunStatus::unobserved(),
            version: self.versions,
        });
        self.objects.insert(plan.name.clone(), Arc::clone(&object));
        self.changes.push(Change::Applied(Arc::clone(&object)));
        Some(object)
    }

    /// A write of the controller, on the version that it was decided on.
    pub fn write(&mut self, base: &Object, change: impl FnOnce(&mut Object)) -> Result<Arc<Object>, Conflict> {
        let current = self.objects.get(&base.name).filter(|current| current.version == base.version).ok_or(Conflict)?;
        let mut object = Object::clone(current);
        change(&mut object);
        Ok(self.put(object))
    }

    /// A write that asks for no version: a user's, or an accident.
    pub fn edit(&mut self, name: &Name, change: impl FnOnce(&mut Object)) {
        if let Some(current) = self.objects.get(name) {
            let mut object = Object::clone(current);
            change(&mut object);
            self.put(object);
        }
    }

    /// A change of the spec.
    pub fn edit_spec(&mut self, name: &Name, change: impl FnOnce(&mut RunPolicy)) {
        self.edit(name, |object| {
            change(&mut object.policy);
            object.meta.generation = object.meta.generation.map(|generation| generation + 1);
        });
    }

    /// `kubectl delete`.
    pub fn delete(&mut self, name: &Name, now: Ms) {
        self.edit(name, |object| {
            if !object.is_deleting() {
                object.meta.deletion_timestamp = Some(Time(timestamp(now)));
                object.meta.generation = object.meta.generation.map(|generation| generation + 1);
            }
        });
    }

    pub fn set_secret(&mut self, name: &Name, exists: bool) {
        let changed = if exists { self.secrets.insert(name.clone()) } else { self.secrets.remove(name) };
        if changed {
            self.changes.push(Change::Secret(name.clone()));
        }
    }

    fn put(&mut self, mut object: Object) -> Arc<Object> {
        self.versions += 1;
        object.version = self.versions;
        let is_gone = object.is_deleting() && !object.has_finalizer();
        let object = Arc::new(object);
        if is_gone {
            self.objects.remove(&object.name);
            self.changes.push(Change::Deleted(Arc::clone(&object)));
        } else {
            self.objects.insert(object.name.clone(), Arc::clone(&object));
            self.changes.push(Change::Applied(Arc::clone(&object)));
        }
        object
    }
}
