//! A kind whose passes are watched, in the real reconcile loop, before an API server that has next to nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::{StreamExt, future};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::object::HasStatus;
use kube::{Client, Resource, ResourceExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::api_server;
use super::shared::shared;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::{GlueJobRun, GlueJobRunStatus};
use crate::controllers::runtime::conditions::condition;
use crate::controllers::runtime::context::Context;
use crate::controllers::runtime::credentials::resolver::ClientResolver;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::lifecycle::{Earlier, Lifecycle};
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::reconciler::{self, Action};
use crate::controllers::runtime::requeue::Requeuer;
use crate::controllers::runtime::start_once::Intent;
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::watch::Cache;
use crate::controllers::runtime::{Settings, reconcile_loop, time};
use crate::glue::Glue;
use crate::glue::aws::AwsConfig;
use crate::glue::job_runs::source::JobRunSource;
use crate::metrics::Metrics;

/// How long a test waits for what must come at once.
const AT_ONCE: Duration = Duration::from_secs(20);

/// Who hears of the passes over the objects of a namespace.
static HEARERS: LazyLock<Mutex<HashMap<String, UnboundedSender<Passed>>>> = LazyLock::new(Mutex::default);

/// The end of a pass: over which object, why it had no client, and which pause was still to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) name: String,
    pub(super) problem: Option<Reason>,
    pub(super) backoff: Option<Duration>,
}

/// A job run whose passes are watched.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Probe(GlueJobRun);

impl Resource for Probe {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        GlueJobRun::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        GlueJobRun::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        GlueJobRun::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        GlueJobRun::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.meta_mut()
    }
}

impl HasStatus for Probe {
    type Status = GlueJobRunStatus;

    fn status(&self) -> Option<&GlueJobRunStatus> {
        self.0.status.as_ref()
    }

    fn status_mut(&mut self) -> &mut Option<GlueJobRunStatus> {
        &mut self.0.status
    }
}

impl Kind for Probe {
    const KIND: &'static str = "GlueJobRun";
    type Lifecycle = ProbeLifecycle;
    type Source = JobRunSource;
    type Inputs = ();
    type PassState = ();
    type LocalState = ();

    fn aws(&self) -> &Aws {
        &self.0.spec.aws
    }

    fn identity(status: &mut GlueJobRunStatus) -> &mut Option<AwsIdentity> {
        &mut status.run.identity
    }

    fn strip_to_head(&mut self) {}
}

pub(super) struct ProbeLifecycle;

impl Lifecycle<Probe> for ProbeLifecycle {
    type Call = ();

    fn begin_pass(_: &Probe, (): &mut (), _: Earlier<'_>) {}

    /// A pass over an object named `bad` panics, and one without a client would pause.
    fn plan(pass: &mut Pass<'_, Probe>) -> Plan<GlueJobRunStatus, ()> {
        assert_ne!(pass.object.name_any(), "bad", "the defect of this test");
        let problem = pass.credentials_problem().map(|problem| problem.reason);
        let backoff = pass.common_facts(None).backoff;
        let ends = &HEARERS.lock().unwrap()[&pass.object.namespace().unwrap()];
        ends.unbounded_send(Passed { name: pass.object.name_any(), problem, backoff }).unwrap();
        if problem.is_some() {
            pass.with_local(|local| local.backoff.delay(Duration::MAX));
        }
        Plan { status: pass.object.0.status.clone().unwrap_or_default(), step: Step::AwaitChange }
    }

    fn intent(_: &GlueJobRunStatus) -> Option<Intent> {
        None
    }

    fn is_non_idempotent((): &()) -> bool {
        false
    }

    async fn call(_: &mut Pass<'_, Probe>, (): ()) {}

    fn on_status_written(_: &mut Pass<'_, Probe>, _: Option<&GlueJobRunStatus>) {}

    fn report(_: &Probe, problem: &Problem) -> Option<GlueJobRunStatus> {
        let mut status = GlueJobRunStatus::default();
        status.run.conditions = vec![condition("Ready", false, problem.reason, &problem.message, &[], time::now())];
        Some(status)
    }

    fn on_idle(_: &Pass<'_, Probe>) {}

    fn describe_left_behind(_: &str) -> String {
        String::new()
    }
}

fn manifest(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun",
        "metadata": {"namespace": namespace, "name": name, "uid": name, "resourceVersion": "1"},
        "spec": {"jobName": "etl", "region": "eu-west-1", "credentials": {"secretName": name}},
        "status": {"observedGeneration": 1},
    })
}

fn object(namespace: &str, name: &str) -> Probe {
    serde_json::from_value(manifest(namespace, name)).unwrap()
}

/// A Secret with keys, which are those of its name.
fn secret(name: &str) -> Value {
    let data = json!({"AWS_ACCESS_KEY_ID": format!("AKIA{name}"), "AWS_SECRET_ACCESS_KEY": format!("secret-{name}")});
    let encode =
        |(key, value): (&String, &Value)| (key.clone(), k8s_openapi::ByteString(value.as_str().unwrap().into()));
    let data: BTreeMap<_, _> = data.as_object().unwrap().iter().map(encode).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data})
}

