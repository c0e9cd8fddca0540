//! `GlueTrigger`: an existing Glue trigger that the controller keeps activated or deactivated, or fires.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::credentials::Aws;
use super::declared::{DeclaredStatus, DriftPolicy};
use super::rules;

/// An existing Glue trigger that the controller keeps activated or deactivated, or fires if it is of type ON_DEMAND.
///
/// Type, schedule, conditions and actions of the trigger are defined in Glue and shown in the status.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kube-glue.dev",
    version = "v1alpha1",
    kind = "GlueTrigger",
    plural = "gluetriggers",
    shortname = "gtr",
    category = "glue",
    namespaced,
    status = "GlueTriggerStatus",
    derive = "PartialEq",
    doc = "An existing AWS Glue trigger. The controller keeps it activated or deactivated, or fires it if it is of type ON_DEMAND.",
    selectable = ".spec.triggerName",
    printcolumn(name = "Trigger", type_ = "string", json_path = ".spec.triggerName"),
    printcolumn(name = "Type", type_ = "string", json_path = ".status.type"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Next", type_ = "string", json_path = ".status.schedule.next"),
    printcolumn(name = "Fired", type_ = "string", json_path = ".status.lastFiring.value"),
    printcolumn(name = "Workflow", type_ = "string", json_path = ".status.workflow", priority = 1),
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
pub struct GlueTriggerSpec {
    /// The name of the Glue trigger. Cannot be changed.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub trigger_name: String,

    /// The state in which the controller keeps a trigger of type SCHEDULED or CONDITIONAL for as long as the object
    /// exists. Triggers of type ON_DEMAND and EVENT have no such state. Default: Activated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Activation>,

    /// What the controller does when someone else activates or deactivates the trigger: Correct restores the state
    /// and emits an Event, Report only emits an Event. Default: Correct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,

    /// Any text, such as a date or a version. Each new value fires a trigger of type ON_DEMAND once. The value that
    /// the object is created with fires nothing, unless fireOnCreation is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub fire: Option<String>,

    /// Whether the value of fire that the object is created with fires the trigger, too. It does not when the object
    /// was restored or lost its status. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fire_on_creation: Option<bool>,

    /// What the controller does with the trigger when the object is deleted: Retain leaves it as it is, Deactivate
    /// deactivates it. Default: Retain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<TriggerDeletionPolicy>,

    /// Region and credentials.
    #[serde(flatten)]
    pub aws: Aws,
}

/// The state in which the controller keeps a trigger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Activation {
    /// The trigger fires by its schedule, conditions or events.
    #[default]
    Activated,
    /// The trigger does not fire.
    Deactivated,
}

/// What the controller does with the trigger when its object is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TriggerDeletionPolicy {
    /// Leave the trigger as it is.
    #[default]
    Retain,
    /// Deactivate the trigger.
    Deactivate,
}

/// The observed state of the trigger, and its firings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlueTriggerStatus {
    /// The part that all declared kinds share.
    #[serde(flatten)]
    pub declared: DeclaredStatus,
    /// The trigger's state in Glue: CREATED, ACTIVATED, DEACTIVATED or a transitional one such as ACTIVATING.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The type of the trigger: SCHEDULED, CONDITIONAL, EVENT or ON_DEMAND.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// The description of the trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The workflow that the trigger belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// When the trigger fires. Only for type SCHEDULED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The condition on which the trigger fires. Only for type CONDITIONAL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// The number of events that fire the trigger. Only for type EVENT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_batching: Option<EventBatching>,
    /// What the trigger starts, at most the first 100 actions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// The state of the spec that the trigger last reached. When Glue later shows another state, someone else has
    /// changed the trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_state: Option<Activation>,
    /// The last value of fire that the controller has handled: fired, queued, or present at creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_fire: Option<String>,
    /// The queue of values of fire, oldest first, at most 100. When it is full, a new value replaces the newest one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending_fires: Vec<String>,
    /// The number of values that were replaced in the queue, and so not fired.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped_fires: u32,
    /// Whether the first value in the queue fires only if the trigger has never started anything in Glue. The
    /// controller cannot tell then whether the object is new or was restored without its status.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requires_history_check: bool,
    /// The last firing by this object. It is recorded before anything is sent to Glue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_firing: Option<Firing>,
    /// The 9 firings before the last one, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_firings: Vec<Firing>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The maximum length of `earlier_firings`.
