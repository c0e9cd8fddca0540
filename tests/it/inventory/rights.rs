//! What Glue refuses to show.

use kube_glue_double::{DEFAULT_ACCOUNT, Policy};
use serde_json::json;

use super::{define_account, item, objects, refresh};
use crate::harness::{TestEnv, condition};

#[tokio::test]
async fn what_is_denied_is_named_and_the_rest_is_shown() {
    let mut env = TestEnv::with_credentials("ginv-rights").await;
    define_account(&env);
    let user = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:user/{}", env.key.user);
    env.double.iam().set_policy(&user, Policy::deny(&["glue:GetCrawlers", "glue:GetJobRuns"]));
    env.start_controller();
    let inventories = objects(&env);
    inventories.create("all", json!({})).await;
    let message = inventories.wait_for_reason("all", "AccessDenied").await;
    assert!(message.contains("glue:GetCrawlers") && message.contains("refused as well: GetJobRuns"), "{message}");
    let object = inventories.api.get("all").await.expect("the object");
    assert_eq!(item(&object, "etl")["state"], "NOT_SHOWN");
    assert_eq!(item(&object, "flow")["state"], "COMPLETED");
    assert_eq!(condition(&object, "Reconciling").map(|condition| condition.status).as_deref(), Some("True"));
    // Who does not want to see crawlers is not told that they are denied.
    env.double.iam().set_policy(&user, Policy::deny(&["glue:GetCrawlers"]));
    inventories.create("jobs", json!({"crawlers": {"enabled": false}})).await;
    let object = inventories.wait_ready("jobs").await;
    assert_eq!(item(&object, "etl")["state"], "SUCCEEDED");
    env.double.iam().set_policy(&user, Policy::default());
    refresh(&env, "all", "1").await;
    let object = inventories.wait_ready("all").await;
    assert_eq!(item(&object, "raw")["state"], "COMPLETED");
}

#[tokio::test]
async fn an_inventory_without_credentials_says_so_and_heals() {
    let mut env = TestEnv::without_controller("ginv-nokeys").await;
    env.start_controller();
    let inventories = objects(&env);
    inventories.create("all", json!({})).await;
    inventories.wait_for_reason("all", "CredentialsMissing").await;
    env.put_credentials(crate::harness::DEFAULT_SECRET).await;
    inventories.wait_ready("all").await;
}
