//! The environment of one integration test: a namespace, a double of Glue and STS, and controller processes.
//!
//! Nothing here sleeps. A test waits for the API server by watches and for Glue by the double's record of requests,
//! and steps the double's clock where Glue would take time.

mod audit;
mod controller_process;
mod events;
mod glue;
mod job_runs;
mod leak_search;
mod namespaces;
mod objects;
pub mod proxy;
mod run_scripts;
mod secrets;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Mutex;
use std::time::Duration;

use kube::Client;
use kube_glue_double::{AccessKey, Double, JobDefinition, Request};
use kube_glue_testbed::ControlPlane;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{interval, timeout};

use crate::docs::policies;

#[allow(unused_imports, reason = "the docs tests decide which of them they use")]
pub use controller_process::ControllerProcess;
pub use events::{is_event_on, object_name, wait_for_event};
pub use job_runs::{attempts, condition_summary, phase_of, ready_condition, run_id, uid};
pub use leak_search::{assert_no_secret_leaked, places_with};
pub use objects::{Objects, condition, conditions_in, has_finalizer, status};
pub use run_scripts::{SHORT_START_SETTLE, SHORT_TIMEOUTS, STEP, endless, quick, stepwise};
pub use secrets::{DEFAULT_SECRET, access_key_data};

/// The AWS region of all tests that do not name another.
pub const REGION: &str = "eu-west-1";
/// The limit of every wait for what should take a moment. It is generous because machines are shared.
pub const WAIT_TIMEOUT: Duration = Duration::from_mins(1);
/// How often metrics are read that are to change. They have no watch.
const METRICS_AGAIN: Duration = Duration::from_millis(50);
/// The controller's identity in the Lease, unless a test runs several controllers.
const IDENTITY: &str = "it";

/// The environment of one test.
///
/// Dropping it kills the controllers, searches all their output for secret values, and checks their calls against the
/// policies of the documentation.
pub struct TestEnv {
    /// The control plane that all tests share.
    pub plane: &'static ControlPlane,
    /// A client of the cluster administrator.
    pub client: Client,
    /// The test's own namespace.
    pub namespace: String,
    /// The test's own Glue and STS.
    pub double: Double,
    /// The access key that [`TestEnv::put_credentials`] writes.
    pub key: AccessKey,
    /// More values to search the output for. Those of Secrets that the test writes and those that the double knows
    /// are searched for anyway.
    pub secrets: Vec<String>,
    /// Values that the test wrote into Secrets.
    secret_values: Mutex<Vec<String>>,
    /// Position of the audit log when the test began.
    audit_start: u64,
    /// AWS variables in the environment of controllers started from now on.
    pub aws: BTreeMap<&'static str, String>,
    /// The kubeconfig of controllers started from now on; the administrator's by default.
    pub kubeconfig: PathBuf,
    flags: BTreeMap<String, String>,
    /// Running controllers by their identity in the Lease.
    controllers: BTreeMap<String, ControllerProcess>,
    /// The log of every controller that was started.
    controller_logs: Vec<watch::Receiver<String>>,
}

impl TestEnv {
    /// A namespace with credentials, the job `etl` in Glue, and a controller that polls every 200 ms.
    pub async fn new(name: &str) -> Self {
        Self::with_flags(name, &[]).await
    }

    /// Like [`TestEnv::new`], with these flags of the controller.
    pub async fn with_flags(name: &str, flags: &[(&str, &str)]) -> Self {
        let mut env = Self::with_credentials(name).await;
        env.set_flags(flags);
        env.start_controller();
        env
    }

    /// Like [`TestEnv::new`], without a controller.
    pub async fn with_credentials(name: &str) -> Self {
        let env = Self::without_controller(name).await;
        env.put_credentials(DEFAULT_SECRET).await;
        env
    }

    /// Like [`TestEnv::new`], without a controller and without credentials.
    pub async fn without_controller(name: &str) -> Self {
        let plane = ControlPlane::shared().await.expect("a control plane");
        let client = plane.client().await.expect("a client");
        crate::crds::install(plane).await;
        let namespace = plane.namespace(name).await.expect("a namespace");
        let double = Double::start().await.expect("a double");
        let key = double.default_key();
        let flags = [
            ("--http-address", "127.0.0.1:0"),
            ("--log", "trace"),
            ("--namespaces", &namespace),
            ("--lease-namespace", &namespace),
            // The renewal deadline, a third of it, is longer than any pause of a machine that many tests share.
            ("--lease-duration", "120s"),
            ("--identity", IDENTITY),
            ("--poll-interval", "200ms"),
            ("--poll-calls-per-minute", "60000"),
        ];
        let flags = flags.map(|(flag, value)| (flag.to_owned(), value.to_owned())).into();
        let env = Self {
            plane,
            client,
            aws: BTreeMap::from([("AWS_ENDPOINT_URL", double.url()), ("AWS_REGION", REGION.to_owned())]),
            kubeconfig: plane.kubeconfig(),
            namespace,
            secrets: vec![key.secret.clone()],
            secret_values: Mutex::default(),
            audit_start: plane.audit().position(),
            double,
            key,
            flags,
            controllers: BTreeMap::new(),
            controller_logs: Vec::new(),
        };
        env.define_job(JobDefinition::new("etl").max_concurrent_runs(1000).script(quick()));
        env
    }

