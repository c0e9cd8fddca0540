//! How an object says as whom it talks to AWS, and as whom AWS knows it then.

use std::collections::BTreeMap;

use kube::core::Rule;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::rules;

/// Where in AWS an object is at work, and as whom. Flattened into the spec of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Aws {
    /// The AWS region, such as eu-west-1. Default: the Secret's `AWS_REGION`, then the controller's. Cannot be
    /// changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z]{2,}(-[a-z0-9]+)+$"))]
    pub region: Option<String>,

    /// As whom AWS is asked for this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
}

/// Where the AWS credentials of an object come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct Credentials {
    /// A Secret of the object's own namespace, with keys named as AWS names them:
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and optionally `AWS_SESSION_TOKEN`, `AWS_REGION`,
    /// `AWS_ROLE_ARN`, `AWS_EXTERNAL_ID`, `AWS_ROLE_SESSION_NAME`, `AWS_SOURCE_IDENTITY` and, where the
    /// operator allows it, `AWS_ENDPOINT_URL`. Default: the namespace's Secret kube-glue-credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = rules::OBJECT_NAME))]
    pub secret_name: Option<String>,
    /// A profile of the controller's own AWS configuration, where the operator allows it; in place of a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub profile: Option<String>,
    /// A role to assume. What stands here goes before what the Secret says of it, field by field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role: Option<AssumeRole>,
}

/// A role, and how STS is asked for it. The bounds are those of STS's `AssumeRole`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssumeRole {
    /// Its ARN. Default: the Secret's `AWS_ROLE_ARN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 20, max = 2048),
        regex(pattern = r"^arn:aws(-[a-z0-9]+)*:iam::[0-9]{12}:role/([!-~]+/)?[A-Za-z0-9_+=,.@-]{1,64}$")
    )]
    pub role_arn: Option<String>,
    /// What the role's trust policy asks of third parties. Default: the Secret's `AWS_EXTERNAL_ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 1224), regex(pattern = r"^[A-Za-z0-9_+=,.@:/-]*$"))]
    pub external_id: Option<String>,
    /// Names the session in AWS's logs. Default: the Secret's `AWS_ROLE_SESSION_NAME`, else kube-glue and the
    /// namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 64), regex(pattern = r"^[A-Za-z0-9_+=,.@-]*$"))]
    pub session_name: Option<String>,
    /// Who is behind the session in AWS's logs. Default: the Secret's `AWS_SOURCE_IDENTITY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 64), regex(pattern = r"^[A-Za-z0-9_+=,.@-]*$"))]
    pub source_identity: Option<String>,
    /// Tags of the session. The controller adds kube-glue-namespace and kube-glue-kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "session_tags_schema")]
    pub session_tags: Option<BTreeMap<String, String>>,
    /// How long a session lasts before it is renewed. Default: 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 900, max = 43200))]
    pub duration_seconds: Option<i32>,
}

/// As whom AWS knows us (STS, `GetCallerIdentity`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AwsIdentity {
    /// The account.
    pub account_id: String,
    /// The ARN of the user, or of the session of the role.
    pub principal_arn: String,
}

fn add_rules(schema: &mut Schema) {
    let why = "profile names credentials of the controller, secretName those of the namespace: keep one of them";
    rules::add(schema, [rules::excludes("profile", &["secretName"], why)]);
}

/// 48 of them: STS admits 50, and two are the controller's.
fn session_tags_schema(_: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({
        "type": "object",
        "maxProperties": 48,
        "additionalProperties": {"type": "string", "maxLength": 256, "pattern": r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$"},
        "description": "Tags of the session. The controller adds kube-glue-namespace and kube-glue-kind.",
    });
    let ours = "self.all(key, !key.lowerAscii().startsWith('kube-glue-') && !key.lowerAscii().startsWith('aws:'))";
    let well_formed = r"self.all(key, size(key) <= 128 && key.matches('^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]+$'))";
    rules::add(
        &mut schema,
        [
            Rule::new(ours).message("keys that begin with kube-glue- are the controller's, those with aws: are AWS's"),
            Rule::new(well_formed)
                .message("keys are up to 128 letters, digits, spaces and any of _.:/=+-@, as STS admits them"),
        ],
    );
    schema
}
