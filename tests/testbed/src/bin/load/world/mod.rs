//! One cluster for one scenario: a control plane, a double of Glue, an emulated kubelet, and the installed chart.
//!
//! | module | subject |
//! |---|---|
//! | [`objects`] | creates many objects |
//! | [`run`], [`tracker`] | what is seen of them |
//! | [`lease`] | the controller's Lease |
//! | [`process`], [`meter`] | memory and CPU time |
//! | [`metrics`] | what the API server counts |
//! | [`relay`] | a slow way to the API server |

pub(crate) mod lease;
pub(crate) mod meter;
pub(crate) mod metrics;
pub(crate) mod objects;
pub(crate) mod process;
mod relay;
pub(crate) mod run;
pub(crate) mod tracker;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::http::Request;
use kube::Client;
use kube_glue_double::{AccessKey, DEFAULT_ACCOUNT, Double, JobDefinition, Keep, RunScript};
use kube_glue_testbed::{ControlPlane, Error, IMAGE, Kubelet, Options, RunningPod, SET_IMAGE, controller};
use serde_json::json;

use self::{lease::LeaseWatch, meter::Meter, relay::Relay, tracker::Tracker};
use crate::{error::LoadError, settings::Settings};

/// The namespace in which the controller is installed.
pub(crate) const NAMESPACE: &str = "kube-glue";
/// The name of the release: also of its Deployment, ServiceAccount and Lease.
pub(crate) const RELEASE: &str = "kube-glue";
/// The namespace of the objects.
pub(crate) const OBJECTS: &str = "load";
/// The number of jobs, unless a scenario says otherwise.
pub(crate) const JOBS: usize = 20;
/// The region of all runs.
pub(crate) const REGION: &str = "eu-west-1";
/// The time limit of steps that normally take seconds.
const LIMIT: Duration = Duration::from_mins(2);
/// A controller that uses less than this part of a core is at rest.
const RESTING: f64 = 0.05;
/// It must use so little for this long.
const RESTS_FOR: Duration = Duration::from_secs(4);

/// How a cluster differs from the usual one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// Whether the API server writes its audit log, which costs it CPU time.
    pub(crate) audit: bool,
    /// Additional values of the chart, as for `helm --set`.
    pub(crate) values: &'static [&'static str],
    /// Additional flags of the API server.
    pub(crate) api_server_flags: &'static [&'static str],
    /// The delay of everything that the controller receives from the API server.
    pub(crate) delay: Option<Duration>,
}

impl Setup {
    /// The usual one: no audit log, the defaults of the chart and of the API server.
    pub(crate) const USUAL: Self = Self { audit: false, values: &[], api_server_flags: &[], delay: None };
}

/// A running cluster.
pub(crate) struct World {
    // In drop order: the controller ends before the services that it calls.
    pub(crate) tracker: Tracker,
    pub(crate) lease: LeaseWatch,
    pub(crate) meter: Meter,
    pub(crate) kubelet: Arc<Kubelet>,
    _relay: Option<Relay>,
    pub(crate) double: Double,
    pub(crate) plane: ControlPlane,
    /// The administrator's client. The API server's flow control does not limit its requests.
    pub(crate) admin: Client,
}

impl World {
    /// Starts everything but the controller, whose Deployment has no replica yet.
    pub(crate) async fn start(settings: &Settings, setup: Setup) -> Result<Self, LoadError> {
        let flags = setup.api_server_flags.iter().map(|flag| (*flag).to_owned()).collect();
        let options = Options { audit: setup.audit, api_server_flags: flags, ..Options::default() };
        let plane = ControlPlane::start(options).await?;
        let double = Double::start().await?;
        double.requests().keep(Keep::NoBodies);
        let port = plane.server().rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default();
        let relay = match setup.delay {
            Some(delay) => Some(Relay::start(port, delay).await.map_err(Error::io("starting the relay"))?),
            None => None,
        };
        let port = relay.as_ref().map_or(port, Relay::port);
        let kubelet = Kubelet::builder(&plane)
            .server(format!("https://127.0.0.1:{port}"))
            .image(IMAGE, &settings.controller)
            // There is no instance metadata service; do not wait for one.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .start()
            .await?;
        let kubelet = Arc::new(kubelet);
        let mut values = format!("{SET_IMAGE},aws.endpointUrl={},aws.region={REGION},replicas=0", double.url());
        for value in setup.values {
            values.extend([",", value]);
        }
        let install = ["install", RELEASE, "charts/kube-glue", "--namespace", NAMESPACE, "--create-namespace"];
        plane.helm(install).args(["--wait", "--set", &values]).current_dir(controller::workspace()).await?;
        let world = Self {
            tracker: Tracker::start(plane.client().await?),
            lease: LeaseWatch::start(plane.client().await?),
            meter: Meter::start(Arc::clone(&kubelet), port)?,
            admin: plane.client().await?,
            kubelet,
            _relay: relay,
            double,
            plane,
        };
        world.add_namespace(OBJECTS).await?;
        Ok(world)
    }

