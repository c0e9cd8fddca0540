//! No secret value occurs in status, events, logs at trace level, metrics or probes, whatever goes wrong.
//!
//! Every [`TestEnv`] searches all output at its end. These tests produce as many errors with secrets as possible, and
//! check the search itself.

use kube::api::DeleteParams;
use kube_glue::api::GlueWorkflowRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Outcome, Role, RunScript, Then};
use serde_json::json;

use crate::harness::{
    DEFAULT_SECRET, SHORT_TIMEOUTS, STEP, TestEnv, access_key_data, condition, endless, places_with, ready_condition,
    status, stepwise,
};

const TOKEN: &str = "FwoGZXIvYXdzEHcaDGt1YmUtZ2x1ZS1zZWNyZXQ";
const PASSWORD: &str = "tr0ub4dor-and-three";

#[tokio::test]
async fn errors_with_credentials_and_arguments_leak_no_secret_value() {
    let mut env = TestEnv::without_controller("leak").await;
    env.set_flags(SHORT_TIMEOUTS);
    let (id, secret) = (env.key.id.clone(), env.key.secret.clone());
    let keys = access_key_data(&id, &secret);
    let (wrong, newline) = ("nobody-knows-this-secret".to_owned(), format!("{secret}\n"));
    let no_region = format!("{PASSWORD}!");
    env.secrets.extend([wrong.clone(), TOKEN.to_owned(), PASSWORD.to_owned()]);
    env.double.define_role(Role::new("arn:aws:iam::222222222222:role/etl").external_id("x"));
    for (name, data) in [
        (DEFAULT_SECRET, keys.clone()),
        ("wrong", access_key_data(&id, &wrong)),
        ("newline", access_key_data(&id, &newline)),
        ("token", [&keys[..], &[("AWS_SESSION_TOKEN", TOKEN)]].concat()),
        // The two values exchanged, as it happens by mistake.
        ("swapped", access_key_data(&secret, &id)),
        ("region", [&keys[..], &[("AWS_REGION", &no_region)]].concat()),
        (
            "role",
            [&keys[..], &[("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/etl"), ("AWS_EXTERNAL_ID", "not-that-one")]]
                .concat(),
        ),
        ("db", vec![("password", PASSWORD)]),
    ] {
        env.put_secret(name, &data).await;
    }
    env.define_job(JobDefinition::new("endless").script(endless()));
    env.define_job(JobDefinition::new("leaky").script(RunScript::fails(&format!("cannot log in with {PASSWORD}"))));
    env.double.faults().add(Fault::on("StartJobRun").name("endless").nth(1).then(Then::DropAnswerAfterWork));
    env.double.faults().add(Fault::on("GetJobRun").nth(2).then(Then::Http500));
    env.start_controller();

    for (name, reason) in [
        ("wrong", "CredentialsNotAccepted"),
        ("newline", "SecretInvalid"),
        ("token", "CredentialsNotAccepted"),
        ("swapped", "CredentialsNotAccepted"),
        ("role", "AccessDenied"),
        ("region", "SecretInvalid"),
    ] {
        env.create_run(name, "etl", json!({"credentials": {"secretName": name}})).await;
        env.wait_for_reason(name, reason).await;
    }
    let from = json!([{"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}}]);
    env.create_run("leaky", "leaky", json!({"argumentsFrom": from})).await;
    env.create_run("active", "endless", json!({"argumentsFrom": from})).await;
    let active = env.wait_for_phase("active", Phase::Running).await;
    env.wait_for_run_id("leaky").await;
    env.double.clock().step(std::time::Duration::from_mins(10));
    env.wait_finished("leaky", Phase::Failed).await;
    env.delete("active").await;
    env.wait_deleted(&active).await;
    let start = &env.double.requests().of("StartJobRun").name("leaky")[0];
    assert_eq!(start.field("Arguments/--password"), Some(json!(PASSWORD)), "Glue received the password");
    env.assert_no_secret_leaked().await;
}

/// Otherwise the search would prove nothing.
#[tokio::test]
async fn the_leak_search_covers_logs_metrics_probes_events_and_statuses() {
    let env = TestEnv::new("search").await;
    let run = env.create_run("seen", "etl", json!({})).await;
    env.wait_finished("seen", Phase::Succeeded).await;
    // Events are filed in order: when the last is there, so are the others.
    env.wait_for_event("Succeeded").await;
    env.delete("seen").await;
    env.wait_deleted(&run).await;
    let output = env.collect_output().await;
    assert_eq!(places_with("GlueJobRun", &output), ["it/metrics", "logs", "written"]);
    assert_eq!(places_with("held by this replica", &output), ["it/readyz", "logs"]);
    // The lists of Secrets have metadata only.
    assert!(output["written"].contains("PartialObjectMetadataList"));
    // An event, and the status of a deleted object.
    assert!(output["written"].contains("reportingController") && output["written"].contains("executionSeconds"));
    let texts = [("base64", "c2VjcmV0IHZhbHVl"), ("form", "secret%20value"), ("nothing", "secretvalue")];
    let texts = texts.map(|(place, text)| (place.to_owned(), format!("{{\"{text}\"}}"))).into();
    assert_eq!(places_with("secret value", &texts), ["base64", "form"]);
}

/// What the Secret had when the run was started, although it has other values now, and the controller another process.
#[tokio::test]
async fn a_value_that_was_rotated_during_the_run_is_hidden() {
    for restarts in [false, true] {
        let mut env = TestEnv::new(if restarts { "rotated-restart" } else { "rotated-value" }).await;
        // As `echo` writes it into a Secret, and as a script that strips it prints it.
        env.put_secret("db", &[("password", &format!("{PASSWORD}\n"))]).await;
        let outcome = Outcome::Failed(format!("cannot log in with {PASSWORD} at db?password=tr0ub4dor%2Dand%2Dthree"));
        let key = json!({"name": "db", "key": "password", "optional": true});
        env.create_running_run(outcome, json!({"argumentsFrom": [{"name": "--password", "secretKeyRef": key}]})).await;
        if restarts {
            env.kill_controller();
        }
        env.put_secret("db", &[("other", "another-password")]).await;
        if restarts {
            env.start_controller();
        }
        env.double.clock().step(STEP);
        let run = env.wait_for_phase("one", Phase::Failed).await;
        assert_eq!(ready_condition(&run).1, "cannot log in with [hidden] at db?password=[hidden]");
        env.assert_no_secret_leaked().await;
    }
}

/// A value of `runPropertiesFrom`, with what it becomes on the way: a job quotes it, a job copies it into another property, and
/// the Secret has another one by then.
#[tokio::test]
async fn a_value_that_a_workflow_run_was_given_is_hidden() {
    for restarts in [false, true] {
        let mut env = TestEnv::new(if restarts { "gwr-secret-restart" } else { "gwr-secret" }).await;
        env.double.clock().hold();
        env.put_secret("db", &[("password", &format!("{PASSWORD}\n"))]).await;
        let outcome = Outcome::Failed(format!("cannot log in with {PASSWORD} at db?password=tr0ub4dor%2Dand%2Dthree"));
        env.define_job(JobDefinition::new("steps").script(stepwise(outcome)));
        env.call_glue("CreateWorkflow", &json!({"Name": "daily"}));
        let trigger =
            json!({"Name": "go", "WorkflowName": "daily", "Type": "ON_DEMAND", "Actions": [{"JobName": "steps"}]});
        env.call_glue("CreateTrigger", &trigger);
        let from = json!([{"name": "password", "secretKeyRef": {"name": "db", "key": "password"}}]);
        let spec = json!({"workflowName": "daily", "runPropertiesFrom": from});
        env.objects::<GlueWorkflowRun>().create("one", spec).await;
        let running = env.objects::<GlueWorkflowRun>().wait_for_phase("one", Phase::Running).await;
        let id = status(&running)["runId"].clone();
        let given = env.call_glue("GetWorkflowRunProperties", &json!({"Name": "daily", "RunId": id}));
        assert_eq!(given["RunProperties"]["password"], format!("{PASSWORD}\n"), "Glue has the value");
        let copied = json!({"Name": "daily", "RunId": id, "RunProperties": {"url": format!("db?password={PASSWORD}")}});
        env.call_glue("PutWorkflowRunProperties", &copied);
        if restarts {
            env.kill_controller();
        }
        env.put_secret("db", &[("password", "another-password")]).await;
        if restarts {
            env.start_controller();
        }
        env.double.clock().step(STEP);
        env.double.clock().step(STEP);
        let failed = env.objects::<GlueWorkflowRun>().wait_for_phase("one", Phase::Failed).await;
        let hidden = "cannot log in with [hidden] at db?password=[hidden]";
        let message = condition(&failed, "Ready").expect("a condition").message;
        assert_eq!(message, format!("of 1 actions 1 failed: job steps (FAILED: {hidden})"));
        let shown = status(&failed);
        assert_eq!(shown["nodes"][0]["errorMessage"], hidden);
        assert_eq!(shown["runProperties"], json!({"password": "[hidden]", "url": "db?password=[hidden]"}));
        env.wait_for_event("ActionsFailed").await;
        env.assert_no_secret_leaked().await;
    }
}

#[tokio::test]
async fn a_message_is_withheld_where_a_value_is_too_short() {
    let env = TestEnv::new("short-value").await;
    env.put_secret("db", &[("pin", "123")]).await;
    env.define_job(JobDefinition::new("leaky").script(RunScript::fails("wrong pin 123")));
    env.double.clock().set_speed(100.0);
    let from = json!([{"name": "--pin", "secretKeyRef": {"name": "db", "key": "pin"}}]);
    env.create_run("one", "leaky", json!({"argumentsFrom": from})).await;
    let run = env.wait_for_phase("one", Phase::Failed).await;
    let message = ready_condition(&run).1;
    assert!(
        message.contains("withheld") && message.contains("fewer than 4 bytes") && !message.contains("123"),
        "{message}"
    );
}

/// Also where the process had read the Secret before: it may have had another value since.
#[tokio::test]
async fn a_message_is_withheld_where_the_secret_of_a_live_run_is_gone() {
    for restarts in [false, true] {
        let mut env = TestEnv::new(if restarts { "gone-restart" } else { "gone-secret" }).await;
        env.put_secret("db", &[("password", PASSWORD)]).await;
        let outcome = Outcome::Failed(format!("cannot log in with {PASSWORD}"));
        let key = json!({"name": "db", "key": "password"});
        env.create_running_run(outcome, json!({"argumentsFrom": [{"name": "--password", "secretKeyRef": key}]})).await;
        if restarts {
            env.kill_controller();
        }
        env.secret_api().delete("db", &DeleteParams::default()).await.expect("the deletion");
        if restarts {
            env.start_controller();
        }
        env.double.clock().step(STEP);
        let run = env.wait_for_phase("one", Phase::Failed).await;
        let message = ready_condition(&run).1;
        let why = "Glue's message is withheld: it may contain values of the Secrets that this object names, and these cannot be read";
        assert_eq!(message, why);
        env.assert_no_secret_leaked().await;
    }
}

/// AWS quotes the request of a signature that it refuses, with the session token.
#[tokio::test]
async fn the_refusals_of_starts_and_of_signatures_show_no_secret() {
    let mut env = TestEnv::new("refusals").await;
    env.secrets.push(TOKEN.to_owned());
    env.put_secret("db", &[("password", PASSWORD)]).await;
    env.define_job(JobDefinition::new("refused").script(endless()));
    let refused = |code: &str, message: String| Then::Error { code: code.to_owned(), status: 400, message };
    let message = format!("Argument --password={PASSWORD} is too odd");
    env.double.faults().add(Fault::on("StartJobRun").name("refused").then(refused("InvalidInputException", message)));
    let from = json!([{"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}}]);
    env.create_run("start", "refused", json!({"argumentsFrom": from})).await;
    let message = env.wait_for_reason("start", "InvalidSpec").await;
    assert!(message.contains("Argument --password=[hidden] is too odd"), "{message}");

    let quoted = format!(
        "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this \
         request should have been\n'POST\n/\n\nx-amz-security-token:{TOKEN}\n'"
    );
    env.double.faults().add(Fault::on("StartJobRun").name("etl").then(refused("InvalidSignatureException", quoted)));
    env.create_run("signature", "etl", json!({})).await;
    let message = env.wait_for_reason("signature", "CredentialsNotAccepted").await;
    assert!(message.contains("does not match the signature you provided") && !message.contains("POST"), "{message}");
    env.assert_no_secret_leaked().await;
}
