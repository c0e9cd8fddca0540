//! What every run shares, a job's or a crawler's: how it lives, its phases, its attempts.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::credentials::AwsIdentity;
use super::rules;

/// How a run lives: held, stopped, tried again, given up, cleaned away.
///
/// Flattened into the spec of each kind that runs something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunPolicy {
    /// As in batch/v1: true before the start holds the run back, true while it runs stops it;
    /// false again starts a new attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,

    /// Stops the run for good. Cannot be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<bool>,

    /// Tries again after a failure, beyond the retries that Glue makes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,

    /// Seconds from the creation of the object (or from its release by suspend: false) within which
    /// the run must have started; otherwise it ends as Expired. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub start_deadline_seconds: Option<i64>,

    /// Seconds that the run may take from its first start, retries included; then it is stopped and
    /// ends as Failed with the reason `DeadlineExceeded`. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub active_deadline_seconds: Option<i64>,

    /// Seconds after its end at which the object is deleted. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ttl_seconds_after_finished: Option<i64>,

    /// What becomes of a live run in Glue when the object is deleted: Stop stops it and waits for its
    /// end, Orphan lets it go on. Default: Stop; Orphan for a run that was started elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// What names this run to Glue. Default: the uid of the object. Objects with the same key share one
    /// run: an object that is deleted and created again, or restored without its status, adopts the
    /// earlier run, a finished one included, and starts nothing. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"))]
    pub idempotency_key: Option<String>,

    /// When the object counts as Ready: Completed when the run has succeeded, Started as soon as it
    /// runs. Default: Completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_when: Option<ReadyWhen>,
}

/// Retries beyond Glue's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// How many times a failed run is started again.
    #[schemars(with = "i32", range(min = 0, max = 100))]
    pub limit: u32,

    /// The final states of Glue that are tried again. Default: FAILED, ERROR and TIMEOUT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4), extend("x-kubernetes-list-type" = "set"))]
    pub states: Option<Vec<RetryOn>>,

    /// Seconds before the first retry; doubled for each further one. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>", range(min = 0, max = 86400))]
    pub backoff_seconds: Option<u32>,

    /// The longest pause between two attempts, in seconds. Default: 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>", range(min = 0, max = 86400))]
    pub max_backoff_seconds: Option<u32>,
}

/// A final state of Glue after which a run may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RetryOn {
    /// The job's script or the crawl failed.
    Failed,
    /// The run took longer than its timeout.
    Timeout,
    /// Glue itself failed.
    Error,
    /// A queued run never got its resources.
    Expired,
}

/// What becomes of a live run when its object is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// It is stopped.
    Stop,
    /// It goes on.
    Orphan,
}

/// When an object counts as Ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReadyWhen {
    /// The run has succeeded.
    Completed,
    /// The run is running.
    Started,
}

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Nothing has been sent to Glue yet.
    #[default]
    Pending,
    /// Held by suspend.
    Suspended,
    /// Waits for a place: Glue queued the run, its job runs as often as it may, or a retry is due later.
    Waiting,
    /// Being started, or accepted by Glue and not running yet.
    Starting,
    /// Running.
    Running,
    /// Being stopped.
    Stopping,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Ended by its timeout.
    TimedOut,
    /// Ended by an error of Glue itself.
    Error,
    /// Ended by a stop.
    Stopped,
    /// Never started in time.
    Expired,
    /// In a state that this version does not know; watched on.
    Unknown,
}

impl Phase {
    /// Whether nothing follows any more.
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

/// Why a live run is being stopped. Written before the stop is sent, so that its end can be told apart
/// from a stop by somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StopCause {
    /// The object is suspended.
    Suspended,
    /// `stop: true`.
    StopRequested,
    /// `activeDeadlineSeconds` have passed.
    DeadlineExceeded,
    /// The object is being deleted.
    Deleted,
}

/// One attempt to start and finish the run. It is written before anything is sent to Glue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Counts from 0.
    #[schemars(with = "i32")]
    pub number: u32,
    /// What names this attempt to Glue; empty for a run that was started elsewhere.
    pub key: String,
    /// How many retries came before it since the run was created or resumed.
    #[serde(default)]
    #[schemars(with = "i32")]
    pub retry: u32,
    /// When the first of these attempts was intended; `activeDeadlineSeconds` counts from here.
    pub active_since: Time,
    /// When the intent to start was recorded, by the controller's clock.
    pub intended_at: Time,
    /// The newest crawl that the crawler had when this attempt began to wait for it, or was intended: a crawl
    /// carries no key, and what tells it is that it was not there before. Absent for job runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// Glue said yes to the start, and has not shown yet which crawl it is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub accepted: bool,
    /// Why Glue did not start it, when its answer was a clear no. Absent while the answer is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_reason: Option<String>,
    /// Glue's id of the run or crawl, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The crawl was started by somebody else and covers this object. Unless deletionPolicy says otherwise,
    /// the object lets it go on when it is deleted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub adopted: bool,
    /// Glue's word for how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Why it is being, or was, stopped by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_cause: Option<StopCause>,
    /// When its end was seen, by the controller's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

/// The newest crawl of a crawler at some time; empty when it had none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it began, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Attempt {
    /// Whether its start may be on its way: intended, and neither answered nor over.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.id.is_none() && self.rejected_reason.is_none() && self.ended_at.is_none()
    }

    /// Whether this and `other` are records of one intent.
    #[must_use]
    pub fn is_same_intent(&self, other: &Self) -> bool {
        self.number == other.number && self.key == other.key && self.intended_at == other.intended_at
    }
}

/// The status that every kind of run shares; flattened into each kind's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunStatus {
    /// The generation of the object that this status speaks of; -1 before the first look.
    #[serde(default)]
    pub observed_generation: i64,
    /// Where the run is in its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The attempts, oldest first; the last ten are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// As whom AWS knew us when this status was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<AwsIdentity>,
    /// Ready, Reconciling, Stalled, Complete, Failed and Suspended, one of each at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// The attempts that a status keeps.
pub const MAX_ATTEMPTS: usize = 10;

impl RunStatus {
    /// The attempt that counts now.
    #[must_use]
    pub fn attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The condition of this type.
    #[must_use]
    pub fn condition(&self, type_: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == type_)
    }
}

/// Adds the CEL rules of [`RunPolicy`] to the spec that it is flattened into.
pub fn add_policy_rules(schema: &mut Schema) {
    rules::add(
        schema,
        [
            rules::immutable("idempotencyKey"),
            rules::one_way("stop"),
            Rule::new("!(has(self.retry) && has(self.retry.backoffSeconds) && has(self.retry.maxBackoffSeconds)) || self.retry.backoffSeconds <= self.retry.maxBackoffSeconds")
                .message("retry.backoffSeconds must not exceed retry.maxBackoffSeconds")
                .field_path(".retry.backoffSeconds"),
        ],
    );
}
