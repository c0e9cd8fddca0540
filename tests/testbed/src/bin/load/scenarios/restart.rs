//! A start of the controller with objects that need nothing.

use std::time::Duration;

use crate::{
    error::LoadError,
    progress::say,
    world::{Started, World},
};

/// What such a start took.
pub(super) struct Restart {
    /// Until it was ready.
    pub(super) ready: Duration,
    /// Until it used no CPU time to speak of.
    pub(super) quiet: Duration,
    /// The CPU time until then, in seconds.
    pub(super) cpu: f64,
    /// The most memory until then, in MiB.
    pub(super) peak: f64,
    /// The memory then.
    pub(super) resident: f64,
}

impl Restart {
    /// Starts the controller, and waits until it is at rest.
    pub(super) async fn observe(world: &World) -> Result<Self, LoadError> {
        world.meter.reset(None);
        let Started { began, ready } = world.start_controller().await?;
        // One that waits, such as for the lease, uses no CPU time either.
        let quiet = (world.at_rest(began).await? - began).max(ready);
        let (cpu, peak) = (world.meter.cpu(), world.meter.peak());
        say(&format!("  ready after {ready:.1?}, at rest after {quiet:.1?}, {cpu:.1} s of CPU time, {peak:.0} MiB"));
        Ok(Self { ready, quiet, cpu, peak, resident: world.resident() })
    }
}
