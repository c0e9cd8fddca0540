//! What the declared kinds share. The controller keeps triggers and connections as their spec says for as long as
//! the object exists.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credentials::AwsIdentity;

/// What the controller does when someone else changes in Glue what an object declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DriftPolicy {
    /// Restore the spec and emit an Event.
    #[default]
    Correct,
    /// Only emit an Event.
    Report,
}

/// The status that all declared kinds share. Flattened into the status of each kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredStatus {
    /// The generation of the object that this status describes; -1 until the controller has observed the object.
    #[serde(default)]
    pub observed_generation: i64,
    /// The AWS identity of the caller when this status was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<AwsIdentity>,
    /// Conditions: Ready, Reconciling, Stalled and those of the kind, at most one of each type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

impl DeclaredStatus {
    /// The status of an object that the controller has not observed yet: the default in the schema.
    #[must_use]
    pub fn unobserved() -> Self {
        Self { observed_generation: -1, ..Self::default() }
    }

    /// The condition of this type, if the status has one.
    #[must_use]
    pub fn condition(&self, type_: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == type_)
    }

    /// Whether the condition `Ready` is true.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.condition("Ready").is_some_and(|ready| ready.status == "True")
    }
}
