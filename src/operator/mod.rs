//! The process around the controllers: command line, logs, probes, lease, shutdown.
//!
//! `run` starts logs, signal handlers, HTTP server, client, check for the custom resources, lease and controllers in
//! this order. At shutdown the controllers finish calls in flight, then the lease is released. The HTTP server ends
//! last, so that probes and metrics show the shutdown.

mod cli;
mod cluster;
mod connections;
mod error;
mod http;
mod lease;
mod logs;
mod readiness;
mod shutdown;

use std::io::{self, Write};
use std::time::Duration;

use kube::Client;
use tokio_util::sync::CancellationToken;

pub use self::cli::{Cli, Command, Options};
pub use self::error::Error;
use self::lease::Lease;
use self::readiness::{Part, Readiness};
use crate::api;
use crate::controllers::runtime::cache_sync::CacheSync;
use crate::controllers::{self, Leadership};
use crate::failpoints;
use crate::metrics::Metrics;

/// How long the writes to the API server that follow a call to AWS may take at shutdown.
const FINAL_WRITES_TIMEOUT: Duration = Duration::from_secs(5);

/// How long HTTP responses may take when everything else has ended.
const FINAL_RESPONSES_TIMEOUT: Duration = Duration::from_secs(1);

/// Executes the command.
pub async fn execute(command: Command) -> Result<(), Error> {
    match command {
        Command::Run(options) => run(options).await,
        Command::Crds => print_crds(&mut io::stdout().lock()),
    }
}

/// Runs the controller until SIGTERM, SIGINT or an error.
async fn run(options: Options) -> Result<(), Error> {
    logs::start(options.log_format, &options.log)?;
    let _failpoints = failpoints::begin();
    tracing::info!("kube-glue {}", env!("CARGO_PKG_VERSION"));
    let stop = shutdown::on_signal()?;

    let (metrics, readiness) = (Metrics::new(), Readiness::default());
    let end = CancellationToken::new();
    let http = http::serve(options.http_address, metrics.clone(), readiness.clone(), stop.clone(), end.clone()).await?;
    let http = tokio::spawn(http);

    let outcome = serve_cluster(&options, &metrics, &readiness, &stop).await;

    end.cancel();
    // A connection that is still open then is idle.
    drop(tokio::time::timeout(FINAL_RESPONSES_TIMEOUT, http).await);
    if outcome.is_ok() {
        tracing::info!("shut down");
    }
    outcome
}

/// Connects to the cluster, and runs the controllers while this replica holds the lease.
async fn serve_cluster(
    options: &Options,
    metrics: &Metrics,
    readiness: &Readiness,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let cluster::Clients { objects: client, lease } = cluster::clients().await?;
    let settings = options.settings();
    let crds: Vec<_> = api::crds().into_iter().filter(|crd| settings.has_kind(&crd.spec.names.kind)).collect();
    tokio::select! {
        () = cluster::wait_for_crds(&client, &crds, readiness) => {}
        () = stop.cancelled() => return Ok(()),
    }

    if !options.leader_election {
        readiness.set_ready(Part::Lease, "not used (--leader-election=false)");
        metrics.leader(true);
        return run_controllers(options, &client, metrics, readiness, Leadership::always(), stop).await;
    }

    let (lease, leadership) = Lease::new(
        lease,
        lease::Config {
            name: options.lease_name.clone(),
            namespace: options.lease_namespace(client.default_namespace()),
            identity: options.identity(),
            duration: options.lease_duration,
        },
        metrics.clone(),
        readiness.clone(),
    );
    let lease_name = lease.to_string();
    // The lease is renewed until the controllers have finished.
    let release = CancellationToken::new();
    let renewing = tokio::spawn(lease.run(release.clone()));

    let outcome = tokio::select! {
        () = leadership.acquired() => lead(options, &client, metrics, readiness, &leadership, stop, lease_name).await,
        () = stop.cancelled() => Ok(()),
    };

    release.cancel();
    // A lease that could not be released expires.
    drop(renewing.await);
    outcome
}

/// Runs the controllers until `stop` or the loss of the lease.
async fn lead(
    options: &Options,
    client: &Client,
    metrics: &Metrics,
    readiness: &Readiness,
    leadership: &Leadership,
    stop: &CancellationToken,
    lease: String,
) -> Result<(), Error> {
    let work = stop.child_token();
    let mut controlling =
        std::pin::pin!(run_controllers(options, client, metrics, readiness, leadership.clone(), &work));
    tokio::select! {
        outcome = &mut controlling => outcome,
        () = leadership.lost() => {
            tracing::error!("the lease {lease} was lost: finishing calls in flight, starting nothing");
            work.cancel();
            if let Err(error) = controlling.await {
                tracing::error!("{}", error.chain());
            }
            Err(Error::LeaseLost { lease })
        }
    }
}

/// Runs the controllers until `stop`, then waits for calls in flight for as long as a call may take.
async fn run_controllers(
    options: &Options,
    client: &Client,
    metrics: &Metrics,
    readiness: &Readiness,
    leadership: Leadership,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let settings = options.settings();
    let last_events = settings.open_lineage.as_ref().map_or(Duration::ZERO, |_| controllers::LAST_EVENTS);
    let grace = settings.aws_timeout + FINAL_WRITES_TIMEOUT + last_events;
    let watches = CacheSync::default();
    let reporting = report_watches(&watches, readiness);
    let controllers =
        controllers::run(client.clone(), settings, metrics.clone(), leadership, watches.clone(), stop.clone());
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        outcome = controllers => {
            outcome.map_err(Error::Controllers)?;
            if stop.is_cancelled() { Ok(()) } else { Err(Error::ControllersEnded) }
        }
        () = reporting => Err(Error::ControllersEnded),
        () = overdue => Err(Error::ShutdownTimeout(grace)),
    }
}

/// Reports to `readiness` whether all watches have listed their objects. Ends with the last watch.
async fn report_watches(watches: &CacheSync, readiness: &Readiness) {
    let mut changes = watches.changes();
    loop {
        changes.mark_unchanged();
        match watches.has_synced() {
            Ok(()) => readiness.set_ready(Part::CacheSync, "all listed"),
            Err(reason) => readiness.set_waiting(Part::CacheSync, reason),
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Writes the custom resource definitions as YAML documents.
fn print_crds(out: &mut impl Write) -> Result<(), Error> {
    for crd in api::crds() {
        let document = serde_saphyr::to_string(&crd).map_err(Error::Yaml)?;
        write!(out, "---\n{document}").map_err(Error::Print)?;
    }
    out.flush().map_err(Error::Print)
}
