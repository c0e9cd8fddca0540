//! What is in Glue is taken over, and nothing changes there.

use kube_glue::api::run::Phase;
use kube_glue::api::{GlueConnection, GlueTrigger};
use kube_glue_double::DEFAULT_ACCOUNT;
use serde_json::{Value, json};

use crate::harness::{REGION, TestEnv};

/// Operations that change something in Glue.
fn changes(env: &TestEnv) -> Vec<String> {
    let reads = ["Get", "List", "BatchGet", "Describe"];
    let all = env.double.requests().all();
    let glue = all.iter().filter(|request| request.call.service == "glue");
    let operations = glue.map(|request| request.call.operation.to_string());
    operations.filter(|operation| !reads.iter().any(|read| operation.starts_with(read))).collect()
}

#[tokio::test]
async fn a_trigger_a_run_and_a_connection_are_taken_over_as_they_are() {
    let mut env = TestEnv::with_credentials("plugin-import").await;
    let run = env.call_glue("StartJobRun", &json!({ "JobName": "etl" }))["JobRunId"].as_str().unwrap().to_owned();
    let actions = json!([{ "JobName": "etl" }]);
    env.call_glue(
        "CreateTrigger",
        &json!({ "Name": "Nightly", "Type": "SCHEDULED", "Schedule": "cron(0 2 * * ? *)", "Actions": actions }),
    );
    let password = "hush-hush-hush";
    env.call_glue(
        "CreateConnection",
        &json!({ "ConnectionInput": {
            "Name": "Warehouse", "ConnectionType": "JDBC", "Description": "of the team", "ConnectionProperties": {
                "JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/a", "USERNAME": "etl", "PASSWORD": password,
            },
        } }),
    );
    env.call_glue(
        "CreateConnection",
        &json!({ "ConnectionInput": {
            "Name": "Lake", "ConnectionType": "JDBC", "ConnectionProperties": {
                "JDBC_CONNECTION_URL": "jdbc:postgresql://lake:5432/a", "SECRET_ID": "lake/db",
            },
        } }),
    );
    let before = env.double.connection_input(DEFAULT_ACCOUNT, REGION, "Warehouse").expect("the connection");
    let mut manifests = Vec::new();
    let import_run = format!("import job-run etl --run-id {run}");
    for line in ["import trigger Nightly", "import connection Warehouse", &*import_run, "import connection Lake"] {
        let printed = env.glue(line).await.succeeded();
        assert!(!printed.data.contains(password), "{printed:?}");
        manifests.push(printed.data);
    }
    let [trigger, connection, job_run, _] = manifests.as_slice() else { panic!("{manifests:?}") };
    assert!(
        connection.starts_with("# ") && connection.contains("kubectl create secret generic warehouse-values"),
        "{connection}"
    );
    assert!(trigger.contains("state: Deactivated"), "{trigger}");
    env.put_secret("warehouse-values", &[("PASSWORD", password)]).await;
    for manifest in &manifests {
        env.plane.kubectl(["apply", "-f", "-"]).input(manifest.clone()).await.expect("the manifest");
    }
    env.double.requests().clear();
    env.start_controller();
    env.objects::<GlueTrigger>().wait_ready("nightly").await;
    env.objects::<GlueConnection>().wait_ready("warehouse").await;
    env.objects::<GlueConnection>().wait_ready("lake").await;
    let name = job_run.lines().find_map(|line| line.trim().strip_prefix("name: ")).expect("a name");
    env.wait_for_phase(name, Phase::Succeeded).await;
    // The connection with a password is written once, since Glue hides it, and is as it was; the other one is not.
    assert_eq!(changes(&env), ["UpdateConnection"]);
    let after = env.double.connection_input(DEFAULT_ACCOUNT, REGION, "Warehouse").expect("the connection");
    assert_eq!(stored(after), stored(before));
    let state = env.call_glue("GetTrigger", &json!({ "Name": "Nightly" }));
    assert_eq!(state["Trigger"]["State"], "CREATED");
}

/// What Glue keeps of an input.
fn stored(mut input: Value) -> Value {
    if let Value::Object(members) = &mut input {
        members.retain(|name, member| !member.is_null() && *member != json!([]) && name != "ValidateCredentials");
    }
    input
}
