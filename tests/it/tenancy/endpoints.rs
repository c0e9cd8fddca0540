//! Custom endpoints in Secrets.

use kube_glue_double::Double;
use serde_json::json;

use super::two_accounts;
use crate::harness::{DEFAULT_SECRET, WAIT_TIMEOUT, access_key_data};

#[tokio::test]
async fn an_allowed_endpoint_is_used() {
    let mut env = two_accounts("endpoint", |role| role).await;
    let double = Double::start().await.expect("another double");
    let address = double.url();
    env.set_flags(&[("--allowed-endpoints", &address)]);
    env.start_controller();
    let key = double.default_key();
    let secret = [access_key_data(&key.id, &key.secret), vec![("AWS_ENDPOINT_URL", &address)]].concat();
    env.put_secret(DEFAULT_SECRET, &secret).await;
    env.create_run("one", "etl", json!({})).await;
    let started = double.requests().wait_for_count("StartJobRun", 1);
    tokio::time::timeout(WAIT_TIMEOUT, started).await.expect("a start in time");
    assert_eq!(env.double.requests().total(), 0);
}
