//! `GlueJobRun`: one run of an existing Glue job, from its start to a final state.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::credentials::Aws;
use super::rules;
use super::run::{self, RunPolicy, RunStatus};

/// One run of an existing Glue job.
///
/// What to run is fixed when the object is created: a new run is a new object.
/// Field meanings and bounds are those of Glue's `StartJobRun`.
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
    doc = "One run of an existing AWS Glue job, from its start to a final state.",
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
    /// The name (not the ARN) of the Glue job.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub job_name: String,

    /// Follows a run of the job that was started elsewhere; never starts one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub run_id: Option<String>,

    /// Where, and as whom.
    #[serde(flatten)]
    pub aws: Aws,

    /// Arguments of this run; they replace the job's default arguments of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "arguments_schema")]
    pub arguments: Option<BTreeMap<String, String>>,

    /// Arguments whose values stand in Secrets and ConfigMaps of the object's namespace. They are read
    /// when the run is started; values from Secrets are shown nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub arguments_from: Option<Vec<ArgumentFrom>>,

    /// The workers of this run, in place of those that the job names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<Workers>,

    /// Data processing units (DPUs) that the run may use: 0.0625 or 1 for a Python shell job, 2 and
    /// more for Spark. For Glue 2.0 and later name workers instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0625, max = 1000))]
    pub max_capacity: Option<f64>,

    /// DPUs that the run may use, as older jobs name them. Prefer workers or maxCapacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub allocated_capacity: Option<i32>,

    /// Minutes after which Glue ends the run as TIMEOUT. Default: the job's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10080))]
    pub timeout_minutes: Option<i32>,

    /// Minutes after the start at which Glue sends a notification about a run that takes long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub notify_delay_after_minutes: Option<i32>,

    /// The name of Glue's security configuration for this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub security_configuration: Option<String>,

    /// STANDARD for runs that must start at once, FLEX for those that may wait for spare capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_class: Option<ExecutionClass>,

    /// Whether Glue queues the run when the account has no capacity left. Default: the job's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_run_queuing_enabled: Option<bool>,

    /// An IAM session policy (JSON) that narrows what the job's role may do in this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 2048))]
    pub execution_role_session_policy: Option<String>,

    /// How the run lives.
    #[serde(flatten)]
    pub policy: RunPolicy,
}

/// One argument with a value from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_source_rules)]
pub struct ArgumentFrom {
    /// The name of the argument, such as --db-password.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// A key of a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<KeyRef>,
    /// A key of a `ConfigMap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<KeyRef>,
}

/// A key of a Secret or `ConfigMap` of the object's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRef {
    /// The name of the Secret or `ConfigMap`.
    #[schemars(length(min = 1, max = 253), regex(pattern = super::rules::OBJECT_NAME))]
    pub name: String,
    /// The key in it.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
    /// Whether the argument is left out when there is no such key; otherwise the run waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

/// The workers of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workers {
    /// Glue's worker type, such as G.1X, G.2X, G.025X or R.1X.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9.]*$"))]
    pub type_: String,
    /// How many workers.
    #[schemars(range(min = 1, max = 1000))]
    pub count: i32,
}

/// How urgently a run needs its workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ExecutionClass {
    /// Spare capacity, when there is some.
    Flex,
    /// At once.
    Standard,
}

/// What became of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlueJobRunStatus {
    /// What every kind of run has.
    #[serde(flatten)]
    pub run: RunStatus,
    /// Glue's id of the run that counts now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// When Glue started it, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// How long it took, for people: 1m 12s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// Seconds in which the run consumed resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_seconds: Option<i32>,
    /// DPU seconds, where Glue counts them (auto scaling and FLEX).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpu_seconds: Option<f64>,
    /// The Glue version that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glue_version: Option<String>,
    /// The workers that Glue granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<Workers>,
    /// The DPUs that Glue granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_capacity: Option<f64>,
    /// Which of Glue's own attempts this is; 0 is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glue_attempt: Option<i32>,
    /// The CloudWatch log group of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group: Option<String>,
    /// Where its output and its errors can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// Glue's own words about its failure; 1,024 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// Pages of the AWS console.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Links {
    /// The run.
    pub console: String,
    /// Its output in CloudWatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_log: Option<String>,
    /// Its errors in CloudWatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_log: Option<String>,
}

/// The fields that say what to run, in the API's spelling: fixed at creation.
const WHAT_TO_RUN: [&str; 14] = [
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
/// "Using job parameters in AWS Glue jobs"), as a list of CEL.
const RESERVED: &str = "'--debug', '--mode', '--JOB_NAME', '--endpoint'";

fn add_rules(schema: &mut Schema) {
    rules::add(schema, WHAT_TO_RUN.into_iter().map(rules::immutable));
    run::add_policy_rules(schema);
    rules::add(
        schema,
        [
            Rule::new("(has(self.workers) ? 1 : 0) + (has(self.maxCapacity) ? 1 : 0) + (has(self.allocatedCapacity) ? 1 : 0) <= 1")
                .message("workers, maxCapacity and allocatedCapacity are three ways to say one thing: keep one of them")
                .field_path(".maxCapacity"),
            Rule::new(format!("!has(self.arguments) || !self.arguments.exists(name, name in [{RESERVED}])"))
                .message(format!("Glue keeps these arguments for itself, remove them: {}", RESERVED.replace('\'', "")).as_str())
                .field_path(".arguments"),
            Rule::new(format!("!has(self.argumentsFrom) || !self.argumentsFrom.exists(from, from.name in [{RESERVED}])"))
                .message(format!("Glue keeps these arguments for itself, remove them: {}", RESERVED.replace('\'', "")).as_str())
                .field_path(".argumentsFrom"),
            Rule::new("!has(self.arguments) || !has(self.argumentsFrom) || !self.argumentsFrom.exists(from, from.name in self.arguments)")
                .message("an argument stands in arguments and in argumentsFrom: keep one of them")
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
                "runId follows a run that was started elsewhere: remove what says how to start one",
            ),
        ],
    );
}

fn add_source_rules(schema: &mut Schema) {
    let one = "has(self.secretKeyRef) != has(self.configMapKeyRef)";
    rules::add(
        schema,
        [Rule::new(one).message("name exactly one of secretKeyRef and configMapKeyRef").field_path(".secretKeyRef")],
    );
}

/// Bounds that keep the CEL cost of `arguments` within what the API server admits.
fn arguments_schema(_: &mut schemars::SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 200,
        "additionalProperties": {"type": "string", "maxLength": 16384},
        "description": "Arguments of this run; they replace the job's default arguments of the same name.",
    })
}
