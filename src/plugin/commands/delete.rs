//! Deletes objects, on request without what is in Glue.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::for_each;
use crate::plugin::connect::Cluster;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::output;
use crate::plugin::target::Target;

/// Requests the deletion of each object. With `orphan`, what is in Glue is left as it is.
pub(in crate::plugin) async fn execute(
    cluster: &Cluster,
    targets: &[Target],
    orphan: bool,
) -> Result<Exit, PluginError> {
    for_each(targets, async |target| {
        let objects = cluster.objects(&target.kind);
        if orphan {
            let policy = if target.kind.is_run { "Orphan" } else { "Retain" };
            let patch = Patch::Merge(json!({ "spec": { "deletionPolicy": policy } }));
            let patched = objects.patch(&target.name, &PatchParams::default(), &patch).await;
            patched.map_err(PluginError::about("changing", target))?;
        }
        let deleted = objects.delete(&target.name, &DeleteParams::default()).await;
        deleted.map_err(PluginError::about("deleting", target))?;
        output::line(format_args!("{} deleted", target.full_name()))?;
        Ok(Exit::Succeeded)
    })
    .await
}
