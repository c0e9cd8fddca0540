//! Writes to an object over its lifetime, by the audit log, and calls to AWS, by the double's record.

use std::time::{Duration, Instant};

use kube_glue::api::run::Phase;
use kube_glue::api::{GlueConnection, GlueJobRun};
use kube_glue_double::{JobDefinition, Outcome};
use serde_json::json;

use crate::harness::{STEP, TestEnv, access_key_data, condition, endless, quick, status, stepwise};

/// Finalizer added, intent, run id, Running, the end, finalizer removed.
#[tokio::test]
async fn a_run_takes_six_writes_to_its_object() {
    let env = TestEnv::new("writes").await;
    env.double.clock().hold();
    env.define_job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    env.create_run("one", "steps", json!({})).await;
    env.wait_for_run_id("one").await;
    // Three polls in each state: a pass that changes nothing writes nothing.
    env.wait_for_more_calls("GetJobRun", 3).await;
    env.double.clock().step(STEP);
    env.wait_for_phase("one", Phase::Running).await;
    env.wait_for_more_calls("GetJobRun", 3).await;
    env.double.clock().step(STEP);
    env.wait_finished("one", Phase::Succeeded).await;
    let [metadata, status] = ["patch : 200", "patch status: 200"];
    assert_eq!(
        env.objects::<GlueJobRun>().writes("one", 6).await,
        [metadata, status, status, status, status, metadata]
    );
    assert_eq!(
        (env.start_calls(), env.double.requests().count("GetJobRuns")),
        (1, 0),
        "the run of a new object is not looked up"
    );
}

/// Without a finalizer, since there is nothing to stop.
#[tokio::test]
async fn a_run_with_deletion_policy_orphan_takes_four_writes_to_its_object() {
    let env = TestEnv::new("orphan").await;
    env.create_running_run(Outcome::Succeeded, json!({"deletionPolicy": "Orphan"})).await;
    env.double.clock().step(STEP);
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!(env.objects::<GlueJobRun>().writes("one", 4).await, ["patch status: 200"; 4]);
}

/// One more than a run that ends by itself: the cause of the stop is written before the call.
#[tokio::test]
async fn a_stopped_run_takes_seven_writes_to_its_object() {
    let env = TestEnv::new("stop-writes").await;
    env.create_running_run(Outcome::Succeeded, json!({})).await;
    env.patch_spec("one", json!({"stop": true})).await;
    env.wait_for_answers("BatchStopJobRun", 1).await;
    // STOPPING in Glue changes nothing in the status.
    env.wait_for_more_calls("GetJobRun", 3).await;
    env.double.clock().step(STEP);
    env.wait_finished("one", Phase::Stopped).await;
    assert_eq!(env.stop_calls("steps"), 1);
    let [metadata, status] = ["patch : 200", "patch status: 200"];
    let writes = env.objects::<GlueJobRun>().writes("one", 7).await;
    assert_eq!(writes, [metadata, status, status, status, status, status, metadata]);
}

/// A restarted controller reconciles every object once, without a call and without a write.
#[tokio::test]
async fn finished_runs_take_no_calls_and_no_writes_after_a_restart() {
    let mut env = TestEnv::new("finished").await;
    let names: Vec<_> = (0..30).map(|n| format!("run-{n}")).collect();
    for name in &names {
        env.create_run(name, "etl", json!({})).await;
    }
    for name in &names {
        env.wait_finished(name, Phase::Succeeded).await;
    }
    env.kill_controller();
    let before = env.job_runs().list(&kube::api::ListParams::default()).await.expect("the runs");
    env.double.requests().clear();
    env.define_job(JobDefinition::new("last").script(quick()));
    env.start_controller();
    // It is queued after the others: when it has finished, they have been reconciled.
    env.create_run("last", "last", json!({})).await;
    env.wait_finished("last", Phase::Succeeded).await;
    let calls = env.double.requests().all();
    assert!(
        // Each new client asks for the caller identity once.
        calls
            .iter()
            .filter(|call| &*call.call.operation != "GetCallerIdentity")
            .all(|call| call.call.name.as_deref() == Some("last")),
        "{:?}",
        env.double.requests().counts()
    );
    for run in before {
        let name = run.metadata.name.clone().expect("a name");
        let after = env.job_runs().get(&name).await.expect("the object");
        assert_eq!(after.metadata.resource_version, run.metadata.resource_version, "{name} was written");
    }
}

