//! Waits for either end of objects.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kube::core::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watch_object};

use crate::plugin::connect::Cluster;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::outcome::Outcome;
use crate::plugin::output;
use crate::plugin::target::Target;

/// Waits until each object has come to an end, and prints its state. The weightiest end is returned. With a timeout of zero
/// it waits for ever.
pub(in crate::plugin) async fn execute(
    cluster: &Cluster,
    targets: &[Target],
    timeout: Duration,
) -> Result<Exit, PluginError> {
    let progress = MultiProgress::new();
    let waits = join_all(targets.iter().map(|target| wait(cluster, target, &progress)));
    let ends = if timeout.is_zero() {
        waits.await
    } else {
        match tokio::time::timeout(timeout, waits).await {
            Ok(ends) => ends,
            Err(_) => return Ok(Exit::TimedOut),
        }
    };
    let mut weightiest = Exit::Succeeded;
    for (target, end) in targets.iter().zip(ends) {
        let exit = match end {
            Ok(outcome) => {
                output::line(format_args!("{} {}", target.full_name(), outcome.state))?;
                let exit = outcome.end.unwrap_or_default();
                if exit != Exit::Succeeded && !outcome.message.is_empty() {
                    output::say(format_args!("{}: {}", target.name, outcome.message));
                }
                exit
            }
            Err(error) => {
                output::say(format_args!("error: {error}"));
                error.exit()
            }
        };
        weightiest = weightiest.max(exit);
    }
    Ok(weightiest)
}

/// Waits for one object.
async fn wait(cluster: &Cluster, target: &Target, progress: &MultiProgress) -> Result<Outcome, PluginError> {
    let objects = cluster.objects(&target.kind);
    let doing = format!("reading {}", target.full_name());
    // A watch tries again for ever; what the API server refuses is seen here.
    let object = objects.get_opt(&target.name).await.map_err(PluginError::api(&doing))?;
    let object = object.ok_or_else(|| PluginError::NotFound(target.full_name()))?;
    let uid = object.metadata.uid.clone();
    let outcome = Outcome::of(&target.kind, &object);
    if outcome.end.is_some() {
        return Ok(outcome);
    }
    let bar = progress.add(ProgressBar::new_spinner().with_style(style()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.set_prefix(target.name.clone());
    let show = |outcome: &Outcome| bar.set_message(outcome.describe());
    show(&outcome);
    let mut changes = pin!(watch_object(objects, &target.name).default_backoff());
    while let Some(change) = changes.next().await {
        let object: DynamicObject = match change {
            Ok(Some(object)) if object.metadata.uid == uid => object,
            Ok(_) => return Err(PluginError::NotFound(format!("{} was deleted meanwhile: it", target.full_name()))),
            Err(error) if is_refusal(&error) => {
                let source = kube::Error::Service(Box::new(error));
                return Err(PluginError::Api { doing, source: Box::new(source) });
            }
            Err(_) => continue,
        };
        let outcome = Outcome::of(&target.kind, &object);
        if outcome.end.is_some() {
            bar.finish_and_clear();
            return Ok(outcome);
        }
        show(&outcome);
    }
    Err(PluginError::NotFound(target.full_name()))
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix}  {elapsed}  {wide_msg}").unwrap_or_else(|_| {
        // The template is a constant, and a test reads it.
        ProgressStyle::default_spinner()
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_of_the_progress_line_is_valid() {
        assert!(ProgressStyle::with_template("{spinner} {prefix}  {elapsed}  {wide_msg}").is_ok());
        let bar = ProgressBar::hidden().with_style(style());
        bar.set_message("Running");
        assert_eq!(bar.message(), "Running");
    }
}
