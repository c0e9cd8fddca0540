//! A new object that no controller has observed yet: `helm --wait` must not take it for a finished one. (`chart` has
//! helm wait for runs that a controller follows.)

use std::fs;

use crate::harness::TestEnv;

#[tokio::test]
async fn helm_does_not_take_a_new_object_for_a_finished_one() {
    let env = TestEnv::without_controller("helm-early").await;
    let chart = env.plane.folder().join(&env.namespace);
    fs::create_dir_all(chart.join("templates")).expect("a folder");
    fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: early\nversion: 0.1.0\n").expect("a file");
    let run = "apiVersion: kube-glue.dev/v1alpha1\nkind: GlueJobRun\nmetadata:\n  name: early\nspec:\n  jobName: etl\n";
    fs::write(chart.join("templates/run.yaml"), run).expect("a file");

    let install = ["install", "early", chart.to_str().expect("a path"), "-n", &env.namespace];
    let output = env.plane.helm(install).args(["--wait", "--timeout", "3s"]).output().await.expect("helm");
    assert!(!output.status.success(), "no controller has observed the object: {output:?}");
    assert!(env.job_runs().get_opt("early").await.expect("the runs").is_some(), "{output:?}");
}
