//! What keeps the custom resources and Glue in line.
//!
//! | room | what is in it |
//! |---|---|
//! | [`mod@kind`] | what every kind says about itself |
//! | [`life`] | what a life is: the part of the reconcile that kinds of one sort share |
//! | [`pass`] | one pass over one object: what it knows |
//! | [`shell`] | how a pass goes: gather, plan, write, act, plan again |
//! | [`step`] | what a decision comes to |
//! | [`mod@run`] | the life of what has an end: job runs and crawls |
//! | [`declared`] | the life of what is kept in line with its spec |
//! | [`job_run`], [`crawler_run`] | what only a job run, or a crawl, knows |
//! | [`mod@trigger`] | what only a trigger knows |
//! | [`mod@connection`] | what only a connection knows |
//! | [`arguments`] | a job run's arguments, those from Secrets included |
//! | [`links`] | pages of the AWS console |
//! | [`context`] | what all objects of a kind share |
//! | [`memory`] | what the process remembers of an object; all of it may be lost |
//! | [`mod@line`] | who waits for a place |
//! | [`turns`] | whose turn it is, where Glue takes one change at a time |
//! | [`claims`] | who holds a thing in Glue that several objects are about |
//! | [`problem`] | what stands in the way, in words |
//! | [`access`] | from an object to its AWS client, by way of its Secret |
//! | [`secrets`] | the versions of Secrets, without their data |
//! | [`writes`] | the finalizer and the status, each decided on one resource version |
//! | [`mod@conditions`] | conditions as Kubernetes keeps them |
//! | [`events`] | the story of an object, as Kubernetes Events |
//! | [`waker`] | who wakes an object |
//! | [`watches`] | which watches stand, for the probe |
//! | [`stream`] | from the API server's watch to the reconcile loop |
//! | [`leadership`] | whether this replica may start anything |
//! | [`settings`] | what the operator set |

pub mod access;
pub mod arguments;
pub mod claims;
pub mod conditions;
pub mod connection;
pub mod context;
pub mod crawler_run;
pub mod declared;
pub mod events;
pub mod job_run;
pub mod kind;
pub mod leadership;
pub mod life;
pub mod line;
pub mod links;
pub mod memory;
pub mod pass;
pub mod problem;
pub mod run;
pub mod secrets;
pub mod settings;
pub mod shell;
pub mod step;
pub mod stream;
pub mod times;
pub mod trigger;
pub mod turns;
pub mod waker;
#[cfg(test)]
mod walk;
pub mod watches;
pub mod writes;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use kube::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use leadership::{Leadership, LeadershipKeeper};
pub use settings::Settings;

use self::access::Access;
use self::context::{Context, Shared};
use self::events::Events;
use self::life::Living;
use self::secrets::{SecretKey, Secrets};
use self::waker::{Waker, Woken};
use self::watches::Watches;
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

/// What lets the watch of Secrets stand.
const WATCH_SECRETS: &str =
    "allow list and watch on secrets, as the chart does by rbac.create, or run with --watch-secrets=false";
/// What lets the watch of a kind stand.
const WATCH_KIND: &str = "allow list and watch on it, as the chart does by rbac.create";

/// Runs the controllers of all kinds until `stop`; returns when what was in flight is written. `watches` tells
/// which of their watches stand.
pub async fn run(
    client: Client,
    settings: Settings,
    metrics: Metrics,
    leadership: Leadership,
    watches: Watches,
    stop: CancellationToken,
) -> Result<(), Error> {
    let base = Base::load(settings.aws_timeout, settings.run_key_argument.clone(), metrics.clone()).await;
    let secrets = Secrets::new(settings.watch_secrets);
    let access = Access::new(client.clone(), Clients::new(base), secrets.clone(), settings.identity_rules.clone());
    let shared = Shared { access, events: Events::new(client.clone(), None), client, settings, metrics, leadership };
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
            shared.access.reread(changed).await;
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
fn wire<K: Living>(shared: &Shared, watches: &Watches, stop: &CancellationToken) -> Wired {
    let (waker, woken) = Waker::new(&shared.settings.namespaces);
    let shared = Shared { access: shared.access.of_kind(K::KIND), ..shared.clone() };
    let client = shared.client.clone();
    let context = Arc::new(Context::<K>::new(shared, waker));
    let start = |woken: Woken<K>| {
        let watch = watches.expect(K::KIND, woken.namespace.as_deref(), WATCH_KIND);
        stream::reconcile_loop(&client, Arc::clone(&context), woken, watch, stop.clone())
    };
    let loops: Vec<_> = woken.into_iter().map(start).collect();
    let loops = join_all(loops).map(drop).boxed();
    Wired { loops, secret_changed: Box::new(move |secret| context.secret_changed(secret)) }
}
