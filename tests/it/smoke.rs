//! The main path: a job run is started once and followed to its end.

use kube_glue::api::run::Phase;
use kube_glue_double::DEFAULT_ACCOUNT;
use serde_json::json;

use crate::harness::{TestEnv, condition_summary, has_finalizer, run_id};

#[tokio::test]
async fn a_run_is_started_once_and_followed_to_its_end() {
    let env = TestEnv::new("life").await;
    env.double.clock().hold();
    env.create_run("one", "etl", json!({"arguments": {"--day": "monday"}})).await;
    // The caller identity is written only with another change, so the run must not end before AWS has answered.
    let what = "GetCallerIdentity was answered";
    env.wait_for_requests(what, |requests| requests.of("GetCallerIdentity").succeeded().count() > 0).await;
    env.double.clock().resume();
    let run = env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!(condition_summary(&run), ["Ready=True", "Complete=True", "Finished=True"]);
    assert_eq!(env.start_calls(), 1);
    let start = &env.double.requests().of("StartJobRun")[0];
    assert_eq!(start.field("Arguments/--day"), Some(json!("monday")));
    assert_eq!(run_id(&run), env.glue_runs("etl")[0]["Id"].as_str());
    assert!(!has_finalizer(&run));
    let identity = run.status.as_ref().and_then(|status| status.run.identity.as_ref()).expect("the caller identity");
    assert_eq!(identity.account_id, DEFAULT_ACCOUNT);
    env.assert_no_secret_leaked().await;
}
