//! A pass that panics, in the real reconcile loop.

use super::probe::ProbeLoop;

#[tokio::test]
async fn a_pass_that_panics_fails_its_object_and_no_other() {
    let mut probe = ProbeLoop::start("panics", ["bad", "good"], 2).await;
    probe.requeue("bad");
    probe.requeue("good");
    let (path, write) = probe.written().await;
    assert!(path.ends_with("/namespaces/panics/gluejobruns/bad/status"), "{path}");
    assert_eq!(write["status"]["conditions"][0]["reason"], "InternalError", "{write}");
    let text = probe.metrics.render().unwrap();
    assert!(text.contains(r#"kube_glue_reconcile_errors_total{kind="GlueJobRun",class="panic"} 1"#), "{text}");
    // The others go on, then and later.
    assert_eq!(probe.passed().await.name, "good");
    probe.requeue("good");
    assert_eq!(probe.passed().await.name, "good");
    probe.stop().await;
}
