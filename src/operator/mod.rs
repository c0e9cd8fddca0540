//! The process around the controllers: command line, logs, probes, lease, shutdown.
//!
//! [`run`] goes through it in order: logs, signals, HTTP server, client, custom resources, lease,
//! controllers; and back: the controllers finish what is in flight, the lease is released, the HTTP
//! server ends last, so that what happens at the end can still be seen.

pub mod cli;
mod cluster;
mod error;
mod http;
mod lease;
mod logs;
mod readiness;
mod shutdown;

use std::{
    io::{self, Write},
    time::Duration,
};

use kube::Client;
use tokio_util::sync::CancellationToken;

pub use self::{
    cli::{Cli, Command, Options},
    error::Error,
};
use self::{
    lease::Lease,
    readiness::{Part, Readiness},
};
use crate::{
    api, controllers,
    controllers::{Leadership, runtime::cache_sync::CacheSync},
    metrics::Metrics,
};

/// How long, beyond one call to AWS, what is in flight may take to finish: the writes to the API
/// server that follow it.
const FINISH_WRITES_WITHIN: Duration = Duration::from_secs(5);

/// How long HTTP answers may still take when everything else has ended.
const ANSWER_LAST_WITHIN: Duration = Duration::from_secs(1);

/// Carries out what the command line asks for.
pub async fn execute(command: Command) -> Result<(), Error> {
    match command {
        Command::Run(options) => run(options).await,
        Command::Crds => print_crds(&mut io::stdout().lock()),
    }
}

/// Runs the controller until SIGTERM or SIGINT, or until it cannot go on.
pub async fn run(options: Options) -> Result<(), Error> {
    logs::start(options.log_format, &options.log)?;
    tracing::info!("kube-glue {}", env!("CARGO_PKG_VERSION"));
    let stop = shutdown::on_signal()?;

    let (metrics, readiness) = (Metrics::new(), Readiness::default());
    let end = CancellationToken::new();
    let http = http::serve(options.http_address, metrics.clone(), readiness.clone(), stop.clone(), end.clone()).await?;
    let http = tokio::spawn(http);

    let outcome = serve_cluster(&options, &metrics, &readiness, &stop).await;

    end.cancel();
    // Whoever is still connected then has asked for nothing, and nothing is kept from them.
    drop(tokio::time::timeout(ANSWER_LAST_WITHIN, http).await);
    if outcome.is_ok() {
        tracing::info!("ended in good order");
    }
    outcome
}

/// From the client to the release of the lease.
async fn serve_cluster(
    options: &Options,
    metrics: &Metrics,
    readiness: &Readiness,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let client = cluster::client().await?;
    let crds = api::crds();
    tokio::select! {
        () = cluster::custom_resources(&client, &crds, readiness) => {}
        () = stop.cancelled() => return Ok(()),
    }

    if !options.leader_election {
        readiness.is_there(Part::Lease, "not used (--leader-election=false)");
        metrics.leader(true);
        return control(options, &client, metrics, readiness, Leadership::always(), stop).await;
    }

    let (lease, leadership) = Lease::new(
        client.clone(),
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
    // The lease outlives the controllers: it is renewed while they finish.
    let release = CancellationToken::new();
    let renewing = tokio::spawn(lease.run(release.clone()));

    let outcome = tokio::select! {
        () = leadership.acquired() => lead(options, &client, metrics, readiness, &leadership, stop, lease_name).await,
        () = stop.cancelled() => Ok(()),
    };

    release.cancel();
    // A lease that could not be released runs out by itself.
    drop(renewing.await);
    outcome
}

/// Runs the controllers for as long as the lease is held.
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
    let mut controlling = std::pin::pin!(control(options, client, metrics, readiness, leadership.clone(), &work));
    tokio::select! {
        outcome = &mut controlling => outcome,
        () = leadership.lost() => {
            tracing::error!("the lease {lease} was lost: finishing what is in flight, starting nothing");
            work.cancel();
            if let Err(error) = controlling.await {
                tracing::error!("{}", error.chain());
            }
            Err(Error::LeaseLost { lease })
        }
    }
}

/// Runs the controllers until `stop`, then lets them finish for as long as a call may take.
async fn control(
    options: &Options,
    client: &Client,
    metrics: &Metrics,
    readiness: &Readiness,
    leadership: Leadership,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let settings = options.settings();
    let grace = settings.aws_timeout + FINISH_WRITES_WITHIN;
    let watches = CacheSync::default();
    let telling = tell_of(&watches, readiness);
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
        () = telling => Err(Error::ControllersEnded),
        () = overdue => Err(Error::ShutdownTimeout(grace)),
    }
}

/// Says for readiness which watches stand, for as long as there are any.
async fn tell_of(watches: &CacheSync, readiness: &Readiness) {
    let mut changes = watches.changes();
    loop {
        changes.mark_unchanged();
        match watches.has_synced() {
            Ok(()) => readiness.is_there(Part::CacheSync, "all listed"),
            Err(waits) => readiness.waits_for(Part::CacheSync, waits),
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Writes our custom resource definitions as YAML documents.
fn print_crds(out: &mut impl Write) -> Result<(), Error> {
    for crd in api::crds() {
        let document = serde_saphyr::to_string(&crd).map_err(Error::Yaml)?;
        write!(out, "---\n{document}").map_err(Error::Print)?;
    }
    out.flush().map_err(Error::Print)
}
