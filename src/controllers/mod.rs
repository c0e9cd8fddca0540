//! The controllers: one per kind, on two lifecycles and one runtime.
//!
//! | module | what it is |
//! |---|---|
//! | [`job_run`] | the kind `GlueJobRun` |
//! | [`crawler_run`] | the kind `GlueCrawlerRun` |
//! | [`mod@trigger`] | the kind `GlueTrigger` |
//! | [`mod@connection`] | the kind `GlueConnection` |
//! | [`mod@run`] | the lifecycle of what comes to an end: job runs and crawls |
//! | [`declared`] | the lifecycle of what is kept in line with its spec: triggers and connections |
//! | [`runtime`] | what all of them share |

pub mod connection;
pub mod crawler_run;
pub mod declared;
pub mod job_run;
pub mod run;
pub mod runtime;
pub mod trigger;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use kube::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use runtime::{Leadership, LeadershipKeeper, Settings};

use self::runtime::cache_sync::CacheSync;
use self::runtime::context::{Context, Shared};
use self::runtime::credentials::resolver::ClientResolver;
use self::runtime::credentials::secrets::{SecretKey, Secrets};
use self::runtime::events::Events;
use self::runtime::kind::Kind;
use self::runtime::requeue::{RequeueStream, Requeuer};
use self::runtime::{WATCH_KIND, watch as object_watch};
use crate::api::{GlueConnection, GlueCrawlerRun, GlueJobRun, GlueTrigger};
use crate::glue::Clients;
use crate::glue::aws::Base;
use crate::metrics::Metrics;

/// Why the controllers could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A task of the controllers ended by itself, which none does.
    #[error("the watch of Secrets ended by itself")]
    SecretsEnded,
}

/// Runs the controllers of all kinds until `stop`; returns when what was in flight is written. `watches` tells
/// which of their watches stand.
pub async fn run(
    client: Client,
    settings: Settings,
    metrics: Metrics,
    leadership: Leadership,
    watches: CacheSync,
    stop: CancellationToken,
) -> Result<(), Error> {
    let base = Base::load(settings.aws_timeout, settings.run_key_argument.clone(), metrics.clone()).await;
    let secrets = Secrets::new(settings.watch_secrets);
    let resolver =
        ClientResolver::new(client.clone(), Clients::new(base), secrets.clone(), settings.identity_rules.clone());
    let shared = Shared { resolver, events: Events::new(client.clone(), None), client, settings, metrics, leadership };
    let kinds = [
        wire::<GlueJobRun>(&shared, &watches, &stop),
        wire::<GlueCrawlerRun>(&shared, &watches, &stop),
        wire::<GlueTrigger>(&shared, &watches, &stop),
        wire::<GlueConnection>(&shared, &watches, &stop),
    ];
    let (loops, woken): (Vec<_>, Vec<_>) = kinds.into_iter().map(|kind| (kind.loops, kind.secret_changed)).unzip();
    let woken = Arc::new(woken);

    let changed = move |secret: &SecretKey| woken.iter().for_each(|wake| wake(secret));
    let (listed, mut is_listed) = watch::channel(false);
    let watch = secrets.watch(&shared.client, &shared.settings.namespaces, &watches, changed.clone(), &listed);
    let watch = async {
        watch.await;
        if !secrets.are_watched() {
            shared.resolver.reread(changed).await;
        }
    };
    let controllers = async {
        // Without the first list every object would read its Secret before it can be told apart from a new one.
        let begins = tokio::select! {
            first = is_listed.wait_for(|listed| *listed) => first.is_ok(),
            () = stop.cancelled() => false,
        };
        if begins {
            // They end by themselves at `stop`, when what is in flight is written.
            join_all(loops).await;
        }
    };
    tokio::select! {
        () = controllers => Ok(()),
        () = watch => Err(Error::SecretsEnded),
    }
}

/// One kind, ready to run.
struct Wired {
    /// Its reconcile loops, until the end.
    loops: BoxFuture<'static, ()>,
    /// Wakes its objects that depend on a Secret.
    secret_changed: Box<dyn Fn(&SecretKey) + Send + Sync>,
}

/// Puts the controller of one kind together.
fn wire<K: Kind>(shared: &Shared, watches: &CacheSync, stop: &CancellationToken) -> Wired {
    let (requeuer, woken) = Requeuer::new(&shared.settings.namespaces);
    let shared = Shared { resolver: shared.resolver.of_kind(K::KIND), ..shared.clone() };
    let client = shared.client.clone();
    let context = Arc::new(Context::<K>::new(shared, requeuer));
    let start = |woken: RequeueStream<K>| {
        let watch = watches.expect(K::KIND, woken.namespace.as_deref(), WATCH_KIND);
        object_watch::reconcile_loop(&client, Arc::clone(&context), woken, watch, stop.clone())
    };
    let loops: Vec<_> = woken.into_iter().map(start).collect();
    let loops = join_all(loops).map(drop).boxed();
    Wired { loops, secret_changed: Box::new(move |secret| context.secret_changed(secret)) }
}
