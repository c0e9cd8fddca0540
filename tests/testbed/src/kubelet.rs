//! An emulated kubelet and scheduler: Pods run as local processes.
//!
//! The real controllers of the control plane create the Pods of what Helm installed. The kubelet binds each Pod to
//! its node and runs each container as a process of a local program that the test sets for the image
//! ([`Builder::image`]). Thus tests cover the rendered Deployment: command, arguments, environment, probes,
//! restarts, termination and the permissions of the `ServiceAccount`.
//!
//! [`node`] watches the Pods and starts a [`pod`] worker for each. The worker runs the [`container`]s, with
//! their [`environment`], [`credentials`] and [`probe`]s, and writes the [`status`].
//!
//! Differences from a real kubelet:
//! - All containers share the host's network. The address in the variable `KUBE_GLUE_HTTP_ADDRESS` and in the flag
//!   `--http-address` is replaced by a free port of 127.0.0.1. HTTP and TCP probes use this port, whatever port they
//!   name. [`Kubelet::http`] returns it.
//! - In a cluster, the token is at a fixed path of the container's file system. Here `KUBECONFIG` is the path of a
//!   kubeconfig with a token of the Pod's `ServiceAccount`, made by `TokenRequest`, bound to the Pod and renewed.
//! - Volumes are not mounted, security contexts and resource limits are not enforced, no image is pulled.
//! - Pods with init containers, lifecycle hooks, exec or gRPC probes fail with `CreateContainerConfigError`.
//! - The back-off between restarts is 200 ms to 5 s.

mod container;
mod credentials;
mod environment;
mod node;
mod pod;
mod probe;
mod status;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use kube::Client;
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use tokio::sync::{oneshot, watch};

use crate::{
    control_plane::{Cluster, ControlPlane, client_of},
    error::{Error, Result},
    http,
};

/// The image that tests name: the chart has none by itself.
pub const IMAGE: &str = "registry.example.com/kube-glue";
/// The chart's value for it, as for `helm --set`.
pub const SET_IMAGE: &str = "image.repository=registry.example.com/kube-glue";

/// The environment variable with the address on which a container serves probes and metrics.
const HTTP_ADDRESS_VARIABLE: &str = "KUBE_GLUE_HTTP_ADDRESS";
/// The flag with the same meaning.
const HTTP_ADDRESS_FLAG: &str = "--http-address";

/// The state of a Pod in the kubelet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningPod {
    /// The Pod's namespace.
    pub namespace: String,
    /// The Pod's name.
    pub name: String,
    /// Whether every container is ready.
    pub ready: bool,
    /// Whether the Pod is being deleted.
    pub terminating: bool,
    /// The containers by name.
    pub containers: BTreeMap<String, RunningContainer>,
}

/// The state of a container in the kubelet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunningContainer {
    /// The process id, while it runs.
    pub pid: Option<u32>,
    /// The URL on which it serves HTTP, `http://127.0.0.1:<port>`, while it runs.
    pub http: Option<String>,
    /// Whether its readiness probe passes.
    pub ready: bool,
    /// The number of restarts.
    pub restarts: u32,
    /// Why it is not running: `CrashLoopBackOff`, `CreateContainerConfigError: ...`, `Completed`, ...
    pub waiting: Option<String>,
}

type Pods = BTreeMap<(String, String), RunningPod>;

/// What all workers share.
struct Settings {
    client: Client,
    config: Config,
}

/// The configuration of a kubelet.
struct Config {
    kubeconfig: PathBuf,
    cluster: Cluster,
    /// None for all namespaces.
    namespace: Option<String>,
    node: String,
    /// Programs by image: a repository without tag and digest, or the exact name in the Pod.
    images: HashMap<String, PathBuf>,
    environment: BTreeMap<String, String>,
    /// Has a folder `<namespace>/<name>` for each Pod.
    folder: PathBuf,
    pods: watch::Sender<Pods>,
}

impl Deref for Settings {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.config
    }
}

/// Configures and starts a kubelet.
#[derive(Debug)]
pub struct Builder<'a> {
    plane: &'a ControlPlane,
    server: Option<String>,
    namespace: Option<String>,
    images: HashMap<String, PathBuf>,
    environment: BTreeMap<String, String>,
}

impl Builder<'_> {
    /// Sets the program for an image. An `image` with a tag or digest must match exactly; without, it matches all
    /// tags and digests.
    #[must_use]
    pub fn image(mut self, image: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        self.images.insert(image.into(), program.into());
        self
    }

    /// Sets an environment variable in every container. It overrides the Pod's own.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Runs only the Pods of this namespace, so that tests on one control plane can each have a kubelet.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Sets the URL at which the containers reach the API server, such as that of a relay on 127.0.0.1.
    #[must_use]
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.server = Some(url.into());
        self
    }

    /// Starts the kubelet on its own thread. Its node is registered when this returns.
    pub async fn start(self) -> Result<Kubelet> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = self.plane.folder().join(format!("kubelet-{nth}"));
        fs::create_dir_all(&folder).map_err(Error::io(format!("creating {}", folder.display())))?;
        let pods = watch::Sender::new(Pods::new());
        let config = Config {
            kubeconfig: self.plane.kubeconfig(),
            cluster: self.plane.cluster().at(self.server),
            node: self.namespace.as_ref().map_or_else(|| "testbed".to_owned(), |name| format!("testbed-{name}")),
            namespace: self.namespace,
            images: self.images,
            environment: self.environment,
            folder: folder.clone(),
            pods: pods.clone(),
        };
        let (started, has_started) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("kubelet".to_owned())
            .spawn(move || run(config, started, stopped))
            .map_err(Error::io("starting the kubelet's thread"))?;
        let kubelet = Kubelet { folder, pods, stop: Some(stop), thread: Some(thread) };
        match has_started.await {
            Ok(outcome) => outcome.map(|()| kubelet),
            Err(_) => Err(Error::io("starting the kubelet")(std::io::Error::other("it ended"))),
        }
    }
}

