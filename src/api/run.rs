//! What job runs, crawls and workflow runs share: the policy of a run, its phases and its attempts.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::credentials::AwsIdentity;
use super::job_run::ExecutionClass;
use super::lineage::DeclaredLineage;
use super::rules;

/// Suspension, stop, retries, deadlines and deletion of a run. Flattened into the spec of every kind of run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunPolicy {
    /// As in batch/v1: true before the start holds the run back, true while the run is live stops it. Setting it
    /// back to false starts a new attempt. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,

    /// Whether to stop the run for good. Cannot be unset once it is true. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<bool>,

    /// Retries after a failure, in addition to those that Glue makes by itself. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,

    /// Seconds within which the run must start, counted from the creation of the object or from its release by
    /// suspend: false. Otherwise it ends as Expired. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub start_deadline_seconds: Option<i64>,

    /// Seconds that the run may take from its first start, retries included. Then the controller stops it, and it
    /// ends as Failed with the reason DeadlineExceeded. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub active_deadline_seconds: Option<i64>,

    /// Seconds after the end of the run at which the controller deletes the object. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ttl_seconds_after_finished: Option<i64>,

    /// What the controller does with a live run in Glue when the object is deleted: Stop stops the run and waits for
    /// its end, Orphan leaves it running. A run of another namespace is left running. Default: Stop; Orphan for a run
    /// that was started elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// The key that identifies the run in Glue. Objects of a namespace with the same key share one run: an object that
    /// is deleted and created again, or restored without its status, adopts the earlier run, even a finished one, and
    /// starts nothing. Default: the uid of the object. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"))]
    pub idempotency_key: Option<String>,

    /// When the object is Ready: Completed when the run has succeeded, Started as soon as it is running. Default:
    /// Completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_when: Option<ReadyWhen>,

    /// Datasets that the run reads and writes, for the events that the controller sends to an OpenLineage receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<DeclaredLineage>,
}

/// Retries in addition to those that Glue makes by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// The maximum number of retries.
    #[schemars(range(min = 0, max = 100))]
    pub limit: u32,

    /// The final states in Glue that are retried. Default: FAILED, ERROR and TIMEOUT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4), extend("x-kubernetes-list-type" = "set"))]
    pub states: Option<Vec<RetryOn>>,

    /// Seconds before the first retry. The pause doubles with each further retry. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86400))]
    pub backoff_seconds: Option<u32>,

    /// The longest pause before a retry, in seconds. Default: 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86400))]
    pub max_backoff_seconds: Option<u32>,

    /// The execution class of retries, such as STANDARD for a run that is tried with FLEX first. Only for job runs.
    /// Default: that of the first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_class: Option<ExecutionClass>,
}

/// A final state in Glue after which a run can be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RetryOn {
    /// The job's script or the crawl failed.
    Failed,
    /// The run took longer than its timeout.
    Timeout,
    /// Glue itself failed to run it.
    Error,
    /// Glue queued the run and never got capacity for it.
    Expired,
}

/// What the controller does with a live run when its object is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Stop the run.
    Stop,
    /// Leave the run alone.
    Orphan,
}

/// When an object is Ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReadyWhen {
    /// The run has succeeded.
    Completed,
    /// The run is running.
    Started,
}

/// The phase of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Nothing has been sent to Glue yet.
    #[default]
    Pending,
    /// Held back by `spec.suspend`.
    Suspended,
    /// Glue queued the run, the job is at its concurrency limit, the crawler is busy, or a retry is not due yet.
    Waiting,
    /// The run is being started, or Glue has accepted it and it is not running yet.
    Starting,
    /// The run is running in Glue.
    Running,
    /// The run is being stopped.
    Stopping,
    /// Final: the run succeeded.
    Succeeded,
    /// Final: the run failed, or `activeDeadlineSeconds` passed.
    Failed,
    /// Final: Glue ended the run at its timeout.
    TimedOut,
    /// Final: Glue itself failed to run it.
    Error,
    /// Final: the run was stopped.
    Stopped,
    /// Final: the run did not start in time.
    Expired,
    /// Glue reports a state that this version does not know, or no such run. The controller keeps following it.
    Unknown,
}

impl Phase {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 13] = [
        Self::Pending,
        Self::Suspended,
        Self::Waiting,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Error,
        Self::Stopped,
        Self::Expired,
        Self::Unknown,
    ];

    /// The name of the phase, as the status has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Suspended => "Suspended",
            Self::Waiting => "Waiting",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Stopping => "Stopping",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::TimedOut => "TimedOut",
            Self::Error => "Error",
            Self::Stopped => "Stopped",
            Self::Expired => "Expired",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether the run has failed, by Glue's word or the operator's.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Error)
    }

    /// Whether the phase is the last one of the object.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::TimedOut | Self::Error | Self::Stopped | Self::Expired => true,
            Self::Pending
            | Self::Suspended
            | Self::Waiting
            | Self::Starting
            | Self::Running
            | Self::Stopping
            | Self::Unknown => false,
        }
    }
}

/// Why the controller stops a live run. It is recorded before the stop is sent, to distinguish it from a stop by
/// someone else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StopCause {
    /// `spec.suspend` is true.
    Suspended,
    /// `spec.stop` is true.
    StopRequested,
    /// `spec.activeDeadlineSeconds` passed.
    DeadlineExceeded,
    /// The object is being deleted.
    Deleted,
}

