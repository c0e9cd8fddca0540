//! `GlueJobRun`: one run of an existing Glue job, from start to end.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::credentials::Aws;
use super::rules;
use super::run::{self, Failure, RunPolicy, RunStatus};

/// One run of an existing Glue job.
///
/// The fields that say what to run cannot be changed: another run needs another object. Field meanings and bounds
/// are those of Glue's `StartJobRun`.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kube-glue.dev",
    version = "v1alpha1",
    kind = "GlueJobRun",
    plural = "gluejobruns",
    shortname = "gjr",
    category = "glue",
    namespaced,
    status = "GlueJobRunStatus",
    derive = "PartialEq",
    doc = "One run of an existing AWS Glue job, from start to end.",
    selectable = ".spec.jobName",
    selectable = ".status.phase",
    printcolumn(name = "Job", type_ = "string", json_path = ".spec.jobName"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Run Id", type_ = "string", json_path = ".status.runId", priority = 1),
    printcolumn(name = "Started", type_ = "date", json_path = ".status.startedAt"),
    printcolumn(name = "Duration", type_ = "string", json_path = ".status.duration"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    ),
    printcolumn(name = "Identity", type_ = "string", json_path = ".status.identity.principalArn", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct GlueJobRunSpec {
    /// The name of the Glue job, not its ARN. Cannot be changed.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub job_name: String,

    /// The id of a run of this job that was started elsewhere. The object follows that run and never starts one; it
    /// does not stop one that was started for another namespace. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub run_id: Option<String>,

    /// Region and credentials.
    #[serde(flatten)]
    pub aws: Aws,

    /// Arguments of the run, at most 200 and 260 KB in all. They override the job's default arguments of the same
    /// name. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "arguments_schema")]
    pub arguments: Option<BTreeMap<String, String>>,

    /// Arguments with values from Secrets and ConfigMaps of the object's namespace, at most 64. The controller reads
    /// them when it starts the run, and never shows values from Secrets. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub arguments_from: Option<Vec<ArgumentFrom>>,

    /// The workers of the run. Default: the job's. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<Workers>,

    /// The maximum number of data processing units (DPUs) for the run: 0.0625 or 1 for a Python shell job, 2 or more
    /// for Spark. Use workers for Glue 2.0 and later. Default: the job's. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0625, max = 1000))]
    pub max_capacity: Option<f64>,

    /// The number of DPUs for the run. Deprecated by Glue: use workers or maxCapacity. Default: the job's. Cannot be
    /// changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub allocated_capacity: Option<i32>,

    /// Minutes after which Glue ends the run as TIMEOUT. Default: the job's. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10080))]
    pub timeout_minutes: Option<i32>,

    /// Minutes after the start at which Glue sends a notification that the run is delayed. Default: the job's.
    /// Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub notify_delay_after_minutes: Option<i32>,

    /// The name of the Glue security configuration for the run. Default: the job's. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub security_configuration: Option<String>,

    /// STANDARD for runs that must start at once, FLEX for runs that may wait for spare capacity. Default: the job's.
    /// Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_class: Option<ExecutionClass>,

    /// Whether Glue queues the run when the account has no capacity left. Default: the job's. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_run_queuing_enabled: Option<bool>,

    /// An IAM session policy in JSON that restricts the job's role for the run, at most 2048 characters. Cannot be
    /// changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 2048))]
    pub execution_role_session_policy: Option<String>,

    /// Suspension, stop, retries, deadlines and deletion.
    #[serde(flatten)]
    pub policy: RunPolicy,
}

/// An argument, or a run property of a workflow, with its value from a Secret or ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_source_rules)]
pub struct ArgumentFrom {
    /// The name of the argument, such as --db-password, or of the run property.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// The key of a Secret that holds the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<KeyRef>,
    /// The key of a `ConfigMap` that holds the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<KeyRef>,
}

/// A key of a Secret or `ConfigMap` of the object's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRef {
    /// The name of the Secret or `ConfigMap`.
    #[schemars(length(min = 1, max = 253), regex(pattern = super::rules::OBJECT_NAME))]
    pub name: String,
    /// The key in the Secret or `ConfigMap`.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
    /// Whether to omit the argument or the property when the key does not exist. With false, the run waits for the key. Default:
    /// false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

/// The type and number of a run's workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workers {
    /// Glue's worker type, such as G.1X, G.2X, G.025X or R.1X.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9.]*$"))]
    pub type_: String,
    /// The number of workers.
    #[schemars(range(min = 1, max = 1000))]
    pub count: i32,
}

/// Glue's `ExecutionClass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ExecutionClass {
    /// Spare capacity: start and end of the run may be delayed.
    Flex,
    /// Dedicated capacity.
    Standard,
}

impl ExecutionClass {
    /// The value as Glue's API spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Flex => "FLEX",
            Self::Standard => "STANDARD",
        }
    }
}

/// A run that had to end before this one, in a trigger of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Predecessor {
    /// The name of its job.
    pub job_name: String,
    /// Its run id.
    pub run_id: String,
}

