//! Inventories of one identity share their reads, and none shows what belongs to another namespace.

use kube::api::{Api, Patch, PatchParams, PostParams};
use kube_glue::api::{GlueInventory, GlueJobRun};
use kube_glue_double::{AccessKey, DEFAULT_ACCOUNT, JobDefinition, Outcome, RunPlan, RunScript};
use serde_json::{Value, json};

use super::item;
use crate::harness::{DEFAULT_SECRET, REGION, TestEnv, access_key_data};

/// An environment whose controller watches a second namespace, too, in which the same access key is.
async fn two_namespaces(name: &str) -> (TestEnv, String) {
    let mut env = TestEnv::with_credentials(name).await;
    let other = env.plane.namespace(&format!("{name}-b")).await.expect("a namespace");
    put_keys(&env, &other, &env.key).await;
    let namespaces = format!("{},{other}", env.namespace);
    env.set_flags(&[("--namespaces", &namespaces)]);
    (env, other)
}

/// Writes the keys that a namespace uses.
async fn put_keys(env: &TestEnv, namespace: &str, key: &AccessKey) {
    let data = access_key_data(&key.id, &key.secret).into_iter();
    let data: serde_json::Map<String, Value> = data.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": DEFAULT_SECRET}, "stringData": data});
    let secrets: Api<k8s_openapi::api::core::v1::Secret> = Api::namespaced(env.client.clone(), namespace);
    let written = secrets.patch(DEFAULT_SECRET, &PatchParams::apply("test"), &Patch::Apply(secret)).await;
    written.expect("the Secret");
}

async fn create_in(env: &TestEnv, namespace: &str, name: &str, spec: Value) -> Api<GlueInventory> {
    let api: Api<GlueInventory> = Api::namespaced(env.client.clone(), namespace);
    let object = json!({"apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueInventory",
        "metadata": {"name": name}, "spec": spec});
    let object = serde_json::from_value(object).expect("an object");
    api.create(&PostParams::default(), &object).await.expect("the object");
    api
}

async fn wait_ready(env: &TestEnv, api: &Api<GlueInventory>, name: &str) -> GlueInventory {
    let is_ready = |object: Option<&GlueInventory>| {
        let ready = object.and_then(|object| object.status.as_ref()?.declared.condition("Ready"));
        ready.is_some_and(|ready| ready.status == "True")
    };
    let wait = kube::runtime::wait::await_condition(api.clone(), name, is_ready);
    let waited = tokio::time::timeout(crate::harness::WAIT_TIMEOUT, wait).await;
    waited.unwrap_or_else(|_| panic!("{name} is not ready\n{}", env.log_tail())).expect("a watch").expect("the object")
}

#[tokio::test]
async fn inventories_with_the_same_keys_share_one_set_of_calls() {
    let (mut env, other) = two_namespaces("ginv-shared").await;
    for n in 0..20 {
        env.define_job(JobDefinition::new(&format!("job{n:02}")));
    }
    let own = env.namespace.clone();
    let first = create_in(&env, &own, "all", json!({})).await;
    let second = create_in(&env, &other, "all", json!({})).await;
    let third = create_in(&env, &other, "jobs", json!({"everyMinutes": 3})).await;
    env.start_controller();
    for (api, name) in [(&first, "all"), (&second, "all"), (&third, "jobs")] {
        let object = wait_ready(&env, api, name).await;
        let counts = object.status.expect("a status").counts.expect("counts");
        assert_eq!(counts.jobs.map(|jobs| jobs.total), Some(21));
    }
    let count = |operation| env.double.requests().count(operation);
    // One that came while the first read was under way may have needed another.
    assert!(count("GetJobs") <= 2 && count("GetJobRuns") <= 42, "{} {}", count("GetJobs"), count("GetJobRuns"));
}

/// The same region and names, in two accounts.
#[tokio::test]
async fn inventories_of_two_accounts_see_their_own() {
    const OTHER_ACCOUNT: &str = "222222222222";
    let (mut env, other) = two_namespaces("ginv-accounts").await;
    for (account, job) in [(DEFAULT_ACCOUNT, "of-the-first"), (OTHER_ACCOUNT, "of-the-second")] {
        env.double.define_job(account, REGION, JobDefinition::new(job));
    }
    let key = env.double.iam().new_access_key(OTHER_ACCOUNT, "tenant");
    put_keys(&env, &other, &key).await;
    let first = create_in(&env, &env.namespace, "all", json!({})).await;
    let second = create_in(&env, &other, "all", json!({})).await;
    env.start_controller();
    let names = |object: &GlueInventory| -> Vec<String> {
        let items = object.status.iter().flat_map(|status| &status.items);
        items.map(|item| item.name.clone()).filter(|name| name.starts_with("of-")).collect()
    };
    let (first, second) = (wait_ready(&env, &first, "all").await, wait_ready(&env, &second, "all").await);
    assert_eq!((names(&first), names(&second)), (vec!["of-the-first".to_owned()], vec!["of-the-second".to_owned()]));
}

#[tokio::test]
async fn a_message_about_another_namespaces_run_is_withheld() {
    let (mut env, other) = two_namespaces("ginv-secrets").await;
    let secret = "hunter2-hunter2-hunter2";
    env.secrets.push(secret.to_owned());
    env.put_secret("db", &[("password", secret)]).await;
    let plan = RunPlan { outcome: Outcome::Failed(format!("login with {secret} failed")), ..RunPlan::default() };
    let script = super::at_once(RunScript::sequence([plan]));
    env.define_job(JobDefinition::new("load").max_concurrent_runs(9).script(script));
    env.start_controller();
    let from = json!([{"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}}]);
    env.create_run("fails", "load", json!({"argumentsFrom": from})).await;
    env.objects::<GlueJobRun>()
        .wait_until("fails", "it has failed", |run| {
            crate::harness::phase_of(run) == Some(kube_glue::api::run::Phase::Failed)
        })
        .await;
    let own = create_in(&env, &env.namespace, "all", json!({})).await;
    let foreign = create_in(&env, &other, "all", json!({})).await;
    let own = wait_ready(&env, &own, "all").await;
    assert_eq!(item(&own, "load")["lastRun"]["error"], "login with [hidden] failed");
    let foreign = wait_ready(&env, &foreign, "all").await;
    let message = item(&foreign, "load")["lastRun"]["error"].to_string();
    assert!(message.contains("the run was started for another namespace"), "{message}");
}
