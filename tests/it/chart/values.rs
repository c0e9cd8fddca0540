//! What the chart renders from its values, without an installation.

use kube_glue_testbed::{ControlPlane, Output, SET_IMAGE};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/kube-glue");

async fn template(arguments: &[&str]) -> Output {
    let plane = ControlPlane::shared().await.expect("a control plane");
    plane.helm(["template", "kube-glue", CHART]).args(arguments.iter().copied()).output().await.expect("helm")
}

/// Any default would run what somebody else put under that name.
#[tokio::test]
async fn the_chart_names_no_image_by_itself() {
    let rendered = template(&[]).await;
    assert!(!rendered.status.success() && rendered.stderr.contains("image.repository is required"), "{rendered:?}");
}

#[tokio::test]
async fn only_enabled_kinds_are_defined_and_an_unknown_one_is_refused() {
    let chart = template(&["--set", SET_IMAGE, "--set", "kinds={GlueJobRun,GlueTrigger}"]).await.stdout;
    let defined: Vec<_> = chart.lines().filter(|line| line.starts_with("  name: glue")).collect();
    assert_eq!(defined, ["  name: gluejobruns.kube-glue.dev", "  name: gluetriggers.kube-glue.dev"]);
    assert!(chart.contains("--kinds=GlueJobRun,GlueTrigger"), "{chart}");
    let unknown = template(&["--set", SET_IMAGE, "--set", "kinds={GlueJob}"]).await;
    assert!(!unknown.status.success() && unknown.stderr.contains("there is no kind GlueJob"), "{}", unknown.stderr);
}

#[tokio::test]
async fn the_example_values_are_rendered() {
    let folder = std::fs::read_dir(format!("{CHART}/ci")).expect("the examples");
    for file in folder.map(|entry| entry.expect("a file").path()) {
        let rendered = template(&["--values", file.to_str().expect("a path")]).await;
        assert!(rendered.status.success(), "{}: {}", file.display(), rendered.stderr);
        if !file.ends_with("everything-values.yaml") {
            continue;
        }
        for text in [
            "value: /etc/kube-glue/ca/ca.crt",
            "mountPath: /etc/kube-glue/ca",
            "name: our-ca",
            "value: \"http://proxy.example.com:3128\"",
            "--refused-arguments=*=--scriptLocation",
            "--max-identities-per-namespace=20",
            "--allowed-endpoints=team-a=.vpce.amazonaws.com",
            "--openlineage-url=https://datahub.example.com",
            "--openlineage-endpoint=openapi/openlineage/api/v1/lineage",
            "--openlineage-namespace=prod",
            "--lineage-spark-parent=true",
            "--allowed-lineage-receivers=team-*=http://marquez.lineage:5000,team-a=.lineage.example.com",
            "name: OPENLINEAGE_API_KEY\n              valueFrom:\n                secretKeyRef:\n                  name: datahub\n                  key: token",
        ] {
            assert!(rendered.stdout.contains(text), "{text} is not in {}", rendered.stdout);
        }
    }
    // An empty list is not the default.
    let none = template(&["--set", SET_IMAGE, "--set-json", "credentials.refusedArguments=[]"]).await.stdout;
    assert!(none.contains("\"--refused-arguments=\""), "{none}");
    // The custom resources name the address of OpenLineage's naming page.
    let plain = template(&["--set", SET_IMAGE, "--set", "crds.install=false"]).await.stdout;
    assert!(!plain.contains("--refused-arguments") && !plain.contains("openlineage") && !plain.contains("OPENLINEAGE"));
    let wrong = template(&["--set", SET_IMAGE, "--set", "openLineage.url=marquez:5000"]).await;
    assert!(!wrong.status.success() && wrong.stderr.contains("openLineage"), "{}", wrong.stderr);
}
