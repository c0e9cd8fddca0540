//! What the API server admits of an object and what it refuses: every rule and every bound, in both
//! directions.

mod admitted;
mod changed;
mod crawls;
mod credentials;
mod refused;

use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject};
use kube_glue::api::GlueJobRun;
use kube_glue_bed::ControlPlane;
use serde_json::{Value, json};

use crate::world::{Ours, merged};

/// Job runs in a namespace without a controller.
async fn runs() -> Api<DynamicObject> {
    of_kind::<GlueJobRun>().await
}

/// Objects of a kind in a namespace without a controller.
async fn of_kind<K: Ours>() -> Api<DynamicObject> {
    let plane = ControlPlane::shared().await.expect("a control plane");
    crate::crds::install(plane).await;
    let namespace = plane.namespace("cel").await.expect("a namespace");
    let client = plane.client().await.expect("a client");
    Api::namespaced_with(client, &namespace, &ApiResource::erase::<K>(&()))
}

fn object(name: &str, spec: &Value) -> DynamicObject {
    let head = json!({"apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun", "metadata": {"name": name}});
    serde_json::from_value(merged(head, json!({"spec": spec}))).expect("an object")
}

/// What the API server says to a creation: nothing, or why not.
async fn create(runs: &Api<DynamicObject>, spec: &Value) -> Result<(), String> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    refusal(runs.create(&dry, &object("one", spec)).await)
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
    let tests = [
        include_str!("cel/changed.rs"),
        include_str!("cel/credentials.rs"),
        include_str!("cel/refused.rs"),
        include_str!("cel/crawls.rs"),
    ];
    let crds = serde_json::to_value(kube_glue::api::crds()).expect("JSON");
    let runs = ["GlueJobRun", "GlueCrawlerRun"];
    let crds = crds
        .as_array()
        .expect("a list")
        .iter()
        .filter(|crd| runs.iter().any(|run| crd["spec"]["names"]["kind"] == *run));
    let mut messages = Vec::new();
    crds.for_each(|crd| collect(&crd["spec"], &mut messages));
    assert!(messages.len() > 30, "{messages:?}");
    for message in messages {
        let fixed = message.strip_suffix(" cannot be changed: a new run is a new object");
        let fixed = fixed.or_else(|| message.strip_suffix(" cannot be changed: a new crawl is a new object"));
        let words = fixed.map_or_else(|| message.clone(), |field| format!("\"{field}\""));
        assert!(tests.iter().any(|test| test.contains(&words)), "no test knows the rule {message:?}");
    }
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