/// One attempt to start and finish the run. It is recorded before anything is sent to Glue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The number of the attempt, from 0.
    pub number: u32,
    /// The key that identifies this attempt in Glue. Empty for a run that was started elsewhere.
    pub key: String,
    /// The number of retries before this attempt, since the object was created or resumed.
    #[serde(default)]
    pub retry: u32,
    /// When the intent for the first of these attempts was recorded. activeDeadlineSeconds counts from here.
    pub active_since: Time,
    /// When the intent to start was recorded, by the controller's clock.
    pub intended_at: Time,
    /// The newest crawl of the crawler when this attempt began to wait or its intent was recorded. Glue stores no key
    /// with a crawl, so the attempt's crawl is one that is newer than this. Only for crawls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// What the attempt resumes. Only for workflow runs, where spec.resume asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<Resumption>,
    /// Whether Glue has accepted StartCrawler. Glue returns no crawl id, so the crawl may not be known yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub accepted: bool,
    /// Why Glue definitely did not start the run. Absent while the outcome is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_reason: Option<String>,
    /// Glue's id of the run or crawl, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether someone else started the crawl. Unless deletionPolicy is Stop, deleting the object leaves such a crawl
    /// running.
    #[serde(default, skip_serializing_if = "is_false")]
    pub adopted: bool,
    /// The run's final state in Glue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Why the controller stopped the run or is stopping it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_cause: Option<StopCause>,
    /// When the controller observed the end of the run, by the controller's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

/// What an attempt resumes: a run that has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resumption {
    /// Glue's id of the run.
    pub run_id: String,
    /// Glue's ids of the nodes of its workflow that run again. Removed once Glue has started the attempt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_ids: Vec<String>,
}

/// The newest crawl of a crawler at some time. Empty when the crawler had none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// Glue's id of the crawl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When the crawl started, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Attempt {
    /// An attempt of which only the intent is known, recorded at `at`.
    pub(crate) fn intended(number: u32, key: String, at: Time) -> Self {
        Self {
            number,
            key,
            retry: 0,
            active_since: at.clone(),
            intended_at: at,
            baseline: None,
            resumes: None,
            accepted: false,
            rejected_reason: None,
            id: None,
            adopted: false,
            state: None,
            stop_cause: None,
            ended_at: None,
        }
    }

    /// Whether the start may have been sent and its outcome is unknown.
    pub(crate) fn is_open(&self) -> bool {
        self.id.is_none() && self.rejected_reason.is_none() && self.ended_at.is_none()
    }
}

/// The status that all runs share. Flattened into the status of each kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunStatus {
    /// The generation of the object that this status describes; -1 until the controller has observed the object.
    #[serde(default)]
    pub observed_generation: i64,
    /// The phase of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The last 10 attempts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// The last value of resume that the controller has handled. Only for workflow runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_resume: Option<String>,
    /// When the phase became a final one, by the controller's clock: set at the end, whatever the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// The AWS identity of the caller when this status was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<AwsIdentity>,
    /// Conditions: Ready, Reconciling, Stalled, Complete, Failed, Finished and Suspended, at most one of each type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Why a run failed, beyond the message of Glue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The end of the log of the failed run, without secret values: at most 20 lines and 4 KiB. It is read once, some
    /// seconds after the end, if the credentials of the object allow logs:GetLogEvents.
    pub log: String,
    /// The CloudWatch log group that it is from.
    pub log_group: String,
    /// The log stream that it is from.
    pub log_stream: String,
}

/// The maximum number of attempts in a status.
pub(crate) const MAX_ATTEMPTS: usize = 10;

impl RunStatus {
    /// The status of an object that the controller has not observed yet: the default in the schema.
    #[must_use]
    pub fn unobserved() -> Self {
        Self { observed_generation: -1, ..Self::default() }
    }

    /// The latest attempt.
    #[must_use]
    pub fn attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The condition of this type, if the status has one.
    #[must_use]
    pub fn condition(&self, type_: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == type_)
    }
}

/// The remedy when someone changes an immutable field of a run.
pub(super) const IMMUTABLE_REMEDY: &str = "create another object for another run";

/// The rule of kinds whose runs have no execution class.
pub(super) fn no_execution_class() -> Rule {
    Rule::new("!has(self.retry) || !has(self.retry.executionClass)")
        .message("only job runs have an execution class: remove retry.executionClass")
        .field_path(".retry.executionClass")
}

/// Adds the CEL rules of [`RunPolicy`] to the spec that it is flattened into.
pub(super) fn add_policy_rules(schema: &mut Schema) {
    rules::add(
        schema,
        [
            rules::immutable("idempotencyKey", IMMUTABLE_REMEDY),
            rules::one_way("stop"),
            Rule::new("!(has(self.retry) && has(self.retry.backoffSeconds) && has(self.retry.maxBackoffSeconds)) || self.retry.backoffSeconds <= self.retry.maxBackoffSeconds")
                .message("retry.backoffSeconds must not exceed retry.maxBackoffSeconds")
                .field_path(".retry.backoffSeconds"),
        ],
    );
}
