//! The kubelet's and the scheduler's part: pods run as local processes.
//!
//! The real controllers of the control plane make Pods from whatever helm installed. Each Pod is bound to
//! the bed's node, and each of its containers becomes a process of a local program that the test names for
//! the image ([`Builder::image`]). What is tested is thus the Deployment as it was rendered: its command,
//! arguments, environment, probes, restarts, termination and the rights of its `ServiceAccount`.
//!
//! [`node`] watches the Pods and gives each a [`pod`] worker; that runs a [`container`] for each container,
//! with its [`environment`], [`credentials`] and [`probe`]s, and writes their [`status`].
//!
//! Where a process on a laptop cannot be a container, this differs from a real kubelet:
//! - All share the host's network. The address in the variable `KUBE_GLUE_HTTP_ADDRESS` and in the flag
//!   `--http-address` is replaced by a free port of 127.0.0.1, and HTTP and TCP probes go there whatever
//!   port they name. [`Kubelet::http`] says where.
//! - A Pod in a cluster finds its token at a fixed path of its file system. Here `KUBECONFIG` points at a
//!   kubeconfig with a token of the Pod's `ServiceAccount`, by `TokenRequest`, bound to the Pod and renewed.
//! - Volumes are not mounted, security contexts and resource limits are not enforced, nothing is pulled.
//! - Init containers, lifecycle hooks and exec and gRPC probes are refused, by `CreateContainerConfigError`.
//! - Back-off between restarts starts at 200 ms and ends at 5 s.

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

/// The environment variable with the address that a container serves its probes and metrics on.
const HTTP_ADDRESS_VARIABLE: &str = "KUBE_GLUE_HTTP_ADDRESS";
/// The flag with the same meaning.
const HTTP_ADDRESS_FLAG: &str = "--http-address";

/// One Pod as the kubelet runs it.
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
    /// Its containers, by name.
    pub containers: BTreeMap<String, RunningContainer>,
}

/// One container as the kubelet runs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunningContainer {
    /// The process, while there is one.
    pub pid: Option<u32>,
    /// Where it serves HTTP while it runs, `http://127.0.0.1:<port>`.
    pub http: Option<String>,
    /// Whether its readiness probe passes.
    pub ready: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// Why it does not run: `CrashLoopBackOff`, `CreateContainerConfigError: ...`, `Completed`, ...
    pub waiting: Option<String>,
}

type Pods = BTreeMap<(String, String), RunningPod>;

/// What the workers know in common.
struct Settings {
    client: Client,
    plan: Plan,
}

/// What the kubelet was started with.
struct Plan {
    kubeconfig: PathBuf,
    cluster: Cluster,
    /// None: every namespace.
    namespace: Option<String>,
    node: String,
    /// By repository, without tag and digest, or as the Pod names it.
    images: HashMap<String, PathBuf>,
    environment: BTreeMap<String, String>,
    /// Each Pod has a folder `<namespace>/<name>` in it.
    folder: PathBuf,
    pods: watch::Sender<Pods>,
}

impl Deref for Settings {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.plan
    }
}

/// How a kubelet is started.
#[derive(Debug)]
pub struct Builder<'a> {
    plane: &'a ControlPlane,
    namespace: Option<String>,
    images: HashMap<String, PathBuf>,
    environment: BTreeMap<String, String>,
}

impl Builder<'_> {
    /// Runs `program` where a container names `image`: with tag or digest exactly that, without any.
    #[must_use]
    pub fn image(mut self, image: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        self.images.insert(image.into(), program.into());
        self
    }

    /// Sets a variable in every container, over what the Pod says.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Takes the Pods of this namespace only, so that tests on one control plane have a kubelet each.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Starts it on a thread of its own; it takes Pods when this returns.
    pub async fn start(self) -> Result<Kubelet> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = self.plane.folder().join(format!("kubelet-{nth}"));
        fs::create_dir_all(&folder).map_err(Error::io(format!("creating {}", folder.display())))?;
        let pods = watch::Sender::new(Pods::new());
        let plan = Plan {
            kubeconfig: self.plane.kubeconfig(),
            cluster: self.plane.cluster().clone(),
            node: self.namespace.as_ref().map_or_else(|| "bed".to_owned(), |name| format!("bed-{name}")),
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
            .spawn(move || run(plan, started, stopped))
            .map_err(Error::io("starting the kubelet's thread"))?;
        let kubelet = Kubelet { folder, pods, stop: Some(stop), thread: Some(thread) };
        match has_started.await {
            Ok(outcome) => outcome.map(|()| kubelet),
            Err(_) => Err(Error::io("starting the kubelet")(std::io::Error::other("it ended"))),
        }
    }
}

