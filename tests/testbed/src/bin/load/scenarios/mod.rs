//! The scenarios: what is done to the controller, and which figures come of it.

mod backlog;
mod burst;
mod latency;
mod lives;
mod writes;

use std::{pin::Pin, time::Duration};

use kube_glue_testbed::Options;

use crate::{
    baseline::{self, Baseline},
    error::LoadError,
    row::{Row, Unit},
    sample::Sample,
    settings::Settings,
    world::{World, metrics},
};

/// What all scenarios share.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) sample: Sample,
}

type Measured<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, LoadError>> + 'a>>;

/// A scenario, which has a cluster of its own.
pub(crate) struct Scenario {
    /// Its name on the command line and in the table.
    pub(crate) name: &'static str,
    /// What is done.
    pub(crate) about: &'static str,
    /// Does it.
    pub(crate) measure: for<'a> fn(&'a Context) -> Measured<'a>,
}

/// All scenarios, in the order in which they are measured.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: latency::NAME,
        about: "from creation to StartJobRun, one run at a time",
        measure: |context| Box::pin(latency::measure(context)),
    },
    Scenario {
        name: burst::NAME,
        about: "5,000 runs created while the controller runs, then ended at once",
        measure: |context| Box::pin(burst::measure(context)),
    },
    Scenario {
        name: lives::NAME,
        about: "5,000 runs from creation to end, each ends as soon as it is started",
        measure: |context| Box::pin(lives::measure(context)),
    },
    Scenario {
        name: backlog::NAME,
        about: "5,000 objects that exist when the controller starts",
        measure: |context| Box::pin(backlog::measure(context)),
    },
    Scenario {
        name: backlog::SLOW,
        about: "the same with an API server that serves few requests at a time",
        measure: |context| Box::pin(backlog::measure_slow(context)),
    },
    Scenario {
        name: writes::NAME,
        about: "the writes to one object in its life",
        measure: |context| Box::pin(writes::measure(context)),
    },
];

impl Context {
    /// A cluster without an audit log, which would cost the API server CPU time.
    async fn world(&self, api_server_flags: &[&str]) -> Result<World, LoadError> {
        let flags = api_server_flags.iter().map(|flag| (*flag).to_owned()).collect();
        World::start(&self.settings, Options { audit: false, api_server_flags: flags, ..Options::default() }).await
    }

    async fn baseline(&self, world: &World) -> Result<Baseline, LoadError> {
        baseline::measure(world, &self.settings, &self.sample).await
    }

    /// A figure of a scenario.
    fn row(&self, scenario: &'static str, measure: impl Into<String>, value: f64, unit: Unit) -> Row {
        Row::new(scenario, self.settings.is_full_size(), measure.into(), value, unit)
    }
}

/// What the load did to the controller, since [`Strain::begin`].
struct Strain {
    losses: usize,
    exits: usize,
    rejections: f64,
    server_cpu: [f64; 2],
}

impl Strain {
    async fn begin(world: &World) -> Result<Self, LoadError> {
        world.meter.reset(world.controller_pid());
        Ok(Self {
            losses: world.lease.losses(),
            exits: world.exits(),
            rejections: rejections(world).await?,
            server_cpu: world.server_cpu(),
        })
    }

    /// The lease, the memory, what the API server refused, and the connections.
    async fn rows(
        &self,
        context: &Context,
        world: &World,
        scenario: &'static str,
        when: &str,
    ) -> Result<Vec<Row>, LoadError> {
        let (losses, exits) = (world.lease.losses() - self.losses, world.exits() - self.exits);
        let lost = format!(
            "{exits} exits, {losses} changes of the holder, {:.1} s between two renewals at most",
            world.lease.longest_pause().as_secs_f64()
        );
        let rejections = rejections(world).await? - self.rejections;
        let row = |measure: &str, value, unit| context.row(scenario, format!("{when}: {measure}"), value, unit);
        Ok(vec![
            row("lease lost", count(losses.max(exits)), Unit::Count).at_most(0.0).note(lost),
            row("peak memory", world.meter.peak(), Unit::Mebibytes).at_most(100.0).at_full_size(),
            row("answers 429", rejections, Unit::Count),
            row("connections to the API server at a time", count(world.meter.connections()), Unit::Count),
        ])
    }

    /// CPU time for each of so many objects: of the controller, the API server and etcd.
    fn cpu_rows(&self, context: &Context, world: &World, scenario: &'static str, objects: usize) -> Vec<Row> {
        let [server, etcd] = world.server_cpu();
        let used = [
            ("the controller", world.meter.cpu()),
            ("the API server", server - self.server_cpu[0]),
            ("etcd", etcd - self.server_cpu[1]),
        ];
        let row = |(what, seconds): (&str, f64)| {
            let each = seconds * 1000.0 / count(objects.max(1));
            context.row(scenario, format!("CPU time of {what} for a run's life"), each, Unit::Milliseconds)
        };
        used.map(row).into()
    }
}

/// How many requests the API server has refused because of too many.
async fn rejections(world: &World) -> Result<f64, LoadError> {
    let text = world.server_metrics().await?;
    Ok(metrics::sum(&text, "apiserver_request_total", |labels| labels.get("code") == "429")
        + metrics::sum(&text, "apiserver_flowcontrol_rejected_requests_total", |_| true))
}

/// A number of things as a figure.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
fn count(things: usize) -> f64 {
    things as f64
}

/// Lets a freshly started controller come to rest.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}
