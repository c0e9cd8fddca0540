//! No pass over an object of any kind panics, whatever its spec and its status are, and whatever Glue answers.
//!
//! Each property is tried with [`CASES`] inputs, or as many as `PROPTEST_CASES` says. An input is an object and an answer that
//! have some of their values removed or replaced. The controller that works on it is restarted a few times, so that
//! passes follow on all that earlier ones wrote.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use futures::future;
use k8s_openapi::ByteString;
use kube::Client;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::api_server;
use super::shared::shared;
use crate::api::{FINALIZER, GlueConnection, GlueCrawlerRun, GlueInventory, GlueJobRun, GlueTrigger, GlueWorkflowRun};
use crate::controllers::runtime::context::Context;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::lifecycle::Lifecycle;
use crate::controllers::runtime::requeue::Requeuer;
use crate::controllers::runtime::watch::Cache;
use crate::controllers::runtime::{Settings, reconcile_loop};
use crate::glue::aws::tests::fixture::{Answers, block_on, config};
use crate::glue::aws::tests::hostile::text;
use crate::glue::identity::Rules;
use crate::metrics::Metrics;

/// How many inputs each kind is tried with.
const CASES: u32 = 24;
/// How often the controller is started for one input.
const STARTS: usize = 4;
/// For how long it works each time. The clock passes as soon as everything waits for it.
const WORKS: Duration = Duration::from_secs(40);

/// A change of a document: at which of its values, and to what; nothing where the value is removed.
type Change = (prop::sample::Index, Option<Value>);

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let leaf = prop_oneof![
        3 => text().prop_map(Value::from),
        2 => any::<i32>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(json!([])),
        1 => Just(json!({})),
        2 => prop::sample::select(&["FAILED", "RUNNING", "2026-11-27T00:00:00Z", "cron(0 0 30 2 ? *)", "Succeeded"][..])
            .prop_map(Value::from),
    ];
    let value = prop_oneof![3 => leaf.prop_map(Some), 1 => Just(None)];
    prop::collection::vec((any::<prop::sample::Index>(), value), 0..most)
}

/// The document with these changes.
fn changed(mut document: Value, changes: &[Change]) -> Value {
    for (index, value) in changes {
        let mut pointers = Vec::new();
        pointers_of(&document, String::new(), &mut pointers);
        if pointers.is_empty() {
            return document;
        }
        let (parent, key) = pointers[index.index(pointers.len())].rsplit_once('/').expect("a pointer has a slash");
        let key = key.replace("~1", "/").replace("~0", "~");
        match (document.pointer_mut(parent), value) {
            (Some(Value::Object(members)), Some(value)) => drop(members.insert(key, value.clone())),
            (Some(Value::Object(members)), None) => drop(members.remove(&key)),
            (Some(Value::Array(items)), Some(value)) => items[key.parse::<usize>().unwrap()] = value.clone(),
            (Some(Value::Array(items)), None) => drop(items.remove(key.parse().unwrap())),
            _ => {}
        }
    }
    document
}

/// The JSON pointers of all values in the document.
fn pointers_of(value: &Value, prefix: String, pointers: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (format!("{prefix}/{}", name.replace('~', "~0").replace('/', "~1")), value))
            .collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, value)| (format!("{prefix}/{n}"), value)).collect(),
        _ => Vec::new(),
    };
    if !prefix.is_empty() {
        pointers.push(prefix);
    }
    for (pointer, value) in inner {
        pointers_of(value, pointer, pointers);
    }
}

