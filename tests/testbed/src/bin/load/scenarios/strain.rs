//! What a load does to the controller and to the API server, beside the times and rates.

use super::{Context, count};
use crate::{
    error::LoadError,
    row::{Row, Unit},
    world::{World, metrics},
};

/// What the load did to the controller, since [`Strain::begin`].
pub(super) struct Strain {
    exits: usize,
    rejections: f64,
    server_cpu: [f64; 2],
}

impl Strain {
    pub(super) async fn begin(world: &World) -> Result<Self, LoadError> {
        world.meter.reset(world.controller_pid());
        world.lease.reset();
        Ok(Self { exits: world.exits(), rejections: rejections(world).await?, server_cpu: world.server_cpu() })
    }

    /// The lease, the memory, what the API server refused, and the connections. `when` is put before each measure.
    pub(super) async fn rows(
        &self,
        context: &Context,
        world: &World,
        scenario: &'static str,
        when: &str,
    ) -> Result<Vec<Row>, LoadError> {
        let (losses, exits) = (world.lease.losses(), world.exits().saturating_sub(self.exits));
        let lost = format!(
            "{exits} exits, {losses} changes of the holder, {:.1} s between two renewals at most",
            world.lease.longest_pause().as_secs_f64()
        );
        let rejections = rejections(world).await? - self.rejections;
        let row = |measure: &str, value, unit| context.row(scenario, format!("{when}{measure}"), value, unit);
        Ok(vec![
            row("lease lost", count(losses.max(exits)), Unit::Count).at_most(0.0).note(lost),
            row("peak memory", world.meter.peak(), Unit::Mebibytes).at_most(100.0).at_full_size(),
            row("answers 429", rejections, Unit::Count),
            row("connections to the API server at a time", count(world.meter.connections()), Unit::Count),
        ])
    }

    /// CPU time for each of so many objects: of the controller, the API server and etcd.
    pub(super) fn cpu_rows(
        &self,
        context: &Context,
        world: &World,
        scenario: &'static str,
        objects: usize,
    ) -> Vec<Row> {
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
    Ok(metrics::sum(&text, "apiserver_request_total", |labels| labels.get("code") == "429"))
}

/// How many writes the API server has accepted.
pub(super) struct Writes {
    /// Of GlueJobRuns and their statuses.
    pub(super) objects: f64,
    /// Of events.
    pub(super) events: f64,
}

pub(super) async fn writes_of(world: &World) -> Result<Writes, LoadError> {
    let text = world.server_metrics().await?;
    let accepted = |group: &str, resource: &str| {
        metrics::sum(&text, "apiserver_request_total", |labels| {
            let is_write = ["POST", "PUT", "PATCH", "APPLY", "DELETE"].contains(&labels.get("verb"));
            is_write && labels.get("group") == group && labels.get("resource") == resource
        })
    };
    Ok(Writes { objects: accepted("kube-glue.dev", "gluejobruns"), events: accepted("events.k8s.io", "events") })
}
