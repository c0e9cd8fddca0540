//! The controllers: one per kind, on three lifecycles and one runtime.
//!
//! | module | what it is |
//! |---|---|
//! | [`job_run`] | the kind `GlueJobRun` |
//! | [`crawler_run`] | the kind `GlueCrawlerRun` |
//! | [`workflow_run`] | the kind `GlueWorkflowRun` |
//! | [`mod@trigger`] | the kind `GlueTrigger` |
//! | [`mod@connection`] | the kind `GlueConnection` |
//! | [`inventory`] | the kind `GlueInventory`, with the lifecycle of what is only read |
//! | [`mod@run`] | the lifecycle of what comes to an end: job runs, crawls and workflow runs |
//! | [`declared`] | the lifecycle of what is kept in line with its spec: triggers and connections |
//! | [`runtime`] | what all of them share |

pub mod connection;
pub mod crawler_run;
pub mod declared;
pub mod inventory;
pub mod job_run;
pub mod run;
pub mod runtime;
pub mod trigger;
pub mod workflow_run;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use kube::Client;
use tokio_util::sync::CancellationToken;

pub use runtime::{Leadership, LeadershipKeeper, OpenLineage, Settings};

use self::runtime::WATCH_KIND;
use self::runtime::cache_sync::CacheSync;
use self::runtime::context::{Context, Shared};
use self::runtime::credentials::resolver::ClientResolver;
use self::runtime::credentials::secrets::{SecretKey, Secrets};
use self::runtime::events::Events;
use self::runtime::failure_log::FailureLogs;
use self::runtime::kind::Kind;
use self::runtime::lineage::Lineage;
use self::runtime::requeue::{Requeuer, scopes};
use self::runtime::{reconcile_loop, watch};
use crate::api::{GlueConnection, GlueCrawlerRun, GlueInventory, GlueJobRun, GlueTrigger, GlueWorkflowRun};
use crate::glue::Clients;
use crate::glue::aws::{AwsConfig, CaBundleError};
use crate::metrics::Metrics;

/// How long events of lineage are sent after the last pass.
pub const LAST_EVENTS: Duration = Duration::from_secs(5);

/// Why the controllers ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The controller's own AWS configuration cannot be used.
    #[error(transparent)]
    Aws(#[from] CaBundleError),
    /// The watch of Secrets ended, which it never does by itself.
    #[error("the watch of Secrets ended by itself")]
    SecretsEnded,
}

/// Runs the controllers of all kinds until `stop`, and returns when the passes under way have ended. `sync` reports which
/// of their watches have listed.
pub async fn run(
    client: Client,
    settings: Settings,
    metrics: Metrics,
    leadership: Leadership,
    sync: CacheSync,
    stop: CancellationToken,
) -> Result<(), Error> {
    let base = AwsConfig::load(settings.aws_timeout, settings.run_key_argument.clone(), metrics.clone()).await?;
    let base = base.with_poll_calls_per_minute(settings.poll_calls_per_minute);
    let secrets = Secrets::new(settings.watch_secrets);
    let resolver =
        ClientResolver::new(client.clone(), Clients::new(base), secrets.clone(), settings.identity_rules.clone());
    let events = Events::new(client.clone(), metrics.clone());
    let failure_logs = FailureLogs::new(events.clone(), leadership.clone(), settings.failure_logs);
    let lineage = Lineage::new(settings.open_lineage.as_ref(), &metrics)?;
    let shared = Shared { client, resolver, leadership, settings, metrics, events, failure_logs, lineage };
    let controllers = [
        Controller::new::<GlueJobRun>(&shared, &sync, &stop),
        Controller::new::<GlueCrawlerRun>(&shared, &sync, &stop),
        Controller::new::<GlueWorkflowRun>(&shared, &sync, &stop),
        Controller::new::<GlueTrigger>(&shared, &sync, &stop),
        Controller::new::<GlueConnection>(&shared, &sync, &stop),
        Controller::new::<GlueInventory>(&shared, &sync, &stop),
    ];
    let controllers = controllers.into_iter().flatten();
    let (reconciling, observers): (Vec<_>, Vec<_>) =
        controllers.map(|controller| (controller.reconciling, controller.on_secret_changed)).unzip();
    let (observers, resolver) = (Arc::new(observers), shared.resolver.clone());
    let on_secret_changed = move |secret: &SecretKey| {
        resolver.on_secret_changed(secret);
        observers.iter().for_each(|observer| observer(secret));
    };

    let (listed, mut is_listed) = tokio::sync::watch::channel(false);
    let namespaces = &shared.settings.namespaces;
    let watch = secrets.watch(&shared.client, namespaces, &sync, on_secret_changed.clone(), &listed);
    let watch = async {
        watch.await;
        if !secrets.are_watched() {
            shared.resolver.reread(on_secret_changed).await;
        }
    };
    let controllers = async {
        // Before the first list of Secrets, every object would read its Secret anew.
        let begins = tokio::select! {
            first = is_listed.wait_for(|listed| *listed) => first.is_ok(),
            () = stop.cancelled() => false,
        };
        if begins {
            join_all(reconciling).await;
            shared.lineage.drain(LAST_EVENTS).await;
        }
    };
    tokio::select! {
        () = controllers => Ok(()),
        () = watch => Err(Error::SecretsEnded),
        never = shared.resolver.drop_unused() => match never {},
        never = shared.resolver.wake_as_clients_become_free() => match never {},
    }
}

/// The controller of one kind, ready to run.
struct Controller {
    /// Its watches and passes. It ends at `stop`, after the passes under way.
    reconciling: BoxFuture<'static, ()>,
    /// Requeues its objects that depend on a Secret.
    on_secret_changed: Box<dyn Fn(&SecretKey) + Send + Sync>,
}

impl Controller {
    /// `None` where the operator switched the kind off.
    fn new<K: Kind>(shared: &Shared, sync: &CacheSync, stop: &CancellationToken) -> Option<Self> {
        if !shared.settings.has_kind(K::KIND) {
            return None;
        }
        let (requeuer, objects) = Requeuer::new();
        let shared = Shared { resolver: shared.resolver.of_kind(K::KIND), ..shared.clone() };
        let client = shared.client.clone();
        let register = |namespace: Option<String>| {
            let handle = sync.register(K::KIND, namespace.as_deref(), WATCH_KIND);
            (namespace, handle)
        };
        let watches: Vec<_> = scopes(&shared.settings.namespaces).map(register).collect();
        let context = Arc::new(Context::<K>::new(shared, requeuer));
        let (cache, changes) = watch::watch(&client, &context, watches);
        let reconciling = reconcile_loop::run(Arc::clone(&context), cache, changes, objects, stop.clone()).boxed();
        Some(Self { reconciling, on_secret_changed: Box::new(move |secret| context.on_secret_changed(secret)) })
    }
}
