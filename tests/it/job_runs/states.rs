//! The state of a run in Glue and the status of its object.

use std::time::Duration;

use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, Outcome, RunScript};
use serde_json::json;

use crate::harness::proxy;
use crate::harness::{STEP, TestEnv, attempts, condition_summary, ready_condition, run_id, stepwise};

fn conditions_for(phase: Phase) -> &'static [&'static str] {
    match phase {
        Phase::Succeeded => &["Ready=True", "Complete=True", "Finished=True"],
        Phase::Suspended => &["Ready=False", "Suspended=True"],
        _ if phase.is_final() => &["Ready=False", "Stalled=True", "Failed=True", "Finished=True"],
        _ => &["Ready=False", "Reconciling=True"],
    }
}

/// Waits until the run is in `phase`, and checks its conditions.
async fn assert_phase(env: &TestEnv, name: &str, phase: Phase) -> GlueJobRun {
    let run = env.wait_for_phase(name, phase).await;
    assert_eq!(condition_summary(&run), conditions_for(phase), "{name}");
    run
}

/// All ten values of JobRunState.
#[tokio::test]
async fn each_state_in_glue_has_its_phase_and_conditions() {
    let env = TestEnv::new("states").await;
    env.double.clock().hold();
    let ends = [
        ("succeeded", Outcome::Succeeded, Phase::Succeeded),
        ("failed", Outcome::Failed("boom".to_owned()), Phase::Failed),
        ("error", Outcome::Error("Glue broke".to_owned()), Phase::Error),
        ("timeout", Outcome::Timeout, Phase::TimedOut),
        ("stopped", Outcome::Never, Phase::Stopped),
    ];
    let queue = JobDefinition::new("queue").max_concurrent_runs(1).queuing(true);
    env.define_job(queue.script(stepwise(Outcome::Never)));
    env.create_run("first", "queue", json!({})).await;
    env.wait_for_run_id("first").await;
    env.create_run("expired", "queue", json!({})).await;
    for (name, outcome, _) in &ends {
        env.define_job(JobDefinition::new(name).script(stepwise(outcome.clone())));
        env.create_run(name, name, json!({})).await;
    }
    assert_phase(&env, "expired", Phase::Waiting).await;
    for (name, ..) in &ends {
        env.wait_for_run_id(name).await;
        assert_phase(&env, name, Phase::Starting).await;
    }
    env.double.clock().step(STEP);
    for (name, ..) in &ends {
        let run = assert_phase(&env, name, Phase::Running).await;
        assert_eq!(ready_condition(&run).0, "Running");
    }
    let run = env.job_runs().get("stopped").await.expect("the object");
    env.call_glue("BatchStopJobRun", &json!({"JobName": "stopped", "JobRunIds": [run_id(&run)]}));
    assert_phase(&env, "stopped", Phase::Stopping).await;

    env.double.clock().step(STEP);
    for (name, _, phase) in &ends {
        let run = assert_phase(&env, name, *phase).await;
        let state = if *name == "stopped" { "STOPPED".to_owned() } else { name.to_uppercase() };
        assert_eq!(attempts(&run)[0].state, Some(state));
    }
    let expired = assert_phase(&env, "expired", Phase::Expired).await;
    assert_eq!(attempts(&expired)[0].state.as_deref(), Some("EXPIRED"));
    assert_eq!(env.start_calls(), 7);
    assert_eq!(env.stop_calls("stopped"), 0, "the controller did not stop it");
}

#[tokio::test]
async fn the_status_shows_granted_capacity_times_and_the_error() {
    let env = TestEnv::new("sized").await;
    env.double.clock().hold();
    let job = JobDefinition::new("sized").workers("G.1X", 2).glue_version("4.0");
    let job = job.default_argument("--enable-continuous-cloudwatch-log", "true");
    env.define_job(job.script(stepwise(Outcome::Failed("boom".to_owned()))));
    let spec = json!({"workers": {"type": "G.2X", "count": 3}, "executionClass": "STANDARD", "timeoutMinutes": 90});
    env.create_run("one", "sized", spec).await;
    env.wait_for_run_id("one").await;
    env.double.clock().step(STEP);
    env.wait_for_phase("one", Phase::Running).await;
    env.double.clock().step(STEP);
    let run = env.wait_finished("one", Phase::Failed).await;
    assert_eq!(ready_condition(&run), ("Failed".to_owned(), "boom".to_owned()));
    let status = run.status.expect("a status");
    assert_eq!(status.error_message.as_deref(), Some("boom"));
    let workers = status.workers.expect("workers");
    assert_eq!((workers.type_.as_str(), workers.count), ("G.2X", 3));
    assert_eq!(status.glue_version.as_deref(), Some("4.0"));
    assert_eq!(status.execution_seconds, Some(60));
    assert_eq!(status.duration.as_deref(), Some("2m0s"));
    assert_eq!(status.log_group.as_deref(), Some("/aws-glue/jobs"));
    let (started, completed) = (status.started_at.expect("a start"), status.completed_at.expect("an end"));
    assert_eq!(completed.0.duration_since(started.0).as_secs(), 120);
    assert_eq!((status.execution_class.as_deref(), status.timeout_minutes), (Some("STANDARD"), Some(90)));
    assert!(status.run.finished_at.is_some());
    // The arguments of the run do not show it; those of the job, which is read when a run has failed, do.
    assert!(status.links.is_some_and(|links| links.continuous_log.is_some()));
}