/// Runs on the kubelet's thread until `stopped`. Dropping the runtime ends the workers and their processes.
fn run(config: Config, started: oneshot::Sender<Result<()>>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime.map_err(Error::io("starting the kubelet's runtime")) {
        Ok(runtime) => runtime,
        Err(error) => {
            // The caller of `start` may have been dropped.
            let _ = started.send(Err(error));
            return;
        }
    };
    runtime.block_on(async move {
        match client_of(&config.kubeconfig).await {
            Ok(client) => tokio::select! {
                () = node::run(Arc::new(Settings { client, config }), started) => {}
                _ = stopped => {}
            },
            Err(error) => {
                let _ = started.send(Err(error));
            }
        }
    });
}

/// A running kubelet. Dropping it kills its processes; the Pods stay in the API server, as after a power failure of
/// a node.
#[derive(Debug)]
pub struct Kubelet {
    folder: PathBuf,
    pods: watch::Sender<Pods>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Kubelet {
    /// Configures a kubelet for the Pods of this control plane.
    #[must_use]
    pub fn builder(plane: &ControlPlane) -> Builder<'_> {
        Builder { plane, server: None, namespace: None, images: HashMap::new(), environment: BTreeMap::new() }
    }

    /// The current Pods, sorted by namespace and name.
    #[must_use]
    pub fn pods(&self) -> Vec<RunningPod> {
        self.pods.borrow().values().cloned().collect()
    }

    /// Waits until a condition on the Pods is true, and returns the Pods:
    /// `kubelet.until("a ready pod", LIMIT, |pods| ...)`.
    pub async fn until(
        &self,
        what: &str,
        limit: Duration,
        mut holds: impl FnMut(&[RunningPod]) -> bool,
    ) -> Result<Vec<RunningPod>> {
        let mut pods = self.pods.subscribe();
        let seen = pods.wait_for(|pods| holds(&pods.values().cloned().collect::<Vec<_>>()));
        match tokio::time::timeout(limit, seen).await {
            Ok(Ok(pods)) => Ok(pods.values().cloned().collect()),
            _ => Err(Error::Timeout { what: what.to_owned(), after: limit, last: format!("{:?}", self.pods()) }),
        }
    }

    /// Sends a signal to every process of a Pod. The kubelet restarts ended containers by the Pod's restart policy.
    pub fn kill(&self, pod: &str, signal: Signal) -> Result<()> {
        let pids: Vec<u32> = self.pod(pod)?.containers.values().filter_map(|one| one.pid).collect();
        if pids.is_empty() {
            return Err(Error::Pod { pod: pod.to_owned(), problem: "no container is running".to_owned() });
        }
        for pid in pids {
            send(pid, signal).map_err(Error::io(format!("signalling a process of pod {pod}")))?;
        }
        Ok(())
    }

    /// The URL of the Pod's first running container, `http://127.0.0.1:<port>`.
    pub fn http(&self, pod: &str) -> Result<String> {
        let found = self.pod(pod)?.containers.into_values().find_map(|container| container.http);
        found.ok_or_else(|| Error::Pod { pod: pod.to_owned(), problem: "no container is running".to_owned() })
    }

    /// GETs a path such as `/metrics` from the Pod, within 10 s; returns the status code and the body.
    pub async fn get(&self, pod: &str, path: &str) -> Result<(u16, String)> {
        let url = format!("{}{path}", self.http(pod)?);
        http::get(&url, Duration::from_secs(10)).await.map_err(Error::io(format!("getting {url}")))
    }

    /// The output of the Pod's containers since its creation, across restarts. It can be read after the Pod is deleted.
    pub fn logs(&self, pod: &str) -> Result<String> {
        let mut text = String::new();
        for file in self.log_files().iter().filter(|file| file.parent().is_some_and(|of| of.ends_with(pod))) {
            text += &fs::read_to_string(file).map_err(Error::io(format!("reading {}", file.display())))?;
        }
        Ok(text)
    }

    /// The files with the output of all Pods' containers, `<namespace>/<pod>/<container>.log`.
    #[must_use]
    pub fn log_files(&self) -> Vec<PathBuf> {
        let list = |folder: &Path| -> Vec<PathBuf> {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            paths.sort();
            paths
        };
        let pods = list(&self.folder).into_iter().flat_map(|namespace| list(&namespace));
        pods.flat_map(|pod| list(&pod))
            .filter(|file| file.extension().is_some_and(|extension| extension == "log"))
            .collect()
    }

    fn pod(&self, name: &str) -> Result<RunningPod> {
        let found = self.pods.borrow().values().find(|pod| pod.name == name).cloned();
        found.ok_or_else(|| Error::Pod { pod: name.to_owned(), problem: "the kubelet does not run it".to_owned() })
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed already.
            let _ = thread.join();
        }
    }
}

/// Sends a signal to a process.
fn send(pid: u32, signal: Signal) -> std::io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| std::io::Error::other("no such process id"))?;
    Ok(kill_process(pid, signal)?)
}