/// An answer that has what each operation of Glue answers.
fn answer() -> Value {
    let run = json!({
        "Id": "jr_1", "JobName": "etl", "JobRunState": "FAILED", "StartedOn": 1.7e9, "CompletedOn": 1.7e9, "Attempt": 1,
        "PreviousRunId": "jr_0", "ErrorMessage": "boom", "ExecutionTime": 7, "DPUSeconds": 3.5, "WorkerType": "G.1X",
        "NumberOfWorkers": 2, "Timeout": 60, "Arguments": {"--kube-glue-run": "a/uid/0"}, "TriggerName": "nightly",
    });
    let crawl = json!({"CrawlId": "c1", "State": "COMPLETED", "StartTime": 1.7e9, "EndTime": 1.7e9, "Summary": "{\"TABLE\": \"{}\"}"});
    let trigger = json!({"Name": "nightly", "Type": "SCHEDULED", "State": "ACTIVATED", "Schedule": "cron(15 2 * * ? *)",
        "Actions": [{"JobName": "etl"}, {"CrawlerName": "raw"}], "WorkflowName": "daily",
        "Predicate": {"Conditions": [{"JobName": "etl", "State": "SUCCEEDED"}]}});
    let node = json!({"Type": "JOB", "Name": "etl", "UniqueId": "n1", "JobDetails": {"JobRuns": [run]},
        "CrawlerDetails": {"Crawls": [crawl]}, "TriggerDetails": {"Trigger": trigger}});
    let workflow_run = json!({"Name": "daily", "WorkflowRunId": "wr_1", "Status": "COMPLETED", "StartedOn": 1.7e9,
        "WorkflowRunProperties": {"kube-glue-run": "a/uid/0"}, "Graph": {"Nodes": [node], "Edges": [{"SourceId": "n1", "DestinationId": "n1"}]},
        "Statistics": {"TotalActions": 1, "FailedActions": 1, "RunningActions": 0}});
    let crawler = json!({"Name": "raw", "State": "READY", "CrawlElapsedTime": 1000, "Targets": {"S3Targets": [{"Path": "s3://a"}]},
        "LastCrawl": {"Status": "SUCCEEDED", "StartTime": 1.7e9}, "Schedule": {"ScheduleExpression": "cron(15 2 * * ? *)"}});
    let connection = json!({"Name": "one", "ConnectionType": "JDBC", "ConnectionProperties": {"JDBC_CONNECTION_URL": "jdbc:a://b"},
        "CreationTime": 1.7e9, "LastUpdatedTime": 1.7e9, "LastUpdatedBy": "arn:aws:iam::1:user/a", "Status": "READY"});
    let job = json!({"Name": "etl", "MaxRetries": 1, "ExecutionProperty": {"MaxConcurrentRuns": 1}, "Command": {"Name": "glueetl"}});
    json!({
        "JobRunId": "jr_1", "JobRun": run, "JobRuns": [run], "Job": job, "Jobs": [job], "Crawlers": [crawler],
        "CrawlerNames": ["raw"], "Crawls": [crawl], "Triggers": [trigger], "Trigger": trigger, "ConnectionList": [connection],
        "RunId": "wr_1", "Run": workflow_run, "Runs": [workflow_run], "Workflow": {"Name": "daily", "LastRun": workflow_run, "Graph": {"Nodes": [node]}},
        "Workflows": ["daily"], "CrawlerMetricsList": [{"CrawlerName": "raw", "TimeLeftSeconds": 1.5}], "Name": "nightly",
        "Tags": {"a": "b"}, "SuccessfulSubmissions": [{"JobName": "etl", "JobRunId": "jr_1"}], "Errors": {},
        "__type": "ThrottlingException", "message": "slow down",
    })
}

/// An API server that has one object, every Secret and every ConfigMap, and takes every write.
struct Server {
    object: Mutex<Value>,
}

impl Server {
    fn client(self: &Arc<Self>) -> Client {
        let server = Arc::clone(self);
        api_server::client(move |method, uri, body| {
            let answer = server.answer(&method, uri.path(), &body).map(|value| (StatusCode::OK, value));
            future::ready(answer.unwrap_or_else(|| api_server::failure(StatusCode::NOT_FOUND, "NotFound")))
        })
    }

    fn answer(&self, method: &Method, path: &str, body: &[u8]) -> Option<Value> {
        if let Some((_, name)) = path.split_once("/secrets/") {
            let value = ByteString(b"AKIA1-hush-hush".to_vec());
            let data = json!({"AWS_ACCESS_KEY_ID": value, "AWS_SECRET_ACCESS_KEY": value, "password": value});
            return Some(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}));
        }
        if let Some((_, name)) = path.split_once("/configmaps/") {
            return Some(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"day": "monday"}}),
            );
        }
        let mut object = self.object.lock().unwrap();
        match *method {
            Method::GET => {}
            Method::PATCH if !path.contains("/events") => {
                json_patch::merge(&mut object, &serde_json::from_slice(body).ok()?);
                let version = object["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok());
                object["metadata"]["resourceVersion"] = json!((version.unwrap_or(0_u64) + 1).to_string());
            }
            // An Event comes back as it was sent.
            _ => return serde_json::from_slice(body).ok(),
        }
        Some(object.clone())
    }
}

