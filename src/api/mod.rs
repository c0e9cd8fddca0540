//! The custom resources: their Rust types, and the rules that the API server enforces on them.
//!
//! The Rust types are the source of the schemas: `kube-glue crds` prints them, and `cargo crds` writes them to
//! `crds/`. The schemas contain every bound that can be checked without a call to AWS (lengths, ranges, patterns and
//! the CEL rules of `rules`), so that `kubectl apply` refuses a wrong manifest.
//!
//! | module | content |
//! |---|---|
//! | [`job_run`] | `GlueJobRun`, one run of a Glue job |
//! | [`crawler_run`] | `GlueCrawlerRun`, one crawl of a Glue crawler |
//! | [`workflow_run`] | `GlueWorkflowRun`, one run of a Glue workflow |
//! | [`trigger`] | `GlueTrigger`, a trigger that is kept activated or deactivated, or fired |
//! | [`connection`] | `GlueConnection`, a connection of the Data Catalog |
//! | [`inventory`] | `GlueInventory`, what an account has in Glue |
//! | [`run`] | what job runs, crawls and workflow runs share: policy, phases, attempts, status |
//! | [`declared`] | what triggers and connections share: drift policy, status |
//! | [`credentials`] | region and credentials of an object |
//! | `rules` | CEL rules that several kinds use |
//! | `schema` | corrections of the schemas of schemars for the API server |

pub mod connection;
pub mod crawler_run;
pub mod credentials;
pub mod declared;
pub mod inventory;
pub mod job_run;
pub mod lineage;
mod rules;
pub mod run;
mod schema;
#[cfg(test)]
mod tests;
pub mod trigger;
pub mod workflow_run;

pub use connection::{GlueConnection, GlueConnectionSpec, GlueConnectionStatus};
pub use crawler_run::{GlueCrawlerRun, GlueCrawlerRunSpec, GlueCrawlerRunStatus};
pub use inventory::{GlueInventory, GlueInventorySpec, GlueInventoryStatus};
pub use job_run::{GlueJobRun, GlueJobRunSpec, GlueJobRunStatus};
pub use trigger::{GlueTrigger, GlueTriggerSpec, GlueTriggerStatus};
pub use workflow_run::{GlueWorkflowRun, GlueWorkflowRunSpec, GlueWorkflowRunStatus};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

/// The finalizer that an object has while there is something in Glue to stop or to release.
pub const FINALIZER: &str = "kube-glue.dev/finalizer";
/// What the names of the controller's annotations begin with.
pub const ANNOTATION_PREFIX: &str = "kube-glue.dev/";
/// The annotation that names the run of an orchestrator that a run belongs to, for lineage: `namespace/job/run id`.
pub const LINEAGE_PARENT: &str = "kube-glue.dev/lineage-parent";
/// The annotation with the time for which a run was meant, for lineage, in RFC 3339.
pub const LINEAGE_NOMINAL_TIME: &str = "kube-glue.dev/lineage-nominal-time";

/// The `CustomResourceDefinition` of every kind, by name.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    let crds = [
        GlueConnection::crd(),
        GlueCrawlerRun::crd(),
        GlueInventory::crd(),
        GlueJobRun::crd(),
        GlueTrigger::crd(),
        GlueWorkflowRun::crd(),
    ];
    crds.into_iter().map(schema::for_api_server).collect()
}
