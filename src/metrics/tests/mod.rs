//! What `/metrics` shows, and that the chart names only metrics that exist.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Metrics;
use super::codes::MAX_CODES;

fn rendered(metrics: &Metrics) -> String {
    metrics.render().unwrap()
}

/// Every metric with one sample.
fn sampled() -> Metrics {
    let metrics = Metrics::new();
    metrics.reconciled("GlueJobRun", "changed", Duration::from_millis(3));
    metrics.reconcile_failed("GlueJobRun", "throttled");
    metrics.object_written("GlueJobRun", "status");
    metrics.aws_call("StartJobRun", None, Duration::from_millis(40));
    metrics.aws_call("StartJobRun", Some("ThrottlingException"), Duration::from_millis(4));
    metrics.aws_throttled("StartJobRun");
    metrics.run_started("GlueJobRun", Duration::from_millis(70));
    metrics.run_adopted("GlueJobRun");
    metrics.run_ended("GlueJobRun", "Failed", "Failed");
    metrics.status_caught_up("GlueJobRun", Duration::from_secs(2));
    metrics.poll_paused("GlueJobRun", Duration::from_secs(13));
    metrics.queue("GlueJobRun", 7, Duration::from_millis(1500));
    metrics.objects("GlueJobRun", 30, 20);
    metrics.live_runs("GlueJobRun", 12);
    metrics.lineage_events("sent", 3);
    metrics.lineage_queue(2, Duration::from_millis(2500));
    metrics.leader(true);
    metrics
}

#[test]
fn every_event_is_rendered() {
    let text = rendered(&sampled());
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
        "kube_glue_ends_total{kind=\"GlueJobRun\",phase=\"Failed\",reason=\"Failed\"} 1",
        "kube_glue_ends_total{kind=\"GlueJobRun\",phase=\"TimedOut\",reason=\"TimedOut\"} 0",
        "kube_glue_start_latency_seconds_bucket{le=\"0.1\",kind=\"GlueJobRun\"} 1",
        "kube_glue_status_lag_seconds_sum{kind=\"GlueJobRun\"} 2.0",
        "kube_glue_poll_pause_seconds_bucket{le=\"15.0\",kind=\"GlueJobRun\"} 1",
        "kube_glue_queue_depth{kind=\"GlueJobRun\"} 7",
        "kube_glue_queue_age_seconds{kind=\"GlueJobRun\"} 1.5",
        "kube_glue_objects{kind=\"GlueJobRun\"} 30",
        "kube_glue_largest_namespace_objects{kind=\"GlueJobRun\"} 20",
        "kube_glue_live_runs{kind=\"GlueJobRun\"} 12",
        "kube_glue_lineage_events_total{outcome=\"sent\"} 3",
        "kube_glue_lineage_queue_depth 2",
        "kube_glue_lineage_lag_seconds 2.5",
        "kube_glue_leader 1",
        concat!("kube_glue_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "# EOF",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is missing from\n{text}");
    }
}

#[test]
fn clones_share_one_registry() {
    let metrics = Metrics::new();
    metrics.clone().aws_throttled("GetJobRuns");
    assert!(rendered(&metrics).contains("kube_glue_aws_throttles_total{operation=\"GetJobRuns\"} 1"));
}

#[test]
fn the_number_of_error_code_labels_is_bounded() {
    let metrics = Metrics::new();
    for n in 0..1000 {
        metrics.aws_call("GetJobRuns", Some(&format!("Code{n}")), Duration::ZERO);
    }
    metrics.aws_call("GetJobRuns", Some("not a code\n"), Duration::ZERO);
    metrics.aws_call("GetJobRuns", Some(&"x".repeat(5000)), Duration::ZERO);
    metrics.aws_call("GetJobRuns", None, Duration::ZERO);
    let text = rendered(&metrics);
    let calls = text.lines().filter(|l| l.starts_with("kube_glue_aws_calls_total")).count();
    assert_eq!(calls, MAX_CODES + 2, "MAX_CODES codes, Other and OK");
}

#[test]
fn alerts_and_dashboard_of_the_chart_name_existing_metrics() {
    let text = rendered(&sampled());
    // Samples by their own names, histograms by the names of their families, too.
    let exported: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ").unwrap_or(line).split(['{', ' ']).next()).collect();
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
