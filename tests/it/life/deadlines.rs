//! Deadlines of the start and of the run, and the time after the end.

use std::pin::pin;

use futures::StreamExt;
use jiff::Timestamp;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube_glue::api::run::{Phase, StopCause};
use kube_glue_double::JobDefinition;
use serde_json::json;
use tokio::time::timeout;

use crate::harness::{PATIENCE, World, attempts, conditions_of, endless, is_held, phase_of, ready};

#[tokio::test]
async fn a_start_that_does_not_come_in_time_expires() {
    let world = World::new("expired").await;
    world.job(JobDefinition::new("single").script(endless()));
    world.run("first", "single", json!({})).await;
    world.phase("first", Phase::Running).await;
    world.run("busy", "single", json!({"startDeadlineSeconds": 2})).await;
    world.run("no-job", "no-job", json!({"startDeadlineSeconds": 2})).await;
    world.run("no-secret", "etl", json!({"startDeadlineSeconds": 2, "credentials": {"secretName": "none"}})).await;
    for name in ["busy", "no-job", "no-secret"] {
        let run = world.phase(name, Phase::Expired).await;
        assert_eq!(ready(&run).0, "StartDeadlineExceeded");
        assert_eq!(conditions_of(&run), ["Ready=False", "Stalled=True", "Failed=True"]);
        world.over(name, Phase::Expired).await;
    }
    assert_eq!((world.glue_runs("single").len(), world.glue_runs("etl").len()), (1, 0));
}

/// The deadline of the start counts from the release of a run that was held.
#[tokio::test]
async fn what_is_held_does_not_expire() {
    let world = World::new("held").await;
    world.run("one", "etl", json!({"suspend": true, "startDeadlineSeconds": 1})).await;
    world.phase("one", Phase::Suspended).await;
    world.run("other", "etl", json!({"credentials": {"secretName": "none"}, "startDeadlineSeconds": 2})).await;
    // By now the deadline of the first has passed, too.
    world.over("other", Phase::Expired).await;
    world.edit("one", json!({"suspend": false})).await;
    world.over("one", Phase::Succeeded).await;
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_stopped_and_has_failed() {
    let world = World::new("long").await;
    world.job(JobDefinition::new("endless").script(endless()));
    // A run that was stopped for its time is not tried again.
    let retry = json!({"limit": 3, "backoffSeconds": 0});
    world.run("one", "endless", json!({"activeDeadlineSeconds": 2, "retry": retry})).await;
    // That it is Running may never be written: its time may have passed when the first poll shows it.
    let run = world.over("one", Phase::Failed).await;
    assert_eq!(ready(&run).0, "DeadlineExceeded");
    assert_eq!(attempts(&run)[0].stop_cause, Some(StopCause::DeadlineExceeded));
    assert_eq!((world.starts(), world.stops("endless")), (1, 1));
    assert_eq!(world.glue_runs("endless")[0]["JobRunState"], "STOPPED");
}

#[tokio::test]
async fn a_finished_object_is_deleted_after_its_time() {
    let world = World::new("ttl").await;
    world.run("never", "etl", json!({})).await;
    world.over("never", Phase::Succeeded).await;
    // Watched from before it is there: who begins later may find it gone.
    let later = watcher::Config::default().fields("metadata.name=later");
    let mut events = pin!(watcher(world.runs(), later).default_backoff());
    let listed = async { while !matches!(events.next().await, Some(Ok(Event::InitDone))) {} };
    timeout(PATIENCE, listed).await.expect("a list");
    let soon = world.run("soon", "etl", json!({"ttlSecondsAfterFinished": 0})).await;
    world.run("later", "etl", json!({"ttlSecondsAfterFinished": 2})).await;
    world.gone(&soon).await;
    let deleted = async {
        loop {
            if let Some(Ok(Event::Delete(run))) = events.next().await {
                return run;
            }
        }
    };
    let last = timeout(PATIENCE, deleted).await.unwrap_or_else(|_| panic!("it stays\n{}", world.tail()));
    assert_eq!((phase_of(&last), is_held(&last)), (Some(Phase::Succeeded), false));
    let ended_at = attempts(&last)[0].ended_at.as_ref().expect("an end").0;
    assert!(Timestamp::now().duration_since(ended_at).as_secs() >= 2, "not before its time");
    // By now the time of the other would have passed as well.
    assert!(world.runs().get_opt("never").await.expect("an answer").is_some());
    assert_eq!(world.starts(), 3);
}

/// A time that is given only after the end counts, too.
#[tokio::test]
async fn the_time_after_the_end_may_be_set_later() {
    let mut world = World::new("ttl-later").await;
    let run = world.run("one", "etl", json!({})).await;
    world.over("one", Phase::Succeeded).await;
    world.kill_controller();
    world.start_controller();
    world.edit("one", json!({"ttlSecondsAfterFinished": 1})).await;
    world.gone(&run).await;
}

/// The largest numbers that the API server admits.
#[tokio::test]
async fn the_largest_numbers_are_taken_calmly() {
    let world = World::new("large").await;
    world.job(JobDefinition::new("endless").max_concurrent_runs(9).script(endless()));
    let large = json!(i64::MAX);
    world.run("held", "endless", json!({"suspend": true, "startDeadlineSeconds": large})).await;
    world.run("waits", "no-job", json!({"startDeadlineSeconds": large, "activeDeadlineSeconds": large})).await;
    world.run("runs", "endless", json!({"startDeadlineSeconds": large, "activeDeadlineSeconds": large})).await;
    world.run("ends", "etl", json!({"ttlSecondsAfterFinished": large})).await;
    world.phase("held", Phase::Suspended).await;
    world.reason("waits", "NotFound").await;
    world.phase("runs", Phase::Running).await;
    world.over("ends", Phase::Succeeded).await;
    world.run("later", "etl", json!({})).await;
    world.over("later", Phase::Succeeded).await;
}