/// Runs the controller of `K` on the object. Returns how many passes it made, and how many of them panicked.
async fn passes<K: Kind>(server: &Arc<Server>, answers: &Answers) -> (u64, u64) {
    // Nobody listens there.
    let receivers = vec!["*=http://127.0.0.1:9".parse().unwrap()];
    let settings = Settings { identity_rules: Rules { receivers, ..Rules::default() }, ..Settings::example() };
    let (client, metrics) = (server.client(), Metrics::new());
    for _ in 0..STARTS {
        let Ok(object) = serde_json::from_value::<K>(server.object.lock().unwrap().clone()) else { break };
        let shared = shared::<K>(&client, config(answers.clone()).await, &settings, &metrics);
        let (requeuer, queue) = Requeuer::new();
        let context = Arc::new(Context::<K>::new(shared, requeuer.clone()));
        context.local_states.register("uid", false);
        K::Lifecycle::on_applied(&context, &object, true);
        requeuer.requeue(("a".to_owned(), "one".to_owned()));
        let stop = CancellationToken::new();
        let changes = futures::stream::pending();
        let work = reconcile_loop::run(Arc::clone(&context), Cache::holding([object]), changes, queue, stop.clone());
        let end = async {
            tokio::time::sleep(WORKS).await;
            stop.cancel();
        };
        future::join(work, end).await;
    }
    let text = metrics.render().unwrap();
    let sum = |name: &str, label: &str| -> u64 {
        let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    };
    (sum("kube_glue_reconciles_total", ""), sum("kube_glue_reconcile_errors_total", "class=\"panic\""))
}

/// Whether all passes end well over objects with this spec, or one that is similar, and a status that another version or a
/// person may have written.
fn no_pass_panics<K: Kind>(spec: &Value, status: &Value) {
    let tried = Mutex::new((0_u64, 0));
    let metadata = json!({"namespace": "a", "name": "one", "uid": "uid", "resourceVersion": "1", "generation": 1});
    let usual = json!({"metadata": metadata, "spec": spec, "status": status, "apiVersion": K::api_version(&()), "kind": K::kind(&())});
    let server = Arc::new(Server { object: Mutex::new(usual.clone()) });
    let (unchanged, _) = block_on(passes::<K>(&server, &Answers::new(200, "", answer().to_string())));
    assert!(unchanged >= STARTS as u64, "{unchanged} passes over the object before it is changed");
    proptest!(ProptestConfig::with_cases(CASES), |(
        of_spec in changes(4),
        of_status in prop::option::of(changes(4)),
        of_answer in changes(6),
        code in prop_oneof![6 => Just(200_u16), 1 => Just(400), 1 => Just(500)],
        is_deleted in prop::bool::weighted(0.2),
    )| {
        let specs = [changed(spec.clone(), &of_spec), spec.clone()];
        let statuses = [of_status.map(|changes| changed(status.clone(), &changes)), Some(status.clone())];
        let objects = statuses.iter().flat_map(|status| specs.iter().map(|spec| {
            let mut object = usual.clone();
            object["spec"] = spec.clone();
            object["status"] = status.clone().unwrap_or_default();
            if is_deleted {
                object["metadata"]["deletionTimestamp"] = json!("2026-11-27T00:00:00Z");
                object["metadata"]["finalizers"] = json!([FINALIZER]);
            }
            object
        }));
        // The API server's schema keeps the others away.
        let mut objects = objects.filter(|object| serde_json::from_value::<K>(object.clone()).is_ok());
        let object = objects.next().expect("one that is not changed");
        let server = Arc::new(Server { object: Mutex::new(object) });
        let answers = Answers::new(code, "", changed(answer(), &of_answer).to_string());
        let (passes, panics) = block_on(passes::<K>(&server, &answers));
        let mut tried = tried.lock().unwrap();
        *tried = (tried.0 + 1, tried.1 + passes);
        drop(tried);
        prop_assert!(passes > 0);
        prop_assert_eq!(panics, 0, "{}", server.object.lock().unwrap());
    });
    let (objects, passes) = tried.into_inner().unwrap();
    println!("{passes} passes over {objects} objects of the kind {}", K::KIND);
}

fn credentials() -> Value {
    json!({"secretName": "keys", "assumeRole": {"roleArn": "arn:aws:iam::222222222222:role/etl", "sessionTags": {"a": "b"}}})
}

/// The status of a run that is followed.
fn followed() -> Value {
    let attempt = json!({
        "id": "jr_1", "number": 0, "retry": 0, "key": "a/uid/0", "state": "RUNNING", "accepted": true,
        "activeSince": "2026-11-27T00:00:00Z", "intendedAt": "2026-11-27T00:00:00Z",
    });
    json!({
        "observedGeneration": 1, "phase": "Running", "runId": "jr_1", "attempts": [attempt],
        "conditions": [{"type": "Ready", "status": "False", "reason": "Running", "message": "",
            "lastTransitionTime": "2026-11-27T00:00:00Z"}],
    })
}

