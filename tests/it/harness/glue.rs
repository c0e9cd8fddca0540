//! The test's Glue: its definitions, the calls that it received, and calls by others than the controller.

use kube_glue_double::{DEFAULT_ACCOUNT, JobDefinition, Request, Requests};
use serde_json::Value;
use tokio::time::timeout;

use super::{REGION, TestEnv, WAIT_TIMEOUT};

impl TestEnv {
    /// Defines a job, or replaces its definition.
    pub fn define_job(&self, job: JobDefinition) {
        self.double.define_job(DEFAULT_ACCOUNT, REGION, job);
    }

    /// Calls Glue as somebody else than the controller.
    pub fn call_glue(&self, operation: &str, body: &Value) -> Value {
        self.double.call(DEFAULT_ACCOUNT, REGION, operation, body).expect(operation)
    }

    /// Waits until Glue has received `count` calls of `operation` since the test began or the record was cleared.
    pub async fn wait_for_calls(&self, operation: &str, count: u64) {
        let what = format!("Glue received {count} calls of {operation}");
        self.wait_for_requests(&what, |requests| requests.count(operation) >= count).await;
    }

    /// Waits until Glue has received `count` more calls of `operation`.
    pub async fn wait_for_more_calls(&self, operation: &str, count: u64) {
        let before = self.double.requests().count(operation);
        self.wait_for_calls(operation, before + count).await;
    }

    /// Waits until Glue has answered `count` calls of `operation`. Before that its clock must not be stepped.
    pub async fn wait_for_answers(&self, operation: &str, count: usize) {
        let is_answered = |request: &Request| request.answer().is_some();
        let what = format!("Glue answered {count} calls of {operation}");
        self.wait_for_requests(&what, |requests| requests.of(operation).matching(is_answered).count() >= count).await;
    }

    /// Waits until `condition` holds for Glue's record of requests.
    pub async fn wait_for_requests(&self, what: &str, condition: impl FnMut(&Requests) -> bool) {
        let waited = timeout(WAIT_TIMEOUT, self.double.requests().wait_until(condition)).await;
        let counts = self.double.requests().counts();
        assert!(waited.is_ok(), "timed out waiting until {what}: {counts:?}\n{}", self.log_tail());
    }

    /// How many calls of StartJobRun Glue received.
    pub fn start_calls(&self) -> u64 {
        self.double.requests().count("StartJobRun")
    }

    /// How many calls Glue received, of any operation.
    pub fn glue_calls(&self) -> usize {
        self.double.requests().all().matching(|request| request.call.service == "glue").count()
    }

    /// How many calls of StartJobRun for `job` succeeded.
    pub fn successful_starts(&self, job: &str) -> usize {
        self.double.requests().of("StartJobRun").name(job).succeeded().count()
    }

    /// How many calls of BatchStopJobRun Glue received for `job`.
    pub fn stop_calls(&self, job: &str) -> usize {
        let is_stop = |request: &Request| &*request.call.operation == "BatchStopJobRun";
        self.double.requests().all().name(job).matching(is_stop).count()
    }

    /// Glue's runs of `job`, oldest first.
    pub fn glue_runs(&self, job: &str) -> Vec<Value> {
        self.double.runs(DEFAULT_ACCOUNT, REGION, job)
    }
}