/// What Glue says of a run that a trigger started, or that was started elsewhere.
#[tokio::test]
async fn the_status_shows_where_a_run_comes_from_and_its_continuous_log() {
    let env = TestEnv::new("origin").await;
    let mut job = JobDefinition::new("stream").glue_version("4.0");
    job.settings.rest.insert("MaintenanceWindow".to_owned(), json!("Sun:10"));
    job.settings.rest.insert("ProfileName".to_owned(), json!("analysts"));
    env.define_job(job.script(RunScript::ends(Outcome::Never).starting(Duration::ZERO)));
    env.define_job(JobDefinition::new("load").script(RunScript::succeeds().running(Duration::ZERO)));
    env.call_glue("CreateWorkflow", &json!({"Name": "daily"}));
    let first =
        json!({"Name": "begin", "Type": "ON_DEMAND", "WorkflowName": "daily", "Actions": [{"JobName": "load"}]});
    env.call_glue("CreateTrigger", &first);
    let after = json!({"Conditions": [{"LogicalOperator": "EQUALS", "JobName": "load", "State": "SUCCEEDED"}]});
    let arguments = json!({"--enable-continuous-cloudwatch-log": "true"});
    let then = json!({
        "Name": "then", "Type": "CONDITIONAL", "WorkflowName": "daily", "StartOnCreation": true,
        "Actions": [{"JobName": "stream", "Arguments": arguments}], "Predicate": after,
    });
    env.call_glue("CreateTrigger", &then);
    env.double.clock().step(Duration::from_mins(10));
    env.call_glue("StartTrigger", &json!({"Name": "begin"}));
    env.double.clock().step(Duration::from_mins(10));
    let id = env.glue_runs("stream")[0]["Id"].clone();
    env.create_run("one", "stream", json!({"runId": id})).await;
    let status = env.wait_for_phase("one", Phase::Running).await.status.expect("a status");
    assert_eq!(status.trigger_name.as_deref(), Some("then"));
    let predecessors: Vec<_> =
        status.predecessors.iter().map(|run| (run.job_name.as_str(), run.run_id.as_str())).collect();
    let load = env.glue_runs("load")[0]["Id"].as_str().expect("an id").to_owned();
    assert_eq!(predecessors, [("load", load.as_str())]);
    assert_eq!(status.maintenance_window.as_deref(), Some("Sun:10"));
    assert_eq!(status.profile_name.as_deref(), Some("analysts"));
    let log = status.links.and_then(|links| links.continuous_log).expect("a link");
    assert!(log.contains("log-group/$252Faws-glue$252Fjobs$252Flogs-v2/"), "{log}");
}

/// Glue's messages may contain whole stack traces; the status keeps 1024 characters.
#[tokio::test]
async fn a_long_error_message_is_truncated() {
    let env = TestEnv::new("cut").await;
    let script = RunScript::fails(&"ü".repeat(20_000)).starting(Duration::ZERO).running(Duration::ZERO);
    env.define_job(JobDefinition::new("talks").script(script));
    env.create_run("one", "talks", json!({})).await;
    let run = env.wait_finished("one", Phase::Failed).await;
    let shown = run.status.as_ref().and_then(|status| status.error_message.clone()).expect("a message");
    for text in [shown, ready_condition(&run).1] {
        assert_eq!((text.chars().count(), text.ends_with('…')), (1024, true));
    }
}

/// As AWS may add one after this version of the controller.
#[tokio::test]
async fn an_unknown_state_in_glue_is_shown_and_stays_polled() {
    let mut env = TestEnv::with_credentials("unknown").await;
    env.double.clock().hold();
    env.define_job(JobDefinition::new("steps").script(stepwise(Outcome::Succeeded)));
    let proxy = proxy::start(env.double.address(), ["\"RUNNING\"", "\"DREAMED\""]).await;
    env.aws.insert("AWS_ENDPOINT_URL", proxy.url());
    env.start_controller();
    env.create_run("one", "steps", json!({})).await;
    env.wait_for_run_id("one").await;
    env.double.clock().step(STEP);
    let run = assert_phase(&env, "one", Phase::Unknown).await;
    assert!(ready_condition(&run).1.contains("DREAMED"), "{:?}", ready_condition(&run));
    env.double.clock().step(STEP);
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!(env.start_calls(), 1);
}

#[tokio::test]
async fn with_ready_when_started_a_running_run_is_ready() {
    let env = TestEnv::new("ready").await;
    env.double.clock().hold();
    env.define_job(JobDefinition::new("good").script(stepwise(Outcome::Succeeded)));
    env.define_job(JobDefinition::new("bad").script(stepwise(Outcome::Failed("boom".to_owned()))));
    for name in ["good", "bad"] {
        env.create_run(name, name, json!({"readyWhen": "Started"})).await;
        assert_eq!(condition_summary(&env.wait_for_run_id(name).await), ["Ready=False", "Reconciling=True"]);
    }
    env.double.clock().step(STEP);
    for name in ["good", "bad"] {
        assert_eq!(condition_summary(&env.wait_for_phase(name, Phase::Running).await), ["Ready=True"]);
    }
    env.double.clock().step(STEP);
    assert_eq!(
        condition_summary(&env.wait_finished("good", Phase::Succeeded).await),
        ["Ready=True", "Complete=True", "Finished=True"]
    );
    let bad = env.wait_finished("bad", Phase::Failed).await;
    assert_eq!(condition_summary(&bad), ["Ready=False", "Stalled=True", "Failed=True", "Finished=True"]);
}
