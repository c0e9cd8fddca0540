//! What a run costs: writes to its object by the API server's own audit, and calls to AWS by Glue's record.

use std::time::{Duration, Instant};

use kube_glue::api::run::Phase;
use kube_glue::api::{GlueConnection, GlueJobRun};
use kube_glue_double::{JobDefinition, Outcome};
use serde_json::json;

use crate::harness::{STEP, World, condition, endless, status, stepwise};

/// The finalizer, the intent, the run's id, Running, the end, and the finalizer off again.
#[tokio::test]
async fn a_run_costs_its_object_six_writes_in_its_whole_life() {
    let world = World::new("writes").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    world.run("one", "steps", json!({})).await;
    world.known("one").await;
    // Looked at a few times in each state: a pass that changes nothing writes nothing.
    let looked_at = async |times: u64| {
        let before = world.double.requests().count("GetJobRun");
        world.calls("GetJobRun", before + times).await;
    };
    looked_at(3).await;
    world.double.clock().step(STEP);
    world.phase("one", Phase::Running).await;
    looked_at(3).await;
    world.double.clock().step(STEP);
    world.over("one", Phase::Succeeded).await;
    let [metadata, status] = ["patch : 200", "patch status: 200"];
    assert_eq!(world.of::<GlueJobRun>().writes("one", 6).await, [metadata, status, status, status, status, metadata]);
    assert_eq!((world.starts(), world.double.requests().count("GetJobRuns")), (1, 0), "a new run is not looked for");
}

/// With nothing to stop there is nothing to hold.
#[tokio::test]
async fn an_orphaned_run_costs_its_object_four_writes() {
    let world = World::new("orphan").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    world.run("one", "steps", json!({"deletionPolicy": "Orphan"})).await;
    world.known("one").await;
    world.double.clock().step(STEP);
    world.phase("one", Phase::Running).await;
    world.double.clock().step(STEP);
    world.over("one", Phase::Succeeded).await;
    assert_eq!(world.of::<GlueJobRun>().writes("one", 4).await, ["patch status: 200"; 4]);
}

/// One more than a run that ends by itself: why it is stopped stands in the object before the stop is sent.
#[tokio::test]
async fn a_stopped_run_costs_its_object_seven_writes() {
    let world = World::new("stop-writes").await;
    world.double.clock().hold();
    world.job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    world.run("one", "steps", json!({})).await;
    world.known("one").await;
    world.double.clock().step(STEP);
    world.phase("one", Phase::Running).await;
    world.edit("one", json!({"stop": true})).await;
    world.answered("BatchStopJobRun", 1).await;
    // That Glue is at it is nothing new.
    let polls = world.double.requests().count("GetJobRun");
    world.calls("GetJobRun", polls + 3).await;
    world.double.clock().step(STEP);
    world.over("one", Phase::Stopped).await;
    assert_eq!(world.stops("steps"), 1);
    let [metadata, status] = ["patch : 200", "patch status: 200"];
    let writes = world.of::<GlueJobRun>().writes("one", 7).await;
    assert_eq!(writes, [metadata, status, status, status, status, status, metadata]);
}

/// A restart looks at everything, and finds nothing to do.
#[tokio::test]
async fn finished_runs_cost_nothing_after_a_restart() {
    let mut world = World::new("finished").await;
    let names: Vec<_> = (0..30).map(|n| format!("run-{n}")).collect();
    for name in &names {
        world.run(name, "etl", json!({})).await;
    }
    for name in &names {
        world.over(name, Phase::Succeeded).await;
    }
    world.kill_controller();
    let before = world.runs().list(&kube::api::ListParams::default()).await.expect("the runs");
    world.double.requests().clear();
    world.job(JobDefinition::new("last").script(crate::harness::quick()));
    world.start_controller();
    // What comes after the others in the queue has been through them all when it is over.
    world.run("last", "last", json!({})).await;
    world.over("last", Phase::Succeeded).await;
    let calls = world.double.requests().all();
    assert!(
        // As whom the client calls is asked once, whatever there is to do.
        calls
            .iter()
            .filter(|call| &*call.call.operation != "GetCallerIdentity")
            .all(|call| call.call.name.as_deref() == Some("last")),
        "{:?}",
        world.double.requests().counts()
    );
    for run in before {
        let name = run.metadata.name.clone().expect("a name");
        let after = world.runs().get(&name).await.expect("the object");
        assert_eq!(after.metadata.resource_version, run.metadata.resource_version, "{name} was written");
    }
}

