//! Creates many objects.

use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::{
    Client, ResourceExt as _,
    api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams},
    core::GroupVersionKind,
};
use kube_glue_testbed::Error;
use serde_json::{Value, json};

use super::{JOBS, OBJECTS, World};
use crate::{
    error::LoadError,
    progress::{Reached, reach},
    sample::{Sample, spec},
};

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
        self.create_runs_in(count, |nth| (namespace.to_owned(), name(nth)), spec).await
    }

    /// The same in several namespaces. `key` is the namespace and the name of the nth.
    pub(crate) async fn create_runs_in(
        &self,
        count: usize,
        key: impl Fn(usize) -> (String, String),
        spec: impl Fn(usize) -> Value,
    ) -> Result<(), LoadError> {
        let create = |nth| {
            let ((namespace, name), spec) = (key(nth), spec(nth));
            let runs = runs(self.admin.clone(), &namespace);
            async move { create(&runs, &name, &spec).await.map(drop) }
        };
        many("created", 0..count, create).await
    }

    /// Creates `count` GlueJobRuns of the usual jobs, and waits meanwhile until `reached` returns as many.
    pub(crate) async fn create_runs_until(
        &self,
        count: usize,
        what: &str,
        reached: impl FnMut() -> usize,
    ) -> Result<Reached, LoadError> {
        let created = self.create_runs(OBJECTS, count, |nth| spec(nth % JOBS));
        let (created, reached) = tokio::join!(created, reach(what, count, Instant::now(), reached));
        created?;
        Ok(reached)
    }

    /// Creates GlueJobRuns that have finished: with the status of the sample.
    pub(crate) async fn create_finished_runs(&self, numbers: Range<usize>, sample: &Sample) -> Result<(), LoadError> {
        let runs = &runs(self.admin.clone(), OBJECTS);
        let finished = |nth: usize| async move {
            let run = create(runs, &name(nth), &spec(nth % JOBS)).await?;
            let status = sample.status_of(nth, &run.uid().unwrap_or_default())?;
            let patch = Patch::Merge(json!({ "status": status }));
            let patched = runs.patch_status(&run.name_any(), &PatchParams::default(), &patch).await;
            patched.map_err(Error::kube("writing a status"))?;
            Ok(())
        };
        many("created and finished", numbers, finished).await
    }
}

/// Creates one object.
async fn create(runs: &Api<DynamicObject>, name: &str, spec: &Value) -> Result<DynamicObject, LoadError> {
    let run = run(name, spec)?;
    Ok(runs.create(&PostParams::default(), &run).await.map_err(Error::kube("creating a run"))?)
}

/// Does something for each number, several at a time, and shows the progress.
async fn many<F: Future<Output = Result<(), LoadError>>>(
    what: &str,
    numbers: Range<usize>,
    start: impl Fn(usize) -> F,
) -> Result<(), LoadError> {
    let (done, count) = (AtomicUsize::default(), numbers.len());
    let each = |nth| {
        let (done, future) = (&done, start(nth));
        async move {
            future.await?;
            done.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    };
    let all = stream::iter(numbers).map(each).buffer_unordered(IN_FLIGHT).try_collect::<Vec<()>>();
    let shown = reach(what, count, Instant::now(), || done.load(Ordering::Relaxed));
    // The first error ends both.
    futures::try_join!(all, async { Ok(shown.await) }).map(drop)
}
