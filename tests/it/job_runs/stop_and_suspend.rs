//! `spec.stop` and `spec.suspend`.

use kube_glue::api::run::{Phase, StopCause};
use kube_glue_double::{Fault, JobDefinition, Then};
use serde_json::json;

use crate::harness::{TestEnv, attempts, condition_summary, endless, has_finalizer, ready_condition, run_id};

/// An environment with the job `endless`.
async fn setup(name: &str) -> TestEnv {
    let env = TestEnv::new(name).await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(10).script(endless()));
    env
}

#[tokio::test]
async fn a_run_stopped_before_its_start_is_never_started() {
    let env = setup("never").await;
    env.create_run("at-once", "endless", json!({"stop": true})).await;
    env.create_run("later", "endless", json!({"suspend": true})).await;
    env.wait_for_phase("later", Phase::Suspended).await;
    env.patch_spec("later", json!({"stop": true})).await;
    for name in ["at-once", "later"] {
        let run = env.wait_for_phase(name, Phase::Stopped).await;
        assert_eq!(ready_condition(&run), ("StopRequested".to_owned(), "stopped before it was started".to_owned()));
        assert!(!has_finalizer(&run));
    }
    assert_eq!(env.glue_calls(), 0, "Glue received no call");
}

#[tokio::test]
async fn stop_stops_a_running_run_once() {
    let env = setup("stop").await;
    env.create_run("one", "endless", json!({})).await;
    env.wait_for_phase("one", Phase::Running).await;
    env.patch_spec("one", json!({"stop": true})).await;
    let run = env.wait_finished("one", Phase::Stopped).await;
    assert_eq!(ready_condition(&run).0, "StopRequested");
    assert_eq!(condition_summary(&run), ["Ready=False", "Stalled=True", "Failed=True", "Finished=True"]);
    assert_eq!(attempts(&run)[0].stop_cause, Some(StopCause::StopRequested));
    assert_eq!((env.start_calls(), env.stop_calls("endless")), (1, 1));
}

#[tokio::test]
async fn a_throttled_stop_is_retried() {
    let env = setup("refused").await;
    env.double.faults().add(Fault::on("BatchStopJobRun").nth(1).then(Then::Throttle));
    env.create_run("one", "endless", json!({})).await;
    env.wait_for_phase("one", Phase::Running).await;
    env.patch_spec("one", json!({"stop": true})).await;
    env.wait_finished("one", Phase::Stopped).await;
    assert_eq!(env.stop_calls("endless"), 2);
}

#[tokio::test]
async fn a_suspended_run_starts_when_it_is_resumed() {
    let env = setup("suspended").await;
    env.create_run("one", "endless", json!({"suspend": true})).await;
    let suspended = env.wait_for_phase("one", Phase::Suspended).await;
    assert_eq!(condition_summary(&suspended), ["Ready=False", "Suspended=True"]);
    assert!(!has_finalizer(&suspended));
    assert_eq!(env.glue_calls(), 0, "Glue received no call");
    env.patch_spec("one", json!({"suspend": false})).await;
    let run = env.wait_for_phase("one", Phase::Running).await;
    assert_eq!(condition_summary(&run), ["Ready=False", "Reconciling=True", "Suspended=False"]);
    assert_eq!((attempts(&run).len(), env.start_calls()), (1, 1));
}

#[tokio::test]
async fn suspend_stops_a_running_run_and_resuming_starts_a_new_attempt() {
    let env = setup("suspend").await;
    env.create_run("one", "endless", json!({})).await;
    let first = env.wait_for_phase("one", Phase::Running).await;
    env.patch_spec("one", json!({"suspend": true})).await;
    let suspended = env.wait_for_phase("one", Phase::Suspended).await;
    assert_eq!(condition_summary(&suspended), ["Ready=False", "Suspended=True"]);
    assert_eq!(attempts(&suspended)[0].stop_cause, Some(StopCause::Suspended));
    assert_eq!((env.start_calls(), env.stop_calls("endless")), (1, 1));
    env.patch_spec("one", json!({"suspend": false})).await;
    let second = env.wait_for_phase("one", Phase::Running).await;
    let keys: Vec<_> = attempts(&second).iter().map(|attempt| attempt.key.rsplit('/').next()).collect();
    assert_eq!(keys, [Some("0"), Some("1")]);
    assert_ne!(run_id(&first), run_id(&second));
    assert_eq!((env.start_calls(), env.glue_runs("endless").len()), (2, 2));
}
