//! The commands, one file each.

pub(super) mod check;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod edit;
pub(super) mod explain;
pub(super) mod get;
pub(super) mod import;
pub(super) mod list;
pub(super) mod logs;
pub(super) mod report;
pub(super) mod status;
pub(super) mod top;
pub(super) mod tree;
pub(super) mod wait;
pub(super) mod whoami;

use super::error::PluginError;
use super::exit::Exit;
use super::output;
use super::target::Target;

/// Does something with each object. An error is printed and does not keep the others from it; the weightiest end counts.
async fn for_each(
    targets: &[Target],
    act: impl AsyncFn(&Target) -> Result<Exit, PluginError>,
) -> Result<Exit, PluginError> {
    let mut weightiest = Exit::Succeeded;
    for target in targets {
        weightiest = weightiest.max(printed(act(target).await)?);
    }
    Ok(weightiest)
}

/// How a command ends for one object, whose error is printed. Where nothing can be printed, the command ends.
fn printed(end: Result<Exit, PluginError>) -> Result<Exit, PluginError> {
    match end {
        Err(error @ PluginError::Output(_)) => Err(error),
        Err(error) => {
            output::error(&error);
            Ok(error.exit())
        }
        end => end,
    }
}