/// The kubelet's thread, until `stopped`. With its runtime go the workers, and with each its processes.
fn run(plan: Plan, started: oneshot::Sender<Result<()>>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime.map_err(Error::io("starting the kubelet's runtime")) {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nobody waits any more when the starter was dropped.
            let _ = started.send(Err(error));
            return;
        }
    };
    runtime.block_on(async move {
        match client_of(&plan.kubeconfig).await {
            Ok(client) => tokio::select! {
                () = node::run(Arc::new(Settings { client, plan }), started) => {}
                _ = stopped => {}
            },
            Err(error) => {
                let _ = started.send(Err(error));
            }
        }
    });
}

/// A running kubelet. Dropped, it kills what it runs; the Pods stay in the API server, as on a node that
/// lost its power.
#[derive(Debug)]
pub struct Kubelet {
    folder: PathBuf,
    pods: watch::Sender<Pods>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Kubelet {
    /// A kubelet for the Pods of this control plane.
    #[must_use]
    pub fn builder(plane: &ControlPlane) -> Builder<'_> {
        Builder { plane, namespace: None, images: HashMap::new(), environment: BTreeMap::new() }
    }

    /// The Pods as they are now, by namespace and name.
    #[must_use]
    pub fn pods(&self) -> Vec<RunningPod> {
        self.pods.borrow().values().cloned().collect()
    }

    /// Waits until the Pods are as asked for: `kubelet.until("a ready pod", LIMIT, |pods| ...)`.
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

    /// Sends a signal to every process of a Pod. What ends by it is started again as the Pod's restart
    /// policy says.
    pub fn kill(&self, pod: &str, signal: Signal) -> Result<()> {
        let pids: Vec<u32> = self.pod(pod)?.containers.values().filter_map(|one| one.pid).collect();
        if pids.is_empty() {
            return Err(Error::Pod { pod: pod.to_owned(), problem: "it has no process now".to_owned() });
        }
        for pid in pids {
            send(pid, signal).map_err(Error::io(format!("signalling a process of pod {pod}")))?;
        }
        Ok(())
    }

    /// Where the Pod's first serving container serves HTTP, `http://127.0.0.1:<port>`.
    pub fn http(&self, pod: &str) -> Result<String> {
        let found = self.pod(pod)?.containers.into_values().find_map(|container| container.http);
        found.ok_or_else(|| Error::Pod { pod: pod.to_owned(), problem: "it serves no HTTP now".to_owned() })
    }

    /// GETs a path such as `/metrics` from the Pod; the status code and the body.
    pub async fn get(&self, pod: &str, path: &str) -> Result<(u16, String)> {
        let url = format!("{}{path}", self.http(pod)?);
        http::get(&url, Duration::from_secs(10)).await.map_err(Error::io(format!("getting {url}")))
    }

    /// Everything the Pod's containers printed since it was created, also before restarts, and also when
    /// the Pod is gone.
    pub fn logs(&self, pod: &str) -> Result<String> {
        let mut text = String::new();
        for file in self.log_files().iter().filter(|file| file.parent().is_some_and(|of| of.ends_with(pod))) {
            text += &fs::read_to_string(file).map_err(Error::io(format!("reading {}", file.display())))?;
        }
        Ok(text)
    }

    /// The files with everything that any Pod's containers printed, `<namespace>/<pod>/<container>.log`.
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
        found.ok_or_else(|| Error::Pod { pod: name.to_owned(), problem: "there is none".to_owned() })
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there was printed already.
            let _ = thread.join();
        }
    }
}

/// Sends a signal to one process.
fn send(pid: u32, signal: Signal) -> std::io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| std::io::Error::other("no such process id"))?;
    Ok(kill_process(pid, signal)?)
}
