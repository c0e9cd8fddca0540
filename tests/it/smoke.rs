//! A run is started, and its status follows it to the end.

use kube_glue::api::run::Phase;
use kube_glue_double::DEFAULT_ACCOUNT;
use serde_json::json;

use crate::harness::{World, conditions_of, is_held, run_id};

#[tokio::test]
async fn a_run_is_started_once_and_followed_to_its_end() {
    let world = World::new("life").await;
    world.double.clock().hold();
    world.run("one", "etl", json!({"arguments": {"--day": "monday"}})).await;
    // As whom it ran is written with whatever is written next, so the run does not end before AWS has said it.
    let said = "AWS has said whom it takes us for";
    world.requests(said, |requests| requests.of("GetCallerIdentity").succeeded().count() > 0).await;
    world.double.clock().resume();
    let run = world.over("one", Phase::Succeeded).await;
    assert_eq!(conditions_of(&run), ["Ready=True", "Complete=True"]);
    assert_eq!(world.starts(), 1);
    let start = &world.double.requests().of("StartJobRun")[0];
    assert_eq!(start.field("Arguments/--day"), Some(json!("monday")));
    assert_eq!(run_id(&run), world.glue_runs("etl")[0]["Id"].as_str());
    assert!(!is_held(&run));
    let identity = run.status.as_ref().and_then(|status| status.run.identity.as_ref()).expect("as whom it ran");
    assert_eq!(identity.account_id, DEFAULT_ACCOUNT);
    world.assert_nothing_leaked().await;
}
