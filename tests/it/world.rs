//! What one test lives in: a namespace, a double, a controller, and the words to speak of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, ResourceExt};
use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_bed::ControlPlane;
use kube_glue_double::{AccessKey, DEFAULT_ACCOUNT, Double, JobDefinition, RunScript};
use serde_json::{Value, json};
use tokio::time::timeout;

/// The region that tests use.
pub const REGION: &str = "eu-west-1";
/// How long anything may take that should take a moment: far more, since machines are shared.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One test's world. Dropping it ends the controller and looks through all that it said for secrets.
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
    controller: Option<Child>,
    flags: Vec<String>,
    log: PathBuf,
    starts: u32,
    /// Values that nothing may ever show.
    pub secrets: Vec<String>,
}

impl World {
    /// A namespace with credentials, a double with the job `etl`, and a controller that polls fast.
    pub async fn new(name: &str) -> Self {
        let mut world = Self::without_controller(name).await;
        world.put_credentials("kube-glue-credentials").await;
        world.start_controller();
        world
    }

    /// The same without a controller and without credentials.
    pub async fn without_controller(name: &str) -> Self {
        let plane = ControlPlane::shared().await.expect("a control plane");
        let client = plane.client().await.expect("a client");
        crate::crds::install(plane).await;
        let namespace = plane.namespace(name).await.expect("a namespace");
        let double = Double::start().await.expect("a double");
        let key = double.default_key();
        double.define_job(
            DEFAULT_ACCOUNT,
            REGION,
            JobDefinition::new("etl").max_concurrent_runs(1000).script(quick()),
        );
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("logs");
        fs::create_dir_all(&folder).expect("a folder for logs");
        Self {
            plane,
            client,
            log: folder.join(format!("{namespace}.log")),
            namespace,
            secrets: vec![key.secret.clone()],
            double,
            key,
            controller: None,
            flags: Vec::new(),
            starts: 0,
        }
    }

    /// Starts a controller with `flags` beside those of every test.
    pub fn start_controller_with(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        self.start_controller();
    }