/// A hundred live runs of five jobs: one call for each job in each round, however many runs it has.
#[tokio::test]
async fn live_runs_are_asked_for_by_job_and_not_one_by_one() {
    let world = World::new("polls").await;
    let jobs: Vec<_> = (0..5).map(|n| format!("job-{n}")).collect();
    for job in &jobs {
        world.job(JobDefinition::new(job).max_concurrent_runs(20).script(endless()));
        for n in 0..20 {
            world.run(&format!("{job}-{n}"), job, json!({})).await;
        }
    }
    for job in &jobs {
        for n in 0..20 {
            world.phase(&format!("{job}-{n}"), Phase::Running).await;
        }
    }
    let begun = Instant::now();
    world.double.requests().clear();
    let polls = |job: &str| world.double.requests().of("GetJobRuns").name(job).count();
    world.requests("each job was asked for ten times", |_| jobs.iter().all(|job| polls(job) >= 10)).await;
    let took = begun.elapsed();
    let counts = world.double.requests().counts();
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["GetJobRuns"], "{counts:?}");
    // Each pause is 200 ms less a tenth at the least, after the answer to the call before; one call may have been on
    // its way, and one comes at once. On a busy machine there are fewer, and some jobs get ahead of others.
    let all: Vec<_> = jobs.iter().map(|job| polls(job)).collect();
    let most = usize::try_from(took.as_millis() / 180).expect("a small number") + 2;
    assert!(all.iter().all(|polls| (10..=most).contains(polls)), "{all:?} in {took:?}");
    let minute = f64::from(u32::try_from(counts["GetJobRuns"]).expect("a small number")) / took.as_secs_f64() * 60.0;
    println!(
        "100 live runs of 5 jobs: {} calls in {took:?} at --poll-interval 200ms, {minute:.0} a minute; at the default 5s: {:.0} a minute",
        counts["GetJobRuns"],
        minute * 0.2 / 5.0
    );
}

/// One list shows them all, and while nothing changes nothing is written. Each costs four writes to come into
/// line: the finalizer, the intent, what was created, and what Glue shows of it.
#[tokio::test]
async fn ten_connections_of_a_catalog_are_one_call_a_round() {
    let world = World::new("connections").await;
    let connections = world.of::<GlueConnection>();
    let spec = json!({"connectionType": "CUSTOM", "properties": {"CONNECTION_URL": "x"}});
    let names: Vec<_> = (0..10).map(|n| format!("c-{n}")).collect();
    for name in &names {
        connections.put(name, spec.clone()).await;
        // The first may be in line before AWS has said which account this is, and gets its ARN later.
        let what = "it is ready and has its ARN";
        let is_ready = |connection: &GlueConnection| {
            let ready = condition(connection, "Ready").is_some_and(|ready| ready.status == "True");
            ready && status(connection)["arn"].is_string()
        };
        connections.until(name, what, is_ready).await;
    }
    // The pace of the polls: who waited for a first sight has the next two hurry.
    let polls = world.double.requests().count("GetConnections");
    world.calls("GetConnections", polls + 3).await;
    let others = || {
        let mut counts = world.double.requests().counts();
        (counts.remove("GetConnections").unwrap_or_default(), counts)
    };
    let ((before, all), began) = (others(), Instant::now());
    world.calls("GetConnections", before + 5).await;
    // Five rounds at the test's interval of 200 ms; ten polls of their own would take no time for five calls.
    assert!(began.elapsed() >= Duration::from_millis(700), "{:?}", began.elapsed());
    assert_eq!(others().1, all, "nothing else is asked");
    // Without the first, for which the ARN may have been one more.
    for name in &names[1..] {
        let [metadata, status] = ["patch : 200", "patch status: 200"];
        let writes = connections.writes(name, 4).await;
        assert_eq!(writes, [metadata, status, status, status], "{name}");
    }
}
