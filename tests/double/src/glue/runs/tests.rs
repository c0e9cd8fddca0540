//! Runs over time, by the operations and with a held clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Outcome, RunPlan, RunScript};
use crate::{
    error::AwsError,
    glue::{fixture::Fixture, jobs::JobDefinition},
};

trait Runs {
    fn start(&self, more: Value) -> Result<String, AwsError>;
    fn run(&self, id: &str) -> Value;
    fn state(&self, id: &str) -> String;
}

impl Runs for Fixture {
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

fn fixture_with(job: JobDefinition) -> Fixture {
    let fixture = Fixture::new();
    fixture.with(|region| region.define_job(job));
    fixture
}

fn job() -> JobDefinition {
    let script = RunScript::succeeds().starting(Duration::from_secs(10)).running(Duration::from_mins(1));
    JobDefinition::new("etl").script(script).max_concurrent_runs(100)
}

#[test]
fn a_run_changes_state_at_the_times_of_its_plan() {
    let fixture = fixture_with(job());
    let started = fixture.clock.now().as_seconds();
    let id = fixture.start(json!({})).unwrap();
    assert_eq!(id.len(), 67);
    assert_eq!(fixture.state(&id), "STARTING");
    fixture.step(10);
    assert_eq!(fixture.state(&id), "RUNNING");
    fixture.step(59);
    let run = fixture.run(&id);
    assert_eq!((run["JobRunState"].as_str(), run["ExecutionTime"].as_u64()), (Some("RUNNING"), Some(59)));
    assert!(run.get("CompletedOn").is_none());
    fixture.step(3600);
    let run = fixture.run(&id);
    assert_eq!(run["JobRunState"], "SUCCEEDED");
    assert_eq!(run["ExecutionTime"], 60);
    assert!((run["CompletedOn"].as_f64().unwrap() - started - 70.0).abs() < 0.002);
    assert_eq!(run["CompletedOn"], run["LastModifiedOn"]);
}

#[test]
fn a_run_times_out() {
    let fixture = fixture_with(job().script(RunScript::never_ends().starting(Duration::ZERO)));
    let id = fixture.start(json!({ "Timeout": 2 })).unwrap();
    fixture.step(119);
    assert_eq!(fixture.state(&id), "RUNNING");
    fixture.step(1);
    let run = fixture.run(&id);
    assert_eq!((run["JobRunState"].as_str(), run["Timeout"].as_u64()), (Some("TIMEOUT"), Some(2)));
    assert_eq!(run["ExecutionTime"], 120);
}

#[test]
fn a_stopped_run_is_stopping_for_some_time_and_an_ended_run_cannot_be_stopped() {
    let fixture = fixture_with(job());
    let id = fixture.start(json!({})).unwrap();
    fixture.step(30);
    let answer =
        fixture.call("BatchStopJobRun", &json!({ "JobName": "etl", "JobRunIds": [id, "jr_unknown"] })).unwrap();
    assert_eq!(answer["SuccessfulSubmissions"], json!([{ "JobName": "etl", "JobRunId": id }]));
    assert_eq!(answer["Errors"][0]["JobRunId"], "jr_unknown");
    assert_eq!(answer["Errors"][0]["ErrorDetail"]["ErrorCode"], "EntityNotFoundException");
    assert_eq!(fixture.state(&id), "STOPPING");
    fixture.step(2);
    assert_eq!(fixture.state(&id), "STOPPING");
    fixture.step(1);
    assert_eq!(fixture.state(&id), "STOPPED");
    fixture.step(3600);
    assert_eq!(fixture.state(&id), "STOPPED", "the planned end is ignored");
    let answer = fixture.call("BatchStopJobRun", &json!({ "JobName": "etl", "JobRunIds": [id] })).unwrap();
    assert_eq!(answer["Errors"][0]["ErrorDetail"]["ErrorCode"], "JobRunInTerminalStateException");
}

#[test]
fn a_slot_is_free_some_seconds_after_the_end() {
    let fixture = fixture_with(job().max_concurrent_runs(1));
    let first = fixture.start(json!({})).unwrap();
    let refused = fixture.start(json!({})).unwrap_err();
    assert_eq!(refused.to_string(), "ConcurrentRunsExceededException: Concurrent runs exceeded for etl");
    fixture.step(71);
    assert_eq!(fixture.state(&first), "SUCCEEDED");
    assert!(fixture.start(json!({})).is_err());
    fixture.step(4);
    fixture.start(json!({})).unwrap();
}

#[test]
fn queued_runs_start_oldest_first_or_expire() {
    let script = RunScript::succeeds().starting(Duration::ZERO).running(Duration::from_mins(1));
    let script = script.longest_wait(Duration::from_secs(100));
    let fixture = fixture_with(job().max_concurrent_runs(1).script(script));
    let first = fixture.start(json!({})).unwrap();
    let queued = json!({ "JobRunQueuingEnabled": true });
    let second = fixture.start(queued.clone()).unwrap();
    let third = fixture.start(queued.clone()).unwrap();
    let fourth = fixture.start(queued).unwrap();
    assert_eq!(fixture.run(&second)["StateDetail"], "Max concurrent job runs per job exceeded");
    fixture.call("BatchStopJobRun", &json!({ "JobName": "etl", "JobRunIds": [fourth] })).unwrap();
    fixture.step(64);
    assert_eq!([fixture.state(&first), fixture.state(&second)], ["SUCCEEDED", "WAITING"]);
    fixture.step(1);
    assert_eq!([fixture.state(&second), fixture.state(&third)], ["RUNNING", "WAITING"]);
    fixture.step(35);
    assert_eq!([fixture.state(&third), fixture.state(&fourth)], ["EXPIRED", "STOPPED"]);
    fixture.step(600);
    assert_eq!([fixture.state(&second), fixture.state(&third)], ["SUCCEEDED", "EXPIRED"]);
}

#[test]
fn a_retry_of_glue_takes_over_the_slot() {
    let script = RunScript::fails("boom").then(Outcome::Failed("again".into())).then(Outcome::Succeeded);
    let script = script.starting(Duration::ZERO).running(Duration::from_secs(10));
    let fixture = fixture_with(job().max_concurrent_runs(1).max_retries(5).script(script));
    let id = fixture.start(json!({ "Arguments": { "--day": "1" } })).unwrap();
    fixture.step(10);
    assert_eq!(fixture.run(&id)["ErrorMessage"], "boom");
    fixture.step(4);
    assert!(fixture.start(json!({})).is_err(), "the slot is kept for the next attempt");
    fixture.step(1);
    let first = fixture.run(&format!("{id}_attempt_1"));
    assert_eq!(first["PreviousRunId"], id);
    assert_eq!((first["Attempt"].as_u64(), first["JobRunState"].as_str()), (Some(1), Some("RUNNING")));
    assert_eq!(first["Arguments"], json!({ "--day": "1" }));
    fixture.step(600);
    let second = fixture.run(&format!("{id}_attempt_2"));
    assert_eq!(second["PreviousRunId"], format!("{id}_attempt_1"));
    assert_eq!(second["JobRunState"], "SUCCEEDED");
    let all = fixture.call("GetJobRuns", &json!({ "JobName": "etl" })).unwrap();
    let attempts: Vec<u64> =
        all["JobRuns"].as_array().unwrap().iter().map(|run| run["Attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [2, 1, 0]);
    fixture.start(json!({})).unwrap();
}

#[test]
fn timeouts_and_stops_are_not_retried() {
    let fixture = fixture_with(job().max_retries(3).script(RunScript::never_ends().starting(Duration::ZERO)));
    let timed_out = fixture.start(json!({ "Timeout": 1 })).unwrap();
    let stopped = fixture.start(json!({})).unwrap();
    fixture.call("BatchStopJobRun", &json!({ "JobName": "etl", "JobRunIds": [stopped] })).unwrap();
    fixture.step(3600);
    assert_eq!([fixture.state(&timed_out), fixture.state(&stopped)], ["TIMEOUT", "STOPPED"]);
    assert_eq!(
        fixture.call("GetJobRuns", &json!({ "JobName": "etl" })).unwrap()["JobRuns"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn an_ended_run_can_be_started_again_by_its_id() {
    let fixture = fixture_with(job());
    let id = fixture.start(json!({})).unwrap();
    let early = fixture.start(json!({ "JobRunId": id })).unwrap_err();
    assert_eq!(early.code, "JobRunNotInTerminalStateException");
    fixture.step(3600);
    let again = fixture.start(json!({ "JobRunId": id })).unwrap();
    let and_again = fixture.start(json!({ "JobRunId": id })).unwrap();
    assert_eq!([&again, &and_again], [&format!("{id}_attempt_1"), &format!("{id}_attempt_2")]);
    assert_eq!(fixture.run(&again)["PreviousRunId"], id);
}

#[test]
fn runs_are_listed_newest_first_and_new_runs_do_not_shift_pages() {
    let fixture = fixture_with(job().max_concurrent_runs(1000));
    let ids: Vec<String> = (0..450)
        .map(|_| {
            fixture.step(1);
            fixture.start(json!({})).unwrap()
        })
        .collect();
    let page = |token: Option<&Value>, size: Option<u32>| {
        fixture.call("GetJobRuns", &json!({ "JobName": "etl", "NextToken": token, "MaxResults": size })).unwrap()
    };
    let names = |page: &Value| -> Vec<String> {
        page["JobRuns"].as_array().unwrap().iter().map(|run| run["Id"].as_str().unwrap().to_owned()).collect()
    };
    let first = page(None, None);
    assert_eq!(names(&first), ids[250..].iter().rev().cloned().collect::<Vec<_>>());
    fixture.start(json!({})).unwrap();
    let second = page(first.get("NextToken"), None);
    assert_eq!(names(&second), ids[50..250].iter().rev().cloned().collect::<Vec<_>>());
    let third = page(second.get("NextToken"), Some(50));
    assert_eq!(names(&third), ids[..50].iter().rev().cloned().collect::<Vec<_>>());
    assert!(third.get("NextToken").is_none());
    let foreign = fixture.call("GetJobRuns", &json!({ "JobName": "etl", "NextToken": "bm8" })).unwrap_err();
    assert_eq!(foreign.code, "InvalidInputException");
}

#[test]
fn a_stale_read_shows_the_earlier_state() {
    let fixture = fixture_with(job());
    let old = fixture.start(json!({})).unwrap();
    fixture.step(12);
    let new = fixture.start(json!({})).unwrap();
    let stale = Some(Duration::from_secs(5));
    let seen = fixture.call_stale("GetJobRuns", &json!({ "JobName": "etl" }), stale).unwrap();
    assert_eq!(seen["JobRuns"].as_array().unwrap().len(), 1);
    assert_eq!(
        (seen["JobRuns"][0]["Id"].as_str(), seen["JobRuns"][0]["JobRunState"].as_str()),
        (Some(old.as_str()), Some("STARTING"))
    );
    let missing = fixture.call_stale("GetJobRun", &json!({ "JobName": "etl", "RunId": new }), stale).unwrap_err();
    assert_eq!(missing.code, "EntityNotFoundException");
}

#[test]
fn plans_are_used_in_order_or_by_argument() {
    let quick = RunPlan { outcome: Outcome::Error("special".into()), ..RunPlan::default() };
    let script = RunScript::fails("first").then(Outcome::Succeeded).for_argument("--mode", "special", quick);
    let fixture = fixture_with(job().script(script));
    let special = fixture.start(json!({ "Arguments": { "--mode": "special" } })).unwrap();
    let runs = [(); 3].map(|()| fixture.start(json!({})).unwrap());
    fixture.step(3600);
    assert_eq!(fixture.state(&special), "ERROR");
    assert_eq!(runs.map(|id| fixture.state(&id)), ["FAILED", "SUCCEEDED", "SUCCEEDED"]);
}

#[test]
fn arguments_are_bounded_in_all() {
    let fixture = fixture_with(job());
    let arguments = |length: usize| json!({ "Arguments": { "--a": "x".repeat(length - 6), "--b": "" } });
    fixture.start(arguments(260 * 1024)).unwrap();
    assert_eq!(fixture.start(arguments(260 * 1024 + 1)).unwrap_err().code, "InvalidInputException");
}

#[test]
fn a_run_shows_its_own_arguments_and_the_script_gets_all() {
    let mut definition = job().default_argument("--a", "job").default_argument("--b", "job");
    definition.settings.non_overridable_arguments = Some([("--fixed".to_owned(), "job".to_owned())].into());
    let fixture = fixture_with(definition);
    let id = fixture.start(json!({ "Arguments": { "--b": "run", "--fixed": "run" } })).unwrap();
    assert_eq!(fixture.run(&id)["Arguments"], json!({ "--b": "run", "--fixed": "run" }));
    let seen = fixture.with(|region| region.effective_arguments("etl", &id));
    assert_eq!(json!(seen), json!({ "--a": "job", "--b": "run", "--fixed": "job" }));
}

#[test]
fn a_flex_run_has_dpu_seconds_and_needs_glue_3() {
    let fixture = fixture_with(job().workers("G.2X", 3).glue_version("4.0"));
    let flexible = fixture.start(json!({ "ExecutionClass": "FLEX" })).unwrap();
    let standard = fixture.start(json!({})).unwrap();
    fixture.step(3600);
    let run = fixture.run(&flexible);
    assert_eq!((run["DPUSeconds"].as_f64(), run["MaxCapacity"].as_f64()), (Some(360.0), Some(6.0)));
    assert!(fixture.run(&standard).get("DPUSeconds").is_none());
    let old = fixture_with(job().glue_version("2.0"));
    assert_eq!(old.start(json!({ "ExecutionClass": "FLEX" })).unwrap_err().code, "InvalidInputException");
}

#[test]
fn a_run_of_a_deleted_job_frees_no_slot_of_a_new_job_with_its_name() {
    let fixture = fixture_with(job().max_concurrent_runs(1));
    let id = fixture.start(json!({})).unwrap();
    fixture.call("DeleteJob", &json!({ "JobName": "etl" })).unwrap();
    assert_eq!(fixture.start(json!({})).unwrap_err().code, "EntityNotFoundException");
    fixture.with(|region| {
        region.define_job(job().max_concurrent_runs(1));
    });
    fixture.step(50);
    let next = fixture.start(json!({})).unwrap();
    fixture.step(50);
    assert_eq!([fixture.state(&id), fixture.state(&next)], ["SUCCEEDED", "RUNNING"]);
    assert_eq!(fixture.start(json!({})).unwrap_err().code, "ConcurrentRunsExceededException");
}

#[test]
fn the_runs_of_a_deleted_job_are_not_listed_and_may_be_forgotten() {
    let fixture = fixture_with(job());
    let ids = [(); 2].map(|()| fixture.start(json!({})).unwrap());
    fixture.call("DeleteJob", &json!({ "JobName": "etl" })).unwrap();
    fixture.expect_error("GetJobRuns", &json!({ "JobName": "etl" }), "EntityNotFoundException");
    assert_eq!(fixture.state(&ids[0]), "STARTING", "it is found by its id");
    let stop = || fixture.call("BatchStopJobRun", &json!({ "JobName": "etl", "JobRunIds": ids })).unwrap();
    fixture.with(|region| region.forget_runs_of_deleted_jobs(true));
    fixture.expect_error("GetJobRun", &json!({ "JobName": "etl", "RunId": ids[0] }), "EntityNotFoundException");
    let refused = stop();
    assert_eq!(refused["Errors"].as_array().unwrap().len(), 2);
    assert_eq!(refused["Errors"][1]["ErrorDetail"]["ErrorCode"], "EntityNotFoundException");
    fixture.with(|region| region.forget_runs_of_deleted_jobs(false));
    assert_eq!(stop()["SuccessfulSubmissions"].as_array().unwrap().len(), 2);
}

#[test]
fn a_hidden_run_is_neither_listed_nor_found_for_some_time() {
    let fixture = fixture_with(job().script(RunScript::never_ends().hidden(Duration::from_secs(30))));
    let first = fixture.start(json!({})).unwrap();
    fixture.step(29);
    let second = fixture.start(json!({})).unwrap();
    let get = |id: &str| fixture.call("GetJobRun", &json!({ "JobName": "etl", "RunId": id }));
    let listed = || {
        let answer = fixture.call("GetJobRuns", &json!({ "JobName": "etl" })).unwrap();
        answer["JobRuns"].as_array().unwrap().iter().map(|run| run["Id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((get(&first).unwrap_err().code.as_ref(), listed()), ("EntityNotFoundException", Vec::<String>::new()));
    fixture.step(1);
    assert_eq!(listed(), std::slice::from_ref(&first));
    assert!(get(&first).is_ok() && get(&second).is_err());
    fixture.step(29);
    assert_eq!(listed(), [second, first]);
}

#[test]
fn a_stopped_run_may_stay_in_stopping() {
    let fixture = fixture_with(job().script(RunScript::never_ends().never_stops()));
    let id = fixture.start(json!({})).unwrap();
    fixture.call("BatchStopJobRun", &json!({ "JobName": "etl", "JobRunIds": [id] })).unwrap();
    fixture.step(24 * 3600 * 365);
    assert_eq!(fixture.state(&id), "STOPPING");
}

#[test]
fn one_long_step_is_equivalent_to_many_short_steps() {
    let run = |steps: &[u64]| {
        let script = RunScript::fails("a").then(Outcome::Succeeded).starting(Duration::from_secs(7));
        let fixture = fixture_with(job().max_retries(1).script(script));
        let from = fixture.clock.now();
        let id = fixture.start(json!({})).unwrap();
        for seconds in steps {
            fixture.step(*seconds);
            fixture.state(&id);
        }
        let last = fixture.run(&format!("{id}_attempt_1"));
        ((last["CompletedOn"].as_f64().unwrap() - from.as_seconds()).round(), last["ExecutionTime"].clone())
    };
    assert_eq!(run(&[1000]), run(&[1; 1000]));
}
