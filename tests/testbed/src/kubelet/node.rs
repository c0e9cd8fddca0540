//! Registers the node, watches the Pods, binds unbound ones, and starts a worker for each Pod bound to this node.

use std::{collections::HashMap, sync::Arc};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams, PostParams},
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tracing::warn;

use super::{Settings, pod};
use crate::error::{Error, Result};

/// The senders to the Pods' workers, by uid. A worker kills its processes when its sender is dropped.
type Workers = HashMap<String, watch::Sender<Pod>>;

/// Runs until dropped.
pub(super) async fn run(settings: Arc<Settings>, started: oneshot::Sender<Result<()>>) {
    let registered = register(&settings).await;
    let is_registered = registered.is_ok();
    // The caller of `start` may have been dropped.
    let _ = started.send(registered);
    if !is_registered {
        return;
    }
    let pods = pods_of(&settings);
    let mut events = watcher(pods, watcher::Config::default()).default_backoff().boxed();
    let mut workers = Workers::new();
    let mut listed: Option<Vec<String>> = None;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(pod)) => handle(&settings, &mut workers, pod).await,
            Ok(Event::Delete(pod)) => {
                workers.remove(&pod.uid().unwrap_or_default());
            }
            Ok(Event::Init) => listed = Some(Vec::new()),
            Ok(Event::InitApply(pod)) => {
                listed.get_or_insert_default().push(pod.uid().unwrap_or_default());
                handle(&settings, &mut workers, pod).await;
            }
            Ok(Event::InitDone) => {
                let current = listed.take().unwrap_or_default();
                workers.retain(|uid, _| current.contains(uid));
            }
            Err(error) => warn!("watching pods: {error}"),
        }
    }
}

/// Creates the Node with a Ready status.
async fn register(settings: &Settings) -> Result<()> {
    let nodes: Api<Node> = Api::all(settings.client.clone());
    let params = PatchParams::apply("kube-glue-testbed").force();
    let resources = json!({ "cpu": "8", "memory": "16Gi", "pods": "110", "ephemeral-storage": "64Gi" });
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": settings.node, "labels": { "kubernetes.io/os": "linux" } },
    });
    let status = json!({
        "apiVersion": "v1", "kind": "Node",
        "status": {
            "capacity": resources, "allocatable": resources,
            "addresses": [{ "type": "InternalIP", "address": "127.0.0.1" }],
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady",
                "lastTransitionTime": jiff::Timestamp::now().to_string() }],
        },
    });
    let doing = "registering the test bed's node";
    nodes.patch(&settings.node, &params, &Patch::Apply(node)).await.map_err(Error::kube(doing))?;
    nodes.patch_status(&settings.node, &params, &Patch::Apply(status)).await.map_err(Error::kube(doing))?;
    Ok(())
}

fn pods_of(settings: &Settings) -> Api<Pod> {
    match &settings.namespace {
        Some(namespace) => Api::namespaced(settings.client.clone(), namespace),
        None => Api::all(settings.client.clone()),
    }
}

/// Sends the Pod to its worker, or starts a worker, or binds the Pod; the next event of a bound Pod starts its worker.
async fn handle(settings: &Arc<Settings>, workers: &mut Workers, pod: Pod) {
    let uid = pod.uid().unwrap_or_default();
    if let Some(worker) = workers.get(&uid) {
        // The worker may have ended.
        let _ = worker.send(pod);
        return;
    }
    let bound = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    if bound == Some(settings.node.as_str()) {
        if is_finished(&pod) {
            return;
        }
        let (updates, received) = watch::channel(pod);
        workers.insert(uid, updates);
        tokio::spawn(pod::run(Arc::clone(settings), received));
    } else if bound.is_none()
        && pod.metadata.deletion_timestamp.is_none()
        && let Err(error) = bind(settings, &pod).await
    {
        warn!(pod = pod.name_any(), "binding: {error}");
    }
}

/// Whether all containers have ended for good.
fn is_finished(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed")) && pod.metadata.deletion_timestamp.is_none()
}

async fn bind(settings: &Settings, pod: &Pod) -> kube::Result<Value> {
    let namespace = pod.namespace().unwrap_or_default();
    let pods: Api<Pod> = Api::namespaced(settings.client.clone(), &namespace);
    let binding = json!({
        "apiVersion": "v1", "kind": "Binding",
        "metadata": { "name": pod.name_any(), "namespace": namespace },
        "target": { "apiVersion": "v1", "kind": "Node", "name": settings.node },
    });
    pods.create_subresource("binding", &pod.name_any(), &PostParams::default(), &binding).await
}
