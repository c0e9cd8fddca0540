//! How an object says as whom it talks to AWS.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the AWS credentials of an object come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// A Secret of the object's own namespace, with keys named as AWS names them:
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and optionally `AWS_SESSION_TOKEN`, `AWS_REGION`,
    /// `AWS_ROLE_ARN`, `AWS_EXTERNAL_ID`, `AWS_ROLE_SESSION_NAME` and `AWS_SOURCE_IDENTITY`.
    /// Default: the namespace's Secret kube-glue-credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub secret_name: Option<String>,
}
