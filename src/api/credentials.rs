//! The AWS region and credentials of an object, and the AWS identity that they give.

use std::collections::BTreeMap;

use kube::core::Rule;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::rules;

/// The AWS region and credentials of an object. Flattened into the spec of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Aws {
    /// The AWS region, such as eu-west-1. Default: `AWS_REGION` of the Secret, then of the controller. Cannot be
    /// changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z]{2,}(-[a-z0-9]+)+$"))]
    pub region: Option<String>,

    /// The AWS credentials for this object. Default: the Secret kube-glue-credentials of the namespace, then the
    /// controller's own AWS identity where the operator allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
}

/// The source of an object's AWS credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct Credentials {
    /// A Secret of the object's namespace with the keys `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and
    /// optionally `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ROLE_ARN`, `AWS_EXTERNAL_ID`, `AWS_ROLE_SESSION_NAME`,
    /// `AWS_SOURCE_IDENTITY` and, where the operator allows it, `AWS_ENDPOINT_URL`. Default:
    /// kube-glue-credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = rules::OBJECT_NAME))]
    pub secret_name: Option<String>,
    /// A profile of the controller's AWS configuration to use instead of a Secret. The operator must allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub profile: Option<String>,
    /// A role to assume. Each field that is set here overrides the Secret's key for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role: Option<AssumeRole>,
}

/// A role to assume. The bounds are those of the parameters of STS `AssumeRole`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssumeRole {
    /// The ARN of the role. Default: the Secret's `AWS_ROLE_ARN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 20, max = 2048),
        regex(pattern = r"^arn:aws(-[a-z0-9]+)*:iam::[0-9]{12}:role/([!-~]+/)?[A-Za-z0-9_+=,.@-]{1,64}$")
    )]
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy requires. Default: the Secret's `AWS_EXTERNAL_ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 1224), regex(pattern = r"^[A-Za-z0-9_+=,.@:/-]*$"))]
    pub external_id: Option<String>,
    /// The name of the session, as CloudTrail shows it. Default: the Secret's `AWS_ROLE_SESSION_NAME`, else a name
    /// made of kube-glue and the namespace. With the controller's credentials it cannot begin with kube-glue-.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 64), regex(pattern = r"^[A-Za-z0-9_+=,.@-]*$"))]
    pub session_name: Option<String>,
    /// The source identity of the session, as CloudTrail shows it. Default: the Secret's `AWS_SOURCE_IDENTITY`. Cannot
    /// be set with the controller's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 64), regex(pattern = r"^[A-Za-z0-9_+=,.@-]*$"))]
    pub source_identity: Option<String>,
    /// Tags of the session, at most 48. The controller adds kube-glue-namespace and kube-glue-kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "session_tags_schema")]
    pub session_tags: Option<BTreeMap<String, String>>,
    /// The duration of a session in seconds. The controller renews it before it expires. Default: 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 900, max = 43200))]
    pub duration_seconds: Option<i32>,
}

/// The AWS identity of the caller, as STS `GetCallerIdentity` reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AwsIdentity {
    /// The id of the AWS account, 12 digits.
    pub account_id: String,
    /// The ARN of the user, or of the assumed-role session.
    pub principal_arn: String,
}

fn add_rules(schema: &mut Schema) {
    let message = "profile names credentials of the controller, secretName those of the namespace: keep one of them";
    rules::add(schema, [rules::excludes("profile", &["secretName"], message)]);
}

/// At most 48 tags: STS admits 50, and the controller adds two.
fn session_tags_schema(_: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({
        "type": "object",
        "maxProperties": 48,
        "additionalProperties": {"type": "string", "maxLength": 256, "pattern": r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$"},
    });
    let unreserved =
        "self.all(key, !key.lowerAscii().startsWith('kube-glue-') && !key.lowerAscii().startsWith('aws:'))";
    let well_formed = r"self.all(key, size(key) <= 128 && key.matches('^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]+$'))";
    rules::add(
        &mut schema,
        [
            Rule::new(unreserved)
                .message("keys that begin with kube-glue- are reserved for the controller, those with aws: for AWS"),
            Rule::new(well_formed)
                .message("keys are up to 128 letters, digits, spaces and any of _.:/=+-@, as STS admits them"),
        ],
    );
    schema
}
