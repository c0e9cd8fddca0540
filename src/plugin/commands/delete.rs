//! Deletes objects, on request without what is in Glue.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

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
    let mut weightiest = Exit::Succeeded;
    for target in targets {
        match delete(cluster, target, orphan).await {
            Ok(()) => output::line(format_args!("{} deleted", target.full_name()))?,
            Err(error) => {
                output::say(format_args!("error: {error}"));
                weightiest = weightiest.max(error.exit());
            }
        }
    }
    Ok(weightiest)
}

async fn delete(cluster: &Cluster, target: &Target, orphan: bool) -> Result<(), PluginError> {
    let objects = cluster.objects(&target.kind);
    let failed = |error| match error {
        kube::Error::Api(status) if status.code == 404 => PluginError::NotFound(target.full_name()),
        error => PluginError::api(format!("deleting {}", target.full_name()))(error),
    };
    if orphan {
        let policy = if target.kind.is_run { "Orphan" } else { "Retain" };
        let patch = Patch::Merge(json!({ "spec": { "deletionPolicy": policy } }));
        objects.patch(&target.name, &PatchParams::default(), &patch).await.map_err(failed)?;
    }
    objects.delete(&target.name, &DeleteParams::default()).await.map_err(failed)?;
    Ok(())
}
