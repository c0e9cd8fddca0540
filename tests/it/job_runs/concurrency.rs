//! Jobs at their limit of concurrent runs, with and without Glue's queuing.

use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Outcome, Then};
use serde_json::json;

use crate::harness::{STEP, TestEnv, endless, has_finalizer, ready_condition, stepwise};

#[tokio::test]
async fn runs_wait_for_a_free_slot_and_the_oldest_starts_first() {
    let env = TestEnv::new("line").await;
    env.double.clock().hold();
    env.define_job(JobDefinition::new("single").script(stepwise(Outcome::Succeeded)));
    env.create_run("first", "single", json!({})).await;
    env.wait_for_run_id("first").await;
    // Waiting runs start in the order of creation; these names sort the other way round.
    env.create_run("z", "single", json!({})).await;
    let waiting = env.wait_for_phase("z", Phase::Waiting).await;
    assert_eq!(ready_condition(&waiting).0, "ConcurrentRunsExceeded");
    assert!(
        ready_condition(&waiting).1.contains("this one starts when another has ended"),
        "{:?}",
        ready_condition(&waiting)
    );
    // It has looked twice, after pauses of one and two seconds. So the creation timestamps, which are whole seconds,
    // differ, and the names do not decide.
    env.wait_for_calls("GetJob", 2).await;
    env.create_run("a", "single", json!({})).await;
    env.wait_for_phase("a", Phase::Waiting).await;

    for (finished, next) in [("first", "z"), ("z", "a")] {
        env.double.clock().step(STEP * 2);
        env.wait_finished(finished, Phase::Succeeded).await;
        // The reason remains while the controller tries again.
        assert_eq!(ready_condition(&env.job_runs().get(next).await.expect("the object")).0, "ConcurrentRunsExceeded");
        // Glue frees the slot only now.
        env.double.clock().step(STEP);
        env.wait_for_run_id(next).await;
    }
    env.double.clock().step(STEP * 2);
    env.wait_finished("a", Phase::Succeeded).await;
    let starts = env.double.requests().of("StartJobRun").succeeded();
    let keys: Vec<_> = starts.iter().map(|start| start.field("Arguments/--kube-glue-run").expect("a key")).collect();
    let mut expected = Vec::new();
    for name in ["first", "z", "a"] {
        let uid = env.job_runs().get(name).await.expect("the object").metadata.uid.expect("a uid");
        expected.push(json!(format!("{}/{uid}/0", env.namespace)));
    }
    assert_eq!(keys, expected);
}

/// The last slot is taken by the object's own run: the response of its start was lost.
#[tokio::test]
async fn at_the_concurrency_limit_the_controller_finds_its_own_run() {
    let mut env = TestEnv::with_credentials("own").await;
    env.define_job(JobDefinition::new("single").script(endless()));
    env.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::HoldAnswer));
    env.start_controller();
    env.create_run("one", "single", json!({})).await;
    env.wait_for_calls("StartJobRun", 1).await;
    env.kill_controller();
    env.clear_status("one").await;
    env.start_controller();
    let run = env.wait_for_phase("one", Phase::Running).await;
    assert!(has_finalizer(&run));
    assert_eq!(env.glue_runs("single").len(), 1);
}

#[tokio::test]
async fn a_run_queued_in_glue_is_waiting_and_starts_by_itself() {
    let env = TestEnv::new("queue").await;
    env.double.clock().hold();
    let script = stepwise(Outcome::Succeeded).longest_wait(STEP * 10);
    env.define_job(JobDefinition::new("queue").queuing(true).script(script));
    for name in ["first", "second"] {
        env.create_run(name, "queue", json!({})).await;
        env.wait_for_run_id(name).await;
    }
    let waiting = env.wait_for_phase("second", Phase::Waiting).await;
    let detail = "Max concurrent job runs per job exceeded";
    let message = ready_condition(&waiting).1;
    assert!(message.ends_with(&format!("is WAITING in Glue: {detail}")), "{message}");
    let status = waiting.status.expect("a status");
    assert_eq!((status.state_detail.as_deref(), status.run.finished_at), (Some(detail), None));
    env.double.clock().step(STEP * 2);
    env.wait_finished("first", Phase::Succeeded).await;
    env.double.clock().step(STEP);
    env.double.clock().step(STEP * 2);
    env.wait_finished("second", Phase::Succeeded).await;
    assert_eq!(env.start_calls(), 2);
}
