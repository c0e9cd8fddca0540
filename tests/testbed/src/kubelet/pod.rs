//! A Pod's worker: runs the containers, writes the status, and ends the containers when the Pod is deleted.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::json;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tracing::warn;

use super::{
    RunningContainer, RunningPod, Settings,
    container::{self, Report, Stop},
    credentials, status,
};

/// The interval before a failed request to the API server is retried.
const RETRY: Duration = Duration::from_millis(500);

/// What the containers of a Pod share.
pub(super) struct PodContext {
    pub(super) settings: Arc<Settings>,
    /// The Pod at the start of the worker. Its name and spec do not change.
    pub(super) pod: Pod,
    pub(super) folder: PathBuf,
}

/// Runs the Pod until it is deleted from the API server.
pub(super) async fn run(settings: Arc<Settings>, mut updates: watch::Receiver<Pod>) {
    let pod = updates.borrow().clone();
    let key = (pod.namespace().unwrap_or_default(), pod.name_any());
    let folder = settings.folder.join(&key.0).join(&key.1);
    if let Err(error) = std::fs::create_dir_all(&folder) {
        warn!("creating {}: {error}", folder.display());
        return;
    }
    let context = Arc::new(PodContext { settings: Arc::clone(&settings), pod, folder });
    let _renewal = AbortOnDrop(tokio::spawn(credentials::keep(Arc::clone(&context))));
    Worker::start(context, &mut updates).work(&mut updates).await;
    settings.pods.send_modify(|pods| {
        pods.remove(&key);
    });
}

/// A task that is aborted when its owner is dropped.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Worker {
    context: Arc<PodContext>,
    stop: watch::Sender<Stop>,
    containers: JoinSet<()>,
    reports: mpsc::UnboundedReceiver<(String, Report)>,
    latest: BTreeMap<String, Report>,
    written: Option<PodStatus>,
}

impl Worker {
    fn start(context: Arc<PodContext>, updates: &mut watch::Receiver<Pod>) -> Self {
        let (stop, stopped) = watch::channel(Stop::No);
        let (report, reports) = mpsc::unbounded_channel();
        let mut containers = JoinSet::new();
        let mut latest = BTreeMap::new();
        let spec = context.pod.spec.clone().unwrap_or_default();
        for one in spec.containers {
            latest.insert(one.name.clone(), Report::default());
            let report = report.clone();
            let name = one.name.clone();
            let send_report = move |state: Report| {
                // It cannot fail: the worker ends after its containers.
                let _ = report.send((name.clone(), state));
            };
            containers.spawn(container::run(Arc::clone(&context), one, stopped.clone(), send_report));
        }
        updates.mark_unchanged();
        Self { context, stop, containers, reports, latest, written: None }
    }

    async fn work(mut self, updates: &mut watch::Receiver<Pod>) {
        let mut removed = false;
        self.stop_if_deleted(&updates.borrow_and_update().clone());
        loop {
            self.publish();
            if !removed {
                self.write_status().await;
            }
            tokio::select! {
                report = self.reports.recv() => match report {
                    Some((name, state)) => { self.latest.insert(name, state); }
                    None => break,
                },
                news = updates.changed(), if !removed => {
                    if news.is_ok() {
                        self.stop_if_deleted(&updates.borrow_and_update().clone());
                    } else {
                        // Force-deleted: there is no object to write the status to.
                        removed = true;
                        self.stop.send_replace(Stop::Now);
                    }
                }
            }
        }
        while self.containers.join_next().await.is_some() {}
        if removed {
            return;
        }
        self.publish();
        self.write_status().await;
        // The containers have finished. The Pod stays in this state until it is deleted.
        while updates.borrow_and_update().metadata.deletion_timestamp.is_none() {
            if updates.changed().await.is_err() {
                return;
            }
        }
        self.delete().await;
    }

    /// Stops the containers when the Pod has a deletion timestamp.
    fn stop_if_deleted(&self, pod: &Pod) {
        if pod.metadata.deletion_timestamp.is_none() {
            return;
        }
        let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(30);
        let grace = Duration::from_secs(u64::try_from(grace).unwrap_or_default());
        self.stop.send_if_modified(|stop| {
            let first = *stop == Stop::No;
            if first {
                *stop = Stop::Within(grace);
            }
            first
        });
    }

    /// Publishes the Pod's state to the [`Kubelet`](super::Kubelet).
    fn publish(&self) {
        let pod = &self.context.pod;
        let containers: BTreeMap<String, RunningContainer> =
            self.latest.iter().map(|(name, report)| (name.clone(), report.view())).collect();
        let view = RunningPod {
            namespace: pod.namespace().unwrap_or_default(),
            name: pod.name_any(),
            ready: self.latest.values().all(|report| report.ready),
            terminating: *self.stop.borrow() != Stop::No,
            containers,
        };
        self.context.settings.pods.send_if_modified(|pods| {
            let key = (view.namespace.clone(), view.name.clone());
            let changed = pods.get(&key) != Some(&view);
            if changed {
                pods.insert(key, view);
            }
            changed
        });
    }

    fn api(&self) -> Api<Pod> {
        let namespace = self.context.pod.namespace().unwrap_or_default();
        Api::namespaced(self.context.settings.client.clone(), &namespace)
    }

    /// Writes the status if it has changed.
    async fn write_status(&mut self) {
        let status = status::of(&self.context.pod, &self.latest, self.written.as_ref());
        if self.written.as_ref() == Some(&status) {
            return;
        }
        let name = self.context.pod.name_any();
        let patch = json!({ "metadata": { "uid": self.context.pod.uid() }, "status": status });
        loop {
            let patch = Patch::Strategic(&patch);
            match self.api().patch_status(&name, &PatchParams::default(), &patch).await {
                Ok(_) => break,
                // NotFound, or another Pod of the same name: the watch will report it.
                Err(kube::Error::Api(answer)) if matches!(answer.code, 404 | 409) => break,
                Err(error) => {
                    warn!(pod = name, "writing the status: {error}");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        self.written = Some(status);
    }

    /// Removes the Pod from the API server, after its containers have ended.
    async fn delete(&self) {
        let name = self.context.pod.name_any();
        let params = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(Preconditions { uid: self.context.pod.uid(), resource_version: None }),
            ..DeleteParams::default()
        };
        loop {
            match self.api().delete(&name, &params).await {
                Ok(_) => return,
                Err(kube::Error::Api(answer)) if matches!(answer.code, 404 | 409) => return,
                Err(error) => {
                    warn!(pod = name, "deleting: {error}");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}
