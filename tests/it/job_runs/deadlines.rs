//! `startDeadlineSeconds`, `activeDeadlineSeconds` and `ttlSecondsAfterFinished`.

use std::pin::pin;

use futures::StreamExt;
use jiff::Timestamp;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube_glue::api::run::{Phase, StopCause};
use kube_glue_double::JobDefinition;
use serde_json::json;
use tokio::time::timeout;

use crate::harness::{
    TestEnv, WAIT_TIMEOUT, attempts, condition_summary, endless, has_finalizer, phase_of, ready_condition,
};

#[tokio::test]
async fn a_run_that_cannot_start_before_its_deadline_expires() {
    let env = TestEnv::new("expired").await;
    env.define_job(JobDefinition::new("single").script(endless()));
    env.create_run("first", "single", json!({})).await;
    env.wait_for_phase("first", Phase::Running).await;
    env.create_run("busy", "single", json!({"startDeadlineSeconds": 2})).await;
    env.create_run("no-job", "no-job", json!({"startDeadlineSeconds": 2})).await;
    env.create_run("no-secret", "etl", json!({"startDeadlineSeconds": 2, "credentials": {"secretName": "none"}})).await;
    for name in ["busy", "no-job", "no-secret"] {
        let run = env.wait_for_phase(name, Phase::Expired).await;
        assert_eq!(ready_condition(&run).0, "StartDeadlineExceeded");
        assert_eq!(condition_summary(&run), ["Ready=False", "Stalled=True", "Failed=True", "Finished=True"]);
        let run = env.wait_finished(name, Phase::Expired).await;
        assert!(run.status.is_some_and(|status| status.run.finished_at.is_some()), "{name}");
    }
    assert_eq!((env.glue_runs("single").len(), env.glue_runs("etl").len()), (1, 0));
}

/// `startDeadlineSeconds` counts from the end of the suspension.
#[tokio::test]
async fn a_suspended_run_does_not_expire() {
    let env = TestEnv::new("suspended").await;
    env.create_run("one", "etl", json!({"suspend": true, "startDeadlineSeconds": 1})).await;
    env.wait_for_phase("one", Phase::Suspended).await;
    env.create_run("other", "etl", json!({"credentials": {"secretName": "none"}, "startDeadlineSeconds": 2})).await;
    // The deadline of the first run would have passed by now, too.
    env.wait_finished("other", Phase::Expired).await;
    env.patch_spec("one", json!({"suspend": false})).await;
    env.wait_finished("one", Phase::Succeeded).await;
}

#[tokio::test]
async fn a_run_past_its_active_deadline_is_stopped_and_fails() {
    let env = TestEnv::new("long").await;
    env.define_job(JobDefinition::new("endless").script(endless()));
    // A run that was stopped for its deadline is not retried.
    let retry = json!({"limit": 3, "backoffSeconds": 0});
    env.create_run("one", "endless", json!({"activeDeadlineSeconds": 2, "retry": retry})).await;
    // Its phase may never be Running: the deadline may pass before the first poll.
    let run = env.wait_finished("one", Phase::Failed).await;
    assert_eq!(ready_condition(&run).0, "DeadlineExceeded");
    assert_eq!(attempts(&run)[0].stop_cause, Some(StopCause::DeadlineExceeded));
    assert_eq!((env.start_calls(), env.stop_calls("endless")), (1, 1));
    assert_eq!(env.glue_runs("endless")[0]["JobRunState"], "STOPPED");
}

#[tokio::test]
async fn a_finished_object_is_deleted_after_its_ttl() {
    let env = TestEnv::new("ttl").await;
    env.create_run("never", "etl", json!({})).await;
    env.wait_finished("never", Phase::Succeeded).await;
    // The watch begins before the object exists: a later one could miss it.
    let later = watcher::Config::default().fields("metadata.name=later");
    let mut events = pin!(watcher(env.job_runs(), later).default_backoff());
    let listed = async { while !matches!(events.next().await, Some(Ok(Event::InitDone))) {} };
    timeout(WAIT_TIMEOUT, listed).await.expect("a list");
    let soon = env.create_run("soon", "etl", json!({"ttlSecondsAfterFinished": 0})).await;
    env.create_run("later", "etl", json!({"ttlSecondsAfterFinished": 2})).await;
    env.wait_deleted(&soon).await;
    let deleted = async {
        loop {
            if let Some(Ok(Event::Delete(run))) = events.next().await {
                return run;
            }
        }
    };
    let last = timeout(WAIT_TIMEOUT, deleted)
        .await
        .unwrap_or_else(|_| panic!("the object was not deleted\n{}", env.log_tail()));
    assert_eq!((phase_of(&last), has_finalizer(&last)), (Some(Phase::Succeeded), false));
    let ended_at = attempts(&last)[0].ended_at.as_ref().expect("an end").0;
    assert!(Timestamp::now().duration_since(ended_at).as_secs() >= 2, "deleted before its TTL");
    // The object without a TTL is as old, and remains.
    assert!(env.job_runs().get_opt("never").await.expect("an answer").is_some());
    assert_eq!(env.start_calls(), 3);
}

/// Also after a restart of the controller.
#[tokio::test]
async fn a_ttl_can_be_set_after_the_end() {
    let mut env = TestEnv::new("ttl-later").await;
    let run = env.create_run("one", "etl", json!({})).await;
    env.wait_finished("one", Phase::Succeeded).await;
    env.kill_controller();
    env.start_controller();
    env.patch_spec("one", json!({"ttlSecondsAfterFinished": 1})).await;
    env.wait_deleted(&run).await;
}

/// The largest numbers that the schema allows do not overflow.
#[tokio::test]
async fn the_largest_deadlines_and_ttls_work() {
    let env = TestEnv::new("large").await;
    env.define_job(JobDefinition::new("endless").max_concurrent_runs(9).script(endless()));
    let large = json!(i64::MAX);
    env.create_run("suspended", "endless", json!({"suspend": true, "startDeadlineSeconds": large})).await;
    env.create_run("waits", "no-job", json!({"startDeadlineSeconds": large, "activeDeadlineSeconds": large})).await;
    env.create_run("runs", "endless", json!({"startDeadlineSeconds": large, "activeDeadlineSeconds": large})).await;
    env.create_run("ends", "etl", json!({"ttlSecondsAfterFinished": large})).await;
    env.wait_for_phase("suspended", Phase::Suspended).await;
    env.wait_for_reason("waits", "NotFound").await;
    env.wait_for_phase("runs", Phase::Running).await;
    env.wait_finished("ends", Phase::Succeeded).await;
    env.create_run("later", "etl", json!({})).await;
    env.wait_finished("later", Phase::Succeeded).await;
}