    /// Sets flags of controllers started from now on.
    pub fn set_flags(&mut self, flags: &[(&str, &str)]) {
        self.flags.extend(flags.iter().map(|(flag, value)| ((*flag).to_owned(), (*value).to_owned())));
    }

    /// Starts the controller, for the first time or again. With its old identity it takes its Lease over at once, as
    /// a restarted container does.
    pub fn start_controller(&mut self) {
        self.start_controller_as(IDENTITY);
    }

    /// Starts a controller with this identity in the Lease.
    pub fn start_controller_as(&mut self, identity: &str) {
        self.set_flags(&[("--identity", identity)]);
        let controller = ControllerProcess::start(&self.flags, &self.kubeconfig, &self.aws);
        self.controller_logs.push(controller.log());
        let before = self.controllers.insert(identity.to_owned(), controller);
        assert!(before.is_none(), "controller {identity} is running already");
    }

    /// Kills the controller with SIGKILL.
    pub fn kill_controller(&mut self) {
        self.kill_controller_named(IDENTITY);
    }

    /// Kills the controller of this identity with SIGKILL.
    pub fn kill_controller_named(&mut self, identity: &str) {
        assert!(self.controllers.remove(identity).is_some(), "controller {identity} is not running");
    }

    /// Sends SIGTERM to the controller of this identity, as a kubelet does, and waits for its exit.
    pub async fn terminate_controller(&mut self, identity: &str) -> ExitStatus {
        let controller = self.controllers.remove(identity).expect("a running controller");
        controller.terminate().await
    }

    /// The logs of all controllers of this test, those that have ended included.
    pub fn logs(&self) -> String {
        self.controller_logs.iter().map(|log| log.borrow().clone()).collect()
    }

    /// Waits until the controller of this identity logs that it holds the Lease.
    pub async fn wait_for_leader(&self, identity: &str) {
        self.wait_for_log(identity, &format!("held by this replica, {identity}")).await;
    }

    /// Waits until the log of this controller contains `text`.
    pub async fn wait_for_log(&self, identity: &str, text: &str) {
        let mut log = self.controllers[identity].log();
        let waited = timeout(WAIT_TIMEOUT, log.wait_for(|log| log.contains(text))).await.map(drop);
        assert!(waited.is_ok(), "controller {identity} did not log {text:?}\n{}", self.log_tail());
    }

    /// Status line and body of the controller's `/readyz`.
    pub async fn readyz(&self) -> (String, String) {
        self.controllers[IDENTITY].get("/readyz").await
    }

    /// The bytes of the controller's memory that are resident.
    pub fn resident_bytes(&self) -> u64 {
        self.controllers[IDENTITY].resident_bytes()
    }

    /// The controller's metrics.
    pub async fn metrics(&self) -> String {
        self.controllers[IDENTITY].get("/metrics").await.1
    }

    /// Waits until the controller's metrics have all these lines: it counts what it has sent after the answer to it.
    pub async fn wait_for_metrics(&self, lines: &[&str]) {
        let mut timer = interval(METRICS_AGAIN);
        let mut last = String::new();
        let have_all = async {
            loop {
                timer.tick().await;
                last = self.metrics().await;
                if lines.iter().all(|line| last.lines().any(|shown| shown == *line)) {
                    return;
                }
            }
        };
        let waited = timeout(WAIT_TIMEOUT, have_all).await;
        assert!(waited.is_ok(), "the metrics do not have {lines:?}: {last}");
    }

    /// The last 40 lines that the controllers logged themselves, for failure messages. The full log goes to a file.
    pub fn log_tail(&self) -> String {
        let logs = self.logs();
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.log", self.namespace));
        let written = std::fs::write(&file, &logs);
        let is_relevant = |line: &&str| line.contains("kube_glue") || line.contains("panicked");
        let lines: Vec<_> = logs.lines().filter(is_relevant).collect();
        let last = lines[lines.len().saturating_sub(40)..].join("\n");
        written.map_or_else(|_| last.clone(), |()| format!("{last}\n(full log: {})", file.display()))
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.controllers.clear();
            eprintln!("{}", self.log_tail());
            return;
        }
        if self.controller_logs.is_empty() {
            return;
        }
        let mut output = block_on(self.http_output());
        // What the controllers log and write until they end counts too.
        self.controllers.clear();
        output.insert("written".to_owned(), block_on(self.written_objects()));
        output.insert("logs".to_owned(), self.logs());
        assert!(!output["logs"].contains("panicked at"), "the controller panicked: {}", self.log_tail());
        self.assert_no_secret_in(&output);
        for operation in ["GetConnection", "GetConnections"] {
            let shows_password = |read: &Request| read.field("HidePassword") != Some(json!(true));
            let shown = self.double.requests().of(operation).matching(shows_password).count();
            assert_eq!(shown, 0, "{operation} was called without HidePassword");
        }
        let beyond = policies::beyond(&output["logs"], self.double.requests());
        assert!(beyond.is_empty(), "the controller called what the documented policies do not allow: {beyond:?}");
    }
}

/// Runs `work` on a thread and a runtime of its own: the test's runtime cannot block.
fn block_on<T: Send>(work: impl Future<Output = T> + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(work)
    };
    std::thread::scope(|scope| scope.spawn(run).join().expect("a result"))
}

/// `target` with the fields of `extra`, which replace its own.
pub fn merged(mut target: Value, extra: Value) -> Value {
    if let (Value::Object(target), Value::Object(extra)) = (&mut target, extra) {
        target.extend(extra);
    }
    target
}
