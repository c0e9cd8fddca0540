//! The metrics by name: help text, labels, buckets.

use std::fmt;
use std::hash::Hash;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Every metric except `build`.
pub(super) struct Families {
    pub(super) reconciles: Family<OutcomeLabels, Counter>,
    pub(super) reconcile_duration: Histograms<KindLabels>,
    pub(super) reconcile_errors: Family<ErrorLabels, Counter>,
    pub(super) object_writes: Family<WriteLabels, Counter>,
    pub(super) events_lost: Counter,
    pub(super) aws_calls: Family<AwsCallLabels, Counter>,
    pub(super) aws_call_duration: Histograms<OperationLabels>,
    pub(super) aws_throttles: Family<OperationLabels, Counter>,
    pub(super) starts: Family<OutcomeLabels, Counter>,
    pub(super) ends: Family<EndLabels, Counter>,
    pub(super) start_latency: Histograms<KindLabels>,
    pub(super) status_lag: Histograms<KindLabels>,
    pub(super) poll_pause: Histograms<KindLabels>,
    pub(super) queue_depth: Family<KindLabels, Gauge>,
    pub(super) queue_age: Family<KindLabels, Gauge<f64, AtomicU64>>,
    pub(super) objects: Family<KindLabels, Gauge>,
    pub(super) largest_namespace_objects: Family<KindLabels, Gauge>,
    pub(super) live_runs: Family<KindLabels, Gauge>,
    pub(super) workqueue_depth: Family<KindLabels, Gauge>,
    pub(super) active_passes: Family<KindLabels, Gauge>,
    pub(super) lineage_events: Family<LineageLabels, Counter>,
    pub(super) lineage_queue_depth: Gauge,
    pub(super) lineage_lag: Gauge<f64, AtomicU64>,
    pub(super) leader: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct KindLabels {
    pub(super) kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ErrorLabels {
    pub(super) kind: &'static str,
    pub(super) class: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct WriteLabels {
    pub(super) kind: &'static str,
    pub(super) part: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub(super) kind: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct EndLabels {
    pub(super) kind: &'static str,
    pub(super) phase: &'static str,
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OperationLabels {
    pub(super) operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct AwsCallLabels {
    pub(super) operation: &'static str,
    pub(super) code: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct LineageLabels {
    pub(super) outcome: &'static str,
}

impl Families {
    /// Registers every metric. The order is that of the text on `/metrics`.
    pub(super) fn register(registry: &mut Registry) -> Self {
        Self {
            reconciles: counters(registry, "reconciles", "Passes over one object, by outcome"),
            reconcile_duration: histograms(
                registry,
                "reconcile_duration",
                "Duration of a pass over one object",
                call_buckets,
            ),
            reconcile_errors: counters(registry, "reconcile_errors", "Failed passes over one object, by error class"),
            object_writes: counters(
                registry,
                "object_writes",
                "Writes to custom resources in the Kubernetes API, by part of the object",
            ),
            events_lost: {
                let counter = Counter::default();
                let help =
                    "Kubernetes Events that were not filed because too many waited, or too many were about one object";
                registry.register("events_lost", help, counter.clone());
                counter
            },
            aws_calls: counters(registry, "aws_calls", "Calls to AWS, by operation and error code (OK: no error)"),
            aws_call_duration: histograms(registry, "aws_call_duration", "Duration of a call to AWS", call_buckets),
            aws_throttles: counters(registry, "aws_throttles", "Calls that AWS throttled, by operation"),
            starts: counters(registry, "starts", "Runs that were started or adopted, by outcome"),
            ends: counters(registry, "ends", "Runs that ended, by the final phase of the object and its reason"),
            start_latency: histograms(
                registry,
                "start_latency",
                "Time from the creation of an object to the call that started its run",
                wait_buckets,
            ),
            status_lag: histograms(
                registry,
                "status_lag",
                "Time from a change in Glue to the status that shows it",
                wait_buckets,
            ),
            poll_pause: histograms(
                registry,
                "poll_pause",
                "Time between two polls of the same runs, crawlers, triggers or connections",
                wait_buckets,
            ),
            queue_depth: gauges(registry, "queue_depth", "Objects that wait for a free run of their job or crawler"),
            queue_age: {
                let family = Family::<KindLabels, Gauge<f64, AtomicU64>>::default();
                let help = "Longest time that an object has been waiting for a free run of its job or crawler";
                registry.register_with_unit("queue_age", help, Unit::Seconds, family.clone());
                family
            },
            objects: gauges(registry, "objects", "Objects that exist, finished ones included"),
            largest_namespace_objects: gauges(
                registry,
                "largest_namespace_objects",
                "Objects of the namespace that has the most of them",
            ),
            live_runs: gauges(registry, "live_runs", "Objects whose run has not ended"),
            workqueue_depth: gauges(registry, "workqueue_depth", "Objects that wait for a pass"),
            active_passes: gauges(registry, "active_passes", "Passes under way"),
            lineage_events: counters(
                registry,
                "lineage_events",
                "OpenLineage events by what became of them: sent, refused by the receiver, or dropped and why",
            ),
            lineage_queue_depth: {
                let gauge = Gauge::default();
                registry.register(
                    "lineage_queue_depth",
                    "OpenLineage events that wait for the receiver",
                    gauge.clone(),
                );
                gauge
            },
            lineage_lag: {
                let gauge = Gauge::<f64, AtomicU64>::default();
                let help = "For how long the oldest OpenLineage event has been waiting for the receiver";
                registry.register_with_unit("lineage_lag", help, Unit::Seconds, gauge.clone());
                gauge
            },
            leader: {
                let gauge = Gauge::default();
                registry.register("leader", "Whether this replica holds the lease (1) or not (0)", gauge.clone());
                gauge
            },
        }
    }
}

/// The bounds of a label set in a registry.
trait Labels: Clone + fmt::Debug + Hash + Eq + EncodeLabelSet + Send + Sync + 'static {}
impl<T: Clone + fmt::Debug + Hash + Eq + EncodeLabelSet + Send + Sync + 'static> Labels for T {}

fn counters<L: Labels>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Counter> {
    let family = Family::<L, Counter>::default();
    registry.register(name, help, family.clone());
    family
}

fn gauges<L: Labels>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Gauge> {
    let family = Family::<L, Gauge>::default();
    registry.register(name, help, family.clone());
    family
}

/// Histograms in seconds.
fn histograms<L: Labels>(registry: &mut Registry, name: &str, help: &str, new: fn() -> Histogram) -> Histograms<L> {
    let family = Histograms::<L>::new_with_constructor(new);
    registry.register_with_unit(name, help, Unit::Seconds, family.clone());
    family
}

/// 1 ms to 32 s, for calls and passes.
fn call_buckets() -> Histogram {
    Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
}

/// 5 ms to 1 h, for times that include waiting for a quota, for capacity in Glue or for a user.
fn wait_buckets() -> Histogram {
    Histogram::new([
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 300.0,
        900.0, 3600.0,
    ])
}
