//! What the kinds share that are kept in line with their spec for as long as they exist: triggers and
//! connections.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credentials::AwsIdentity;

/// What is done when somebody else changes in Glue what an object declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DriftPolicy {
    /// It is put right, and told by an event.
    #[default]
    Correct,
    /// It is only told.
    Report,
}

/// The status that every declared kind shares; flattened into each kind's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredStatus {
    /// The generation of the object that this status speaks of; -1 before the first look.
    #[serde(default)]
    pub observed_generation: i64,
    /// As whom AWS knew us when this status was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<AwsIdentity>,
    /// Ready, Reconciling and Stalled, and those of the kind; one of each at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

impl DeclaredStatus {
    /// The condition of this type.
    #[must_use]
    pub fn condition(&self, type_: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == type_)
    }
}
