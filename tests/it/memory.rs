//! What objects cost the controller: a bounded number of bytes each, however large the API server admits them.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use kube::ResourceExt;
use kube_glue::api::run::Phase;
use kube_glue::api::{GlueConnection, GlueJobRun};
use serde_json::{Value, json};

use crate::harness::{Objects, TestEnv, merged, status};

/// The most bytes that the process may grow by for each object. The objects have 500 KB each.
const MOST_PER_OBJECT: u64 = 96 * 1024;
/// How many objects are created at a time.
const AT_A_TIME: usize = 8;

/// Metadata with as many annotations as the API server admits, 256 KiB in all.
fn metadata(name: &str) -> Value {
    json!({"name": name, "annotations": {"example.com/note": "n".repeat(250_000), "kube-glue.dev/note": "n".repeat(10_000)}})
}

/// A job run with as many bytes of arguments as the API server admits, 260 KiB in all.
fn run(spec: Value) -> Value {
    let arguments: BTreeMap<_, _> = (0..100).map(|n| (format!("--{n:03}"), "a".repeat(2_650))).collect();
    merged(json!({"jobName": "etl", "arguments": arguments}), spec)
}

/// A connection with large properties for each environment. It waits for its Secret: what Glue holds is not the question.
fn connection() -> Value {
    let properties: BTreeMap<_, _> = (0..100).map(|n| (format!("option{n}"), "p".repeat(1_500))).collect();
    json!({
        "connectionType": "NETWORK", "credentials": {"secretName": "absent"}, "sparkProperties": properties, "athenaProperties": properties,
        "physicalRequirements": {"subnetId": "subnet-1", "securityGroupIds": ["sg-1"], "availabilityZone": "eu-west-1a"},
    })
}

/// Creates objects, and waits until the controller has observed them all.
async fn fill<K: kube_glue::controllers::runtime::kind::Kind>(
    objects: &Objects<'_, K>,
    names: impl Iterator<Item = String>,
    spec: &Value,
) {
    let create = |name: String| async move {
        let object = json!({"metadata": metadata(&name), "spec": spec});
        objects.try_create(object).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let is_observed = |object: &K| status(object)["conditions"].is_array();
        objects.wait_until(&name, "the controller has observed it", is_observed).await;
    };
    stream::iter(names.map(create)).buffer_unordered(AT_A_TIME).collect::<Vec<_>>().await;
}

async fn fill_both(env: &TestEnv, range: std::ops::Range<usize>) {
    let suspended = run(json!({"suspend": true}));
    let names = |kind: &'static str| range.clone().map(move |n| format!("{kind}-{n:03}"));
    fill(&env.objects::<GlueJobRun>(), names("run"), &suspended).await;
    fill(&env.objects::<GlueConnection>(), names("connection"), &connection()).await;
}

#[tokio::test]
async fn the_largest_objects_cost_a_bounded_number_of_bytes() {
    let mut env = TestEnv::with_credentials("memory").await;
    env.set_flags(&[("--log", "info")]);
    env.start_controller();
    // The first objects grow the heap to what the passes over some of them need.
    fill_both(&env, 0..20).await;
    let before = env.resident_bytes();
    fill_both(&env, 20..100).await;
    let (after, objects) = (env.resident_bytes(), 2 * 80);
    let grown = after.saturating_sub(before) / objects;
    println!("{} KiB for each of {objects} more objects ({before} bytes before, {after} after)", grown / 1024);
    assert!(grown <= MOST_PER_OBJECT, "{grown} bytes for each object");
    let metrics = env.metrics().await;
    for kind in ["GlueJobRun", "GlueConnection"] {
        for name in ["objects", "largest_namespace_objects"] {
            let line = format!("kube_glue_{name}{{kind=\"{kind}\"}} 100");
            assert!(metrics.contains(&line), "{line} is not in {metrics}");
        }
    }

    // The list of all of them after a restart.
    env.kill_controller();
    env.start_controller();
    env.wait_for_log("it", "watches: all listed").await;
    env.patch_spec("run-000", json!({"suspend": false})).await;
    env.wait_finished("run-000", Phase::Succeeded).await;
    let restarted = env.resident_bytes();
    println!("{restarted} bytes after a restart with {} objects", 2 * 100);
    // The list is read while passes read some objects whole; kept whole, all of them would have 100 MB.
    assert!(
        restarted <= before + 2 * 100 * MOST_PER_OBJECT,
        "{restarted} bytes after a restart, {before} with few objects"
    );
}

/// A pass reads the object whole: nothing that the cache does not hold is lost.
#[tokio::test]
async fn a_large_object_is_started_with_all_that_it_has() {
    let env = TestEnv::new("large").await;
    let foreign = "example.com/keeps-it";
    let metadata = merged(metadata("one"), json!({"finalizers": [foreign]}));
    let created = env.try_create(json!({"metadata": metadata, "spec": run(json!({}))})).await.expect("an object");
    env.wait_finished("one", Phase::Succeeded).await;
    let sent = &env.glue_runs("etl")[0]["Arguments"];
    for (name, value) in created.spec.arguments.iter().flatten() {
        assert_eq!(sent[name], *value, "{name}");
    }
    let finished = env.job_runs().get("one").await.expect("the object");
    assert_eq!(finished.finalizers(), [foreign]);
    assert_eq!(finished.annotations().len(), 2, "the object itself has all of its annotations");
    let release = kube::api::Patch::Merge(json!({"metadata": {"finalizers": null}}));
    env.job_runs().patch("one", &kube::api::PatchParams::default(), &release).await.expect("a release");
}
