//! The place of one cell: an AWS region of its own, and the objects in it. Faults, clients, polls and rate limits are
//! apart by region, so many cells share one controller.

use std::time::Duration;

use futures::{StreamExt, stream};
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::core::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use kube_glue::api::{GlueConnection, GlueCrawlerRun, GlueInventory, GlueJobRun, GlueTrigger, GlueWorkflowRun};
use kube_glue_double::DEFAULT_ACCOUNT;
use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use crate::harness::{TestEnv, merged};

/// How often the state of Glue is read while a condition on it is awaited; no watch reports its changes.
const READ_AGAIN: Duration = Duration::from_millis(250);

/// The kind of a cell's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    JobRun,
    CrawlerRun,
    WorkflowRun,
    Trigger,
    Connection,
    Inventory,
}

/// One cell's region and objects.
pub struct Site<'e> {
    pub env: &'e TestEnv,
    pub region: String,
    pub kind: ObjectKind,
    pub names: Vec<String>,
}

impl Site<'_> {
    fn api(&self) -> Api<DynamicObject> {
        match self.kind {
            ObjectKind::JobRun => self.env.objects::<GlueJobRun>().untyped(),
            ObjectKind::CrawlerRun => self.env.objects::<GlueCrawlerRun>().untyped(),
            ObjectKind::WorkflowRun => self.env.objects::<GlueWorkflowRun>().untyped(),
            ObjectKind::Trigger => self.env.objects::<GlueTrigger>().untyped(),
            ObjectKind::Connection => self.env.objects::<GlueConnection>().untyped(),
            ObjectKind::Inventory => self.env.objects::<GlueInventory>().untyped(),
        }
    }

    /// Calls Glue in the cell's region, as somebody else than the controller.
    pub fn call(&self, operation: &str, body: &Value) -> Value {
        let answer = self.env.double.call(DEFAULT_ACCOUNT, &self.region, operation, body);
        answer.unwrap_or_else(|error| panic!("{operation} in {}: {error}", self.region))
    }

    /// Creates the objects with these fields of the spec.
    pub async fn create(&self, spec: Value) {
        let spec = merged(json!({"region": self.region}), spec);
        for name in &self.names {
            let spec = spec.clone();
            match self.kind {
                ObjectKind::JobRun => drop(self.env.objects::<GlueJobRun>().create(name, spec).await),
                ObjectKind::CrawlerRun => drop(self.env.objects::<GlueCrawlerRun>().create(name, spec).await),
                ObjectKind::WorkflowRun => drop(self.env.objects::<GlueWorkflowRun>().create(name, spec).await),
                ObjectKind::Trigger => drop(self.env.objects::<GlueTrigger>().create(name, spec).await),
                ObjectKind::Connection => drop(self.env.objects::<GlueConnection>().create(name, spec).await),
                ObjectKind::Inventory => drop(self.env.objects::<GlueInventory>().create(name, spec).await),
            }
        }
    }

    /// Merges these fields into the spec of each object.
    pub async fn patch(&self, spec: Value) {
        let patch = Patch::Merge(json!({"spec": spec}));
        for name in &self.names {
            self.api().patch(name, &PatchParams::default(), &patch).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }

    /// Requests the deletion of the objects.
    pub async fn delete(&self) {
        for name in &self.names {
            // It may be gone already.
            let _ = self.api().delete(name, &DeleteParams::default()).await;
        }
    }

    /// Waits until `condition` holds for every object; null stands for one that does not exist. Returns what is left
    /// after `limit`: the objects for which it does not hold.
    pub async fn wait(&self, limit: Duration, condition: impl Fn(&Value) -> bool) -> Vec<Value> {
        let waits = self.names.iter().map(|name| self.wait_for_one(name, limit, &condition));
        futures::future::join_all(waits).await.into_iter().filter_map(Result::err).collect()
    }

    async fn wait_for_one(&self, name: &str, limit: Duration, condition: impl Fn(&Value) -> bool) -> Result<(), Value> {
        enum Seen {
            Object(Value),
            Time,
        }
        let objects = watch_object(self.api(), name).default_backoff().filter_map(async |state| {
            let object = state.ok()?;
            Some(Seen::Object(object.map_or(Value::Null, |object| serde_json::to_value(object).expect("JSON"))))
        });
        let times = stream::unfold(interval(READ_AGAIN), async |mut timer| {
            timer.tick().await;
            Some((Seen::Time, timer))
        });
        let mut all = Box::pin(stream::select(objects, times));
        let mut last = None;
        let wait = async {
            while let Some(seen) = all.next().await {
                if let Seen::Object(object) = seen {
                    last = Some(object);
                }
                if last.as_ref().is_some_and(&condition) {
                    return;
                }
            }
        };
        match timeout(limit, wait).await {
            Ok(()) => Ok(()),
            Err(_) => Err(last.unwrap_or_default()),
        }
    }
}
