//! Datasets that the script of a job names.

use kube_glue::api::run::Phase;
use kube_glue_double::{DEFAULT_ACCOUNT, Fault, JobDefinition, Outcome, Then};
use serde_json::{Value, json};

use super::receiver::{Receiver, of_run, types_of};
use super::{names, setup_with};
use crate::harness::{REGION, STEP, TestEnv, run_id, stepwise};

const SCRIPT: &str = r#"
import sys
from awsglue.utils import getResolvedOptions
args = getResolvedOptions(sys.argv, ["source", "day", "token"])
orders = spark.read.parquet(f"{args['source']}/day={args['day']}")
shop = glueContext.create_dynamic_frame.from_options(
    connection_type="postgresql",
    connection_options={"useConnectionProperties": "true", "connectionName": "shop", "dbtable": "public.customers"},
)
orders.join(shop.toDF(), "customer").write.saveAsTable("sales.orders")
spark.read.text(somewhere())
"#;

fn job(name: &str) -> JobDefinition {
    let mut job = JobDefinition::new(name).script(stepwise(Outcome::Succeeded));
    let defaults = json!({ "--source": "s3://lake/raw", "--day": "sunday" });
    job.settings.rest.insert("DefaultArguments".to_owned(), defaults);
    job
}

/// Runs the job to its end, and returns the last event of its run.
async fn end(env: &TestEnv, receiver: &Receiver, job: &str, spec: Value) -> Value {
    env.create_run(job, job, spec).await;
    env.wait_for_run_id(job).await;
    env.double.clock().step(STEP);
    env.wait_for_phase(job, Phase::Running).await;
    env.double.clock().step(STEP);
    let id = run_id(&env.wait_finished(job, Phase::Succeeded).await).expect("an id").to_owned();
    let events = receiver.wait_until("the end came", |events| types_of(events, &id).contains(&"COMPLETE")).await;
    of_run(&events, &id).last().map(|event| (*event).clone()).expect("an event")
}

#[tokio::test]
async fn a_script_names_datasets_by_the_arguments_of_the_run() {
    let receiver = Receiver::start().await;
    let mut env = setup_with("lineage-scripts", &receiver, &[("--lineage-from-scripts", "true")]).await;
    env.secrets.push("swordfish-9".to_owned());
    super::define_connection(&env);
    env.double.put_object("scripts", "orders.py", SCRIPT);
    for name in ["orders", "gone"] {
        env.define_job(job(name));
    }
    let end_of_orders = end(
        &env,
        &receiver,
        "orders",
        json!({
            "arguments": { "--day": "monday" },
            "lineage": { "outputs": [{ "namespace": "kafka://broker:9092", "name": "orders" }] },
        }),
    )
    .await;
    let account = format!("arn:aws:glue:{REGION}:{DEFAULT_ACCOUNT}");
    assert_eq!(
        names(&end_of_orders, "inputs"),
        ["postgres://pg.example.com:5432 shop.public.customers", "s3://lake raw/day=monday"],
        "{end_of_orders}"
    );
    let outputs = [format!("{account} table/sales/orders"), "kafka://broker:9092 orders".to_owned()];
    assert_eq!(names(&end_of_orders, "outputs"), outputs);
    let known = |nth: usize| end_of_orders["outputs"][nth]["facets"]["kubeGlue_knownBy"]["knownBy"].clone();
    assert_eq!([known(0), known(1)], [json!(["script"]), json!(["declared"])]);
    let unknown = &end_of_orders["run"]["facets"]["extractionError"];
    assert_eq!((&unknown["totalTasks"], &unknown["failedTasks"]), (&json!(4), &json!(1)), "{unknown}");
    assert_eq!(unknown["errors"][0]["task"], "line 11: read");
    // Without its script, a run has its events all the same.
    let end_of_gone = end(&env, &receiver, "gone", json!({})).await;
    let unknown = &end_of_gone["run"]["facets"]["extractionError"]["errors"][0];
    assert_eq!(
        (&unknown["task"], &unknown["errorMessage"]),
        (&json!("the script"), &json!("GetObject answered NoSuchKey"))
    );
    assert_eq!(receiver.refused(), [""; 0]);
}

/// A script that Glue generated, of which somebody replaced a step by a function of a library.
#[tokio::test]
async fn the_graph_that_glue_makes_of_a_script_names_what_its_syntax_does_not() {
    let script = r#"
## @type: DataSource
## @args: [database = "sales", table_name = "orders", transformation_ctx = "source"]
## @return: source
## @inputs: []
source = glueContext.create_dynamic_frame.from_catalog(database = "sales", table_name = "orders")
## @type: DataSink
## @args: [connection_type = "s3", connection_options = {"path": "s3://lake/clean"}, format = "parquet"]
## @return: sink
## @inputs: [frame = source]
sink = library.write(source)
"#;
    let receiver = Receiver::start().await;
    let env = setup_with("lineage-graph", &receiver, &[("--lineage-from-scripts", "true")]).await;
    env.double.put_object("scripts", "orders.py", script);
    for (name, calls) in [("orders", 1), ("refused", 2)] {
        env.define_job(job(name));
        if name == "refused" {
            env.double.put_object("scripts", "refused.py", script);
            env.double.faults().add(Fault::on("GetDataflowGraph").then(Then::AccessDenied));
        }
        let end = end(&env, &receiver, name, json!({})).await;
        assert_eq!(env.double.requests().count("GetDataflowGraph"), calls, "{name}");
        assert_eq!(names(&end, "inputs"), [format!("arn:aws:glue:{REGION}:{DEFAULT_ACCOUNT} table/sales/orders")]);
        let known = |side: &str| end[side][0]["facets"]["kubeGlue_knownBy"]["knownBy"].clone();
        if name == "refused" {
            assert_eq!((known("inputs"), names(&end, "outputs")), (json!(["script"]), Vec::new()));
            let unknown = &end["run"]["facets"]["extractionError"]["errors"][0];
            let expected =
                (&json!("the graph of the script"), &json!("GetDataflowGraph answered AccessDeniedException"));
            assert_eq!((&unknown["task"], &unknown["errorMessage"]), expected);
            continue;
        }
        assert_eq!((known("inputs"), known("outputs")), (json!(["script", "graph"]), json!(["graph"])));
        assert_eq!(names(&end, "outputs"), ["s3://lake clean"]);
    }
}

#[tokio::test]
async fn no_script_is_read_unless_the_operator_says_so() {
    let receiver = Receiver::start().await;
    let env = setup_with("lineage-no-scripts", &receiver, &[]).await;
    env.double.put_object("scripts", "orders.py", SCRIPT);
    env.define_job(job("orders"));
    let end = end(&env, &receiver, "orders", json!({})).await;
    assert_eq!((names(&end, "inputs"), names(&end, "outputs")), (Vec::new(), Vec::new()));
    assert_eq!(env.double.requests().count("GetObject"), 0);
}