    /// Starts the controller, or starts it again with the flags it had.
    pub fn start_controller(&mut self) {
        assert!(self.controller.is_none(), "the controller runs already");
        self.starts += 1;
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("a log file");
        let child = Command::new(env!("CARGO_BIN_EXE_kube-glue"))
            .args([
                "run",
                "--http-address",
                "127.0.0.1:0",
                "--log",
                "trace",
                "--namespaces",
                &self.namespace,
            ])
            .args(["--lease-namespace", &self.namespace, "--lease-duration", "3s"])
            .args([
                "--poll-interval",
                "200ms",
                "--start-settle",
                "3s",
                "--aws-timeout",
                "2s",
            ])
            .args(&self.flags)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KUBECONFIG", self.plane.kubeconfig())
            .env("AWS_ENDPOINT_URL", self.double.url())
            .env("AWS_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("the controller");
        self.controller = Some(child);
    }

    /// Ends the controller as a crash would.
    pub fn kill_controller(&mut self) {
        let mut child = self.controller.take().expect("a controller");
        child.kill().expect("a kill");
        child.wait().expect("its end");
    }

    /// All that the controllers of this test have said.
    pub fn logs(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Puts the test's access key into a Secret.
    pub async fn put_credentials(&mut self, name: &str) {
        let key = self.key.clone();
        self.put_secret(
            name,
            &[("AWS_ACCESS_KEY_ID", &key.id), ("AWS_SECRET_ACCESS_KEY", &key.secret)],
        )
        .await;
    }

    /// Puts `data` into a Secret, in place of what it had.
    pub async fn put_secret(&mut self, name: &str, data: &[(&str, &str)]) {
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            string_data: Some(
                data.iter()
                    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                    .collect(),
            ),
            ..Secret::default()
        };
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let _ = api.delete(name, &DeleteParams::default()).await;
        api.create(&PostParams::default(), &secret).await.expect("the Secret");
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
        self.try_run(name, job, spec)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The same, as the API server answers it.
    pub async fn try_run(&self, name: &str, job: &str, spec: Value) -> Result<GlueJobRun, kube::Error> {
        let mut whole = json!({"jobName": job});
        merge(&mut whole, spec);
        let object = json!({
            "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun",
            "metadata": {"name": name}, "spec": whole,
        });
        // Untyped, so that the API server sees what a person could send.
        let api: Api<kube::core::DynamicObject> = Api::namespaced_with(
            self.client.clone(),
            &self.namespace,
            &kube::core::ApiResource::erase::<GlueJobRun>(&()),
        );
        let created = api
            .create(
                &PostParams::default(),
                &serde_json::from_value(object).expect("an object"),
            )
            .await?;
        Ok(created.try_parse().expect("a GlueJobRun"))
    }

    /// Changes the spec of a run.
    pub async fn edit(&self, name: &str, spec: Value) -> Result<GlueJobRun, kube::Error> {
        self.runs()
            .patch(name, &PatchParams::default(), &Patch::Merge(json!({"spec": spec})))
            .await
    }

    /// Asks for the deletion of a run.
    pub async fn delete(&self, name: &str) {
        self.runs()
            .delete(name, &DeleteParams::default())
            .await
            .expect("the deletion");
    }

    /// Waits until the run is gone.
    pub async fn gone(&self, name: &str, uid: &str) {
        let wait = await_condition(self.runs(), name, conditions::is_deleted(uid));
        if timeout(PATIENCE, wait).await.is_err() {
            self.give_up(name, "it is gone").await;
        }
    }

    /// Waits until `condition` holds for the run.
    pub async fn until(&self, name: &str, what: &str, condition: impl Fn(&GlueJobRun) -> bool) -> GlueJobRun {
        let holds = |object: Option<&GlueJobRun>| object.is_some_and(&condition);
        match timeout(PATIENCE, await_condition(self.runs(), name, holds)).await {
            Ok(object) => object.expect("a watch").expect("the object"),
            Err(_) => self.give_up(name, what).await,
        }
    }

    /// Waits until the run is in `phase`.
    pub async fn phase(&self, name: &str, phase: Phase) -> GlueJobRun {
        self.until(name, &format!("it is {phase:?}"), |run| phase_of(run) == Some(phase))
            .await
    }

    /// Waits until the Ready condition of the run has this reason; its message.
    pub async fn reason(&self, name: &str, reason: &str) -> String {
        let run = self
            .until(name, &format!("its reason is {reason}"), |run| ready(run).0 == reason)
            .await;
        ready(&run).1
    }

    /// Waits for the double to have taken `count` calls of `operation`.
    pub async fn calls(&self, operation: &str, count: u64) {
        let seen = timeout(PATIENCE, self.double.requests().wait_for_count(operation, count)).await;
        assert!(
            seen.is_ok(),
            "{operation} did not come {count} times: {:?}\n{}",
            self.double.requests().counts(),
            self.tail()
        );
    }

    /// Waits until the double has been asked nothing for a while that would have brought another start.
    pub async fn quiet(&self) {
        let quiet = self.double.requests().wait_for_quiet(Duration::from_secs(1));
        assert!(
            timeout(PATIENCE, quiet).await.is_ok(),
            "the calls go on: {:?}",
            self.double.requests().counts()
        );
    }

    /// How often StartJobRun reached Glue.
    pub fn starts(&self) -> u64 {
        self.double.requests().count("StartJobRun")
    }

    /// How many runs Glue has of `job`.
    pub fn glue_runs(&self, job: &str) -> Vec<Value> {
        self.double.runs(DEFAULT_ACCOUNT, REGION, job)
    }

    async fn give_up(&self, name: &str, what: &str) -> ! {
        let object = self.runs().get_opt(name).await;
        panic!(
            "{name}: waited in vain until {what}\n{}\ncalls: {:?}\n{}",
            serde_json::to_string_pretty(&object.ok().flatten()).unwrap_or_default(),
            self.double.requests().counts(),
            self.tail()
        );
    }

    fn tail(&self) -> String {
        let logs = self.logs();
        let lines: Vec<_> = logs
            .lines()
            .filter(|line| line.contains("kube_glue") || line.contains("panicked"))
            .collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Everything that this test's controller has put before people: status, events and logs.
    pub async fn emitted(&self) -> BTreeMap<&'static str, String> {
        let runs = self.runs().list(&ListParams::default()).await.expect("the runs");
        let statuses: Vec<_> = runs.iter().map(|run| &run.status).collect();
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let events = events.list(&ListParams::default()).await.expect("the events");
        BTreeMap::from([
            ("status", text(&statuses)),
            ("events", text(&events.items)),
            ("logs", self.logs()),
        ])
    }

    /// Looks for secret values in all that was emitted.
    pub async fn assert_nothing_leaked(&self) {
        for (place, text) in self.emitted().await {
            for secret in &self.secrets {
                assert!(!text.contains(secret.as_str()), "a secret value stands in the {place}");
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut child) = self.controller.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if !std::thread::panicking() {
            let logs = self.logs();
            assert!(
                !logs.contains("panicked at"),
                "the controller panicked: {}",
                self.tail()
            );
            for secret in &self.secrets {
                assert!(!logs.contains(secret.as_str()), "a secret value stands in the logs");
            }
        }
    }
}

/// The phase of a run.
pub fn phase_of(run: &GlueJobRun) -> Option<Phase> {
    run.status.as_ref().and_then(|status| status.run.phase)
}

/// Reason and message of the Ready condition.
pub fn ready(run: &GlueJobRun) -> (String, String) {
    let ready = run.status.as_ref().and_then(|status| status.run.condition("Ready"));
    ready
        .map(|ready| (ready.reason.clone(), ready.message.clone()))
        .unwrap_or_default()
}

/// Type=Status of each condition, in order.
pub fn conditions_of(run: &GlueJobRun) -> Vec<String> {
    let conditions = run
        .status
        .as_ref()
        .map(|status| status.run.conditions.as_slice())
        .unwrap_or_default();
    conditions
        .iter()
        .map(|condition| format!("{}={}", condition.type_, condition.status))
        .collect()
}

/// The uid of an object.
pub fn uid(run: &GlueJobRun) -> String {
    run.uid().expect("a uid")
}

/// A script that takes a second of the double's time.
pub fn quick() -> RunScript {
    RunScript::succeeds()
        .starting(Duration::from_millis(300))
        .running(Duration::from_millis(700))
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn merge(target: &mut Value, extra: Value) {
    if let (Value::Object(target), Value::Object(extra)) = (target, extra) {
        target.extend(extra);
    }
}