/// The observed state of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlueJobRunStatus {
    /// The part that job runs and crawls share.
    #[serde(flatten)]
    pub run: RunStatus,
    /// Glue's id of the run of the latest attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// When the run started, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the run ended, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// The time from start to end in readable form, such as 1m12s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// The seconds for which the run consumed resources (Glue's ExecutionTime).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_seconds: Option<i32>,
    /// The DPU seconds that the run consumed. Glue reports them for auto scaling and FLEX only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpu_seconds: Option<f64>,
    /// The Glue version that ran the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glue_version: Option<String>,
    /// The workers that Glue granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<Workers>,
    /// The DPUs that Glue granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_capacity: Option<f64>,
    /// The execution class that Glue granted: FLEX or STANDARD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_class: Option<String>,
    /// The minutes after which Glue ends the run as TIMEOUT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_minutes: Option<i32>,
    /// Why the run is in its state, in Glue's words: what a run that Glue has queued waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_detail: Option<String>,
    /// The number of Glue's own attempt, from 0 (JobRun.Attempt).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glue_attempt: Option<i32>,
    /// The name of the trigger that started the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_name: Option<String>,
    /// The runs whose end made the trigger start this run, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predecessors: Vec<Predecessor>,
    /// The name of the Glue usage profile of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_name: Option<String>,
    /// When Glue may restart a streaming run for maintenance, such as Sun:10: a day of the week and an hour in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_window: Option<String>,
    /// The CloudWatch log group of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group: Option<String>,
    /// Links to the run and its logs in the AWS console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// Glue's message about the failure, at most 1,024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The end of the log, where the run failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// URLs in the AWS console.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Links {
    /// The page of the run.
    pub console: String,
    /// The run's output log in CloudWatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_log: Option<String>,
    /// The run's error log in CloudWatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_log: Option<String>,
    /// The run's continuous log in CloudWatch, with --enable-continuous-cloudwatch-log. Glue 5.0 and later have none:
    /// they write the output log as they go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuous_log: Option<String>,
}

/// The fields that say what to run. They cannot be changed.
const IMMUTABLE: [&str; 14] = [
    "jobName",
    "runId",
    "region",
    "arguments",
    "workers",
    "maxCapacity",
    "allocatedCapacity",
    "timeoutMinutes",
    "notifyDelayAfterMinutes",
    "securityConfiguration",
    "executionClass",
    "jobRunQueuingEnabled",
    "executionRoleSessionPolicy",
    "argumentsFrom",
];

/// "AWS Glue uses the following arguments internally and you should never use them" (Glue user guide,
/// "Using job parameters in AWS Glue jobs"). Jobs that use them work.
pub(crate) const RESERVED: [&str; 4] = ["--debug", "--mode", "--JOB_NAME", "--endpoint"];

/// The most bytes of all arguments of a run, names and values (Glue user guide, "Using job parameters in AWS Glue jobs").
pub(crate) const MAX_ARGUMENTS_BYTES: usize = 260 * 1024;

fn add_rules(schema: &mut Schema) {
    rules::add(schema, IMMUTABLE.map(|field| rules::immutable(field, run::IMMUTABLE_REMEDY)));
    run::add_policy_rules(schema);
    rules::add(
        schema,
        [
            Rule::new("(has(self.workers) ? 1 : 0) + (has(self.maxCapacity) ? 1 : 0) + (has(self.allocatedCapacity) ? 1 : 0) <= 1")
                .message("workers, maxCapacity and allocatedCapacity exclude each other: keep one of them")
                .field_path(".maxCapacity"),
            Rule::new(format!(
                "!has(self.arguments) || self.arguments.map(name, size(name) + size(self.arguments[name])).sum() <= {MAX_ARGUMENTS_BYTES}"
            ))
            .message("Glue takes 260 KB of arguments at most, names and values: put large values into S3, and name their location")
            .field_path(".arguments"),
            Rule::new("!has(self.workers) || self.workers.count >= 2 || self.workers.type == 'Z.2X'")
                .message("workers.count is 2 or more: Glue takes no fewer for this type")
                .field_path(".workers"),
            Rule::new("!has(self.arguments) || !has(self.argumentsFrom) || !self.argumentsFrom.exists(from, from.name in self.arguments)")
                .message("an argument is set in both arguments and argumentsFrom: keep one of them")
                .field_path(".argumentsFrom"),
            rules::excludes(
                "runId",
                &[
                    "arguments",
                    "argumentsFrom",
                    "workers",
                    "maxCapacity",
                    "allocatedCapacity",
                    "timeoutMinutes",
                    "notifyDelayAfterMinutes",
                    "securityConfiguration",
                    "executionClass",
                    "jobRunQueuingEnabled",
                    "executionRoleSessionPolicy",
                    "retry",
                    "suspend",
                    "startDeadlineSeconds",
                    "idempotencyKey",
                ],
                "runId follows a run that was started elsewhere: remove the fields for starting one",
            ),
        ],
    );
}

fn add_source_rules(schema: &mut Schema) {
    let exactly_one = "has(self.secretKeyRef) != has(self.configMapKeyRef)";
    rules::add(
        schema,
        [Rule::new(exactly_one)
            .message("name exactly one of secretKeyRef and configMapKeyRef")
            .field_path(".secretKeyRef")],
    );
}

/// The bounds keep the estimated CEL cost of `arguments` within the API server's limit. The bound that matters is that of
/// all arguments together. It counts characters: counting bytes would cost twice what the API server grants a rule, so the
/// controller does that before the start.
fn arguments_schema(_: &mut schemars::SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 200,
        "additionalProperties": {"type": "string", "maxLength": MAX_ARGUMENTS_BYTES},
    })
}
