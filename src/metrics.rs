//! What the program counts: the room every other room may report to.
//!
//! [`Metrics`] is a cheap handle over one Prometheus registry. Code says what happened
//! (`metrics.aws_call("StartJobRun", code, elapsed)`), this room decides how it is counted, and
//! `/metrics` renders the whole as text.
//!
//! Every label is bounded: kinds, operations, outcomes and classes are `&'static str` and so come
//! from the code; AWS error codes come from the wire and are bounded by [`MAX_CODES`]. Namespaces
//! and names are never labels.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The most AWS error codes counted apart; further ones are counted as `Other`.
pub const MAX_CODES: usize = 64;

/// The longest AWS error code counted under its own name, in bytes.
const MAX_CODE_LENGTH: usize = 64;

/// Counts what the program does. Clones share the same registry.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    reconciles: Family<Reconcile, Counter>,
    reconcile_duration: Family<Kind, Histogram, fn() -> Histogram>,
    reconcile_errors: Family<KindClass, Counter>,
    object_writes: Family<KindPart, Counter>,
    aws_calls: Family<AwsCall, Counter>,
    aws_call_duration: Family<Operation, Histogram, fn() -> Histogram>,
    aws_throttles: Family<Operation, Counter>,
    starts: Family<Reconcile, Counter>,
    start_latency: Family<Kind, Histogram, fn() -> Histogram>,
    status_lag: Family<Kind, Histogram, fn() -> Histogram>,
    queue_depth: Family<Kind, Gauge>,
    queue_age: Family<Kind, Gauge<f64, AtomicU64>>,
    live_runs: Family<Kind, Gauge>,
    leader: Gauge,
    codes: Mutex<BTreeSet<String>>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindClass {
    kind: &'static str,
    class: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindPart {
    kind: &'static str,
    part: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reconcile {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AwsCall {
    operation: &'static str,
    code: String,
}

impl Metrics {
    /// A registry of its own with everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("kube_glue");
        let inner = Inner {
            reconciles: counter(&mut registry, "reconciles", "Passes over one object, by how they ended"),
            reconcile_duration: seconds(
                &mut registry,
                "reconcile_duration",
                "How long one pass over one object took",
                of_a_call,
            ),
            reconcile_errors: counter(
                &mut registry,
                "reconcile_errors",
                "Passes over one object that ended in an error, by its class",
            ),
            object_writes: counter(
                &mut registry,
                "object_writes",
                "Writes to custom resources in the Kubernetes API, by the part written",
            ),
            aws_calls: counter(
                &mut registry,
                "aws_calls",
                "Calls to AWS, by operation and by the error code they were answered with (OK: none)",
            ),
            aws_call_duration: seconds(&mut registry, "aws_call_duration", "How long calls to AWS took", of_a_call),
            aws_throttles: counter(&mut registry, "aws_throttles", "Calls to AWS that were throttled"),
            starts: counter(&mut registry, "starts", "Runs that came to life, by whether they were started or adopted"),
            start_latency: seconds(
                &mut registry,
                "start_latency",
                "Time from an object's creation to the call that started its run",
                of_a_wait,
            ),
            status_lag: seconds(
                &mut registry,
                "status_lag",
                "Time from a change in Glue to the status that shows it",
                of_a_wait,
            ),
            queue_depth: gauge(&mut registry, "queue_depth", "Objects waiting for a pass"),
            queue_age: {
                let family = Family::<Kind, Gauge<f64, AtomicU64>>::default();
                registry.register_with_unit(
                    "queue_age",
                    "How long the object that waits longest for a pass has been waiting",
                    Unit::Seconds,
                    family.clone(),
                );
                family
            },
            live_runs: gauge(&mut registry, "live_runs", "Objects whose run has not ended"),
            leader: {
                let gauge = Gauge::default();
                registry.register("leader", "Whether this replica holds the lease (1) or not (0)", gauge.clone());
                gauge
            },
            codes: Mutex::default(),
            registry: {
                registry.register(
                    "build",
                    "The build that is running",
                    Info::new([("version", env!("CARGO_PKG_VERSION"))]),
                );
                registry
            },
        };
        Self { inner: Arc::new(inner) }
    }

    /// One pass over one object of `kind` ended as `outcome` ("changed", "unchanged", "error").
    pub fn reconciled(&self, kind: &'static str, outcome: &'static str, elapsed: Duration) {
        self.inner.reconciles.get_or_create(&Reconcile { kind, outcome }).inc();
        self.inner.reconcile_duration.get_or_create(&Kind { kind }).observe(elapsed.as_secs_f64());
    }

    /// One pass over one object of `kind` ended in an error of `class` ("throttled", "denied").
    pub fn reconcile_failed(&self, kind: &'static str, class: &'static str) {
        self.inner.reconcile_errors.get_or_create(&KindClass { kind, class }).inc();
    }

    /// An object of `kind` was written; `part` is "status" or "metadata".
    pub fn object_written(&self, kind: &'static str, part: &'static str) {
        self.inner.object_writes.get_or_create(&KindPart { kind, part }).inc();
    }

    /// A call to AWS was answered after `elapsed`: `code` is the AWS error code, a word for what
    /// kept it from being answered ("Timeout"), or none for success.
    pub fn aws_call(&self, operation: &'static str, code: Option<&str>, elapsed: Duration) {
        let code = code.map_or_else(|| "OK".to_owned(), |code| self.bounded_code(code));
        self.inner.aws_calls.get_or_create(&AwsCall { operation, code }).inc();
        self.inner.aws_call_duration.get_or_create(&Operation { operation }).observe(elapsed.as_secs_f64());
    }

    /// AWS throttled a call of `operation`.
    pub fn aws_throttled(&self, operation: &'static str) {
        self.inner.aws_throttles.get_or_create(&Operation { operation }).inc();
    }

    /// A run was started for an object of `kind`, `latency` after the object was created.
    pub fn run_started(&self, kind: &'static str, latency: Duration) {
        self.inner.starts.get_or_create(&Reconcile { kind, outcome: "started" }).inc();
        self.inner.start_latency.get_or_create(&Kind { kind }).observe(latency.as_secs_f64());
    }

    /// A run that was found in Glue was taken over by an object of `kind`.
    pub fn run_adopted(&self, kind: &'static str) {
        self.inner.starts.get_or_create(&Reconcile { kind, outcome: "adopted" }).inc();
    }

    /// A change in Glue reached the status of an object of `kind` after `lag`.
    pub fn status_caught_up(&self, kind: &'static str, lag: Duration) {
        self.inner.status_lag.get_or_create(&Kind { kind }).observe(lag.as_secs_f64());
    }

    /// `depth` objects of `kind` wait for a pass, the oldest for `age`.
    pub fn queue(&self, kind: &'static str, depth: usize, age: Duration) {
        self.inner.queue_depth.get_or_create(&Kind { kind }).set(saturating(depth));
        self.inner.queue_age.get_or_create(&Kind { kind }).set(age.as_secs_f64());
    }

    /// `count` objects of `kind` have a run that has not ended.
    pub fn live_runs(&self, kind: &'static str, count: usize) {
        self.inner.live_runs.get_or_create(&Kind { kind }).set(saturating(count));
    }

    /// Whether this replica holds the lease.
    pub fn leader(&self, holds: bool) {
        self.inner.leader.set(i64::from(holds));
    }

    /// Everything counted so far, as text of [`CONTENT_TYPE`].
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.inner.registry)?;
        Ok(out)
    }

    /// `code` as a label: unchanged while it looks like a code and there is room, else `Other`.
    fn bounded_code(&self, code: &str) -> String {
        const OTHER: &str = "Other";
        let looks_right = code.len() <= MAX_CODE_LENGTH
            && !code.is_empty()
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !looks_right {
            return OTHER.to_owned();
        }
        let mut codes = self.inner.codes.lock().unwrap_or_else(PoisonError::into_inner);
        if codes.contains(code) {
            return code.to_owned();
        }
        if codes.len() >= MAX_CODES {
            return OTHER.to_owned();
        }
        codes.insert(code.to_owned());
        code.to_owned()
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

/// What a family needs of its labels to stand in a registry.
trait Labels: Clone + fmt::Debug + std::hash::Hash + Eq + EncodeLabelSet + Send + Sync + 'static {}
impl<T: Clone + fmt::Debug + std::hash::Hash + Eq + EncodeLabelSet + Send + Sync + 'static> Labels for T {}

fn counter<L: Labels>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Counter> {
    let family = Family::<L, Counter>::default();
    registry.register(name, help, family.clone());
    family
}

fn gauge<L: Labels>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Gauge> {
    let family = Family::<L, Gauge>::default();
    registry.register(name, help, family.clone());
    family
}

fn seconds<L: Labels>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    new: fn() -> Histogram,
) -> Family<L, Histogram, fn() -> Histogram> {
    let family = Family::<L, Histogram, fn() -> Histogram>::new_with_constructor(new);
    registry.register_with_unit(name, help, Unit::Seconds, family.clone());
    family
}

/// 1 ms to 32 s: calls and passes.
fn of_a_call() -> Histogram {
    Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
}

/// 5 ms to 1 h: what may wait for a quota, a slot in Glue or a person.
fn of_a_wait() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0])
}

