//! The parent run that the controller passes to OpenLineage's Spark listener in `--conf`.

use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Outcome, Then};
use serde_json::{Value, json};

use crate::harness::{STEP, TestEnv, stepwise};

const PARENT: &str = "airflow/daily.orders/5b3dd7d6-9b0f-4f2a-8b0a-111111111111";
const CONF: &str = "spark.openlineage.parentJobNamespace=airflow --conf spark.openlineage.parentJobName=daily.orders \
                    --conf spark.openlineage.parentRunId=5b3dd7d6-9b0f-4f2a-8b0a-111111111111 \
                    --conf spark.openlineage.rootParentJobNamespace=airflow --conf \
                    spark.openlineage.rootParentJobName=daily.orders --conf \
                    spark.openlineage.rootParentRunId=5b3dd7d6-9b0f-4f2a-8b0a-111111111111";

/// An environment with a held clock, with the job `spark` whose `--conf` has something already, and `shell`, which is none of
/// Spark.
async fn setup(name: &str, flags: &[(&str, &str)]) -> TestEnv {
    let mut env = TestEnv::with_credentials(name).await;
    env.double.clock().hold();
    env.set_flags(flags);
    for (job, command) in [("spark", "glueetl"), ("shell", "pythonshell")] {
        let mut job = JobDefinition::new(job).script(stepwise(Outcome::Succeeded)).max_concurrent_runs(10);
        command.clone_into(&mut job.settings.command.name);
        job.settings.default_arguments = Some([("--conf".to_owned(), "spark.x=y".to_owned())].into());
        env.define_job(job);
    }
    env.start_controller();
    env
}

/// The `--conf` of the run of an object that names a parent.
async fn conf_of(env: &TestEnv, name: &str, job: &str, parent: &str, mut spec: Value) -> Option<String> {
    spec["jobName"] = json!(job);
    let metadata = json!({"name": name, "annotations": {"kube-glue.dev/lineage-parent": parent}});
    env.try_create(json!({"metadata": metadata, "spec": spec})).await.expect("an object");
    let id = crate::harness::run_id(&env.wait_for_run_id(name).await).expect("an id").to_owned();
    let runs = env.glue_runs(job);
    let run = runs.iter().find(|run| run["Id"] == id.as_str()).expect("the run");
    run["Arguments"]["--conf"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn the_parent_that_an_object_names_follows_what_the_object_or_the_job_has() {
    let env = setup("spark-parent", &[("--lineage-spark-parent", "true")]).await;
    assert_eq!(conf_of(&env, "a", "spark", PARENT, json!({})).await, Some(format!("spark.x=y --conf {CONF}")));
    let own = json!({"arguments": {"--conf": "spark.own=1"}});
    assert_eq!(conf_of(&env, "b", "spark", PARENT, own).await, Some(format!("spark.own=1 --conf {CONF}")));
    assert_eq!(conf_of(&env, "c", "shell", PARENT, json!({})).await, None);
    let hostile = "airflow/x --conf spark.jars=evil/5b3dd7d6-9b0f-4f2a-8b0a-111111111111";
    assert_eq!(conf_of(&env, "d", "spark", hostile, json!({})).await, None);
    for name in ["a", "b", "c", "d"] {
        env.double.clock().step(STEP);
        env.double.clock().step(STEP);
        env.wait_finished(name, Phase::Succeeded).await;
    }
}

#[tokio::test]
async fn a_job_that_glue_does_not_show_keeps_its_own_and_nothing_is_added_unasked() {
    let env = setup("spark-parent-denied", &[("--lineage-spark-parent", "true")]).await;
    env.double.faults().add(Fault::on("GetJob").then(Then::AccessDenied));
    assert_eq!(conf_of(&env, "a", "spark", PARENT, json!({})).await, None);
    let env = setup("spark-parent-off", &[]).await;
    assert_eq!(conf_of(&env, "a", "spark", PARENT, json!({})).await, None);
}

/// Without a key, a run is found by its arguments: they are those of the spec.
#[tokio::test]
async fn nothing_is_added_where_runs_are_found_by_their_arguments() {
    let flags = [("--lineage-spark-parent", "true"), ("--run-key-argument", "")];
    let env = setup("spark-parent-keyless", &flags).await;
    assert_eq!(conf_of(&env, "a", "spark", PARENT, json!({})).await, None);
}
