//! What became of a connection.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::declared::DeclaredStatus;

/// What became of the connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlueConnectionStatus {
    /// What every declared kind has.
    #[serde(flatten)]
    pub declared: DeclaredStatus,
    /// The name in Glue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_name: Option<String>,
    /// Glue's ARN of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Glue's word for how it is: READY, IN_PROGRESS or FAILED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Glue's words about that; 1,024 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// When it was created, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
    /// When it was changed last, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated_at: Option<Time>,
    /// Who changed it last, as Glue tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated_by: Option<String>,
    /// When Glue validated it last, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_validated_at: Option<Time>,
    /// The version of Glue's schema for it: 2 knows compute environments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<i32>,
    /// What was last brought to Glue. Absent while the connection is not this object's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// A creation that is on its way, or whose answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation: Option<Creation>,
    /// How the connection in Glue differs from the spec, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// The last test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_test: Option<TestResult>,
}

/// What was last brought to Glue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Stands for the spec and the versions of its Secrets; nothing secret goes into it.
    pub fingerprint: String,
    /// When, by the controller's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// As whom, as Glue tells. Once it is somebody else, what Glue hides may be changed as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When Glue says the connection was created: one with another time is another connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
    /// The tags that were put on it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A creation, written down before it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Creation {
    /// When it was intended, by the controller's clock.
    pub intended_at: Time,
    /// What was to be created, as in applied.
    pub fingerprint: String,
    /// Whether an earlier one may have come through.
    #[serde(default)]
    pub unclear: bool,
}

/// How the connection in Glue differs from the spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The fields and properties that differ, by name.
    pub fields: Vec<String>,
    /// Who changed it last, as Glue tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// Whether Glue could connect.
    pub result: TestOutcome,
    /// Glue's words about a failure; 1,024 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When, by the controller's clock.
    pub at: Time,
    /// What was tested, as in applied.
    pub fingerprint: String,
    /// Whether it was tested before it was brought to Glue.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub before_create: bool,
}

/// How a test can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TestOutcome {
    /// Glue could connect.
    Succeeded,
    /// It could not.
    Failed,
}