fn saturating(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(metrics: &Metrics) -> String {
        metrics.render().unwrap()
    }

    /// One of everything.
    fn used() -> Metrics {
        let metrics = Metrics::new();
        metrics.reconciled("GlueJobRun", "changed", Duration::from_millis(3));
        metrics.reconcile_failed("GlueJobRun", "throttled");
        metrics.object_written("GlueJobRun", "status");
        metrics.aws_call("StartJobRun", None, Duration::from_millis(40));
        metrics.aws_call("StartJobRun", Some("ThrottlingException"), Duration::from_millis(4));
        metrics.aws_throttled("StartJobRun");
        metrics.run_started("GlueJobRun", Duration::from_millis(70));
        metrics.run_adopted("GlueJobRun");
        metrics.status_caught_up("GlueJobRun", Duration::from_secs(2));
        metrics.queue("GlueJobRun", 7, Duration::from_millis(1500));
        metrics.live_runs("GlueJobRun", 12);
        metrics.leader(true);
        metrics
    }

    #[test]
    fn what_happened_is_rendered() {
        let text = rendered(&used());
        for line in [
            "kube_glue_reconciles_total{kind=\"GlueJobRun\",outcome=\"changed\"} 1",
            "kube_glue_reconcile_duration_seconds_bucket{le=\"0.005\",kind=\"GlueJobRun\"} 1",
            "kube_glue_reconcile_errors_total{kind=\"GlueJobRun\",class=\"throttled\"} 1",
            "kube_glue_object_writes_total{kind=\"GlueJobRun\",part=\"status\"} 1",
            "kube_glue_aws_calls_total{operation=\"StartJobRun\",code=\"OK\"} 1",
            "kube_glue_aws_calls_total{operation=\"StartJobRun\",code=\"ThrottlingException\"} 1",
            "kube_glue_aws_call_duration_seconds_count{operation=\"StartJobRun\"} 2",
            "kube_glue_aws_throttles_total{operation=\"StartJobRun\"} 1",
            "kube_glue_starts_total{kind=\"GlueJobRun\",outcome=\"started\"} 1",
            "kube_glue_starts_total{kind=\"GlueJobRun\",outcome=\"adopted\"} 1",
            "kube_glue_start_latency_seconds_bucket{le=\"0.1\",kind=\"GlueJobRun\"} 1",
            "kube_glue_status_lag_seconds_sum{kind=\"GlueJobRun\"} 2.0",
            "kube_glue_queue_depth{kind=\"GlueJobRun\"} 7",
            "kube_glue_queue_age_seconds{kind=\"GlueJobRun\"} 1.5",
            "kube_glue_live_runs{kind=\"GlueJobRun\"} 12",
            "kube_glue_leader 1",
            concat!("kube_glue_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "# EOF",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing from\n{text}");
        }
    }

    #[test]
    fn clones_count_together() {
        let metrics = Metrics::new();
        metrics.clone().aws_throttled("GetJobRuns");
        assert!(rendered(&metrics).contains("kube_glue_aws_throttles_total{operation=\"GetJobRuns\"} 1"));
    }

    #[test]
    fn codes_from_the_wire_cannot_grow_without_bound() {
        let metrics = Metrics::new();
        for n in 0..1000 {
            metrics.aws_call("GetJobRuns", Some(&format!("Code{n}")), Duration::ZERO);
        }
        metrics.aws_call("GetJobRuns", Some("not a code\n"), Duration::ZERO);
        metrics.aws_call("GetJobRuns", Some(&"x".repeat(5000)), Duration::ZERO);
        metrics.aws_call("GetJobRuns", None, Duration::ZERO);
        let text = rendered(&metrics);
        let calls = text.lines().filter(|l| l.starts_with("kube_glue_aws_calls_total")).count();
        assert_eq!(calls, MAX_CODES + 2, "the codes there is room for, Other, and OK");
    }

    #[test]
    fn the_charts_alerts_and_dashboard_name_metrics_that_exist() {
        let text = rendered(&used());
        // Samples by their own names, histograms by their family's too.
        let exported: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ").unwrap_or(line).split(['{', ' ']).next())
            .collect();
        for file in ["alerts.yaml", "dashboard.json"] {
            let path = format!("{}/charts/kube-glue/files/{file}", env!("CARGO_MANIFEST_DIR"));
            let content = std::fs::read_to_string(path).unwrap();
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let named: BTreeSet<&str> =
                content.split(|c| !is_name(c)).filter(|word| word.starts_with("kube_glue_")).collect();
            assert!(named.len() > 3, "{file} names {named:?}");
            for name in named {
                assert!(exported.contains(name), "{file} names {name}, which is not exported:\n{text}");
            }
        }
    }
}
