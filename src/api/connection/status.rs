//! The status of a connection.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::declared::DeclaredStatus;

/// The observed state of the connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlueConnectionStatus {
    /// The part that all declared kinds share.
    #[serde(flatten)]
    pub declared: DeclaredStatus,
    /// The name of the connection in Glue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_name: Option<String>,
    /// The ARN of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The connection's status in Glue: READY, IN_PROGRESS or FAILED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Glue's reason for that status, at most 1,024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// When the connection was created, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
    /// When the connection was last changed, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated_at: Option<Time>,
    /// Who last changed the connection, as Glue reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated_by: Option<String>,
    /// When Glue last validated the connection, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_validated_at: Option<Time>,
    /// The version of Glue's connection schema. Version 2 has compute environments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<i32>,
    /// The compute environments that can use the connection, as Glue reports them: SPARK, ATHENA and PYTHON.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compatible_compute_environments: Vec<String>,
    /// The ARN of the secret in AWS Secrets Manager that holds the credentials of authentication: the one that the spec
    /// names, or the one that Glue made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_arn: Option<String>,
    /// What the controller last applied to Glue. Absent while this object does not own the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// A CreateConnection that was sent, or is about to be, and whose outcome is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation: Option<Creation>,
    /// How the connection in Glue differs from the spec. Absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// The result of the last test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_test: Option<TestResult>,
}

/// What the controller last applied to Glue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// A hash of the spec and of the resource versions of its Secrets. It is computed without secret values.
    pub fingerprint: String,
    /// When it was applied, by the controller's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The AWS identity that applied it, as Glue reports it. When Glue later reports another one, hidden values
    /// such as passwords may have changed as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The connection's creation time in Glue. A connection with another creation time is another connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
    /// The tags that the controller set on the connection.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Whether the connection existed before this object, which took it over. Unless deletionPolicy is Delete, such a
    /// connection stays in Glue when the object is deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
}

/// The intent to create the connection, recorded before CreateConnection is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Creation {
    /// When the intent was recorded, by the controller's clock.
    pub intended_at: Time,
    /// The fingerprint of what is to be created, as in applied.
    pub fingerprint: String,
    /// Whether an earlier CreateConnection may have succeeded.
    #[serde(default)]
    pub unclear: bool,
}

/// How the connection in Glue differs from the spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The names of the fields and properties that differ.
    pub fields: Vec<String>,
    /// Who last changed the connection, as Glue reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When the connection was last changed, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// The result of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// Whether Glue could connect.
    pub result: TestOutcome,
    /// Glue's message about a failure, at most 1,024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the test ended, by the controller's clock.
    pub at: Time,
    /// The fingerprint of what was tested, as in applied.
    pub fingerprint: String,
    /// Whether the test ran before the change was applied to Glue.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub before_create: bool,
}

/// Whether the test succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TestOutcome {
    /// Glue could connect.
    Succeeded,
    /// Glue could not connect.
    Failed,
}
