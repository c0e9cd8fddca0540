//! Waits for either end of objects.

use std::time::Duration;

use futures::future::join_all;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::printed;
use crate::plugin::changes::Changes;
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
    } else if let Ok(ends) = tokio::time::timeout(timeout, waits).await {
        ends
    } else {
        output::say(format_args!("error: not all have come to an end within {timeout:?}"));
        return Ok(Exit::TimedOut);
    };
    let mut weightiest = Exit::Succeeded;
    for (target, end) in targets.iter().zip(ends) {
        weightiest = weightiest.max(printed(end.and_then(|outcome| show(target, &outcome)))?);
    }
    Ok(weightiest)
}

/// Prints how an object has ended: Glue's words where it did not succeed.
fn show(target: &Target, outcome: &Outcome) -> Result<Exit, PluginError> {
    output::line(format_args!("{} {}", target.full_name(), outcome.state))?;
    let exit = outcome.end.unwrap_or_default();
    if exit != Exit::Succeeded && !outcome.message.is_empty() {
        output::say(format_args!("{}: {}", target.name, outcome.message));
    }
    Ok(exit)
}

/// Waits for one object.
async fn wait(cluster: &Cluster, target: &Target, progress: &MultiProgress) -> Result<Outcome, PluginError> {
    let object = cluster.read(target).await?;
    let outcome = Outcome::of(&target.kind, &object);
    if outcome.end.is_some() {
        return Ok(outcome);
    }
    let bar = progress.add(ProgressBar::new_spinner().with_style(style()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.set_prefix(target.name.clone());
    let mut said = None;
    let mut show = |outcome: &Outcome| {
        bar.set_message(outcome.describe());
        // The log of a script says, too, what it waits for.
        if bar.is_hidden() && !outcome.message.is_empty() && said.as_ref() != Some(&outcome.reason) {
            output::say(format_args!("{} is {}", target.full_name(), outcome.describe()));
            said = Some(outcome.reason.clone());
        }
    };
    show(&outcome);
    let mut changes = Changes::of(cluster, target, &object);
    loop {
        let outcome = Outcome::of(&target.kind, &changes.next().await?);
        if outcome.end.is_some() {
            bar.finish_and_clear();
            return Ok(outcome);
        }
        show(&outcome);
    }
}

/// The progress line of an object.
const TEMPLATE: &str = "{spinner} {prefix}  {elapsed}  {wide_msg}";

fn style() -> ProgressStyle {
    ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| {
        // The template is a constant, and a test reads it.
        ProgressStyle::default_spinner()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_of_the_progress_line_is_valid() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
        let bar = ProgressBar::hidden().with_style(style());
        bar.set_message("Running");
        assert_eq!(bar.message(), "Running");
    }
}
