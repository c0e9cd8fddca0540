//! What the owner of a run says of its lineage, and where an inventory sends that of the runs that it sees.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::connection::SecretKey;
use super::rules;

/// Datasets that a run reads and writes, beside those that the controller finds. They go into the OpenLineage events of the
/// run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredLineage {
    /// What the run reads, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub inputs: Vec<DatasetName>,

    /// What it writes, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub outputs: Vec<DatasetName>,
}

/// A dataset, named by the rules of <https://openlineage.io/docs/spec/naming>.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetName {
    /// Where it is, such as s3://my-bucket or postgres://db.example.com:5432. Without user and password.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^@\s\p{Cc}]+$"))]
    pub namespace: String,

    /// Its name there, such as orders/daily or shop.public.orders.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[^\s\p{Cc}]([^\p{Cc}]*[^\s\p{Cc}])?$"))]
    pub name: String,
}

/// Where an inventory sends OpenLineage events of the runs that it sees, whoever started them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct InventoryLineage {
    /// Whether events are sent. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,

    /// Whether the scripts of jobs without visual nodes are read from S3, for the datasets that they name. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_scripts: Option<bool>,

    /// The namespace of all jobs in OpenLineage. Default: arn:aws:glue:REGION:ACCOUNT of each job. Only with transport: the
    /// operator chooses that of the controller's receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^\S+$"))]
    pub namespace: Option<String>,

    /// The receiver. Default: that of the controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<LineageTransport>,
}

impl InventoryLineage {
    /// Whether events are sent.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }
}

/// A receiver of OpenLineage events, by HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineageTransport {
    /// Its URL without a path, such as `http://marquez.lineage:5000`. The operator must list it for the namespace.
    #[schemars(
        length(max = 300),
        regex(pattern = r"^https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?/?$")
    )]
    pub url: String,

    /// The path of its API. Default: api/v1/lineage, that of Marquez.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 256),
        regex(pattern = r"^/?[A-Za-z0-9_~-][A-Za-z0-9._~-]*(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?$")
    )]
    pub endpoint: Option<String>,

    /// The key of a Secret that holds the bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_secret_ref: Option<SecretKey>,
}

/// How far the lineage of an inventory has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryLineageStatus {
    /// The URL to which events are sent, or `controller` for the receiver of the controller.
    pub receiver: String,
    /// The receiver has the end of each run that ended before this time, of those that the inventory saw. After a restart
    /// of the controller later ones are sent again. Written when it covers another end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_until: Option<Time>,
    /// Why the receiver takes no events, while it takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

fn add_rules(schema: &mut Schema) {
    rules::add(
        schema,
        [Rule::new("!has(self.namespace) || has(self.transport)")
            .message(
                "the operator chooses the namespace of the controller's receiver: name a transport, or no namespace",
            )
            .field_path(".namespace")],
    );
}