/// An API server that has every Secret and nothing else, and reports the writes to a status.
fn client(namespace: String, writes: UnboundedSender<(String, Value)>) -> Client {
    api_server::client(move |method, uri, body| {
        if let Some((_, name)) = uri.path().split_once("/secrets/") {
            return future::ready((StatusCode::OK, secret(name)));
        }
        if method != Method::PATCH {
            return future::ready(api_server::failure(StatusCode::NOT_FOUND, "NotFound"));
        }
        let body: Value = serde_json::from_slice(&body).unwrap();
        writes.unbounded_send((uri.path().to_owned(), body)).unwrap();
        future::ready((StatusCode::OK, manifest(&namespace, "bad")))
    })
}

/// A reconcile loop over some objects of one namespace.
pub(super) struct ProbeLoop {
    pub(super) resolver: ClientResolver,
    pub(super) metrics: Metrics,
    requeuer: Requeuer,
    context: Arc<Context<Probe>>,
    namespace: String,
    passed: UnboundedReceiver<Passed>,
    written: UnboundedReceiver<(String, Value)>,
    stop: CancellationToken,
    reconciling: JoinHandle<()>,
}

impl ProbeLoop {
    /// The loop over the objects `names`, none of which is queued, of a namespace that no other test has. It may have so
    /// many clients.
    pub(super) async fn start<const N: usize>(namespace: &str, names: [&str; N], most_identities: usize) -> Self {
        let (writes, written) = unbounded();
        let (ended, passed) = unbounded();
        HEARERS.lock().unwrap().insert(namespace.to_owned(), ended);
        let client = client(namespace.to_owned(), writes);
        let metrics = Metrics::new();
        let mut settings = Settings { failure_logs: false, ..Settings::example() };
        settings.identity_rules.most_identities = most_identities;
        let config = AwsConfig::load(settings.aws_timeout, None, metrics.clone()).await.unwrap();
        let shared = shared::<Probe>(&client, config, &settings, &metrics);
        let resolver = shared.resolver.clone();
        let (requeuer, queue) = Requeuer::new();
        let context = Arc::new(Context::new(shared, requeuer.clone()));
        for name in names {
            context.local_states.register(name, false);
        }
        let objects = names.map(|name| object(namespace, name));
        let stop = CancellationToken::new();
        let reconciling = tokio::spawn(reconcile_loop::run(
            Arc::clone(&context),
            Cache::holding(objects),
            futures::stream::pending(),
            queue,
            stop.clone(),
        ));
        let namespace = namespace.to_owned();
        Self { resolver, metrics, requeuer, context, namespace, passed, written, stop, reconciling }
    }

    /// The watch shows that nothing is left to do for the object. The cache follows later.
    pub(super) fn forget(&self, name: &str) {
        self.context.local_states.forget(name);
    }

    /// One pass over the object beside those of the loop.
    pub(super) async fn pass(&self, name: &str) -> Action {
        reconciler::reconcile(Arc::new(object(&self.namespace, name)), Arc::clone(&self.context)).await
    }

    /// The ends of passes that nobody has asked for yet.
    pub(super) fn passed_by_now(&mut self) -> Vec<Passed> {
        std::iter::from_fn(|| self.passed.try_recv().ok()).collect()
    }

    /// Requeues the object.
    pub(super) fn requeue(&self, name: &str) {
        self.requeuer.requeue((self.namespace.clone(), name.to_owned()));
    }

    /// The end of the next pass that does not panic.
    pub(super) async fn passed(&mut self) -> Passed {
        timeout(AT_ONCE, self.passed.next()).await.expect("a pass in time").unwrap()
    }

    /// The next write to a status: its path and its body.
    pub(super) async fn written(&mut self) -> (String, Value) {
        timeout(AT_ONCE, self.written.next()).await.expect("a write in time").unwrap()
    }

    /// The client that the object has.
    pub(super) async fn client(&self, name: &str) -> Glue {
        let object = object(&self.namespace, name);
        self.resolver.client(&self.namespace, object.aws(), false).await.unwrap().client
    }

    /// Ends the loop.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.reconciling.await.unwrap();
    }
}
