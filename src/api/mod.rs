//! The custom resources: what people write, what they read, and the rules that the API server holds for us.
//!
//! The Rust types are the one truth; `kube-glue crds` prints them and the files in `crds/` are
//! that output. What a value must be is said here in the schema (bounds, patterns, CEL rules from
//! [`rules`]), so that a wrong manifest is refused by `kubectl apply` and never becomes an object.
//!
//! | room | what is in it |
//! |---|---|
//! | [`job_run`] | `GlueJobRun`, the spec and the status of one run of a Glue job |
//! | [`crawler_run`] | `GlueCrawlerRun`, the spec and the status of one crawl |
//! | [`connection`] | `GlueConnection`, a connection of the Data Catalog |
//! | [`run`] | what every run shares, a job's or a crawler's: how it lives, its attempts, its status |
//! | [`trigger`] | `GlueTrigger`, a trigger that is kept activated or deactivated, or fired |
//! | [`declared`] | what the kinds share that are kept in line with their spec |
//! | [`credentials`] | how an object says as whom it talks to AWS |
//! | [`rules`] | the CEL rules that several kinds use |

pub mod connection;
pub mod crawler_run;
pub mod credentials;
pub mod declared;
pub mod job_run;
pub mod rules;
pub mod run;
pub mod trigger;

pub use connection::{GlueConnection, GlueConnectionSpec, GlueConnectionStatus};
pub use crawler_run::{GlueCrawlerRun, GlueCrawlerRunSpec, GlueCrawlerRunStatus};
pub use job_run::{GlueJobRun, GlueJobRunSpec, GlueJobRunStatus};
pub use trigger::{GlueTrigger, GlueTriggerSpec, GlueTriggerStatus};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::json;

/// The API group of all kinds.
pub const GROUP: &str = "kube-glue.dev";

/// The finalizer that an object carries while there is something in Glue to stop or to release.
pub const FINALIZER: &str = "kube-glue.dev/finalizer";

/// Every `CustomResourceDefinition` of kube-glue, as `crds/` holds them.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    [GlueConnection::crd(), GlueCrawlerRun::crd(), GlueJobRun::crd(), GlueTrigger::crd()]
        .into_iter()
        .map(unobserved_at_first)
        .map(nulls_for_choices)
        .collect()
}

/// Gives every new object the status `observedGeneration: -1`, so that no tool takes an object that the
/// controller has not seen yet for one that is done (kstatus: `observedGeneration` below `generation` is
/// `InProgress`; Flux does the same).
fn unobserved_at_first(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let schemas =
        crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut());
    for schema in schemas {
        if let Some(status) = schema.properties.as_mut().and_then(|properties| properties.get_mut("status")) {
            status.default = Some(JSON(json!({"observedGeneration": -1})));
        }
    }
    crd
}

/// Lets an optional choice be written as null, as templates do and as every other optional field may be. The API
/// server refuses null for a nullable enum, and takes it away where a field is not nullable.
fn nulls_for_choices(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let schemas =
        crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut());
    schemas.for_each(prune_nulls);
    crd
}

fn prune_nulls(schema: &mut JSONSchemaProps) {
    if schema.enum_.is_some() {
        schema.nullable = None;
    }
    schema.properties.iter_mut().flat_map(|properties| properties.values_mut()).for_each(prune_nulls);
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        prune_nulls(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        prune_nulls(values);
    }
}
