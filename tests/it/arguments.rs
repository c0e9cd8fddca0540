//! Arguments from Secrets and ConfigMaps: they reach Glue, and nobody else.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ObjectMeta, PostParams};
use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, RunScript};
use serde_json::json;

use crate::harness::{World, ready};

const PASSWORD: &str = "correct-horse-battery";

async fn put_config(world: &World, name: &str, data: &[(&str, &str)]) {
    let map = ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(
            data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>(),
        ),
        ..ConfigMap::default()
    };
    let api: Api<ConfigMap> = Api::namespaced(world.client.clone(), &world.namespace);
    api.create(&PostParams::default(), &map).await.expect("the ConfigMap");
}

#[tokio::test]
async fn values_from_secrets_and_config_maps_reach_glue_and_nobody_else() {
    let mut world = World::new("arguments").await;
    world.secrets.push(PASSWORD.to_owned());
    world.put_secret("db", &[("password", PASSWORD)]).await;
    put_config(&world, "paths", &[("input", "s3://in")]).await;
    // The script fails, and its message shows the password, as scripts do.
    world.job(JobDefinition::new("leaky").script(RunScript::fails(&format!("login with {PASSWORD} was refused"))));
    let from = json!({
        "arguments": {"--day": "monday"},
        "argumentsFrom": [
            {"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}},
            {"name": "--input", "configMapKeyRef": {"name": "paths", "key": "input"}},
            {"name": "--absent", "configMapKeyRef": {"name": "paths", "key": "absent", "optional": true}},
        ],
    });
    world.double.clock().set_speed(100.0);
    world.run("one", "leaky", from).await;
    let run = world.phase("one", Phase::Failed).await;
    assert_eq!(ready(&run).1, "login with [hidden] was refused");
    let sent = world.glue_runs("leaky")[0]["Arguments"].clone();
    let named = |name: &str| sent[name].as_str().map(str::to_owned);
    assert_eq!(named("--password").as_deref(), Some(PASSWORD));
    assert_eq!(named("--input").as_deref(), Some("s3://in"));
    assert_eq!(named("--day").as_deref(), Some("monday"));
    assert_eq!(named("--absent"), None);
    world.assert_nothing_leaked().await;
}

#[tokio::test]
async fn what_is_missing_is_said_and_healed() {
    let world = World::new("missing").await;
    let from = json!({"argumentsFrom": [{"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}}]});
    world.run("one", "etl", from).await;
    let message = world.reason("one", "ArgumentNotFound").await;
    let secret = format!("there is no key password in Secret {}/db: add it", world.namespace);
    assert!(message.contains("argument --password") && message.contains(&secret), "{message}");
    assert_eq!(world.starts(), 0);
    world.put_secret("db", &[("password", "found-at-last")]).await;
    world.phase("one", Phase::Succeeded).await;
}

#[tokio::test]
async fn our_own_argument_is_not_the_users_to_set() {
    let world = World::new("reserved").await;
    world.run("one", "etl", json!({"arguments": {"--kube-glue-run": "mine"}})).await;
    let message = world.reason("one", "InvalidSpec").await;
    assert!(message.contains("argument --kube-glue-run"), "{message}");
    assert_eq!(world.starts(), 0);
}
