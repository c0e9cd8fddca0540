//! Arguments by which Glue runs other code than the job's.

use kube_glue::api::run::Phase;
use serde_json::json;

use super::two_accounts;
use crate::harness::{DEFAULT_SECRET, TestEnv, access_key_data};

async fn with_identity(name: &str) -> TestEnv {
    let mut env = two_accounts(name, |role| role).await;
    let key = env.key.clone();
    env.aws.extend([("AWS_ACCESS_KEY_ID", key.id), ("AWS_SECRET_ACCESS_KEY", key.secret)]);
    env.set_flags(&[("--controller-identity-namespaces", "*")]);
    env
}

#[tokio::test]
async fn who_uses_the_controllers_identity_runs_the_code_of_the_job_only() {
    let mut env = with_identity("args-own").await;
    env.start_controller();
    env.put_secret("elsewhere", &[("code", "s3://elsewhere/evil.zip")]).await;
    let from = json!([{"name": "--extra-py-files", "secretKeyRef": {"name": "elsewhere", "key": "code"}}]);
    env.create_run("from", "etl", json!({"argumentsFrom": from})).await;
    env.create_run("script", "etl", json!({"arguments": {"--scriptLocation": "s3://mine/evil.py"}})).await;
    for (name, argument) in [("from", "--extra-py-files"), ("script", "--scriptLocation")] {
        let message = env.wait_for_reason(name, "ArgumentNotAllowed").await;
        assert!(message.contains(argument) && message.contains("--refused-arguments"), "{message}");
    }
    assert_eq!(env.start_calls(), 0);
    // Keys of its own are the namespace's: it could send the call itself.
    env.put_secret(DEFAULT_SECRET, &access_key_data(&env.key.id, &env.key.secret)).await;
    for name in ["from", "script"] {
        env.wait_finished(name, Phase::Succeeded).await;
    }
}

#[tokio::test]
async fn the_operators_list_applies_to_its_namespaces_with_their_own_keys_too() {
    let mut env = with_identity("args-list").await;
    env.put_secret(DEFAULT_SECRET, &access_key_data(&env.key.id, &env.key.secret)).await;
    let script = json!({"arguments": {"--scriptLocation": "s3://mine/evil.py"}});
    env.set_flags(&[("--refused-arguments", "args-list-*=--script*,other=*")]);
    env.start_controller();
    env.create_run("refused", "etl", script).await;
    env.create_run("other", "etl", json!({"arguments": {"--extra-jars": "s3://ours/a.jar"}})).await;
    env.wait_for_reason("refused", "ArgumentNotAllowed").await;
    env.wait_finished("other", Phase::Succeeded).await;
    // The object goes on once the operator allows it.
    env.kill_controller();
    env.set_flags(&[("--refused-arguments", "")]);
    env.start_controller();
    env.wait_finished("refused", Phase::Succeeded).await;
}
