//! Custom endpoints in Secrets.

use kube_glue::glue::identity::ENDPOINT_SETTINGS;
use kube_glue_double::{DEFAULT_ACCOUNT, Double, Role};
use serde_json::json;
use tokio::time::timeout;

use super::{OTHER_ACCOUNT, ROLE, two_accounts};
use crate::harness::{DEFAULT_SECRET, TestEnv, WAIT_TIMEOUT, access_key_data};

/// An environment with another AWS, whose endpoint these namespaces may name.
async fn with_endpoint(name: &str, namespaces: &str) -> (TestEnv, Double) {
    let mut env = two_accounts(name, |role| role).await;
    let double = Double::start().await.expect("another double");
    double.define_role(Role::new(ROLE).trusts(DEFAULT_ACCOUNT));
    env.set_flags(&[("--allowed-endpoints", &format!("{namespaces}={}", double.url()))]);
    (env, double)
}

#[tokio::test]
async fn an_allowed_endpoint_is_used() {
    let (mut env, double) = with_endpoint("endpoint", "endpoint-*").await;
    env.start_controller();
    let key = double.default_key();
    let url = double.url();
    let secret = [access_key_data(&key.id, &key.secret), vec![("AWS_ENDPOINT_URL", &url)]].concat();
    env.put_secret(DEFAULT_SECRET, &secret).await;
    env.create_run("one", "etl", json!({})).await;
    let started = double.requests().wait_for_count("StartJobRun", 1);
    timeout(WAIT_TIMEOUT, started).await.expect("a start in time");
    assert_eq!(env.double.requests().total(), 0);
}

#[tokio::test]
async fn an_endpoint_is_allowed_for_the_listed_namespaces_only() {
    let (mut env, double) = with_endpoint("endpoint-else", "other-*").await;
    env.start_controller();
    let keys = access_key_data(&env.key.id, &env.key.secret);
    let url = double.url();
    env.put_secret(DEFAULT_SECRET, &[keys, vec![("AWS_ENDPOINT_URL", &url)]].concat()).await;
    env.create_run("one", "etl", json!({})).await;
    let message = env.wait_for_reason("one", "EndpointNotAllowed").await;
    assert!(message.contains(&format!("not allowed for namespace {}", env.namespace)), "{message}");
    assert_eq!(double.requests().total(), 0);
}

/// Its signed AssumeRole would go to an endpoint of the tenant's choice, and the answer would be trusted.
#[tokio::test]
async fn the_controllers_identity_is_not_sent_to_an_endpoint_of_a_secret() {
    let (mut env, double) = with_endpoint("endpoint-own", "*").await;
    let key = env.key.clone();
    env.aws.extend([("AWS_ACCESS_KEY_ID", key.id), ("AWS_SECRET_ACCESS_KEY", key.secret)]);
    env.set_flags(&[("--controller-identity-namespaces", "*"), ("--allowed-roles", "*=*:role/etl")]);
    env.start_controller();
    for key in ENDPOINT_SETTINGS {
        let name = key.to_lowercase().replace('_', "-");
        env.put_secret(&name, &[("AWS_ROLE_ARN", ROLE), (key, &double.url())]).await;
        env.create_run(&name, "other-account", json!({"credentials": {"secretName": name}})).await;
        let message = env.wait_for_reason(&name, "EndpointNotAllowed").await;
        assert!(message.contains("is used with keys of the same Secret only"), "{message}");
    }
    assert_eq!(double.requests().total(), 0);
    assert_eq!(env.double.requests().all().account(OTHER_ACCOUNT).count(), 0);
}
