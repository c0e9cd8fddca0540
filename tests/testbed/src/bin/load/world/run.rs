//! The part of a GlueJobRun that is measured.

use std::borrow::Cow;

use k8s_openapi::{NamespaceResourceScope, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::Resource;
use serde::Deserialize;

/// A GlueJobRun. The rest of it is skipped, so that reading thousands of them costs little.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Run {
    metadata: ObjectMeta,
    status: Option<Status>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    phase: Option<String>,
    run_id: Option<String>,
}

impl Run {
    /// The id of its run in Glue.
    pub(crate) fn run_id(&self) -> Option<&str> {
        self.status.as_ref()?.run_id.as_deref()
    }

    /// The phase.
    pub(crate) fn phase(&self) -> Option<&str> {
        self.status.as_ref()?.phase.as_deref()
    }

    /// The phase, if it is a final one.
    pub(crate) fn final_phase(&self) -> Option<&str> {
        let phase = self.phase()?;
        ["Succeeded", "Failed", "TimedOut", "Error", "Stopped", "Expired"].contains(&phase).then_some(phase)
    }

    /// Whether its run has ended and the controller has let go of it.
    pub(crate) fn is_finished(&self) -> bool {
        self.final_phase().is_some() && self.metadata.finalizers.as_ref().is_none_or(Vec::is_empty)
    }
}

impl Resource for Run {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "GlueJobRun".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "kube-glue.dev".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1alpha1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "gluejobruns".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
