//! What is not written.

use serde_json::json;

use super::{define_account, objects, refresh};
use crate::harness::TestEnv;

/// Reads that show the same, a restart, and the first picture.
#[tokio::test]
async fn what_has_not_changed_is_not_written() {
    let mut env = TestEnv::new("ginv-same").await;
    define_account(&env);
    let inventories = objects(&env);
    inventories.create("all", json!({})).await;
    inventories.wait_ready("all").await;
    let written = inventories.writes("all", 2).await;
    assert_eq!(written, ["patch status: 200", "patch status: 200"], "that it reads, and what it has read");
    for n in 1..=3_u64 {
        refresh(&env, "all", &n.to_string()).await;
        env.wait_for_calls("ListWorkflows", 1 + n).await;
        // The last call of a read.
        env.wait_for_calls("GetJobRuns", 3 * (1 + n)).await;
    }
    env.kill_controller();
    env.start_controller();
    env.wait_for_calls("GetJobRuns", 15).await;
    // One that follows is written, after whatever the restart may have written.
    env.call_glue("StartJobRun", &json!({"JobName": "idle"}));
    refresh(&env, "all", "changed").await;
    let shows = |object: &kube_glue::api::GlueInventory| super::item(object, "idle")["state"] == "SUCCEEDED";
    objects(&env).wait_until("all", "it shows the new run", shows).await;
    assert_eq!(objects(&env).writes("all", 3).await.len(), 3);
}
