//! Deletion: batches, denied calls, and the deletion timeout.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use kube_glue_double::{Fault, Policy, Request, Then};
use serde_json::json;

use super::{PASSWORD, jdbc, setup, setup_with_ready};
use crate::harness::TestEnv;

/// How long the first deletion of a batch waits for others.
const BATCH_DELAY: Duration = Duration::from_millis(50);

#[tokio::test]
async fn thirty_deletions_take_a_few_calls() {
    let env = setup("conn-batch").await;
    let names: Vec<_> = (0..30).map(|n| format!("db-{n}")).collect();
    let connections = env.connections();
    let objects = join_all(names.iter().map(|name| connections.create(name, jdbc(json!({}))))).await;
    join_all(names.iter().map(|name| connections.wait_ready(name))).await;
    // One connection is deleted already. The controller learns that from the deletion, and treats it as success.
    let includes_it = |call: &Request| call.body_text().contains("\"db-7\"");
    env.double.faults().add(Fault::on("GetConnections").then(Then::Http500));
    env.call_glue("DeleteConnection", &json!({"ConnectionName": "db-7"}));
    let began = Timestamp::now();
    join_all(names.iter().map(|name| connections.delete(name))).await;
    let deletions = "BatchDeleteConnection";
    env.wait_for_requests("a batch includes db-7", |requests| requests.of(deletions).matching(includes_it).count() > 0)
        .await;
    env.double.faults().clear();
    join_all(objects.iter().map(|object| connections.wait_deleted(object))).await;
    assert!(names.iter().all(|name| env.connection_in_glue(name).is_none()));
    let calls = env.double.requests().of(deletions);
    // One call for each batch delay, and one more because of the limit of 25. A slow machine spreads the deletions over
    // more calls.
    let elapsed = calls.last().expect("a call").received.duration_since(began);
    let most = 1 + elapsed.unsigned_abs().as_millis() / BATCH_DELAY.as_millis();
    assert!(calls.count() as u128 <= most, "{} calls in {elapsed:?}", calls.count());
}

#[tokio::test]
async fn a_denied_deletion_is_reported_and_done_once_it_is_allowed() {
    let (env, object) = setup_with_ready("conn-refused", json!({})).await;
    let caller = env.double.requests().of("CreateConnection")[0].call.principal.clone();
    env.double.iam().set_policy(&caller, Policy::allow(&["glue:GetConnections"]));
    env.connections().delete("db").await;
    let message = env.connections().wait_for_reason("db", "AccessDenied").await;
    assert!(message.contains("glue:BatchDeleteConnection"), "{message}");
    env.double.iam().set_policy(&caller, Policy::allow(&["glue:GetConnections", "glue:BatchDeleteConnection"]));
    env.connections().wait_deleted(&object).await;
    assert_eq!(env.connection_in_glue("db"), None);
}

#[tokio::test]
async fn when_the_deletion_fails_the_object_is_deleted_after_the_timeout_with_an_event() {
    let mut env = TestEnv::with_flags("conn-timeout", &[("--deletion-timeout", "2s")]).await;
    env.put_password(PASSWORD).await;
    let object = env.connections().create("db", jdbc(json!({}))).await;
    env.connections().wait_ready("db").await;
    env.double.faults().add(Fault::on("BatchDeleteConnection").then(Then::Http500));
    env.connections().delete("db").await;
    env.connections().wait_deleted(&object).await;
    let note = env.wait_for_event("LeftBehind").await.note.expect("a note");
    assert!(note.contains("connection db could not be reached in Glue"), "{note}");
    assert!(env.connection_in_glue("db").is_some());
}
