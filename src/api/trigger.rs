//! `GlueTrigger`: an existing Glue trigger, kept activated or deactivated; one of type ON_DEMAND, fired.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::credentials::Aws;
use super::declared::{DeclaredStatus, DriftPolicy};
use super::rules;

/// An existing Glue trigger, kept activated or deactivated; one of type ON_DEMAND, fired.
///
/// What the trigger does (its type, schedule, conditions and actions) is defined in Glue and shown in the
/// status.
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
    doc = "An existing AWS Glue trigger, kept activated or deactivated; one of type ON_DEMAND, fired.",
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

    /// The state that a trigger of type SCHEDULED, CONDITIONAL or EVENT is kept in for as long as the object
    /// exists. One of type ON_DEMAND has no such state. Default: Activated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Activation>,

    /// What is done when somebody else activates or deactivates the trigger: Correct puts it right and tells so
    /// by an event, Report only tells. Default: Correct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,

    /// Fires a trigger of type ON_DEMAND, once for each new value: a date, a version, any text. A value that
    /// stands here when the object is first seen counts as done, unless fireOnCreation says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub fire: Option<String>,

    /// Whether the value of fire that the object is created with fires as well. It does so for a new object
    /// only: not when the object is restored, or its status lost. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fire_on_creation: Option<bool>,

    /// What becomes of the trigger when the object is deleted: Retain leaves it as it is, Deactivate deactivates
    /// it first. Default: Retain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<TriggerDeletionPolicy>,

    /// Where, and as whom.
    #[serde(flatten)]
    pub aws: Aws,
}

/// The state that a trigger is kept in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Activation {
    /// It fires by its schedule, its conditions or its events.
    #[default]
    Activated,
    /// It does not fire.
    Deactivated,
}

/// What becomes of the trigger when its object is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TriggerDeletionPolicy {
    /// It stays as it is.
    #[default]
    Retain,
    /// It is deactivated.
    Deactivate,
}

/// How the trigger stands in Glue, and what was fired.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlueTriggerStatus {
    /// What every declared kind has.
    #[serde(flatten)]
    pub declared: DeclaredStatus,
    /// Glue's word for its state: ACTIVATED, DEACTIVATED, CREATED and those on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its type: SCHEDULED, CONDITIONAL, EVENT or ON_DEMAND.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The workflow that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// When it fires, for one of type SCHEDULED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What it waits for, for one of type CONDITIONAL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// How many events make it fire, for one of type EVENT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_batching: Option<EventBatching>,
    /// What it starts; the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// The state of the spec that the trigger has come to. When it looks different later, somebody else has
    /// changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_state: Option<Activation>,
    /// The value of fire that was taken in last: fired, being fired, waiting, or there from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_fire: Option<String>,
    /// Values of fire that wait for those before them, in order. A hundred may wait; then a new one takes the place
    /// of the one before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending_fires: Vec<String>,
    /// How many values of fire have lost their place in that way, and were not fired.
    #[serde(default, skip_serializing_if = "is_none_dropped")]
    pub dropped_fires: u32,
    /// Whether the first of them fires only when Glue shows that the trigger has never started anything: the object
    /// may have lived before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requires_history_check: bool,
    /// The last firing by this object. It is written before anything is sent to Glue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_firing: Option<Firing>,
    /// Those before it, oldest first; the last nine are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_firings: Vec<Firing>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none_dropped(dropped: &u32) -> bool {
    *dropped == 0
}

/// The earlier firings that a status keeps.
pub const MAX_EARLIER_FIRINGS: usize = 9;
/// The actions that a status shows.
pub const MAX_ACTIONS: usize = 100;
/// The values of fire that may wait.
pub const MAX_PENDING_FIRES: usize = 100;

/// A schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// As Glue has it, such as cron(15 12 * * ? *). Its times are in UTC.
    pub expression: String,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The next time it fires, while it is activated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
}

/// How many events, or how long a wait, make an EVENT trigger fire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventBatching {
    /// So many events.
    pub size: i32,
    /// Or so many seconds after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<i32>,
}

/// What a trigger starts. Arguments are not shown: they may hold secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// A job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Or a crawler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crawler: Option<String>,
    /// Minutes after which Glue ends the job's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_minutes: Option<i32>,
    /// The name of Glue's security configuration for the job's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_configuration: Option<String>,
}

/// One firing. It is written before anything is sent to Glue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Firing {
    /// Counts the intents of the object, from 0; a value that has to be tried again has several.
    #[schemars(with = "i32")]
    pub number: u32,
    /// The value of fire that asked for it.
    pub value: String,
    /// When the intent to fire was recorded, by the controller's clock.
    pub intended_at: Time,
    /// What had been started last when the intent was recorded: whatever is newer may be of this firing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline: Vec<Baseline>,
    /// Why Glue did not fire it, when its answer was a clear no. Absent while the answer is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_reason: Option<String>,
    /// When it was known to have been fired, by the controller's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<Time>,
    /// What it started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub started: Vec<Started>,
    /// Whether all that it started is known, or was looked for long enough.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub runs_resolved: bool,
    /// When all that it started was seen to have ended, by the controller's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

impl Firing {
    /// Whether it may be on its way: intended, and neither answered nor found.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.fired_at.is_none() && self.rejected_reason.is_none()
    }
}

/// Something that a trigger starts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// Its name.
    pub name: String,
}

/// What a trigger can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TargetKind {
    /// Runs of a job.
    Job,
    /// Crawls of a crawler.
    Crawler,
    /// Runs of the workflow that it belongs to.
    Workflow,
}

/// The newest run of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// Of what.
    #[serde(flatten)]
    pub target: Target,
    /// Its id; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A run that a firing started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// Of what.
    #[serde(flatten)]
    pub target: Target,
    /// Glue's id.
    pub id: String,
    /// Glue's word for its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Whether it has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// What to do instead of changing what an object is about.
const ANOTHER: &str = "another trigger is another object";

fn add_rules(schema: &mut Schema) {
    rules::add(
        schema,
        [
            rules::fixed("triggerName", ANOTHER),
            rules::fixed("region", ANOTHER),
            rules::excludes(
                "fire",
                &["state"],
                "fire is for ON_DEMAND triggers, which are neither activated nor deactivated: keep one of fire and state",
            ),
            Rule::new("!has(self.fireOnCreation) || !self.fireOnCreation || has(self.fire)")
                .message("fireOnCreation says what becomes of fire when the object is created: set fire, too")
                .field_path(".fireOnCreation"),
        ],
    );
}
