//! No secret value occurs in status, events, logs at trace level, metrics or probes, whatever goes wrong.
//!
//! Every [`TestEnv`] searches all output at its end. These tests produce as many errors with secrets as possible, and
//! check the search itself.

use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Role, RunScript, Then};
use serde_json::json;

use crate::harness::{DEFAULT_SECRET, SHORT_TIMEOUTS, TestEnv, access_key_data, endless, places_with};

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
