//! What a GlueJobRun says of the run whose log is read. Pure.

use std::time::Duration;

use jiff::Timestamp;
use kube::core::DynamicObject;
use serde_json::Value;

use super::kind::Kind;
use super::outcome::Outcome;

/// A GlueJobRun, as far as the log of a run needs it.
#[derive(Debug)]
pub(super) struct LoggedObject {
    spec: Value,
    status: Value,
    outcome: Outcome,
    /// The number of the attempt whose run is read; by default the latest.
    attempt: Option<u32>,
    arguments: std::collections::HashMap<String, String>,
}

impl LoggedObject {
    pub(super) fn read(mut object: DynamicObject, attempt: Option<u32>) -> Self {
        let outcome = Outcome::of(&Kind::job_run(), &object);
        let (spec, status) = (object.data["spec"].take(), object.data["status"].take());
        let arguments = serde_json::from_value(spec["arguments"].clone()).unwrap_or_default();
        Self { spec, status, outcome, attempt, arguments }
    }

    pub(super) fn job(&self) -> &str {
        self.spec["jobName"].as_str().unwrap_or_default()
    }

    /// An argument that the spec gives.
    pub(super) fn argument(&self, name: &str) -> Option<&String> {
        self.arguments.get(name)
    }

    /// Whether the object has the attempt that was asked for.
    pub(super) fn has_attempt(&self) -> bool {
        self.attempt.is_none() || self.of_attempt().is_some()
    }

    /// The id of the run, once it is known.
    pub(super) fn run(&self) -> Option<String> {
        let of_attempt = self.of_attempt()?["id"].as_str();
        // Glue's own retries are runs of the same attempt.
        let latest = self.status["runId"].as_str().filter(|_| self.is_latest());
        latest.or(of_attempt).map(str::to_owned)
    }

    /// Whether the run with this id has ended.
    pub(super) fn has_ended(&self, run: &str) -> bool {
        let has_end = self.of_attempt().is_some_and(|attempt| !attempt["endedAt"].is_null());
        has_end || self.is_over() || self.run().is_some_and(|latest| latest != run)
    }

    /// How long ago that was, by this machine's clock.
    pub(super) fn ended_ago(&self, now: Timestamp) -> Duration {
        let recorded = self.of_attempt().and_then(|attempt| time(&attempt["endedAt"]));
        let ended = self.completed_at().or(recorded);
        ended.map_or(Duration::ZERO, |ended| Duration::try_from(now.duration_since(ended)).unwrap_or_default())
    }

    /// Whether the object starts no further run.
    pub(super) fn is_over(&self) -> bool {
        self.outcome.end.is_some()
    }

    pub(super) fn describe(&self) -> String {
        self.outcome.describe()
    }

    pub(super) fn log_group(&self) -> Option<&str> {
        self.status["logGroup"].as_str()
    }

    pub(super) fn glue_version(&self) -> Option<&str> {
        self.status["glueVersion"].as_str()
    }

    /// When the latest run started, by Glue's clock.
    pub(super) fn started_at(&self) -> Option<Timestamp> {
        time(&self.status["startedAt"]).filter(|_| self.is_latest())
    }

    /// When the latest run ended, by Glue's clock.
    pub(super) fn completed_at(&self) -> Option<Timestamp> {
        time(&self.status["completedAt"]).filter(|_| self.is_latest())
    }

    fn of_attempt(&self) -> Option<&Value> {
        let mut attempts = self.status["attempts"].as_array()?.iter();
        match self.attempt {
            Some(number) => attempts.find(|attempt| attempt["number"].as_u64() == Some(u64::from(number))),
            None => attempts.next_back(),
        }
    }

    fn is_latest(&self) -> bool {
        let latest = self.status["attempts"].as_array().and_then(|attempts| attempts.last());
        self.of_attempt().zip(latest).is_some_and(|(one, latest)| one == latest)
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(status: &Value, attempt: Option<u32>) -> LoggedObject {
        let mut object = DynamicObject::new("nightly", &Kind::job_run().resource);
        object.data = json!({ "spec": { "jobName": "etl", "arguments": { "--a": "b" } }, "status": status });
        LoggedObject::read(object, attempt)
    }

    #[test]
    fn the_run_is_that_of_the_latest_attempt_or_of_the_one_that_is_named() {
        let status = json!({
            "phase": "Running", "runId": "jr_2_attempt_1", "startedAt": "2026-01-01T00:10:00Z",
            "attempts": [
                { "number": 0, "id": "jr_1", "endedAt": "2026-01-01T00:05:00Z" },
                { "number": 1, "id": "jr_2" },
            ],
        });
        let latest = object(&status, None);
        assert_eq!((latest.run().as_deref(), latest.job()), (Some("jr_2_attempt_1"), "etl"));
        assert!(!latest.has_ended("jr_2_attempt_1") && latest.has_ended("jr_2"), "Glue retries it as another run");
        assert!(latest.started_at().is_some() && !latest.is_over());
        let first = object(&status, Some(0));
        assert_eq!(first.run().as_deref(), Some("jr_1"));
        assert!(first.has_ended("jr_1") && first.started_at().is_none());
        let now = "2026-01-01T00:06:00Z".parse().unwrap();
        assert_eq!(first.ended_ago(now), Duration::from_mins(1));
        assert!(!object(&status, Some(7)).has_attempt());
    }

    #[test]
    fn an_object_without_a_run_has_none() {
        let pending = object(&json!({ "phase": "Pending" }), None);
        assert_eq!((pending.run(), pending.is_over(), pending.has_attempt()), (None, false, true));
        assert_eq!(pending.argument("--a").map(String::as_str), Some("b"));
        let rejected = object(&json!({ "phase": "Failed", "attempts": [{ "number": 0 }] }), None);
        assert_eq!((rejected.run(), rejected.is_over()), (None, true));
    }
}
