//! `GlueWorkflowRun`: one run of an existing Glue workflow, from start to end.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::credentials::Aws;
use super::job_run::ArgumentFrom;
use super::rules;
use super::run::{self, RunPolicy, RunStatus};

/// One run of an existing Glue workflow.
///
/// The fields that say what to run cannot be changed: another run needs another object.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kube-glue.dev",
    version = "v1alpha1",
    kind = "GlueWorkflowRun",
    plural = "glueworkflowruns",
    shortname = "gwr",
    category = "glue",
    namespaced,
    status = "GlueWorkflowRunStatus",
    derive = "PartialEq",
    doc = "One run of an existing AWS Glue workflow, from start to end.",
    selectable = ".spec.workflowName",
    selectable = ".status.phase",
    printcolumn(name = "Workflow", type_ = "string", json_path = ".spec.workflowName"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Progress", type_ = "string", json_path = ".status.progress"),
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
pub struct GlueWorkflowRunSpec {
    /// The name of the Glue workflow. Cannot be changed.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub workflow_name: String,

    /// The id of a run of this workflow that was started elsewhere. The object follows that run and never starts one.
    /// Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub run_id: Option<String>,

    /// Region and credentials.
    #[serde(flatten)]
    pub aws: Aws,

    /// Properties of the run, at most 100. They override the workflow's default properties of the same name. Jobs of
    /// the workflow read them with GetWorkflowRunProperties; they get no argument. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "properties_schema")]
    pub run_properties: Option<BTreeMap<String, String>>,

    /// Properties with values from Secrets and ConfigMaps of the object's namespace, at most 64. The controller reads
    /// them when it starts the run, and never shows values from Secrets. Glue does not protect run properties: it may
    /// log them, and whoever may read the run sees them. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub run_properties_from: Option<Vec<ArgumentFrom>>,

    /// When the run has succeeded: AllActionsSucceeded when Glue has completed it and none of its jobs and crawlers
    /// failed, timed out or was stopped; Completed when Glue has completed it, whatever failed. Default:
    /// AllActionsSucceeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeed_when: Option<SucceedWhen>,

    /// Any text, such as a date or a version. Each new value continues a run that Glue has completed with failures: the
    /// failed jobs and crawlers run again, and what follows them. While a run is live, the value waits for its end. The
    /// value that the object is created with resumes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub resume: Option<String>,

    /// The names of the jobs and crawlers that resume runs again, at most 100. Default: those that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100), inner(length(min = 1, max = 255)), extend("x-kubernetes-list-type" = "set"))]
    pub resume_nodes: Option<Vec<String>>,

    /// Suspension, stop, retries, deadlines and deletion.
    #[serde(flatten)]
    pub policy: RunPolicy,
}

/// When a run of a workflow has succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SucceedWhen {
    /// Glue has completed the run, and no action of it ended badly.
    #[default]
    AllActionsSucceeded,
    /// Glue has completed the run.
    Completed,
}

/// The observed state of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlueWorkflowRunStatus {
    /// The part that all runs share.
    #[serde(flatten)]
    pub run: RunStatus,
    /// Glue's id of the run of the latest attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The run that this one resumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_run_id: Option<String>,
    /// When the run started, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the run ended, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// The time from start to end in readable form, such as 1h12m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// How many actions have succeeded, of how many, such as 5/7. Glue counts actions that are never started, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// The actions of the run by state. Glue counts a retry that it makes by itself as another action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<ActionCounts>,
    /// The jobs and crawlers of the workflow: those that failed first, then those that run, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeStatus>,
    /// How many jobs and crawlers nodes leaves out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted_nodes: u32,
    /// The properties of the run as Glue shows them, at most 50, values cut to 256 characters. Values from Secrets are
    /// hidden.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub run_properties: BTreeMap<String, String>,
    /// Links to the run in the AWS console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<WorkflowLinks>,
    /// Why the run did not end well, with Glue's messages about its failed jobs and crawlers, at most 1,024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The maximum length of `nodes`.
pub(crate) const MAX_NODES: usize = 50;
/// The maximum number of `run_properties` in the status.
pub(crate) const MAX_SHOWN_PROPERTIES: usize = 50;

/// The actions of a workflow run by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionCounts {
    /// All actions, those included that are never started.
    pub total: i32,
    /// Those that succeeded.
    pub succeeded: i32,
    /// Those that failed.
    pub failed: i32,
    /// Those that Glue itself failed to run.
    pub errored: i32,
    /// Those that took longer than their timeout.
    pub timed_out: i32,
    /// Those that were stopped.
    pub stopped: i32,
    /// Those that are running.
    pub running: i32,
    /// Those that Glue has queued.
    pub waiting: i32,
}

/// A job or a crawler of a workflow, and what the run has started of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// Whether it is a job or a crawler.
    #[serde(rename = "type")]
    pub type_: NodeType,
    /// The name of the job or crawler.
    pub name: String,
    /// The state of its newest job run or crawl, as Glue spells it. Absent while nothing was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Glue's id of the job run. Glue shows no id of a crawl here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// When the job run or crawl started, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the job run or crawl ended, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// Glue's message about the failure, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// The type of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NodeType {
    /// A job.
    Job,
    /// A crawler.
    Crawler,
}

/// URLs in the AWS console.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowLinks {
    /// The page of the run, with its graph.
    pub console: String,
}

/// The fields that say what to run. They cannot be changed.
const IMMUTABLE: [&str; 5] = ["workflowName", "runId", "region", "runProperties", "runPropertiesFrom"];

fn add_rules(schema: &mut Schema) {
    rules::add(schema, IMMUTABLE.map(|field| rules::immutable(field, run::IMMUTABLE_REMEDY)));
    run::add_policy_rules(schema);
    rules::add(
        schema,
        [
            Rule::new("!has(self.runProperties) || !has(self.runPropertiesFrom) || !self.runPropertiesFrom.exists(from, from.name in self.runProperties)")
                .message("a property is set in both runProperties and runPropertiesFrom: keep one of them")
                .field_path(".runPropertiesFrom"),
            Rule::new("!has(self.retry) || !has(self.retry.states) || self.retry.states.all(state, state in ['FAILED', 'ERROR'])")
                .message("a workflow run that does not succeed ends as FAILED (some of its actions did) or ERROR: only these can be retried")
                .field_path(".retry.states"),
            run::no_execution_class(),
            Rule::new("!has(self.resumeNodes) || has(self.resume)")
                .message("resumeNodes says what resume runs again: set resume, too")
                .field_path(".resumeNodes"),
            rules::excludes(
                "runId",
                &[
                    "runProperties",
                    "runPropertiesFrom",
                    "resume",
                    "resumeNodes",
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

/// Glue names no bounds of the values. These keep the estimated CEL cost within the API server's limit.
fn properties_schema(_: &mut schemars::SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 100,
        "additionalProperties": {"type": "string", "maxLength": 65536},
    })
}
