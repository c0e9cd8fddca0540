//! What one test lives in: a namespace, a Glue of its own, controllers, and the words to speak of them.
//!
//! Nothing here sleeps: the API server is waited for by watches, Glue by its record of requests, and what
//! takes Glue's time by steps of its clock.

mod controller;
mod emitted;
mod objects;
mod of;
mod scripts;
mod told;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Mutex;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::core::DynamicObject;
use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{AccessKey, DEFAULT_ACCOUNT, Double, JobDefinition, Request, Requests};
use kube_glue_testbed::ControlPlane;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::docs::policies;

pub use controller::Controller;
pub use emitted::{assert_nothing_leaked, places_of};
pub use objects::{attempts, conditions_of, is_held, phase_of, ready, run_id, uid};
#[allow(unused_imports, reason = "each kind takes what it needs")]
pub use of::{Of, condition, conditions_in, status};
pub use scripts::{HASTY, SETTLE, STEP, endless, quick, stepwise};
pub use told::{about, is_told, told};

/// The region that tests use.
pub const REGION: &str = "eu-west-1";
/// How long anything may take that should take a moment: far more, since machines are shared.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// The Secret that serves objects which name none.
pub const DEFAULT_SECRET: &str = "kube-glue-credentials";
/// The controller's name in the lease, unless a test has several.
const IDENTITY: &str = "it";

/// One test's world. Dropping it ends the controllers, looks through all that they emitted for secrets, and
/// holds what they called against the policies of docs/credentials.md.
pub struct World {
    /// The control plane that all tests share.
    pub plane: &'static ControlPlane,
    /// Its administrator.
    pub client: Client,
    /// The test's own namespace.
    pub namespace: String,
    /// The test's own Glue.
    pub double: Double,
    /// The access key that stands in the namespace's default Secret.
    pub key: AccessKey,
    /// Values that nothing may ever show, beside those that the test puts into Secrets and those that the
    /// double knows.
    pub secrets: Vec<String>,
    /// What was put into Secrets.
    kept: Mutex<Vec<String>>,
    /// Where the audit log stood.
    began: u64,
    /// AWS's own variables, for the controllers that are started from now on.
    pub aws: BTreeMap<&'static str, String>,
    /// As whom controllers that are started from now on reach the cluster: the administrator.
    pub kubeconfig: PathBuf,
    flags: BTreeMap<String, String>,
    /// By their names in the lease.
    controllers: BTreeMap<String, Controller>,
    said: Vec<watch::Receiver<String>>,
}

impl World {
    /// A namespace with credentials, a Glue with the job `etl`, and a controller that polls fast.
    pub async fn new(name: &str) -> Self {
        Self::with(name, &[]).await
    }

    /// The same with these flags of the controller.
    pub async fn with(name: &str, flags: &[(&str, &str)]) -> Self {
        let mut world = Self::without_controller(name).await;
        world.put_credentials(DEFAULT_SECRET).await;
        world.set(flags);
        world.start_controller();
        world
    }

