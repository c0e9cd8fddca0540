//! A pass that panics, in the real reconcile loop.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{Method, StatusCode, Uri};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::object::HasStatus;
use kube::{Client, Config, Resource, ResourceExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::{GlueJobRun, GlueJobRunStatus};
use crate::controllers::runtime::conditions::condition;
use crate::controllers::runtime::context::{Context, Shared};
use crate::controllers::runtime::credentials::resolver::ClientResolver;
use crate::controllers::runtime::credentials::secrets::Secrets;
use crate::controllers::runtime::events::Events;
use crate::controllers::runtime::failure_log::FailureLogs;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::lifecycle::{Earlier, Lifecycle};
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::requeue::Requeuer;
use crate::controllers::runtime::start_once::Intent;
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::watch::{Cache, Change};
use crate::controllers::runtime::{Leadership, Settings, reconcile_loop, time};
use crate::glue::Clients;
use crate::glue::aws::AwsConfig;
use crate::glue::job_runs::source::JobRunSource;
use crate::metrics::Metrics;

/// The objects that are not named `bad` end their passes here.
static PASSED: Semaphore = Semaphore::const_new(0);

/// A job run; a pass over one named `bad` panics.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Fragile(GlueJobRun);

impl Resource for Fragile {
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

impl HasStatus for Fragile {
    type Status = GlueJobRunStatus;

    fn status(&self) -> Option<&GlueJobRunStatus> {
        self.0.status.as_ref()
    }

    fn status_mut(&mut self) -> &mut Option<GlueJobRunStatus> {
        &mut self.0.status
    }
}

impl Kind for Fragile {
    const KIND: &'static str = "GlueJobRun";
    type Lifecycle = FragileLifecycle;
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

struct FragileLifecycle;

impl Lifecycle<Fragile> for FragileLifecycle {
    type Call = ();

    fn begin_pass(_: &Fragile, (): &mut (), _: Earlier<'_>) {}

    fn plan(pass: &mut Pass<'_, Fragile>) -> Plan<GlueJobRunStatus, ()> {
        assert_ne!(pass.object.name_any(), "bad", "the defect of this test");
        PASSED.add_permits(1);
        Plan { status: pass.object.0.status.clone().unwrap_or_default(), step: Step::AwaitChange }
    }

    fn intent(_: &GlueJobRunStatus) -> Option<Intent> {
        None
    }

    fn is_non_idempotent((): &()) -> bool {
        false
    }

    async fn call(_: &mut Pass<'_, Fragile>, (): ()) {}

    fn on_status_written(_: &mut Pass<'_, Fragile>, _: Option<&GlueJobRunStatus>) {}

    fn report(_: &Fragile, problem: &Problem) -> Option<GlueJobRunStatus> {
        let mut status = GlueJobRunStatus::default();
        status.run.conditions = vec![condition("Ready", false, problem.reason, &problem.message, &[], time::now())];
        Some(status)
    }

    fn on_idle(_: &Pass<'_, Fragile>) {}

    fn describe_left_behind(_: &str) -> String {
        String::new()
    }
}

fn manifest(name: &str) -> Value {
    json!({
        "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun",
        "metadata": {"namespace": "a", "name": name, "uid": name, "resourceVersion": "1"},
        "spec": {"jobName": "etl"}, "status": {"observedGeneration": 1},
    })
}

/// An API server that has nothing, and reports the writes to a status.
async fn api_server(writes: UnboundedSender<(String, Value)>) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = async move |method: Method, uri: Uri, body: Bytes| {
        if method != Method::PATCH {
            let status =
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404});
            return (StatusCode::NOT_FOUND, status.to_string());
        }
        let body: Value = serde_json::from_slice(&body).unwrap();
        writes.unbounded_send((uri.path().to_owned(), body)).unwrap();
        (StatusCode::OK, manifest("bad").to_string())
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    Client::try_from(Config::new(url.parse().unwrap())).unwrap()
}

#[tokio::test]
async fn a_pass_that_panics_fails_its_object_and_no_other() {
    let (writes, mut written) = unbounded();
    let client = api_server(writes).await;
    let metrics = Metrics::new();
    let settings = Settings::example();
    let config = AwsConfig::load(settings.aws_timeout, None, metrics.clone()).await.unwrap();
    let rules = settings.identity_rules.clone();
    let shared = Shared {
        client: client.clone(),
        resolver: ClientResolver::new(client.clone(), Clients::new(config), Secrets::new(false), rules),
        leadership: Leadership::always(),
        settings,
        metrics: metrics.clone(),
        failure_logs: FailureLogs::new(Events::new(client.clone(), metrics.clone()), Leadership::always(), false),
        events: Events::new(client, metrics.clone()),
    };
    let (requeuer, names) = Requeuer::new();
    let context = Arc::new(Context::<Fragile>::new(shared, requeuer.clone()));
    let name = |name: &str| ("a".to_owned(), name.to_owned());
    let objects = ["bad", "good"].map(|name| serde_json::from_value(manifest(name)).unwrap());
    let listed = Change::Applied(vec![name("bad"), name("good")]);
    let changes = futures::stream::once(async { listed }).chain(futures::stream::pending());
    let stop = CancellationToken::new();
    let passes = tokio::spawn(reconcile_loop::run(context, Cache::holding(objects), changes, names, stop.clone()));

    let (path, write) = written.next().await.unwrap();
    assert!(path.ends_with("/namespaces/a/gluejobruns/bad/status"), "{path}");
    assert_eq!(write["status"]["conditions"][0]["reason"], "InternalError", "{write}");
    let text = metrics.render().unwrap();
    assert!(text.contains(r#"kube_glue_reconcile_errors_total{kind="GlueJobRun",class="panic"} 1"#), "{text}");
    // The others go on, then and later.
    PASSED.acquire().await.unwrap().forget();
    requeuer.requeue(name("good"));
    PASSED.acquire().await.unwrap().forget();
    stop.cancel();
    passes.await.unwrap();
}
