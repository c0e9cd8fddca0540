//! The changes of objects, as the API server reports them.

use std::pin::Pin;

use futures::{Stream, StreamExt, TryStreamExt, stream};
use kube::Api;
use kube::core::DynamicObject;
use kube::runtime::watcher::{self, Event, watch_object, watcher};
use kube::runtime::{WatchStreamExt, watcher::Config};

use super::connect::Cluster;
use super::error::PluginError;
use super::kind::Kind;
use super::target::Target;

/// A watch of one object.
pub(super) struct Changes<'a> {
    target: &'a Target,
    uid: Option<String>,
    watch: Pin<Box<dyn Stream<Item = Result<Option<DynamicObject>, watcher::Error>> + Send>>,
}

impl<'a> Changes<'a> {
    /// Watches `object`. A watch tries again for ever; what the API server refuses is seen when the object is read first.
    pub(super) fn of(cluster: &Cluster, target: &'a Target, object: &DynamicObject) -> Self {
        let watch = watch_object(cluster.objects(&target.kind), &target.name).default_backoff();
        Self { target, uid: object.metadata.uid.clone(), watch: Box::pin(watch) }
    }

    /// The object as it is now, and then after each change.
    pub(super) async fn next(&mut self) -> Result<DynamicObject, PluginError> {
        while let Some(change) = self.watch.next().await {
            match change {
                Ok(Some(object)) if object.metadata.uid == self.uid => return Ok(object),
                Ok(_) => {
                    let name = self.target.full_name();
                    return Err(PluginError::NotFound(format!("{name} was deleted meanwhile: it")));
                }
                Err(error) if is_refusal(&error) => {
                    let error = kube::Error::Service(Box::new(error));
                    return Err(PluginError::about("watching", self.target)(error));
                }
                Err(_) => {}
            }
        }
        Err(PluginError::NotFound(self.target.full_name()))
    }
}

/// A watch of all objects of these kinds. It tries again for ever, and ends with what the API server refuses.
pub(super) fn of_all(
    kinds: impl IntoIterator<Item = (Kind, Api<DynamicObject>)>,
) -> impl Stream<Item = Result<(Kind, Event<DynamicObject>), PluginError>> {
    let watch = |(kind, objects): (Kind, Api<DynamicObject>)| {
        let changes = watcher(objects, Config::default()).default_backoff();
        let changes = changes.filter(|change| {
            let is_shown = change.as_ref().err().is_none_or(is_refusal);
            std::future::ready(is_shown)
        });
        let plural = kind.resource.plural.clone();
        let changes = changes.map_err(move |error| {
            PluginError::api(format!("watching {plural}"))(kube::Error::Service(Box::new(error)))
        });
        changes.map_ok(move |change| (kind.clone(), change)).boxed()
    };
    stream::select_all(kinds.into_iter().map(watch).collect::<Vec<_>>())
}

/// Whether the API server will not let the user watch, however often it is asked.
fn is_refusal(error: &watcher::Error) -> bool {
    let code = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.code,
        _ => return false,
    };
    matches!(code, 401 | 403)
}