    /// Creates a namespace with the double's access key.
    pub(crate) async fn add_namespace(&self, name: &str) -> Result<(), LoadError> {
        self.add_namespaces(&[(name.to_owned(), self.double.default_key())]).await
    }

    /// Creates namespaces, each with an access key.
    pub(crate) async fn add_namespaces(&self, namespaces: &[(String, AccessKey)]) -> Result<(), LoadError> {
        let namespace = |(name, key): &(String, AccessKey)| {
            let secret = json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": { "name": "kube-glue-credentials", "namespace": name },
                "stringData": { "AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret },
            });
            [json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }), secret]
        };
        let objects: Vec<_> = namespaces.iter().flat_map(namespace).collect();
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        self.plane.kubectl(["apply", "--server-side", "-f", "-"]).input(list.to_string()).await?;
        Ok(())
    }

    /// Defines `count` jobs in Glue, of any number of concurrent runs.
    pub(crate) fn define_jobs(&self, count: usize, script: &RunScript) {
        for nth in 0..count {
            let job = JobDefinition::new(&job(nth)).max_concurrent_runs(u32::MAX).script(script.clone());
            self.double.define_job(DEFAULT_ACCOUNT, REGION, job);
        }
    }

    /// Starts the controller. Returns when its process began, once it is ready.
    pub(crate) async fn start_controller(&self) -> Result<Started, LoadError> {
        self.scale(1).await?;
        let runs = |pod: &RunningPod| is_controller(pod) && pod.containers.values().any(|one| one.pid.is_some());
        self.kubelet.until("the controller to run", LIMIT, |pods| pods.iter().any(runs)).await?;
        let began = Instant::now();
        while !self.is_ready().await {
            if began.elapsed() > LIMIT {
                return Err(LoadError::Outcome("the controller did not become ready".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Started { began, ready: began.elapsed() })
    }

    /// Stops the controller in an orderly way.
    pub(crate) async fn stop_controller(&self) -> Result<(), LoadError> {
        self.scale(0).await?;
        self.kubelet.until("the controller to end", LIMIT, |pods| !pods.iter().any(is_controller)).await?;
        Ok(())
    }

    async fn scale(&self, replicas: u8) -> Result<(), LoadError> {
        let (deployment, replicas) = (format!("deployment/{RELEASE}"), format!("--replicas={replicas}"));
        self.plane.kubectl(["scale", &deployment, &replicas, "--namespace", NAMESPACE]).await?;
        Ok(())
    }

    /// Whether the controller answers that it is ready.
    async fn is_ready(&self) -> bool {
        match self.pod() {
            Some(pod) => matches!(self.kubelet.get(&pod.name, "/readyz").await, Ok((200, _))),
            None => false,
        }
    }

    /// The controller's Pod.
    fn pod(&self) -> Option<RunningPod> {
        self.kubelet.pods().into_iter().find(is_controller)
    }

    /// The controller's process.
    pub(crate) fn controller_pid(&self) -> Option<u32> {
        self.pod()?.containers.values().find_map(|container| container.pid)
    }

    /// The controller's resident memory, in MiB.
    pub(crate) fn resident(&self) -> f64 {
        self.controller_pid().and_then(process::usage).map_or(0.0, |usage| usage.resident)
    }

    /// Waits until the controller uses no CPU time to speak of. Returns when it came to rest.
    pub(crate) async fn at_rest(&self, began: Instant) -> Result<Instant, LoadError> {
        loop {
            if let Some(since) = self.meter.at_rest_since(began, RESTING, RESTS_FOR) {
                return Ok(since);
            }
            if began.elapsed() > 3 * LIMIT {
                return Err(LoadError::Outcome("the controller did not come to rest".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// How often the controller exited by itself, or was killed.
    pub(crate) fn exits(&self) -> usize {
        let restarts = |pod: RunningPod| pod.containers.values().map(|container| container.restarts as usize).sum();
        self.pod().map_or(0, restarts)
    }

    /// The API server's metrics.
    pub(crate) async fn server_metrics(&self) -> Result<String, LoadError> {
        let request = Request::get("/metrics").body(Vec::new()).unwrap_or_default();
        Ok(self.admin.request_text(request).await.map_err(Error::kube("reading the API server's metrics"))?)
    }

    /// The CPU seconds of the API server and of etcd.
    pub(crate) fn server_cpu(&self) -> [f64; 2] {
        let pids = self.plane.pids();
        let cpu = |nth: usize| pids.get(nth).and_then(|pid| process::usage(*pid)).map_or(0.0, |usage| usage.cpu);
        [cpu(1), cpu(0)]
    }
}

/// The start of the controller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Started {
    /// When its process was seen first.
    pub(crate) began: Instant,
    /// How long it took to be ready.
    pub(crate) ready: Duration,
}

/// The name of the nth job.
pub(crate) fn job(nth: usize) -> String {
    format!("job-{nth}")
}

/// Whether this is the controller's Pod.
fn is_controller(pod: &RunningPod) -> bool {
    pod.namespace == NAMESPACE
}