    /// A namespace without credentials, a Glue with the job `etl`, and no controller.
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
            // A third of it is longer than anything that holds up a machine which many tests share.
            ("--lease-duration", "120s"),
            ("--identity", IDENTITY),
            ("--poll-interval", "200ms"),
        ];
        let flags = flags.map(|(flag, value)| (flag.to_owned(), value.to_owned())).into();
        let world = Self {
            plane,
            client,
            aws: BTreeMap::from([("AWS_ENDPOINT_URL", double.url()), ("AWS_REGION", REGION.to_owned())]),
            kubeconfig: plane.kubeconfig(),
            namespace,
            secrets: vec![key.secret.clone()],
            kept: Mutex::default(),
            began: plane.audit().position(),
            double,
            key,
            flags,
            controllers: BTreeMap::new(),
            said: Vec::new(),
        };
        world.job(JobDefinition::new("etl").max_concurrent_runs(1000).script(quick()));
        world
    }

    /// Sets flags of the controllers that are started from now on.
    pub fn set(&mut self, flags: &[(&str, &str)]) {
        self.flags.extend(flags.iter().map(|(flag, value)| ((*flag).to_owned(), (*value).to_owned())));
    }

    /// Starts the controller, or starts it again. Under its old name it takes up its lease at once, as a
    /// restarted container does.
    pub fn start_controller(&mut self) {
        self.start_controller_as(IDENTITY);
    }

    /// Starts a controller that has this name in the lease.
    pub fn start_controller_as(&mut self, identity: &str) {
        self.set(&[("--identity", identity)]);
        let controller = Controller::start(&self.flags, &self.kubeconfig, &self.aws);
        self.said.push(controller.said());
        let before = self.controllers.insert(identity.to_owned(), controller);
        assert!(before.is_none(), "{identity} runs already");
    }

    /// Ends the controller as a crash would.
    pub fn kill_controller(&mut self) {
        self.kill_controller_of(IDENTITY);
    }

    /// Ends the controller of this name as a crash would.
    pub fn kill_controller_of(&mut self, identity: &str) {
        assert!(self.controllers.remove(identity).is_some(), "{identity} does not run");
    }

    /// Tells the controller of this name to end, as a kubelet does, and waits for that.
    pub async fn terminate_controller_of(&mut self, identity: &str) -> ExitStatus {
        let controller = self.controllers.remove(identity).expect("it runs");
        controller.terminate().await
    }

    /// All that the controllers of this test have said.
    pub fn logs(&self) -> String {
        self.said.iter().map(|said| said.borrow().clone()).collect()
    }

    /// Waits until the controller of this name holds the lease.
    pub async fn leads(&self, identity: &str) {
        self.says(identity, &format!("held by this replica, {identity}")).await;
    }

    /// What the controller's `/readyz` answers: the status line and the text.
    pub async fn readyz(&self) -> (String, String) {
        self.controllers[IDENTITY].get("/readyz").await
    }

    /// Waits until the controller of this name has said so.
    pub async fn says(&self, identity: &str, words: &str) {
        let mut said = self.controllers[identity].said();
        let waited = timeout(PATIENCE, said.wait_for(|said| said.contains(words))).await.map(drop);
        assert!(waited.is_ok(), "{identity} did not say {words:?}\n{}", self.tail());
    }

    /// Puts the test's access key into a Secret.
    pub async fn put_credentials(&self, name: &str) {
        let AccessKey { id, secret, .. } = &self.key;
        self.put_secret(name, &[("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]).await;
    }

    /// Puts `data` into a Secret, in place of what it had.
    pub async fn put_secret(&self, name: &str, data: &[(&str, &str)]) {
        self.keep_secret(data);
        let data: Vec<_> = data.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
        self.put_bytes(name, &data).await;
    }

    /// The same with data that need not be text.
    pub async fn put_bytes(&self, name: &str, data: &[(&str, &[u8])]) {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.to_vec())));
        let mut secret = Secret {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            data: Some(data.collect()),
            ..Secret::default()
        };
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        if let Some(before) = api.get_opt(name).await.expect("the Secret") {
            secret.metadata.resource_version = before.metadata.resource_version;
            api.replace(name, &PostParams::default(), &secret).await.expect("the Secret");
        } else {
            api.create(&PostParams::default(), &secret).await.expect("the Secret");
        }
    }

    /// Defines a job.
    pub fn job(&self, job: JobDefinition) {
        self.double.define_job(DEFAULT_ACCOUNT, REGION, job);
    }

    /// The job runs of this namespace.
    pub fn runs(&self) -> Api<GlueJobRun> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Creates a run of `job`, with `spec` beside it.
    pub async fn run(&self, name: &str, job: &str, spec: Value) -> GlueJobRun {
        self.of().put(name, merged(json!({"jobName": job}), spec)).await
    }

    /// Creates an object, as the API server answers it.
    pub async fn create(&self, object: Value) -> Result<GlueJobRun, kube::Error> {
        self.of().create(object).await
    }

    /// The same objects, as a person could send them.
    pub fn untyped(&self) -> Api<DynamicObject> {
        self.of::<GlueJobRun>().untyped()
    }

    /// Changes the spec of a run.
    pub async fn edit(&self, name: &str, spec: Value) -> GlueJobRun {
        self.of().edit(name, spec).await
    }

    /// Takes the status of a run away, as a restore without it does.
    pub async fn lose_status(&self, name: &str) {
        self.of::<GlueJobRun>().lose_status(name).await;
    }

    /// Asks for the deletion of a run.
    pub async fn delete(&self, name: &str) {
        self.of::<GlueJobRun>().delete(name).await;
    }

    /// Waits until the run is gone.
    pub async fn gone(&self, run: &GlueJobRun) {
        self.of().gone(run).await;
    }

    /// Waits until `condition` holds for the run.
    pub async fn until(&self, name: &str, what: &str, condition: impl Fn(&GlueJobRun) -> bool) -> GlueJobRun {
        self.of().until(name, what, condition).await
    }

    /// Waits until the run is in `phase`.
    pub async fn phase(&self, name: &str, phase: Phase) -> GlueJobRun {
        self.until(name, &format!("it is {phase:?}"), |run| phase_of(run) == Some(phase)).await
    }

    /// Waits until Glue has started the run and its id stands in the object.
    pub async fn known(&self, name: &str) -> GlueJobRun {
        self.until(name, "its run is known", |run| run_id(run).is_some()).await
    }

    /// Waits until the run is in `phase` and does not carry our finalizer.
    pub async fn over(&self, name: &str, phase: Phase) -> GlueJobRun {
        let what = format!("it is {phase:?} and free of the finalizer");
        self.until(name, &what, |run| phase_of(run) == Some(phase) && !is_held(run)).await
    }

    /// Waits until the Ready condition of the run has this reason; its message.
    pub async fn reason(&self, name: &str, reason: &str) -> String {
        self.of::<GlueJobRun>().reason(name, reason).await
    }

    /// Waits for Glue to have taken `count` calls of `operation`.
    pub async fn calls(&self, operation: &str, count: u64) {
        self.requests(&format!("{operation} came {count} times"), |requests| requests.count(operation) >= count).await;
    }

    /// Waits until Glue has carried out, or refused, `count` calls of `operation`: its clock must not be stepped before.
    pub async fn answered(&self, operation: &str, count: usize) {
        let is_done = |request: &Request| request.answer().is_some();
        let what = format!("{operation} was answered {count} times");
        self.requests(&what, |requests| requests.of(operation).matching(is_done).count() >= count).await;
    }

    /// Waits until Glue's record of requests is so.
    pub async fn requests(&self, what: &str, so: impl FnMut(&Requests) -> bool) {
        let seen = timeout(PATIENCE, self.double.requests().wait_until(so)).await;
        let counts = self.double.requests().counts();
        assert!(seen.is_ok(), "waited in vain until {what}: {counts:?}\n{}", self.tail());
    }

    /// How often StartJobRun reached Glue.
    pub fn starts(&self) -> u64 {
        self.double.requests().count("StartJobRun")
    }

    /// How many calls of any kind reached Glue.
    pub fn glue_calls(&self) -> usize {
        self.double.requests().all().matching(|request| request.call.service == "glue").count()
    }

    /// How often Glue really started a run of `job` when asked by a controller.
    pub fn started(&self, job: &str) -> usize {
        self.double.requests().of("StartJobRun").name(job).succeeded().count()
    }

    /// Glue's runs of `job`, oldest first.
    pub fn glue_runs(&self, job: &str) -> Vec<Value> {
        self.double.runs(DEFAULT_ACCOUNT, REGION, job)
    }

    /// The calls that stop runs of `job`.
    pub fn stops(&self, job: &str) -> usize {
        let is_stop = |request: &Request| &*request.call.operation == "BatchStopJobRun";
        self.double.requests().all().name(job).matching(is_stop).count()
    }

    /// Somebody else calls Glue.
    pub fn elsewhere(&self, operation: &str, body: &Value) -> Value {
        self.double.call(DEFAULT_ACCOUNT, REGION, operation, body).expect(operation)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.controllers.clear();
            eprintln!("{}", self.tail());
            return;
        }
        if self.said.is_empty() {
            return;
        }
        let mut emitted = aside(self.served());
        // What they say and write up to their end counts too.
        self.controllers.clear();
        emitted.insert("written".to_owned(), aside(self.written()));
        emitted.insert("logs".to_owned(), self.logs());
        assert!(!emitted["logs"].contains("panicked at"), "the controller panicked: {}", self.tail());
        self.assert_no_secret_in(&emitted);
        for operation in ["GetConnection", "GetConnections"] {
            let shows = |read: &Request| read.field("HidePassword") != Some(json!(true));
            assert_eq!(self.double.requests().of(operation).matching(shows).count(), 0, "{operation}: HidePassword");
        }
        let beyond = policies::beyond(&emitted["logs"], self.double.requests());
        assert!(
            beyond.is_empty(),
            "called, and not in the policies of docs/credentials.md of the kinds at work: {beyond:?}"
        );
    }
}

/// Waits for `work` where the test's own runtime cannot.
fn aside<T: Send>(work: impl Future<Output = T> + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(work)
    };
    std::thread::scope(|scope| scope.spawn(run).join().expect("its end"))
}

/// `target` with the fields of `extra` in it.
pub fn merged(mut target: Value, extra: Value) -> Value {
    if let (Value::Object(target), Value::Object(extra)) = (&mut target, extra) {
        target.extend(extra);
    }
    target
}
