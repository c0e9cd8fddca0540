//! Prometheus metrics of the controller.
//!
//! Every label is bounded, and names are labels only in the metrics about single inventories, which are bounded in
//! `inventories`. Beside it: kinds, operations, outcomes and error classes are `&'static str` and so come from the code.
//! AWS error codes come from answers of AWS and are bounded in number (`codes`). Namespaces and names of objects are never
//! labels of other metrics.

mod codes;
mod families;
mod inventories;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use self::codes::ErrorCodes;
use self::families::{
    AwsCallLabels, EndLabels, ErrorLabels, Families, KindLabels, LineageLabels, OperationLabels, OutcomeLabels,
    WriteLabels,
};
use self::inventories::Inventories;

/// The media type of [`Metrics::render`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The bad ends that Glue itself reports, as phase and reason.
const BAD_ENDS: [(&str, &str); 4] =
    [("Failed", "Failed"), ("TimedOut", "TimedOut"), ("Error", "GlueError"), ("Expired", "Expired")];

/// A handle on one Prometheus registry. Clones share the registry.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    families: Families,
    codes: ErrorCodes,
    inventories: Inventories,
}

impl Metrics {
    /// A new registry, in which every metric is zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("kube_glue");
        let families = Families::register(&mut registry);
        let inventories = Inventories::register(&mut registry);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of the running controller", build);
        Self { inner: Arc::new(Inner { registry, families, codes: ErrorCodes::default(), inventories }) }
    }

    /// A pass over one object of `kind` ended after `elapsed`; `outcome` is "changed", "unchanged" or "error".
    pub(crate) fn reconciled(&self, kind: &'static str, outcome: &'static str, elapsed: Duration) {
        let families = &self.inner.families;
        families.reconciles.get_or_create(&OutcomeLabels { kind, outcome }).inc();
        families.reconcile_duration.get_or_create(&KindLabels { kind }).observe(elapsed.as_secs_f64());
    }

    /// A pass over one object of `kind` failed; `class` is the class of the error, such as "throttled" or "denied".
    pub(crate) fn reconcile_failed(&self, kind: &'static str, class: &'static str) {
        self.inner.families.reconcile_errors.get_or_create(&ErrorLabels { kind, class }).inc();
    }

    /// An object of `kind` was written; `part` is "status" or "metadata".
    pub(crate) fn object_written(&self, kind: &'static str, part: &'static str) {
        self.inner.families.object_writes.get_or_create(&WriteLabels { kind, part }).inc();
    }

    /// So many Kubernetes Events are not filed.
    pub(crate) fn events_lost(&self, count: usize) {
        self.inner.families.events_lost.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// A call to AWS ended after `elapsed`. `code` is the AWS error code, or what prevented an answer, such as
    /// "Timeout"; `None` for success.
    pub(crate) fn aws_call(&self, operation: &'static str, code: Option<&str>, elapsed: Duration) {
        let families = &self.inner.families;
        let code = code.map_or_else(|| "OK".to_owned(), |code| self.inner.codes.label(code));
        families.aws_calls.get_or_create(&AwsCallLabels { operation, code }).inc();
        families.aws_call_duration.get_or_create(&OperationLabels { operation }).observe(elapsed.as_secs_f64());
    }

    /// AWS throttled a call of `operation`.
    pub(crate) fn aws_throttled(&self, operation: &'static str) {
        self.inner.families.aws_throttles.get_or_create(&OperationLabels { operation }).inc();
    }

    /// A run was started for an object of `kind`, `latency` after the creation of the object.
    pub(crate) fn run_started(&self, kind: &'static str, latency: Duration) {
        let families = &self.inner.families;
        families.starts.get_or_create(&OutcomeLabels { kind, outcome: "started" }).inc();
        families.start_latency.get_or_create(&KindLabels { kind }).observe(latency.as_secs_f64());
        self.expect_ends(kind);
    }

    /// An object of `kind` adopted an existing run.
    pub(crate) fn run_adopted(&self, kind: &'static str) {
        self.inner.families.starts.get_or_create(&OutcomeLabels { kind, outcome: "adopted" }).inc();
        self.expect_ends(kind);
    }

    /// The usual bad ends are counted from zero, since Prometheus sees no increase in a series that begins with one.
    fn expect_ends(&self, kind: &'static str) {
        for (phase, reason) in BAD_ENDS {
            drop(self.inner.families.ends.get_or_create(&EndLabels { kind, phase, reason }));
        }
    }

    /// An object of `kind` has reached the final phase `phase` for `reason`.
    pub(crate) fn run_ended(&self, kind: &'static str, phase: &'static str, reason: &'static str) {
        self.inner.families.ends.get_or_create(&EndLabels { kind, phase, reason }).inc();
    }

    /// A change in Glue was written to the status of an object of `kind` after `lag`.
    pub(crate) fn status_caught_up(&self, kind: &'static str, lag: Duration) {
        self.inner.families.status_lag.get_or_create(&KindLabels { kind }).observe(lag.as_secs_f64());
    }

    /// What objects of `kind` wait for was polled again after `pause`.
    pub(crate) fn poll_paused(&self, kind: &'static str, pause: Duration) {
        self.inner.families.poll_pause.get_or_create(&KindLabels { kind }).observe(pause.as_secs_f64());
    }

    /// `depth` objects of `kind` wait for a free run of their job or crawler, the oldest of them for `age`.
    pub(crate) fn queue(&self, kind: &'static str, depth: usize, age: Duration) {
        let families = &self.inner.families;
        families.queue_depth.get_or_create(&KindLabels { kind }).set(saturating(depth));
        families.queue_age.get_or_create(&KindLabels { kind }).set(age.as_secs_f64());
    }

    /// `count` objects of `kind` exist, `most` of them in the namespace that has the most.
    pub(crate) fn objects(&self, kind: &'static str, count: usize, most: usize) {
        let families = &self.inner.families;
        families.objects.get_or_create(&KindLabels { kind }).set(saturating(count));
        families.largest_namespace_objects.get_or_create(&KindLabels { kind }).set(saturating(most));
    }

    /// `count` objects of `kind` have a run that has not ended.
    pub(crate) fn live_runs(&self, kind: &'static str, count: usize) {
        self.inner.families.live_runs.get_or_create(&KindLabels { kind }).set(saturating(count));
    }

    /// `depth` objects of `kind` wait for a pass, and `active` passes are under way.
    pub(crate) fn workqueue(&self, kind: &'static str, depth: usize, active: usize) {
        let families = &self.inner.families;
        families.workqueue_depth.get_or_create(&KindLabels { kind }).set(saturating(depth));
        families.active_passes.get_or_create(&KindLabels { kind }).set(saturating(active));
    }

    /// The items that an inventory lists, each as type, name and state. They replace those that it listed before.
    pub(crate) fn inventory<'a>(
        &self,
        namespace: &str,
        name: &str,
        items: impl Iterator<Item = (&'static str, &'a str, &'a str)>,
    ) {
        self.inner.inventories.replace(namespace, name, items);
    }

    /// The inventory does not exist any more.
    pub(crate) fn forget_inventory(&self, namespace: &str, name: &str) {
        self.inner.inventories.replace(namespace, name, std::iter::empty());
    }

    /// The oldest event of lineage that waits for the receiver of an inventory has been waiting for `lag`.
    pub(crate) fn inventory_lineage(&self, namespace: &str, name: &str, lag: Duration) {
        self.inner.inventories.set_lineage_lag(namespace, name, lag);
    }

    /// The inventory has no receiver of its own any more.
    pub(crate) fn forget_inventory_lineage(&self, namespace: &str, name: &str) {
        self.inner.inventories.forget_lineage(namespace, name);
    }

    /// So many events of lineage were "sent", "refused" by the receiver, or dropped, by why.
    pub(crate) fn lineage_events(&self, outcome: &'static str, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.inner.families.lineage_events.get_or_create(&LineageLabels { outcome }).inc_by(count);
    }

    /// `depth` events of lineage wait for the receiver, the oldest of them for `lag`.
    pub(crate) fn lineage_queue(&self, depth: usize, lag: Duration) {
        self.inner.families.lineage_queue_depth.set(saturating(depth));
        self.inner.families.lineage_lag.set(lag.as_secs_f64());
    }

    /// Whether this replica holds the lease.
    pub(crate) fn leader(&self, holds: bool) {
        self.inner.families.leader.set(i64::from(holds));
    }

    /// All metrics in the OpenMetrics text format.
    pub(crate) fn render(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.inner.registry)?;
        Ok(out)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

fn saturating(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
