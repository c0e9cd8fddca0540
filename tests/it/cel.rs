//! What the API server admits of an object and what it refuses: every rule and every bound, in both
//! directions. The rooms of [`connection`] are about GlueConnection, [`crawls`] about GlueCrawlerRun, all others
//! about GlueJobRun.

mod admitted;
mod changed;
mod connection;
mod crawls;
mod credentials;
mod refused;
mod triggers;

use kube::Resource;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject};
use kube_glue::api::GlueJobRun;
use kube_glue::controllers::runtime::kind::Kind;
use kube_glue_testbed::ControlPlane;
use serde_json::{Value, json};

use crate::harness::merged;

/// Job runs in a namespace without a controller.
async fn runs() -> Api<DynamicObject> {
    of_kind::<GlueJobRun>().await
}

/// Objects of a kind in a namespace without a controller.
async fn of_kind<K: Kind>() -> Api<DynamicObject> {
    let plane = ControlPlane::shared().await.expect("a control plane");
    crate::crds::install(plane).await;
    let namespace = plane.namespace("cel").await.expect("a namespace");
    let client = plane.client().await.expect("a client");
    Api::namespaced_with(client, &namespace, &ApiResource::erase::<K>(&()))
}

fn object(name: &str, spec: &Value) -> DynamicObject {
    object_of::<GlueJobRun>(name, spec)
}

fn object_of<K: Resource<DynamicType = ()>>(name: &str, spec: &Value) -> DynamicObject {
    let head = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": name}});
    serde_json::from_value(merged(head, json!({"spec": spec}))).expect("an object")
}

/// What the API server says to a creation: nothing, or why not.
async fn create(runs: &Api<DynamicObject>, spec: &Value) -> Result<(), String> {
    create_of::<GlueJobRun>(runs, spec).await
}

async fn create_of<K: Resource<DynamicType = ()>>(objects: &Api<DynamicObject>, spec: &Value) -> Result<(), String> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    refusal(objects.create(&dry, &object_of::<K>("one", spec)).await)
}

fn refusal(answer: Result<DynamicObject, kube::Error>) -> Result<(), String> {
    match answer {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) => Err(status.message.clone()),
        Err(error) => panic!("{error}"),
    }
}

fn with(spec: &Value) -> Value {
    merged(json!({"jobName": "etl"}), spec.clone())
}

fn long(length: usize) -> String {
    "x".repeat(length)
}

/// Each spec is refused, with these words.
async fn are_refused(specs: Vec<(Value, &str)>) {
    let runs = runs().await;
    for (spec, words) in specs {
        let answer = create(&runs, &with(&spec)).await.expect_err(&spec.to_string());
        assert!(answer.contains(words), "{spec}: {answer:?} does not say {words:?}");
    }
}

/// Changes the spec, to see whether it would be admitted.
async fn patch(runs: &Api<DynamicObject>, name: &str, spec: &Value) -> Result<(), String> {
    let dry = PatchParams { dry_run: true, ..PatchParams::default() };
    refusal(runs.patch(name, &dry, &Patch::Merge(json!({"spec": spec}))).await)
}

/// No rule comes without its test.
#[test]
fn every_rule_is_tested() {
    let (credentials, changed) = (include_str!("cel/credentials.rs"), include_str!("cel/changed.rs"));
    let (refused, crawls) = (include_str!("cel/refused.rs"), include_str!("cel/crawls.rs"));
    let triggers = include_str!("cel/triggers.rs");
    for (kind, tests) in [
        ("GlueJobRun", vec![changed, refused, credentials]),
        ("GlueCrawlerRun", vec![changed, refused, crawls, credentials]),
        ("GlueTrigger", vec![triggers, credentials]),
        (
            "GlueConnection",
            vec![include_str!("cel/connection.rs"), include_str!("cel/connection/refused.rs"), credentials],
        ),
    ] {
        let messages = messages(kind);
        assert!(messages.len() > 5, "{messages:?}");
        for message in messages {
            let fixed = message.split_once(" cannot be changed: ");
            let words = fixed.map_or_else(|| message.clone(), |(field, _)| format!("\"{field}\""));
            assert!(tests.iter().any(|test| test.contains(&words)), "{kind}: no test knows the rule {message:?}");
        }
    }
}

/// The messages of all rules of a kind.
fn messages(kind: &str) -> Vec<String> {
    let mut messages = Vec::new();
    collect(&crd(kind)["spec"], &mut messages);
    messages
}

/// The definition of a kind.
fn crd(kind: &str) -> Value {
    let crds = serde_json::to_value(kube_glue::api::crds()).expect("JSON");
    let crd = crds.as_array().expect("a list").iter().find(|crd| crd["spec"]["names"]["kind"] == kind);
    crd.expect("the CRD").clone()
}

/// The messages of all rules in a schema.
fn collect(schema: &Value, messages: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            let rules = fields.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
            messages.extend(rules.map(|rule| rule["message"].as_str().expect("a message").to_owned()));
            fields.values().for_each(|field| collect(field, messages));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, messages)),
        _ => {}
    }
}