/// A hundred active runs of five jobs: one call for each job and interval.
#[tokio::test]
async fn active_runs_are_polled_by_job_and_not_one_by_one() {
    let env = TestEnv::new("polls").await;
    let jobs: Vec<_> = (0..5).map(|n| format!("job-{n}")).collect();
    for job in &jobs {
        env.define_job(JobDefinition::new(job).max_concurrent_runs(20).script(endless()));
        for n in 0..20 {
            env.create_run(&format!("{job}-{n}"), job, json!({})).await;
        }
    }
    for job in &jobs {
        for n in 0..20 {
            env.wait_for_phase(&format!("{job}-{n}"), Phase::Running).await;
        }
    }
    let begun = Instant::now();
    env.double.requests().clear();
    let polls = |job: &str| env.double.requests().of("GetJobRuns").name(job).count();
    env.wait_for_requests("each job was polled ten times", |_| jobs.iter().all(|job| polls(job) >= 10)).await;
    let elapsed = begun.elapsed();
    let counts = env.double.requests().counts();
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["GetJobRuns"], "{counts:?}");
    // The pause is at least 200 ms after the previous response. One call may have been in flight, and one comes at once. On
    // a busy machine there are fewer, not evenly over the jobs.
    let all: Vec<_> = jobs.iter().map(|job| polls(job)).collect();
    let most = usize::try_from(elapsed.as_millis() / 200).expect("a small number") + 2;
    assert!(all.iter().all(|polls| (10..=most).contains(polls)), "{all:?} in {elapsed:?}");
    let minute = f64::from(u32::try_from(counts["GetJobRuns"]).expect("a small number")) / elapsed.as_secs_f64() * 60.0;
    println!(
        "100 active runs of 5 jobs: {} calls in {elapsed:?} at --poll-interval 200ms, {minute:.0} a minute; at the default 5s: {:.0} a minute",
        counts["GetJobRuns"],
        minute * 0.2 / 5.0
    );
}

/// The operator's limit holds for the polls of all identities of an account together.
#[tokio::test]
async fn the_polls_of_an_account_keep_to_the_limit_whatever_the_number_of_identities() {
    const A_MINUTE: u32 = 240;
    let env = TestEnv::with_flags("limit", &[("--poll-calls-per-minute", &A_MINUTE.to_string())]).await;
    let users: Vec<_> = (0..8).map(|n| format!("user-{n}")).collect();
    for user in &users {
        let key = env.double.iam().new_access_key(&env.key.account, user);
        env.put_secret(user, &access_key_data(&key.id, &key.secret)).await;
        env.define_job(JobDefinition::new(user).script(endless()));
        env.create_run(user, user, json!({"credentials": {"secretName": user}})).await;
    }
    for user in &users {
        env.wait_for_phase(user, Phase::Running).await;
    }
    let begun = Instant::now();
    env.double.requests().clear();
    let polls = |user: &str| env.double.requests().of("GetJobRun").name(user).count();
    env.wait_for_requests("each run was polled three times", |_| users.iter().all(|user| polls(user) >= 3)).await;
    let (elapsed, counts) = (begun.elapsed(), env.double.requests().counts());
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["GetJobRun"], "{counts:?}");
    // A twentieth of a minute's calls may have been saved, and as many may have been on their way as there are identities.
    let refilled = f64::from(A_MINUTE) / 60.0 * elapsed.as_secs_f64();
    let most = refilled + f64::from(A_MINUTE) / 20.0 + 8.0;
    let made = f64::from(u32::try_from(counts["GetJobRun"]).expect("a small number"));
    assert!(made <= most, "{made} calls in {elapsed:?}, {most:.0} at most");
}

/// One list has them all, and nothing is written while nothing changes. Each takes four writes until it is in sync:
/// finalizer, intent, created, observed in Glue.
#[tokio::test]
async fn ten_connections_of_a_catalog_take_one_call_for_each_interval() {
    let env = TestEnv::new("connections").await;
    let connections = env.objects::<GlueConnection>();
    let spec = json!({"connectionType": "POSTGRESQL", "properties": {"HOST": "x"}});
    let names: Vec<_> = (0..10).map(|n| format!("c-{n}")).collect();
    for name in &names {
        connections.create(name, spec.clone()).await;
        // The first may be in sync before AWS has answered with the account, and gets its ARN later.
        let what = "it is ready and has its ARN";
        let is_ready = |connection: &GlueConnection| {
            let ready = condition(connection, "Ready").is_some_and(|ready| ready.status == "True");
            ready && status(connection)["arn"].is_string()
        };
        connections.wait_until(name, what, is_ready).await;
    }
    // After the first observation of an object the next two polls come early.
    env.wait_for_more_calls("GetConnections", 3).await;
    let others = || {
        let mut counts = env.double.requests().counts();
        (counts.remove("GetConnections").unwrap_or_default(), counts)
    };
    let ((before, all), began) = (others(), Instant::now());
    env.wait_for_calls("GetConnections", before + 5).await;
    // Five polls at the test's interval of 200 ms. Ten connections polled one by one would make five calls at once.
    assert!(began.elapsed() >= Duration::from_millis(700), "{:?}", began.elapsed());
    assert_eq!(others().1, all, "there are no other calls");
    // Without the first, whose ARN may have taken one more write.
    for name in &names[1..] {
        let [metadata, status] = ["patch : 200", "patch status: 200"];
        let writes = connections.writes(name, 4).await;
        assert_eq!(writes, [metadata, status, status, status], "{name}");
    }
}
