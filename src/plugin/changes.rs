//! The changes of one object, as the API server reports them.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use kube::core::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watch_object};

use super::connect::Cluster;
use super::error::PluginError;
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

/// Whether the API server will not let the person watch, however often it is asked.
fn is_refusal(error: &watcher::Error) -> bool {
    let code = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.code,
        _ => return false,
    };
    matches!(code, 401 | 403)
}
