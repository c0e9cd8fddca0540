//! Validation by the API server: every CEL rule and every bound of the schemas, with values that it accepts and values
//! that it rejects. There is no controller in these tests.

mod connection;
mod crawler_run;
mod credentials;
mod inventory;
mod job_run;
mod trigger;
pub mod wild;
mod workflow_run;

use kube::Resource;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject};
use kube_glue::controllers::runtime::kind::Kind;
use kube_glue_testbed::ControlPlane;
use serde_json::{Value, json};

use crate::harness::merged;

/// The objects of a kind in a new namespace.
async fn new_api<K: Kind>() -> Api<DynamicObject> {
    let plane = ControlPlane::shared().await.expect("a control plane");
    crate::crds::install(plane).await;
    let namespace = plane.namespace("cel").await.expect("a namespace");
    let client = plane.client().await.expect("a client");
    Api::namespaced_with(client, &namespace, &ApiResource::erase::<K>(&()))
}

fn object_of<K: Resource<DynamicType = ()>>(name: &str, spec: &Value) -> DynamicObject {
    let head = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": name}});
    serde_json::from_value(merged(head, json!({"spec": spec}))).expect("an object")
}

async fn create<K: Resource<DynamicType = ()>>(
    objects: &Api<DynamicObject>,
    name: &str,
    spec: &Value,
) -> DynamicObject {
    objects.create(&PostParams::default(), &object_of::<K>(name, spec)).await.expect(name)
}

/// Creates an object in a dry run. The error is the API server's message.
async fn dry_run_create<K: Resource<DynamicType = ()>>(
    objects: &Api<DynamicObject>,
    spec: &Value,
) -> Result<(), String> {
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    rejection(objects.create(&dry_run, &object_of::<K>("one", spec)).await)
}

/// Merges `spec` into the spec of an object in a dry run. The error is the API server's message.
async fn dry_run_patch(objects: &Api<DynamicObject>, name: &str, spec: &Value) -> Result<(), String> {
    let dry_run = PatchParams { dry_run: true, ..PatchParams::default() };
    rejection(objects.patch(name, &dry_run, &Patch::Merge(json!({"spec": spec}))).await)
}

fn rejection(response: Result<DynamicObject, kube::Error>) -> Result<(), String> {
    match response {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) => Err(status.message.clone()),
        Err(error) => panic!("{error}"),
    }
}

/// Asserts that the API server accepts objects with these specs.
async fn assert_accepted<K: Kind>(specs: impl IntoIterator<Item = Value>) {
    let objects = new_api::<K>().await;
    for spec in specs {
        assert_eq!(dry_run_create::<K>(&objects, &spec).await, Ok(()), "{spec}");
    }
}

/// Asserts that the API server rejects objects with these specs, each with this text in its message.
async fn assert_rejected<K: Kind>(specs: impl IntoIterator<Item = (Value, &str)>) {
    let objects = new_api::<K>().await;
    for (spec, text) in specs {
        let message = dry_run_create::<K>(&objects, &spec).await.expect_err(&spec.to_string());
        assert!(message.contains(text), "{spec}: {message:?} does not contain {text:?}");
    }
}

/// Asserts that none of these fields can be set to this value in the object of this name; `remedy` ends the message.
async fn assert_immutable(
    objects: &Api<DynamicObject>,
    changes: impl IntoIterator<Item = (&str, &str, Value)>,
    remedy: &str,
) {
    for (name, field, value) in changes {
        let message = dry_run_patch(objects, name, &json!({field: value})).await;
        let message = message.expect_err(&format!("{name}: {field}: {value}"));
        let expected = format!("{field} cannot be changed: {remedy}");
        assert!(message.contains(&expected), "{name}: {field}: {value}: {message}");
    }
}

/// Asserts that each of these changes to the spec of an object is accepted.
async fn assert_mutable(objects: &Api<DynamicObject>, name: &str, changes: impl IntoIterator<Item = Value>) {
    for spec in changes {
        assert_eq!(dry_run_patch(objects, name, &spec).await, Ok(()), "{name}: {spec}");
    }
}

/// A string of `length` characters.
fn long(length: usize) -> String {
    "x".repeat(length)
}

#[test]
fn every_validation_rule_has_a_test() {
    let (credentials, updates) =
        (include_str!("validation/credentials.rs"), include_str!("validation/job_run/updates.rs"));
    let job_run = include_str!("validation/job_run/rejected.rs");
    let connection =
        concat!(include_str!("validation/connection/rejected.rs"), include_str!("validation/connection/types.rs"));
    for (kind, tests) in [
        ("GlueJobRun", vec![updates, job_run, credentials]),
        ("GlueCrawlerRun", vec![updates, job_run, include_str!("validation/crawler_run.rs"), credentials]),
        ("GlueWorkflowRun", vec![updates, job_run, include_str!("validation/workflow_run.rs"), credentials]),
        ("GlueTrigger", vec![include_str!("validation/trigger.rs"), credentials]),
        ("GlueConnection", vec![include_str!("validation/connection.rs"), connection, credentials]),
        ("GlueInventory", vec![include_str!("validation/inventory.rs"), credentials]),
    ] {
        let messages = rule_messages(kind);
        assert!(messages.len() > 5, "{messages:?}");
        for message in messages {
            let immutable = message.split_once(" cannot be changed: ");
            let text = immutable.map_or_else(|| message.clone(), |(field, _)| format!("\"{field}\""));
            assert!(tests.iter().any(|test| test.contains(&text)), "{kind}: no test has the rule {message:?}");
        }
    }
}

/// The messages of all CEL rules of a kind.
fn rule_messages(kind: &str) -> Vec<String> {
    let mut messages = Vec::new();
    collect_rule_messages(&crd(kind)["spec"], &mut messages);
    messages
}

/// The CRD of a kind.
fn crd(kind: &str) -> Value {
    let crds = serde_json::to_value(kube_glue::api::crds()).expect("JSON");
    let crd = crds.as_array().expect("a list").iter().find(|crd| crd["spec"]["names"]["kind"] == kind);
    crd.expect("the CRD").clone()
}

fn collect_rule_messages(schema: &Value, messages: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            let rules = fields.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
            messages.extend(rules.map(|rule| rule["message"].as_str().expect("a message").to_owned()));
            fields.values().for_each(|field| collect_rule_messages(field, messages));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_rule_messages(item, messages)),
        _ => {}
    }
}
