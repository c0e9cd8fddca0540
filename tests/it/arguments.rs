//! `arguments` and `argumentsFrom`: values from Secrets and ConfigMaps reach Glue and no output.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ObjectMeta, PostParams};
use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, Outcome, RunScript};
use serde_json::json;

use crate::harness::{TestEnv, is_event_on, ready_condition};

const PASSWORD: &str = "correct-horse-battery";

async fn put_config(env: &TestEnv, name: &str, data: &[(&str, &str)]) {
    let map = ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(
            data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>(),
        ),
        ..ConfigMap::default()
    };
    let api: Api<ConfigMap> = Api::namespaced(env.client.clone(), &env.namespace);
    api.create(&PostParams::default(), &map).await.expect("the ConfigMap");
}

#[tokio::test]
async fn arguments_from_secrets_and_config_maps_reach_glue_and_do_not_leak() {
    let mut env = TestEnv::new("arguments").await;
    env.secrets.push(PASSWORD.to_owned());
    env.put_secret("db", &[("password", PASSWORD)]).await;
    put_config(&env, "paths", &[("input", "s3://in")]).await;
    // The job fails with a message that contains the password, as scripts do.
    env.define_job(JobDefinition::new("leaky").script(RunScript::fails(&format!("login with {PASSWORD} was refused"))));
    let from = json!({
        "arguments": {"--day": "monday"},
        "argumentsFrom": [
            {"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}},
            {"name": "--input", "configMapKeyRef": {"name": "paths", "key": "input"}},
            {"name": "--absent", "configMapKeyRef": {"name": "paths", "key": "absent", "optional": true}},
        ],
    });
    env.double.clock().set_speed(100.0);
    env.create_run("one", "leaky", from).await;
    let run = env.wait_for_phase("one", Phase::Failed).await;
    assert_eq!(ready_condition(&run).1, "login with [hidden] was refused");
    let sent = env.glue_runs("leaky")[0]["Arguments"].clone();
    let named = |name: &str| sent[name].as_str().map(str::to_owned);
    assert_eq!(named("--password").as_deref(), Some(PASSWORD));
    assert_eq!(named("--input").as_deref(), Some("s3://in"));
    assert_eq!(named("--day").as_deref(), Some("monday"));
    assert_eq!(named("--absent"), None);
    env.assert_no_secret_leaked().await;
}

#[tokio::test]
async fn a_missing_argument_source_is_reported_and_the_run_starts_once_it_exists() {
    let env = TestEnv::new("missing").await;
    let from = json!({"argumentsFrom": [{"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}}]});
    env.create_run("one", "etl", from).await;
    let message = env.wait_for_reason("one", "ArgumentNotFound").await;
    let secret = format!("there is no key password in Secret {}/db: add it", env.namespace);
    assert!(message.contains("argument --password") && message.contains(&secret), "{message}");
    assert_eq!(env.start_calls(), 0);
    env.put_secret("db", &[("password", "found-at-last")]).await;
    env.wait_for_phase("one", Phase::Succeeded).await;
}

#[tokio::test]
async fn the_controllers_own_argument_is_rejected_in_the_spec() {
    let env = TestEnv::new("reserved").await;
    env.create_run("one", "etl", json!({"arguments": {"--kube-glue-run": "mine"}})).await;
    let message = env.wait_for_reason("one", "InvalidSpec").await;
    assert!(message.contains("argument --kube-glue-run"), "{message}");
    assert_eq!(env.start_calls(), 0);
}

#[tokio::test]
async fn a_reserved_argument_is_sent_with_one_warning() {
    let env = TestEnv::new("reserved-names").await;
    env.define_job(JobDefinition::new("twice").script(RunScript::fails("first").then(Outcome::Succeeded)));
    env.double.clock().set_speed(100.0);
    let retried =
        json!({"arguments": {"--mode": "full", "--JOB_NAME": "x"}, "retry": {"limit": 1, "backoffSeconds": 0}});
    env.create_run("one", "twice", retried).await;
    env.wait_for_phase("one", Phase::Succeeded).await;
    let runs = env.glue_runs("twice");
    assert_eq!(
        (runs.len(), &runs[0]["Arguments"]["--mode"], &runs[1]["Arguments"]["--JOB_NAME"]),
        (2, &json!("full"), &json!("x"))
    );
    env.wait_for_event_on("one", "Succeeded").await;
    let events = env.events().await;
    let notes: Vec<_> = events.iter().filter(|event| is_event_on(event, "one", "ReservedArgument")).collect();
    let [event] = notes[..] else { panic!("{notes:?}") };
    assert!(event.note.as_deref().is_some_and(|note| note.ends_with(": --JOB_NAME, --mode")), "{event:?}");
}

#[tokio::test]
async fn arguments_that_are_too_large_with_those_from_secrets_start_no_run() {
    let env = TestEnv::new("large").await;
    env.put_secret("db", &[("blob", &"x".repeat(100_000))]).await;
    let spec = json!({
        "arguments": {"--a": "x".repeat(200_000)},
        "argumentsFrom": [{"name": "--b", "secretKeyRef": {"name": "db", "key": "blob"}}],
    });
    env.create_run("one", "etl", spec).await;
    let message = env.wait_for_reason("one", "InvalidSpec").await;
    assert!(message.contains("300006 bytes, names and values, and Glue takes 266240"), "{message}");
    assert_eq!(env.start_calls(), 0);
}