pub(crate) const MAX_EARLIER_FIRINGS: usize = 9;
/// The maximum length of `actions`.
pub(crate) const MAX_ACTIONS: usize = 100;
/// The maximum length of `pending_fires`.
pub(crate) const MAX_PENDING_FIRES: usize = 100;

/// The schedule of a trigger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Glue's cron expression in UTC, such as cron(15 12 * * ? *).
    pub expression: String,
    /// The expression in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// When the trigger fires next. Absent while it is not activated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
}

/// The batching condition of a trigger of type EVENT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventBatching {
    /// The number of events after which the trigger fires.
    pub size: i32,
    /// Seconds after the first event at which the trigger fires even with fewer events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<i32>,
}

/// What a trigger starts. Arguments are not shown, because they may contain secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// The name of the job to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The name of the crawler to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crawler: Option<String>,
    /// Minutes after which Glue ends the job run as TIMEOUT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_minutes: Option<i32>,
    /// The name of the Glue security configuration for the job run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_configuration: Option<String>,
}

/// One firing. It is recorded before anything is sent to Glue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Firing {
    /// The number of the intent, from 0. A value that is retried has several intents.
    pub number: u32,
    /// The value of fire that caused the firing.
    pub value: String,
    /// When the intent to fire was recorded, by the controller's clock.
    pub intended_at: Time,
    /// The newest run of each target when the intent was recorded. A newer run may belong to this firing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline: Vec<Baseline>,
    /// Why Glue definitely did not fire the trigger. Absent while the outcome is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_reason: Option<String>,
    /// When the controller learned that the trigger was fired, by the controller's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<Time>,
    /// The runs that the firing started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub started: Vec<Started>,
    /// Whether the controller has found all runs of the firing, or has stopped looking for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub runs_resolved: bool,
    /// When the controller observed that all runs of the firing had ended, by the controller's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

impl Firing {
    /// Whether StartTrigger may have been sent and its outcome is unknown.
    pub(crate) fn is_open(&self) -> bool {
        self.fired_at.is_none() && self.rejected_reason.is_none()
    }
}

/// A job, crawler or workflow that a trigger starts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Whether the target is a job, a crawler or a workflow.
    pub kind: TargetKind,
    /// The name of the job, crawler or workflow.
    pub name: String,
}

/// The kind of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TargetKind {
    /// A job: the trigger starts job runs.
    Job,
    /// A crawler: the trigger starts crawls.
    Crawler,
    /// The workflow that the trigger belongs to: the trigger starts workflow runs.
    Workflow,
}

/// The newest run of a target at some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// The job, crawler or workflow.
    #[serde(flatten)]
    pub target: Target,
    /// Glue's id of the run. Absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A run that a firing started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// The job, crawler or workflow.
    #[serde(flatten)]
    pub target: Target,
    /// Glue's id of the run.
    pub id: String,
    /// The run's state in Glue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Whether the run has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// Whether the run failed: a workflow run also when it is COMPLETED and one of its actions failed, timed out or was
    /// stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Why the run failed, in Glue's words, at most 256 characters. Of the last firing only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

fn add_rules(schema: &mut Schema) {
    let remedy = "create another object for another trigger";
    rules::add(
        schema,
        [
            rules::immutable("triggerName", remedy),
            rules::immutable("region", remedy),
            rules::excludes(
                "fire",
                &["state"],
                "fire is for ON_DEMAND triggers, which are neither activated nor deactivated: keep one of fire and state",
            ),
            Rule::new("!has(self.fireOnCreation) || !self.fireOnCreation || has(self.fire)")
                .message("fireOnCreation applies to the value of fire at the creation of the object: set fire, too")
                .field_path(".fireOnCreation"),
        ],
    );
}
