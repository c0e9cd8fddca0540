//! What the owner of a run says of its lineage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^@\s]+$"))]
    pub namespace: String,

    /// Its name there, such as orders/daily or shop.public.orders.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^\S(.*\S)?$"))]
    pub name: String,
}