#[test]
fn whatever_a_job_run_is() {
    let key = json!({"name": "db", "key": "password"});
    let from = json!([{"name": "--password", "secretKeyRef": key}, {"name": "--d", "configMapKeyRef": {"name": "c", "key": "day"}}]);
    let spec = json!({
        "jobName": "etl", "region": "eu-west-1", "credentials": credentials(), "arguments": {"--day": "monday"},
        "argumentsFrom": from, "workers": {"type": "G.1X", "count": 2}, "timeoutMinutes": 10, "executionClass": "FLEX",
        "retry": {"limit": 2, "states": ["FAILED"], "backoffSeconds": 1, "maxBackoffSeconds": 600}, "stop": false,
        "suspend": false, "ttlSecondsAfterFinished": 60, "idempotencyKey": "2026-11-27", "activeDeadlineSeconds": 600,
        "startDeadlineSeconds": 60, "deletionPolicy": "Stop", "notifyDelayAfterMinutes": 5,
    });
    no_pass_panics::<GlueJobRun>(&spec, &followed());
}

#[test]
fn whatever_a_crawler_run_is() {
    let spec = json!({
        "crawlerName": "raw", "region": "eu-west-1", "credentials": credentials(), "onAlreadyRunning": "Attach",
        "retry": {"limit": 1}, "ttlSecondsAfterFinished": 60, "activeDeadlineSeconds": 600, "deletionPolicy": "Stop",
    });
    no_pass_panics::<GlueCrawlerRun>(&spec, &followed());
}

#[test]
fn whatever_a_workflow_run_is() {
    let from = json!([{"name": "password", "secretKeyRef": {"name": "db", "key": "password"}}]);
    let spec = json!({
        "workflowName": "daily", "region": "eu-west-1", "credentials": credentials(), "runProperties": {"day": "monday"},
        "runPropertiesFrom": from, "succeedWhen": "AllActionsSucceeded", "ttlSecondsAfterFinished": 60,
        "activeDeadlineSeconds": 600,
    });
    no_pass_panics::<GlueWorkflowRun>(&spec, &followed());
}

#[test]
fn whatever_a_trigger_is() {
    let spec = json!({
        "triggerName": "nightly", "region": "eu-west-1", "credentials": credentials(), "state": "Activated", "fire": "once",
        "driftPolicy": "Correct", "deletionPolicy": "Deactivate",
    });
    let firing = json!({"number": 0, "value": "before", "intendedAt": "2026-11-27T00:00:00Z", "baseline": [{"kind": "Job", "name": "etl", "id": "jr_0"}]});
    let status = json!({"observedGeneration": 1, "state": "ACTIVATED", "lastFiring": firing, "pendingFires": ["once"]});
    no_pass_panics::<GlueTrigger>(&spec, &status);
}

#[test]
fn whatever_a_connection_is() {
    let from = json!([{"name": "PASSWORD", "secretKeyRef": {"name": "db", "key": "password"}}]);
    let spec = json!({
        "connectionName": "one", "connectionType": "JDBC", "region": "eu-west-1", "credentials": credentials(),
        "properties": {"JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/x", "USERNAME": "etl"}, "propertiesFrom": from,
        "physicalRequirements": {"subnetId": "subnet-1", "securityGroupIds": ["sg-1"], "availabilityZone": "eu-west-1a"},
        "tags": {"team": "data"}, "test": {"everyMinutes": 5, "beforeCreate": true}, "matchCriteria": ["a"],
        "adoptionPolicy": "Adopt", "driftPolicy": "Correct", "deletionPolicy": "Delete", "description": "d",
    });
    let applied = json!({"fingerprint": "f", "at": "2026-11-27T00:00:00Z", "createdAt": "2023-11-14T22:13:20Z"});
    let status = json!({"observedGeneration": 1, "connectionName": "one", "applied": applied});
    no_pass_panics::<GlueConnection>(&spec, &status);
}

#[test]
fn whatever_an_inventory_is() {
    let of = json!({"enabled": true, "includes": ["^a.*", "b"], "excludes": ["c$"]});
    let spec = json!({
        "lineage": {"namespace": "n", "fromScripts": true, "transport": {
            "url": "http://127.0.0.1:9", "apiKeySecretRef": {"name": "catalog", "key": "password"},
        }},
        "region": "eu-west-1", "credentials": credentials(), "everyMinutes": 1, "jobs": of, "crawlers": of, "triggers": of,
        "workflows": of, "markDeleted": true, "includeTags": true, "runsPerJob": 3, "maxItems": 10,
    });
    let item = json!({"name": "etl", "type": "Job", "state": "Failed"});
    let status = json!({"observedGeneration": 1, "items": [item], "lastWholeAt": "2026-11-27T00:00:00Z"});
    no_pass_panics::<GlueInventory>(&spec, &status);
}
