//! Creates many objects.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::{
    Client,
    api::{Api, ApiResource, DynamicObject, PostParams},
    core::GroupVersionKind,
};
use serde_json::{Value, json};

use super::World;
use crate::{error::LoadError, progress::reach};

/// The requests in flight while many objects are created.
const IN_FLIGHT: usize = 16;

/// The GlueJobRuns of a namespace, as they are.
pub(crate) fn runs(client: Client, namespace: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("kube-glue.dev", "v1alpha1", "GlueJobRun");
    Api::namespaced_with(client, namespace, &ApiResource::from_gvk_with_plural(&kind, "gluejobruns"))
}

/// A GlueJobRun.
pub(crate) fn run(name: &str, spec: &Value) -> Result<DynamicObject, LoadError> {
    let object = json!({
        "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun",
        "metadata": { "name": name },
        "spec": spec,
    });
    serde_json::from_value(object).map_err(|error| LoadError::Outcome(format!("a GlueJobRun: {error}")))
}

/// The name of the nth object.
pub(crate) fn name(nth: usize) -> String {
    format!("run-{nth}")
}

impl World {
    /// Creates `count` GlueJobRuns in a namespace, and shows the progress. `spec` is that of the nth.
    pub(crate) async fn create_runs(
        &self,
        namespace: &str,
        count: usize,
        spec: impl Fn(usize) -> Value,
    ) -> Result<(), LoadError> {
        let runs = runs(self.admin.clone(), namespace);
        let created = Arc::<AtomicUsize>::default();
        let creations = stream::iter(0..count).map(|nth| {
            let (runs, created, run) = (runs.clone(), Arc::clone(&created), run(&name(nth), &spec(nth)));
            async move {
                runs.create(&PostParams::default(), &run?).await.map_err(LoadError::kube("creating a run"))?;
                created.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        });
        let all = creations.buffer_unordered(IN_FLIGHT).try_collect::<Vec<()>>();
        let shown = reach("created", count, Instant::now(), || created.load(Ordering::Relaxed));
        // The first error ends both.
        futures::try_join!(all, async { Ok(shown.await) }).map(drop)
    }
}
