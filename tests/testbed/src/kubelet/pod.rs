//! One Pod's worker: runs its containers, writes their status, ends them when the Pod goes.

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

/// How long to wait before a request that failed for a passing reason is sent again.
const RETRY: Duration = Duration::from_millis(500);

/// What the containers of one Pod have in common.
pub(super) struct PodContext {
    pub(super) settings: Arc<Settings>,
    /// As it was when the worker began; spec and name do not change.
    pub(super) pod: Pod,
    pub(super) folder: PathBuf,
}

/// Runs the Pod until it has ended or is gone from the API server.
pub(super) async fn run(settings: Arc<Settings>, mut told: watch::Receiver<Pod>) {
    let pod = told.borrow().clone();
    let key = (pod.namespace().unwrap_or_default(), pod.name_any());
    let folder = settings.folder.join(&key.0).join(&key.1);
    if let Err(error) = std::fs::create_dir_all(&folder) {
        warn!("creating {}: {error}", folder.display());
        return;
    }
    let context = Arc::new(PodContext { settings: Arc::clone(&settings), pod, folder });
    let _renewal = Abort(tokio::spawn(credentials::keep(Arc::clone(&context))));
    Worker::start(context, &mut told).work(&mut told).await;
    settings.pods.send_modify(|pods| {
        pods.remove(&key);
    });
}

/// A task that ends with its owner.
struct Abort(tokio::task::JoinHandle<()>);

impl Drop for Abort {
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
    fn start(context: Arc<PodContext>, told: &mut watch::Receiver<Pod>) -> Self {
        let (stop, stopped) = watch::channel(Stop::No);
        let (report, reports) = mpsc::unbounded_channel();
        let mut containers = JoinSet::new();
        let mut latest = BTreeMap::new();
        let spec = context.pod.spec.clone().unwrap_or_default();
        for one in spec.containers {
            latest.insert(one.name.clone(), Report::default());
            let report = report.clone();
            let name = one.name.clone();
            let tell = move |state: Report| {
                // The worker ends after its containers.
                let _ = report.send((name.clone(), state));
            };
            containers.spawn(container::run(Arc::clone(&context), one, stopped.clone(), tell));
        }
        told.mark_unchanged();
        Self { context, stop, containers, reports, latest, written: None }
    }

    async fn work(mut self, told: &mut watch::Receiver<Pod>) {
        let mut gone = false;
        self.heed(&told.borrow_and_update().clone());
        loop {
            self.publish();
            if !gone {
                self.write_status().await;
            }
            tokio::select! {
                report = self.reports.recv() => match report {
                    Some((name, state)) => { self.latest.insert(name, state); }
                    None => break,
                },
                news = told.changed(), if !gone => {
                    if news.is_ok() {
                        self.heed(&told.borrow_and_update().clone());
                    } else {
                        // Deleted by force: nothing is left to write to.
                        gone = true;
                        self.stop.send_replace(Stop::Now);
                    }
                }
            }
        }
        while self.containers.join_next().await.is_some() {}
        if gone {
            return;
        }
        self.publish();
        self.write_status().await;
        // Ended by itself: it stays for whoever reads its end, until it is deleted.
        while told.borrow_and_update().metadata.deletion_timestamp.is_none() {
            if told.changed().await.is_err() {
                return;
            }
        }
        self.delete().await;
    }

    /// Ends the containers when the Pod is being deleted.
    fn heed(&self, pod: &Pod) {
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

    /// Shows the Pod to whoever holds the kubelet.
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

    /// Writes the status when it is another than the last one.
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
                // Gone, or another of the same name: the watch will say so.
                Err(kube::Error::Api(answer)) if matches!(answer.code, 404 | 409) => break,
                Err(error) => {
                    warn!(pod = name, "writing the status: {error}");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        self.written = Some(status);
    }

    /// The last act on a Pod that is being deleted: it may go from the API server now.
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
