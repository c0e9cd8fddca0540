//! Runs over time, through the operations and on a clock that stands still.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Outcome, RunPlan, RunScript};
use crate::{
    error::AwsError,
    glue::{bench::Bench, jobs::JobDefinition},
};

trait Runs {
    fn start(&self, more: Value) -> Result<String, AwsError>;
    fn run(&self, id: &str) -> Value;
    fn state(&self, id: &str) -> String;
}

impl Runs for Bench {
    fn start(&self, more: Value) -> Result<String, AwsError> {
        let mut body = json!({ "JobName": "etl" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Ok(self.call("StartJobRun", &body)?["JobRunId"].as_str().unwrap().to_owned())
    }

    fn run(&self, id: &str) -> Value {
        self.call("GetJobRun", &json!({ "JobName": "etl", "RunId": id })).unwrap()["JobRun"].clone()
    }

    fn state(&self, id: &str) -> String {
        self.run(id)["JobRunState"].as_str().unwrap().to_owned()
    }
}

fn bench_with(job: JobDefinition) -> Bench {
    let bench = Bench::new();
    bench.with(|region| region.define_job(job));
    bench
}

fn job() -> JobDefinition {
    let script = RunScript::succeeds().starting(Duration::from_secs(10)).running(Duration::from_mins(1));
    JobDefinition::new("etl").script(script).max_concurrent_runs(100)
}

#[test]
fn a_run_starts_runs_and_succeeds_at_its_times() {
    let bench = bench_with(job());
    let started = bench.clock.now().as_seconds();
    let id = bench.start(json!({})).unwrap();
    assert_eq!(id.len(), 67);
    assert_eq!(bench.state(&id), "STARTING");
    bench.step(10);
    assert_eq!(bench.state(&id), "RUNNING");
    bench.step(59);
    let run = bench.run(&id);
    assert_eq!((run["JobRunState"].as_str(), run["ExecutionTime"].as_u64()), (Some("RUNNING"), Some(59)));
    assert!(run.get("CompletedOn").is_none());
    bench.step(3600);
    let run = bench.run(&id);
    assert_eq!(run["JobRunState"], "SUCCEEDED");
    assert_eq!(run["ExecutionTime"], 60);
    assert!((run["CompletedOn"].as_f64().unwrap() - started - 70.0).abs() < 0.002);
    assert_eq!(run["CompletedOn"], run["LastModifiedOn"]);
}

#[test]
fn the_timeout_cuts_a_run_off() {
    let bench = bench_with(job().script(RunScript::never_ends().starting(Duration::ZERO)));
    let id = bench.start(json!({ "Timeout": 2 })).unwrap();
    bench.step(119);
    assert_eq!(bench.state(&id), "RUNNING");
    bench.step(1);
    let run = bench.run(&id);
    assert_eq!((run["JobRunState"].as_str(), run["Timeout"].as_u64()), (Some("TIMEOUT"), Some(2)));
    assert_eq!(run["ExecutionTime"], 120);
}

#[test]
fn stopping_is_held_and_a_run_that_is_over_cannot_be_stopped() {
    let bench = bench_with(job());
    let id = bench.start(json!({})).unwrap();
    bench.step(30);
    let answer = bench.call("BatchStopJobRun", &json!({ "JobName": "etl", "JobRunIds": [id, "jr_unknown"] })).unwrap();
    assert_eq!(answer["SuccessfulSubmissions"], json!([{ "JobName": "etl", "JobRunId": id }]));
    assert_eq!(answer["Errors"][0]["JobRunId"], "jr_unknown");
    assert_eq!(answer["Errors"][0]["ErrorDetail"]["ErrorCode"], "EntityNotFoundException");
    assert_eq!(bench.state(&id), "STOPPING");
    bench.step(2);
    assert_eq!(bench.state(&id), "STOPPING");
    bench.step(1);
    assert_eq!(bench.state(&id), "STOPPED");
    bench.step(3600);
    assert_eq!(bench.state(&id), "STOPPED", "the planned end does not come any more");
    let answer = bench.call("BatchStopJobRun", &json!({ "JobName": "etl", "JobRunIds": [id] })).unwrap();
    assert_eq!(answer["Errors"][0]["ErrorDetail"]["ErrorCode"], "JobRunInTerminalStateException");
}

#[test]
fn a_slot_comes_free_some_seconds_after_the_end() {
    let bench = bench_with(job().max_concurrent_runs(1));
    let first = bench.start(json!({})).unwrap();
    let refused = bench.start(json!({})).unwrap_err();
    assert_eq!(refused.to_string(), "ConcurrentRunsExceededException: Concurrent runs exceeded for etl");
    bench.step(71);
    assert_eq!(bench.state(&first), "SUCCEEDED");
    assert!(bench.start(json!({})).is_err());
    bench.step(4);
    bench.start(json!({})).unwrap();
}

#[test]
fn queued_runs_start_oldest_first_and_expire() {
    let script = RunScript::succeeds().starting(Duration::ZERO).running(Duration::from_mins(1));
    let script = script.longest_wait(Duration::from_secs(100));
    let bench = bench_with(job().max_concurrent_runs(1).script(script));
    let first = bench.start(json!({})).unwrap();
    let queued = json!({ "JobRunQueuingEnabled": true });
    let second = bench.start(queued.clone()).unwrap();
    let third = bench.start(queued.clone()).unwrap();
    let fourth = bench.start(queued).unwrap();
    assert_eq!(bench.run(&second)["StateDetail"], "Max concurrent job runs per job exceeded");
    bench.call("BatchStopJobRun", &json!({ "JobName": "etl", "JobRunIds": [fourth] })).unwrap();
    bench.step(64);
    assert_eq!([bench.state(&first), bench.state(&second)], ["SUCCEEDED", "WAITING"]);
    bench.step(1);
    assert_eq!([bench.state(&second), bench.state(&third)], ["RUNNING", "WAITING"]);
    bench.step(35);
    assert_eq!([bench.state(&third), bench.state(&fourth)], ["EXPIRED", "STOPPED"]);
    bench.step(600);
    assert_eq!([bench.state(&second), bench.state(&third)], ["SUCCEEDED", "EXPIRED"]);
}

#[test]
fn glue_tries_failed_runs_again_in_the_same_slot() {
    let script = RunScript::fails("boom").then(Outcome::Failed("again".into())).then(Outcome::Succeeded);
    let script = script.starting(Duration::ZERO).running(Duration::from_secs(10));
    let bench = bench_with(job().max_concurrent_runs(1).max_retries(5).script(script));
    let id = bench.start(json!({ "Arguments": { "--day": "1" } })).unwrap();
    bench.step(10);
    assert_eq!(bench.run(&id)["ErrorMessage"], "boom");
    bench.step(4);
    assert!(bench.start(json!({})).is_err(), "the slot is kept for the next attempt");
    bench.step(1);
    let first = bench.run(&format!("{id}_attempt_1"));
    assert_eq!(first["PreviousRunId"], id);
    assert_eq!((first["Attempt"].as_u64(), first["JobRunState"].as_str()), (Some(1), Some("RUNNING")));
    assert_eq!(first["Arguments"], json!({ "--day": "1" }));
    bench.step(600);
    let second = bench.run(&format!("{id}_attempt_2"));
    assert_eq!(second["PreviousRunId"], format!("{id}_attempt_1"));
    assert_eq!(second["JobRunState"], "SUCCEEDED");
    let all = bench.call("GetJobRuns", &json!({ "JobName": "etl" })).unwrap();
    let attempts: Vec<u64> =
        all["JobRuns"].as_array().unwrap().iter().map(|run| run["Attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [2, 1, 0]);
    bench.start(json!({})).unwrap();
}

#[test]
fn timeouts_and_stops_are_not_tried_again() {
    let bench = bench_with(job().max_retries(3).script(RunScript::never_ends().starting(Duration::ZERO)));
    let timed_out = bench.start(json!({ "Timeout": 1 })).unwrap();
    let stopped = bench.start(json!({})).unwrap();
    bench.call("BatchStopJobRun", &json!({ "JobName": "etl", "JobRunIds": [stopped] })).unwrap();
    bench.step(3600);
    assert_eq!([bench.state(&timed_out), bench.state(&stopped)], ["TIMEOUT", "STOPPED"]);
    assert_eq!(bench.call("GetJobRuns", &json!({ "JobName": "etl" })).unwrap()["JobRuns"].as_array().unwrap().len(), 2);
}

#[test]
fn a_run_can_be_run_again_by_its_id_when_it_is_over() {
    let bench = bench_with(job());
    let id = bench.start(json!({})).unwrap();
    let early = bench.start(json!({ "JobRunId": id })).unwrap_err();
    assert_eq!(early.code, "JobRunNotInTerminalStateException");
    bench.step(3600);
    let again = bench.start(json!({ "JobRunId": id })).unwrap();
    let and_again = bench.start(json!({ "JobRunId": id })).unwrap();
    assert_eq!([&again, &and_again], [&format!("{id}_attempt_1"), &format!("{id}_attempt_2")]);
    assert_eq!(bench.run(&again)["PreviousRunId"], id);
}

#[test]
fn pages_go_from_the_newest_on_and_new_runs_shift_nothing() {
    let bench = bench_with(job().max_concurrent_runs(1000));
    let ids: Vec<String> = (0..450)
        .map(|_| {
            bench.step(1);
            bench.start(json!({})).unwrap()
        })
        .collect();
    let page = |token: Option<&Value>, size: Option<u32>| {
        bench.call("GetJobRuns", &json!({ "JobName": "etl", "NextToken": token, "MaxResults": size })).unwrap()
    };
    let names = |page: &Value| -> Vec<String> {
        page["JobRuns"].as_array().unwrap().iter().map(|run| run["Id"].as_str().unwrap().to_owned()).collect()
    };
    let first = page(None, None);
    assert_eq!(names(&first), ids[250..].iter().rev().cloned().collect::<Vec<_>>());
    bench.start(json!({})).unwrap();
    let second = page(first.get("NextToken"), None);
    assert_eq!(names(&second), ids[50..250].iter().rev().cloned().collect::<Vec<_>>());
    let third = page(second.get("NextToken"), Some(50));
    assert_eq!(names(&third), ids[..50].iter().rev().cloned().collect::<Vec<_>>());
    assert!(third.get("NextToken").is_none());
    let foreign = bench.call("GetJobRuns", &json!({ "JobName": "etl", "NextToken": "bm8" })).unwrap_err();
    assert_eq!(foreign.code, "InvalidInputException");
}

#[test]
fn a_stale_read_shows_what_was_true_before() {
    let bench = bench_with(job());
    let old = bench.start(json!({})).unwrap();
    bench.step(12);
    let new = bench.start(json!({})).unwrap();
    let stale = Some(Duration::from_secs(5));
    let seen = bench.call_stale("GetJobRuns", &json!({ "JobName": "etl" }), stale).unwrap();
    assert_eq!(seen["JobRuns"].as_array().unwrap().len(), 1);
    assert_eq!(
        (seen["JobRuns"][0]["Id"].as_str(), seen["JobRuns"][0]["JobRunState"].as_str()),
        (Some(old.as_str()), Some("STARTING"))
    );
    let missing = bench.call_stale("GetJobRun", &json!({ "JobName": "etl", "RunId": new }), stale).unwrap_err();
    assert_eq!(missing.code, "EntityNotFoundException");
}

#[test]
fn plans_are_taken_in_order_and_by_argument() {
    let quick = RunPlan { outcome: Outcome::Error("special".into()), ..RunPlan::default() };
    let script = RunScript::fails("first").then(Outcome::Succeeded).for_argument("--mode", "special", quick);
    let bench = bench_with(job().script(script));
    let special = bench.start(json!({ "Arguments": { "--mode": "special" } })).unwrap();
    let runs = [(); 3].map(|()| bench.start(json!({})).unwrap());
    bench.step(3600);
    assert_eq!(bench.state(&special), "ERROR");
    assert_eq!(runs.map(|id| bench.state(&id)), ["FAILED", "SUCCEEDED", "SUCCEEDED"]);
}

#[test]
fn arguments_show_the_runs_own_and_the_script_sees_all_by_key() {
    let mut definition = job().default_argument("--a", "job").default_argument("--b", "job");
    definition.settings.non_overridable_arguments = Some([("--fixed".to_owned(), "job".to_owned())].into());
    let bench = bench_with(definition);
    let id = bench.start(json!({ "Arguments": { "--b": "run", "--fixed": "run" } })).unwrap();
    assert_eq!(bench.run(&id)["Arguments"], json!({ "--b": "run", "--fixed": "run" }));
    let seen = bench.with(|region| region.effective_arguments("etl", &id));
    assert_eq!(json!(seen), json!({ "--a": "job", "--b": "run", "--fixed": "job" }));
}

#[test]
fn a_flexible_run_counts_dpu_seconds_and_needs_a_glue_version() {
    let bench = bench_with(job().workers("G.2X", 3).glue_version("4.0"));
    let flexible = bench.start(json!({ "ExecutionClass": "FLEX" })).unwrap();
    let standard = bench.start(json!({})).unwrap();
    bench.step(3600);
    let run = bench.run(&flexible);
    assert_eq!((run["DPUSeconds"].as_f64(), run["MaxCapacity"].as_f64()), (Some(360.0), Some(6.0)));
    assert!(bench.run(&standard).get("DPUSeconds").is_none());
    let old = bench_with(job().glue_version("2.0"));
    assert_eq!(old.start(json!({ "ExecutionClass": "FLEX" })).unwrap_err().code, "InvalidInputException");
}

#[test]
fn runs_outlive_their_job_and_free_nothing_of_its_successor() {
    let bench = bench_with(job().max_concurrent_runs(1));
    let id = bench.start(json!({})).unwrap();
    bench.call("DeleteJob", &json!({ "JobName": "etl" })).unwrap();
    assert_eq!(bench.start(json!({})).unwrap_err().code, "EntityNotFoundException");
    bench.with(|region| {
        region.define_job(job().max_concurrent_runs(1));
    });
    bench.step(50);
    let next = bench.start(json!({})).unwrap();
    bench.step(50);
    assert_eq!([bench.state(&id), bench.state(&next)], ["SUCCEEDED", "RUNNING"]);
    assert_eq!(bench.start(json!({})).unwrap_err().code, "ConcurrentRunsExceededException");
}

#[test]
fn a_step_over_many_events_is_the_same_as_many_steps() {
    let run = |steps: &[u64]| {
        let script = RunScript::fails("a").then(Outcome::Succeeded).starting(Duration::from_secs(7));
        let bench = bench_with(job().max_retries(1).script(script));
        let from = bench.clock.now();
        let id = bench.start(json!({})).unwrap();
        for seconds in steps {
            bench.step(*seconds);
            bench.state(&id);
        }
        let last = bench.run(&format!("{id}_attempt_1"));
        ((last["CompletedOn"].as_f64().unwrap() - from.as_seconds()).round(), last["ExecutionTime"].clone())
    };
    assert_eq!(run(&[1000]), run(&[1; 1000]));
}
